import {
  config,
  firstValueFrom,
  lastValueFrom,
  observable as observableKey,
  of,
  type Subscription,
  Subject,
  switchMap,
  take,
  takeUntil,
  toArray,
} from "rxjs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toObservable } from "../../../adapters/rxjs/index.ts";
import {
  broadcastDispatcher,
  fromIterable,
  partitionDispatcher,
  type ProducerStage,
  producer,
  type Reason,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { listener } from "./support.ts";

/** A producer of 1, 2, …; what it is asked for, and how its consumers left. */
function source(last = Number.POSITIVE_INFINITY) {
  const runtime = testRuntime();
  const demands: number[] = [];
  const left: Reason[] = [];
  let next = 0;
  const stage: ProducerStage<number> = producer<number, object, number, number, number>(
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
    { runtime },
  );
  return { stage, demands, left, runtime };
}
/** A producer that emits only what the test pushes. */
function pushed() {
  const left: Reason[] = [];
  const stage: ProducerStage<number> = producer<number, object, number, number, number>(
    { handleDemand: () => {}, handleCancel: (reason) => void left.push(reason) },
    { runtime: testRuntime() },
  );
  return { stage, left };
}
const cancelled: Reason = { type: "cancel" };

const code = (text: string): unknown => expect.objectContaining({ code: text });

describe("demand", () => {
  test("I23 asks again when the observer has returned", async () => {
    const { stage, demands } = source(23);
    const log: unknown[] = [];
    toObservable(stage, { maxDemand: 10, minDemand: 5 }).subscribe(listener(log));
    expect([demands, log]).toEqual([[], []]);
    await turns();
    expect(log).toEqual([...range(1, 23), "complete"]);
    expect(demands.slice(0, 3)).toEqual([10, 5, 5]);
  });

  test("I23 what an observer starts and does not wait for holds nothing back", async () => {
    const { stage } = source(100);
    let started = 0;
    toObservable(stage, { maxDemand: 2, minDemand: 0 }).subscribe(() => {
      started += 1;
      void new Promise(() => {});
    });
    await turns();
    expect(started).toBe(100);
  });

  test("I23 nothing is asked for before somebody subscribes", async () => {
    const { stage, demands } = source();
    toObservable(stage);
    await turns();
    expect(demands).toEqual([]);
  });

  test("I23 a producer's own defaultMaxDemand counts", async () => {
    const demands: number[] = [];
    const stage = producer((demand: number): number[] => (demands.push(demand), []), {
      runtime: testRuntime(),
      defaultMaxDemand: 16,
    });
    toObservable(stage).subscribe();
    await turns();
    expect(demands).toEqual([16]);
  });

  test("I23 wrong options and what is no producer throw at once", () => {
    const { stage } = source();
    expect(() => toObservable(stage, { maxDemand: 0 })).toThrow(code("ERR_RANGE"));
    expect(() => toObservable(stage, { maxDemand: 2, minDemand: 2 })).toThrow(code("ERR_RANGE"));
    for (const nothing of [null, undefined, {}, of(1)])
      expect(() => toObservable(nothing as never)).toThrow(code("ERR_NOT_PRODUCER"));
  });
});

describe("unsubscribing", () => {
  const ways: [string, (stage: ProducerStage<number>, log: unknown[]) => Subscription][] = [
    ["take(2)", (stage, log) => toObservable(stage).pipe(take(2)).subscribe(listener(log))],
    [
      "takeUntil",
      (stage, log) => {
        const stop = new Subject<void>();
        return toObservable(stage)
          .pipe(takeUntil(stop))
          .subscribe({
            next: (value) => {
              log.push(value);
              if (value === 2) stop.next();
            },
            complete: () => void log.push("complete"),
          });
      },
    ],
    [
      "switchMap",
      (stage, log) => {
        const outer = new Subject<number>();
        const subscription = outer
          .pipe(switchMap((round) => (round === 1 ? toObservable(stage) : of("other"))))
          .subscribe((value) => {
            log.push(value);
            if (value === 2) outer.next(2);
          });
        outer.next(1);
        return subscription;
      },
    ],
    [
      "unsubscribe inside next",
      (stage, log) => {
        const subscription = toObservable(stage).subscribe((value) => {
          log.push(value);
          if (value === 2) subscription.unsubscribe();
        });
        return subscription;
      },
    ],
  ];
  const last: Record<string, unknown[]> = { "take(2)": ["complete"], takeUntil: ["complete"], switchMap: ["other"] };

  test.each(ways)("I25 by %s cancels once, and the unseen rest goes back", async (name, subscribe) => {
    const { stage, left } = source(1500);
    const log: unknown[] = [];
    const subscription = subscribe(stage, log);
    await turns();
    expect(log).toEqual([1, 2, ...(last[name] ?? [])]);
    expect([left, stage.bufferedCount]).toEqual([[cancelled], 998]);
    subscription.unsubscribe();
    subscription.unsubscribe();
    await turns();
    expect(left).toEqual([cancelled]);
    expect(await lastValueFrom(toObservable(stage).pipe(toArray()))).toEqual(range(3, 1500));
  });

  test("I25 the rest is also what came in messages that were not handed over yet", async () => {
    const { stage, left } = pushed();
    const log: number[] = [];
    toObservable(stage)
      .pipe(take(2))
      .subscribe((value) => void log.push(value));
    await turns();
    for (const value of range(1, 9)) stage.push([value]);
    stage.push([10, 11]);
    await turns();
    expect([log, left, stage.bufferedCount]).toEqual([[1, 2], [cancelled], 9]);
    expect(await lastValueFrom(toObservable(stage).pipe(take(9), toArray()))).toEqual(range(3, 11));
  });

  test("I25 unsubscribed from outside with messages waiting gives all of them back", async () => {
    const { stage, left } = pushed();
    const log: number[] = [];
    const subscription = toObservable(stage).subscribe((value) => void log.push(value));
    await turns();
    stage.push([1, 2]);
    stage.push([3]);
    subscription.unsubscribe();
    await turns();
    expect([log, left, stage.bufferedCount]).toEqual([[], [cancelled], 3]);
  });

  test("I25 what goes back to a producer that has completed meanwhile is discarded, and told", async () => {
    const discarded: unknown[] = [];
    const stage = fromIterable(range(1, 5), {
      runtime: testRuntime(),
      onDiscard: (discard) => void discarded.push(discard),
    });
    expect(await lastValueFrom(toObservable(stage).pipe(take(2), toArray()))).toEqual([1, 2]);
    await turns();
    expect([stage.state, discarded]).toEqual(["completed", [{ events: [3, 4, 5], cause: "stop", stage: stage.name }]]);
  });

  test.each([5, 5000])(
    "I25 taking two of %i from a source that goes with its consumer warns of nothing",
    async (count) => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
      try {
        const stage = fromIterable(range(1, count), { runtime: testRuntime() });
        expect(await lastValueFrom(toObservable(stage).pipe(take(2), toArray()))).toEqual([1, 2]);
        await turns();
        expect(warn.mock.calls).toEqual([]);
      } finally {
        warn.mockRestore();
      }
    },
  );

  test("I25 unsubscribed before its first turn it asks for nothing", async () => {
    const { stage, left } = source(5);
    toObservable(stage).subscribe().unsubscribe();
    await turns();
    expect([left.length, stage.bufferedCount <= 5]).toEqual([1, true]);
    expect(await lastValueFrom(toObservable(stage).pipe(toArray()))).toEqual(range(1, 5));
  });

  test("I25 firstValueFrom takes one, and releases a source that goes with its last consumer", async () => {
    let closed = 0;
    function* numbers() {
      try {
        for (let n = 1; ; n += 1) yield n;
      } finally {
        closed += 1;
      }
    }
    const stage = fromIterable(numbers(), { runtime: testRuntime() });
    expect(await firstValueFrom(toObservable(stage))).toBe(1);
    await turns();
    expect([closed, stage.state]).toEqual([1, "stopped"]);
  });
});

describe("ends", () => {
  test("I23 completes with the producer, behind its events", async () => {
    const log: unknown[] = [];
    toObservable(source(3).stage).subscribe(listener(log));
    await turns();
    expect(log).toEqual([1, 2, 3, "complete"]);
  });

  test("I23 completes when the producer is stopped, and fails when it stops for a reason of its own", async () => {
    for (const [reason, end] of [
      [undefined, "complete"],
      ["shutdown", "complete"],
      ["trouble", ["error", "trouble"]],
    ] as const) {
      const { stage } = pushed();
      stage.done.catch(() => {});
      const log: unknown[] = [];
      toObservable(stage).subscribe(listener(log));
      await turns();
      stage.push([1]);
      await stage.stop({ reason });
      await turns();
      expect(log).toEqual([1, end]);
    }
  });

  test("I11 an error in the middle of a batch comes behind the batch, by identity", async () => {
    const error = new Error("E");
    const { stage } = pushed();
    const log: unknown[] = [];
    toObservable(stage).subscribe({
      next: (value) => {
        log.push(value);
        if (value === 2) stage.fail(error);
      },
      error: (thrown: unknown) => void log.push(thrown === error),
    });
    await turns();
    stage.push([1, 2, 3, 4]);
    await turns();
    expect(log).toEqual([1, 2, 3, 4, true]);
  });

  test("I11 a failure is carried: nothing is left unhandled", async () => {
    const { stage } = pushed();
    const log: unknown[] = [];
    toObservable(stage).subscribe(listener(log));
    await turns();
    stage.fail(undefined);
    await turns();
    expect([log, stage.state]).toEqual([[["error", undefined]], "failed"]);
  });

  test("I11 a temporary subscription completes whatever happens", async () => {
    const { stage } = pushed();
    stage.done.catch(() => {});
    const log: unknown[] = [];
    toObservable(stage, { cancel: "temporary" }).subscribe(listener(log));
    await turns();
    stage.fail("E");
    await turns();
    expect(log).toEqual(["complete"]);
  });

  test("I18 of a completed, a failed and a stopped producer", async () => {
    const outcomes: unknown[] = [];
    for (const end of ["complete", "fail", "stop"] as const) {
      const { stage } = pushed();
      stage.done.catch(() => {});
      if (end === "complete") stage.complete();
      if (end === "fail") stage.fail("E");
      if (end === "stop") await stage.stop();
      await turns();
      const log: unknown[] = [];
      toObservable(stage).subscribe(listener(log));
      await turns();
      outcomes.push(log);
    }
    expect(outcomes).toMatchObject([["complete"], [["error", "E"]], [["error", { code: "ERR_STOPPED" }]]]);
  });

  test("I29 it is an Observable under the interop key", () => {
    const observable = toObservable(source().stage);
    const interop = observable as unknown as Record<PropertyKey, () => unknown>;
    expect(interop[observableKey]?.()).toBe(observable);
  });
});

describe("observers", () => {
  const uncaught: unknown[] = [];
  beforeEach(() => {
    uncaught.length = 0;
    config.onUnhandledError = (error) => void uncaught.push(error);
    // RxJS reports on a later task: only its timers stand still, those of the runtime were taken before.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
  });
  afterEach(() => {
    config.onUnhandledError = null;
    vi.useRealTimers();
  });

  test("I26 a next that throws is reported by RxJS; the link stays and goes on", async () => {
    const { stage, left } = source(4);
    const log: number[] = [];
    toObservable(stage, { maxDemand: 2, minDemand: 1 }).subscribe((value) => {
      log.push(value);
      if (value === 2) throw new Error("observer");
    });
    await turns();
    expect([log, uncaught]).toEqual([[1, 2, 3, 4], []]);
    vi.runAllTimers();
    expect(uncaught).toEqual([new Error("observer")]);
    expect([left, stage.state]).toEqual([[], "completed"]);
  });

  test("I27 partial observers and bare functions", async () => {
    const stage = fromIterable(range(1, 8), { runtime: testRuntime(), dispatcher: broadcastDispatcher() });
    const log: [what: string, value?: unknown][] = [];
    const observable = toObservable(stage);
    observable.subscribe();
    observable.subscribe((value) => void log.push(["function", value]));
    observable.subscribe({ next: (value) => void log.push(["next", value]) });
    observable.subscribe({ complete: () => void log.push(["complete"]) });
    observable.subscribe({ error: () => void log.push(["error"]) });
    await turns();
    vi.runAllTimers();
    expect(log.filter(([what]) => what === "function")).toEqual(range(1, 8).map((n) => ["function", n]));
    expect(log.filter(([what]) => what === "next")).toEqual(range(1, 8).map((n) => ["next", n]));
    expect(log.slice(-1)).toEqual([["complete"]]);
    expect([log.length, uncaught]).toEqual([17, []]);
  });

  test("I27 an error that nobody handles is reported, not lost", async () => {
    const { stage } = pushed();
    toObservable(stage).subscribe();
    toObservable(stage).subscribe(() => {});
    await turns();
    stage.fail("E");
    await turns();
    vi.runAllTimers();
    expect(uncaught).toEqual(["E", "E"]);
  });
});

describe("sharing", () => {
  test("I30 each subscription is a link of its own: they compete", async () => {
    const { stage, left } = source(40);
    const observable = toObservable(stage, { maxDemand: 4, minDemand: 2 });
    const logs: unknown[][] = [[], []];
    for (const log of logs) observable.subscribe(listener(log));
    await turns();
    const values = logs.map((log) => log.filter((entry) => typeof entry === "number"));
    expect(values.flat().toSorted((a, b) => a - b)).toEqual(range(1, 40));
    for (const [i, log] of logs.entries()) {
      expect(values[i]?.length).toBeGreaterThan(0);
      expect(values[i]).toEqual(values[i]?.toSorted((a, b) => a - b));
      expect(log.at(-1)).toBe("complete");
    }
    expect(left).toEqual([]);
  });

  test("I30 one that leaves does not end the other", async () => {
    const { stage } = pushed();
    const observable = toObservable(stage);
    const logs: unknown[][] = [[], []];
    const [first] = logs.map((log) => observable.subscribe(listener(log)));
    await turns();
    first?.unsubscribe();
    await turns();
    stage.push([1, 2]);
    stage.complete();
    await turns();
    expect(logs).toEqual([[], [1, 2, "complete"]]);
  });

  test("I30 a partition is chosen, and taken once", async () => {
    const stage = fromIterable(range(0, 9), {
      runtime: testRuntime(),
      dispatcher: partitionDispatcher({ partitions: ["even", "odd"], hash: (n: number) => (n % 2 ? "odd" : "even") }),
    });
    const logs: unknown[][] = [[], [], []];
    toObservable(stage, { partition: "odd" }).subscribe(listener(logs[0] as unknown[]));
    toObservable(stage, { partition: "even" }).subscribe(listener(logs[1] as unknown[]));
    toObservable(stage, { partition: "even" }).subscribe(listener(logs[2] as unknown[]));
    await turns();
    expect(logs).toMatchObject([
      [1, 3, 5, 7, 9, "complete"],
      [0, 2, 4, 6, 8, "complete"],
      [["error", { code: "ERR_PARTITION_TAKEN" }]],
    ]);
  });

  test("I30 a selector is passed through", async () => {
    const stage = fromIterable(range(1, 6), { runtime: testRuntime(), dispatcher: broadcastDispatcher() });
    const log: unknown[] = [];
    toObservable(stage, { selector: (n: number) => n > 4 }).subscribe(listener(log));
    await turns();
    expect(log).toEqual([5, 6, "complete"]);
  });
});
