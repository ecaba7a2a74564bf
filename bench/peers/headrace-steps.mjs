// headrace: steps beyond map and filter.
import { createReadStream } from "node:fs";
import { batch, broadcast, buffer, consumer, forEach, lines, map, merge, partitionBy } from "headrace";
import { pipeline, producerConsumer, reduce } from "headrace";
import { fromReadable } from "headrace/node";
import { numbers } from "./headrace.mjs";

export { others } from "./headrace.mjs";

const read =
  (open) =>
  async (_, { file, highWaterMark }) => {
    let length = 0;
    const count = (line) => {
      length += line.length + 1;
    };
    await pipeline(open(createReadStream(file, { highWaterMark })), lines(), forEach(count));
    return length;
  };
const readers = {
  // The floor: chunks are read, and no one makes lines of them.
  "floor: no lines": async (_, { file, highWaterMark }) => {
    let length = 0;
    for await (const chunk of createReadStream(file, { highWaterMark })) length += chunk.length;
    return length;
  },
  "headrace, fromReadable": read(fromReadable),
  "headrace, the stream itself": read((stream) => stream),
};

const longLines =
  (every) =>
  async (bytes, { chunks }) => {
    let length = 0;
    const add = (line) => {
      // Flattens a string that is still in pieces.
      if (line.charCodeAt(line.length - 1) === 0x78) length += line.length + 1;
    };
    await pipeline(chunks(bytes, every), lines({ maxLength: Infinity }), forEach(add));
    return length;
  };

const alone =
  (step) =>
  (events, { add }) =>
    pipeline(numbers(events), step(), reduce(add, 0)).done;
const each = {
  "headrace, batch of 100": (events, { add }) =>
    pipeline(
      numbers(events),
      batch({ size: 100 }),
      reduce((total, some) => some.reduce(add, total), 0),
    ).done,
  "headrace, buffer of 1000, hold": alone(() => buffer({ size: 1000, overflow: "hold" })),
  "headrace, buffer of 1000, drop-oldest": alone(() => buffer({ size: 1000, overflow: "drop-oldest" })),
  "headrace, merge of 2": async (events, { add }) => {
    const half = events / 2;
    const shifted = pipeline(
      numbers(half),
      map((n) => n + half),
    );
    return pipeline(merge(numbers(half), shifted), reduce(add, 0)).done;
  },
};

/** A consumer that adds up what it gets, each plus one. */
function adding({ inc, add }) {
  let total = 0;
  const stage = consumer((some) => {
    for (let i = 0; i < some.length; i += 1) total = add(total, inc(some[i]));
  });
  return { stage, total: () => total };
}
const partitions = 4;
const branches = {
  "headrace, consumers by hand": async (events, work) => {
    const source = pipeline(numbers(events), partitionBy(work.key, { partitions }));
    const all = Array.from({ length: partitions }, (_, partition) => {
      const { stage, total } = adding(work);
      stage.subscribe(source, { partition });
      return stage.done.then(total);
    });
    return (await Promise.all(all)).reduce(work.add, 0);
  },
  "headrace, branches of consumers": async (events, work) => {
    const totals = [];
    const branch = (own) => {
      const { stage, total } = adding(work);
      totals.push(total);
      return pipeline(own, stage);
    };
    await pipeline(numbers(events), partitionBy(work.key, { partitions }, branch));
    return totals.reduce((sum, total) => work.add(sum, total()), 0);
  },
  "headrace, stages by hand and steps": async (events, { key, inc, add }) => {
    const source = pipeline(numbers(events), partitionBy(key, { partitions }));
    const all = Array.from({ length: partitions }, (_, partition) => {
      const pass = producerConsumer((some) => some, { onLastCancel: "stop" });
      pass.subscribe(source, { partition });
      return pipeline(pass, map(inc), reduce(add, 0)).done;
    });
    return (await Promise.all(all)).reduce(add, 0);
  },
  "headrace, branches of steps": async (events, { key, inc, add }) => {
    const branch = (own) => pipeline(own, map(inc), reduce(add, 0));
    return (await pipeline(numbers(events), partitionBy(key, { partitions }, branch))).reduce(add, 0);
  },
};

const LAG = { max: 1000, policy: "drop-oldest" };
/** `stalled`: one of the subscribers never returns. `lag`: of the stalled one, or of all. Every other one's sum is checked. */
const tellAll =
  ({ stalled, lag }) =>
  async (events, { subscribers }) => {
    const source = pipeline(numbers(events, undefined, 100), broadcast({ startAfter: subscribers }));
    const stages = Array.from({ length: subscribers }, (_, i) => {
      const stalls = stalled && i === 0;
      let total = 0;
      const stage = consumer((some) => {
        if (stalls) return new Promise(() => {});
        for (let k = 0; k < some.length; k += 1) total += some[k];
        return undefined;
      });
      stage.subscribe(source, lag === "all" || (lag === "stalled" && stalls) ? { lag: LAG } : {});
      return { stage, stalls, total: () => total };
    });
    const others = stages.filter(({ stalls }) => !stalls);
    await Promise.all(others.map(({ stage }) => stage.done));
    const [first] = others;
    for (const { total } of others) if (total() !== first.total()) throw new Error("subscribers differ");
    return first.total();
  };

export const steps = {
  "lines, 64 KB chunks": readers,
  "lines, 256 KB chunks": readers,
  "a long line": {
    "headrace, 64 lines of 1 MB": longLines(2 ** 20),
    "headrace, one line of 64 MB": longLines(2 ** 26),
  },
  "each alone": each,
  branches,
  "a broadcast to 1000": {
    "headrace, no lag": tellAll({ stalled: false }),
    "headrace, one stalled with lag": tellAll({ stalled: true, lag: "stalled" }),
    "headrace, one stalled, all with lag": tellAll({ stalled: true, lag: "all" }),
  },
};
