import { describe, expect, test } from "vitest";
import {
  collect,
  type Discarded,
  failureOf,
  forEach,
  pipeline,
  type Producer,
  producer,
  queue,
  reopen,
  type ReopenOptions,
  type Retry,
  take,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { counted, failureFrom } from "../steps/support.ts";

const bad = new Error("bad");
const retry: Retry = { attempts: 3, delay: 10, jitter: "none" };

/** Opens queues, and remembers them. */
function made(options: ReopenOptions<number> = {}, how: Retry = retry) {
  const runtime = testRuntime();
  const opened: ReturnType<typeof queue<number>>[] = [];
  const attempts: number[] = [];
  const reported: unknown[] = [];
  const source = reopen<number>(
    (attempt) => {
      attempts.push(attempt);
      const one = queue<number>({ runtime });
      opened.push(one);
      return one;
    },
    how,
    { runtime, onReport: (error) => void reported.push(error), ...options },
  );
  const fail = async () => {
    opened.at(-1)?.fail(bad, { after: "buffer" });
    await turns();
  };
  const after = async (ms: number) => {
    runtime.clock.advance(ms);
    await turns();
  };
  return { source, opened, attempts, reported, clock: runtime.clock, fail, after };
}

describe("reopen", () => {
  test("opens a source that has failed again, behind a back-off; an event makes the next failure the first", async () => {
    const { source, opened, attempts, clock, fail, after } = made();
    await turns();
    expect(opened).toHaveLength(0);
    const got: number[] = [];
    const running = pipeline(
      source,
      forEach((n) => void got.push(n)),
    );
    await turns();
    expect(attempts).toEqual([1]);
    await fail();
    await after(9);
    expect(attempts).toEqual([1]);
    await after(1);
    await fail();
    await after(20);
    expect(attempts).toEqual([1, 2, 3]);
    opened[2]?.tryOffer(1);
    await turns();
    await fail();
    await after(10);
    expect(attempts).toEqual([1, 2, 3, 2]);
    opened[3]?.tryOffer(2);
    opened[3]?.complete();
    await running;
    expect([got, clock.pending]).toEqual([[1, 2], 0]);
  });

  test("fails with the last failure when no attempt is left, or when says so, behind the events before", async () => {
    for (const how of [{ attempts: 1 }, { attempts: 9, when: (error: unknown) => error !== bad }]) {
      const { source, opened, fail } = made({}, how);
      const got: number[] = [];
      const failed = failureFrom(
        pipeline(
          source,
          forEach((n) => void got.push(n)),
        ),
      );
      await turns();
      opened[0]?.tryOffer(1);
      await fail();
      expect([await failed, got]).toEqual([bad, [1]]);
    }
    const worse = new Error("worse");
    const when = () => {
      throw worse;
    };
    const { source, fail } = made({}, { attempts: 2, when });
    const failed = failureFrom(pipeline(source, collect()));
    await turns();
    await fail();
    expect(await failed).toBe(worse);
  });

  test("takes a promise of a source; a function that throws or rejects is tried again", async () => {
    const runtime = testRuntime();
    const open = (attempt: number): Promise<number[]> => {
      if (attempt === 1) throw bad;
      return attempt === 2 ? Promise.reject(bad) : Promise.resolve([1, 2]);
    };
    const running = pipeline(reopen(open, retry, { runtime }), collect());
    for (const ms of [10, 20]) {
      await turns();
      runtime.clock.advance(ms);
    }
    expect(await running).toEqual([1, 2]);
    const failed = await failureFrom(pipeline(reopen(open, { attempts: 1 }), collect()));
    expect([failed, failureOf(failed)?.callback]).toEqual([bad, "reopen"]);
    const wrong = reopen(() => 5 as never, retry);
    expect(await failureFrom(pipeline(wrong, collect()))).toMatchObject({ code: "ERR_NOT_SOURCE" });
  });

  test("asks the open source for what is wanted, and gives back what a consumer had not begun", async () => {
    const source = counted(1000);
    const told: Discarded[] = [];
    const over = reopen<number>(() => source.source, retry, {
      runtime: source.runtime,
      onDiscard: (discarded) => void told.push(discarded),
    });
    expect(await pipeline(over, take(10), collect())).toEqual(range(0, 9));
    const loop = reopen<number>(() => source.source, retry, { runtime: source.runtime }).events({ maxDemand: 8 });
    expect((await loop.next()).value).toBe(10);
    await loop.return?.();
    await turns();
    expect(told).toEqual([]);
    expect(source.taken).toBeLessThanOrEqual(20);
    expect((await pipeline(source.source, collect())).at(0)).toBe(11);
  });

  test("events of a source that has failed cannot go back, and are told", async () => {
    const told: number[] = [];
    const onDiscard = ({ events }: Discarded) => void told.push(...(events as readonly number[]));
    const { source, opened, fail, after } = made({ onDiscard });
    const loop = source.events()[Symbol.asyncIterator]();
    const first = loop.next();
    await turns();
    for (const n of range(1, 3)) opened[0]?.tryOffer(n);
    expect((await first).value).toBe(1);
    await fail();
    await after(10);
    await loop.return?.();
    await turns();
    expect([told, source.state, opened[1]?.state]).toEqual([[2, 3], "stopped", "stopped"]);
  });

  test("what two consumers had not begun cannot be told apart, and is told", async () => {
    const told: number[] = [];
    const onDiscard = ({ events }: Discarded) => void told.push(...(events as readonly number[]));
    const { source, opened } = made({ onDiscard });
    const loops = [0, 1].map(() => source.events({ maxDemand: 4, minDemand: 0 })[Symbol.asyncIterator]());
    const firsts = loops.map((loop) => loop.next());
    await turns();
    for (const n of range(1, 8)) opened[0]?.tryOffer(n);
    const got: unknown[] = [];
    for (const one of firsts) got.push((await one).value);
    for (const loop of loops) await loop.return?.();
    await turns();
    expect([...got, ...told].length).toBe(8);
    expect(source.state).toBe("stopped");
  });

  test("an abort leaves the open source", async () => {
    const controller = new AbortController();
    const { source, opened } = made({ signal: controller.signal });
    const failed = failureFrom(pipeline(source, collect()));
    await turns();
    opened[0]?.tryOffer(1);
    controller.abort(bad);
    expect(await failed).toBe(bad);
    await turns();
    expect(opened[0]?.state).toBe("stopped");
  });

  test("a stop ends a wait at once, and leaves the open source", async () => {
    const { source, attempts, clock, opened, fail } = made();
    const running = pipeline(source, collect());
    await turns();
    await fail();
    expect(clock.pending).toBe(1);
    await source.stop();
    expect([await running, clock.pending, attempts]).toEqual([[], 0, [1]]);
    const other = made();
    const second = pipeline(other.source, collect());
    await turns();
    await other.source.stop();
    await turns();
    expect([await second, other.opened[0]?.state, opened.length]).toEqual([[], "stopped", 1]);
  });

  test("drain drains the open source if it ends with it, and leaves another", async () => {
    const { source, opened, reported } = made();
    const running = pipeline(source, collect());
    await turns();
    const [one] = opened as [ReturnType<typeof queue<number>>];
    one.tryOffer(1);
    await running.drain();
    expect([await running, one.state, await one.offer(2)]).toEqual([[1], "completed", false]);

    const shared = counted(3000);
    const over = reopen<number>(() => shared.source, retry, { runtime: shared.runtime });
    const loop = over.events({ maxDemand: 2 })[Symbol.asyncIterator]();
    expect((await loop.next()).value).toBe(0);
    const drained = over.drain();
    const rest: unknown[] = [];
    for (let next = await loop.next(); !next.done; next = await loop.next()) rest.push(next.value);
    await drained;
    expect(rest).toEqual(range(1, rest.length));
    expect(shared.source.state).toBe("running");
    expect((await pipeline(shared.source, take(1), collect())).at(0)).toBe(rest.length + 1);
    expect(reported).toEqual([]);
  });

  test("a drain during a back-off completes, and reports the failure; one in a drain is the source's", async () => {
    const { source, clock, reported, fail } = made();
    const running = pipeline(source, collect());
    await turns();
    await fail();
    await source.drain();
    expect([await running, clock.pending, reported]).toEqual([[], 0, [bad]]);

    const runtime = testRuntime();
    const inner = producer<number>(
      { handleDemand: () => {}, handleEnd: () => Promise.reject(bad) },
      { runtime, onLastCancel: "stop" },
    );
    const over = reopen<number>(() => inner, retry, { runtime });
    const failed = failureFrom(pipeline(over, collect()));
    await turns();
    expect(await failureFrom(over.drain())).toBe(bad);
    expect(await failed).toBe(bad);
  });

  test("leaves a source that is opened too late", async () => {
    for (const end of ["stop", "drain"] as const) {
      const runtime = testRuntime();
      const late = queue<number>({ runtime });
      let closed = 0;
      const iterable = {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: true as const, value: undefined }),
          return: () => {
            closed += 1;
            return Promise.resolve({ done: true as const, value: undefined });
          },
        }),
      };
      const stopped = queue<number>();
      await stopped.stop();
      const reported: unknown[] = [];
      for (const given of [late, iterable, [1], stopped, bad]) {
        const gate = Promise.withResolvers<Producer<number>>();
        const source = reopen<number>(() => gate.promise, retry, {
          runtime,
          onReport: (error) => void reported.push(error),
        });
        const running = pipeline(source, collect());
        await turns();
        await source[end]();
        expect(await running).toEqual([]);
        if (given === bad) gate.reject(bad);
        else gate.resolve(given as Producer<number>);
        await turns();
      }
      expect([late.state, closed]).toEqual(["stopped", 1]);
      expect(reported).toMatchObject([{ code: "ERR_STOPPED" }, bad]);
    }
  });

  test("refuses what is no function, no retry and no option", () => {
    expect(() => reopen(5 as never, retry)).toThrow(/expected reopen to take a function/);
    for (const how of [{}, { attempts: 0 }, { attempts: 1, wait: 1 }, undefined])
      expect(() => reopen(() => [], how as never)).toThrow(/expected/);
    expect(() => reopen(() => [], retry, { overflow: "throw" })).toThrow(/expected/);
  });
});
