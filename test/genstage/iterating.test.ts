import { describe, expect, test } from "vitest";
import { fromIterable, producer } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, outcome, times } from "../support/stages.ts";

async function take<T>(count: number, events: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

/** Refuses whoever subscribes; when it ends with it, its own end is what the subscriber sees. */
const refusing = (ends: boolean) =>
  producer<number>(
    {
      handleDemand: () => [],
      handleSubscribe: (_role, _subscription, stage) => {
        if (ends) stage.fail("no thanks");
        else throw new Error("no thanks");
      },
    },
    { runtime: testRuntime() },
  );

describe("iterating over a producer", () => {
  test("GS-098 may consume 10 events out of a demand of 1000", async () => {
    const runtime = testRuntime();
    const source = new Counter(5);
    const p = producer(source, { runtime });
    expect(await take(10, p)).toEqual(range(0, 9));
    await turns();
    // Nothing stray is left: the subscription is over, and what was not seen has gone back.
    expect(source.demands).toEqual([1000]);
    expect(source.log).toEqual([
      ["subscribed", "consumer"],
      ["cancelled", { type: "cancel", reason: undefined }],
    ]);
    expect([p.bufferedCount, p.demand, p.state]).toEqual([990, 0, "running"]);
    expect(await take(3, p)).toEqual([10, 11, 12]);
  });

  test("GS-099 may consume 300 events out of a demand of 100", async () => {
    const runtime = testRuntime();
    const source = new Counter(20);
    const p = producer(source, { runtime });
    expect(await take(300, p.events({ maxDemand: 100 }))).toEqual(range(0, 299));
    await turns();
    // The ask of a batch goes out when the event after the batch is pulled: the sixth batch of 50 asks for nothing.
    expect(source.demands).toEqual([100, ...times(5, 50)]);
    expect([p.bufferedCount, p.demand]).toEqual([50, 0]);
  });

  test("GS-099 asks when the event after a batch is pulled", async () => {
    const demands: number[][] = [];
    for (const count of [5, 6, 10, 11]) {
      const source = new Counter(20);
      await take(count, producer(source, { runtime: testRuntime() }).events({ maxDemand: 10 }));
      await turns();
      demands.push(source.demands);
    }
    expect(demands).toEqual([[10], [10, 5], [10, 5], [10, 5, 5]]);
  });

  // GenStage fails with noproc; here the error says what is wrong.
  test.each(["permanent", "transient"] as const)(
    "GS-101 fails when the producer is stopped and the subscription is %s",
    async (cancel) => {
      const p = producer(new Counter(1), { runtime: testRuntime() });
      await p.stop();
      await expect(take(10, p.events({ cancel }))).rejects.toHaveProperty("code", "ERR_STOPPED");
    },
  );

  test.each(["permanent", "transient"] as const)(
    "GS-102 fails when the producer refuses and ends, %s",
    async (cancel) => {
      const p = refusing(true);
      const ended = outcome(p);
      await expect(take(10, p.events({ cancel }))).rejects.toBe("no thanks");
      expect(await ended).toBe("no thanks");
    },
  );

  test.each(["permanent", "transient"] as const)(
    "GS-103 fails when the producer refuses and lives, %s",
    async (cancel) => {
      const p = refusing(false);
      const error: unknown = await take(10, p.events({ cancel })).catch((reason: unknown) => reason);
      expect(error).toEqual(new Error("no thanks"));
      await turns();
      expect([p.state, p.inspect().links]).toEqual(["running", []]);
    },
  );

  test("GS-105 is empty when the producer is stopped and the subscription is temporary", async () => {
    const p = producer(new Counter(1), { runtime: testRuntime() });
    await p.stop();
    expect(await take(10, p.events({ cancel: "temporary" }))).toEqual([]);
  });

  test("GS-106 is empty when the producer refuses and ends, temporary", async () => {
    const p = refusing(true);
    const ended = outcome(p);
    expect(await take(10, p.events({ cancel: "temporary" }))).toEqual([]);
    expect(await ended).toBe("no thanks");
  });

  test("GS-107 is empty when the producer refuses and lives, temporary", async () => {
    const p = refusing(false);
    expect(await take(10, p.events({ cancel: "temporary" }))).toEqual([]);
    expect(p.state).toBe("running");
  });

  test("GS-109 a finite source ends the loop and then itself", async () => {
    const p = fromIterable(range(0, 9), { runtime: testRuntime() });
    expect(await take(1000, p.events({ cancel: "transient" }))).toEqual(range(0, 9));
    await p.done;
    expect(p.state).toBe("completed");
  });

  test("GS-110 throws on wrong options at the call, before any iteration", () => {
    const p = producer(new Counter(1), { runtime: testRuntime() });
    expect(codeOf(() => p.events({ maxDemand: 0 }))).toBe("ERR_RANGE");
    expect(() => p.batches({ maxDemand: 0 })).toThrow(RangeError);
    expect(() => p.events({ maxDemand: 0 })).toThrow(
      "expected maxDemand to be a whole number from 1 to 9007199254740991, got 0 (docs/protocol.md#rule-1.1)",
    );
    expect(p.inspect().links).toEqual([]);
  });
});
