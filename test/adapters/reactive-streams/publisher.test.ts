import { describe, expect, test } from "vitest";
import {
  broadcastDispatcher,
  type Emits,
  failureOf,
  fromIterable,
  type Producer,
  producer,
} from "../../../src/index.ts";
import { kinds } from "../../reactive-streams/kinds.ts";
import { ManualProducer, until, type Failure } from "../../reactive-streams/harness.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { bridges, complete, HandPublisher, Probe } from "./support.ts";

const heard = ({ received, ends, flaws }: Probe): unknown => [received, ends, flaws];
const maximum = Number.MAX_SAFE_INTEGER;

function* values(count: number, failure: Failure | undefined): Generator<number> {
  for (let next = 0; next < count; next += 1) yield next;
  if (failure) throw failure.error;
}
/** Numbers from 0 to `count`, which reports to `onReport`. */
const source =
  (count: number, failure?: Failure) =>
  (onReport: (error: unknown) => void): Producer<number> =>
    fromIterable(values(count, failure), { runtime: testRuntime(), onReport });
/** A source that knows its end before it is asked. */
const eager = (count: number, failure?: Failure) => (): Producer<number> =>
  (kinds[1] as (typeof kinds)[number]).make(count, failure);

describe.each(bridges)("%s: what a Subscriber sees", (_name, bridge) => {
  const probe = (make: Parameters<typeof bridge<number>>[0]): Probe => new Probe().to(bridge(make).publisher);

  test("RS-0b three events, then the end", async () => {
    const p = probe(source(3));
    for (let seen = 1; seen <= 3; seen += 1) {
      p.request(1);
      await turns();
      expect(heard(p)).toEqual([range(0, seen - 1), [], []]);
    }
    p.request(1);
    await turns();
    expect(heard(p)).toEqual([[0, 1, 2], [complete], []]);
  });

  test("RS-1.1a never more than was requested", async () => {
    const p = probe(source(5));
    await turns();
    expect(heard(p)).toEqual([[], [], []]);
    p.request(1);
    await turns();
    expect(heard(p)).toEqual([[0], [], []]);
    p.request(1).request(2);
    await turns();
    expect(heard(p)).toEqual([[0, 1, 2, 3], [], []]);
    p.cancel();
    await turns();
    expect(heard(p)).toEqual([[0, 1, 2, 3], [], []]);
  });

  test("RS-1.1 a request is an ask of the same amount", async () => {
    const hand = new ManualProducer();
    const p = probe(() => hand.producer);
    await turns();
    expect(hand.asks).toEqual([]);
    p.request(3).request(1).request(7);
    await turns();
    hand.emit(1, 2);
    await turns();
    expect([hand.asks, hand.flaws, heard(p)]).toEqual([[3, 1, 7], [], [[1, 2], [], []]]);
  });

  test("RS-1.2 less than was requested, and the end", async () => {
    const p = probe(source(3)).request(10);
    await turns();
    expect(heard(p)).toEqual([[0, 1, 2], [complete], []]);
  });

  test("RS-1.3 signals do not overlap, whatever is requested inside them", async () => {
    const p = new Probe();
    p.onStart = () => void p.request(1).request(1);
    p.each = () => void p.request(1);
    p.to(bridge(source(10)).publisher);
    await turns();
    expect(heard(p)).toEqual([range(0, 9), [complete], []]);
  });

  test.each([new Error("E"), undefined, null, 0, ""])("RS-1.4 a failure, as it is (%s)", async (error) => {
    const p = probe(source(2, { error })).request(5);
    await turns();
    expect(heard(p)).toEqual([[0, 1], [{ error }], []]);
    expect((p.ends[0] as { error: unknown }).error).toBe(error);
  });

  test("RS-1.5 an empty source ends without a request, and so does a failed one", async () => {
    const ended = probe(eager(0));
    const failed = probe(eager(0, { error: "E" }));
    await turns();
    expect([heard(ended), heard(failed)]).toEqual([
      [[], [complete], []],
      [[], [{ error: "E" }], []],
    ]);
  });

  test("RS-1.5 a source that was stopped while subscribed to has ended", async () => {
    let stage: Producer<number> | undefined;
    const p = probe(() => (stage = producer({ handleDemand(): Emits<number> {} }, { runtime: testRuntime() })));
    await turns();
    await stage?.stop();
    await turns();
    expect(heard(p)).toEqual([[], [complete], []]);
  });

  test.each([undefined, { error: "E" }])(
    "RS-1.6 RS-1.7 nothing after the end, whatever is requested (%s)",
    async (failure) => {
      const { publisher, faults } = bridge(source(1, failure));
      const p = new Probe().to(publisher).request(10);
      await turns();
      const before = heard(p);
      expect(before).toEqual([[0], [failure ?? complete], []]);
      p.request(1).request(-1);
      p.cancel();
      await turns();
      expect([heard(p), faults.filter((error) => error !== "E")]).toEqual([before, []]);
    },
  );

  test("RS-1.8 cancelled inside an event nothing comes any more; what was not seen goes back", async () => {
    const hand = new ManualProducer();
    const p = probe(() => hand.producer);
    p.each = (event) => void (event === 3 && p.cancel());
    await turns();
    p.request(10);
    await turns();
    hand.emit(1, 2, 3, 4, 5).emit(6);
    await turns();
    expect([heard(p), hand.ends.map(({ unstarted }) => unstarted)]).toEqual([[[1, 2, 3], [], []], [[4, 5, 6]]]);
    expect(hand.flaws).toEqual([]);
  });

  test("RS-1.8 cancelled inside onSubscribe it never says anything, and the source is released", async () => {
    const hand = new ManualProducer();
    const p = new Probe();
    p.onStart = () => void p.cancel();
    p.to(bridge(() => hand.producer).publisher);
    await turns();
    p.request(1);
    await turns();
    expect([heard(p), hand.asks, hand.ends.length, hand.flaws]).toEqual([[[], [], []], [], 1, []]);
  });

  test("RS-1.9 what is no Subscriber is refused at once", () => {
    const { publisher } = bridge(source(1));
    const half = { onSubscribe() {}, onNext() {}, onError() {} };
    for (const wrong of [null, undefined, {}, half, 5]) {
      expect(() => publisher.subscribe(wrong as never)).toThrow(TypeError);
      expect(() => publisher.subscribe(wrong as never)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
    }
  });

  test("RS-1.9 onSubscribe comes first and once, also from a source that has ended or failed", async () => {
    for (const failure of [undefined, { error: "E" }]) {
      const ended = producer({ handleDemand(): Emits<number> {} }, { runtime: testRuntime() });
      if (failure) ended.fail(failure.error);
      else ended.complete();
      ended.done.catch(() => {});
      await turns();
      const p = probe(() => ended);
      await turns();
      expect([p.subscriptions, heard(p)]).toEqual([1, [[], [failure ?? complete], []]]);
    }
  });

  test("RS-1.11 several Subscribers compete for the events of a producer", async () => {
    const { publisher } = bridge(source(6));
    const probes = range(1, 3).map(() => new Probe().to(publisher));
    await turns();
    for (const p of probes) p.request(2);
    await turns();
    expect(probes.map(heard)).toEqual([
      [[0, 1], [], []],
      [[2, 3], [], []],
      [[4, 5], [], []],
    ]);
    for (const p of probes) p.request(1);
    await turns();
    expect(probes.map(({ ends }) => ends)).toEqual([[complete], [complete], [complete]]);
  });

  test("RS-1.11 of a broadcast all get the same, at the pace of the slowest; one that cancels lets the others go on", async () => {
    const { publisher } = bridge(() =>
      fromIterable(range(0, 4), { dispatcher: broadcastDispatcher(), runtime: testRuntime() }),
    );
    const [fast, slow] = [new Probe().to(publisher), new Probe().to(publisher)];
    await turns();
    fast.request(10);
    slow.request(2);
    await turns();
    expect([fast.received, slow.received]).toEqual([
      [0, 1],
      [0, 1],
    ]);
    slow.cancel();
    await turns();
    expect([heard(fast), heard(slow)]).toEqual([
      [range(0, 4), [complete], []],
      [[0, 1], [], []],
    ]);
  });

  test("RS-2.13 null and undefined are events", async () => {
    const p = new Probe<unknown>().to(bridge<unknown>(() => fromIterable([null, undefined, 0, ""])).publisher);
    p.request(10);
    await turns();
    expect([p.received, p.ends]).toEqual([[null, undefined, 0, ""], [complete]]);
  });

  test.each(["onSubscribe", "onNext"] as const)(
    "RS-2.13 a Subscriber whose %s throws counts as cancelled: told where faults are told",
    async (method) => {
      const hand = new ManualProducer();
      const error = new Error("E");
      const { publisher, faults } = bridge((onReport) => {
        const core = { report: { tell: onReport } };
        return Object.assign(hand, { "~core": core }).producer;
      });
      const p = new Probe();
      const thrower = (): void => {
        throw error;
      };
      if (method === "onSubscribe") p.onStart = thrower;
      else p.each = (event) => event === 2 && thrower();
      p.to(publisher);
      await turns();
      if (method === "onNext") {
        p.request(10);
        await turns();
        hand.emit(1, 2, 3, 4);
        await turns();
      }
      const seen = method === "onNext" ? [1, 2] : [];
      expect(heard(p)).toEqual([seen, [], []]);
      expect(faults).toEqual([error]);
      expect(failureOf(error)).toMatchObject({ callback: method, events: seen.slice(1) });
      expect(hand.ends.map(({ unstarted }) => unstarted ?? [])).toEqual([method === "onNext" ? [3, 4] : []]);
    },
  );

  test.each([undefined, { error: "E" }])(
    "RS-2.13 a Subscriber that throws at the end hears no second one (%s)",
    async (failure) => {
      const error = new Error("thrown");
      const { publisher, faults } = bridge(source(1, failure));
      const p = new Probe();
      let ends = 0;
      p.atEnd = () => {
        ends += 1;
        throw error;
      };
      p.to(publisher).request(5);
      await turns();
      expect([ends, p.received, p.flaws]).toEqual([1, [0], []]);
      expect(faults.filter((fault) => fault !== "E")).toEqual([error]);
      expect(failureOf(error)).toMatchObject({ callback: failure ? "onError" : "onComplete", events: [] });
    },
  );

  test("RS-3.2 requests inside onSubscribe and onNext: each event once", async () => {
    const p = new Probe();
    p.onStart = () => void p.request(1).request(1).request(1);
    p.each = () => void p.request(1);
    p.to(bridge(source(6)).publisher);
    await turns();
    expect(heard(p)).toEqual([range(0, 5), [complete], []]);
  });

  test("RS-3.3 a long run of single requests needs no stack", async () => {
    const p = new Probe();
    p.onStart = () => void p.request(1);
    p.each = () => void p.request(1);
    p.to(bridge(source(20_000)).publisher);
    await until(() => p.ends.length > 0);
    expect([p.received.length, p.ends, p.flaws]).toEqual([20_000, [complete], []]);
  });

  test("RS-3.4 a request answers at once: what it brings comes later", async () => {
    const p = probe(source(3));
    await turns();
    p.request(1_000_000);
    expect(p.received).toEqual([]);
    await turns();
    expect(heard(p)).toEqual([[0, 1, 2], [complete], []]);
  });

  test("RS-3.5 RS-3.6 RS-3.7 behind a cancel nothing does anything, the wrong requests neither", async () => {
    const hand = new ManualProducer();
    const p = probe(() => hand.producer);
    await turns();
    p.cancel().cancel().request(1).request(-1).request(Number.NaN).cancel();
    await turns();
    expect([heard(p), hand.asks, hand.ends.length, hand.flaws]).toEqual([[[], [], []], [], 1, []]);
  });

  test("RS-3.8 requests of one stretch add up", async () => {
    const p = probe(source(10));
    await turns();
    p.request(1).request(2).request(3);
    await turns();
    expect(heard(p)).toEqual([range(0, 5), [], []]);
  });

  test.each([0, -0, -1, -(2 ** 31), -Infinity, Number.NaN, 1.5, "3", 2n, null, undefined, {}, true])(
    "RS-3.9 a request of %s ends the subscription with a RangeError",
    async (wrong) => {
      const hand = new ManualProducer();
      const p = probe(() => hand.producer);
      await turns();
      p.request(wrong);
      p.request(1).request(wrong);
      await turns();
      expect(p.ends).toEqual([{ error: expect.objectContaining({ code: "ERR_ASK" }) }]);
      expect((p.ends[0] as { error: unknown }).error).toBeInstanceOf(RangeError);
      expect([p.flaws, hand.asks, hand.ends.length, hand.flaws]).toEqual([[], [], 1, []]);
    },
  );

  test("RS-3.9 inside an event: no further event, the error behind it, the rest goes back", async () => {
    const hand = new ManualProducer();
    const p = probe(() => hand.producer);
    p.each = (event) => void (event === 2 && p.request(0));
    await turns();
    p.request(10);
    await turns();
    hand.emit(1, 2, 3);
    await turns();
    expect([p.received, p.ends, p.flaws]).toEqual([
      [1, 2],
      [{ error: expect.objectContaining({ code: "ERR_ASK" }) }],
      [],
    ]);
    expect(hand.ends.map(({ unstarted }) => unstarted)).toEqual([[3]]);
  });

  test("RS-3.12 a cancel bounds what still comes", async () => {
    const p = probe(source(20));
    p.each = () => void p.cancel();
    await turns();
    p.request(10).request(5);
    await turns();
    expect(heard(p)).toEqual([[0], [], []]);
  });

  test.each([maximum, 2 ** 53, 2 ** 60, Number.MAX_VALUE, Number.POSITIVE_INFINITY])(
    "RS-3.17 a request of %d is without bound",
    async (amount) => {
      const hand = new ManualProducer();
      const p = probe(() => hand.producer);
      await turns();
      p.request(amount);
      await turns();
      expect(hand.asks).toEqual([Number.POSITIVE_INFINITY]);
      const all = probe(source(25_000)).request(amount);
      await until(() => all.ends.length > 0, 200);
      expect([all.received.length, all.ends, all.flaws]).toEqual([25_000, [complete], []]);
    },
  );

  test("RS-3.17 requests that add up to more than can be counted", async () => {
    const p = probe(source(Number.POSITIVE_INFINITY));
    p.each = (event) => void (event < 10 ? p.request(maximum - 1) : p.cancel());
    await turns();
    p.request(1);
    await turns();
    expect(heard(p)).toEqual([range(0, 10), [], []]);
  });
});

test("RS-1.1 a HandPublisher and a Probe agree with each other", () => {
  const hand = new HandPublisher();
  const p = new Probe().to(hand).request(2);
  hand.next(1, 2).end();
  p.request(1);
  expect([heard(p), hand.requests, hand.flaws]).toEqual([
    [[1, 2], [complete], []],
    [2, 1],
    ["a request after the end"],
  ]);
});
