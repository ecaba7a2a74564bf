import { describe, expect, test } from "vitest";
import { fromObservable } from "../../../adapters/rxjs/index.ts";
import { broadcastDispatcher, consumer, OverflowError, type Reason } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { type Emitter, generations, type Source, TapOf, values } from "./generations.ts";
import { bridge, Hand } from "./support.ts";

const complete: Reason = { type: "complete" };
const fails = (message: string) => (): never => {
  throw new Error(message);
};
const failed = (error: unknown): Reason => ({ type: "failure", error });
const on = <T>(source: Source<T>, options: Parameters<typeof bridge>[1] = {}) => bridge<T>(source as never, options);

describe.each(generations)("fromObservable of $name", (g) => {
  test.each(["cold", "replay"])("I01 I19 %s: nothing before the subscription, then by demand", async (kind) => {
    const replayed = g.replay<number>();
    for (const value of [1, 2, 3]) replayed.next(value);
    replayed.complete();
    const { stage } = on(kind === "cold" ? values(g, 1, 2, 3) : replayed);
    const hand = new Hand<number>().attach(stage);
    await turns();
    expect([hand.early, hand.received, stage.bufferedCount]).toEqual([[], [], 3]);
    hand.ask(1);
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1], []]);
    hand.ask(2);
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1, 2, 3], [complete]]);
  });

  test("I19 a subject with a value says it first", async () => {
    const subject = g.behavior(1);
    const { stage } = on(subject);
    const hand = new Hand<number>().attach(stage).ask(10);
    await turns();
    expect([hand.early, hand.received]).toEqual([[], [1]]);
    subject.next(2);
    subject.complete();
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1, 2], [complete]]);
  });

  test("I02 a consumer that cancels on the first one: let go of, the others ignored", async () => {
    const tap = new TapOf<number>(g, (emitter) => {
      for (const value of [1, 2, 3]) emitter.next(value);
    });
    const { stage, reports } = on(tap.observable);
    const hand = new Hand<number>().attach(stage).ask(1);
    hand.each = () => void hand.cancel();
    await turns();
    expect([hand.received, hand.ends, stage.state]).toEqual([[1], [], "stopped"]);
    expect([tap.torn, tap.emitters[0]?.open(), reports]).toEqual([1, false, []]);
  });

  test("I03 an endless source that looks whether it is heard stops", async () => {
    let emitted = 0;
    const endless = g.cold<number>((emitter) => {
      while (emitter.open()) emitter.next((emitted += 1));
    });
    const runtime = testRuntime();
    const seen: number[] = [];
    const stage = fromObservable<number>(endless, { overflow: "throw", bufferSize: 0, runtime, onDiscard: () => {} });
    const c = consumer<number>(
      (events, _subscription, context) => {
        seen.push(...events);
        if (seen.length >= 3) context.complete();
      },
      { runtime },
    );
    c.subscribe(stage, { maxDemand: 1 });
    await c.done;
    await turns();
    expect([seen, stage.state, emitted]).toEqual([[1, 2, 3], "stopped", 4]);
  });

  test("I03 one that does not look runs on, and is not heard", async () => {
    let emitted = 0;
    const { stage } = on(
      g.cold<number>((emitter) => {
        while (emitted < 1000) emitter.next((emitted += 1));
      }),
    );
    const hand = new Hand<number>().attach(stage).ask(3);
    hand.each = (value) => void (value === 3 && hand.cancel());
    await turns();
    expect([hand.received, emitted, stage.state]).toEqual([[1, 2, 3], 1000, "stopped"]);
  });

  test.each([
    ["throw", [1, 2, 3, 4], true, []],
    ["drop-oldest", [3, 4, 5, 6], false, [1, 2]],
    ["drop-newest", [1, 2, 3, 4], false, [5, 6]],
  ] as const)(
    "I05 I06 %s: six values, room for four, one report per burst",
    async (overflow, kept, overflows, lost) => {
      const subject = g.subject<number>();
      const { stage, discarded } = on(subject, { overflow, bufferSize: 4 });
      const hand = new Hand<number>().attach(stage);
      await turns();
      for (const value of range(1, 6)) subject.next(value);
      await turns();
      hand.ask(10);
      await turns();
      expect(hand.received).toEqual(kept);
      expect(discarded).toEqual(lost.length > 0 ? [["overflow", lost]] : []);
      expect(hand.ends.map((reason) => reason.type === "failure" && reason.error instanceof OverflowError)).toEqual(
        overflows ? [true] : [],
      );
    },
  );

  test("I07 the next value: what comes while nobody asks is passed over", async () => {
    const subject = g.subject<number>();
    const { stage } = on(subject, { overflow: "drop-newest", bufferSize: 0 });
    const hand = new Hand<number>().attach(stage).ask(1);
    await turns();
    for (const value of [0, 1, 2]) subject.next(value);
    await turns();
    hand.ask(1);
    await turns();
    for (const value of [5, 6]) subject.next(value);
    await turns();
    expect(hand.received).toEqual([0, 5]);
  });

  test("I09 a consumer that makes the source speak again: both links hear it in order", async () => {
    const subject = g.subject<number>();
    const runtime = testRuntime();
    const stage = fromObservable(subject, { overflow: "throw", runtime, dispatcher: broadcastDispatcher() });
    const [a, b] = [new Hand<number>().attach(stage).ask(9), new Hand<number>().attach(stage).ask(9)];
    a.each = (value) => void (value === 1 && subject.next(2));
    await turns();
    subject.next(1);
    await turns();
    expect([a.received, b.received]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test.each(["complete", "error"] as const)("I10 I11 %s waits for the values before it", async (end) => {
    const error = new Error("E");
    const subject = g.subject<number>();
    const { stage } = on(subject);
    const hand = new Hand<number>().attach(stage);
    await turns();
    for (const value of [1, 2, 3]) subject.next(value);
    if (end === "error") subject.error(error);
    else subject.complete();
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i += 1) {
      hand.ask(1);
      await turns();
      seen.push([hand.received.length, hand.ends.length]);
    }
    expect(seen).toEqual([
      [1, 0],
      [2, 0],
      [3, 1],
    ]);
    expect(hand.ends).toEqual([end === "error" ? failed(error) : complete]);
  });

  test("I11 an error behind values that overflow is reported", async () => {
    const subject = g.subject<number>();
    const { stage, reports } = on(subject, { bufferSize: 2 });
    const hand = new Hand<number>().attach(stage).ask(1);
    await turns();
    // Three are collected where one is asked for and two have room.
    for (const value of range(1, 3)) subject.next(value);
    subject.next(4);
    subject.error("E");
    hand.ask(9);
    await turns();
    expect([hand.received, reports]).toEqual([[1, 2, 3], ["E"]]);
    expect(hand.ends).toMatchObject([{ type: "failure", error: { code: "ERR_OVERFLOW", rejected: [4] } }]);
  });

  test.each(["cancel", "stop", "abort", "complete", "error"])("I13 %s tears it down, once", async (how) => {
    const tap = new TapOf<number>(g);
    const kill = new AbortController();
    const runtime = testRuntime();
    const stage = fromObservable<number>(tap.observable, { overflow: "throw", runtime, signal: kill.signal });
    const hand = new Hand<number>().attach(stage).ask(3);
    await turns();
    tap.next(1);
    await turns();
    if (how === "cancel") hand.cancel();
    if (how === "stop") await stage.stop();
    if (how === "abort") kill.abort("enough");
    if (how === "complete") tap.emitters[0]?.complete();
    if (how === "error") tap.emitters[0]?.error("E");
    await turns();
    hand.cancel();
    await turns();
    expect([tap.torn, tap.emitters.length, hand.received]).toEqual([1, 1, [1]]);
  });

  test("I14 a cancel clears what is queued", async () => {
    const subject = g.subject<number>();
    const { stage, discarded } = on(subject);
    const hand = new Hand<number>().attach(stage);
    await turns();
    for (const value of [1, 2, 3]) subject.next(value);
    hand.cancel();
    await turns();
    expect([hand.received, hand.ends, stage.bufferedCount]).toEqual([[], [], 0]);
    expect(discarded.flatMap(([, events]) => events)).toEqual([1, 2, 3]);
  });

  test.each([
    ["abort", failed("why")],
    ["stop", { type: "stop", reason: undefined }],
    ["fail", failed("other")],
  ] as const)("I14 what came in the same turn as %s is told to be discarded", async (how, end) => {
    const kill = new AbortController();
    const subject = g.subject<number>();
    const { stage, discarded } = on(subject, { signal: kill.signal });
    const hand = new Hand<number>().attach(stage).ask(9);
    await turns();
    // The end is met in the run in which the values are collected, before they have had their turn.
    const ended = stage.call((context) => {
      subject.next(1);
      subject.next(2);
      if (how === "abort") kill.abort("why");
      if (how === "fail") context.fail("other");
      return how === "stop" ? undefined : "ended";
    });
    if (how === "stop") void stage.stop();
    await ended.catch(() => {});
    await turns();
    const cause = how === "abort" ? "abort" : "failure";
    expect([hand.received, hand.ends, discarded]).toEqual(
      how === "stop" ? [[1, 2], [end], []] : [[], [end], [[cause, [1, 2]]]],
    );
  });

  test("I10 an overflow that shows with the end comes first", async () => {
    const subject = g.subject<number>();
    const { stage } = on(subject, { bufferSize: 2 });
    const hand = new Hand<number>().attach(stage);
    await turns();
    for (const value of [1, 2, 3]) subject.next(value);
    subject.complete();
    hand.ask(9);
    await turns();
    expect(hand.received).toEqual([1, 2]);
    expect(hand.ends).toMatchObject([{ type: "failure", error: { code: "ERR_OVERFLOW", rejected: [3] } }]);
  });

  test("I13 a producer that was completed from inside lets go when the source speaks again", async () => {
    const tap = new TapOf<number>(g);
    const { stage, reports } = on(tap.observable);
    const hand = new Hand<number>().attach(stage);
    await turns();
    tap.next(1);
    await turns();
    await stage.call((context) => context.complete());
    await turns();
    expect(tap.torn).toBe(0);
    tap.next(2);
    await turns();
    hand.ask(9);
    await turns();
    expect([tap.torn, hand.received, hand.ends, reports]).toEqual([1, [1], [complete], []]);
  });

  test("I15 a source that goes on after it was left is not heard", async () => {
    const emitters: Emitter<number>[] = [];
    const { stage, reports } = on(g.cold<number>((emitter) => void emitters.push(emitter)));
    const hand = new Hand<number>().attach(stage).ask(10);
    await turns();
    emitters[0]?.next(1);
    await turns();
    hand.cancel();
    await turns();
    emitters[0]?.next(2);
    emitters[0]?.complete();
    await turns();
    expect([hand.received, hand.ends, reports, stage.state]).toEqual([[1], [], [], "stopped"]);
  });

  test("I17 a subscriber function that throws fails the stage, after the subscription", async () => {
    const error = new Error("subscribe");
    const { stage } = on(
      g.cold<number>((emitter) => {
        emitter.next(1);
        throw error;
      }),
    );
    const hand = new Hand<number>().attach(stage).ask(5);
    expect(hand.early).toEqual([]);
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1], [failed(error)]]);
  });

  test.each(["complete", "error"] as const)("I18 a subject that has said %s already", async (how) => {
    const subject = g.subject<number>();
    if (how === "complete") subject.complete();
    else subject.error("E");
    const { stage } = on(subject);
    const hand = new Hand<number>().attach(stage);
    await turns();
    expect([hand.received, hand.ends]).toEqual([[], [how === "complete" ? complete : failed("E")]]);
  });

  test("I21 under the interop key", async () => {
    const { stage } = on<number>({ "@@observable": () => values(g, 1, 2) } as never);
    const hand = new Hand<number>().attach(stage).ask(5);
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1, 2], [complete]]);
  });

  test("I22 a cold source runs once per producer, and once behind a broadcast", async () => {
    const tap = new TapOf<number>(g);
    const runtime = testRuntime();
    const shared = fromObservable(tap.observable, {
      overflow: "throw",
      runtime,
      dispatcher: broadcastDispatcher(),
    });
    const alone = fromObservable<number>(tap.observable, { overflow: "throw", runtime });
    const hands = [shared, shared, alone].map((stage) => new Hand<number>().attach(stage).ask(5));
    await turns();
    expect(tap.emitters.length).toBe(2);
    tap.next(7);
    await turns();
    expect(hands.map(({ received }) => received)).toEqual([[7], [7], [7]]);
  });

  test("J01 aborted before it is attached to: the source is not touched", async () => {
    const tap = new TapOf<number>(g);
    const signal = AbortSignal.abort("early");
    const stage = fromObservable<number>(tap.observable, { overflow: "throw", runtime: testRuntime(), signal });
    const hand = new Hand<number>().attach(stage);
    await turns();
    expect([tap.emitters, hand.ends]).toEqual([[], [failed("early")]]);
  });

  test("J06 aborted inside an event handler: nothing comes any more", async () => {
    const kill = new AbortController();
    const subject = g.subject<number>();
    const runtime = testRuntime();
    const stage = fromObservable<number>(subject, {
      overflow: "throw",
      runtime,
      signal: kill.signal,
      onDiscard: () => {},
    });
    const hand = new Hand<number>().attach(stage).ask(2);
    hand.each = () => kill.abort("now");
    await turns();
    subject.next(1);
    await turns();
    subject.next(2);
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1], [failed("now")]]);
  });
});

describe("what RxJS does not declare", () => {
  test("I13 the platform's Observables share one run: the last who leaves ends it", async () => {
    const said: string[] = [];
    const platform = new Observable<number>((subscriber) => {
      said.push("run");
      subscriber.addTeardown(() => void said.push("torn"));
    });
    const [a, b] = [on<number>(platform), on<number>(platform)].map(({ stage }) =>
      new Hand<number>().attach(stage).ask(1),
    );
    await turns();
    a?.cancel();
    await turns();
    expect(said).toEqual(["run"]);
    b?.cancel();
    await turns();
    expect(said).toEqual(["run", "torn"]);
  });

  test("J02 the signal that a source was given aborts with what the stage failed with", async () => {
    let given: AbortSignal | undefined;
    const foreign = {
      subscribe(_observer: unknown, options?: { readonly signal: AbortSignal }) {
        given = options?.signal;
      },
    };
    const kill = new AbortController();
    const stage = fromObservable<number>(foreign, { overflow: "throw", runtime: testRuntime(), signal: kill.signal });
    new Hand<number>().attach(stage).ask(1);
    await turns();
    expect(given?.aborted).toBe(false);
    kill.abort("why");
    await turns();
    expect([given?.aborted, given?.reason]).toEqual([true, "why"]);
  });

  test("I13 a subscription may be a function", async () => {
    let left = 0;
    const foreign = { subscribe: () => () => void (left += 1) };
    const { stage } = bridge<number>(foreign as never);
    const hand = new Hand<number>().attach(stage);
    await turns();
    hand.cancel();
    await turns();
    expect(left).toBe(1);
  });

  test("I13 teardowns that throw are reported, and the others still run", async () => {
    let left = 0;
    const foreign = {
      subscribe(observer: unknown) {
        const receiver = observer as { add(teardown: unknown): void };
        receiver.add(fails("first"));
        receiver.add(() => void (left += 1));
        return { unsubscribe: fails("second") };
      },
    };
    const { stage, reports } = bridge<number>(foreign as never);
    const hand = new Hand<number>().attach(stage);
    await turns();
    hand.cancel();
    await turns();
    expect([left, stage.state, reports]).toEqual([1, "stopped", [new Error("first"), new Error("second")]]);
  });

  test("K01 inner subscriptions that have ended are not kept", async () => {
    type Receiver = { add(teardown: unknown): void; remove(teardown: unknown): void };
    let receiver: Receiver | undefined;
    const foreign = { subscribe: (observer: unknown) => void (receiver = observer as Receiver) };
    const { stage } = bridge<number>(foreign as never);
    const hand = new Hand<number>().attach(stage);
    await turns();
    const left: number[] = [];
    const inner = range(1, 200).map((id) => ({ closed: id <= 190, unsubscribe: () => void left.push(id) }));
    for (const each of inner) receiver?.add(each);
    receiver?.remove(inner[195]);
    hand.cancel();
    await turns();
    // Those that were closed at the last look are gone: of the last hundred some may be left.
    expect([left.length < 100, left.filter((id) => id > 190)]).toEqual([
      true,
      [191, 192, 193, 194, 195, 197, 198, 199, 200],
    ]);
    receiver?.add(() => void left.push(0));
    expect(left.at(-1)).toBe(0);
  });
});
