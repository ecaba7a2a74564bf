import { failureOf } from "../../../src/base/failure.ts";
import { describe, expect, test } from "vitest";
import { CallbackError, type Key, partitionDispatcher, producer } from "../../../src/index.ts";
import { codeOf, FakeLink, outcome, Quiet, RawConsumer } from "../../support/stages.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

/** GenStage's default hash of these events: all but 0, 3, 4, 10 and 12 belong to partition 0. */
const hash = (event: number): number => ([0, 3, 4, 10, 12].includes(event) ? 1 : 0);
const two = (options: { maxQueued?: number } = {}) => partitionDispatcher({ partitions: 2, hash, ...options });

type Numbers = ReturnType<typeof two>;
const join = (d: Numbers, partition: number): FakeLink<number> => {
  const link = new FakeLink<number>(`t${partition}`);
  d.subscribe(link, { partition });
  return link;
};
const state = (d: Numbers): number[] => [d.wanted, d.queued];

const make = (options: object): string | undefined => codeOf(() => partitionDispatcher(options as never));

describe("partitionDispatcher", () => {
  // GenStage goes on taking what consumers asked for that have left; here it is the stage that knows what is owed.
  test("GS-145 subscribes, asks and cancels", () => {
    const d = two();
    const t0 = join(d, 0);
    d.ask(t0, 10);
    expect(state(d)).toEqual([10, 0]);
    d.cancel(t0);
    expect(state(d)).toEqual([0, 0]);
    const t1 = join(d, 1);
    d.ask(t1, 5);
    expect(state(d)).toEqual([5, 0]);
    d.cancel(t1);
    expect(state(d)).toEqual([0, 0]);
    expect(d.dispatch([0, 1, 2, 3])).toBe(0);
    expect(state(d)).toEqual([0, 0]);
  });

  test("GS-145 end to end: what is owed is not asked for twice", async () => {
    const source = new Quiet<number>();
    const p = producer(source, { runtime: testRuntime(), dispatcher: two() });
    const t0 = new RawConsumer<number>("t0").attach(p, { partition: 0 }).ask(10);
    await turns();
    t0.leave();
    const t1 = new RawConsumer<number>("t1").attach(p, { partition: 1 }).ask(5);
    await turns();
    expect(source.demands).toEqual([10]);
    p.push([0, 1, 2, 3]);
    expect(t1.batches).toEqual([[0, 3]]);
    expect(p.inspect().stages[0]).toMatchObject({ demand: 3, buffered: 0, queued: 2 });
    t1.ask(5);
    await turns();
    // 8 are wanted, 6 are still owed.
    expect(source.demands).toEqual([10, 2]);
  });

  test("GS-146 subscribes, asks and dispatches", () => {
    const d = partitionDispatcher({ partitions: 1, hash: () => 0 });
    const t = new FakeLink<number>("t");
    d.subscribe(t, { partition: 0 });
    d.ask(t, 3);
    expect(d.wanted).toBe(3);
    expect(d.dispatch([1])).toBe(1);
    expect([t.take(), d.wanted]).toEqual([[[1]], 2]);
    d.ask(t, 3);
    expect(d.wanted).toBe(5);
    expect(d.dispatch([2, 5, 6, 7, 8, 9, 11])).toBe(5);
    expect([t.take(), d.wanted, d.queued]).toEqual([[[2, 5, 6, 7, 8]], 0, 0]);
  });

  test("GS-147 subscribes, asks and dispatches to custom partitions", () => {
    const d = partitionDispatcher({ partitions: ["odd", "even"], hash: (n: number) => (n % 2 === 0 ? "even" : "odd") });
    const t = new FakeLink<number>("t");
    d.subscribe(t, { partition: "odd" });
    d.ask(t, 3);
    expect(d.wanted).toBe(3);
    expect(d.dispatch([1])).toBe(1);
    expect([t.take(), d.wanted]).toEqual([[[1]], 2]);
    d.ask(t, 3);
    expect(d.wanted).toBe(5);
    expect(d.dispatch([5, 7, 9, 11, 13, 15, 17])).toBe(5);
    expect([t.take(), d.wanted, d.queued]).toEqual([[[5, 7, 9, 11, 13]], 0, 0]);
  });

  // GenStage counts what it queued as served and leaves 8 and 9 over; here the demand of partition 1 is still unmet.
  test("GS-149 queues events before a subscription", () => {
    const d = two();
    const t1 = join(d, 1);
    d.ask(t1, 5);
    expect(state(d)).toEqual([5, 0]);
    expect(d.dispatch([1, 2, 5, 6, 7])).toBe(5);
    expect([state(d), t1.take()]).toEqual([[5, 5], []]);
    expect(d.dispatch([8, 9])).toBe(2);
    expect(state(d)).toEqual([5, 7]);
    const t0 = join(d, 0);
    expect([state(d), t0.take()]).toEqual([[5, 7], []]);
    d.ask(t0, 5);
    expect([state(d), t0.take()]).toEqual([[5, 2], [[1, 2, 5, 6, 7]]]);
    expect(d.dispatch([1, 2])).toBe(2);
    expect([state(d), t0.take()]).toEqual([[5, 4], []]);
    d.ask(t0, 5);
    expect([state(d), t0.take().flat()]).toEqual([
      [6, 0],
      [8, 9, 1, 2],
    ]);
  });

  test("GS-149 end to end: the wanted of a waiting partition is asked for, up to maxQueued", async () => {
    const source = new Quiet<number>();
    const p = producer(source, { runtime: testRuntime(), dispatcher: two({ maxQueued: 8 }) });
    const t1 = new RawConsumer<number>("t1").attach(p, { partition: 1 }).ask(5);
    await turns();
    p.push([1, 2, 5, 6, 7]);
    await turns();
    // 5 wanted, but only 3 more have room.
    expect(source.demands).toEqual([5, 3]);
    p.push([8, 9, 11]);
    await turns();
    expect([source.demands, p.demand, t1.batches]).toEqual([[5, 3], 0, []]);
    expect(p.inspect().stages[0]?.dispatcher?.heldBy).toEqual(["partition 0"]);
    const t0 = new RawConsumer<number>("t0").attach(p, { partition: 0 }).ask(2);
    await turns();
    expect(t0.batches).toEqual([[1, 2]]);
    expect(source.demands).toEqual([5, 3, 2]);
  });

  // As GS-149: wanted is what is unmet.
  test("GS-150 queues events after a subscription", () => {
    const d = two();
    const t0 = join(d, 0);
    d.ask(t0, 5);
    expect(d.wanted).toBe(5);
    const t1 = join(d, 1);
    d.ask(t1, 5);
    expect(state(d)).toEqual([10, 0]);
    expect(d.dispatch([1, 2])).toBe(2);
    expect([state(d), t0.take()]).toEqual([[8, 0], [[1, 2]]]);
    expect(d.dispatch([5, 6, 7, 1, 2, 5, 6, 7])).toBe(8);
    expect([state(d), t0.take()]).toEqual([[5, 5], [[5, 6, 7]]]);
    d.ask(t0, 5);
    expect([state(d), t0.take()]).toEqual([[5, 0], [[1, 2, 5, 6, 7]]]);
    expect(t1.take()).toEqual([]);
  });

  // GenStage throws the queue away and asks for as many again; here it waits for the partition's next consumer.
  test("GS-151 subscribes, asks and cancels with a queue", () => {
    const d = two();
    const t1 = join(d, 1);
    const t0 = join(d, 0);
    d.ask(t1, 5);
    expect(d.wanted).toBe(5);
    expect(d.dispatch([1, 2, 5, 6, 7])).toBe(5);
    expect([state(d), t0.take()]).toEqual([[5, 5], []]);
    const sent: string[] = [];
    d.whenSent?.(() => sent.push("hello"));
    d.cancel(t0);
    expect([state(d), sent]).toEqual([[5, 5], []]);
    const next = join(d, 0);
    d.ask(next, 6);
    expect([state(d), next.take(), t0.take()]).toEqual([[6, 0], [[1, 2, 5, 6, 7]], []]);
    expect(sent).toEqual(["hello"]);
  });

  test("GS-153 does not hold an info for consumers that do not exist", async () => {
    const sent: string[] = [];
    two().whenSent?.(() => sent.push("hello"));
    expect(sent).toEqual(["hello"]);
    const p = producer(new Quiet<number>(), { runtime: testRuntime(), dispatcher: two() });
    expect(await p.info(() => "hello")).toBe("hello");
  });

  test("GS-154 holds an info for consumers that are behind", async () => {
    const p = producer(new Quiet<number>(), { runtime: testRuntime(), dispatcher: two() });
    const t0 = new RawConsumer<number>("t0").attach(p, { partition: 0 });
    const t1 = new RawConsumer<number>("t1").attach(p, { partition: 1 }).ask(3);
    await turns();
    p.push([1, 2, 5]);
    const delivered: string[] = [];
    void p.info(() => delivered.push("hello"));
    await turns();
    expect([delivered, p.bufferedCount]).toEqual([[], 3]);
    t0.ask(5);
    await turns();
    expect([delivered, t0.batches, t1.batches]).toEqual([["hello"], [[1, 2, 5]], []]);
  });

  test("GS-155 fails on an unknown partition", () => {
    const d = partitionDispatcher({ partitions: ["foo", "bar"], hash: (_n: number) => "oops" as "foo" });
    const t = new FakeLink<number>("t");
    d.subscribe(t, { partition: "foo" });
    d.ask(t, 3);
    let thrown: unknown;
    try {
      d.dispatch([1, 2, 5]);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CallbackError);
    expect(thrown).toMatchObject({ code: "ERR_PARTITION_KEY", events: [1, 2, 5] });
    expect((thrown as Error).message).toBe(
      'expected hash to return one of foo, bar or undefined, got "oops" (docs/protocol.md#rule-4.5)',
    );
    // None of the batch has gone anywhere.
    expect([t.take(), d.wanted, d.queued]).toEqual([[], 3, 0]);
  });

  test("GS-155 end to end: the producer fails and its consumers are told", async () => {
    const d = partitionDispatcher({ partitions: ["foo", "bar"], hash: (_n: number) => "oops" as "foo" });
    const p = producer({ handleDemand: () => [1, 2, 5] }, { runtime: testRuntime(), dispatcher: d });
    const ended = outcome(p);
    const raw = new RawConsumer<number>().attach(p, { partition: "foo" }).ask(3);
    expect(await ended).toMatchObject({ name: "CallbackError", code: "ERR_PARTITION_KEY" });
    expect(raw.ends).toEqual([{ type: "failure", error: await ended }]);
    expect(raw.batches).toEqual([]);
  });

  test("GS-157 errors on wrong options", () => {
    expect(make({ by: String })).toBe("ERR_PARTITION");
    expect(make({ partitions: [], by: String })).toBe("ERR_PARTITION");
    expect(make({ partitions: ["a", "a"], by: String })).toBe("ERR_PARTITION");
    expect(make({ partitions: 0, by: String })).toBe("ERR_RANGE");
    expect(make({ partitions: 2, by: String, maxQueued: 0 })).toBe("ERR_RANGE");
    expect(make({ partitions: 2, by: 1 })).toBe("ERR_OPTION");
    expect(make({ partitions: 2, by: String, other: 1 })).toBe("ERR_OPTION");
  });

  // GenStage wants an own hash for names; here a key or a hash, exactly one of them, whatever the names are.
  test("GS-157 errors on names with neither by nor hash, and on both", () => {
    expect(make({ partitions: ["even", "odd"] })).toBe("ERR_OPTION");
    expect(make({ partitions: ["even", "odd"], by: String, hash: () => "even" })).toBe("ERR_OPTION");
    expect(make({ partitions: ["even", "odd"], by: String })).toBeUndefined();
  });

  test("GS-158 errors on subscribe", () => {
    const d = two();
    const subscribe = (options: object): void => d.subscribe(new FakeLink("t"), options as { partition: number });
    expect(codeOf(() => subscribe({}))).toBe("ERR_PARTITION");
    expect(() => subscribe({})).toThrow("expected partition to be one of 0, 1, got undefined");
    subscribe({ partition: 0 });
    expect(codeOf(() => subscribe({ partition: 0 }))).toBe("ERR_PARTITION_TAKEN");
    expect(() => subscribe({ partition: 0 })).toThrow(
      "expected a free partition, got 0: each has one consumer at a time (docs/protocol.md#rule-1.7)",
    );
    for (const partition of [-1, 2, "oops"]) {
      expect(codeOf(() => subscribe({ partition }))).toBe("ERR_PARTITION");
      expect(() => subscribe({ partition })).toThrow("expected partition to be one of 0, 1, got");
    }
    expect(d.wanted).toBe(0);
  });
});

describe("partitionDispatcher, what is wanted", () => {
  test("PD-08 is bounded by the tightest partition", () => {
    const d = two({ maxQueued: 3 });
    const t1 = join(d, 1);
    d.ask(t1, 10);
    // Partition 0 has no consumer: whatever comes may be for it.
    expect(d.wanted).toBe(3);
    expect(d.dispatch([1, 0, 2, 3])).toBe(3);
    expect([state(d), t1.take()]).toEqual([[1, 2], [[0]]]);
    expect(d.dispatch([5])).toBe(1);
    expect(state(d)).toEqual([0, 3]);
    const t0 = join(d, 0);
    d.ask(t0, 4);
    expect([state(d), t0.take()]).toEqual([[4, 0], [[1, 2, 5]]]);
    expect(d.dispatch([1, 2, 5, 6])).toBe(4);
    expect([t0.take(), state(d)]).toEqual([[[1]], [0, 3]]);
  });

  test("PD-08 asks of Infinity leave the room of the tightest partition", () => {
    const d = two({ maxQueued: 5 });
    const t0 = join(d, 0);
    const t1 = join(d, 1);
    d.ask(t0, Number.POSITIVE_INFINITY);
    expect(d.wanted).toBe(5);
    d.ask(t1, Number.POSITIVE_INFINITY);
    expect(d.wanted).toBe(Number.POSITIVE_INFINITY);
    expect(d.dispatch([0, 1])).toBe(2);
    d.cancel(t1);
    expect(d.wanted).toBe(5);
    d.cancel(t0);
    expect(d.wanted).toBe(0);
  });

  test("PD-11 what comes back goes before the queue of its partition, outside any limit", () => {
    const d = two({ maxQueued: 2 });
    const t0 = join(d, 0);
    const t1 = join(d, 1);
    d.ask(t0, 4);
    d.ask(t1, 4);
    expect(d.dispatch([1, 2, 5, 6, 7, 8])).toBe(6);
    expect([t0.take(), state(d)]).toEqual([[[1, 2, 5, 6]], [0, 2]]);
    d.cancel(t0);
    d.giveBack(t0, [2, 5, 6]);
    expect(state(d)).toEqual([0, 5]);
    expect(t1.take()).toEqual([]);
    const next = join(d, 0);
    d.ask(next, 10);
    expect([next.take().flat(), state(d)]).toEqual([
      [2, 5, 6, 7, 8],
      [6, 0],
    ]);
  });

  test("PD-02 a hash that answers undefined drops the event and gives the demand back", () => {
    const d = partitionDispatcher({ partitions: 1, hash: (n: number) => (n % 2 === 0 ? 0 : undefined) });
    const t = new FakeLink<number>("t");
    d.subscribe(t, { partition: 0 });
    d.ask(t, 4);
    expect(d.dispatch([0, 1, 2, 3])).toBe(4);
    expect([t.take(), d.wanted, d.queued]).toEqual([[[0, 2]], 2, 0]);
  });

  test("PD-07 events for several partitions arrive as one batch each", () => {
    const d = two();
    const t0 = join(d, 0);
    const t1 = join(d, 1);
    d.ask(t0, 3);
    d.ask(t1, 3);
    expect(d.dispatch([1, 0, 2, 3, 5, 4])).toBe(6);
    expect([t0.take(), t1.take(), state(d)]).toEqual([[[1, 2, 5]], [[0, 3, 4]], [0, 0]]);
  });

  test("PD-02 a key goes to the same partition every time, and every partition is reached", () => {
    const keys: Key[] = [...range(0, 99).map((n) => `key ${n}`), ...range(0, 99), 7n, true, false];
    const placed = (): unknown[][] => {
      const d = partitionDispatcher({ partitions: ["a", "b", "c"], by: (key: Key) => key });
      const links = (["a", "b", "c"] as const).map((partition) => {
        const link = new FakeLink<Key>(partition);
        d.subscribe(link, { partition });
        d.ask(link, keys.length);
        return link;
      });
      expect(d.dispatch(keys)).toBe(keys.length);
      return links.map((link) => link.take().flat());
    };
    const first = placed();
    expect(placed()).toEqual(first);
    for (const batch of first) expect(batch.length).toBeGreaterThan(keys.length / 6);
    expect(first.flat()).toHaveLength(keys.length);
  });

  test("PD-02 by that throws fails with the batch, and nothing of it has gone", () => {
    const oops = new Error("oops");
    const by = (n: number): number => {
      if (n === 2) throw oops;
      return n;
    };
    const d = partitionDispatcher({ partitions: 1, by });
    const t = new FakeLink<number>("t");
    d.subscribe(t, { partition: 0 });
    d.ask(t, 3);
    expect(() => d.dispatch([1, 2, 3])).toThrow(oops);
    expect(failureOf(oops)).toMatchObject({ callback: "by", event: 2, events: [1, 2, 3] });
    expect([t.take(), d.wanted]).toEqual([[], 3]);
    expect(d.dispatch([3])).toBe(1);
    expect(t.take()).toEqual([[3]]);
  });

  test("PD-12 whenSent waits for the queues that hold events now, and for nothing else", () => {
    const d = two();
    const t0 = join(d, 0);
    const t1 = join(d, 1);
    d.ask(t0, 2);
    d.ask(t1, 2);
    d.dispatch([0, 1, 2, 5]);
    expect(state(d)).toEqual([1, 1]);
    const sent: string[] = [];
    d.whenSent?.(() => sent.push("first"));
    // t1's demand is not used up; its ask settles nothing, and later events are not waited for.
    d.ask(t1, 2);
    expect(sent).toEqual([]);
    d.dispatch([6, 7]);
    d.ask(t0, 1);
    expect([sent, t0.take()]).toEqual([["first"], [[1, 2], [5]]]);
    expect(d.queued).toBe(2);
  });

  test("PD-12 whenSent waits for all of several queues", () => {
    const d = two();
    const gone = join(d, 0);
    d.ask(gone, 1);
    d.dispatch([0]);
    d.cancel(gone);
    d.giveBack(gone, [2]);
    expect(d.queued).toBe(2);
    const sent: string[] = [];
    d.whenSent?.(() => sent.push("all"));
    d.ask(join(d, 1), 5);
    expect([d.queued, sent]).toEqual([1, []]);
    d.ask(join(d, 0), 5);
    expect([d.queued, sent]).toEqual([0, ["all"]]);
    d.whenSent?.(() => sent.push("at once"));
    expect(sent).toEqual(["all", "at once"]);
  });

  test("2.4 a link that has left asks for nothing and gives nothing back", () => {
    const d = two();
    const gone = join(d, 0);
    const stranger = new FakeLink<number>("stranger");
    d.cancel(gone);
    const t0 = join(d, 0);
    d.ask(gone, 5);
    d.ask(stranger, 5);
    d.cancel(gone);
    d.giveBack(stranger, [1]);
    expect([state(d), t0.take()]).toEqual([[0, 0], []]);
    // What it had not started belongs to its partition, whoever consumes that now.
    d.ask(t0, 2);
    d.giveBack(gone, [1, 2, 5]);
    expect([state(d), t0.take()]).toEqual([[0, 1], [[1, 2]]]);
  });

  test("4.5 names may be numbers and strings, and are told apart", () => {
    const d = partitionDispatcher({ partitions: [7, "7"], hash: (event: number | string) => event as 7 | "7" });
    const [number, string] = [new FakeLink<number | string>("number"), new FakeLink<number | string>("string")];
    d.subscribe(number, { partition: 7 });
    d.subscribe(string, { partition: "7" });
    d.ask(number, 5);
    d.ask(string, 5);
    d.dispatch([7, "7", 7]);
    expect([number.take(), string.take()]).toEqual([[[7, 7]], [["7"]]]);
    expect(make({ partitions: [{}], by: String })).toBe("ERR_PARTITION");
    expect(make({ partitions: [1, null], by: String })).toBe("ERR_PARTITION");
  });

  test("4.5 inspect names every partition, and which one holds the source", () => {
    const d = two({ maxQueued: 2 });
    const t1 = join(d, 1);
    d.ask(t1, 3);
    d.dispatch([1, 2]);
    expect(d.inspect?.()).toEqual({
      type: "partition",
      partitions: [
        { name: 0, consumer: undefined, queued: 2, demand: 0 },
        { name: 1, consumer: "t1", queued: 0, demand: 3 },
      ],
      heldBy: ["partition 0"],
    });
    expect(d.clear?.()).toEqual([1, 2]);
    expect(d.queued).toBe(0);
  });
});
