import { describe, expect, test } from "vitest";
import {
  collect,
  consumer,
  type Discarded,
  failureOf,
  pipeline,
  poll,
  type PollContext,
  type PollOptions,
  take,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { failureFrom } from "../steps/support.ts";

type Call = PollContext & PromiseWithResolvers<readonly number[] | undefined>;

/** A poll whose calls are answered by the test. */
function made(options: PollOptions<number> = {}) {
  const calls: Call[] = [];
  const told: Discarded[] = [];
  const reported: unknown[] = [];
  const runtime = testRuntime();
  const source = poll<number>(
    (context) => {
      const call = Object.assign(Object.create(context) as PollContext, Promise.withResolvers<readonly number[]>());
      calls.push(call as Call);
      return call.promise;
    },
    {
      runtime,
      onDiscard: (discarded) => void told.push(discarded),
      onReport: (error) => void reported.push(error),
      ...options,
    },
  );
  const answer = async (events: readonly number[] | undefined) => {
    calls.at(-1)?.resolve(events);
    await turns();
  };
  const fail = async (error: unknown) => {
    calls.at(-1)?.reject(error);
    await turns();
  };
  return { source, calls, told, reported, clock: runtime.clock, answer, fail };
}

describe("poll", () => {
  test("calls while events are wanted, one call at a time, and waits only behind an empty result", async () => {
    const { source, calls, clock, answer } = made({ interval: 100 });
    await turns();
    expect(calls).toHaveLength(0);
    const loop = source.events({ maxDemand: 4, minDemand: 0 })[Symbol.asyncIterator]();
    const first = loop.next();
    await turns();
    expect(calls.map(({ demand }) => demand)).toEqual([4]);
    await answer([1]);
    expect([(await first).value, calls.length, calls[1]?.demand, clock.pending]).toEqual([1, 2, 3, 0]);
    await answer([]);
    expect([calls.length, clock.pending]).toEqual([2, 1]);
    clock.advance(99);
    await turns();
    expect(calls).toHaveLength(2);
    clock.advance(1);
    await turns();
    expect(calls).toHaveLength(3);
    await answer(undefined);
    clock.advance(100);
    await turns();
    await answer([2, 3, 4]);
    expect(calls).toHaveLength(4);
    for (const n of [2, 3, 4]) expect((await loop.next()).value).toBe(n);
    await turns();
    expect(calls).toHaveLength(4);
    const next = loop.next();
    await turns();
    expect([calls.length, calls[4]?.demand]).toEqual([5, 4]);
    await answer([5]);
    expect((await next).value).toBe(5);
  });

  test("holds what is more than was asked for", async () => {
    const { source, calls, answer } = made();
    const loop = source.events({ maxDemand: 1 })[Symbol.asyncIterator]();
    const first = loop.next();
    await turns();
    await answer(range(1, 5));
    expect([(await first).value, calls.length, source.bufferedCount]).toEqual([1, 1, 4]);
    for (const n of range(2, 5)) expect((await loop.next()).value).toBe(n);
    await turns();
    expect(calls).toHaveLength(1);
    void loop.next();
    await turns();
    expect(calls).toHaveLength(2);
  });

  test("takes what a function returns at once, in turns", async () => {
    let n = 0;
    const source = poll(({ demand }) => range(n + 1, (n += Math.min(demand, 3))));
    expect(await pipeline(source, take(10), collect())).toEqual(range(1, 10));
  });

  test("a stop ends a wait at once", async () => {
    const { source, clock, answer } = made();
    const rest = pipeline(source, collect());
    await turns();
    await answer([]);
    expect(clock.pending).toBe(1);
    await source.stop();
    expect([await rest.done, clock.pending, source.state]).toEqual([[], 0, "stopped"]);
  });

  test("a stop aborts the signal of a call, waits for it, and tells what it returns all the same", async () => {
    const { source, calls, told, reported, answer } = made();
    const { done } = pipeline(source, collect());
    await turns();
    const { signal } = calls[0] as Call;
    expect(signal.aborted).toBe(false);
    let stopped = false;
    void source.stop().then(() => (stopped = true));
    await turns();
    expect([signal.aborted, stopped]).toEqual([true, false]);
    await answer([1, 2]);
    expect([stopped, await done, told.flatMap(({ events }) => events)]).toEqual([true, [], [1, 2]]);
    expect(reported).toEqual([]);
  });

  test("a call that returns nothing after a stop is waited for, and no other made", async () => {
    const { source, calls, clock, answer } = made();
    const { done } = pipeline(source, collect());
    await turns();
    const stopped = source.stop();
    await turns();
    await answer([]);
    await stopped;
    expect([await done, calls.length, clock.pending]).toEqual([[], 1, 0]);
  });

  test("makes no call for a consumer that has left meanwhile", async () => {
    const controller = new AbortController();
    let calls = 0;
    const source = poll<number>(
      () => {
        calls += 1;
        if (calls === 2) controller.abort(new Error("enough"));
        return [calls];
      },
      { signal: controller.signal, runtime: testRuntime(), onDiscard: () => {} },
    );
    expect(await failureFrom(pipeline(source, collect()))).toMatchObject({ message: "enough" });
    expect(calls).toBe(2);
  });

  test("a call that gives up because of its signal is no failure; another failure is reported", async () => {
    const other = new Error("other");
    for (const kind of ["reason", "AbortError", "other"]) {
      const { source, calls, told, reported, fail } = made({ retry: { attempts: 5 } });
      const { done } = pipeline(source, collect());
      await turns();
      const { signal } = calls[0] as Call;
      const stopped = source.stop();
      await turns();
      await fail(kind === "reason" ? signal.reason : kind === "other" ? other : new DOMException("", "AbortError"));
      await stopped;
      expect([await done, told, reported, calls.length]).toEqual([[], [], kind === "other" ? [other] : [], 1]);
    }
  });

  test("a call that gives up before the stop has its turn is no failure either", async () => {
    const runtime = testRuntime();
    const abort = () => controller.abort();
    const controller = new AbortController();
    const source = poll<number>(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        }),
      { runtime, signal: controller.signal },
    );
    const loop = source[Symbol.asyncIterator]().next();
    await turns();
    void source.stop();
    expect((await loop).done).toBe(true);
    abort();
    await source.done;
  });

  test("drain lets a call finish, and ends a wait", async () => {
    const { source, calls, answer } = made();
    const { done } = pipeline(source, collect());
    await turns();
    const drained = source.drain();
    await turns();
    expect(calls[0]?.signal.aborted).toBe(false);
    await answer([1, 2]);
    await drained;
    expect([await done, calls.length]).toEqual([[1, 2], 1]);

    const waiting = made();
    const second = pipeline(waiting.source, collect());
    await turns();
    await waiting.answer([]);
    await waiting.source.drain();
    expect([await second.done, waiting.clock.pending]).toEqual([[], 0]);
    const early = made();
    const third = pipeline(early.source, collect());
    void early.source.drain();
    expect([await third.done, early.calls.length]).toEqual([[], 0]);
  });

  test("tries again what has failed, behind a back-off, and begins anew behind a success", async () => {
    const retry = { attempts: 3, delay: 10, jitter: "none" } as const;
    const { source, calls, clock, answer, fail } = made({ retry });
    const loop = source[Symbol.asyncIterator]();
    const first = loop.next();
    await turns();
    const bad = new Error("bad");
    await fail(bad);
    clock.advance(10);
    await turns();
    await fail(bad);
    clock.advance(19);
    await turns();
    expect(calls).toHaveLength(2);
    clock.advance(1);
    await turns();
    await answer([1]);
    expect((await first).value).toBe(1);
    const failed = failureFrom(loop.next());
    for (const ms of [10, 20]) {
      await fail(bad);
      clock.advance(ms);
      await turns();
    }
    expect(calls).toHaveLength(6);
    await fail(bad);
    expect(await failed).toBe(bad);
    expect(failureOf(bad)).toMatchObject({ callback: "poll", stage: source.name });
  });

  test("fails with what it cannot try again, behind the events before", async () => {
    const bad = new Error("bad");
    const when = (error: unknown) => error !== bad;
    for (const retry of [undefined, { attempts: 9, when }]) {
      const { source, calls, answer, fail } = made(retry && { retry });
      const { done } = pipeline(source, collect());
      const failed = failureFrom(done);
      await turns();
      await answer([1]);
      await fail(bad);
      expect([await failed, calls.length]).toEqual([bad, 2]);
    }
    const worse = new Error("worse");
    const thrown = () => {
      throw bad;
    };
    const whenThrows = () => {
      throw worse;
    };
    expect(await failureFrom(pipeline(poll(thrown), collect()))).toBe(bad);
    const hopeless = poll(thrown, { retry: { attempts: 2, when: whenThrows } });
    expect(await failureFrom(pipeline(hopeless, collect()))).toBe(worse);
    expect(
      await failureFrom(
        pipeline(
          poll(() => 5 as never),
          collect(),
        ),
      ),
    ).toMatchObject({ code: "ERR_RESULT" });
  });

  test("a drain during a back-off, or a last failure in one, is reported", async () => {
    const bad = new Error("bad");
    const retry = { attempts: 3, delay: 10 };
    const { source, clock, reported, fail } = made({ retry });
    const { done } = pipeline(source, collect());
    await turns();
    await fail(bad);
    await source.drain();
    expect([await done, clock.pending, reported]).toEqual([[], 0, [bad]]);

    const other = made({ retry });
    const second = pipeline(other.source, collect());
    await turns();
    const drained = other.source.drain();
    await turns();
    await other.fail(bad);
    await drained;
    expect([await second.done, other.reported]).toEqual([[], [bad]]);
  });

  test("an invalid result that comes too late is reported", async () => {
    const { source, reported, answer } = made();
    const { done } = pipeline(source, collect());
    await turns();
    const stopped = source.stop();
    await turns();
    await answer(7 as never);
    await stopped;
    expect([await done, reported]).toMatchObject([[], [{ code: "ERR_RESULT" }]]);
  });

  test("asks anew for those who stay when a consumer leaves", async () => {
    const { source, calls, answer } = made({ onLastCancel: "continue" });
    const loop = source.events({ maxDemand: 5 })[Symbol.asyncIterator]();
    void loop.next();
    await turns();
    await loop.return?.();
    await answer([1]);
    expect([calls.length, source.bufferedCount]).toEqual([1, 1]);
    const next = source.events({ maxDemand: 2 })[Symbol.asyncIterator]().next();
    expect((await next).value).toBe(1);
    await turns();
    expect(calls[1]?.demand).toBe(1);
  });

  test("an ask for Infinity wants ten thousand at a time", async () => {
    const { source, calls, answer } = made();
    const got: number[] = [];
    const sink = consumer<number>({
      handleSubscribe: (_role, subscription) => subscription.ask(Number.POSITIVE_INFINITY),
      handleEvents: (events) => void got.push(...events),
    });
    sink.subscribe(source, { demand: "manual" });
    await turns();
    await answer([1]);
    await answer([2]);
    expect([got, calls.map(({ demand }) => demand)]).toEqual([
      [1, 2],
      [10_000, 10_000, 10_000],
    ]);
    await answer([]);
    await source.stop();
    await sink.done;
  });

  test("refuses what is no function, and no option", () => {
    expect(() => poll(5 as never)).toThrow(/expected poll to take a function/);
    for (const options of [{ interval: -1 }, { retry: {} }, { every: 1 }, { overflow: "throw" }, null])
      expect(() => poll(() => [], options as never)).toThrow(/expected/);
  });
});
