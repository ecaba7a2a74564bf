// @most/core: push-based, without back-pressure. A synchronous source is a task of the scheduler that loops.
import { filter, fromPromise, map, mergeArray, mergeMapConcurrently, multicast } from "@most/core";
import { newStream, propagateTask, runEffects, tap } from "@most/core";
import { asap, newDefaultScheduler } from "@most/scheduler";

const operators = { map, filter };
const scheduler = newDefaultScheduler();

/** All that a loop gives, from one task, as `fromArray` of most 1 did. */
const emitting = (events, make = (i) => i) =>
  newStream((sink, on) => {
    const emit = (time, _, to) => {
      for (let i = 0; i < events; i += 1) to.event(time, make(i));
      to.end(time);
    };
    return asap(propagateTask(emit, undefined, sink), on);
  });

const sumOf = async (stream, add) => {
  let sum = 0;
  const adding = tap((event) => {
    sum = add(sum, event);
  }, stream);
  await runEffects(adding, scheduler);
  return sum;
};

export const others = (array, steps) =>
  sumOf(
    steps.reduce(
      (stream, [kind, fn]) => operators[kind](fn, stream),
      emitting(array.length, (i) => array[i]),
    ),
    (count) => count + 1,
  );

const through = {
  most: (events, { make, double, keep, add }) => sumOf(filter(keep, map(double, emitting(events, make))), add),
};
export const linear = { numbers: through, objects: through };

export const iterable = {
  array: {
    most: (events, { double, keep, add }, input) =>
      sumOf(
        filter(
          keep,
          map(
            double,
            emitting(events, (i) => input[i]),
          ),
        ),
        add,
      ),
  },
};

const mapped = {
  most: (events, { stages, inc, add }) => {
    let stream = emitting(events);
    for (let stage = 2; stage < stages; stage += 1) stream = map(inc, stream);
    return sumOf(stream, add);
  },
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

export const broadcast = {
  "four consumers": {
    "most, unbounded": async (events, { add }) => {
      const all = multicast(emitting(events));
      return (await Promise.all(Array.from({ length: 4 }, () => sumOf(all, add)))).reduce(add, 0);
    },
  },
};

export const merge = {
  "four sources": {
    "most, unbounded": (events, { add }) =>
      sumOf(mergeArray(Array.from({ length: 4 }, () => emitting(Math.ceil(events / 4)))), add),
  },
};

const mapAsync = {
  "most, unbounded": (events, { handler, concurrency, add }, source) => {
    const numbers = emitting(events, () => source.next().value);
    return sumOf(
      mergeMapConcurrently((n) => fromPromise(handler(n)), concurrency, numbers),
      add,
    );
  },
};
export const async = { "resolves at once": mapAsync, "1 to 5 ms": mapAsync };

export const startup = {
  "a pipeline of three steps": {
    most: [
      `import { filter, map, now, runEffects, tap } from "@most/core"; import { newDefaultScheduler } from "@most/scheduler";`,
      `let sum = 0; await runEffects(tap((n) => { sum += n; }, filter((n) => n > 1, map((n) => n * 2, now(1)))), newDefaultScheduler());`,
    ],
  },
};
export const size = startup;
