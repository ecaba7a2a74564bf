import { describe, expect, test } from "vitest";
import { collect, forEach, pipeline, take, ticks } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

describe("ticks", () => {
  test("counts intervals since it was first asked", async () => {
    const runtime = testRuntime();
    const { clock } = runtime;
    const source = ticks(10, { runtime });
    await turns();
    clock.advance(25);
    expect(clock.pending).toBe(0);
    const got: (readonly [number, number])[] = [];
    const running = pipeline(
      source,
      take(3),
      forEach((n) => void got.push([n, clock.now()])),
    );
    await turns();
    for (let i = 0; i < 40; i += 1) {
      clock.advance(1);
      await turns(1);
    }
    await running;
    expect(got).toEqual([
      [0, 35],
      [1, 45],
      [2, 55],
    ]);
    expect(clock.pending).toBe(0);
  });

  test("piles nothing up while no one asks, and runs no timer", async () => {
    const runtime = testRuntime();
    const { clock } = runtime;
    const source = ticks(10, { runtime });
    const loop = source[Symbol.asyncIterator]();
    const first = loop.next();
    await turns();
    clock.advance(10);
    expect((await first).value).toBe(0);
    await turns();
    clock.advance(95);
    const second = loop.next();
    await turns();
    expect(clock.pending).toBe(1);
    clock.advance(5);
    expect((await second).value).toBe(10);
    // The timer is late by whole ticks, or a little early.
    const third = loop.next();
    await turns();
    const now = clock.now.bind(clock);
    clock.now = () => now() + 42;
    clock.advance(10);
    expect((await third).value).toBe(15);
    const fourth = loop.next();
    clock.now = () => now() + 41;
    await turns();
    clock.now = () => now() + 38;
    clock.advance(9);
    expect((await fourth).value).toBe(16);
    await loop.return?.();
    await turns();
    expect([source.state, clock.pending]).toEqual(["stopped", 0]);
  });

  test("leaves a tick out when those who asked have left", async () => {
    const runtime = testRuntime();
    const { clock } = runtime;
    const source = ticks(10, { runtime, onLastCancel: "continue" });
    const loop = source[Symbol.asyncIterator]();
    const waits = loop.next();
    await turns();
    await loop.return?.();
    await waits;
    clock.advance(30);
    expect(clock.pending).toBe(0);
    const next = source[Symbol.asyncIterator]().next();
    await turns();
    clock.advance(10);
    expect((await next).value).toBe(3);
    const several = pipeline(source, take(2), collect());
    for (let i = 0; i < 3; i += 1) {
      await turns();
      clock.advance(10);
    }
    expect(await several).toEqual([4, 5]);
    const stopped = source[Symbol.asyncIterator]().next();
    await turns();
    await source.stop();
    expect([(await stopped).done, clock.pending]).toEqual([true, 0]);
  });

  test("serves several consumers by one timer", async () => {
    const runtime = testRuntime();
    const source = ticks(10, { runtime });
    const loops = [0, 1].map(() => source[Symbol.asyncIterator]());
    const got: unknown[] = [];
    const next = loops.map((loop) => loop.next());
    await turns();
    for (let i = 0; i < 2; i += 1) {
      expect(runtime.clock.pending).toBe(1);
      runtime.clock.advance(10);
      await turns();
    }
    for (const one of next) got.push((await one).value);
    expect([got, runtime.clock.pending]).toEqual([[0, 1], 0]);
  });

  test("serves several at a time where they ask for several", async () => {
    const runtime = testRuntime();
    const source = ticks(1, { runtime, defaultMaxDemand: 3 });
    const running = pipeline(source, take(3), collect());
    await turns();
    runtime.clock.advance(3);
    expect(await running).toEqual(range(0, 2));
  });

  test("refuses what is no interval", () => {
    for (const ms of [0, -1, "1", undefined, Number.POSITIVE_INFINITY])
      expect(() => ticks(ms as never)).toThrow(/expected ms to be/);
    expect(() => ticks(1, { overflow: "throw" })).toThrow(/expected/);
  });
});
