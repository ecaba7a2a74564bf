import { describe, expect, test } from "vitest";
import { batch, collect, forEach, fromIterable, pipeline, producer, take } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { counted, failureFrom, fed, slow } from "./support.ts";

describe("batch", () => {
  test("makes full batches, and a last one that is not; they are the receiver's own", async () => {
    const { done } = pipeline(counted(7).source, batch({ size: 3 }), collect());
    const batches = await done;
    expect(batches).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    batches[0]?.push(1);
  });

  test.each([1, 2, 5])("of %i: never holds more than it says, in front of a slow sink", async (size) => {
    const source = counted(100);
    const { got, sink, next } = slow<number[]>();
    const { done } = pipeline(source.source, batch({ size }), sink);
    for (let i = 0; i < 5; i += 1) {
      await turns();
      const handled = got.flat().length;
      // The batch in hand, two in the window, and what is held.
      expect(source.taken - handled).toBeLessThanOrEqual(2 * size + 2 * size - 1);
      await next();
    }
    const timer = setInterval(() => void next(), 1);
    await done;
    clearInterval(timer);
    expect(got.flat()).toEqual(range(0, 99));
  });

  test("within: a batch that is asked for goes out when it is due", async () => {
    const { source, clock } = fed();
    const got: number[][] = [];
    const { done } = pipeline(
      source,
      batch<number>({ size: 3, within: 100 }),
      forEach((b) => void got.push(b)),
    );
    await turns();
    source.push([1]);
    await turns();
    clock.advance(60);
    source.push([2]);
    await turns();
    clock.advance(39);
    expect(got).toEqual([]);
    clock.advance(1);
    await turns();
    expect(got).toEqual([[1, 2]]);
    expect(clock.pending).toBe(0);
    source.push([3, 4, 5, 6]);
    await turns();
    expect(got).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    source.complete();
    await done;
    expect(got).toEqual([[1, 2], [3, 4, 5], [6]]);
    expect(clock.pending).toBe(0);
  });

  test("within: 0 is group commit: what comes while the consumer is busy is one batch", async () => {
    const { source, clock } = fed();
    const { got, sink, next } = slow<number[]>();
    const running = pipeline(source, batch<number>({ size: 10, within: 0 }), sink);
    await turns();
    for (const n of range(1, 8)) {
      source.push([n]);
      await turns();
      clock.advance(0);
      await turns();
    }
    for (let i = 0; i < 4; i += 1) await next();
    // Two batches were asked for ahead; all that came behind them is the third.
    expect(got.slice(0, 3)).toEqual([[1], [2], [3, 4, 5, 6, 7, 8]]);
    source.complete();
    await next();
    await running.done;
    expect(clock.pending).toBe(0);
  });

  test("by: one key a batch; the oldest goes out for a key too many", async () => {
    const { done } = pipeline(counted(10).source, batch({ size: 3, by: (n) => n % 3, maxOpen: 2 }), collect());
    const batches = await done;
    expect(batches.flat().toSorted((a, b) => a - b)).toEqual(range(0, 9));
    for (const b of batches) expect(new Set(b.map((n) => n % 3)).size).toBe(1);
    expect(batches[0]).toEqual([0]);
    for (const key of [0, 1, 2]) {
      const ofKey = batches.flat().filter((n) => n % 3 === key);
      expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
    }
  });

  test("by: holds maxOpen × (size - 1) + size at most", async () => {
    const source = counted(1000);
    const stage = pipeline(source.source, batch({ size: 4, by: (n) => n % 50, maxOpen: 5 }));
    const loop = stage.batches({ maxDemand: 1, minDemand: 0 })[Symbol.asyncIterator]();
    let out = 0;
    for (let i = 0; i < 60; i += 1) {
      out += (await loop.next()).value!.flat().length;
      await turns(1);
      expect(source.taken - out).toBeLessThanOrEqual(5 * 3 + 4 + 4);
    }
    await loop.return?.();
  });

  test("a stop gives all that is held back, in order", async () => {
    const source = counted(100);
    const { sink } = slow<number[]>();
    const running = pipeline(source.source, batch({ size: 7, by: (n) => n % 3 }), sink);
    await turns();
    void running.stop({ timeout: 0 });
    await turns();
    source.runtime.clock.advance(0);
    await turns();
    // All but the batch in hand, [0, 3, …, 18].
    const rest = await pipeline(source.source, collect()).done;
    expect(rest.toSorted((a, b) => a - b)).toEqual(range(0, 99).filter((n) => n % 3 !== 0 || n > 18));
    expect(rest.slice(-50)).toEqual(range(50, 99));
  });

  test("F-57 drain delivers the last partial batch", async () => {
    const source = fromIterable(range(0, 999), { runtime: testRuntime() });
    const got: number[][] = [];
    const stage = pipeline(source, batch({ size: 1000, within: 50 }));
    const { done } = pipeline(
      stage,
      forEach((b) => void got.push(b)),
    );
    await turns();
    await stage.drain();
    await done;
    expect(got.flat()).toEqual(range(0, got.flat().length - 1));
  });

  test("a failure of the source comes behind the last batch", async () => {
    const bad = new Error("source");
    const source = producer<number>({
      handleDemand: (_demand, stage) => {
        stage.fail(bad, { after: "buffer" });
        return [0, 1, 2];
      },
    });
    const got: number[][] = [];
    const { done } = pipeline(
      source,
      batch({ size: 2 }),
      forEach((b: number[]) => void got.push(b)),
    );
    expect(await failureFrom(done)).toBe(bad);
    expect(got).toEqual([[0, 1], [2]]);
  });

  test("take behind it, and in front", async () => {
    const source = counted(100);
    expect(await pipeline(source.source, batch({ size: 3 }), take(2), collect()).done).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(await pipeline(source.source, take(4), batch({ size: 3 }), collect()).done).toEqual([[6, 7, 8], [9]]);
  });

  test("a key function that throws fails with its event; the rest goes back", async () => {
    const source = counted(10);
    const bad = new Error("bad");
    const by = (n: number) => {
      if (n === 4) throw bad;
      return 0;
    };
    const { done } = pipeline(source.source, batch({ size: 3, by }), collect());
    expect(await failureFrom(done)).toBe(bad);
    expect(await pipeline(source.source, take(2), collect()).done).toEqual([3, 5]);
  });

  test.each([{}, { size: 0 }, { size: 1, within: -1 }, { size: 1, by: 1 }, { size: 2, maxOpen: 0 }, { size: 1, x: 1 }])(
    "refuses %o",
    (options) => {
      expect(() => batch(options as never)).toThrow(/expected/);
    },
  );
});
