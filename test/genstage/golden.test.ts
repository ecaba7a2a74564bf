import { describe, expect, test } from "vitest";
import { consumer, producer, producerConsumer, ProtocolError } from "../../src/index.ts";
import { range, testRuntime, turns, twice } from "../support/runtime.ts";
import { Counter, cut, Doubler, Forwarder, Quiet, RawProducer, times } from "../support/stages.ts";

describe("golden values: automatic demand", () => {
  // answers: how many demands the counter serves; what is asked for after that is only recorded.
  const rows = [
    { max: 1000, min: 500, answers: 4, demands: [1000, ...times(5, 500)], sizes: times(5, 500) },
    { max: 100, min: 80, answers: 4, demands: [100, ...times(8, 20)], sizes: times(8, 20) },
    { max: 100, min: 20, answers: 5, demands: [100, 80, 100, 80, 100, 80], sizes: [80, 20, 80, 80, 20, 80, 80, 20] },
    { max: 10, min: 5, answers: 4, demands: [10, ...times(5, 5)], sizes: times(5, 5) },
    { max: 10, min: 0, answers: 3, demands: times(4, 10), sizes: times(3, 10) },
    { max: 10, min: 9, answers: 3, demands: [10, ...times(12, 1)], sizes: times(12, 1) },
    { max: 5, min: 2, answers: 5, demands: [5, 3, 5, 3, 5, 3], sizes: [3, 2, 3, 3, 2, 3, 3, 2] },
    { max: 3, min: 1, answers: 5, demands: [3, 2, 3, 2, 3, 2], sizes: [2, 1, 2, 2, 1, 2, 2, 1] },
    { max: 1, min: 0, answers: 3, demands: times(4, 1), sizes: times(3, 1) },
  ];

  test.each(rows)("§6 max $max min $min", async ({ max, min, answers, demands, sizes }) => {
    const runtime = testRuntime();
    const source = new Counter(answers);
    const sink = new Forwarder<number>();
    consumer(sink, { runtime }).subscribe(producer(source, { runtime }), { maxDemand: max, minDemand: min });
    await turns();
    expect(source.demands).toEqual(demands);
    expect(sink.batches).toEqual(cut(0, sizes));
  });

  const defaults = [
    { max: 1000, min: 500 },
    { max: 5, min: 2 },
    { max: 3, min: 1 },
    { max: 1, min: 0 },
  ];
  test.each(defaults)("§6 min $min is the default of max $max", ({ max, min }) => {
    const runtime = testRuntime();
    const p = producer(new Quiet<number>(), { runtime });
    const c = consumer(new Forwarder<number>(), { runtime });
    expect(c.subscribe(p, { maxDemand: max }).options.minDemand).toBe(min);
  });

  test("§6 max 1000 min 750: messages of 100 stay uncut, the ask comes once min is reached", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const p = producer(source, { runtime });
    const sink = new Forwarder<number>();
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 1000, minDemand: 750 });
    await turns();
    const seen: number[][] = [[...source.demands]];
    for (const from of [0, 100, 200]) {
      p.push(range(from, from + 99));
      await turns();
      seen.push([...source.demands]);
    }
    expect(seen).toEqual([[1000], [1000], [1000], [1000, 300]]);
    expect(sink.batches).toEqual(cut(0, [100, 100, 100]));
  });

  // GenStage hands the excess over as well and only logs it; here it goes back and the link fails.
  test("§6 max 4 min 2: of 7 events pushed at once by a rogue producer 4 are handled", async () => {
    const runtime = testRuntime();
    const rogue = new RawProducer<number>();
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    const subscription = c.subscribe(rogue.producer, { maxDemand: 4, minDemand: 2, cancel: "temporary" });
    await turns();
    rogue.port.events(range(1, 7));
    await turns();
    expect(rogue.asks).toEqual([4, 2, 2]);
    expect(sink.batches).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(rogue.ends).toEqual([
      { reason: { type: "failure", error: expect.any(ProtocolError) }, unstarted: [5, 6, 7] },
    ]);
    expect(rogue.ends[0]?.reason).toHaveProperty("error.code", "ERR_OVERDELIVERY");
    expect([subscription.state, c.state]).toEqual(["ended", "running"]);
  });
});

/** Each number twice, as batches of the given stretches. */
const doubled = (stretches: readonly (readonly [number, number])[]): number[][] =>
  stretches.map(([a, b]) => twice(a, b));
const whole = <T>(batches: readonly (readonly T[])[]): T[] => batches.flat();

describe("golden traces: counter, doubler, consumer", () => {
  const rows = [
    {
      up: { maxDemand: 100, minDemand: 80 },
      down: { maxDemand: 100, minDemand: 50 },
      answers: 5,
      events: 180,
      demands: [100, ...times(9, 20)],
      handled: times(9, 20),
      batches: doubled([
        [0, 19],
        [20, 39],
        [40, 49],
        [50, 74],
        [75, 89],
        [90, 99],
        [100, 119],
        [120, 124],
        [125, 139],
        [140, 149],
      ]),
    },
    {
      up: { maxDemand: 100, minDemand: 20 },
      down: { maxDemand: 100, minDemand: 50 },
      answers: 4,
      events: 360,
      demands: [100, 80, 100, 80, 100],
      handled: [80, 20, 80, 80, 20, 80],
      batches: doubled([
        [0, 24],
        [25, 49],
        [50, 74],
        [75, 99],
        [100, 124],
        [125, 149],
        [150, 174],
        [175, 179],
        [180, 199],
        [200, 224],
      ]),
    },
  ];

  test.each(rows)("§10 up $up.maxDemand/$up.minDemand, down $down.maxDemand/$down.minDemand", async (row) => {
    const runtime = testRuntime();
    const source = new Counter(row.answers);
    const double = new Doubler<number>();
    const sink = new Forwarder<number>();
    const d = producerConsumer(double, { runtime });
    d.subscribe(producer(source, { runtime }), row.up);
    consumer(sink, { runtime }).subscribe(d, row.down);
    await turns();
    expect(source.demands).toEqual(row.demands);
    expect(double.handled).toEqual(cut(0, row.handled));
    expect(sink.batches.slice(0, row.batches.length)).toEqual(row.batches);
    expect(whole(sink.batches)).toEqual(twice(0, row.events - 1));
  });
});
