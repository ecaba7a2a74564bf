import { describe, expect, test } from "vitest";
import { broadcastDispatcher, consumer, fromIterable, partitionDispatcher, producer } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, Forwarder, Quiet, RawConsumer } from "../support/stages.ts";

const even = (n: number): boolean => n % 2 === 0;
const parity = { partitions: 2, hash: (n: number) => n % 2 };

const dropping = () => partitionDispatcher({ partitions: 1, hash: (n: number) => (even(n) ? 0 : undefined) });
async function* numbers(): AsyncGenerator<number> {
  for (let n = 0; n < 40; n += 1) yield n;
}

describe("demandDispatcher", () => {
  test("T-11 serves the buffer to the next consumer at once and in order", async () => {
    const source = new Quiet<number>();
    const p = producer(source, { runtime: testRuntime() });
    const first = new RawConsumer<number>("first").attach(p).ask(10);
    await turns();
    first.leave();
    await turns();
    p.push([1, 2, 3]);
    const second = new RawConsumer<number>("second").attach(p).ask(5);
    await turns();
    expect(second.batches).toEqual([[1, 2, 3]]);
    p.push(range(4, 10));
    expect(second.batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    second.ask(5);
    await turns();
    expect(second.batches.flat()).toEqual(range(1, 10));
    expect(source.demands).toEqual([10]);
  });
});

describe("broadcastDispatcher", () => {
  test("T-12 goes on after events that came while nobody was there", async () => {
    const source = new Quiet<number>();
    const p = producer(source, { runtime: testRuntime(), dispatcher: broadcastDispatcher() });
    const first = new RawConsumer<number>("first").attach(p).ask(10);
    await turns();
    first.leave();
    await turns();
    p.push(range(1, 10));
    const second = new RawConsumer<number>("second").attach(p).ask(10);
    await turns();
    expect([second.batches, source.demands]).toEqual([[range(1, 10)], [10]]);
    second.ask(10);
    await turns();
    expect(source.demands).toEqual([10, 10]);
    p.push([11]);
    expect(second.batches).toEqual([range(1, 10), [11]]);
  });

  test("T-12 goes on after events that came while a late subscriber had not asked", async () => {
    const source = new Quiet<number>();
    const p = producer(source, { runtime: testRuntime(), dispatcher: broadcastDispatcher() });
    const first = new RawConsumer<number>("first").attach(p).ask(10);
    await turns();
    const second = new RawConsumer<number>("second").attach(p);
    await turns();
    p.push(range(1, 10));
    expect([first.batches, second.batches, p.bufferedCount]).toEqual([[], [], 10]);
    second.ask(10);
    await turns();
    expect([first.batches, second.batches]).toEqual([[range(1, 10)], [range(1, 10)]]);
    first.ask(1);
    second.ask(2);
    await turns();
    expect(source.demands).toEqual([10, 1]);
  });

  test("T-13 refuses the third subscription of a consumer like the second", async () => {
    const runtime = testRuntime();
    const p = producer(new Counter(1), { runtime, dispatcher: broadcastDispatcher() });
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    c.subscribe(p, { maxDemand: 4, minDemand: 0 });
    expect(codeOf(() => c.subscribe(p))).toBe("ERR_DUPLICATE");
    await turns();
    expect(codeOf(() => c.subscribe(p))).toBe("ERR_DUPLICATE");
    await turns();
    expect(sink.batches).toEqual([range(0, 3)]);
  });

  test("T-20 a selector that is no function is told to who subscribes, and the producer lives", async () => {
    const runtime = testRuntime();
    const p = producer(new Counter(1), { runtime, dispatcher: broadcastDispatcher() });
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    expect(codeOf(() => c.subscribe(p, { selector: "even" } as object))).toBe("ERR_OPTION");
    c.subscribe(p, { maxDemand: 2, minDemand: 0 });
    await turns();
    expect([p.state, c.state, sink.batches]).toEqual(["running", "running", [[0, 1]]]);
  });

  test("T-25 a manual consumer gets no empty batch when its selector matches nothing", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const p = producer(source, { runtime, dispatcher: broadcastDispatcher() });
    const sink = new Forwarder<number>();
    const subscription = consumer(sink, { runtime }).subscribe(p, { demand: "manual", selector: even });
    await turns();
    subscription.ask(2);
    await turns();
    p.push([1, 3]);
    await turns();
    expect([sink.batches, subscription.pending, p.demand]).toEqual([[], 2, 2]);
    p.push([4, 5]);
    await turns();
    expect([sink.batches, subscription.pending]).toEqual([[[4]], 1]);
  });
});

describe("partitionDispatcher", () => {
  test("T-17 keeps the events of a partition whose consumer has gone", async () => {
    const source = new Quiet<number>();
    const p = producer(source, { runtime: testRuntime(), dispatcher: partitionDispatcher(parity) });
    const odd = new RawConsumer<number>("odd").attach(p, { partition: 1 }).ask(5);
    const first = new RawConsumer<number>("first").attach(p, { partition: 0 });
    await turns();
    p.push([2, 4, 6, 8, 1]);
    first.leave();
    await turns();
    expect([odd.batches, p.bufferedCount]).toEqual([[[1]], 4]);
    const second = new RawConsumer<number>("second").attach(p, { partition: 0 }).ask(4);
    await turns();
    expect([second.batches, p.bufferedCount]).toEqual([[[2, 4, 6, 8]], 0]);
  });

  test("T-18 a dropped event gives its demand back", async () => {
    const runtime = testRuntime();
    const source = new Counter(9);
    const sink = new Forwarder<number>();
    const p = producer(source, { runtime, dispatcher: dropping() });
    consumer(sink, { runtime }).subscribe(p, { partition: 0, maxDemand: 4, minDemand: 1 });
    await turns();
    // Half of what comes is dropped: of 4 asked for 2 are still wanted, of 2 one, with 3 that are asked for anew.
    expect(source.demands).toEqual([4, 2, 4, 2, 4, 2, 4, 2, 4, 2]);
    expect(sink.batches).toEqual([[0, 2], [4], [6, 8], [10], [12, 14], [16], [18, 20], [22], [24, 26]]);
  });

  test("T-18 a dropped event of a finite source gives its demand back", async () => {
    const runtime = testRuntime();
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    c.subscribe(fromIterable(range(0, 39), { runtime, dispatcher: dropping() }), {
      partition: 0,
      maxDemand: 4,
      minDemand: 1,
    });
    await turns();
    expect(sink.batches.flat()).toEqual(range(0, 19).map((n) => 2 * n));
    expect(c.state).toBe("completed");
  });

  test("T-18 a dropped event of an asynchronous source gives its demand back", async () => {
    const runtime = testRuntime();
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    c.subscribe(fromIterable(numbers(), { runtime, dispatcher: dropping() }), {
      partition: 0,
      maxDemand: 4,
      minDemand: 1,
    });
    await turns(8);
    expect(sink.batches.flat()).toEqual(range(0, 19).map((n) => 2 * n));
    expect(c.state).toBe("completed");
  });

  test("T-18 an event passed over by a selector gives its demand back to an asynchronous source", async () => {
    const runtime = testRuntime();
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    const p = fromIterable(numbers(), { runtime, dispatcher: broadcastDispatcher() });
    c.subscribe(p, { selector: even, maxDemand: 4, minDemand: 1 });
    await turns(8);
    expect(sink.batches.flat()).toEqual(range(0, 19).map((n) => 2 * n));
    expect(c.state).toBe("completed");
  });

  test("T-19 an info does not wait for a partition whose demand is just used up, or that nobody consumes", async () => {
    const p = producer(new Quiet<number>(), { runtime: testRuntime(), dispatcher: partitionDispatcher(parity) });
    const raw = new RawConsumer<number>().attach(p, { partition: 0 }).ask(2);
    await turns();
    p.push([2, 4]);
    expect([raw.batches, p.demand]).toEqual([[[2, 4]], 0]);
    expect(await p.info(() => "info")).toBe("info");
  });

  test("T-19 an info behind events for a partition that nobody consumes comes with its consumer", async () => {
    const p = producer(new Quiet<number>(), { runtime: testRuntime(), dispatcher: partitionDispatcher(parity) });
    const odd = new RawConsumer<number>("odd").attach(p, { partition: 1 }).ask(9);
    await turns();
    p.push([1, 2, 3]);
    const delivered: string[] = [];
    void p.info(() => delivered.push("info"));
    await turns();
    expect([odd.batches, delivered]).toEqual([[[1, 3]], []]);
    // Events that come later are not waited for.
    p.push([5, 4]);
    new RawConsumer<number>("even").attach(p, { partition: 0 }).ask(1);
    await turns();
    expect([delivered, p.bufferedCount]).toEqual([["info"], 1]);
  });

  test("T-20 a missing, taken or unknown partition is told to who subscribes, and the producer lives", async () => {
    const runtime = testRuntime();
    const p = producer(new Counter(1), { runtime, dispatcher: partitionDispatcher(parity) });
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    const other = consumer(new Forwarder<number>(), { runtime });
    c.subscribe(p, { partition: 0, maxDemand: 4, minDemand: 3 });
    const wrong = [{}, { partition: 0 }, { partition: 2 }, { partition: "0" }] as { partition: number }[];
    expect(wrong.map((options) => codeOf(() => other.subscribe(p, options)))).toEqual([
      "ERR_PARTITION",
      "ERR_PARTITION_TAKEN",
      "ERR_PARTITION",
      "ERR_PARTITION",
    ]);
    await turns();
    expect([p.state, c.state, other.state, other.subscriptions]).toEqual(["running", "running", "running", []]);
    expect(sink.batches.flat()).toEqual([0, 2]);
  });
});
