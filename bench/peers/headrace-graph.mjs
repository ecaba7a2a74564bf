// headrace: several consumers, several sources, and what a saturated graph leaves to others.
import { broadcast as toEach, consumer, forEach, fromIterable, merge as mergeAll } from "headrace";
import { balance, map, partitionBy, pipeline, producer, producerConsumer, reduce } from "headrace";
import { numbers } from "./headrace.mjs";

export { others } from "./headrace.mjs";

const sumOf = (sums, add) => sums.reduce(add, 0);
/** A consumer that adds up what it gets: a batch in a variable of its own, which costs less than one that outlives the call. */
function adding(add) {
  let sum = 0;
  const stage = consumer((batch) => {
    let total = sum;
    for (let i = 0; i < batch.length; i += 1) total = add(total, batch[i]);
    sum = total;
  });
  return { stage, sum: () => sum };
}
const summing = (add) => (events) => pipeline(events, reduce(add, 0));

export const compete = {
  "four consumers": {
    headrace: async (events, { add }) => {
      const source = numbers(events);
      const all = Array.from({ length: 4 }, () => adding(add));
      for (const { stage } of all) stage.subscribe(source);
      await Promise.all(all.map(({ stage }) => stage.done));
      return all.reduce((total, { sum }) => add(total, sum()), 0);
    },
    "headrace, branches": async (events, { add }) => {
      let total = 0;
      const branch = (own) =>
        pipeline(
          own,
          map((n) => n),
          reduce(add, 0),
        );
      for (const sum of await pipeline(numbers(events), balance(4, branch))) total = add(total, sum);
      return total;
    },
  },
};

const slowly = ({ slow, add }) => {
  const wait = slow();
  let sum = 0;
  const stage = consumer(async (batch) => {
    for (let i = 0; i < batch.length; i += 1) {
      sum = add(sum, batch[i]);
      const pause = wait();
      if (pause !== undefined) await pause;
    }
  });
  return { stage, sum: () => sum };
};
const toFour = {
  headrace: async (events, work) => {
    const source = pipeline(numbers(events), toEach({ startAfter: 4 }));
    const all = Array.from({ length: 4 }, (_, i) =>
      i === 0 && work.slow !== undefined ? slowly(work) : adding(work.add),
    );
    for (const { stage } of all) stage.subscribe(source);
    await Promise.all(all.map(({ stage }) => stage.done));
    return all.reduce((total, { sum }) => work.add(total, sum()), 0);
  },
};
const branches = {
  "headrace, branches": async (events, { add }) => {
    const one = summing(add);
    const all = await pipeline(numbers(events), toEach({ a: one, b: one, c: one, d: one }));
    return sumOf(Object.values(all), add);
  },
};
export const broadcast = { "four consumers": { ...toFour, ...branches }, "one of four is slow": toFour };

const byKey = {
  headrace: async (events, { key, add }) => {
    const source = pipeline(numbers(events), partitionBy(key, { partitions: 4 }));
    const all = Array.from({ length: 4 }, () => adding(add));
    for (const [partition, { stage }] of all.entries()) stage.subscribe(source, { partition });
    await Promise.all(all.map(({ stage }) => stage.done));
    return all.reduce((total, { sum }) => add(total, sum()), 0);
  },
  "headrace, branches": async (events, { key, add }) =>
    sumOf(await pipeline(numbers(events), partitionBy(key, { partitions: 4 }, summing(add))), add),
};
export const partition = { uniform: byKey, zipf: byKey };

export const merge = {
  "four sources": {
    headrace: (events, { add }) => {
      const one = () => numbers(Math.ceil(events / 4));
      return pipeline(mergeAll(one(), one(), one(), one()), reduce(add, 0)).done;
    },
  },
};

/** Numbers without end, until it is over, doubled in a stage of their own. */
function doubled(over) {
  const source = producer((demand, stage) => {
    if (over()) {
      stage.complete();
      return undefined;
    }
    return new Array(demand).fill(1);
  });
  const stage = producerConsumer((events) => events.map((n) => n * 2));
  stage.subscribe(source);
  return stage;
}
const handled = (options) => (over, count) => {
  const sink = consumer(async (events) => count(events.length));
  sink.subscribe(doubled(over), options);
  return sink.done;
};
const synchronous = (over, count) =>
  pipeline(
    doubled(over),
    consumer((events) => count(events.length)),
  ).done;
const asynchronous = handled({});
const loop = async (over, count) => {
  for await (const _ of doubled(over)) count(1);
};
const generator = (over, count) => {
  async function* ones() {
    while (!over()) yield 1;
  }
  return pipeline(
    fromIterable(ones()),
    consumer((events) => count(events.length)),
  ).done;
};
const two = (run) => (over, count) => Promise.all([run(over, (n) => count(n, 0)), run(over, (n) => count(n, 1))]);
export const fairness = {
  "under load": {
    "headrace, synchronous": synchronous,
    "headrace, async handlers": asynchronous,
    "headrace, async, maxDemand 1": handled({ maxDemand: 1 }),
    "headrace, for await": loop,
    "headrace, async generator": generator,
    "headrace, two synchronous": two(synchronous),
    "headrace, two async": two(asynchronous),
    "headrace, two for await": two(loop),
    "headrace, two generators": two(generator),
  },
};

export const memory = {
  "ten million": {
    "headrace, stages": async (events, work) => {
      const { stage, sum } = slowly(work);
      stage.subscribe(numbers(events));
      await stage.done;
      return sum();
    },
    "headrace, forEach": async (events, { slow, add }) => {
      const wait = slow();
      let sum = 0;
      const each = (n) => {
        sum = add(sum, n);
        return wait();
      };
      await pipeline(numbers(events), forEach(each));
      return sum;
    },
  },
};
