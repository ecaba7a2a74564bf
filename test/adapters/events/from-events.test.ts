import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fromEvents, type FromEventsOptions } from "../../../adapters/events/index.ts";
import { collect, consumer, pipeline, type Subscription, take } from "../../../src/index.ts";
import { failed } from "../../reactive-streams/harness.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { bridge, census, CountingTarget, hand, recorder } from "./support.ts";

const emit = (emitter: EventEmitter, from: number, to: number): void => {
  for (const n of range(from, to)) emitter.emit("data", n);
};

describe("an emitter", () => {
  test("7.1 listeners are added once the first consumer has subscribed, and each name has one", async () => {
    const emitter = new EventEmitter();
    const { stage } = bridge(emitter);
    await turns();
    expect(census(emitter)).toEqual({});
    const consumers = [hand(stage).ask(2), hand(stage).ask(2)];
    await turns();
    expect(census(emitter)).toEqual({ data: 1, error: 1 });
    emit(emitter, 1, 4);
    await turns();
    expect(consumers.map(({ received, flaws }) => [received, flaws])).toEqual([
      [[1, 2], []],
      [[3, 4], []],
    ]);
  });

  test("7.1 emitters of other makes: addListener and removeListener", async () => {
    const emitter = new EventEmitter();
    const old = {
      addListener: emitter.addListener.bind(emitter),
      removeListener: emitter.removeListener.bind(emitter),
      // One without the other is not enough.
      on: () => expect.unreachable(),
    };
    const stage = fromEvents<number>(old, "data", { overflow: "throw", runtime: testRuntime() });
    const c = hand(stage).ask(2);
    await turns();
    emit(emitter, 1, 2);
    await turns();
    c.cancel();
    await turns();
    expect([c.received, census(emitter)]).toEqual([[1, 2], {}]);
  });

  test("7.1 a name can be a symbol, an event any value", async () => {
    const emitter = new EventEmitter();
    const name = Symbol("data");
    const stage = fromEvents<unknown>(emitter, name, { overflow: "throw", runtime: testRuntime() });
    const c = hand(stage).ask(9);
    await turns();
    emitter.emit(name);
    for (const value of [null, undefined, 0, "", false, [1]]) emitter.emit(name, value, "more");
    await turns();
    expect(c.received).toEqual([undefined, null, undefined, 0, "", false, [1]]);
  });

  test("7.1 map makes one event of all arguments", async () => {
    const emitter = new EventEmitter();
    const { stage } = bridge<string>(emitter, { map: (a: number, b: string) => `${a}${b}` });
    const c = hand(stage).ask(2);
    await turns();
    emitter.emit("data", 1, "x");
    emitter.emit("data", 2, "y");
    await turns();
    expect(c.received).toEqual(["1x", "2y"]);
  });

  test("6.1 a map that throws fails the producer behind what came, and the emitter does not notice", async () => {
    const emitter = new EventEmitter();
    const error = new Error("E");
    const map = (n: number): number => {
      if (n === 2) throw error;
      return n;
    };
    const { stage } = bridge(emitter, { map });
    const c = hand(stage).ask(5);
    await turns();
    emit(emitter, 1, 3);
    await turns();
    expect([c.received, census(emitter)]).toEqual([[1], {}]);
    expect(c.ends).toEqual([{ type: "failure", error }]);
    expect(stage.failure).toEqual({ error, stage: stage.name, callback: "map", events: [2] });
  });

  test("7.3 an emitter that refuses the second listener: the first is removed, the producer fails with its error", async () => {
    const emitter = new EventEmitter();
    const error = new Error("E");
    const add = emitter.on.bind(emitter);
    emitter.on = (name, listener) => {
      if (name === "end") throw error;
      return add(name, listener);
    };
    const { stage } = bridge(emitter, { end: "end" });
    const c = hand(stage);
    await turns();
    expect([c.ends, census(emitter)]).toEqual([[failed(error)], {}]);
  });

  test("7.3 an emitter that refuses to remove a listener: reported", async () => {
    const emitter = new EventEmitter();
    const error = new Error("E");
    emitter.off = () => {
      throw error;
    };
    const { stage, reports } = bridge(emitter);
    const c = hand(stage);
    await turns();
    c.cancel();
    await turns();
    emit(emitter, 1, 1);
    expect([reports, stage.state, c.received]).toEqual([[error], "stopped", []]);
  });
});

describe("nobody asks", () => {
  const policies: [string, Partial<FromEventsOptions<number>>, number[], number[] | undefined][] = [
    ["fail", { overflow: "throw", bufferSize: 4 }, [1, 2, 3, 4], [5, 6]],
    ["drop the oldest", { overflow: "drop-oldest", bufferSize: 4 }, [3, 4, 5, 6], undefined],
    ["drop the newest", { overflow: "drop-newest", bufferSize: 4 }, [1, 2, 3, 4], undefined],
    ["the latest", { overflow: "drop-oldest", bufferSize: 1 }, [6], undefined],
    ["the next", { overflow: "drop-newest", bufferSize: 0 }, [], undefined],
    ["unbounded", { overflow: "throw", bufferSize: Number.POSITIVE_INFINITY }, range(1, 6), undefined],
  ];
  describe.each(policies)("I05 %s", (_name, options, kept, rejected) => {
    test.each(["in one stretch", "turn by turn"])("six events, %s", async (how) => {
      const emitter = new EventEmitter();
      const { stage } = bridge(emitter, options);
      const c = hand(stage);
      await turns();
      for (let n = 1; n <= 6; n += 1) {
        emitter.emit("data", n);
        if (how === "turn by turn") await turns(1);
      }
      await turns();
      c.ask(10);
      await turns();
      expect(c.received).toEqual(kept);
      const first = how === "in one stretch" ? rejected : rejected?.slice(0, 1);
      expect(c.ends).toMatchObject(first ? [{ error: { code: "ERR_OVERFLOW", rejected: first } }] : []);
      expect(census(emitter)).toEqual(rejected ? {} : { data: 1, error: 1 });
    });
  });

  test.each([
    ["drop-oldest", 4, [1, 2]],
    ["drop-newest", 4, [5, 6]],
    ["drop-newest", 0, range(1, 6)],
  ] as const)("I06 what is dropped is told once a burst (%s, %i)", async (overflow, bufferSize, dropped) => {
    const emitter = new EventEmitter();
    const { stage, discarded } = bridge(emitter, { overflow, bufferSize });
    hand(stage);
    await turns();
    emit(emitter, 1, 6);
    await turns();
    expect(discarded).toEqual([["overflow", dropped]]);
  });

  test("I07 the next event: what comes while nobody asks is passed over", async () => {
    const emitter = new EventEmitter();
    const { stage } = bridge(emitter, { overflow: "drop-newest", bufferSize: 0 });
    const c = hand(stage).ask(1);
    await turns();
    emit(emitter, 0, 2);
    await turns();
    c.ask(1);
    await turns();
    emit(emitter, 5, 6);
    await turns();
    expect(c.received).toEqual([0, 5]);
  });

  test("7.4 a synchronous emitter needs no buffer in front of a synchronous consumer", async () => {
    const emitter = new EventEmitter();
    const { stage, runtime } = bridge(emitter, { bufferSize: 0 });
    const log: number[] = [];
    recorder(log, stage, runtime, { maxDemand: 7, minDemand: 3 });
    await turns();
    emit(emitter, 1, 10_000);
    await turns();
    expect([log.length, log[0], log.at(-1), stage.state]).toEqual([10_000, 1, 10_000, "running"]);
  });

  test("I14 a cancel clears what is buffered, and tells", async () => {
    const emitter = new EventEmitter();
    const { stage, discarded } = bridge(emitter);
    const c = hand(stage);
    await turns();
    emit(emitter, 1, 3);
    await turns();
    expect(stage.bufferedCount).toBe(3);
    c.cancel();
    await turns();
    expect([stage.state, stage.bufferedCount, discarded]).toEqual(["stopped", 0, [["stop", [1, 2, 3]]]]);
  });

  test.each(["stop", "abort"] as const)("I14 what came in the stretch of a %s is not lost unseen", async (how) => {
    const emitter = new EventEmitter();
    const kill = new AbortController();
    const { stage, discarded } = bridge(emitter, { signal: kill.signal });
    hand(stage);
    await turns();
    emit(emitter, 1, 3);
    if (how === "stop") void stage.stop();
    else kill.abort("enough");
    await turns();
    expect(discarded).toEqual([[how, [1, 2, 3]]]);
  });
});

describe("AbortSignal", () => {
  test("J01 aborted before: the emitter is not touched", async () => {
    const emitter = new EventEmitter();
    const { stage } = bridge(emitter, { signal: AbortSignal.abort("enough") });
    const c = hand(stage);
    await turns();
    expect([c.ends, stage.state, census(emitter)]).toEqual([[failed("enough")], "failed", {}]);
  });

  test("J02 aborted midway with demand: left once, with the reason", async () => {
    const emitter = new EventEmitter();
    const kill = new AbortController();
    const reason = { because: 1 };
    const { stage } = bridge(emitter, { signal: kill.signal });
    const c = hand(stage).ask(5);
    await turns();
    emit(emitter, 1, 2);
    await turns();
    kill.abort(reason);
    expect(census(emitter)).toEqual({});
    emit(emitter, 3, 4);
    await turns();
    expect([c.received, c.ends]).toEqual([[1, 2], [failed(reason)]]);
  });

  test("J05 aborted behind the end, with events left: the abort decides on them", async () => {
    const emitter = new EventEmitter();
    const kill = new AbortController();
    const { stage, discarded } = bridge(emitter, { signal: kill.signal, end: "end" });
    const c = hand(stage);
    await turns();
    emit(emitter, 1, 1);
    emitter.emit("end");
    await turns();
    kill.abort("enough");
    await turns();
    expect([c.received, c.ends, discarded]).toEqual([[], [failed("enough")], [["abort", [1]]]]);
  });

  test("J06 aborted inside a handler: no further event", async () => {
    const emitter = new EventEmitter();
    const kill = new AbortController();
    const { stage, runtime, discarded } = bridge(emitter, { signal: kill.signal });
    const log: number[] = [];
    const c = consumer<number>(
      (events) => {
        log.push(...events);
        kill.abort("enough");
      },
      { runtime },
    );
    c.subscribe(stage, { maxDemand: 2, minDemand: 0 });
    await turns();
    emit(emitter, 1, 5);
    await expect(c.done).rejects.toBe("enough");
    expect([log, discarded, census(emitter)]).toEqual([[1, 2], [], {}]);
  });

  test("J07 the signal keeps no listener", async () => {
    const target = new CountingTarget();
    const signal = Object.assign(target, { aborted: false, reason: undefined }) as unknown as AbortSignal;
    const { stage } = bridge(new EventEmitter(), { signal });
    const c = hand(stage);
    await turns();
    expect(target.counts).toEqual({ abort: 1 });
    c.cancel();
    await turns();
    expect(target.counts).toEqual({ abort: 0 });
  });

  test("J10 what is no signal is refused", () => {
    for (const signal of ["x", {}, null])
      expect(() => bridge(new EventEmitter(), { signal: signal as never })).toThrow(
        expect.objectContaining({ code: "ERR_OPTION" }),
      );
  });
});

describe("listeners", () => {
  const warnings: unknown[] = [];
  const note = (warning: unknown): void => void warnings.push(warning);
  beforeEach(() => {
    warnings.length = 0;
    process.on("warning", note);
  });
  afterEach(() => {
    process.off("warning", note);
  });

  const ends: [string, (emitter: EventEmitter, stop: () => void, kill: AbortController) => unknown][] = [
    ["the end", (emitter) => emitter.emit("end")],
    ["an error", (emitter) => emitter.emit("error", "E")],
    ["a close", (emitter) => emitter.emit("close")],
    ["a cancel", (_emitter, stop) => stop()],
    ["an abort", (_emitter, _stop, kill) => kill.abort("enough")],
  ];
  test.each(ends)("K01 are as many behind %s as before", async (_name, end) => {
    const emitter = new EventEmitter();
    for (const name of ["data", "end", "error", "close"]) emitter.on(name, () => {});
    const before = census(emitter);
    const kill = new AbortController();
    const { stage } = bridge(emitter, { end: "end", close: "close", signal: kill.signal });
    const c = hand(stage).ask(1);
    await turns();
    expect(census(emitter)).toEqual({ data: 2, end: 2, error: 2, close: 2 });
    end(emitter, () => c.cancel(), kill);
    await turns();
    expect([census(emitter), c.ends.length <= 1]).toEqual([before, true]);
  });

  test("K02 100 rounds on one emitter: no warning", async () => {
    const emitter = new EventEmitter();
    for (let round = 0; round < 100; round += 1) {
      const c = hand(bridge(emitter).stage).ask(1);
      await turns(1);
      c.cancel();
      await turns(1);
    }
    expect([warnings, census(emitter)]).toEqual([[], {}]);
  });

  test.each([() => new EventEmitter(), () => new EventTarget()])(
    "K03 12 producers on one emitter: no warning, all get each event, each leaves alone",
    async (make) => {
      const emitter = make();
      const say = (n: number): unknown =>
        emitter instanceof EventEmitter ? emitter.emit("data", n) : emitter.dispatchEvent(new Event("data"));
      const consumers = range(1, 12).map(() => hand(bridge<unknown>(emitter).stage).ask(3));
      await turns();
      say(1);
      consumers[0]?.cancel();
      await turns();
      say(2);
      await turns();
      expect(consumers.map(({ received }) => received.length)).toEqual([0, ...Array.from({ length: 11 }, () => 2)]);
      for (const c of consumers.slice(1)) c.cancel();
      await turns();
      expect([warnings, emitter instanceof EventEmitter ? census(emitter) : {}]).toEqual([[], {}]);
    },
  );
});

describe("an EventTarget", () => {
  test("7.1 events are the Events themselves; end, error and close are named", async () => {
    const target = new CountingTarget();
    const { stage } = bridge<Event>(target, { end: "end", error: "error" });
    const c = hand(stage).ask(5);
    await turns();
    expect(target.counts).toEqual({ data: 1, end: 1, error: 1 });
    const events = [new Event("data"), new CustomEvent("data", { detail: 2 })];
    for (const event of events) target.dispatchEvent(event);
    target.dispatchEvent(new Event("end"));
    expect(target.counts).toEqual({ data: 0, end: 0, error: 0 });
    await turns();
    expect([c.received, c.ends]).toEqual([events, [{ type: "complete" }]]);
    expect(c.received[0]).toBe(events[0]);
  });

  test("E05 an error event fails it with its error, or with itself; without a name it is not listened to", async () => {
    const target = new EventTarget();
    const cause = new Error("E");
    const plain = new Event("error");
    for (const [event, error] of [
      [Object.assign(new Event("error"), { error: cause }), cause],
      [plain, plain],
    ]) {
      const named = hand(bridge<Event>(target, { error: "error" }).stage);
      const silent = hand(bridge<Event>(target).stage);
      await turns();
      target.dispatchEvent(event as Event);
      await turns();
      expect([named.ends, silent.ends]).toEqual([[failed(error)], []]);
      expect((named.ends[0] as { error: unknown }).error).toBe(error);
      silent.cancel();
    }
  });

  test("7.1 map sees the Event while it is dispatched", async () => {
    const target = new EventTarget();
    const { stage } = bridge(target, { map: (event: Event) => event.eventPhase });
    const c = hand(stage).ask(1);
    await turns();
    target.dispatchEvent(new Event("data"));
    await turns();
    expect(c.received).toEqual([Event.AT_TARGET]);
  });

  test("7.1 who is both gives its listeners what was emitted", async () => {
    const { port1, port2 } = new MessageChannel();
    const stage = fromEvents<number>(port1, "message", { overflow: "throw", close: "close" });
    const { done } = pipeline(stage, take(2), collect());
    await turns();
    port2.postMessage(1);
    port2.postMessage(2);
    expect(await done).toEqual([1, 2]);
    port2.close();
  });
});

describe("arguments", () => {
  test("1.1 wrong ones are refused at once", () => {
    const emitter = new EventEmitter();
    const good = { overflow: "throw" };
    const wrong: [unknown, unknown, unknown, string][] = [
      [undefined, "data", good, "ERR_NOT_SOURCE"],
      [{ on() {} }, "data", good, "ERR_NOT_SOURCE"],
      ["data", emitter, good, "ERR_NOT_SOURCE"],
      [emitter, 1, good, "ERR_OPTION"],
      [emitter, "data", undefined, "ERR_OPTION"],
      [emitter, "data", {}, "ERR_OPTION"],
      [emitter, "data", { overflow: "latest" }, "ERR_OPTION"],
      [emitter, "data", { ...good, bufferSize: -1 }, "ERR_RANGE"],
      [emitter, "data", { ...good, buffersize: 1 }, "ERR_OPTION"],
      [emitter, "data", { ...good, map: 1 }, "ERR_OPTION"],
      [emitter, "data", { ...good, pause: () => {} }, "ERR_OPTION"],
      [emitter, "data", { ...good, resume: () => {} }, "ERR_OPTION"],
      [emitter, "data", { ...good, pause: 1, resume: 1 }, "ERR_OPTION"],
      [emitter, "data", { ...good, end: "data" }, "ERR_OPTION"],
      [emitter, "data", { ...good, end: "close", close: "close" }, "ERR_OPTION"],
      [emitter, "error", { ...good, error: "error" }, "ERR_OPTION"],
      [emitter, "data", { ...good, end: true }, "ERR_OPTION"],
      [emitter, "data", { ...good, error: true }, "ERR_OPTION"],
    ];
    for (const [i, [source, name, options, code]] of wrong.entries())
      expect([i, () => fromEvents(source as never, name as never, options as never)]).toEqual([
        i,
        expect.toSatisfy((call: () => unknown) => {
          try {
            call();
          } catch (error) {
            return error instanceof Error && (error as { code?: unknown }).code === code;
          }
          return false;
        }),
      ]);
    expect(census(emitter)).toEqual({});
  });
});

test("7.4 what a consumer emits in answer comes behind what is being emitted", async () => {
  const runtime = testRuntime();
  const emitter = new EventEmitter();
  const emitted: number[] = [];
  const seen: number[] = [];
  const stage = fromEvents<number>(emitter, "data", { overflow: "throw", runtime });
  const echo = consumer(
    (events: readonly number[]) => {
      for (const n of events) {
        seen.push(n);
        if (n < 100) emitter.emit("data", 100 + n);
      }
    },
    { runtime },
  );
  echo.subscribe(stage, { maxDemand: 1 });
  await turns();
  emitter.prependListener("data", (n: number) => void emitted.push(n));
  for (const n of range(0, 4)) emitter.emit("data", n);
  await turns();
  expect(seen).toEqual(emitted);
  expect(emitted).toHaveLength(10);
});

test("7.4 what is emitted in answer and not delivered when the stage ends is discarded, all of it", async () => {
  const runtime = testRuntime();
  const emitter = new EventEmitter();
  const seen: number[] = [];
  const discarded: unknown[] = [];
  const stage = fromEvents<number>(emitter, "data", {
    overflow: "drop-newest",
    runtime,
    onDiscard: ({ events }) => void discarded.push(...events),
  });
  let subscription: Subscription | undefined;
  const c = consumer<number>(
    {
      handleSubscribe: (_role, begun) => {
        subscription = begun;
      },
      handleEvents(events) {
        seen.push(...events);
        if (!events.includes(1)) return;
        emitter.emit("data", 2);
        emitter.emit("data", 3);
        void stage.stop();
      },
    },
    { runtime },
  );
  c.subscribe(stage, { demand: "manual" });
  await turns();
  subscription?.ask(10);
  emitter.emit("data", 1);
  await turns();
  expect([...seen, ...discarded]).toEqual([1, 2, 3]);
});
