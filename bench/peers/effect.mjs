// Effect 4: Stream. Chunked; back-pressure throughout.
import { Effect, Stream } from "effect";

const steps = { map: Stream.map, filter: Stream.filter };
const sum = (add) => Stream.runFold(() => 0, add);
const allAtOnce = { concurrency: "unbounded" };

export const others = (array, list) =>
  list
    .reduce((stream, [kind, fn]) => stream.pipe(steps[kind](fn)), Stream.fromIterable(array))
    .pipe(
      sum((count) => count + 1),
      Effect.runPromise,
    );

const numbers = (events) => Stream.range(0, events - 1);
const through = (stream, { double, keep, add }) =>
  stream.pipe(Stream.map(double), Stream.filter(keep), sum(add), Effect.runPromise);

export const linear = {
  numbers: { effect: (events, work) => through(numbers(events), work) },
  objects: { effect: (events, work) => through(numbers(events).pipe(Stream.map(work.make)), work) },
};

const fromIterable = { effect: (_, work, input) => through(Stream.fromIterable(input), work) };
const fromAsync = (input) => Stream.fromAsyncIterable(input, (error) => error);
export const iterable = {
  array: { effect: (_, work, input) => through(Stream.fromArray(input), work) },
  generator: fromIterable,
  "async generator": { effect: (_, work, input) => through(fromAsync(input), work) },
  "array, out by for await": {
    effect: async (_, { double, keep, add }, input) => {
      const stream = Stream.fromArray(input).pipe(Stream.map(double), Stream.filter(keep));
      let total = 0;
      for await (const n of Stream.toAsyncIterable(stream)) total = add(total, n);
      return total;
    },
  },
};

const mapped = {
  effect: (events, { stages, inc, add }) => {
    let stream = numbers(events);
    for (let stage = 2; stage < stages; stage += 1) stream = Stream.map(stream, inc);
    return stream.pipe(sum(add), Effect.runPromise);
  },
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

const inScope = (make) => Effect.runPromise(Effect.scoped(Effect.gen(make)));
const sumOfAll = (sums, add) => sums.reduce(add, 0);

export const compete = {
  "four consumers": {
    "effect queue": (events, { add }) =>
      inScope(function* () {
        const queue = yield* Stream.toQueue(numbers(events), { capacity: 1024 });
        const consumers = Array.from({ length: 4 }, () => Stream.fromQueue(queue).pipe(sum(add)));
        return sumOfAll(yield* Effect.all(consumers, allAtOnce), add);
      }),
  },
};

const toFour = (first) => (events, work) =>
  inScope(function* () {
    const [one, ...rest] = yield* Stream.broadcastN(numbers(events), { n: 4, capacity: 1024 });
    const consumers = [first(one, work), ...rest.map(sum(work.add))];
    return sumOfAll(yield* Effect.all(consumers, allAtOnce), work.add);
  });
const slowly = (stream, { add, slow }) => {
  const wait = slow();
  const each = (total, n) => {
    const pause = wait();
    return pause === undefined
      ? Effect.succeed(add(total, n))
      : Effect.as(
          Effect.promise(() => pause),
          add(total, n),
        );
  };
  return stream.pipe(Stream.runFoldEffect(() => 0, each));
};
export const broadcast = {
  "four consumers": { effect: toFour((stream, { add }) => stream.pipe(sum(add))) },
  "one of four is slow": { effect: toFour(slowly) },
};

const grouped = {
  "effect groupByKey": (events, { group, add }) =>
    numbers(events).pipe(
      Stream.groupByKey(group),
      Stream.mapEffect(([, one]) => one.pipe(sum(add)), allAtOnce),
      sum(add),
      Effect.runPromise,
    ),
};
export const partition = { uniform: grouped, zipf: grouped };

export const merge = {
  "four sources": {
    effect: (events, { add }) =>
      Stream.mergeAll(
        Array.from({ length: 4 }, () => numbers(Math.ceil(events / 4))),
        allAtOnce,
      ).pipe(sum(add), Effect.runPromise),
  },
};

const mapEffect =
  (options) =>
  (_, { handler, concurrency, add }, source) =>
    Stream.fromIterable(source).pipe(
      Stream.mapEffect((n) => Effect.promise(() => handler(n)), { concurrency, ...options }),
      sum(add),
      Effect.runPromise,
    );
const mapEffects = { "effect, ordered": mapEffect({}), "effect, unordered": mapEffect({ unordered: true }) };
export const async = { "resolves at once": mapEffects, "1 to 5 ms": mapEffects };

export const fairness = {
  "under load": {
    effect: (over, count) =>
      Stream.range(0, Number.MAX_SAFE_INTEGER).pipe(
        Stream.takeWhile(() => !over()),
        Stream.map((n) => n * 2),
        Stream.runForEachArray((all) => Effect.sync(() => count(all.length))),
        Effect.runPromise,
      ),
  },
};

export const memory = {
  "ten million": { effect: (events, work) => slowly(numbers(events), work).pipe(Effect.runPromise) },
};

export const startup = {
  "a pipeline of three steps": {
    effect: [
      `import { Effect, Stream } from "effect";`,
      `await Stream.make(1, 2, 3).pipe(Stream.map((n) => n * 2), Stream.filter((n) => n > 2), Stream.runSum, Effect.runPromise);`,
    ],
  },
};
export const size = startup;
