// Node streams where they meet calls, files, clocks and memory.
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { adding, numbers, slowAdding, sumOf, transform } from "./node.mjs";

export { others } from "./node.mjs";

const asyncMap = {
  "node map": (_, { handler, concurrency, add }, source) =>
    Readable.from(source).map(handler, { concurrency }).reduce(add, 0),
};
export const async = { "resolves at once": asyncMap, "1 to 5 ms": asyncMap };

const move = {
  "stream.pipeline": async (bytes, { from, to, transforms }) => {
    await pipeline(createReadStream(from), ...transforms(), createWriteStream(to));
    return bytes;
  },
};
export const node_bytes = { copy: move, gzip: move };

export const node_objects = {
  objects: {
    "node transforms": (events, { source, double, keep, sink }) =>
      sumOf(source(events), transform.map(double), transform.filter(keep), sink()),
    "node operators": (events, { source, double, keep, sink }) =>
      sumOf(source(events).map(double).filter(keep), sink()),
  },
};

const read = {
  "node:readline": async (bytes, { file, highWaterMark }) => {
    let length = 0;
    const input = createReadStream(file, { highWaterMark });
    for await (const line of createInterface({ input, crlfDelay: Infinity })) length += line.length + 1;
    return length;
  },
};
export const steps = { "lines, 64 KB chunks": read, "lines, 256 KB chunks": read };

export const fairness = {
  "under load": {
    "node transforms": (over, count) => {
      const source = new Readable({
        objectMode: true,
        read() {
          this.push(over() ? null : 1);
        },
      });
      const total = adding((sum) => (count(1), sum));
      return pipeline(
        source,
        transform.map((n) => n * 2),
        total,
      );
    },
  },
};
export const memory = {
  "ten million": { "node transforms": (events, work) => sumOf(numbers(events), slowAdding(work)) },
};
export const startup = {
  "a pipeline of three steps": {
    "node transforms": [
      `import { Readable } from "node:stream";`,
      `await Readable.from([1, 2, 3]).map((n) => n * 2).filter((n) => n > 2).reduce((sum, n) => sum + n, 0);`,
    ],
  },
};
