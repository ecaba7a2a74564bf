import { describe, expect, test } from "vitest";
import { consumer, partitionDispatcher, producer, producerConsumer } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, Doubler, Forwarder, Quiet, RawConsumer, RawProducer, times } from "../support/stages.ts";
import { Single } from "./single.ts";

const quiet = (options: object = {}) => {
  const source = new Quiet<number>();
  const p = producer(source, { runtime: testRuntime(), ...options });
  return { source, p, raw: new RawConsumer<number>().attach(p) };
};
/** A consumer on a producer that is played by hand. */
const hand = (options: object) => {
  const raw = new RawProducer<number>();
  const sink = new Forwarder<number>();
  const c = consumer(sink, { runtime: testRuntime() });
  const subscription = c.subscribe(raw.producer, options);
  return { raw, sink, c, subscription };
};
const nothing = () => {};
const most = Number.MAX_SAFE_INTEGER;

describe("3. Demand", () => {
  test("3.1 a producer delivers no more than was asked for", async () => {
    const { p, raw } = quiet();
    raw.ask(2);
    await turns();
    p.push(range(1, 5));
    await turns();
    expect([raw.batches, p.bufferedCount]).toEqual([[[1, 2]], 3]);
  });

  test("3.1 a consumer that gets more handles its share, gives the rest back and ends the link", async () => {
    const { raw, sink, c } = hand({ maxDemand: 2, minDemand: 0, cancel: "temporary" });
    await turns();
    raw.port.events([1, 2, 3]);
    await turns();
    expect([sink.batches, c.state]).toEqual([[[1, 2]], "running"]);
    expect(raw.ends).toMatchObject([
      { reason: { type: "failure", error: { code: "ERR_OVERDELIVERY" } }, unstarted: [3] },
    ]);
  });

  test("3.2 an ask is a whole number from 1 to 2^53 - 1, or Infinity; 0 does nothing", async () => {
    const { raw, subscription } = hand({ demand: "manual" });
    await turns();
    for (const count of [-1, 1.5, Number.NaN, 2 ** 53, -Infinity, "1", undefined])
      expect(codeOf(() => subscription.ask(count as number))).toBe("ERR_ASK");
    subscription.ask(0);
    await turns();
    expect([raw.asks, raw.ends]).toEqual([[], []]);
    for (const count of [1, most, Infinity]) subscription.ask(count);
    await turns();
    expect(raw.asks).toEqual([1, most, Infinity]);
  });

  test("3.2 on the wire any other number ends the link, 0 included", async () => {
    for (const count of [0, -1, 0.5, 2 ** 53]) {
      const { raw, p } = quiet();
      raw.ask(count);
      await turns();
      expect([raw.ends.map(({ type }) => type), p.inspect().links]).toEqual([["failure"], []]);
    }
  });

  test("3.3 ask throws on an automatic subscription and does nothing on one that has ended", async () => {
    const automatic = hand({});
    expect(codeOf(() => automatic.subscription.ask(1))).toBe("ERR_ASK_AUTOMATIC");
    const manual = hand({ demand: "manual", cancel: "temporary" });
    await turns();
    manual.subscription.cancel();
    await turns();
    manual.subscription.ask(5);
    await turns();
    expect([manual.subscription.state, manual.raw.asks]).toEqual(["ended", []]);
  });

  test("3.4 asks add up, a sum past 2^53 - 1 to Infinity, and end with their link", async () => {
    const { p, raw } = quiet();
    raw.ask(2).ask(3);
    await turns();
    expect(p.demand).toBe(5);
    raw.ask(most);
    await turns();
    expect(p.demand).toBe(Infinity);
    raw.leave();
    await turns();
    expect(p.demand).toBe(0);
  });

  test("3.5 an automatic subscription opens with an ask of maxDemand, 1000 by default", async () => {
    const plain = hand({});
    const named = hand({ maxDemand: 7 });
    await turns();
    expect([plain.raw.asks, plain.subscription.pending]).toEqual([[1000], 1000]);
    expect([named.raw.asks, named.subscription.pending]).toEqual([[7], 7]);
    expect([plain.subscription.options.minDemand, named.subscription.options.minDemand]).toEqual([500, 3]);
  });

  test("3.5 the producer's defaultMaxDemand comes before 1000", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const p = producer(source, { runtime, defaultMaxDemand: 40 });
    const { options } = consumer(new Forwarder<number>(), { runtime }).subscribe(p);
    await turns();
    expect([source.demands, options.maxDemand, options.minDemand]).toEqual([[40], 40, 20]);
  });

  test("3.6 a message is handled in batches of maxDemand - minDemand events, on a manual subscription in one", async () => {
    const automatic = hand({ maxDemand: 10, minDemand: 6 });
    const manual = hand({ maxDemand: 10, minDemand: 6, demand: "manual" });
    await turns();
    manual.subscription.ask(10);
    for (const { raw } of [automatic, manual]) raw.port.events(range(1, 10));
    await turns();
    expect(automatic.sink.batches).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10],
    ]);
    expect(manual.sink.batches).toEqual([range(1, 10)]);
  });

  test.each<readonly [number, number, readonly number[], readonly number[]]>([
    [1000, 500, [1000, 500, 500, 500], [500, 500, 500]],
    [10, 5, [10, 5, 5, 5], [5, 5, 5]],
    [10, 0, [10, 10, 10], [10, 10, 10]],
    [10, 9, [10, 1, 1, 1], [1, 1, 1]],
    [5, 2, [5, 3, 5, 3], [3, 2, 3, 3, 2, 3]],
    [1, 0, [1, 1, 1], [1, 1, 1]],
  ])(
    "3.7 maxDemand %i and minDemand %i give the asks and batches of the table",
    async (maxDemand, minDemand, asks, batches) => {
      const runtime = testRuntime();
      const source = new Counter(8);
      const sink = new Forwarder<number>();
      consumer(sink, { runtime }).subscribe(producer(source, { runtime }), { maxDemand, minDemand });
      await turns(8);
      expect(source.demands.slice(0, asks.length)).toEqual(asks);
      expect(sink.batches.slice(0, batches.length).map((batch) => batch.length)).toEqual(batches);
    },
  );

  test("3.7 the ask is sent after handleEvents has returned and its promise has fulfilled", async () => {
    const raw = new RawProducer<number>();
    let settle = nothing;
    const c = consumer<number>(() => new Promise<void>((resolve) => void (settle = resolve)), {
      runtime: testRuntime(),
    });
    const subscription = c.subscribe(raw.producer, { maxDemand: 4, minDemand: 2 });
    await turns();
    raw.port.events([1]);
    await turns();
    settle();
    await turns();
    expect(raw.asks).toEqual([4]);
    raw.port.events([2, 3]);
    await turns();
    expect(raw.asks).toEqual([4]);
    settle();
    await turns();
    // One of four was left.
    expect([raw.asks, subscription.pending]).toEqual([[4, 3], 4]);
  });

  test("3.8 batches() sends the ask of a batch when the element after it is pulled", async () => {
    const source = new Counter(9);
    const p = producer(source, { runtime: testRuntime() });
    const loop = p.batches({ maxDemand: 4, minDemand: 2 });
    expect((await loop.next()).value).toEqual([0, 1]);
    await turns();
    expect(source.demands).toEqual([4]);
    expect((await loop.next()).value).toEqual([2, 3]);
    await turns();
    expect(source.demands).toEqual([4, 2]);
    await loop.return?.();
  });

  test("3.8 so does events(), and a loop that stops has asked for nothing in vain", async () => {
    const source = new Counter(9);
    const p = producer(source, { runtime: testRuntime() });
    const seen: number[] = [];
    for await (const n of p.events({ maxDemand: 2, minDemand: 0 })) {
      seen.push(n);
      if (n === 3) break;
    }
    await turns();
    expect([seen, source.demands, p.bufferedCount]).toEqual([[0, 1, 2, 3], [2, 2], 0]);
  });

  test("3.9 handleDemand is called for wanted - owed", async () => {
    const { source, p, raw } = quiet();
    raw.ask(5);
    await turns();
    raw.ask(3);
    await turns();
    expect(source.demands).toEqual([5, 3]);
    p.push([1, 2]);
    raw.ask(1);
    await turns();
    expect(source.demands).toEqual([5, 3, 1]);
  });

  test("3.9 for 10 000 events at most, and not while 10 000 are owed", async () => {
    const { source, p, raw } = quiet();
    raw.ask(9_999);
    await turns();
    raw.ask(Infinity);
    await turns();
    raw.ask(1);
    await turns();
    expect(source.demands).toEqual([9_999, 10_000]);
    p.push(times(10_000, 0));
    await p.call(nothing);
    expect(source.demands).toEqual([9_999, 10_000, 10_000]);
  });

  test("3.9 not while its buffer is over its limit, nor once it is ending", async () => {
    class Holding extends Single {
      override dispatch(): number {
        return 0;
      }
    }
    const demands: number[] = [];
    const p = producer<number>(
      {
        handleDemand(demand) {
          demands.push(demand);
          return [1, 2, 3];
        },
      },
      { runtime: testRuntime(), bufferSize: 2, dispatcher: new Holding() },
    );
    const raw = new RawConsumer<number>().attach(p).ask(3);
    await turns();
    raw.ask(5);
    await turns();
    expect([demands, p.bufferedCount]).toEqual([[3], 3]);
    const ending = quiet();
    ending.p.push([1, 2, 3]);
    ending.p.complete();
    await turns();
    ending.raw.ask(9);
    await turns();
    expect([ending.source.demands, ending.raw.batches]).toEqual([[], [[1, 2, 3]]]);
  });

  test("3.10 an object that returns fewer pushes the rest later", async () => {
    const demands: number[] = [];
    const p = producer<number>(
      {
        handleDemand(demand) {
          demands.push(demand);
          return [1];
        },
      },
      { runtime: testRuntime() },
    );
    const raw = new RawConsumer<number>().attach(p).ask(3);
    await turns();
    expect([demands, raw.batches]).toEqual([[3], [[1]]]);
    p.push([2, 3]);
    expect(raw.batches).toEqual([[1], [2, 3]]);
  });

  test("3.10 the one-function form is asked again as long as it returns events", async () => {
    const demands: number[] = [];
    const p = producer<number>(
      (demand) => {
        demands.push(demand);
        return demands.length < 3 ? [demands.length] : [];
      },
      { runtime: testRuntime() },
    );
    const raw = new RawConsumer<number>().attach(p).ask(9);
    await turns();
    expect([demands, raw.batches.flat()]).toEqual([
      [9, 8, 7],
      [1, 2],
    ]);
  });

  test("3.10 what is more than was asked for is kept", async () => {
    const p = producer<number>({ handleDemand: () => [1, 2, 3] }, { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p).ask(1);
    await turns();
    expect([raw.batches, p.bufferedCount]).toEqual([[[1]], 2]);
  });

  test("3.11 a producerConsumer takes input only while there is demand and what it holds is within its limit", async () => {
    const runtime = testRuntime();
    const doubler = new Doubler<number>();
    const t = producerConsumer(doubler, { runtime, bufferSize: 2 });
    const input = new RawProducer<number>();
    t.subscribe(input.producer, { maxDemand: 4, minDemand: 2 });
    await turns();
    input.port.events([0, 1]);
    input.port.events([2, 3]);
    await turns();
    expect(doubler.handled).toEqual([]);
    const raw = new RawConsumer<number>().attach(t).ask(1);
    await turns();
    expect([doubler.handled, raw.batches, t.bufferedCount]).toEqual([[[0, 1]], [[0]], 3]);
    raw.ask(3);
    await turns();
    expect([doubler.handled, t.bufferedCount]).toEqual([[[0, 1]], 0]);
    raw.ask(1);
    await turns();
    expect(doubler.handled.slice(1)).toEqual([[2, 3]]);
  });

  test("3.11 not while it holds more than its limit, though there is demand", async () => {
    const runtime = testRuntime();
    const doubler = new Doubler<number>();
    const dispatcher = partitionDispatcher({ partitions: 2, hash: (n: number) => n % 2 });
    const t = producerConsumer(doubler, { runtime, bufferSize: 2, dispatcher });
    const input = new RawProducer<number>();
    t.subscribe(input.producer);
    new RawConsumer<number>("even").attach(t, { partition: 0 }).ask(9);
    await turns();
    input.port.events([1, 3]);
    input.port.events([2]);
    await turns();
    expect([doubler.handled, t.bufferedCount, t.demand]).toEqual([[[1, 3]], 4, 9]);
    new RawConsumer<number>("odd").attach(t, { partition: 1 }).ask(2);
    await turns();
    expect([doubler.handled, t.bufferedCount]).toEqual([[[1, 3], [2]], 2]);
  });

  test("3.11 input that comes later does not overtake what waits", async () => {
    const doubler = new Doubler<number>();
    const t = producerConsumer(doubler, { runtime: testRuntime() });
    const input = new RawProducer<number>();
    t.subscribe(input.producer);
    const raw = new RawConsumer<number>().attach(t);
    await turns();
    input.port.events([1]);
    input.port.events([2]);
    await turns();
    raw.ask(9);
    input.port.events([3]);
    input.port.events([4]);
    await turns();
    expect(doubler.handled).toEqual([[1], [2], [3], [4]]);
  });

  test("3.11 ends and cancellations behind waiting input keep their order, and no info overtakes it", async () => {
    const runtime = testRuntime();
    const doubler = new Doubler<number>();
    const t = producerConsumer(doubler, { runtime });
    const [left, ended] = [new RawProducer<number>(), new RawProducer<number>()];
    const subscription = t.subscribe(left.producer, { maxDemand: 4, minDemand: 0, cancel: "temporary" });
    t.subscribe(ended.producer, { maxDemand: 4, minDemand: 0 });
    await turns();
    left.port.events([1]);
    ended.port.events([2]);
    void t.info(() => doubler.log.push(["info"]));
    subscription.cancel();
    ended.port.end({ reason: { type: "complete" } });
    await turns();
    expect(doubler.log.map(([what]) => what)).toEqual(["subscribed", "subscribed"]);
    new RawConsumer<number>().attach(t).ask(9);
    await t.done;
    const order = doubler.log.slice(3).map(([what, about]) => (what === "handled" ? about : what));
    expect(order.filter((what) => what !== "info")).toEqual([[1], [2], "cancelled", "cancelled", "terminated"]);
    expect(order.indexOf("info")).toBeGreaterThan(1);
  });

  test("3.12 accumulate logs demands without summing them up, until the mode is forward", async () => {
    const { source, p, raw } = quiet({ demandMode: "accumulate" });
    raw.ask(2);
    await turns();
    raw.ask(3);
    await turns();
    expect(source.demands).toEqual([]);
    p.demandMode = "forward";
    await turns();
    expect(source.demands).toEqual([2, 3]);
  });

  test("3.12 logged events count as buffered, and those of a replayed demand go behind them", async () => {
    const p = producer(new Counter(1), { runtime: testRuntime(), demandMode: "accumulate" });
    const raw = new RawConsumer<number>().attach(p).ask(4);
    await turns();
    p.push([100, 101]);
    await turns();
    expect([p.bufferedCount, raw.batches]).toEqual([2, []]);
    p.demandMode = "forward";
    await turns();
    expect([raw.batches.flat(), p.bufferedCount]).toEqual([[100, 101, 0, 1], 2]);
  });
});
