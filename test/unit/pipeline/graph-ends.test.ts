import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  balance,
  boundary,
  broadcast,
  concat,
  type Discarded,
  failureOf,
  forEach,
  idle,
  intoGroups,
  map,
  partitionBy,
  pipeline,
  type Producer,
  type ProducerContext,
  producer,
  take,
  takeUntil,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { failureFrom } from "../steps/support.ts";

const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);
beforeEach(() => void process.on("unhandledRejection", onUnhandled));
afterEach(() => {
  process.off("unhandledRejection", onUnhandled);
  if (unhandled.length > 0) throw new Error(`unhandled: ${String(unhandled.splice(0))}`);
});

/** A pipeline's hearers, and a source of so many numbers, which completes with the last if `completes`. */
function setUp(count: number, completes = false) {
  const reported: unknown[] = [];
  const told: number[] = [];
  const onReport = (error: unknown): void => void reported.push(error);
  const onDiscard = ({ events }: Discarded): void => void told.push(...(events as readonly number[]).flat(1));
  const runtime = testRuntime();
  let next = 0;
  const handleDemand = (demand: number, stage: ProducerContext<number>): number[] => {
    const events = range(next, Math.min(count, next + demand) - 1);
    next += events.length;
    if (completes && next === count) stage.complete();
    return events;
  };
  const source = producer<number>({ handleDemand }, { runtime, onReport, onDiscard });
  const controller = new AbortController();
  const options = { runtime, onReport, onDiscard, signal: controller.signal };
  return { source, reported, told, options, controller, runtime };
}
const parity = (n: number): number => n % 2;
const slow = (events: Producer<number>) => pipeline(events, boundary<number>({ maxDemand: 2 }));
const quick = (events: Producer<number>) => pipeline(events, idle<number>({ after: 1000 }));
const after = <Out>(count: number, then: () => Out): Promise<Out> => turns(count).then(then);

describe("8.11 groups that end with their pipeline", () => {
  test("8.11 what a group fails with behind an abort is reported, and the abort by no one", async () => {
    const { source, options, reported, controller } = setUp(2);
    const late = new Error("late");
    const fn = (n: number) => after(4, () => (n === 1 ? Promise.reject(late) : undefined));
    const running = pipeline.with(options)(
      source,
      intoGroups(
        (n) => n,
        (events) => pipeline(events, forEach(fn)),
      ),
    );
    const failed = failureFrom(running);
    await turns(2);
    const reason = new Error("abort");
    controller.abort(reason);
    expect(await failed).toBe(reason);
    await turns(6);
    expect(reported).toEqual([late]);
  });

  test("8.11 an abort ends the batch that a group has in hand", async () => {
    const { source, options, controller, told } = setUp(4);
    const begun: number[] = [];
    const fn = (n: number): Promise<void> => {
      begun.push(n);
      return turns(2);
    };
    const running = pipeline.with(options)(
      source,
      intoGroups(
        () => 1,
        (events) => pipeline(events, forEach(fn)),
      ),
    );
    const failed = failureFrom(running);
    await turns(1);
    controller.abort(new Error("abort"));
    await failed;
    await turns(12);
    expect(begun).toEqual([0]);
    const left: number[] = [];
    const rest = pipeline(
      source,
      take(3),
      forEach((n: number) => void left.push(n)),
    );
    await Promise.race([rest, turns(8)]);
    // What it had begun is told.
    expect([...told, ...left].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  test("8.11 a failure in front of the groups keeps its events, and is told once", async () => {
    const { source, options, reported } = setUp(10);
    const bad = new Error("three");
    const running = pipeline.with(options)(
      source,
      map((n: number) => {
        if (n === 3) throw bad;
        return n;
      }),
      intoGroups(
        (n) => n,
        (events) =>
          pipeline(
            events,
            forEach(() => turns(1)),
          ),
      ),
    );
    expect(await failureFrom(running)).toBe(bad);
    await turns(6);
    expect(failureOf(bad)).toMatchObject({ step: "map", events: [3] });
    expect(reported).toEqual([]);
  });
});

describe("8.10 branches that end with their pipeline", () => {
  test.each(["merged", "sinks"])("8.10 a stage whose branch had enough ends with the others: %s", async (kind) => {
    const { source, options, controller } = setUp(1000);
    const bad = new Error("bad");
    const fail = (n: number): number => {
      if (n > 100) throw bad;
      return n;
    };
    const merged = (events: Producer<number>, name: number): Producer<number> =>
      name === 0 ? pipeline(events, take(3)) : pipeline(events, map(fail));
    const sink = (events: Producer<number>, name: number) =>
      name === 0
        ? pipeline(
            events,
            take(3),
            forEach(() => {}),
          )
        : pipeline(
            events,
            forEach((n: number) => void fail(n)),
          );
    const running =
      kind === "merged"
        ? pipeline.with(options)(
            source,
            partitionBy(parity, { partitions: 2 }, merged),
            forEach(() => {}),
          )
        : pipeline.with(options)(source, partitionBy(parity, { partitions: 2 }, sink));
    expect(await failureFrom(running)).toBe(bad);
    await turns(6);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  test("8.10 the others fail, too, when the source has completed before", async () => {
    const { source, options, controller } = setUp(8, true);
    const bad = new Error("bad");
    const ends: unknown[] = [];
    const begun: number[] = [];
    const branch = (events: Producer<number>, name: number) => {
      const part = pipeline(
        events,
        forEach((n: number) => {
          begun.push(n);
          return after(name === 0 ? 1 : 4, () => (n === 2 ? Promise.reject(bad) : undefined));
        }),
      );
      part.done.then(
        () => ends.push("well"),
        (error: unknown) => ends.push(error),
      );
      return part;
    };
    const running = pipeline.with(options)(
      source,
      partitionBy((n) => n % 2, { partitions: 2 }, branch),
    );
    expect(await failureFrom(running)).toBe(bad);
    await turns(40);
    expect(ends).toEqual([bad, bad]);
    expect(begun).not.toContain(7);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  test("8.10 a branch fails while a failure of the source waits for it: nothing hangs, both are told", async () => {
    const { source, options, reported, controller } = setUp(9);
    const [first, second] = [new Error("source"), new Error("branch")];
    const branch = (events: Producer<number>) =>
      pipeline.with({ maxDemand: 1 })(
        events,
        forEach((n: number) => after(2, () => (n === 1 ? Promise.reject(second) : undefined))),
      );
    const running = pipeline.with(options)(
      source,
      map((n: number) => {
        if (n === 8) throw first;
        return n;
      }),
      partitionBy((n) => n % 2, { partitions: 2 }, branch),
    );
    expect(await failureFrom(running)).toBe(second);
    await turns(12);
    expect(reported).toEqual([first]);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  test("8.10 a failure that reaches branches by several ways is told once", async () => {
    for (const how of ["balance", "broadcast"] as const) {
      const { source, options, reported } = setUp(20);
      const bad = new Error("bad");
      const step =
        how === "balance"
          ? balance<number, Producer<number>>(2, (events, index) => (index === 0 ? slow(events) : quick(events)))
          : broadcast<number, Record<string, Producer<number>>>({ slow, quick });
      const running = pipeline.with(options)(
        source,
        map((n: number) => {
          if (n === 7) throw bad;
          return n;
        }),
        step,
        forEach(() => turns(1)),
      );
      expect(await failureFrom(running)).toBe(bad);
      await turns(12);
      expect(reported).toEqual([]);
    }
  });
});

describe("8.8 what goes back", () => {
  test("7.3 events of one source of concat go back in order, however many batches they came in", async () => {
    const { runtime, options, reported } = setUp(0);
    const source = producer<number>(() => {}, { runtime });
    const running = pipeline.with(options)(
      concat.with({ runtime })(source),
      forEach((n: number) => after(n === 0 ? 6 : 0, () => (n === 0 ? Promise.reject(new Error("no")) : undefined))),
    );
    const failed = failureFrom(running);
    for (const n of range(0, 5)) {
      source.push([n]);
      await turns(1);
    }
    await failed;
    await turns(4);
    const left: number[] = [];
    await pipeline(
      source,
      take(5),
      forEach((n: number) => void left.push(n)),
    );
    expect([left, reported]).toEqual([[1, 2, 3, 4, 5], []]);
  });

  test("8.8 takeUntil gives back what comes in the turn in which its output ends", async () => {
    const { source, options, told } = setUp(6);
    const until = new AbortController();
    const handled: number[] = [];
    const running = pipeline.with(options)(
      source,
      map((n: number) => {
        if (n === 3) until.abort();
        return n;
      }),
      takeUntil(until.signal),
      forEach((n: number) => void handled.push(n)),
    );
    await running;
    await turns(4);
    const left: number[] = [];
    await Promise.race([
      pipeline(
        source,
        forEach((n: number) => void left.push(n)),
      ),
      turns(8),
    ]);
    expect([...handled, ...told, ...left].toSorted((a, b) => a - b)).toEqual(range(0, 5));
  });
});
