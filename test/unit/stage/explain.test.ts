import { describe, expect, test } from "vitest";
import {
  buffer,
  consumer,
  forEach,
  mapAsync,
  partitionBy,
  pipeline,
  producer,
  producerConsumer,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { explain } from "../../../src/stage/explain.ts";
import { RawConsumer } from "../../support/stages.ts";

describe("explain", () => {
  test("6.10 says who waits for whom, and since when", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, name: "source" });
    const running = pipeline(
      source,
      producerConsumer((events: readonly number[]) => events, { runtime, name: "middle" }),
      consumer(() => new Promise(() => {}), { runtime, name: "writer" }),
    );
    await turns();
    runtime.clock.advance(900);
    expect(running.explain().split("\n")).toEqual([
      "writer has been waiting for events of middle for 900 ms",
      "middle has been waiting for events of source for 900 ms",
      "source has not given what handleDemand was asked for for 900 ms",
    ]);
    source.push([1]);
    await turns();
    runtime.clock.advance(3300);
    expect(running.explain()).toContain("writer has been in handleEvents for 3.3 s");
    void running.stop({ timeout: 0 });
  });

  test("6.10 says where events are held, and by whom", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, name: "lines" });
    const parts = pipeline.with({ runtime, name: "p" })(
      source,
      partitionBy((n) => n, { partitions: 2, maxQueued: 2 }),
    );
    new RawConsumer<number>("busy").attach(parts, { partition: 1 }).ask(100);
    await turns();
    source.push(range(1, 40));
    await turns();
    runtime.clock.advance(4200);
    const text = parts.explain();
    expect(text).toMatch(/2 events wait in partition 0 of p partitionBy, which has no consumer/);
    expect(text).toMatch(/p partitionBy is held back by partition 0/);
    expect(text).toMatch(/34 events wait in p partitionBy/);
    await parts.stop();
    await source.stop();
  });

  test("6.10 says what waits in input, in one event, and in the partition of a consumer that has not asked", () => {
    const of = {
      id: 0,
      kind: "producerConsumer",
      state: "running",
      messages: 0,
      calls: 0,
      waited: 0,
      dropped: 0,
    } as const;
    const partitions = [
      { name: 0, consumer: "a", queued: 1, demand: 0 },
      { name: 1, consumer: "b", queued: 4, demand: 2 },
    ];
    const stages = [
      { ...of, name: "one", input: 1, waiting: [], dispatcher: { type: "partition", partitions } },
      { ...of, name: "two", input: 2, buffered: 1, waiting: [] },
      { ...of, name: "gone", state: "failed", input: 5, waiting: [] },
    ] as const;
    expect(explain({ time: 0, stages, links: [] }).split("\n")).toEqual([
      "one holds 1 batch of input until its output is wanted",
      "1 event waits in partition 0 of one, for a",
      "two holds 2 batches of input until its output is wanted",
      "1 event waits in two",
    ]);
    expect(explain({ time: 0, stages: [], links: [] })).toBe("nothing: all stages have ended");
  });

  test("6.10 says that all has ended, or that nothing waits", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, name: "source" });
    expect(source.explain()).toBe("nothing waits: all that was asked for is on its way");
    await source.stop();
    expect(source.explain()).toBe("source: all stages have ended");
  });
});

describe("counters of inspect()", () => {
  test("6.10 events in, out and dropped, failed ones, calls, and the time waited", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, name: "source", bufferSize: 5, overflow: "drop-newest" });
    source.push(range(1, 7));
    let calls = 0;
    const running = pipeline.with({ name: "p" })(
      source,
      mapAsync(
        async (n) => {
          calls += 1;
          if (n === 2) throw new Error("no");
          return n;
        },
        { onFailure: "skip", retry: { attempts: 2 } },
      ),
      buffer({ size: 1, overflow: "drop-oldest" }),
      consumer<number>(() => new Promise<void>((resolve) => runtime.clock.setTimer(resolve, 40)), {
        runtime,
        name: "sink",
      }),
    );
    await turns();
    runtime.clock.advance(1);
    await turns();
    runtime.clock.advance(39);
    await turns();
    const of = Object.fromEntries(running.inspect().stages.map((stage) => [stage.name, stage]));
    expect(of["source"]).toMatchObject({ emitted: 7, dropped: 2 });
    expect(of["p mapAsync"]).toMatchObject({ failed: 1, calls });
    expect(calls).toBe(6);
    expect(of["sink"]).toMatchObject({ calls: 2, waited: 40 });
    const { received = 0 } = of["sink"] ?? {};
    expect(received + (of["p buffer"]?.dropped ?? 0)).toBeGreaterThanOrEqual(3);
    expect(running.inspect().links.find(({ consumerName }) => consumerName === "sink")?.received).toBe(received);
    void running.stop({ timeout: 0 });
  });

  test("6.10 what ended links have brought is counted, and what push refused is not", async () => {
    const runtime = testRuntime();
    const sink = consumer<number>(() => {}, { runtime });
    for (const cancel of [true, false]) {
      const source = producer<number>(() => {}, { runtime, bufferSize: 1 });
      expect(() => source.push([1, 2, 3])).toThrow("room");
      expect(source.inspect().stages[0]?.emitted).toBe(1);
      const link = sink.subscribe(source, { cancel: "temporary" });
      await turns();
      if (cancel) link.cancel();
    }
    await turns();
    expect(sink.inspect().stages[0]).toMatchObject({ received: 2, calls: 2 });
    await sink.stop();
    expect(sink.inspect().stages[0]).toMatchObject({ received: 2 });
    await pipeline(
      [1],
      forEach(() => {}),
    );
  });
});
