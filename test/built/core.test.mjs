import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import {
  ArgumentError,
  broadcastDispatcher,
  CallbackError,
  failureOf,
  consumer,
  fromIterable,
  OverflowError,
  partitionDispatcher,
  producer,
  producerConsumer,
} from "headrace";

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A consumer that keeps what it gets. */
function collector(source, options) {
  const seen = [];
  const stage = consumer((events) => void seen.push(...events));
  stage.subscribe(source, options);
  return { seen, done: stage.done };
}

describe("stages", { timeout: 60_000 }, () => {
  test("B-1 a producer, a producerConsumer and a consumer", async () => {
    let next = 1;
    let sum = 0;
    const numbers = producer({
      handleDemand(demand, stage) {
        const events = range(next, Math.min(100_000, next + demand - 1));
        next += events.length;
        if (next > 100_000) stage.complete();
        return events;
      },
    });
    const even = producerConsumer((events) => events.filter((n) => n % 2 === 0));
    const total = consumer(async (events) => {
      await new Promise((resolve) => setImmediate(() => resolve()));
      for (const n of events) sum += n;
    });
    total.subscribe(even);
    even.subscribe(numbers, { maxDemand: 64 });
    await total.done;
    assert.equal(sum, 2_500_050_000);
    assert.deepEqual([numbers.state, even.state, total.state], ["completed", "completed", "completed"]);
  });

  test("B-2 for await, and a loop that leaves early releases its source", async () => {
    let closed = 0;
    const source = fromIterable(
      (function* () {
        try {
          for (let n = 1; ; n += 1) yield n;
        } finally {
          closed += 1;
        }
      })(),
    );
    const seen = [];
    for await (const n of source) {
      seen.push(n);
      if (n === 3) break;
    }
    await source.done;
    assert.deepEqual([seen, closed, source.state], [[1, 2, 3], 1, "stopped"]);
  });

  test("B-3 batches of an async generator", async () => {
    const source = fromIterable(
      (async function* () {
        for (let n = 1; n <= 10; n += 1) yield n;
      })(),
    );
    const seen = [];
    for await (const batch of source.batches({ maxDemand: 4 })) seen.push(...batch);
    assert.deepEqual(seen, range(1, 10));
  });

  test("B-4 partitions share the events by key", async () => {
    const source = fromIterable(range(0, 99), {
      dispatcher: partitionDispatcher({ partitions: ["even", "odd"], hash: (n) => (n % 2 === 0 ? "even" : "odd") }),
    });
    const [even, odd] = ["even", "odd"].map((partition) => collector(source, { partition }));
    await Promise.all([even.done, odd.done]);
    assert.deepEqual(
      [even.seen, odd.seen],
      [range(0, 99).filter((n) => n % 2 === 0), range(0, 99).filter((n) => n % 2)],
    );
  });

  test("B-5 a broadcast gives every event to all", async () => {
    const source = fromIterable(range(1, 50), { dispatcher: broadcastDispatcher() });
    const all = [
      collector(source, {}),
      collector(source, { maxDemand: 3 }),
      collector(source, { selector: (n) => n > 40 }),
    ];
    await Promise.all(all.map(({ done }) => done));
    assert.deepEqual(
      all.map(({ seen }) => seen),
      [range(1, 50), range(1, 50), range(41, 50)],
    );
  });

  test("B-6 callbacks and loops run in the asynchronous context they were made in", async () => {
    const context = new AsyncLocalStorage();
    const seen = new Set();
    const note = (where) => seen.add(`${where}: ${context.getStore()}`);
    const run = (name) =>
      context.run(name, async () => {
        const source = fromIterable(
          (function* () {
            note("generator");
            yield* [1, 2, 3];
          })(),
        );
        const stage = producerConsumer({
          init: () => note("init"),
          handleEvents(events) {
            note("handleEvents");
            return events;
          },
          terminate: () => note("terminate"),
        });
        stage.subscribe(source);
        for await (const n of stage) if (n > 0) note("loop");
      });
    await Promise.all([run("one"), run("two")]);
    const places = ["generator", "handleEvents", "init", "loop", "terminate"];
    assert.deepEqual(
      [...seen].toSorted((a, b) => (a < b ? -1 : 1)),
      places.flatMap((place) => [`${place}: one`, `${place}: two`]),
    );
  });

  test("B-7 errors say what they are", async () => {
    const cause = new Error("mine");
    const failing = consumer(() => {
      throw cause;
    });
    failing.subscribe(fromIterable([1, 2]));
    const error = await failing.done.catch((reason) => reason);
    assert.equal(error, cause);
    assert.deepEqual([failing.failure?.callback, failureOf(error)?.events], ["handleEvents", [1, 2]]);
    const primitive = consumer(() => Promise.reject("odd")); // oxlint-disable-line prefer-promise-reject-errors
    primitive.subscribe(fromIterable([1]));
    const wrapped = await primitive.done.catch((reason) => reason);
    assert.ok(wrapped instanceof CallbackError);
    assert.deepEqual([wrapped.code, wrapped.cause], ["ERR_CALLBACK", "odd"]);
    assert.throws(
      () => producer(() => [], { bufferSize: -1 }),
      (thrown) => thrown instanceof ArgumentError && thrown instanceof RangeError && thrown.code === "ERR_RANGE",
    );
    const small = producer(() => [], { bufferSize: 1, onDiscard: () => {} });
    assert.throws(
      () => small.push([1, 2, 3]),
      (thrown) => thrown instanceof OverflowError && thrown.rejected.length === 2,
    );
    await small.stop();
  });

  test("B-8 require answers with the same module as import", async () => {
    const required = createRequire(import.meta.url)("headrace");
    assert.equal(required.producer, producer);
    assert.equal(required.ArgumentError, ArgumentError);
  });
});
