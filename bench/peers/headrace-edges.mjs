// headrace: asynchronous functions, and what it has adapters for.
import { createReadStream, createWriteStream } from "node:fs";
import { filter, forEach, map, mapAsync, pipeline, reduce } from "headrace";
import { fromReadable, intoWritable, throughDuplex } from "headrace/node";

export { others } from "./headrace.mjs";

const mapped = (options) => (_, work, source) =>
  pipeline(source, mapAsync(work.handler, options(work)), reduce(work.add, 0)).done;
const calls = {
  headrace: mapped(() => ({})),
  "headrace, ordered: false": mapped(() => ({ ordered: false })),
  "headrace, 1000 keys": mapped(({ key }) => ({ key })),
  "headrace, forEach": async (_, { handler, concurrency, add }, source) => {
    let sum = 0;
    const each = async (n) => {
      const result = await handler(n);
      sum = add(sum, result);
    };
    await pipeline(source, forEach(each, { concurrency }));
    return sum;
  },
};
export const async = { "resolves at once": calls, "1 to 5 ms": calls };

const move = {
  headrace: async (bytes, { from, to, transforms }) => {
    const through = transforms().map((stream) => throughDuplex(stream));
    await pipeline(fromReadable(createReadStream(from)), ...through, intoWritable(createWriteStream(to)));
    return bytes;
  },
};
export const node_bytes = { copy: move, gzip: move };

export const node_objects = {
  objects: {
    headrace: async (events, { source, double, keep, sink }) => {
      const total = sink();
      await pipeline(fromReadable(source(events)), map(double), filter(keep), intoWritable(total));
      return total.sum;
    },
    "headrace, into reduce": (events, { source, double, keep, add }) =>
      pipeline(fromReadable(source(events)), map(double), filter(keep), reduce(add, 0)).done,
  },
};
