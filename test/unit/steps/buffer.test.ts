import { describe, expect, test } from "vitest";
import {
  buffer,
  collect,
  type Discarded,
  failureOf,
  forEach,
  fromIterable,
  latest,
  OverflowError,
  pipeline,
  producer,
  take,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { counted, failureFrom, fed, slow } from "./support.ts";

describe("buffer", () => {
  test("hold: takes `size` ahead of what is wanted, and no more", async () => {
    const source = counted(100);
    const stage = pipeline(source.source, buffer({ size: 10, overflow: "hold" }));
    expect(source.taken).toBe(0);
    const loop = stage.events({ maxDemand: 1 })[Symbol.asyncIterator]();
    for (let n = 0; n < 30; n += 1) {
      expect((await loop.next()).value).toBe(n);
      await turns(2);
      // One is in front of the loop.
      expect(source.taken).toBeLessThanOrEqual(n + 1 + 10 + 1);
      expect(source.taken).toBeGreaterThan(n + 5);
    }
    await loop.return?.();
    await turns();
    expect(await pipeline(source.source, take(3), collect()).done).toEqual([30, 31, 32]);
  });

  test.each(["drop-oldest", "drop-newest"] as const)(
    "%s: the source never waits, what does not fit is told",
    async (overflow) => {
      const { source, clock: _ } = fed();
      const dropped: Discarded<number>[] = [];
      const { got, sink, next } = slow<number>();
      const onDiscard = (d: Discarded<number>) => void dropped.push(d);
      const { done } = pipeline(source, buffer<number>({ size: 3, overflow, onDiscard }), sink);
      await turns();
      for (const n of range(1, 20)) {
        source.push([n]);
        await turns();
      }
      expect(source.bufferedCount).toBe(0);
      source.complete();
      for (let i = 0; i < 12; i += 1) await next();
      await done;
      expect(got.length + dropped.flatMap(({ events }) => events).length).toBe(20);
      // Three have gone on: one is in hand, two are in front of it.
      const expected = overflow === "drop-oldest" ? [...range(1, 3), 18, 19, 20] : range(1, 6);
      expect(got).toEqual(expected);
      expect(new Set(dropped.map(({ cause }) => cause))).toEqual(new Set(["overflow"]));
    },
  );

  test("fail: the step fails with what did not fit; the rest goes back", async () => {
    const { source } = fed();
    const { got, sink, next } = slow<number>();
    const { done } = pipeline(source, buffer<number>({ size: 2, overflow: "fail" }), sink);
    const failed = failureFrom(done);
    await turns();
    for (const n of range(1, 8)) {
      source.push([n]);
      await turns(2);
    }
    for (let i = 0; i < 6; i += 1) await next();
    const error = (await failed) as OverflowError;
    expect(error).toBeInstanceOf(OverflowError);
    expect(error.rejected).toEqual(failureOf(error)?.events);
    expect(failureOf(error)).toMatchObject({ step: "buffer", index: 0 });
    expect(error.rejected.length).toBe(1);
    source.complete();
    const rest = await pipeline(source, collect()).done;
    expect(rest).toEqual(rest.toSorted((a, b) => a - b));
    expect([...got, ...(error.rejected as number[]), ...rest].toSorted((a, b) => a - b)).toEqual(range(1, 8));
    expect(rest.length).toBeGreaterThan(2);
  });

  test("delivers what it holds at the end, at drain, and in front of a failure", async () => {
    expect(await pipeline(counted(50).source, buffer({ size: 100, overflow: "hold" }), collect()).done).toEqual(
      range(0, 49),
    );
    const stage = pipeline(
      fromIterable(range(0, 99), { runtime: testRuntime() }),
      buffer({ size: 9, overflow: "hold" }),
    );
    const got: number[] = [];
    const { done } = pipeline(
      stage,
      forEach((n: number) => void got.push(n)),
    );
    await turns(0);
    await stage.drain();
    await done;
    expect(got).toEqual(range(0, got.length - 1));
    const bad = new Error("source");
    const failing = producer<number>({
      handleDemand: (_demand, self) => {
        self.fail(bad, { after: "buffer" });
        return [0, 1];
      },
    });
    const all: number[] = [];
    const second = pipeline(
      failing,
      buffer({ size: 5, overflow: "hold" }),
      forEach((n: number) => void all.push(n)),
    );
    expect(await failureFrom(second.done)).toBe(bad);
    expect(all).toEqual([0, 1]);
  });

  test("a stop gives what is held back, in order", async () => {
    const source = counted(3000);
    const { sink, got } = slow<number>();
    const running = pipeline(source.source, buffer({ size: 4, overflow: "hold" }), sink);
    await turns();
    void running.stop({ timeout: 0 });
    await turns();
    source.runtime.clock.advance(0);
    await turns();
    expect(got).toEqual([0]);
    expect(await pipeline(source.source, collect()).done).toEqual(range(1, 2999));
  });

  test("F-54 latest keeps the newest, with one in front of the consumer", async () => {
    const { source } = fed();
    const { got, sink, next } = slow<number>();
    const { done } = pipeline(source, latest<number>(), sink);
    await turns();
    for (const n of range(1, 9)) {
      source.push([n]);
      await turns();
    }
    source.complete();
    for (let i = 0; i < 5; i += 1) await next();
    await done;
    expect(got).toEqual([1, 9]);
  });

  test("latest drops nothing for a consumer that keeps up", async () => {
    expect(await pipeline(counted(20).source, latest(), collect()).done).toEqual(range(0, 19));
  });

  test.each([
    {},
    { size: 1 },
    { size: 0, overflow: "hold" },
    { size: 1, overflow: "throw" },
    { size: 1, overflow: "hold", x: 1 },
  ])("refuses %o", (options) => {
    expect(() => buffer(options as never)).toThrow(/expected/);
  });
});
