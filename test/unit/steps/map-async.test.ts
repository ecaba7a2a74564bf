import { describe, expect, test } from "vitest";
import {
  collect,
  type Discarded,
  failureOf,
  forEach,
  fromIterable,
  map,
  mapAsync,
  pipeline,
  producer,
  take,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { counted, failureFrom, Gates, staged } from "./support.ts";

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

describe("mapAsync: attempts", () => {
  test("a failed call is made again, on the clock, with a growing delay, and keeps its slot and key", async () => {
    const source = counted(2);
    const { clock } = source.runtime;
    const at: string[] = [];
    const fn = async (n: number, { attempt }: { attempt: number }) => {
      at.push(`${n}/${attempt}@${clock.now()}`);
      if (n === 0 && attempt < 4) throw new Error("again");
      return n;
    };
    const retry = { attempts: 5, delay: 10, maxDelay: 25, jitter: "none" as const };
    const { done } = pipeline(source.source, mapAsync(fn, { concurrency: 4, key: () => "one", retry }), collect());
    for (let i = 0; i < 7; i += 1) {
      await turns();
      clock.advance(10);
    }
    expect(await done).toEqual([0, 1]);
    expect(at.slice(0, 4)).toEqual(["0/1@0", "0/2@10", "0/3@30", "0/4@55"]);
    expect(at[4]).toMatch(/^1\/1@/);
    expect(clock.pending).toBe(0);
  });

  test("`when` says whether it is worth it; what it throws fails the step", async () => {
    const attempts: number[] = [];
    const fn = async (_: number, { attempt }: { attempt: number }) => {
      attempts.push(attempt);
      throw new Error(`no ${attempt}`);
    };
    const first = counted(1);
    const seen: unknown[] = [];
    const when = (error: unknown, attempt: number) => {
      seen.push([String(error), attempt]);
      return attempt === 1;
    };
    const { done } = pipeline(first.source, mapAsync(fn, { retry: { attempts: 9, when } }), collect());
    const failed = failureFrom(done);
    await turns();
    first.runtime.clock.advance(0);
    expect(await failed).toMatchObject({ message: "no 2" });
    expect(seen).toEqual([
      ["Error: no 1", 1],
      ["Error: no 2", 2],
    ]);
    const source = counted(1);
    const odd = new Error("when");
    const { done: second } = pipeline(
      source.source,
      mapAsync(fn, {
        retry: {
          attempts: 2,
          when: () => {
            throw odd;
          },
        },
      }),
      collect(),
    );
    expect(await failureFrom(second)).toBe(odd);
    expect(source.reported).toMatchObject([{ message: "no 1" }]);
    expect(attempts).toEqual([1, 2, 1]);
  });

  test("a timeout is per attempt, frees the slot at once, and aborts its signal", async () => {
    const source = counted(2);
    const { clock } = source.runtime;
    const gates = new Gates<number>();
    const signals: AbortSignal[] = [];
    const fn = (n: number, attempt: { signal: AbortSignal; attempt: number }) => {
      signals.push(attempt.signal);
      return n === 0 && attempt.attempt === 1 ? gates.call(n) : Promise.resolve(n);
    };
    const running = pipeline(
      source.source,
      mapAsync(fn, { concurrency: 1, timeout: 50, retry: { attempts: 2 } }),
      collect(),
    );
    await turns();
    clock.advance(50);
    expect(signals[0]?.reason).toMatchObject({ code: "ERR_TIMEOUT", name: "TimeoutError" });
    await turns();
    clock.advance(0);
    expect(await running.done).toEqual([0, 1]);
    gates.fail(0, "late");
    await turns();
    expect(source.reported).toEqual(["late"]);
    expect(clock.pending).toBe(0);
  });

  test("a timeout fails the step with its code and its event; no timer is left", async () => {
    const source = counted(3);
    const gates = new Gates<number>();
    const { done } = pipeline(source.source, mapAsync(gates.call, { timeout: 50 }), collect());
    const failed = failureFrom(done);
    await turns();
    gates.open(0);
    await turns();
    source.runtime.clock.advance(50);
    const error = await failed;
    expect(error).toMatchObject({ code: "ERR_TIMEOUT", message: expect.stringContaining("attempt 1 of mapAsync") });
    expect(failureOf(error)).toMatchObject({ event: 1, events: [1, 2] });
    expect(source.runtime.clock.pending).toBe(0);
  });

  test("a rate is kept by attempts: a strict window, and no timer is left", async () => {
    const source = counted(5);
    const { clock } = source.runtime;
    const at: number[] = [];
    const fn = async (n: number, { attempt }: { attempt: number }) => {
      at.push(clock.now());
      if (n === 0 && attempt === 1) throw new Error("once");
      return n;
    };
    const options = { rate: { events: 2, interval: 100 }, retry: { attempts: 2 } };
    const { done } = pipeline(source.source, mapAsync(fn, options), collect());
    for (let i = 0; i < 30; i += 1) {
      await turns();
      clock.advance(10);
    }
    expect(await done).toEqual([0, 1, 2, 3, 4]);
    expect(at).toEqual([0, 0, 100, 100, 200, 200]);
    expect(clock.pending).toBe(0);
  });

  test("what waits for its first permit goes back at a stop; what waits for another attempt is told", async () => {
    const source = counted(9);
    const discarded: Discarded[] = [];
    const bad = new Error("bad");
    const fn = async (n: number) => {
      if (n === 1) throw bad;
      return n;
    };
    const running = pipeline(
      source.source,
      mapAsync(fn, {
        rate: { events: 2, interval: 100 },
        retry: { attempts: 2, delay: 5, jitter: "none" },
        onDiscard: (d) => void discarded.push(d),
      }),
      collect(),
    );
    await turns();
    await running.stop();
    expect(await running.done).toEqual([0]);
    expect(discarded.flatMap(({ events }) => events)).toEqual([1]);
    expect(source.reported).toEqual([bad]);
    expect(source.runtime.clock.pending).toBe(0);
    expect(await pipeline(source.source, collect()).done).toEqual(range(2, 8));
  });
});

describe("mapAsync: ends", () => {
  test("a stop waits for calls under way, tells their results, and gives the rest back", async () => {
    const source = counted(50);
    const gates = new Gates<number>();
    const discarded: Discarded[] = [];
    const running = pipeline(
      source.source,
      mapAsync(gates.signalled, { concurrency: 3, onDiscard: (d) => void discarded.push(d) }),
      collect(),
    );
    await turns();
    let stopped = false;
    const stop = running.stop().then(() => (stopped = true));
    await turns();
    expect(stopped).toBe(false);
    expect([...gates.signals.values()].some(({ aborted }) => aborted)).toBe(false);
    for (const n of [2, 0, 1]) gates.open(n, 10 * n);
    await stop;
    expect(discarded.flatMap(({ events }) => events)).toEqual(expect.arrayContaining([0, 10, 20]));
    expect(discarded[0]).toMatchObject({ cause: "stop", stage: expect.stringMatching(/mapAsync$/) });
    expect(await running.done).toEqual([]);
    expect(await pipeline(source.source, take(2), collect()).done).toEqual([3, 4]);
  });

  test("signals abort when the stop's timeout is over; what was begun is told", async () => {
    const source = counted(50);
    const gates = new Gates<number>();
    const discarded: Discarded[] = [];
    const running = pipeline(
      source.source,
      mapAsync(gates.signalled, { concurrency: 3, onDiscard: (d) => void discarded.push(d) }),
      collect(),
    );
    await turns();
    const stop = running.stop({ timeout: 100 });
    await turns();
    source.runtime.clock.advance(99);
    await turns();
    expect(gates.signals.get(0)?.aborted).toBe(false);
    source.runtime.clock.advance(1);
    await stop;
    expect(gates.signals.get(0)?.aborted).toBe(true);
    expect(discarded.flatMap(({ events }) => events)).toEqual([0, 1, 2]);
    expect(source.runtime.clock.pending).toBe(0);
  });

  test("a consumer that has had enough ends it at once", async () => {
    const source = counted(50);
    const gates = new Gates<number>();
    const { done } = pipeline(source.source, mapAsync(gates.signalled, { concurrency: 3 }), take(1), collect());
    await turns();
    gates.open(0);
    expect(await done).toEqual([0]);
    await turns();
    expect(gates.signals.get(1)?.aborted).toBe(true);
    const rest = await pipeline(source.source, take(1), collect()).done;
    expect(rest[0]).toBeLessThanOrEqual(gates.begun.length);
  });

  test("take in front: asks for no more", async () => {
    const source = counted(50);
    const gates = new Gates<number>();
    const { done } = pipeline(source.source, take(2), mapAsync(gates.call), collect());
    await turns();
    expect(source.taken).toBe(2);
    gates.open(1);
    gates.open(0);
    expect(await done).toEqual([0, 1]);
  });

  test("an abort waits for nothing, tells what was begun, and writes no record", async () => {
    const source = counted(50);
    const gates = new Gates<number>();
    const controller = new AbortController();
    const discarded: Discarded[] = [];
    const step = mapAsync(gates.signalled, { concurrency: 3, onDiscard: (d) => void discarded.push(d) });
    const stage = staged(step, { runtime: source.runtime, signal: controller.signal });
    stage.subscribe(source.source);
    const { done } = pipeline(stage, collect());
    await turns();
    const failed = failureFrom(done);
    gates.open(1);
    await turns();
    const reason = new Error("abort");
    controller.abort(reason);
    expect(gates.signals.get(0)?.reason).toBe(reason);
    expect(await failed).toBe(reason);
    expect(stage.failure).toBeUndefined();
    expect(discarded.flatMap(({ events }) => events)).toEqual([1, 0, 2, 3]);
    expect(new Set(discarded.map(({ cause }) => cause))).toEqual(new Set(["abort"]));
    gates.open(0);
    await turns();
    expect(discarded.flatMap(({ events }) => events).length).toBe(4);
    expect(await pipeline(source.source, take(1), collect()).done).toEqual([4]);
  });

  test("drain delivers all that was taken", async () => {
    const gates = new Gates<number>();
    const source = fromIterable(range(0, 49), { runtime: testRuntime() });
    const step = pipeline(source, mapAsync(gates.call, { concurrency: 2, maxHeld: 2 }));
    const got: number[] = [];
    const { done } = pipeline(
      step,
      forEach((n: number) => void got.push(n)),
    );
    await turns();
    const drained = step.drain();
    for (let i = 0; i < 30; i += 1) {
      await turns(1);
      for (const n of gates.begun) gates.open(n);
    }
    await drained;
    await done;
    expect(got).toEqual(gates.begun);
    expect(got.length).toBeGreaterThanOrEqual(2);
  });
});
