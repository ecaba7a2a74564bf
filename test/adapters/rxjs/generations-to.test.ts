import { Observable as Observable7, observable as observableKey } from "rxjs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fromObservable, toObservable } from "../../../adapters/rxjs/index.ts";
import { broadcastDispatcher, fromIterable, type Producer, producer, type Reason } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { type Generation, generations, type Source, TapOf, values } from "./generations.ts";
import { listener } from "./support.ts";

/** A producer of 1, 2, …; what it is asked for, and how its consumers left. */
function counting(last = Number.POSITIVE_INFINITY) {
  const demands: number[] = [];
  const left: Reason[] = [];
  let next = 0;
  const stage = producer<number, object, number, number, number>(
    {
      handleDemand(demand, context) {
        demands.push(demand);
        const events = range(next + 1, Math.min(last, next + demand));
        next += events.length;
        if (next === last) context.complete();
        return events;
      },
      handleCancel: (reason) => void left.push(reason),
    },
    { runtime: testRuntime() },
  );
  return { stage, demands, left };
}
const there = <T>(g: Generation, stage: Producer<T>, options: object = {}): Source<T> =>
  toObservable(stage, { ...options, Observable: g.Class });

describe.each(generations)("toObservable of $name", (g) => {
  const uncaught: unknown[] = [];
  let restore: () => void;
  beforeEach(() => {
    uncaught.length = 0;
    restore = g.hearUncaught((error) => void uncaught.push(error));
    vi.useFakeTimers({ toFake: ["setTimeout"] });
  });
  afterEach(() => {
    restore();
    vi.useRealTimers();
  });

  test("I23 asks by windows, and again when the observer has returned", async () => {
    const { stage, demands } = counting(23);
    const log: unknown[] = [];
    const observable = there(g, stage, { maxDemand: 10, minDemand: 5 });
    await turns();
    expect(demands).toEqual([]);
    g.listen(observable, listener(log));
    await turns();
    expect(log).toEqual([...range(1, 23), "complete"]);
    expect(demands.slice(0, 3)).toEqual([10, 5, 5]);
  });

  test("I25 take(2) cancels once, and the unseen rest goes back", async () => {
    const { stage, left } = counting(1500);
    const log: unknown[] = [];
    g.listen(g.take<number>(2)(there(g, stage)), listener(log));
    await turns();
    expect([log, left, stage.bufferedCount]).toEqual([[1, 2, "complete"], [{ type: "cancel" }], 998]);
  });

  test("I25 leaving inside next: nothing comes any more, the rest goes back", async () => {
    const { stage, left } = counting(1500);
    const log: unknown[] = [];
    const leave = g.listen<number>(there(g, stage), (value) => {
      log.push(value);
      if (value === 2) leave();
    });
    await turns();
    leave();
    await turns();
    expect([log, left, stage.bufferedCount]).toEqual([[1, 2], [{ type: "cancel" }], 998]);
  });

  test("I25 left before its first turn", async () => {
    const { stage, left } = counting(5);
    g.listen(there(g, stage), () => {})();
    await turns();
    const log: unknown[] = [];
    g.listen(there(g, stage), listener(log));
    await turns();
    expect([left.length, log]).toEqual([1, [...range(1, 5), "complete"]]);
  });

  test("I26 a next that throws is reported where uncaught errors are; the link goes on", async () => {
    const { stage, left } = counting(4);
    const log: number[] = [];
    g.listen<number>(there(g, stage, { maxDemand: 2 }), (value) => {
      log.push(value);
      if (value === 2) throw new Error("observer");
    });
    await turns();
    vi.runAllTimers();
    expect([log, uncaught, left, stage.state]).toEqual([[1, 2, 3, 4], [new Error("observer")], [], "completed"]);
  });

  test("I27 partial observers and bare functions; an error nobody hears is reported", async () => {
    const stage = producer<number, object, number, number, number>(
      { handleDemand: () => {} },
      { runtime: testRuntime(), dispatcher: broadcastDispatcher() as never },
    );
    const observable = there<number>(g, stage);
    const log: unknown[] = [];
    g.listen<number>(observable, (value) => void log.push(["function", value]));
    g.listen<number>(observable, { next: (value) => void log.push(["next", value]) });
    g.listen<number>(observable, { complete: () => void log.push("complete") });
    g.listen<number>(observable, { error: (error) => void log.push(["error", error]) });
    await turns();
    stage.push([1]);
    stage.fail("E");
    await turns();
    vi.runAllTimers();
    expect(log).toEqual([
      ["function", 1],
      ["next", 1],
      ["error", "E"],
    ]);
    expect(uncaught).toEqual(["E", "E", "E"]);
  });

  test("I30 each subscription is a link of its own, and one that leaves does not end the other", async () => {
    const { stage, left } = counting();
    const observable = there(g, stage, { maxDemand: 4 });
    const logs: number[][] = [[], []];
    const leave = logs.map((log) => g.listen<number>(g.take<number>(6)(observable), (value) => void log.push(value)));
    await turns();
    for (const each of leave) each();
    expect(logs.map((log) => log.length)).toEqual([6, 6]);
    expect(new Set(logs.flat()).size).toBe(12);
    expect(left.length).toBe(2);
  });

  test("I18 of a producer that was stopped, and of one that refuses", async () => {
    const { stage } = counting();
    await stage.stop();
    const log: unknown[] = [];
    g.listen(there(g, stage), listener(log));
    await turns();
    expect(log).toMatchObject([["error", { code: "ERR_STOPPED" }]]);
  });

  test("L07 there and back: a thousand values, one end", async () => {
    const runtime = testRuntime();
    const source = fromObservable<number>(values(g, ...range(0, 999)), { overflow: "throw", runtime });
    const log: unknown[] = [];
    g.listen(there(g, source), listener(log));
    await turns(8);
    expect(log).toEqual([...range(0, 999), "complete"]);
  });

  test("L07 there and back: an error by identity, and a cancel that reaches the far end", async () => {
    const error = new Error("E");
    const failing = g.cold<number>((emitter) => {
      emitter.next(1);
      emitter.error(error);
    });
    const log: unknown[] = [];
    const runtime = testRuntime();
    g.listen(there(g, fromObservable<number>(failing, { overflow: "throw", runtime })), listener(log));
    await turns();
    expect(log).toEqual([1, ["error", error]]);
    const tap = new TapOf<number>(g);
    const source = fromObservable<number>(tap.observable, { overflow: "throw", runtime });
    const leave = g.listen(there(g, source), () => {});
    await turns();
    leave();
    await turns();
    expect([tap.emitters.length, tap.torn, source.state]).toEqual([1, 1, "stopped"]);
  });

  test("K11 a hundred thousand values through windows of 100 and 50", async () => {
    const source = fromObservable<number>(values(g, ...range(1, 100_000)), {
      overflow: "throw",
      bufferSize: 0,
      runtime: testRuntime(),
    });
    let sum = 0;
    let ended = 0;
    g.listen<number>(there(g, source, { maxDemand: 100, minDemand: 50 }), {
      next: (value) => void (sum += value),
      complete: () => void (ended += 1),
    });
    await source.done;
    await turns();
    expect([sum, ended]).toEqual([5_000_050_000, 1]);
  });
});

describe("the class that it is made of", () => {
  test("I29 by default that of the RxJS which is installed", () => {
    const observable = toObservable(counting().stage);
    expect(observable).toBeInstanceOf(Observable7);
    expect((observable as unknown as Record<PropertyKey, () => unknown>)[observableKey]?.()).toBe(observable);
  });

  test("I29 the platform's: Observable.from answers with it as it is", () => {
    const observable = toObservable(counting().stage, { Observable });
    expect(observable).toBeInstanceOf(Observable);
    expect(Observable.from(observable)).toBe(observable);
  });

  test("I30 the platform's Observables share one link among those who listen at a time", async () => {
    const { stage, left } = counting();
    const observable = toObservable(stage, { Observable, maxDemand: 1 });
    const logs: number[][] = [[], []];
    const stops = logs.map((log) => {
      const controller = new AbortController();
      observable.subscribe((value) => void (log.push(value) === 3 && controller.abort()), controller);
      return controller;
    });
    await turns();
    expect([logs, left.length, stops.every(({ signal }) => signal.aborted)]).toEqual([
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
      1,
      true,
    ]);
  });

  test("1.1 anything else is refused at once", () => {
    const stage = fromIterable([1]);
    expect(() => toObservable(stage, { Observable: {} as never })).toThrow(
      expect.objectContaining({ code: "ERR_OPTION" }),
    );
  });
});

test("7.3 RxJS 9 with a signal that has aborted leaves the producer alone", async () => {
  const { stage, demands, left } = counting(3);
  const { Class } = generations.find(({ name }) => name.includes("9")) as Generation;
  const observable = toObservable(stage, { Observable: Class }) as unknown as {
    subscribe: (observer: object, options: { readonly signal: AbortSignal }) => void;
  };
  const seen: number[] = [];
  observable.subscribe({ next: (n: number) => void seen.push(n) }, { signal: AbortSignal.abort() });
  await turns();
  expect([seen, demands, left]).toEqual([[], [], []]);
  for await (const n of stage) seen.push(n);
  expect(seen).toEqual([1, 2, 3]);
});
