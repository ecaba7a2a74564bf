import { describe, expect, test } from "vitest";
import { collect, forEach, fromIterable, pipeline, rateLimit, rateLimiter, take } from "../../../src/index.ts";
import { range, turns } from "../../support/runtime.ts";
import { counted } from "./support.ts";

/** Moves the clock on, step by step, and lets everything happen in between. */
async function pass(clock: { advance(ms: number): void }, ms: number, step = 5): Promise<void> {
  for (let at = 0; at < ms; at += step) {
    await turns(6);
    clock.advance(step);
  }
  await turns(6);
}

/** In any stretch of `interval` there are at most `events`. */
function expectRate(at: readonly number[], events: number, interval: number): void {
  for (let i = events; i < at.length; i += 1) expect(at[i]! - at[i - events]!).toBeGreaterThanOrEqual(interval);
}

/** One number in four has the key 0; all others have one of their own. */
const key = (n: number) => (n % 4 === 0 ? 0 : n);

describe("rateLimit", () => {
  test("a strict sliding window; delays, never drops, and leaves no timer", async () => {
    const source = counted(20);
    const { clock } = source.runtime;
    const at: number[] = [];
    const got: number[] = [];
    const { done } = pipeline(
      source.source,
      rateLimit({ events: 3, interval: 50 }),
      forEach((n: number) => {
        got.push(n);
        at.push(clock.now());
      }),
    );
    await pass(clock, 400);
    await done;
    expect(got).toEqual(range(0, 19));
    expectRate(at, 3, 50);
    expect(at.at(-1)).toBe(300);
    expect(clock.pending).toBe(0);
  });

  test("takes one event ahead", async () => {
    const source = counted(20);
    const running = pipeline(source.source, rateLimit({ events: 2, interval: 50 }), collect());
    await turns(8);
    expect(source.taken).toBe(3);
    await running.stop();
    expect(source.runtime.clock.pending).toBe(0);
    expect(await running.done).toEqual([0, 1]);
    expect(await pipeline(source.source, take(2), collect()).done).toEqual([2, 3]);
  });

  test("a limiter is shared, first come, first served", async () => {
    const source = counted(6);
    const other = counted(6, source.runtime);
    const limiter = rateLimiter({ events: 1, interval: 10 });
    const at: number[] = [];
    const sink = () => forEach(() => void at.push(source.runtime.clock.now()));
    const both = [source, other].map((one) => pipeline(one.source, rateLimit(limiter), sink()).done);
    await pass(source.runtime.clock, 150);
    await Promise.all(both);
    expect(at.length).toBe(12);
    expectRate(at, 1, 10);
  });

  test("with key each key has its rate, others do not wait, and no more than maxQueued do", async () => {
    const source = counted(1000);
    const { clock } = source.runtime;
    const at = new Map<number, number[]>();
    const running = pipeline(
      source.source,
      rateLimit({ events: 1, interval: 100, key, maxQueued: 5 }),
      forEach((n: number) => void at.set(key(n), [...(at.get(key(n)) ?? []), clock.now()])),
    );
    await turns(100);
    // 0 has gone; 4, 8, 12, 16 and 20 wait, and then nothing is taken.
    expect(source.taken).toBe(21);
    expect(at.size).toBe(16);
    await pass(clock, 300);
    expectRate(at.get(0)!, 1, 100);
    expect(at.get(0)!.length).toBe(4);
    await running.stop();
    expect(clock.pending).toBe(0);
    const rest = await pipeline(source.source, collect()).done;
    expect(rest.length + [...at.values()].flat().length).toBe(1000);
    expect(rest).toEqual(rest.toSorted((a, b) => a - b));
  });

  test("drain goes on at the rate", async () => {
    const source = counted(1);
    const { runtime } = source;
    const stage = pipeline(fromIterable(range(0, 9), { runtime }), rateLimit({ events: 1, interval: 10 }));
    const got: number[] = [];
    const { done } = pipeline(
      stage,
      forEach((n: number) => void got.push(n)),
    );
    await turns(8);
    const drained = stage.drain();
    await pass(runtime.clock, 50);
    await drained;
    await done;
    expect(got).toEqual([0, 1]);
  });

  test.each([
    {},
    { events: 1 },
    { events: 0, interval: 1 },
    { events: 1, interval: 1, maxQueued: 2 },
    { events: 1, interval: 1, a: 1 },
  ])("refuses %o", (options) => {
    expect(() => rateLimit(options as never)).toThrow(/expected/);
    expect(() => rateLimiter(options as never)).toThrow(/expected/);
  });
});

describe("rateLimit with a key", () => {
  test("that throws fails with that; the events behind go back, and the one is told", async () => {
    const source = counted(10);
    const boom = new Error("no key");
    const running = pipeline(
      source.source,
      rateLimit({
        events: 1,
        interval: 10,
        key: (n: number) => {
          if (n === 1) throw boom;
          return n;
        },
      }),
      collect(),
    );
    expect(await running.done.catch((error: unknown) => error)).toBe(boom);
    expect([running.failure?.step, running.failure?.event]).toEqual(["rateLimit", 1]);
    expect(source.runtime.clock.pending).toBe(0);
  });

  test("gives back what waits when it is stopped", async () => {
    const source = counted(12);
    const running = pipeline(
      source.source,
      rateLimit({ events: 1, interval: 50, maxQueued: 8, key: () => "one" }),
      collect(),
    );
    await turns(20);
    expect(source.taken).toBeGreaterThan(1);
    await running.stop();
    const first = await running.done;
    expect(source.runtime.clock.pending).toBe(0);
    const rest = await pipeline(source.source, collect()).done;
    expect([...first, ...rest]).toEqual(range(0, 11));
  });

  test("forgets keys that have been silent, and delays none of the others", async () => {
    const source = counted(300);
    const running = pipeline(source.source, rateLimit({ events: 1, interval: 1, key: (n: number) => n }), collect());
    await pass(source.runtime.clock, 600, 3);
    expect(await running.done).toEqual(range(0, 299));
    expect(source.runtime.clock.pending).toBe(0);
  });
});
