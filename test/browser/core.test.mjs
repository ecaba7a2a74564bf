import assert from "node:assert/strict";
import { afterEach, before, describe, test } from "node:test";
import { closeAtTheEnd, openPage } from "./page.mjs";

describe("headrace in a browser", { timeout: 120_000 }, () => {
  let tab;
  before(async () => {
    tab = await openPage("/test/browser/blank.html");
  });
  closeAtTheEnd();
  afterEach(() => assert.deepEqual(tab.complaints, []));

  test("W-1 nothing of Node's is there, and nothing is needed", async () => {
    const globals = await tab.page.evaluate(() =>
      ["process", "Buffer", "global", "require", "setImmediate"].filter((name) => name in globalThis),
    );
    assert.deepEqual(globals, []);
    for (const entry of tab.entries) {
      const names = await tab.page.evaluate(async (name) => Object.keys(await import(name)), entry);
      assert.ok(names.length > 0, entry);
    }
    assert.ok(tab.entries.includes("headrace") && tab.entries.includes("headrace/web"));
  });

  test("W-2 an iterable through the steps of a pipeline", async () => {
    const result = await tab.page.evaluate(async () => {
      const { collect, filter, fromIterable, map, pipeline } = await import("headrace");
      const numbers = Array.from({ length: 100 }, (_, i) => i);
      const { done } = pipeline(
        fromIterable(numbers),
        filter((n) => n % 30 === 0),
        map((n) => `${n}!`),
        collect(),
      );
      return done;
    });
    assert.deepEqual(result, ["0!", "30!", "60!", "90!"]);
  });

  test("W-3 competing, broadcast and partitioned consumers", async () => {
    const seen = await tab.page.evaluate(async () => {
      const { broadcastDispatcher, consumer, fromIterable, partitionDispatcher } = await import("headrace");
      const collector = async (source, options) => {
        const events = [];
        const stage = consumer((batch) => void events.push(...batch));
        stage.subscribe(source, options);
        await stage.done;
        return events;
      };
      const one = { maxDemand: 1 };
      const shared = fromIterable([1, 2, 3, 4]);
      const all = fromIterable([1, 2, 3], { dispatcher: broadcastDispatcher() });
      const parts = fromIterable([1, 2, 3, 4], {
        dispatcher: partitionDispatcher({ partitions: 2, hash: (n) => n % 2 }),
      });
      return Promise.all([
        Promise.all([collector(shared, one), collector(shared, one)]).then((both) =>
          both.flat().toSorted((a, b) => a - b),
        ),
        Promise.all([collector(all), collector(all)]),
        Promise.all([collector(parts, { partition: 0 }), collector(parts, { partition: 1 })]),
      ]);
    });
    assert.deepEqual(seen, [
      [1, 2, 3, 4],
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
      [
        [2, 4],
        [1, 3],
      ],
    ]);
  });

  test("W-4 a long computation leaves the page its turns, without setImmediate", async () => {
    const result = await tab.page.evaluate(async () => {
      const { fromIterable, map, pipeline, reduce } = await import("headrace");
      const timer = { fired: false };
      let count = 0;
      function* untilTheTimerFires() {
        setTimeout(() => (timer.fired = true), 0);
        do yield (count += 1);
        while (!timer.fired);
      }
      const last = await pipeline(
        fromIterable(untilTheTimerFires()),
        map((n) => n),
        reduce((_, n) => n, 0),
      ).done;
      return last === count && count > 1;
    });
    assert.equal(result, true);
  });

  test("W-5 an asynchronous generator is closed when a loop leaves it", async () => {
    const result = await tab.page.evaluate(async () => {
      const { fromIterable } = await import("headrace");
      let closed = false;
      const source = fromIterable(
        (async function* () {
          try {
            for (let n = 1; ; n += 1) yield n;
          } finally {
            closed = true;
          }
        })(),
      );
      const seen = [];
      for await (const n of source) if (seen.push(n) === 3) break;
      await source.done;
      return { seen, closed, state: source.state };
    });
    assert.deepEqual(result, { seen: [1, 2, 3], closed: true, state: "stopped" });
  });

  test("W-6 an abort ends a stage, and its error is the signal's reason", async () => {
    const result = await tab.page.evaluate(async () => {
      const { consumer, producer } = await import("headrace");
      const controller = new AbortController();
      const stage = consumer(() => {}, { signal: controller.signal });
      stage.subscribe(producer(() => []));
      controller.abort();
      return stage.done.catch((error) => [
        error instanceof DOMException,
        error.name,
        error === controller.signal.reason,
      ]);
    });
    assert.deepEqual(result, [true, "AbortError", true]);
  });

  test("W-7 a failure that nobody looks at is one unhandledrejection", async () => {
    const told = await tab.page.evaluate(async () => {
      const { consumer, fromIterable } = await import("headrace");
      const heard = new Promise((resolve) => {
        const listener = (event) => {
          event.preventDefault();
          resolve(event.reason.message);
        };
        addEventListener("unhandledrejection", listener, { once: true });
      });
      const stage = consumer(() => {
        throw new Error("mine");
      });
      stage.subscribe(fromIterable([1]));
      return heard;
    });
    assert.equal(told, "mine");
  });

  test("W-8 stages run in a worker", async () => {
    const result = await tab.page.evaluate(async () => {
      const worker = new Worker("/test/browser/worker.js", { type: "module" });
      try {
        return await new Promise((resolve, reject) => {
          worker.addEventListener("message", ({ data }) => resolve(data));
          worker.addEventListener("error", ({ message }) => reject(new Error(message)));
        });
      } finally {
        worker.terminate();
      }
    });
    assert.deepEqual(result, [1, 4, 9]);
  });
});
