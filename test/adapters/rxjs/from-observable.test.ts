import { BehaviorSubject, interval, Observable, of, ReplaySubject, Subject, throwError } from "rxjs";
import { describe, expect, test, vi } from "vitest";
import { fromObservable } from "../../../adapters/rxjs/index.ts";
import { consumer, OverflowError, type Producer, type Reason } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { bridge, type BridgeOptions, Hand, Tap } from "./support.ts";

const complete: Reason = { type: "complete" };
const failed = (error: unknown): Reason => ({ type: "failure", error });

/** Consumes one by one, and has enough at three. */
function three(seen: number[], stage: Producer<number>, runtime: TestRuntime, maxDemand: number) {
  const c = consumer<number>(
    {
      handleEvents(events, _subscription, context) {
        seen.push(...events);
        if (seen.length >= 3) context.complete();
      },
    },
    { runtime },
  );
  c.subscribe(stage, { maxDemand, minDemand: maxDemand - 1 });
  return c;
}

describe("values that come while it subscribes", () => {
  const sources: [string, () => Observable<number>][] = [
    ["I01 a cold source", () => of(1, 2, 3)],
    [
      "I19 a ReplaySubject",
      () => {
        const subject = new ReplaySubject<number>();
        for (const value of [1, 2, 3]) subject.next(value);
        subject.complete();
        return subject;
      },
    ],
  ];

  test.each(sources)("%s: nothing before the subscription, then by demand", async (_name, make) => {
    const { stage } = bridge(make());
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

  test("I19 a BehaviorSubject: its value first, then what it says", async () => {
    const subject = new BehaviorSubject(1);
    const { stage } = bridge(subject);
    const hand = new Hand<number>().attach(stage).ask(10);
    await turns();
    expect([hand.early, hand.received]).toEqual([[], [1]]);
    subject.next(2);
    subject.complete();
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1, 2], [complete]]);
  });

  test("I02 a consumer that cancels on the first one: unsubscribed, the others ignored", async () => {
    const tap = new Tap<number>((subscriber) => {
      for (let value = 1; value <= 3; value += 1) subscriber.next(value);
    });
    const { stage, reports } = bridge(tap.observable);
    const hand = new Hand<number>().attach(stage).ask(1);
    hand.each = () => void hand.cancel();
    await turns();
    expect([hand.received, hand.ends, stage.state]).toEqual([[1], [], "stopped"]);
    expect([tap.torn, tap.subscribers[0]?.closed, reports]).toEqual([1, true, []]);
  });

  test.each([1, 10])(
    "I03 an endless source that looks whether it is closed stops (maxDemand %i)",
    async (maxDemand) => {
      const seen: number[] = [];
      let emitted = 0;
      const endless = new Observable<number>((subscriber) => {
        while (!subscriber.closed) {
          emitted += 1;
          subscriber.next(emitted);
        }
      });
      const runtime = testRuntime();
      const stage = fromObservable(endless, { overflow: "throw", bufferSize: 0, runtime, onDiscard: () => {} });
      await three(seen, stage, runtime, maxDemand).done;
      await turns();
      expect([seen, stage.state]).toEqual([[1, 2, 3], "stopped"]);
      // One batch of what was asked for, the fourth value that finds nobody, and no more.
      expect(emitted).toBe(maxDemand === 1 ? 4 : 11);
    },
  );

  test("I03 an endless source that does not look runs on, and is not heard", async () => {
    const seen: number[] = [];
    let emitted = 0;
    const deaf = new Observable<number>((subscriber) => {
      for (; emitted < 1000; emitted += 1) subscriber.next(emitted + 1);
    });
    const runtime = testRuntime();
    const stage = fromObservable(deaf, { overflow: "throw", bufferSize: 0, runtime });
    await three(seen, stage, runtime, 1).done;
    await turns();
    expect([seen, stage.state, emitted]).toEqual([[1, 2, 3], "stopped", 1000]);
  });
});

describe("overflow", () => {
  const policies: [string, BridgeOptions, number[], number[] | undefined][] = [
    ["fail", { overflow: "throw", bufferSize: 4 }, [1, 2, 3, 4], [5, 6]],
    ["drop the oldest", { overflow: "drop-oldest", bufferSize: 4 }, [3, 4, 5, 6], undefined],
    ["drop the newest", { overflow: "drop-newest", bufferSize: 4 }, [1, 2, 3, 4], undefined],
    ["the latest", { overflow: "drop-oldest", bufferSize: 1 }, [6], undefined],
    ["the next", { overflow: "drop-newest", bufferSize: 0 }, [], undefined],
    ["unbounded", { overflow: "throw", bufferSize: Number.POSITIVE_INFINITY }, range(1, 6), undefined],
  ];
  describe.each(policies)("I05 %s", (_name, options, kept, rejected) => {
    test.each(["in one stretch", "turn by turn"])("six values, nobody asks, %s", async (how) => {
      const subject = new Subject<number>();
      const { stage } = bridge(subject, options);
      const hand = new Hand<number>().attach(stage);
      await turns();
      for (let value = 1; value <= 6; value += 1) {
        subject.next(value);
        if (how === "turn by turn") await turns(1);
      }
      await turns();
      hand.ask(10);
      await turns();
      expect(hand.received).toEqual(kept);
      const error = hand.ends.map((end) => (end.type === "failure" ? end.error : end));
      expect(error.map((thrown) => thrown instanceof OverflowError)).toEqual(rejected ? [true] : []);
      const first = how === "in one stretch" ? rejected : rejected?.slice(0, 1);
      expect(error).toMatchObject(first ? [{ code: "ERR_OVERFLOW", rejected: first }] : []);
      expect(subject.observed).toBe(rejected === undefined);
    });
  });

  test("I05 a failure of overflow comes behind what is buffered", async () => {
    const subject = new Subject<number>();
    const { stage } = bridge(subject, { bufferSize: 2 });
    const hand = new Hand<number>().attach(stage);
    await turns();
    for (let value = 1; value <= 5; value += 1) subject.next(value);
    await turns();
    expect([hand.received, hand.ends, stage.state, stage.bufferedCount]).toEqual([[], [], "ending", 2]);
    hand.ask(1);
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1], []]);
    hand.ask(1);
    await turns();
    expect([hand.received, hand.ends.length, stage.state]).toEqual([[1, 2], 1, "failed"]);
  });

  test("I05 a policy is required", () => {
    const wrong: [object | undefined, string][] = [
      [undefined, "ERR_OPTION"],
      [{}, "ERR_OPTION"],
      [{ overflow: "latest" }, "ERR_OPTION"],
      [{ overflow: "throw", bufferSize: -1 }, "ERR_RANGE"],
      [{ overflow: "throw", buffersize: 1 }, "ERR_OPTION"],
    ];
    for (const [options, code] of wrong)
      expect(() => fromObservable(of(1), options as never)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    ["drop-oldest", 4, [1, 2]],
    ["drop-newest", 4, [5, 6]],
    ["drop-oldest", 1, [1, 2, 3, 4, 5]],
    ["drop-newest", 0, [1, 2, 3, 4, 5, 6]],
  ] as const)("I06 what is dropped is told once a burst (%s, %i)", async (overflow, bufferSize, dropped) => {
    const subject = new Subject<number>();
    const { stage, discarded } = bridge(subject, { overflow, bufferSize });
    new Hand<number>().attach(stage);
    await turns();
    for (let value = 1; value <= 6; value += 1) subject.next(value);
    await turns();
    expect(discarded).toEqual([["overflow", dropped]]);
  });

  test("I07 the next value: what comes while nobody asks is passed over", async () => {
    const subject = new Subject<number>();
    const { stage } = bridge(subject, { overflow: "drop-newest", bufferSize: 0 });
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
});

describe("order", () => {
  test("I09 a consumer that makes the source speak again: everybody hears it in order", async () => {
    const subject = new Subject<number>();
    const runtime = testRuntime();
    const logs: number[][] = [[], []];
    for (const [who, log] of logs.entries()) {
      const c = consumer<number>(
        (events) => {
          for (const event of events) {
            log.push(event);
            if (who === 0 && event === 1) subject.next(2);
          }
        },
        { runtime },
      );
      c.subscribe(fromObservable(subject, { overflow: "throw", runtime }), { maxDemand: 1, minDemand: 0 });
    }
    await turns();
    subject.next(1);
    await turns();
    expect(logs).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test("I10 complete waits for the values before it", async () => {
    const subject = new Subject<number>();
    const { stage } = bridge(subject);
    const hand = new Hand<number>().attach(stage);
    await turns();
    for (const value of [1, 2, 3]) subject.next(value);
    subject.complete();
    for (let seen = 1; seen <= 3; seen += 1) {
      await turns();
      expect([hand.received, hand.ends]).toEqual([range(1, seen - 1), []]);
      hand.ask(1);
    }
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1, 2, 3], [complete]]);
  });

  test.each(["with demand", "without"])("I11 an error waits for the values before it, %s", async (how) => {
    const error = new Error("E");
    const subject = new Subject<number>();
    const { stage } = bridge(subject);
    const hand = new Hand<number>().attach(stage);
    if (how === "with demand") hand.ask(10);
    await turns();
    for (const value of [1, 2]) subject.next(value);
    subject.error(error);
    await turns();
    hand.ask(10);
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1, 2], [failed(error)]]);
    expect((hand.ends[0] as { error: unknown }).error).toBe(error);
  });

  test("I11 an error with an empty value is an error", async () => {
    const { stage } = bridge(throwError(() => undefined));
    const hand = new Hand<never>().attach(stage);
    await turns();
    expect([hand.ends, stage.state]).toEqual([[failed(undefined)], "failed"]);
  });
});

describe("release", () => {
  const ends: [string, (tap: Tap<number>, hand: Hand<number>) => unknown, string][] = [
    ["the end", (tap) => tap.complete(), "completed"],
    ["an error", (tap) => tap.error("E"), "failed"],
    ["a cancel", (_tap, hand) => hand.cancel(), "stopped"],
  ];
  test.each(ends)("I13 %s tears the subscription down, once", async (_what, end, state) => {
    const tap = new Tap<number>();
    const { stage, runtime } = bridge(tap.observable);
    const hand = new Hand<number>().attach(stage).ask(3);
    await turns();
    tap.next(1);
    await turns();
    expect([tap.subscribers.length, tap.torn]).toEqual([1, 0]);
    end(tap, hand);
    await turns();
    await stage.stop();
    expect([stage.state, tap.subscribers.length, tap.torn, runtime.clock.pending]).toEqual([state, 1, 1, 0]);
  });

  test("I13 stopping and aborting the stage tear it down as well", async () => {
    for (const how of ["stop", "abort"]) {
      const tap = new Tap<number>();
      const kill = new AbortController();
      const stage = fromObservable(tap.observable, { overflow: "throw", runtime: testRuntime(), signal: kill.signal });
      new Hand<number>().attach(stage).ask(3);
      await turns();
      if (how === "stop") await stage.stop();
      else kill.abort("enough");
      await turns();
      expect([tap.torn, stage.state]).toEqual([1, how === "stop" ? "stopped" : "failed"]);
    }
  });

  test("I13 timers of the source are cleared", async () => {
    const started = vi.spyOn(globalThis, "setInterval");
    const cleared = vi.spyOn(globalThis, "clearInterval");
    const hour = 3_600_000;
    try {
      const { stage } = bridge(interval(hour));
      const hand = new Hand<number>().attach(stage).ask(3);
      await turns();
      const timers = started.mock.results.filter((_, i) => started.mock.calls[i]?.[1] === hour);
      expect(timers).toHaveLength(1);
      expect(cleared).not.toHaveBeenCalledWith(timers[0]?.value);
      hand.cancel();
      await turns();
      expect(cleared).toHaveBeenCalledWith(timers[0]?.value);
      expect(stage.state).toBe("stopped");
    } finally {
      vi.restoreAllMocks();
    }
  });

  test("I14 a cancel clears what is queued", async () => {
    const subject = new Subject<number>();
    const { stage, discarded } = bridge(subject);
    const hand = new Hand<number>().attach(stage);
    await turns();
    for (const value of [1, 2, 3]) subject.next(value);
    await turns();
    expect(stage.bufferedCount).toBe(3);
    hand.cancel();
    await turns();
    expect([hand.received, hand.ends, stage.bufferedCount, subject.observed]).toEqual([[], [], 0, false]);
    expect(discarded).toEqual([["stop", [1, 2, 3]]]);
  });

  test("I14 what came in the turn of the cancel is not lost unseen", async () => {
    const subject = new Subject<number>();
    const { stage, discarded } = bridge(subject);
    const hand = new Hand<number>().attach(stage);
    await turns();
    for (const value of [1, 2, 3]) subject.next(value);
    hand.cancel();
    await turns();
    expect([hand.received, stage.state, subject.observed]).toEqual([[], "stopped", false]);
    expect(discarded.flatMap(([, events]) => events)).toEqual([1, 2, 3]);
  });

  test("I13 nothing is subscribed to before somebody consumes, and not again after the end", async () => {
    const tap = new Tap<number>();
    const { stage } = bridge(tap.observable);
    await turns();
    expect(tap.subscribers).toEqual([]);
    const hands = [new Hand<number>().attach(stage), new Hand<number>().attach(stage)];
    await turns();
    expect(tap.subscribers).toHaveLength(1);
    for (const hand of hands) hand.cancel();
    await turns();
    expect([tap.subscribers.length, tap.torn]).toEqual([1, 1]);
  });

  test("I13 a cancel before the subscription is made leaves none behind", async () => {
    const tap = new Tap<number>();
    const { stage } = bridge(tap.observable);
    new Hand<number>().attach(stage).cancel();
    await turns();
    expect([stage.state, tap.subscribers.length - tap.torn]).toEqual(["stopped", 0]);
  });

  test("I13 onLastCancel: continue keeps the subscription for the next consumer", async () => {
    const tap = new Tap<number>();
    const { stage } = bridge(tap.observable, { onLastCancel: "continue" });
    const first = new Hand<number>().attach(stage).ask(1);
    await turns();
    tap.next(1);
    await turns();
    first.cancel();
    await turns();
    tap.next(2, 3);
    await turns();
    const second = new Hand<number>().attach(stage).ask(5);
    tap.next(4);
    tap.complete();
    await turns();
    expect([first.received, second.received, second.ends]).toEqual([[1], [2, 3, 4], [complete]]);
    expect([tap.subscribers.length, tap.torn]).toEqual([1, 1]);
  });
});
