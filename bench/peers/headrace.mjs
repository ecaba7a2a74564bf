// headrace: stages of one's own, whose callbacks take and return batches, and pipelines of steps.
import {
  consumer,
  filter,
  fromIterable,
  map,
  partitionBy,
  pipeline,
  producer,
  producerConsumer,
  reduce,
} from "headrace";

const steps = { map, filter };

/** Numbers, as many as are asked for, in batches of no more than `most`. */
export function numbers(events, make = (i) => i, most = Number.POSITIVE_INFINITY) {
  let next = 0;
  return producer(
    (demand, stage) => {
      const size = Math.min(demand, most, events - next);
      const batch = new Array(size);
      for (let i = 0; i < size; i += 1) batch[i] = make(next + i);
      next += size;
      if (next === events) stage.complete();
      return batch;
    },
    { onLastCancel: "stop" },
  );
}

/** One pipeline after another is a pipeline of steps, and one of stages, and one of four branches. */
export const others = async (array, list) => {
  const count = (n) => n + 1;
  const parts = list.map(([kind, fn]) => steps[kind](fn));
  const counted = await pipeline(array, ...parts, reduce(count, 0));
  let [staged, source] = [0, fromIterable(array)];
  for (const [kind, fn] of list)
    source = pipeline(
      source,
      producerConsumer((events) => events[kind](fn)),
    );
  await pipeline(
    source,
    consumer((events) => {
      staged += events.length;
    }),
  );
  let n = 0;
  const key = () => `key ${(n += 1)}`;
  const branch = (events) => pipeline(events, reduce(count, 0));
  const shared = await pipeline(array, ...parts, partitionBy(key, { partitions: 4 }, branch));
  if (staged !== counted || shared.reduce((sum, one) => sum + one, 0) !== counted) throw new Error("a wrong count");
  return counted;
};

/** Each stage loops over its batch, and makes one of its own. */
const stages =
  (options) =>
  async (events, { make, double, keep, add }) => {
    let sum = 0;
    const doubled = producerConsumer((batch) => {
      const size = batch.length;
      const out = new Array(size);
      for (let i = 0; i < size; i += 1) out[i] = double(batch[i]);
      return out;
    });
    const kept = producerConsumer((batch) => {
      const out = [];
      for (let i = 0; i < batch.length; i += 1) {
        const event = batch[i];
        if (keep(event)) out.push(event);
      }
      return out;
    });
    const total = consumer((batch) => {
      let so = sum;
      for (let i = 0; i < batch.length; i += 1) so = add(so, batch[i]);
      sum = so;
    });
    total.subscribe(kept, options);
    kept.subscribe(doubled, options);
    doubled.subscribe(numbers(events, make), options);
    await total.done;
    return sum;
  };
/** The same in the words of arrays. */
const arrayMethods = async (events, { make, double, keep, add }) => {
  let sum = 0;
  const total = consumer((batch) => {
    sum = batch.reduce(add, sum);
  });
  const doubled = producerConsumer((batch) => batch.map(double));
  const kept = producerConsumer((batch) => batch.filter(keep));
  await pipeline(numbers(events, make), doubled, kept, total);
  return sum;
};
const through = (source, { double, keep, add }) => pipeline(source, map(double), filter(keep), reduce(add, 0)).done;

const both = {
  "headrace, stages": stages({}),
  "headrace, stages of array methods": arrayMethods,
  "headrace, pipeline": (events, work) => through(numbers(events, work.make), work),
  "headrace, maxDemand 1": stages({ maxDemand: 1 }),
};
export const linear = {
  numbers: {
    ...both,
    "headrace, maxDemand 10": stages({ maxDemand: 10 }),
    "headrace, maxDemand 100": stages({ maxDemand: 100 }),
    "headrace, maxDemand 10000": stages({ maxDemand: 10_000 }),
  },
  objects: both,
};

const fromInput = { headrace: (_, work, input) => through(input, work) };
export const iterable = {
  array: fromInput,
  generator: fromInput,
  "async generator": fromInput,
  "array, out by for await": {
    headrace: async (_, { double, keep, add }, input) => {
      let sum = 0;
      for await (const n of pipeline(input, map(double), filter(keep))) sum = add(sum, n);
      return sum;
    },
    "headrace, batches": async (_, { double, keep, add }, input) => {
      let sum = 0;
      for await (const batch of pipeline(input, map(double), filter(keep)).batches())
        for (const n of batch) sum = add(sum, n);
      return sum;
    },
  },
};

const mapped = {
  "headrace, stages": (events, { stages: count, inc, add }) => {
    const mapping = () =>
      producerConsumer((batch) => {
        const size = batch.length;
        const out = new Array(size);
        for (let i = 0; i < size; i += 1) out[i] = inc(batch[i]);
        return out;
      });
    let source = numbers(events);
    for (let stage = 2; stage < count; stage += 1) source = pipeline(source, mapping());
    return pipeline(source, reduce(add, 0)).done;
  },
  "headrace, pipeline": (events, { stages: count, inc, add }) =>
    pipeline(numbers(events), ...Array.from({ length: count - 2 }, () => map(inc)), reduce(add, 0)).done,
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

export const startup = {
  "a pipeline of three steps": {
    headrace: [
      `import { filter, map, pipeline, reduce } from "headrace";`,
      `await pipeline([1, 2, 3], map((n) => n * 2), filter((n) => n > 2), reduce((sum, n) => sum + n, 0));`,
    ],
  },
};
export const size = {
  "a pipeline of three steps": {
    ...startup["a pipeline of three steps"],
    "headrace, stages": [
      `import { consumer, fromIterable, producerConsumer } from "headrace";`,
      `let sum = 0; const doubled = producerConsumer((all) => all.map((n) => n * 2)); const total = consumer((all) => { for (const n of all) sum += n; }); total.subscribe(doubled); doubled.subscribe(fromIterable([1, 2, 3])); await total.done;`,
    ],
  },
};
