// RxJS 9 beta: operators are symbols on Observables; ColdObservable subscribes its source each time, as RxJS 7 does.
// It has no back-pressure, and no range: sources are loops.
import { ColdObservable, Subject } from "rxjs-9";
import { filter } from "rxjs-9/filter";
import { groupBy } from "rxjs-9/group-by";
import { map } from "rxjs-9/map";
import { merge as mergeAll } from "rxjs-9/merge";
import { mergeMap } from "rxjs-9/merge-map";
import { reduce } from "rxjs-9/reduce";

const operators = { map, filter };

export const others = (array, steps) =>
  last(steps.reduce((source, [kind, fn]) => source[operators[kind]](fn), from(array))[reduce]((n) => n + 1, 0));

const last = (source) =>
  new Promise((resolve, reject) => {
    let latest;
    source.subscribe({
      next: (event) => {
        latest = event;
      },
      error: reject,
      complete: () => resolve(latest),
    });
  });
const from = (input) => ColdObservable.from(input);
const made = (events, make) =>
  new ColdObservable((subscriber) => {
    for (let i = 0; i < events && subscriber.active; i += 1) subscriber.next(make(i));
    subscriber.complete();
  });
const range = (events) =>
  new ColdObservable((subscriber) => {
    for (let i = 0; i < events && subscriber.active; i += 1) subscriber.next(i);
    subscriber.complete();
  });
const through = (source, { double, keep, add }) => last(source[map](double)[filter](keep)[reduce](add, 0));

export const linear = {
  numbers: { "rxjs 9": (events, work) => through(range(events), work) },
  objects: { "rxjs 9": (events, work) => through(made(events, work.make), work) },
};

const fromInput = { "rxjs 9": (_, work, input) => through(from(input), work) };
export const iterable = { array: fromInput, generator: fromInput, "async generator": fromInput };

const mapped = {
  "rxjs 9": (events, { stages, inc, add }) => {
    let source = range(events);
    for (let stage = 2; stage < stages; stage += 1) source = source[map](inc);
    return last(source[reduce](add, 0));
  },
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

/** A Subject, since a platform Observable that emits at once is over before the second has subscribed. */
const toFour = (one) => async (events, work) => {
  const subject = new Subject();
  const sums = Array.from({ length: 4 }, (_, i) => last(one(subject, work, i)[reduce](work.add, 0)));
  range(events).subscribe(subject);
  return (await Promise.all(sums)).reduce(work.add, 0);
};
const slowly = (all, wait) => all[mergeMap]((n) => wait()?.then(() => n) ?? [n], { concurrent: 1 });
export const broadcast = {
  "four consumers": { "rxjs 9, unbounded": toFour((all) => all) },
  "one of four is slow": {
    "rxjs 9, unbounded": toFour((all, { slow }, i) => (i === 0 ? slowly(all, slow()) : all)),
  },
};

const grouped = {
  "rxjs 9, unbounded": (events, { group, add }) => {
    const groups = range(events)[groupBy](group);
    const sums = groups[mergeMap]((one) => one[reduce](add, 0));
    return last(sums[reduce](add, 0));
  },
};
export const partition = { uniform: grouped, zipf: grouped };

export const merge = {
  "four sources": {
    "rxjs 9, unbounded": (events, { add }) => {
      const [first, ...rest] = Array.from({ length: 4 }, () => range(Math.ceil(events / 4)));
      return last(first[mergeAll](rest)[reduce](add, 0));
    },
  },
};

// It has no row in async: mergeMap takes minutes over its queue of 200,000 events.

export const observable = {
  "rxjs 9": {
    "floor: the Observable itself": (events, { add }) => last(range(events)[reduce](add, 0)),
  },
};

export const startup = {
  "a pipeline of three steps": {
    "rxjs 9": [
      `import { ColdObservable } from "rxjs-9"; import { filter } from "rxjs-9/filter"; import { map } from "rxjs-9/map"; import { reduce } from "rxjs-9/reduce";`,
      `await ColdObservable.from([1, 2, 3])[map]((n) => n * 2)[filter]((n) => n > 2)[reduce]((sum, n) => sum + n, 0).first();`,
    ],
  },
};
export const size = startup;
