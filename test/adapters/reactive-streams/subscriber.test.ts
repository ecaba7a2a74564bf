import { describe, expect, test } from "vitest";
import { fromPublisher, type Publisher, toPublisher } from "../../../adapters/reactive-streams/index.ts";
import { consumer, type Producer, type ProducerOptions } from "../../../src/index.ts";
import { complete, type Failure, failed, ManualConsumer } from "../../reactive-streams/harness.ts";
import { type Kind, kinds, tickingRuntime } from "../../reactive-streams/kinds.ts";
import { sourceChecks } from "../../reactive-streams/source-checks.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { HandPublisher, numbers } from "./support.ts";

const heard = ({ received, ends, flaws }: ManualConsumer<never> | ManualConsumer): unknown => [received, ends, flaws];
/** A producer over a publisher by hand, and a consumer by hand behind it. */
async function rig(options: ProducerOptions<number> = {}, hand: HandPublisher = new HandPublisher()) {
  const reports: unknown[] = [];
  const discarded: unknown[] = [];
  const stage = fromPublisher<number>(hand, {
    runtime: testRuntime(),
    onReport: (error) => void reports.push(error),
    onDiscard: ({ cause, events }) => void discarded.push([cause, ...events]),
    ...options,
  });
  const c = new ManualConsumer().attach(stage);
  await turns();
  return { hand, stage, c, reports, discarded };
}

const publishers: [string, (count: number, failure?: Failure) => Publisher<number>][] = [
  ["a Publisher that emits inside request", (count, failure) => numbers(count, failure, "sync")],
  ["a Publisher that emits later", (count, failure) => numbers(count, failure, "async")],
  [
    "L07 there and back",
    (count, failure) => {
      const stage = (kinds[1] as Kind).make(count, failure);
      // One that fails before anybody is there is told of by whoever comes.
      stage.done.catch(() => {});
      return toPublisher(stage);
    },
  ],
];
describe.each(publishers)("%s, as a producer", (_name, make) => {
  test.each(sourceChecks)("RS-$rule $title", async ({ run: checkRule }) => {
    await checkRule((count, failure) => fromPublisher(make(count, failure), { runtime: tickingRuntime() }), 2000);
  });
});

describe("demand", () => {
  test("RS-2.1 is requested as it is asked for, and not before", async () => {
    const { hand, c } = await rig();
    expect([hand.subscribes, hand.requests]).toEqual([1, []]);
    c.ask(3);
    await turns();
    c.ask(5);
    c.ask(2);
    await turns();
    expect([hand.requests, hand.flaws]).toEqual([[3, 5, 2], []]);
    hand.next(1, 2, 3);
    await turns();
    expect(heard(c)).toEqual([[1, 2, 3], [], []]);
  });

  test("RS-2.1b a window of 10 and 5", async () => {
    const hand = new HandPublisher();
    const runtime = testRuntime();
    const c = consumer<number>(() => {}, { runtime });
    c.subscribe(fromPublisher(hand, { runtime }), { maxDemand: 10, minDemand: 5 });
    await turns();
    expect(hand.requests).toEqual([10]);
    hand.next(1, 2, 3, 4);
    await turns();
    expect(hand.requests).toEqual([10]);
    hand.next(5);
    await turns();
    expect([hand.requests, hand.flaws]).toEqual([[10, 5], []]);
  });

  test("RS-2.1 nothing is subscribed to before somebody consumes", async () => {
    const hand = new HandPublisher();
    fromPublisher(hand, { runtime: testRuntime() });
    await turns();
    expect(hand.subscribes).toBe(0);
  });

  test("RS-2.12 several consumers are one Subscriber", async () => {
    const { hand, stage, c } = await rig();
    const other = new ManualConsumer().attach(stage).ask(1);
    c.ask(2);
    await turns();
    hand.next(1, 2, 3);
    await turns();
    expect([hand.subscribes, c.received, other.received]).toEqual([1, [1, 2], [3]]);
  });

  test("RS-3.10 what comes before request has returned is one batch, and requests do not nest", async () => {
    const hand = new HandPublisher();
    let depth = 0;
    let deepest = 0;
    let next = 0;
    hand.onRequest = (count) => {
      depth += 1;
      deepest = Math.max(deepest, depth);
      for (let i = 0; i < count; i += 1) hand.next((next += 1));
      depth -= 1;
    };
    const { c } = await rig({}, hand);
    c.each = (event) => void (event <= 5 && c.ask(1));
    c.ask(5);
    await turns();
    expect([c.sizes, c.received, deepest]).toEqual([[5, 1, 1, 1, 1, 1], range(1, 10), 1]);
    expect([hand.requests, c.flaws, hand.flaws]).toEqual([[5, 1, 1, 1, 1, 1], [], []]);
  });

  test("RS-3.11 an end inside request", async () => {
    const hand = new HandPublisher();
    hand.onRequest = () => void hand.next(1).end();
    const { c } = await rig({}, hand);
    c.ask(5);
    await turns();
    expect([heard(c), hand.flaws]).toEqual([[[1], [complete], []], []]);
  });

  test("RS-3.17 an ask without bound is requested in tens of thousands", async () => {
    const { hand, c } = await rig();
    c.ask(Number.POSITIVE_INFINITY);
    await turns();
    expect(hand.requests).toEqual([10_000]);
    hand.next(...range(1, 10_000));
    await turns();
    expect([hand.requests, c.received.length]).toEqual([[10_000, 10_000], 10_000]);
  });
});

describe("onSubscribe", () => {
  test("RS-1.9 that comes late: what was asked for meanwhile is requested then", async () => {
    const { hand, c } = await rig({}, new HandPublisher(true));
    c.ask(2);
    c.ask(3);
    await turns();
    expect(hand.requests).toEqual([]);
    hand.subscriber.onSubscribe(hand);
    expect(hand.requests).toEqual([5]);
  });

  test("RS-2.5 a second subscription is cancelled, the first goes on", async () => {
    const { hand, c } = await rig();
    const second = new HandPublisher();
    hand.subscriber.onSubscribe(second);
    c.ask(1);
    await turns();
    hand.next(1);
    await turns();
    expect([second.cancels, second.requests, hand.cancels, heard(c)]).toEqual([1, [], 0, [[1], [], []]]);
  });

  test("RS-2.8 that comes behind the end is cancelled", async () => {
    const { hand, c, stage } = await rig({}, new HandPublisher(true));
    c.cancel();
    await turns();
    expect(stage.state).toBe("stopped");
    hand.subscriber.onSubscribe(hand);
    expect([hand.cancels, hand.requests, hand.flaws]).toEqual([1, [], []]);
  });

  test.each([null, undefined, {}, { request() {} }, 5])(
    "RS-2.13a without a Subscription (%s): thrown, and the stage fails",
    async (wrong) => {
      const { hand, c } = await rig({}, new HandPublisher(true));
      expect(() => hand.subscriber.onSubscribe(wrong as never)).toThrow(TypeError);
      await turns();
      expect(c.ends).toMatchObject([{ type: "failure", error: { code: "ERR_NOT_SOURCE" } }]);
    },
  );
});

describe("release", () => {
  test("RS-2.6 the last consumer, a stop, an abort: one cancel", async () => {
    for (const how of ["leave", "stop", "abort"] as const) {
      const kill = new AbortController();
      const { hand, c, stage } = await rig({ signal: kill.signal });
      c.ask(5);
      await turns();
      hand.next(1);
      await turns();
      if (how === "leave") c.cancel();
      else if (how === "stop") await stage.stop();
      else kill.abort("enough");
      await turns();
      await stage.stop();
      expect([how, hand.cancels, hand.flaws, c.received]).toEqual([how, 1, [], [1]]);
    }
  });

  test("RS-2.6 onLastCancel: continue keeps the subscription for the next consumer", async () => {
    const { hand, c, stage } = await rig({ onLastCancel: "continue" });
    c.ask(5);
    await turns();
    c.cancel();
    await turns();
    const next = new ManualConsumer().attach(stage).ask(2);
    await turns();
    hand.next(1, 2);
    await turns();
    expect([hand.cancels, hand.requests, heard(next)]).toEqual([0, [5], [[1, 2], [], []]]);
  });

  test("RS-2.8 what comes behind the cancel is dropped, without a word", async () => {
    const { hand, c, stage, reports, discarded } = await rig();
    c.ask(5);
    await turns();
    hand.next(1);
    await turns();
    c.cancel();
    await turns();
    hand.next(2, 3).end();
    await turns();
    expect([heard(c), stage.state, reports, discarded]).toEqual([[[1], [], []], "stopped", [], []]);
  });

  test.each(["stop", "failure", "abort"] as const)(
    "RS-2.8 what had come before a %s is told to onDiscard",
    async (how) => {
      const kill = new AbortController();
      const { hand, c, stage, discarded } = await rig({ signal: kill.signal });
      c.ask(5);
      await turns();
      hand.next(1, 2);
      if (how === "abort") kill.abort("enough");
      else if (how === "failure")
        (stage as unknown as { "~core": { ends: { fail(error: unknown): void } } })["~core"].ends.fail("E");
      else await stage.call((context) => context.stop()).then(() => stage.done);
      await turns();
      const lost = discarded.length > 0 ? discarded : [["delivered", ...c.received]];
      expect(lost).toEqual([[how === "stop" ? "delivered" : how, 1, 2]]);
    },
  );

  test("J01 aborted before: the Publisher is not touched", async () => {
    const hand = new HandPublisher();
    const { c } = await rig({ signal: AbortSignal.abort("enough") }, hand);
    expect([hand.subscribes, c.ends]).toEqual([0, [failed("enough")]]);
  });

  test("RS-3.15 a cancel that throws is reported", async () => {
    const error = new Error("E");
    const hand = new HandPublisher();
    hand.cancel = () => {
      throw error;
    };
    const { c, stage, reports } = await rig({}, hand);
    c.cancel();
    await turns();
    expect([stage.state, reports]).toEqual(["stopped", [error]]);
  });
});

describe("ends", () => {
  test.each([
    [undefined, complete],
    [{ error: "E" }, failed("E")],
    [{ error: undefined }, failed(undefined)],
    [{ error: null }, failed(null)],
  ])("RS-2.9 RS-2.10 need no request, and behind them the subscription is left alone (%s)", async (failure, end) => {
    const { hand, c, stage } = await rig();
    hand.end(failure);
    await turns();
    expect([heard(c), hand.requests, hand.cancels, hand.flaws]).toEqual([[[], [end], []], [], 0, []]);
    await stage.stop();
    expect([hand.cancels, hand.flaws]).toEqual([0, []]);
  });

  test("RS-2.3 RS-2.4 come behind the events before them; demand left over is not requested", async () => {
    const { hand, c } = await rig();
    c.ask(2);
    await turns();
    c.each = () => void c.ask(5);
    hand.next(1, 2).end();
    await turns();
    expect([heard(c), hand.requests, hand.cancels, hand.flaws]).toEqual([[[1, 2], [complete], []], [2], 0, []]);
  });

  test("RS-1.7 the first one counts: events and ends behind it are ignored, errors reported", async () => {
    const { hand, c, reports } = await rig();
    c.ask(5);
    await turns();
    hand.next(1).end().next(2).end().end({ error: "late" });
    await turns();
    hand.end({ error: "later" });
    await turns();
    expect([heard(c), reports]).toEqual([
      [[1], [complete], []],
      ["late", "later"],
    ]);
  });
});

describe("a Publisher that misbehaves", () => {
  test("RS-1.1 more than was requested: what was is delivered, the rest is told; it is left, and the stage fails", async () => {
    const { hand, c, discarded } = await rig();
    c.ask(2);
    await turns();
    hand.next(1, 2, 3, 4);
    await turns();
    expect([c.received, c.flaws, discarded, hand.cancels]).toEqual([[1, 2], [], [["failure", 3]], 1]);
    expect(c.ends).toMatchObject([{ type: "failure", error: { code: "ERR_OVERDELIVERY" } }]);
  });

  test("RS-1.9 events before the subscription were not requested", async () => {
    const { hand, c } = await rig({}, new HandPublisher(true));
    c.ask(2);
    await turns();
    hand.next(1);
    await turns();
    expect(c.received).toEqual([]);
    expect(c.ends).toMatchObject([{ type: "failure", error: { code: "ERR_OVERDELIVERY" } }]);
    hand.subscriber.onSubscribe(hand);
    expect(hand.cancels).toBe(1);
  });

  test("RS-1.9 a subscribe that throws fails the stage with it", async () => {
    const error = new Error("E");
    const hand = new HandPublisher();
    hand.subscribe = () => {
      throw error;
    };
    const { c } = await rig({}, hand);
    expect(c.ends).toEqual([failed(error)]);
  });

  test("RS-3.16 a request that throws fails the stage with it, behind what came, and it is left", async () => {
    const error = new Error("E");
    const hand = new HandPublisher();
    hand.onRequest = () => {
      hand.next(1);
      throw error;
    };
    const { c } = await rig({}, hand);
    c.ask(2);
    await turns();
    expect([heard(c), hand.cancels]).toEqual([[[1], [failed(error)], []], 1]);
  });

  test("1.1 what is no Publisher, and wrong options, are refused", () => {
    for (const wrong of [null, undefined, {}, { subscribe: 1 }, 5])
      expect(() => fromPublisher(wrong as never)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
    const hand = new HandPublisher();
    expect(() => fromPublisher(hand, { overflov: "throw" } as never)).toThrow(
      expect.objectContaining({ code: "ERR_OPTION" }),
    );
  });
});

test("RS-2.13b null and undefined are events", async () => {
  const hand = new HandPublisher<unknown>();
  const stage: Producer<unknown> = fromPublisher<unknown>(hand, { runtime: testRuntime() });
  const c = new ManualConsumer<unknown>().attach(stage).ask(3);
  await turns();
  hand.next(null, undefined, 0);
  await turns();
  expect(c.received).toEqual([null, undefined, 0]);
});

test("5.1 a stage that completes from inside with events left takes no more, and leaves the Publisher", async () => {
  const { hand, c, stage, discarded } = await rig({ onLastCancel: "continue" });
  c.ask(5);
  await turns();
  c.cancel();
  await turns();
  hand.next(1);
  await turns();
  await stage.call((context) => context.complete());
  await turns();
  expect([stage.state, stage.bufferedCount, hand.cancels]).toEqual(["ending", 1, 0]);
  hand.next(2).next(3);
  await turns();
  expect([discarded, hand.cancels]).toEqual([[["stop", 2, 3]], 1]);
  const last = new ManualConsumer().attach(stage).ask(5);
  await turns();
  expect([heard(last), stage.state, hand.flaws]).toEqual([[[1], [complete], []], "completed", []]);
});
