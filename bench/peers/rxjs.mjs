// RxJS 7: pipeable operators. It has no back-pressure: rows where a slow consumer would fill a queue say "unbounded".
import {
  bufferCount,
  connect,
  concatMap,
  filter,
  from,
  groupBy,
  lastValueFrom,
  map,
  merge as mergeAll,
  mergeMap,
} from "rxjs";
import { Observable, of, range, reduce, takeWhile, tap } from "rxjs";

const operators = { map, filter };
const counted = reduce((count) => count + 1, 0);

export const others = (array, steps) =>
  lastValueFrom(from(array).pipe(...steps.map(([kind, fn]) => operators[kind](fn)), counted));

const summed = (add) => reduce(add, 0);

/** Events that are no numbers, as the documentation makes a source of one's own. */
const made = (events, make) =>
  new Observable((subscriber) => {
    for (let i = 0; i < events && !subscriber.closed; i += 1) subscriber.next(make(i));
    subscriber.complete();
  });
const through = (source, { double, keep, add }) =>
  lastValueFrom(source.pipe(map(double), filter(keep), reduce(add, 0)));

export const linear = {
  numbers: { "rxjs 7": (events, work) => through(range(0, events), work) },
  objects: { "rxjs 7": (events, work) => through(made(events, work.make), work) },
};

const fromInput = { "rxjs 7": (_, work, input) => through(from(input), work) };
export const iterable = { array: fromInput, generator: fromInput, "async generator": fromInput };

const mapped = {
  "rxjs 7": (events, { stages, inc, add }) => {
    const incs = Array.from({ length: stages - 2 }, () => map(inc));
    return lastValueFrom(range(0, events).pipe(...incs, summed(add)));
  },
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

const toFour = (one) => (events, work) =>
  lastValueFrom(
    range(0, events).pipe(
      connect((all) => mergeAll(...Array.from({ length: 4 }, (_, i) => one(all, work, i)))),
      summed(work.add),
    ),
  );
const slowly = (all, { slow, add }) => {
  const wait = slow();
  const each = (n) => {
    const pause = wait();
    return pause === undefined ? of(n) : from(pause.then(() => n));
  };
  return all.pipe(concatMap(each), summed(add));
};
export const broadcast = {
  "four consumers": { "rxjs 7, unbounded": toFour((all, { add }) => all.pipe(summed(add))) },
  "one of four is slow": {
    "rxjs 7, unbounded": toFour((all, work, i) => (i === 0 ? slowly(all, work) : all.pipe(summed(work.add)))),
  },
};

const grouped = {
  "rxjs 7, unbounded": (events, { group, add }) =>
    lastValueFrom(
      range(0, events).pipe(
        groupBy(group),
        mergeMap((one) => one.pipe(summed(add))),
        summed(add),
      ),
    ),
};
export const partition = { uniform: grouped, zipf: grouped };

export const merge = {
  "four sources": {
    "rxjs 7, unbounded": (events, { add }) => {
      const one = () => range(0, Math.ceil(events / 4));
      return lastValueFrom(mergeAll(one(), one(), one(), one()).pipe(summed(add)));
    },
  },
};

const mergeMapped = {
  "rxjs 7, unbounded": (_, { handler, concurrency, add }, source) =>
    lastValueFrom(from(source).pipe(mergeMap(handler, concurrency), summed(add))),
};
export const async = { "resolves at once": mergeMapped, "1 to 5 ms": mergeMapped };

export const observable = {
  "rxjs 7": {
    "floor: the Observable itself": (events, { add }) => lastValueFrom(range(0, events).pipe(summed(add))),
  },
};

export const fairness = {
  "under load": {
    "rxjs 7": (over, count) =>
      lastValueFrom(
        range(0, Number.MAX_SAFE_INTEGER).pipe(
          takeWhile(() => !over()),
          map((n) => n * 2),
          tap(() => count(1)),
        ),
      ),
  },
};

// By thousands: a queue of ten million events one by one takes concatMap minutes.
export const memory = {
  "ten million": {
    "rxjs 7, unbounded": (events, { slow, add }) => {
      const wait = slow();
      let sum = 0;
      const handle = async (batch) => {
        for (const n of batch) {
          sum = add(sum, n);
          const pause = wait();
          if (pause !== undefined) await pause;
        }
      };
      return lastValueFrom(range(0, events).pipe(bufferCount(1000), concatMap(handle))).then(() => sum);
    },
  },
};

export const startup = {
  "a pipeline of three steps": {
    "rxjs 7": [
      `import { filter, from, lastValueFrom, map, reduce } from "rxjs";`,
      `await lastValueFrom(from([1, 2, 3]).pipe(map((n) => n * 2), filter((n) => n > 2), reduce((sum, n) => sum + n, 0)));`,
    ],
  },
};
export const size = startup;
