import { Subject } from "rxjs";
import { describe, expect, test } from "vitest";
import { bridge, shown } from "../../examples/observable-bridge.ts";
import type { Overflow } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";

/** Twelve ticks in one stretch while the consumer works on the first; then it works off what there is. */
async function bridged(overflow: Overflow) {
  const ticks = new Subject<number>();
  const waiting: (() => void)[] = [];
  const work = (): Promise<void> => new Promise((resolve) => void waiting.push(resolve));
  const result = bridge(ticks, overflow, work, testRuntime());
  await turns();
  for (const tick of range(1, 12)) {
    ticks.next(tick);
    // oxlint-disable-next-line no-await-in-loop -- tick by tick
    await turns(1);
  }
  const observed = ticks.observed;
  ticks.complete();
  for (let i = 0; i < 12; i += 1) {
    waiting.shift()?.();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await turns(2);
  }
  return { result: await result, observed };
}

describe("examples/observable-bridge.ts", () => {
  test("EX-1 throw: what was accepted arrives, then the overflow; the source is let go of", async () => {
    const { result, observed } = await bridged("throw");
    expect(result).toEqual({ overflow: "throw", arrived: range(1, 7), dropped: [], end: "ERR_OVERFLOW" });
    expect(observed).toBe(false);
  });

  test("EX-2 drop-oldest: the latest five are kept", async () => {
    const { result, observed } = await bridged("drop-oldest");
    expect(result.arrived).toEqual([1, 2, 8, 9, 10, 11, 12]);
    expect(result.dropped.flat()).toEqual(range(3, 7));
    expect([result.end, observed]).toEqual(["completed", true]);
  });

  test("EX-3 drop-newest: the first five are kept", async () => {
    const { result } = await bridged("drop-newest");
    expect(result.arrived).toEqual(range(1, 7));
    expect(result.dropped.flat()).toEqual(range(8, 12));
    expect(shown(result)).toBe("drop-newest  arrived: 1 2 3 4 5 6 7; dropped: 8 9 10 11 12; completed");
  });
});
