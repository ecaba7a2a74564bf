import { describe, expect, test } from "vitest";
import {
  collect,
  failureOf,
  forEach,
  fromIterable,
  map,
  mapAsync,
  pipeline,
  producer,
  take,
} from "../../../src/index.ts";
import { range, turns } from "../../support/runtime.ts";
import { counted, failureFrom, Gates } from "./support.ts";

/** Bounded: a synchronous source without an end would never yield. */
async function* oneByOne(count: number) {
  for (let n = 0; n < count; n += 1) yield n;
}

describe("mapAsync: how many at a time", () => {
  test("F-56 runs `concurrency` calls, behind a source that gives one event at a time", async () => {
    const gates = new Gates<number>();
    const { done } = pipeline(fromIterable(oneByOne(40)), mapAsync(gates.call, { concurrency: 16 }), collect());
    await turns(20);
    expect(gates.under).toBe(16);
    for (const n of range(0, 39)) {
      gates.open(n);
      await turns(2);
      expect(gates.under).toBe(Math.min(16, 39 - n));
    }
    expect(await done).toEqual(range(0, 39));
  });

  test("keeps them under way while there is work, not in waves", async () => {
    const gates = new Gates<number>();
    const { source } = counted(100);
    const { done } = pipeline(source, mapAsync(gates.call, { concurrency: 4, ordered: false }), collect());
    await turns();
    expect(gates.begun).toEqual([0, 1, 2, 3]);
    for (const n of [1, 2, 3, 4, 5, 6]) {
      gates.open(n);
      await turns();
      expect(gates.under).toBe(4);
    }
    for (const n of range(0, 99)) {
      gates.open(n);
      if (n % 3 === 0) await turns(1);
    }
    for (const n of range(0, 99)) {
      await turns(1);
      gates.open(n);
    }
    expect((await done).toSorted((a, b) => a - b)).toEqual(range(0, 99));
    expect(gates.most).toBe(4);
  });

  test("gives results in the order of events, or as they come", async () => {
    for (const ordered of [true, false]) {
      const gates = new Gates<number>();
      const { done } = pipeline(counted(4).source, mapAsync(gates.call, { ordered }), collect());
      await turns();
      for (const n of [2, 0, 3, 1]) {
        gates.open(n);
        await turns();
      }
      expect(await done).toEqual(ordered ? [0, 1, 2, 3] : [2, 0, 3, 1]);
    }
  });

  test("what the function returns at once costs no promise, and stays in its place", async () => {
    const gates = new Gates<number>();
    const step = mapAsync((n: number) => (n === 1 ? gates.call(n) : 10 * n));
    const { done } = pipeline(counted(4).source, step, collect());
    await turns();
    gates.open(1, 11);
    expect(await done).toEqual([0, 11, 20, 30]);
  });

  test("asks for nothing before it is asked", async () => {
    const source = counted(10);
    const squares = pipeline(
      source.source,
      mapAsync(async (n: number) => n * n),
    );
    await turns();
    expect(source.taken).toBe(0);
    const all: number[] = [];
    for await (const n of squares) all.push(n);
    expect(all).toEqual(range(0, 9).map((n) => n * n));
  });

  test("stands in two pipelines at a time, and twice in one", async () => {
    const twice = mapAsync(async (n: number) => 2 * n);
    const results = await Promise.all(
      [1, 2].map(
        () =>
          pipeline(
            counted(3).source,
            twice,
            map((n) => n + 1),
            twice,
            collect(),
          ).done,
      ),
    );
    expect(results).toEqual([
      [2, 6, 10],
      [2, 6, 10],
    ]);
  });

  test.each([
    { concurrency: 0 },
    { concurrency: 1.5 },
    { maxHeld: -1 },
    { ordered: 1 },
    { timeout: -1 },
    { retry: {} },
    { retry: { attempts: 0 } },
    { retry: { attempts: 2, jitter: "some" } },
    { rate: { events: 1, interval: 0 } },
    { onFailure: "drop" },
    { concurency: 4 },
    { maxQueued: 4 },
    { key: "id" },
  ])("refuses the options %o", (options) => {
    expect(() => mapAsync((n: number) => n, options as never)).toThrow(/expected/);
    expect(() => mapAsync(undefined as never)).toThrow(/function/);
  });
});

describe("mapAsync: what it takes", () => {
  test.each([
    { concurrency: 4, maxHeld: 8 },
    { concurrency: 4, maxHeld: 0 },
    { concurrency: 1, maxHeld: 0 },
    { concurrency: 1 },
    { concurrency: 3, ordered: false, maxHeld: 5 },
    { concurrency: 16 },
  ])("never more than concurrency + maxHeld in front of a slow sink: %o", async (options) => {
    const { concurrency } = options;
    const maxHeld = options.maxHeld ?? 4 * concurrency;
    const source = counted(300);
    const gates = new Gates<number>();
    let [handled, most] = [0, 0];
    const look = () => (most = Math.max(most, source.taken - handled));
    const step = mapAsync((n: number) => (n % 3 === 0 ? n : gates.call(n)), options);
    const sink = forEach(async () => {
      for (let i = 0; i < 3; i += 1) {
        await turns(1);
        for (const n of gates.begun.splice(0).toReversed()) gates.open(n);
        look();
      }
      handled += 1;
      look();
    });
    const { done } = pipeline(source.source, step, sink);
    await turns();
    for (const n of gates.begun.splice(0)) gates.open(n);
    const timer = setInterval(() => {
      for (const n of gates.begun.splice(0)) gates.open(n);
    }, 1);
    await done;
    clearInterval(timer);
    expect(handled).toBe(300);
    expect(most).toBeLessThanOrEqual(concurrency + maxHeld);
    expect(most).toBeGreaterThanOrEqual(Math.min(concurrency, concurrency + maxHeld - 1));
  });

  test("a missing result holds the later ones, and then the calls", async () => {
    const source = counted(100);
    const gates = new Gates<number>();
    const running = pipeline(source.source, mapAsync(gates.call, { concurrency: 2, maxHeld: 3 }), collect());
    await turns();
    for (const n of range(1, 90)) {
      gates.open(n);
      await turns(1);
    }
    expect(gates.begun).toEqual([0, 1, 2, 3, 4]);
    expect(source.taken).toBe(5);
    gates.open(0);
    await turns();
    expect(gates.begun.length).toBeGreaterThan(5);
    const stopped = running.stop({ timeout: 0 });
    await turns();
    source.runtime.clock.advance(0);
    await stopped;
    expect((await running.done).slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("mapAsync: keys", () => {
  test("one at a time and in order for a key; a slow one holds no other", async () => {
    const source = counted(24);
    const gates = new Gates<number>();
    const { done } = pipeline(source.source, mapAsync(gates.call, { key: (n) => n % 3, concurrency: 3 }), collect());
    await turns();
    expect(gates.begun).toEqual([0, 1, 2]);
    for (const n of range(1, 23).filter((other) => other % 3 !== 0)) {
      gates.open(n);
      await turns(3);
    }
    // Key 0 is stuck at 0 while all others are done.
    expect(gates.begun.filter((n) => n % 3 === 0)).toEqual([0]);
    expect(gates.begun.length).toBe(17);
    for (const n of range(0, 7)) {
      gates.open(3 * n);
      await turns(3);
    }
    const all = await done;
    for (const key of [0, 1, 2]) expect(all.filter((n) => n % 3 === key)).toEqual(range(0, 7).map((n) => 3 * n + key));
  });

  test("reads on only while a slot is free, none can begin, and fewer than maxQueued wait", async () => {
    const source = counted(1000);
    const gates = new Gates<number>();
    const options = { key: () => "all", concurrency: 4, maxQueued: 10, maxHeld: 5 };
    const running = pipeline(source.source, mapAsync(gates.call, options), collect());
    await turns(10);
    expect(gates.begun).toEqual([0]);
    expect(source.taken).toBe(11);
    const stopped = running.stop({ timeout: 0 });
    await turns();
    source.runtime.clock.advance(0);
    await stopped;
    expect(await pipeline(source.source, take(2), collect()).done).toEqual([1, 2]);
  });

  test("keeps the order of each of many keys, that come and go", async () => {
    const all = range(0, 8999);
    const under = new Set<number>();
    const call = async (n: number): Promise<number> => {
      expect(under.has(n % 3000)).toBe(false);
      under.add(n % 3000);
      await turns(n % 3);
      under.delete(n % 3000);
      return n;
    };
    const got = await pipeline(all, mapAsync(call, { key: (n) => n % 3000, concurrency: 64 }), collect());
    expect(got.toSorted((a, b) => a - b)).toEqual(all);
    const places = new Map(got.map((n, place) => [n, place]));
    const placeOf = (n: number) => places.get(n) ?? Number.NaN;
    expect(all.filter((n) => n >= 3000 && placeOf(n) < placeOf(n - 3000))).toEqual([]);
  });

  test("a key function that throws fails the step with the event", async () => {
    const bad = new Error("no key");
    const source = counted(5);
    const key = (n: number) => {
      if (n === 2) throw bad;
      return n;
    };
    const { done } = pipeline(
      source.source,
      mapAsync(async (n: number) => n, { key }),
      collect(),
    );
    expect(await failureFrom(done)).toBe(bad);
    expect(failureOf(bad)).toMatchObject({ step: "mapAsync", index: 0, event: 2 });
    expect(failureOf(bad)?.events).toContain(2);
  });
});

const fails = async (n: number) => {
  if (n % 2 === 1) throw new Error(`odd ${n}`);
  return n;
};

describe("mapAsync: failures", () => {
  test("fails behind the results before; the rest that was begun is in events, and nothing waits for it", async () => {
    const source = counted(100);
    const gates = new Gates<number>();
    const got: number[] = [];
    const five = new Error("five");
    const running = pipeline(
      source.source,
      mapAsync(gates.signalled, { concurrency: 8, maxHeld: 8 }),
      forEach((n: number) => void got.push(n)),
    );
    await turns();
    for (const n of [0, 1, 2, 4, 6]) gates.open(n);
    await turns();
    gates.fail(5, five);
    expect(await failureFrom(running.done)).toBe(five);
    expect(got).toEqual([0, 1, 2]);
    const { events, event, step, stage } = failureOf(five)!;
    expect({ event, step, stage }).toMatchObject({
      event: 5,
      step: "mapAsync",
      stage: expect.stringMatching(/mapAsync$/),
    });
    expect(events).toEqual(gates.begun.filter((n) => n > 2));
    expect(gates.signals.get(3)?.reason).toBe(five);
    expect(failureOf(five)?.earlier).toBeUndefined();
    // Late results are dropped, late rejections reported, but for those that obey the signal.
    gates.open(7);
    gates.fail(3, five);
    gates.fail(8, "late");
    await turns();
    expect(source.reported).toEqual(["late"]);
    // What was not begun is there for the next consumer.
    const next = pipeline(source.source, take(3), collect());
    const first = gates.begun.length;
    expect(await next.done).toEqual([first, first + 1, first + 2]);
  });

  test("the first failure counts, once", async () => {
    const gates = new Gates<number>();
    const source = counted(3);
    const { done } = pipeline(source.source, mapAsync(gates.call), collect());
    await turns();
    gates.fail(1, new Error("first"));
    gates.fail(0, new Error("second"));
    expect(await failureFrom(done)).toMatchObject({ message: "first" });
    await turns();
    expect(source.reported).toMatchObject([{ message: "second" }]);
  });

  test("a function that throws at once fails it, too, and gives the rest of the batch back", async () => {
    const source = counted(20);
    const bad = new Error("bad");
    const step = mapAsync((n: number) => {
      if (n === 3) throw bad;
      return n;
    });
    const got: number[] = [];
    const { done } = pipeline(
      source.source,
      step,
      forEach((n: number) => void got.push(n)),
    );
    expect(await failureFrom(done)).toBe(bad);
    expect(got).toEqual([0, 1, 2]);
    expect(failureOf(bad)).toMatchObject({ event: 3, events: [3] });
    expect((await pipeline(source.source, take(2), collect()).done)[0]).toBe(4);
  });

  test("a failing source comes behind the results before it", async () => {
    const gates = new Gates<number>();
    const bad = new Error("source");
    const source = producer<number>({
      handleDemand: (_demand, stage) => {
        stage.fail(bad, { after: "buffer" });
        return [0, 1];
      },
    });
    const got: number[] = [];
    const { done } = pipeline(
      source,
      mapAsync(gates.call),
      forEach((n: number) => void got.push(n)),
    );
    const failed = failureFrom(done);
    await turns();
    gates.open(1);
    gates.open(0);
    expect(await failed).toBe(bad);
    expect(got).toEqual([0, 1]);
  });

  test("onFailure skips, tells of the first, or hands over, and is awaited", async () => {
    const source = counted(6);
    expect(await pipeline(source.source, mapAsync(fails, { onFailure: "skip" }), collect()).done).toEqual([0, 2, 4]);
    expect(source.reported).toMatchObject([{ message: "odd 1" }]);

    const dead: unknown[] = [];
    const onFailure = async ({ event, error, attempts }: { event: number; error: unknown; attempts: number }) => {
      await turns();
      dead.push([event, String(error), attempts]);
    };
    expect(await pipeline(counted(4).source, mapAsync(fails, { onFailure }), collect()).done).toEqual([0, 2]);
    expect(dead).toEqual([
      [1, "Error: odd 1", 1],
      [3, "Error: odd 3", 1],
    ]);

    const worse = new Error("worse");
    const throws = () => {
      throw worse;
    };
    const { done } = pipeline(counted(4).source, mapAsync(fails, { onFailure: throws }), collect());
    expect(await failureFrom(done)).toBe(worse);
    expect(failureOf(worse)?.event).toBe(1);
  });
});
