// IxJS: operators of iterables ("ix"), and of async iterables ("ix, async").
import { from, merge as mergeAll, range, reduce } from "ix/asynciterable";
import { filter, flatMap, groupBy, map, publish, share } from "ix/asynciterable/operators";
import { from as fromSync, range as rangeSync, reduce as reduceSync } from "ix/iterable";
import { filter as filterSync, map as mapSync } from "ix/iterable/operators";

const operators = { map, filter };
const operatorsSync = { map: mapSync, filter: filterSync };
const sum = (source, add) => reduce(source, { callback: add, seed: 0 });
const sumSync = async (source, add) => reduceSync(source, { callback: add, seed: 0 });
const inAll = async (sums, add) => (await Promise.all(sums)).reduce(add, 0);

export const others = async (array, steps) => {
  const list = steps.map(([kind, fn]) => operators[kind](fn));
  const listSync = steps.map(([kind, fn]) => operatorsSync[kind](fn));
  const count = await sum(from(array).pipe(...list), (n) => n + 1);
  const countSync = await sumSync(fromSync(array).pipe(...listSync), (n) => n + 1);
  if (count !== countSync) throw new Error(`expected ${count}, got ${countSync}`);
  return count;
};

const through = (source, { double, keep, add }) => sum(source.pipe(map(double), filter(keep)), add);
const throughSync = (source, { double, keep, add }) => sumSync(source.pipe(mapSync(double), filterSync(keep)), add);

export const linear = {
  numbers: {
    ix: (events, work) => throughSync(rangeSync(0, events), work),
    "ix, async": (events, work) => through(range(0, events), work),
  },
  objects: {
    ix: (events, work) => throughSync(rangeSync(0, events).pipe(mapSync(work.make)), work),
    "ix, async": (events, work) => through(range(0, events).pipe(map(work.make)), work),
  },
};

const inSync = { ix: (_, work, input) => throughSync(fromSync(input), work) };
const inAsync = { "ix, async": (_, work, input) => through(from(input), work) };
export const iterable = {
  array: { ...inSync, ...inAsync },
  generator: { ...inSync, ...inAsync },
  "async generator": inAsync,
  "array, out by for await": {
    "ix, async": async (_, { double, keep, add }, input) => {
      let total = 0;
      for await (const n of from(input).pipe(map(double), filter(keep))) total = add(total, n);
      return total;
    },
  },
};

const mapped = {
  ix: (events, { stages, inc, add }) =>
    sumSync(rangeSync(0, events).pipe(...Array.from({ length: stages - 2 }, () => mapSync(inc))), add),
  "ix, async": (events, { stages, inc, add }) =>
    sum(range(0, events).pipe(...Array.from({ length: stages - 2 }, () => map(inc))), add),
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

export const compete = {
  "four consumers": {
    "ix share": (events, { add }) => {
      const shared = range(0, events).pipe(share());
      return inAll(
        Array.from({ length: 4 }, () => sum(shared, add)),
        add,
      );
    },
  },
};

const slowly = async (source, { add, slow }) => {
  const wait = slow();
  let total = 0;
  for await (const n of source) {
    total = add(total, n);
    const pause = wait();
    if (pause !== undefined) await pause;
  }
  return total;
};
const published = (first) => ({
  "ix publish, unbounded": (events, work) => {
    const all = range(0, events).pipe(publish());
    const iterators = Array.from({ length: 4 }, () => all[Symbol.asyncIterator]());
    const [one, ...rest] = iterators.map((iterator) => from(iterator));
    return inAll([first(one, work), ...rest.map((each) => sum(each, work.add))], work.add);
  },
});
export const broadcast = {
  "four consumers": published((source, { add }) => sum(source, add)),
  "one of four is slow": published(slowly),
};

// It groups what is there: the whole source is read before the first group is given.
const grouped = {
  "ix groupBy, unbounded": (events, { group, add }) =>
    sum(
      range(0, events).pipe(
        groupBy(group),
        flatMap((one) => sum(one, add).then((total) => [total])),
      ),
      add,
    ),
};
export const partition = { uniform: grouped, zipf: grouped };

export const merge = {
  "four sources": {
    "ix, async": (events, { add }) => {
      const one = () => range(0, Math.ceil(events / 4));
      return sum(mergeAll(one(), one(), one(), one()), add);
    },
  },
};

const mapAsync = {
  "ix flatMap": (_, { handler, concurrency, add }, source) =>
    sum(from(source).pipe(flatMap(async (n) => [await handler(n)], concurrency)), add),
};
export const async = { "resolves at once": mapAsync, "1 to 5 ms": mapAsync };

export const startup = {
  "a pipeline of three steps": {
    ix: [
      `import { from, reduce } from "ix/iterable"; import { filter, map } from "ix/iterable/operators";`,
      `reduce(from([1, 2, 3]).pipe(map((n) => n * 2), filter((n) => n > 2)), { callback: (sum, n) => sum + n, seed: 0 });`,
    ],
    "ix, async": [
      `import { from, reduce } from "ix/asynciterable"; import { filter, map } from "ix/asynciterable/operators";`,
      `await reduce(from([1, 2, 3]).pipe(map((n) => n * 2), filter((n) => n > 2)), { callback: (sum, n) => sum + n, seed: 0 });`,
    ],
  },
};
export const size = startup;
