import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type BroadcastOptions,
  broadcastDispatcher,
  consumer,
  demandDispatcher,
  type Discarded,
  type OverflowError,
  partitionDispatcher,
  producer,
  producerConsumer,
} from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, FakeLink, Forwarder, outcome, Quiet, RawConsumer, RawProducer } from "../support/stages.ts";
import { Single } from "./single.ts";

const nothing = () => {};
const parity = { partitions: 2, hash: (n: number) => n % 2 };

/** Zero is dropped. */
const evenOrOdd = (n: number) => (n === 0 ? undefined : n % 2 === 0 ? "even" : "odd");
/** Which keys come to which of three partitions. */
const place = async () => {
  const dispatcher = partitionDispatcher({ partitions: 3, by: (key: string | number | bigint | boolean) => key });
  const p = producer(nothing, { runtime: testRuntime(), dispatcher });
  const raws = range(0, 2).map((partition) => new RawConsumer<unknown>().attach(p, { partition }).ask(99));
  await turns();
  p.push(["ann", "bob", 7, 12n, true, false, "ann", 7]);
  return raws.map((raw) => raw.batches.flat());
};
/** A producer that serves nothing by itself, and what it discards. */
const quiet = (options: object = {}) => {
  const discarded: Discarded[] = [];
  const onDiscard = (one: Discarded) => void discarded.push(one);
  const source = new Quiet<number>();
  const p = producer(source, { runtime: testRuntime(), name: "p", onDiscard, ...options });
  return { source, p, discarded };
};
/** Dispatchers with two links; of the partitioned one each has its partition. */
const dispatchers = () =>
  [
    { dispatcher: demandDispatcher(), of: () => ({}) },
    { dispatcher: broadcastDispatcher(), of: () => ({}) },
    { dispatcher: partitionDispatcher({ ...parity, maxQueued: 2 }), of: (partition: number) => ({ partition }) },
  ].map(({ dispatcher, of }) => {
    const links = [new FakeLink<number>("0"), new FakeLink<number>("1")] as const;
    for (const [i, link] of links.entries()) dispatcher.subscribe(link, of(i) as never);
    return { dispatcher, links };
  });

afterEach(() => void vi.restoreAllMocks());

describe("4. Dispatch and buffer", () => {
  test("4.1 a dispatcher places events from the front of a batch and returns how many it took", () => {
    const [demand, broadcast, partition] = dispatchers();
    for (const each of [demand, broadcast, partition]) expect(each?.dispatcher.dispatch([0, 1])).toBe(0);
    for (const each of [demand, broadcast, partition])
      for (const link of each?.links ?? []) each?.dispatcher.ask(link, 1);
    expect(demand?.dispatcher.dispatch([0, 1, 2])).toBe(2);
    expect(demand?.links.flatMap((link) => link.take())).toEqual([[0], [1]]);
    expect(broadcast?.dispatcher.dispatch([0, 1, 2])).toBe(1);
    expect(broadcast?.links.flatMap((link) => link.take())).toEqual([[0], [0]]);
    // One of each two is delivered, the other kept.
    expect(partition?.dispatcher.dispatch([0, 2, 4])).toBe(2);
    expect(partition?.links.flatMap((link) => link.take())).toEqual([[0]]);
    expect(partition?.dispatcher.queued).toBe(1);
  });

  test.each([[-1], [4], [1.5], [undefined]])(
    "4.1 one that returns %s of three events fails its stage",
    async (count) => {
      class Lying extends Single {
        override dispatch(): number {
          return count as number;
        }
      }
      const { p } = quiet({ dispatcher: new Lying() });
      const ended = outcome(p);
      new RawConsumer<number>().attach(p).ask(3);
      await turns();
      p.push([1, 2, 3]);
      expect(await ended).toMatchObject({ name: "ProtocolError", code: "ERR_DISPATCHER" });
    },
  );

  test("4.1 so does one that delivers more on a link than was asked for", async () => {
    class Generous extends Single {
      override dispatch(events: readonly number[]): number {
        this.wanted = events.length;
        return super.dispatch(events);
      }
    }
    const { p } = quiet({ dispatcher: new Generous() });
    const ended = outcome(p);
    const raw = new RawConsumer<number>().attach(p).ask(1);
    await turns();
    p.push([1, 2]);
    expect([raw.batches, await ended]).toMatchObject([[], { code: "ERR_DISPATCHER" }]);
  });

  test("4.2 wanted is what could be placed now, queued what is kept", () => {
    const wanted = dispatchers().map(({ dispatcher, links }) => {
      dispatcher.ask(links[0], 3);
      dispatcher.ask(links[1], 1);
      return [dispatcher.wanted, dispatcher.queued];
    });
    expect(wanted).toEqual([
      [4, 0],
      [1, 0],
      [3, 0],
    ]);
  });

  test("4.2 one that keeps events hands them over at the end and tells when those kept have gone", () => {
    const dispatcher = partitionDispatcher(parity);
    const [even, odd] = [new FakeLink<number>("even"), new FakeLink<number>("odd")];
    dispatcher.subscribe(even, { partition: 0 });
    dispatcher.subscribe(odd, { partition: 1 });
    dispatcher.ask(even, 4);
    expect(dispatcher.dispatch([1, 3])).toBe(2);
    let sent = 0;
    dispatcher.whenSent?.(() => (sent += 1));
    expect(dispatcher.dispatch([5])).toBe(1);
    dispatcher.ask(odd, 1);
    expect([odd.take(), sent]).toEqual([[[1]], 0]);
    dispatcher.ask(odd, 1);
    expect([odd.take(), sent, dispatcher.queued]).toEqual([[[3]], 1, 1]);
    expect([dispatcher.clear?.(), dispatcher.queued]).toEqual([[5], 0]);
  });

  test("4.3 demand: each event goes to one consumer, the neediest first, of equals the one that came there first", () => {
    const dispatcher = demandDispatcher();
    const [a, b, c] = [new FakeLink<number>("a"), new FakeLink<number>("b"), new FakeLink<number>("c")];
    for (const link of [a, b, c]) dispatcher.subscribe(link, {});
    dispatcher.ask(a, 2);
    dispatcher.ask(b, 3);
    dispatcher.ask(c, 2);
    expect(dispatcher.wanted).toBe(7);
    expect(dispatcher.dispatch(range(1, 6))).toBe(6);
    expect([b.take(), a.take(), c.take()]).toEqual([[[1, 2, 3]], [[4, 5]], [[6]]]);
    expect(dispatcher.wanted).toBe(1);
  });

  test("4.3 even deals in rounds", () => {
    const dispatcher = demandDispatcher({ spread: "even" });
    const [a, b] = [new FakeLink<number>("a"), new FakeLink<number>("b")];
    for (const link of [a, b]) dispatcher.subscribe(link, {});
    dispatcher.ask(a, 9);
    dispatcher.ask(b, 9);
    // ⌈5 / 2⌉ for the first, the rest for the second.
    expect(dispatcher.dispatch(range(1, 5))).toBe(5);
    expect([a.take().flat(), b.take().flat()].toSorted((one, other) => other.length - one.length)).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  test("4.3 even places nothing while an automatic subscription has yet to ask for the first time", async () => {
    const { p } = quiet({ dispatcher: demandDispatcher({ spread: "even" }) });
    const [early, late] = [new Forwarder<number>(), new Forwarder<number>()];
    const runtime = testRuntime();
    let settle = nothing;
    const wait = () => new Promise<void>((resolve) => void (settle = resolve));
    consumer(early, { runtime }).subscribe(p);
    consumer(Object.assign(late, { handleSubscribe: wait }), { runtime }).subscribe(p);
    await turns();
    p.push([1, 2]);
    await turns();
    expect([early.batches, late.batches]).toEqual([[], []]);
    settle();
    await turns();
    expect([early.batches.flat().length, late.batches.flat().length]).toEqual([1, 1]);
  });

  test("4.4 broadcast: each event goes to every consumer at that moment, at the pace of the slowest", async () => {
    const { p } = quiet({ dispatcher: broadcastDispatcher() });
    const [fast, slow] = [new RawConsumer<number>("fast").attach(p), new RawConsumer<number>("slow").attach(p)];
    fast.ask(5);
    slow.ask(2);
    await turns();
    expect(p.demand).toBe(2);
    p.push([1, 2, 3]);
    const late = new RawConsumer<number>("late").attach(p).ask(9);
    await turns();
    expect([fast.batches, slow.batches, late.batches]).toEqual([[[1, 2]], [[1, 2]], []]);
    expect(p.inspect().stages[0]?.dispatcher?.heldBy).toEqual(["slow"]);
    slow.ask(1);
    await turns();
    expect([fast.batches[1], slow.batches[1], late.batches]).toEqual([[3], [3], [[3]]]);
  });

  test("4.4 who subscribes while an event is delivered does not get it", async () => {
    const { p } = quiet({ dispatcher: broadcastDispatcher() });
    const late = new RawConsumer<number>("late");
    const first = new RawConsumer<number>("first");
    Object.assign(first, { events: () => void late.attach(p).ask(9) });
    first.attach(p).ask(1);
    await turns();
    p.push([1]);
    await turns();
    expect(late.batches).toEqual([]);
  });

  test("4.4 what a selector passes over costs no demand", async () => {
    const { p } = quiet({ dispatcher: broadcastDispatcher() });
    const even = new RawConsumer<number>().attach(p, { selector: (n: number) => n % 2 === 0 }).ask(2);
    await turns();
    p.push([1, 3]);
    expect([p.demand, even.batches]).toEqual([2, []]);
    p.push([5, 6]);
    expect([p.demand, even.batches]).toEqual([1, [[6]]]);
  });

  test("4.4 nothing is asked for or delivered until startAfter consumers have been there at the same time", async () => {
    const { p, source } = quiet({ dispatcher: broadcastDispatcher({ startAfter: 2 }) });
    const first = new RawConsumer<number>().attach(p).ask(3);
    await turns();
    p.push([1]);
    expect([source.demands, p.demand, first.batches]).toEqual([[], 0, []]);
    const second = new RawConsumer<number>().attach(p).ask(3);
    await turns();
    expect([first.batches, second.batches, source.demands]).toEqual([[[1]], [[1]], [2]]);
    second.leave();
    await turns();
    p.push([2]);
    expect(first.batches).toEqual([[1], [2]]);
  });

  test("4.5 partition: hash names the partition, or drops the event and returns its demand", async () => {
    const { p } = quiet({ dispatcher: partitionDispatcher({ partitions: ["even", "odd"], hash: evenOrOdd }) });
    const even = new RawConsumer<number>().attach(p, { partition: "even" }).ask(3);
    const odd = new RawConsumer<number>().attach(p, { partition: "odd" }).ask(3);
    await turns();
    p.push([0, 1, 2]);
    expect([even.batches, odd.batches, p.demand]).toEqual([[[2]], [[1]], 4]);
  });

  test("4.5 by is hashed the same everywhere, for strings, numbers, bigints and booleans", async () => {
    const [one, other] = [await place(), await place()];
    expect(one).toEqual(other);
    expect(one.flat()).toHaveLength(8);
    expect(
      one
        .filter((events) => events.includes("ann"))
        .flat()
        .filter((key) => key === "ann"),
    ).toHaveLength(2);
  });

  test.each<readonly [string, object]>([
    ["an unknown partition", { partitions: 2, hash: () => 2 }],
    ["an object as the key", { partitions: 2, by: () => ({}) }],
    ["undefined as the key", { partitions: 2, by: nothing }],
  ])("4.5 %s fails the producer", async (_what, options) => {
    const { p } = quiet({ dispatcher: partitionDispatcher(options as never) });
    const ended = outcome(p);
    new RawConsumer<number>().attach(p, { partition: 0 }).ask(1);
    await turns();
    p.push([1]);
    expect(await ended).toMatchObject({ code: "ERR_PARTITION_KEY" });
  });

  test("4.5 wanted is the sum of the asks, but at most maxQueued + demand - queued of the tightest partition", async () => {
    const { p } = quiet({ dispatcher: partitionDispatcher({ ...parity, maxQueued: 3 }) });
    const even = new RawConsumer<number>("even").attach(p, { partition: 0 }).ask(2);
    await turns();
    expect(p.demand).toBe(2);
    even.ask(8);
    await turns();
    expect(p.demand).toBe(3);
    p.push([1, 3, 5, 2]);
    // A partition without a consumer keeps its events, and once full holds the source.
    expect([p.demand, even.batches, p.bufferedCount]).toEqual([0, [], 4]);
    const odd = new RawConsumer<number>("odd").attach(p, { partition: 1 }).ask(2);
    await turns();
    expect([odd.batches, even.batches]).toEqual([[[1, 3]], [[2]]]);
    expect(p.demand).toBe(2);
  });

  test("4.6 push accepts what fits; throw has the rest in rejected", async () => {
    const { p, discarded } = quiet({ bufferSize: 2 });
    const raw = new RawConsumer<number>().attach(p).ask(1);
    await turns();
    let thrown: unknown;
    try {
      p.push([1, 2, 3, 4, 5]);
    } catch (error) {
      thrown = error;
    }
    expect((thrown as OverflowError).code).toBe("ERR_OVERFLOW");
    expect((thrown as OverflowError).rejected).toEqual([4, 5]);
    expect([raw.batches, p.bufferedCount, p.state, discarded]).toEqual([[[1]], 2, "running", []]);
  });

  test("4.6 fail fails the stage with it at once, and push returns false", async () => {
    const { p } = quiet({ bufferSize: 2, overflow: "fail" });
    const ended = outcome(p);
    expect(p.push([1, 2, 3])).toBe(false);
    expect(codeOf(() => p.push([4]))).toBe("ERR_ENDED");
    expect(await ended).toMatchObject({ code: "ERR_OVERFLOW" });
  });

  test.each<readonly [string, number[], number[]]>([
    ["drop-oldest", [3, 4], [1, 2]],
    ["drop-newest", [1, 2], [3, 4]],
  ])("4.6 %s discards", async (overflow, kept, dropped) => {
    const { p, discarded } = quiet({ bufferSize: 2, overflow });
    p.push([1, 2]);
    expect(p.push([3, 4])).toBe(false);
    expect(discarded).toMatchObject([{ events: dropped, cause: "overflow" }]);
    const raw = new RawConsumer<number>().attach(p).ask(9);
    await turns();
    expect(raw.batches.flat()).toEqual(kept);
    expect(codeOf(() => producerConsumer(nothing, { overflow } as object))).toBe("ERR_OPTION");
  });

  test("4.6 a callback's events are always accepted, and no more is taken until the buffer is within its limit", async () => {
    const runtime = testRuntime();
    const t = producerConsumer<number, number>((events) => events.flatMap((n) => [n, n, n, n]), {
      runtime,
      bufferSize: 1,
    });
    const input = new RawProducer<number>();
    t.subscribe(input.producer, { maxDemand: 2, minDemand: 1 });
    const raw = new RawConsumer<number>().attach(t).ask(1);
    await turns();
    input.port.events([1]);
    input.port.events([2]);
    await turns();
    expect([raw.batches, t.bufferedCount]).toEqual([[[1]], 3]);
    raw.ask(3);
    await turns();
    expect([raw.batches.flat(), t.bufferedCount]).toEqual([[1, 1, 1, 1], 0]);
  });

  test("4.7 events are delivered in the order in which they were emitted", async () => {
    const { p } = quiet();
    const raw = new RawConsumer<number>().attach(p).ask(2);
    await turns();
    p.push([1, 2, 3]);
    p.push([4]);
    raw.ask(1);
    await turns();
    p.push([5]);
    raw.ask(9);
    await turns();
    expect(raw.batches.flat()).toEqual([1, 2, 3, 4, 5]);
  });

  test("4.8 events given back are placed before all else, outside any limit, to any consumer", async () => {
    const { p } = quiet({ bufferSize: 1 });
    const first = new RawConsumer<number>("first").attach(p).ask(3);
    await turns();
    p.push([1, 2, 3, 4]);
    first.leave({ type: "cancel" }, [2, 3]);
    await turns();
    expect(p.bufferedCount).toBe(3);
    const next = new RawConsumer<number>("next").attach(p).ask(9);
    await turns();
    expect(next.batches.flat()).toEqual([2, 3, 4]);
  });

  test("4.8 of a partition they go to its head, a broadcast drops them", async () => {
    const partitioned = quiet({ dispatcher: partitionDispatcher(parity) }).p;
    new RawConsumer<number>("odd").attach(partitioned, { partition: 1 }).ask(9);
    const first = new RawConsumer<number>("first").attach(partitioned, { partition: 0 }).ask(2);
    await turns();
    partitioned.push([2, 4]);
    partitioned.push([6]);
    first.leave({ type: "cancel" }, [2, 4]);
    await turns();
    const next = new RawConsumer<number>("next").attach(partitioned, { partition: 0 }).ask(9);
    await turns();
    expect(next.batches.flat()).toEqual([2, 4, 6]);
    const { p, discarded } = quiet({ dispatcher: broadcastDispatcher() });
    const [one, other] = [new RawConsumer<number>("one").attach(p), new RawConsumer<number>("other").attach(p)];
    one.ask(2);
    other.ask(2);
    await turns();
    p.push([1, 2]);
    one.leave({ type: "cancel" }, [1, 2]);
    await turns();
    expect([other.batches, p.bufferedCount, discarded]).toEqual([[[1, 2]], 0, []]);
  });

  test("4.9 events that will not be delivered are told to onDiscard, once", async () => {
    const { p, discarded } = quiet();
    p.push([1, 2]);
    await p.stop();
    expect(discarded).toEqual([{ events: [1, 2], cause: "stop", stage: "p" }]);
  });

  test("4.9 without onDiscard a stage warns once", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(nothing);
    const { p } = quiet({ onDiscard: undefined, bufferSize: 1, overflow: "drop-newest" });
    p.push([1, 2]);
    p.push([3]);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain("p discarded 1 events (overflow)");
  });

  test("4.10 info runs behind the events held at its turn, and waits for no later ones", async () => {
    const { p } = quiet();
    p.push([1, 2]);
    const log: unknown[] = [];
    void p.info(() => log.push("info"));
    await turns();
    expect(log).toEqual([]);
    p.push([3]);
    const raw = new RawConsumer<number>().attach(p).ask(1);
    await turns();
    expect(log).toEqual([]);
    raw.ask(1);
    await turns();
    expect([raw.batches.flat(), log, p.bufferedCount]).toEqual([[1, 2], ["info"], 1]);
    const { p: idle } = quiet();
    expect(await idle.info(({ name }) => name)).toBe("p");
  });

  test("4.10 and behind those made of input that waits before it", async () => {
    const runtime = testRuntime();
    const t = producerConsumer<number, number>((events) => events, { runtime });
    const input = new RawProducer<number>();
    t.subscribe(input.producer);
    await turns();
    input.port.events([1, 2]);
    const log: unknown[] = [];
    void t.info(() => log.push("info"));
    await turns();
    const raw = new RawConsumer<number>().attach(t).ask(1);
    await turns();
    expect([raw.batches, log]).toEqual([[[1]], []]);
    raw.ask(1);
    await turns();
    expect([raw.batches, log]).toEqual([[[1], [2]], ["info"]]);
  });

  test("4.10 flushed() fulfils when nothing is held", async () => {
    const { p } = quiet();
    const log: unknown[] = [];
    p.push([1, 2]);
    const flushed = p.flushed().finally(() => log.push("flushed"));
    const raw = new RawConsumer<number>().attach(p).ask(1);
    await turns();
    expect(log).toEqual([]);
    raw.ask(1);
    await flushed;
    expect([raw.batches.flat(), log]).toEqual([[1, 2], ["flushed"]]);
    expect(await producer(new Counter(0), { runtime: testRuntime() }).flushed()).toBeUndefined();
  });

  test("4.11 a consumer that may lag behind holds no other up, and loses its own events, which are told", async () => {
    const lost: unknown[] = [];
    const p = producer<number, BroadcastOptions>(() => {}, {
      runtime: testRuntime(),
      dispatcher: broadcastDispatcher(),
      onDiscard: ({ events, cause, consumer: name }) => void lost.push([events, cause, name]),
    });
    const fast = new RawConsumer<number>().attach(p).ask(100);
    const slow = new RawConsumer<number>("slow").attach(p, { lag: { max: 2, policy: "drop-oldest" } }).ask(1);
    await turns();
    p.push([1, 2, 3, 4, 5]);
    p.complete();
    await turns();
    expect([fast.batches.flat(), slow.batches.flat(), lost]).toEqual([[1, 2, 3, 4, 5], [1], [[[2, 3], "lag", "slow"]]]);
    slow.ask(9);
    await turns();
    expect([slow.batches.flat(), slow.ends.length]).toEqual([[1, 4, 5], 1]);
  });

  test("4.11 or it is cancelled; where all may lag, the fastest paces", async () => {
    const p = producer<number, BroadcastOptions>(() => {}, {
      runtime: testRuntime(),
      dispatcher: broadcastDispatcher(),
      onDiscard: () => {},
    });
    const cut = new RawConsumer<number>().attach(p, { lag: { max: 2, policy: "cancel" } }).ask(1);
    new RawConsumer<number>().attach(p, { lag: { max: 2, policy: "drop-newest" } }).ask(4);
    await turns();
    expect(p.demand).toBe(4);
    p.push([1, 2, 3, 4]);
    await turns();
    expect(cut.ends).toMatchObject([{ error: { code: "ERR_LAG" } }]);
  });
});
