/*
 * Known traps of GenStage 1.3.2, each with a test that fails on GenStage's behaviour. Those that belong to a dispatcher
 * stand in traps-dispatchers.test.ts. No counterpart, and why:
 *
 *   T-02  a cancel of an unknown subscription   links have no tags; the end of a link is not confirmed
 *   T-04  wrapped exit reasons                  reasons are data, errors arrive as they are: GS-073, GS-075
 *   T-05  default call and cast                 `call` takes a function, there is nothing to leave out
 *   T-06  hibernate in init                     no hibernation
 *   T-09  hibernate in handle_cancel            no hibernation
 *   T-23  shuffled demands                      no shuffle; "even" passes over consumers without demand
 *   T-30  min_demand of ConsumerSupervisor      a supervisor of its own
 *   T-31  the name of a test                    GS-033 is named for what holds
 */
import { describe, expect, test } from "vitest";
import { consumer, fromIterable, OverflowError, producer, producerConsumer } from "../../src/index.ts";
import { range, testRuntime, turns, twice } from "../support/runtime.ts";
import { codeOf, Counter, cut, Doubler, Forwarder, type Log, Quiet, RawConsumer, times } from "../support/stages.ts";

/** Hands events on as they are. */
const relay = () => {
  const handled: (readonly number[])[] = [];
  const handleEvents = (events: readonly number[]): readonly number[] => {
    handled.push(events);
    return events;
  };
  return { handled, handleEvents };
};

describe("demand and callbacks", () => {
  test("T-01 a batch is cut by max - min, not where min is reached, and the ask fills up to max", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const p = producer(source, { runtime });
    const sink = new Forwarder<number>();
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 100, minDemand: 50 });
    await turns();
    p.push(range(1, 30));
    p.push(range(31, 70));
    await turns();
    // By the guide: 30, then 20 with an ask of 50, then 20.
    expect(sink.batches).toEqual(cut(1, [30, 40]));
    expect(source.demands).toEqual([100, 70]);
  });

  test("T-03 subscribe answers before handleSubscribe has run", async () => {
    const runtime = testRuntime();
    const sink = new Forwarder<number>();
    const subscription = consumer(sink, { runtime }).subscribe(producer(new Counter(0), { runtime }));
    expect([subscription.state, sink.log]).toEqual(["pending", []]);
    await turns();
    expect([subscription.state, sink.log]).toEqual(["active", [["subscribed", "producer"]]]);
  });

  test("T-07 a buffer of size 0 holds nothing, and the producer starts", async () => {
    const p = producer(new Quiet<number>(), { runtime: testRuntime(), bufferSize: 0 });
    let rejected: readonly unknown[] = [];
    try {
      p.push([1, 2]);
    } catch (error) {
      if (error instanceof OverflowError) rejected = error.rejected;
    }
    expect([rejected, p.bufferedCount]).toEqual([[1, 2], 0]);
    const raw = new RawConsumer<number>().attach(p).ask(2);
    await turns();
    expect(p.push([3, 4])).toBe(true);
    expect(raw.batches).toEqual([[3, 4]]);
    expect(codeOf(() => p.push([5]))).toBe("ERR_OVERFLOW");
  });

  test("T-08 the demand mode of a producerConsumer can be read, a consumer has none", async () => {
    const runtime = testRuntime();
    const d = producerConsumer(new Doubler<number>(), { runtime });
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    expect(d.demandMode).toBe("forward");
    expect("demandMode" in c).toBe(false);
    c.subscribe(d);
    d.subscribe(fromIterable([1, 2], { runtime }));
    await d.done;
    await c.done;
    expect(sink.batches).toEqual([[1, 1, 2, 2]]);
  });

  test("T-10 events emitted in handleCancel do not go to the consumer that has gone", async () => {
    const p = producer<number>(
      { handleDemand: () => [], handleCancel: (_reason, _subscription, stage) => void stage.push([1, 2]) },
      { runtime: testRuntime() },
    );
    const first = new RawConsumer<number>("first").attach(p).ask(10);
    await turns();
    first.leave();
    await turns();
    expect([first.batches, p.bufferedCount]).toEqual([[], 2]);
    const second = new RawConsumer<number>("second").attach(p).ask(10);
    await turns();
    expect(second.batches).toEqual([[1, 2]]);
  });

  test.each([3, Number.POSITIVE_INFINITY])(
    "T-21 an info needs no further ask, and does not count, bufferSize %s",
    async (bufferSize) => {
      const p = producer(new Quiet<number>(), { runtime: testRuntime(), bufferSize });
      p.push([1, 2, 3]);
      const delivered: string[] = [];
      void p.info(() => delivered.push("info"));
      await turns();
      expect(p.bufferedCount).toBe(3);
      const raw = new RawConsumer<number>().attach(p).ask(3);
      await turns();
      expect([raw.batches, delivered, p.bufferedCount]).toEqual([[[1, 2, 3]], ["info"], 0]);
    },
  );

  test("T-22 subscribing to what is no producer is told to who subscribes", async () => {
    const c = consumer(new Forwarder<number>(), { runtime: testRuntime() });
    for (const nobody of ["a name", undefined, null, {}])
      expect(codeOf(() => c.subscribe(nobody as never))).toBe("ERR_NOT_PRODUCER");
    await turns();
    expect([c.state, c.subscriptions]).toEqual(["running", []]);
  });

  test("T-24 whoever asks, events go to the consumer of the subscription", async () => {
    const runtime = testRuntime();
    const p = producer(new Counter(1), { runtime });
    const sink = new Forwarder<number>();
    const other = new Forwarder<number>();
    const subscription = consumer(sink, { runtime }).subscribe(p, { demand: "manual" });
    const asking = consumer(other, { runtime });
    asking.subscribe(p, { demand: "manual" });
    await turns();
    await asking.call(() => subscription.ask(3));
    await turns();
    expect([sink.batches, other.batches]).toEqual([[[0, 1, 2]], []]);
  });

  test("T-26 a loop over a finite source ends well, with a permanent subscription", async () => {
    const p = fromIterable([1, 2, 3], { runtime: testRuntime() });
    const seen: number[] = [];
    for await (const event of p) seen.push(event);
    expect(seen).toEqual([1, 2, 3]);
    await p.done;
    expect(p.state).toBe("completed");
  });

  test("T-27 wrong subscribe options throw, and nothing is subscribed", async () => {
    const runtime = testRuntime();
    const p = producer(new Counter(1), { runtime });
    const c = consumer(new Forwarder<number>(), { runtime });
    const wrong = [{ maxDemand: 0 }, { maxDemand: 5, minDemand: 5 }, { minDemand: -1 }, { maxDemand: Number.NaN }];
    expect(wrong.map((options) => codeOf(() => c.subscribe(p, options)))).toEqual(times(4, "ERR_RANGE"));
    expect(codeOf(() => c.subscribe(p, { cancel: "never" } as object))).toBe("ERR_OPTION");
    await turns();
    expect([c.subscriptions, p.inspect().links, c.state]).toEqual([[], [], "running"]);
  });
});

describe("producerConsumer", () => {
  test("T-14 takes nothing any more when the consumer that had asked has gone", async () => {
    const runtime = testRuntime();
    const source = new Counter(1000);
    const { handled, handleEvents } = relay();
    const d = producerConsumer({ handleEvents }, { runtime });
    const raw = new RawConsumer<number>().attach(d).ask(1000);
    await turns();
    raw.leave();
    await turns();
    d.subscribe(producer(source, { runtime }), { maxDemand: 10, minDemand: 5 });
    await turns();
    expect([source.demands, handled, d.demand, d.bufferedCount]).toEqual([[10], [], 0, 0]);
  });

  test("T-14 stops taking when its only consumer goes in the middle", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const p = producer(source, { runtime });
    const { handled, handleEvents } = relay();
    const d = producerConsumer({ handleEvents }, { runtime });
    d.subscribe(p, { maxDemand: 10, minDemand: 5 });
    const raw = new RawConsumer<number>().attach(d).ask(1000);
    await turns();
    p.push(range(1, 10));
    await turns();
    raw.leave();
    await turns();
    p.push(range(11, 20));
    await turns();
    expect(handled).toEqual(cut(1, [5, 5]));
    // Its input waits: nothing more is asked for.
    expect(source.demands).toEqual([10, 5, 5]);
    expect([d.bufferedCount, p.demand]).toEqual([0, 0]);
  });

  test("T-15 keeps the order for the next consumer", async () => {
    const runtime = testRuntime();
    const { handleEvents } = relay();
    const d = producerConsumer({ handleEvents }, { runtime });
    d.subscribe(producer(new Counter(4, 1), { runtime }), { maxDemand: 5, minDemand: 4 });
    const first = new RawConsumer<number>("first").attach(d).ask(10);
    await turns();
    first.leave({ type: "cancel" }, first.batches.flat().slice(3));
    await turns();
    const second = new RawConsumer<number>("second").attach(d);
    for (const count of [1, 2, 20]) {
      second.ask(count);
      await turns();
    }
    // Of 1..8 the first has handled 3; the rest came back, in order and before everything else.
    expect(first.batches.flat()).toEqual(range(1, 8));
    expect(second.batches.flat()).toEqual(range(4, 8));
  });

  test("T-15 keeps the order of more than one consumer can take", async () => {
    const runtime = testRuntime();
    const p = producer(new Quiet<number>(), { runtime });
    const { handleEvents } = relay();
    const d = producerConsumer({ handleEvents }, { runtime });
    d.subscribe(p, { maxDemand: 20, minDemand: 5 });
    const first = new RawConsumer<number>("first").attach(d).ask(10);
    await turns();
    first.leave();
    await turns();
    p.push(range(1, 15));
    const second = new RawConsumer<number>("second").attach(d);
    for (const count of [4, 1, 4, 2, 20]) {
      second.ask(count);
      await turns();
    }
    expect(second.batches).toEqual(cut(1, [4, 1, 4, 2, 4]));
  });

  test.each(["permanent", "transient"] as const)(
    "T-16 delivers its buffer when a %s source has ended",
    async (cancel) => {
      const runtime = testRuntime();
      const sink = new Forwarder<number>();
      const d = producerConsumer(new Doubler<number>(), { runtime });
      const c = consumer(sink, { runtime });
      c.subscribe(d, { maxDemand: 2, minDemand: 0 });
      d.subscribe(fromIterable(range(0, 9), { runtime }), { cancel });
      await turns();
      expect(sink.batches).toEqual(cut(0, times(10, 1)).map(([n]) => [n, n]));
      expect(sink.batches.flat()).toEqual(twice(0, 9));
      // Only a permanent source takes the stage along.
      expect([d.state, c.state]).toEqual(cancel === "permanent" ? ["completed", "completed"] : ["running", "running"]);
    },
  );

  test("T-28 splits the input of a source that has ended as ever, and names its subscription", async () => {
    const runtime = testRuntime();
    const double = new Doubler<number>();
    const p = producer(new Quiet<number>(), { runtime });
    const d = producerConsumer(double, { runtime });
    const subscription = d.subscribe(p, { maxDemand: 10, minDemand: 5, cancel: "temporary" });
    await turns();
    p.push(range(1, 10));
    await p.stop();
    await turns();
    expect(double.log).toEqual([["subscribed", "producer"]]);
    const raw = new RawConsumer<number>().attach(d).ask(100);
    await turns();
    expect(double.log.slice(1)).toEqual([
      ["subscribed", "consumer"],
      ["handled", range(1, 5)],
      ["handled", range(6, 10)],
      ["cancelled", { type: "stop", reason: undefined }],
    ]);
    expect(double.seen.map((seen) => seen === subscription)).toEqual([true, false, true, true, true]);
    expect(raw.batches.flat()).toEqual(twice(1, 10));
  });

  test("T-29 events emitted in a handleCancel that waited count against demand", async () => {
    const runtime = testRuntime();
    const log: Log = [];
    const sources = [1, 2].map(() => producer(new Quiet<number>(), { runtime }));
    const d = producerConsumer<number, number>(
      {
        handleEvents: (events) => events,
        handleCancel: (_reason, _subscription, stage) => void stage.push([100, 101]),
      },
      { runtime },
    );
    for (const source of sources) d.subscribe(source, { maxDemand: 10, minDemand: 5, cancel: "temporary" });
    await turns();
    sources[0]?.push([1, 2]);
    await sources[0]?.stop();
    sources[1]?.push([3, 4, 5]);
    await turns();
    const raw = new RawConsumer<number>("raw", log).attach(d).ask(5);
    await turns();
    // GenStage delivers 7 of the 5 it was asked for.
    expect(raw.batches.flat()).toEqual([1, 2, 100, 101, 3]);
    expect([d.demand, d.bufferedCount]).toEqual([0, 2]);
    raw.ask(5);
    await turns();
    expect(raw.batches.flat()).toEqual([1, 2, 100, 101, 3, 4, 5]);
  });

  // GenStage's handle_cancel waits for demand even when no input is left before it: X-08.
  test("T-29 a handleCancel that waited comes as soon as the input before it is handled", async () => {
    const runtime = testRuntime();
    const double = new Doubler<number>();
    const source = producer(new Quiet<number>(), { runtime });
    const d = producerConsumer(double, { runtime });
    d.subscribe(source, { maxDemand: 10, minDemand: 5, cancel: "temporary" });
    await turns();
    source.push([1]);
    await source.stop();
    await turns();
    const informed: string[] = [];
    void d.info(() => informed.push("info"));
    const raw = new RawConsumer<number>().attach(d).ask(2);
    await turns();
    expect([raw.batches, d.demand]).toEqual([[[1, 1]], 0]);
    expect(double.log.slice(2)).toEqual([
      ["handled", [1]],
      ["cancelled", { type: "stop", reason: undefined }],
    ]);
    expect(informed).toEqual(["info"]);
  });
});
