import { describe, expect, test } from "vitest";
import {
  collect,
  type Discarded,
  failureOf,
  forEach,
  fromIterable,
  mapAsync,
  pipeline,
  take,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { counted, failureFrom, Gates, staged } from "./support.ts";

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

  test("nothing of an event that is done is left to a later one", async () => {
    const bad = new Error("bad");
    const signals: AbortSignal[] = [];
    const attempts: string[] = [];
    const handed: number[] = [];
    const fn = async (n: number, { attempt, signal }: { attempt: number; signal: AbortSignal }) => {
      signals.push(signal);
      attempts.push(`${n}/${attempt}`);
      if (n === 1 && attempt === 2) return n;
      if (n === 0 || n === 1 || n === 4) throw bad;
      return n;
    };
    const onFailure = ({ event, error }: { event: number; error: unknown }) => {
      if (event === 4) throw error;
      handed.push(event);
    };
    const retry = { attempts: 2, delay: 0, jitter: "none" as const };
    const { source, runtime } = counted(5);
    const { done } = pipeline(source, mapAsync(fn, { concurrency: 1, retry, onFailure }), collect());
    const failed = failureFrom(done);
    for (let i = 0; i < 10; i += 1) {
      await turns();
      runtime.clock.advance(0);
    }
    const error = await failed;
    expect(error).toBe(bad);
    expect(failureOf(error)?.events).toEqual([4]);
    expect(attempts).toEqual(["0/1", "0/2", "1/1", "1/2", "2/1", "3/1", "4/1", "4/2"]);
    expect(handed).toEqual([0]);
    expect(signals.filter(({ aborted }) => aborted)).toEqual([]);
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
