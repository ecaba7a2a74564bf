import { describe, expect, test } from "vitest";
import { broadcastDispatcher, consumer, partitionDispatcher, producer, producerConsumer } from "../../src/index.ts";
import { testRuntime, turns, twice } from "../support/runtime.ts";
import {
  Counter,
  cut,
  DemandProducer,
  Discarder,
  Doubler,
  Forwarder,
  Quiet,
  RawConsumer,
  Sleeper,
  times,
} from "../support/stages.ts";

const twiceInBatches = (from: number, sizes: readonly number[]): number[][] =>
  cut(from, sizes).map((batch) => twice(batch[0] as number, batch.at(-1) as number));

describe("from producer to consumer", () => {
  test("GS-001 with default max and min demand", async () => {
    const runtime = testRuntime();
    const source = new Counter(3);
    const sink = new Forwarder<number>();
    consumer(sink, { runtime }).subscribe(producer(source, { runtime }));
    await turns();
    expect(source.demands).toEqual([1000, 500, 500, 500, 500]);
    expect(sink.batches).toEqual(cut(0, times(4, 500)));
  });

  test("GS-002 with 80% min demand", async () => {
    const runtime = testRuntime();
    const source = new Counter(47);
    const sink = new Forwarder<number>();
    consumer(sink, { runtime }).subscribe(producer(source, { runtime }), { minDemand: 80, maxDemand: 100 });
    await turns();
    // 51 batches: the last one is 1000..1019.
    expect(source.demands).toEqual([100, ...times(51, 20)]);
    expect(sink.batches).toEqual(cut(0, times(51, 20)));
  });

  test("GS-003 with 20% min demand", async () => {
    const runtime = testRuntime();
    const source = new Counter(3);
    const sink = new Forwarder<number>();
    consumer(sink, { runtime }).subscribe(producer(source, { runtime }), { minDemand: 20, maxDemand: 100 });
    await turns();
    expect(source.demands).toEqual([100, 80, 100, 80]);
    expect(sink.batches).toEqual(cut(0, [80, 20, 80, 80, 20]));
  });

  // GenStage gives the first events to whoever came first; here consumers wired together all count from the first event.
  test("GS-005 with shared (broadcast) demand", async () => {
    const runtime = testRuntime();
    const source = new Counter(101);
    const p = producer(source, { runtime, dispatcher: broadcastDispatcher() });
    const first = new Forwarder<number>();
    const second = new Forwarder<number>();
    consumer(first, { runtime }).subscribe(p, { maxDemand: 10, minDemand: 0 });
    consumer(second, { runtime }).subscribe(p, { maxDemand: 20, minDemand: 0 });
    await turns();
    // 101 batches: the last one is 1000..1009.
    expect(source.demands).toEqual(times(102, 10));
    expect(first.batches).toEqual(cut(0, times(101, 10)));
    expect(second.batches).toEqual(first.batches);
  });

  test("GS-006 with shared (broadcast) demand and synchronizer subscriber", async () => {
    const runtime = testRuntime();
    const source = new Counter(101);
    const p = producer(source, { runtime, dispatcher: broadcastDispatcher() });
    const raw = new RawConsumer<number>().attach(p);
    await turns();
    const first = new Forwarder<number>();
    const second = new Forwarder<number>();
    consumer(first, { runtime }).subscribe(p, { maxDemand: 10, minDemand: 0 });
    consumer(second, { runtime }).subscribe(p, { maxDemand: 20, minDemand: 0 });
    await turns();
    expect([source.demands, first.batches, second.batches]).toEqual([[], [], []]);
    raw.leave({ type: "cancel", reason: "killed" });
    await turns();
    expect(source.demands).toEqual(times(102, 10));
    expect(first.batches).toEqual(cut(0, times(101, 10)));
    expect(second.batches).toEqual(first.batches);
    expect(raw.batches).toEqual([]);
  });

  test("GS-007 with shared (broadcast) demand does not result in duplicate upstream demand", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const p = producer(source, { runtime, dispatcher: broadcastDispatcher() });
    consumer(new Sleeper<number>(), { runtime }).subscribe(p, { maxDemand: 10, minDemand: 0 });
    consumer(new Sleeper<number>(), { runtime }).subscribe(p, { maxDemand: 20, minDemand: 0 });
    await turns();
    expect(source.demands).toEqual([10]);
  });

  test("GS-007 the second subscribing later does not ask for more either", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const p = producer(source, { runtime, dispatcher: broadcastDispatcher() });
    consumer(new Sleeper<number>(), { runtime }).subscribe(p, { maxDemand: 10, minDemand: 0 });
    await turns();
    consumer(new Sleeper<number>(), { runtime }).subscribe(p, { maxDemand: 20, minDemand: 0 });
    await turns();
    expect(source.demands).toEqual([10]);
  });
});

describe("from producer through producerConsumer to consumer", () => {
  test("GS-009 with 20% min demand, wired from the source on", async () => {
    const runtime = testRuntime();
    const source = new Counter(4);
    const double = new Doubler<number>();
    const sink = new Forwarder<number>();
    const d = producerConsumer(double, { runtime });
    d.subscribe(producer(source, { runtime }), { maxDemand: 100, minDemand: 20 });
    consumer(sink, { runtime }).subscribe(d, { maxDemand: 100, minDemand: 50 });
    await turns();
    expect(source.demands).toEqual([100, 80, 100, 80, 100]);
    expect(double.handled).toEqual(cut(0, [80, 20, 80, 80, 20, 80]));
    expect(sink.batches.slice(0, 10)).toEqual(twiceInBatches(0, [25, 25, 25, 25, 25, 25, 25, 5, 20, 25]));
    expect(sink.batches.flat()).toEqual(twice(0, 359));
  });

  test("GS-010 with 80% min demand and late subscription", async () => {
    const runtime = testRuntime();
    const source = new Counter(4);
    const double = new Doubler<number>();
    const sink = new Forwarder<number>();
    const p = producer(source, { runtime });
    const d = producerConsumer(double, { runtime });
    const c = consumer(sink, { runtime });
    await turns();
    c.subscribe(d, { minDemand: 50, maxDemand: 100 });
    await turns();
    d.subscribe(p, { minDemand: 80, maxDemand: 100 });
    await turns();
    expect(source.demands).toEqual([100, ...times(8, 20)]);
    expect(double.handled).toEqual(cut(0, times(8, 20)));
    expect(sink.batches.slice(0, 10)).toEqual(twiceInBatches(0, [20, 20, 10, 25, 15, 10, 20, 5, 15, 10]));
    expect(sink.batches.flat()).toEqual(twice(0, 159));
  });

  test("GS-011 with 20% min demand and later subscription", async () => {
    const runtime = testRuntime();
    const source = new Counter(4);
    const double = new Doubler<number>();
    const sink = new Forwarder<number>();
    const p = producer(source, { runtime });
    const d = producerConsumer(double, { runtime });
    const c = consumer(sink, { runtime });
    await turns();
    c.subscribe(d, { minDemand: 50, maxDemand: 100 });
    await turns();
    d.subscribe(p, { minDemand: 20, maxDemand: 100 });
    await turns();
    expect(source.demands).toEqual([100, 80, 100, 80, 100]);
    expect(double.handled).toEqual(cut(0, [80, 20, 80, 80, 20, 80]));
    expect(sink.batches.slice(0, 10)).toEqual(twiceInBatches(0, [25, 25, 25, 25, 25, 25, 25, 5, 20, 25]));
    expect(sink.batches.flat()).toEqual(twice(0, 359));
  });

  test("GS-013 keeps taking events even when it emits none", async () => {
    const runtime = testRuntime();
    const source = new Counter(47);
    const discard = new Discarder<number>();
    const sink = new Forwarder<number>();
    const d = producerConsumer(discard, { runtime });
    d.subscribe(producer(source, { runtime }), { maxDemand: 100, minDemand: 80 });
    consumer(sink, { runtime }).subscribe(d, { maxDemand: 100, minDemand: 50 });
    await turns();
    // 51 batches: the last one is 1000..1019.
    expect(source.demands).toEqual([100, ...times(51, 20)]);
    expect(discard.handled).toEqual(cut(0, times(51, 20)));
    expect(sink.batches).toEqual([]);
    expect(d.demand).toBe(100);
  });

  test("GS-014 with shared (broadcast) demand", async () => {
    const runtime = testRuntime();
    const source = new Counter(40);
    const double = new Doubler<number>();
    const first = new Forwarder<number>();
    const second = new Forwarder<number>();
    const d = producerConsumer(double, { runtime, dispatcher: broadcastDispatcher() });
    d.subscribe(producer(source, { runtime }), { maxDemand: 10 });
    consumer(first, { runtime }).subscribe(d, { maxDemand: 10, minDemand: 0 });
    consumer(second, { runtime }).subscribe(d, { maxDemand: 20, minDemand: 0 });
    await turns();
    expect(source.demands).toEqual([10, ...times(41, 5)]);
    expect(double.handled).toEqual(cut(0, times(41, 5)));
    expect(first.batches).toEqual(twiceInBatches(0, times(41, 5)));
    expect(second.batches).toEqual(first.batches);
    expect(first.batches.at(-1)).toEqual([200, 200, 201, 201, 202, 202, 203, 203, 204, 204]);
  });

  test("GS-015 with shared (broadcast) demand and synchronizer subscriber", async () => {
    const runtime = testRuntime();
    const source = new Counter(1);
    const first = new Forwarder<number>();
    const second = new Forwarder<number>();
    const d = producerConsumer(new Doubler<number>(), { runtime, dispatcher: broadcastDispatcher() });
    d.subscribe(producer(source, { runtime }));
    const raw = new RawConsumer<number>().attach(d);
    await turns();
    consumer(first, { runtime }).subscribe(d, { maxDemand: 10, minDemand: 0 });
    consumer(second, { runtime }).subscribe(d, { maxDemand: 20, minDemand: 0 });
    await turns();
    expect([source.demands, first.batches, second.batches]).toEqual([[1000], [], []]);
    raw.leave({ type: "cancel", reason: "killed" });
    await turns();
    expect(source.demands).toEqual([1000, 500, 500]);
    expect(first.batches).toEqual(twiceInBatches(0, times(200, 5)));
    expect(second.batches).toEqual(first.batches);
    expect(first.batches[40]).toEqual([200, 200, 201, 201, 202, 202, 203, 203, 204, 204]);
  });
});

describe("demand mode", () => {
  test("GS-017 can be set to accumulate from the beginning", async () => {
    const runtime = testRuntime();
    const source = new Counter(1);
    const sink = new Forwarder<number>();
    const p = producer(source, { runtime, demandMode: "accumulate" });
    expect(p.demandMode).toBe("accumulate");
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect([source.demands, sink.batches]).toEqual([[], []]);
    p.demandMode = "forward";
    await turns();
    expect(p.demandMode).toBe("forward");
    expect(source.demands).toEqual([4, 4]);
    expect(sink.batches).toEqual([[0, 1, 2, 3]]);
  });

  // GenStage's estimate does not count accumulated events; here they are held and therefore counted.
  test("GS-018 can be set to accumulate later, with broadcast", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const p = producer(source, { runtime, dispatcher: broadcastDispatcher() });
    const old = [new Forwarder<number>(), new Forwarder<number>()];
    const stages = old.map((sink) => consumer(sink, { runtime }));
    for (const stage of stages) stage.subscribe(p);
    await turns();
    expect(p.demandMode).toBe("forward");
    p.demandMode = "accumulate";
    expect(p.demandMode).toBe("accumulate");
    await Promise.all(stages.map((stage) => stage.stop()));
    for (const n of [1, 2, 3, 4]) p.push([n]);
    await turns();
    const fresh = [new Forwarder<number>(), new Forwarder<number>()];
    for (const sink of fresh) consumer(sink, { runtime }).subscribe(p);
    await turns();
    expect(fresh.map((sink) => sink.batches)).toEqual([[], []]);
    expect(p.bufferedCount).toBe(4);
    p.demandMode = "forward";
    await turns();
    expect(p.demandMode).toBe("forward");
    expect(p.bufferedCount).toBe(0);
    for (const sink of fresh) expect(sink.batches).toEqual([[1], [2], [3], [4]]);
    for (const sink of old) expect(sink.batches).toEqual([]);
  });

  test("GS-019 can be set to accumulate on a running producer", async () => {
    const runtime = testRuntime();
    const source = new Counter(1);
    const sink = new Forwarder<number>();
    const p = producer(source, { runtime });
    const modes = [p.demandMode];
    p.demandMode = "accumulate";
    modes.push(p.demandMode);
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([]);
    p.demandMode = "forward";
    modes.push(p.demandMode);
    await turns();
    expect(modes).toEqual(["forward", "accumulate", "forward"]);
    expect(sink.batches).toEqual([[0, 1, 2, 3]]);
  });

  test("GS-021 is not reset when set to accumulate while accumulating", async () => {
    const runtime = testRuntime();
    const source = new Counter(1);
    const sink = new Forwarder<number>();
    const p = producer(source, { runtime, demandMode: "accumulate" });
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([]);
    p.demandMode = "accumulate";
    await turns();
    p.demandMode = "forward";
    await turns();
    expect(source.demands).toEqual([4, 4]);
    expect(sink.batches).toEqual([[0, 1, 2, 3]]);
  });

  test("GS-022 does not combine demands when accumulating", async () => {
    const runtime = testRuntime();
    const source = new DemandProducer(4);
    const p = producer(source, { runtime, demandMode: "accumulate" });
    const first = new Forwarder<number>();
    const second = new Forwarder<number>();
    consumer(first, { runtime }).subscribe(p, { maxDemand: 2 });
    consumer(second, { runtime }).subscribe(p, { maxDemand: 2 });
    await turns();
    expect([source.demands, first.batches, second.batches]).toEqual([[], [], []]);
    p.demandMode = "forward";
    await turns();
    expect(source.demands).toEqual([2, 2, 1, 1, 1, 1]);
    expect(first.batches).toEqual([[2], [1]]);
    expect(second.batches).toEqual([[2], [1]]);
  });

  test("GS-022 events returned while accumulating go behind the events logged before them", async () => {
    const runtime = testRuntime();
    const p = producer<number>(new Quiet<number>(), { runtime });
    const sink = new Forwarder<number>();
    consumer(sink, { runtime }).subscribe(p);
    await turns();
    p.demandMode = "accumulate";
    p.push([1, 2]);
    p.push([3]);
    await turns();
    expect([sink.batches, p.bufferedCount]).toEqual([[], 3]);
    p.demandMode = "forward";
    p.push([4]);
    await turns();
    expect(sink.batches).toEqual([[1, 2], [3], [4]]);
  });

  // GenStage replays the demand first and puts its events before those emitted earlier.
  test("GS-022 what a replayed demand brings goes behind the events logged after it", async () => {
    const runtime = testRuntime();
    const source = new Counter(1);
    const p = producer(source, { runtime, demandMode: "accumulate" });
    const raw = new RawConsumer<number>().attach(p).ask(4);
    await turns();
    p.push([100]);
    p.demandMode = "forward";
    await turns();
    expect(source.demands).toEqual([4]);
    expect(raw.batches).toEqual([[100], [0, 1, 2]]);
    expect(p.bufferedCount).toBe(1);
  });
});

// GenStage's producerConsumer has no limit by default, and its demand mode is always forward.
describe("the limit of a producerConsumer", () => {
  test("GS-017 holds while it accumulates", async () => {
    const runtime = testRuntime();
    const source = new Counter(1000);
    const d = producerConsumer((events: readonly number[]) => events, {
      runtime,
      demandMode: "accumulate",
      bufferSize: 10,
    });
    d.subscribe(producer(source, { runtime }), { maxDemand: 4, minDemand: 2 });
    const raw = new RawConsumer<number>().attach(d).ask(5);
    await turns();
    // 4, 6, 8, 10 are within the limit; the batch after that is the last one taken.
    expect([d.bufferedCount, raw.batches]).toEqual([12, []]);
    d.demandMode = "forward";
    await turns();
    expect(raw.batches.flat()).toEqual([0, 1, 2, 3, 4]);
    raw.ask(20);
    await turns();
    expect(raw.batches.flat()).toEqual(Array.from({ length: 25 }, (_, i) => i));
  });

  test("X-10 counts what waits in partitions", async () => {
    const runtime = testRuntime();
    const dispatcher = partitionDispatcher({
      partitions: ["all", "none"],
      hash: (_n: number) => "all",
      maxQueued: 100,
    });
    const d = producerConsumer((events: readonly number[]) => events, { runtime, dispatcher, bufferSize: 10 });
    d.subscribe(producer(new Counter(1000), { runtime }), { maxDemand: 4, minDemand: 2 });
    new RawConsumer<number>("none").attach(d, { partition: "none" }).ask(5);
    await turns();
    expect(d.bufferedCount).toBe(12);
    const all = new RawConsumer<number>("all").attach(d, { partition: "all" }).ask(7);
    await turns();
    expect(all.batches.flat()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(d.bufferedCount).toBe(11);
  });
});
