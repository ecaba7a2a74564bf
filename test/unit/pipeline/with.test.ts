import { describe, expect, test } from "vitest";
import {
  batch,
  boundary,
  broadcast,
  collect,
  compose,
  consumer,
  filter,
  flatMap,
  forEach,
  map,
  mapAsync,
  type Pipeline,
  pipeline,
  producer,
  producerConsumer,
  reduce,
  take,
  type Step,
} from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

const codeOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
};

/** The window of each link. */
const windows = (maxDemand: number, minDemand?: number): readonly (readonly [number, number])[] => {
  const running = pipeline.with({ maxDemand, minDemand, runtime: testRuntime() })(
    producer<number>(() => {}, { name: "source" }),
    map((n) => n),
    batch({ size: 10 }),
    map((n) => n),
    consumer(() => {}),
  );
  return running.inspect().links.map((link) => [link.maxDemand, link.minDemand] as const);
};

describe("8.9 pipeline.with", () => {
  test("8.9 names everything that the pipeline makes, and gives it a runtime", async () => {
    const runtime = testRuntime();
    const running = pipeline.with({ name: "rows", runtime })(
      [1],
      map((n) => n),
      boundary({ maxDemand: 5 }),
      collect(),
    );
    const { stages } = running.inspect();
    expect(stages.map(({ name }) => name).toSorted()).toEqual([
      "rows boundary",
      "rows boundary input",
      "rows collect",
      "rows map",
      "rows source",
    ]);
    expect(await running).toEqual([1]);
  });

  test("8.9 maxDemand and minDemand are those of every link; a step's own window can only be lowered", async () => {
    expect(windows(40).filter(([most]) => most === 2)).toEqual([[2, 1]]);
    expect(windows(40).filter(([most]) => most !== 2)).toEqual(Array.from({ length: 3 }, () => [40, 20]));
    expect(windows(1)).toEqual(Array.from({ length: 4 }, () => [1, 0]));
    expect(windows(40, 3).filter(([most]) => most !== 2)).toEqual(Array.from({ length: 3 }, () => [40, 3]));
  });

  test("8.9 a step that asks by hand asks for no more than maxDemand at a time", async () => {
    const asked: number[] = [];
    let next = 0;
    const source = producer<number>(
      (demand) => {
        asked.push(demand);
        return Array.from({ length: demand }, () => (next += 1));
      },
      { runtime: testRuntime() },
    );
    const sum = await pipeline.with({ maxDemand: 3 })(
      source,
      mapAsync(async (n) => n, { concurrency: 16 }),
      take(20),
      reduce((total, n) => total + n, 0),
    );
    expect(sum).toBe(210);
    expect(Math.max(...asked)).toBeLessThanOrEqual(3);
  });

  test("8.9 signal aborts all that is the pipeline's own; a producer belongs to its owner", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const source = producer<number>(() => {}, { runtime: testRuntime() });
    let aborted = 0;
    const running = pipeline.with({ signal: controller.signal })(
      source,
      map((n) => n),
      mapAsync((_n, { signal }) => new Promise(() => signal.addEventListener("abort", () => (aborted += 1)))),
      collect(),
    );
    const failed = running.done.catch((error: unknown) => error);
    source.push([1, 2]);
    await turns();
    controller.abort(reason);
    expect(await failed).toBe(reason);
    await turns();
    expect([aborted, source.state, source.inspect().links]).toEqual([2, "running", []]);
    expect(running.failure).toBeUndefined();
  });

  test.each(["before", "later"])("8.9 signal ends a sink and stages that are yours, too: %s", async (when) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    if (when === "before") controller.abort(reason);
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime });
    const running = pipeline.with({ signal: controller.signal })(
      source,
      producerConsumer((events: readonly number[]) => [...events], { runtime }),
      consumer(() => {}, { runtime }),
    );
    const failed = running.done.catch((error: unknown) => error);
    await turns();
    controller.abort(reason);
    expect(await failed).toBe(reason);
    await turns();
    expect(source.inspect().links).toEqual([]);
  });

  test.each([
    ["steps in one stage", [map((n) => n), collect()]],
    ["a step with two sides", [mapAsync(async (n) => n), forEach(() => {})]],
    [
      "branches",
      [broadcast({ a: (events) => pipeline(events, collect()), b: (events) => pipeline(events, collect()) })],
    ],
  ] as const)("8.9 a signal that has aborted fails the pipeline before it takes anything: %s", async (_name, steps) => {
    const reason = new Error("enough");
    let pulled = 0;
    function* numbers(): Generator<number> {
      pulled += 1;
      yield pulled;
    }
    const start = pipeline.with({ signal: AbortSignal.abort(reason), runtime: testRuntime() }) as (
      source: Iterable<number>,
      ...steps: readonly unknown[]
    ) => Pipeline<unknown>;
    const running = start(numbers(), ...steps);
    await expect(running.done).rejects.toBe(reason);
    await turns();
    expect([pulled, running.explain()]).toEqual([0, expect.stringContaining("all stages have ended")]);
  });

  test("8.9 signal leaves the source where only a stage of yours stands behind it", async () => {
    const controller = new AbortController();
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime });
    const through = producerConsumer((events: readonly number[]) => [...events], { runtime });
    pipeline.with({ signal: controller.signal })(source, through);
    controller.abort();
    await expect(through.done).rejects.toMatchObject({ name: "AbortError" });
    expect(source.inspect().links).toEqual([]);
    const aborted = producerConsumer((events: readonly number[]) => [...events], { runtime });
    pipeline.with({ signal: AbortSignal.abort() })(source, aborted);
    await expect(aborted.done).rejects.toMatchObject({ name: "AbortError" });
  });

  test("8.9 onDiscard hears of what is lost, onReport of what comes second", async () => {
    const lost: unknown[] = [];
    const told: unknown[] = [];
    const gate = Promise.withResolvers<never>();
    const runtime = testRuntime();
    const running = pipeline.with({
      runtime,
      onDiscard: ({ events, cause }) => void lost.push([events, cause]),
      onReport: (error) => void told.push(error),
    })(
      [1],
      mapAsync(() => gate.promise),
      collect(),
    );
    await turns();
    const stopped = running.stop({ timeout: 10 });
    await turns();
    runtime.clock.advance(10);
    await turns();
    runtime.clock.advance(0);
    await stopped;
    expect(lost).toEqual([[[1], "stop"]]);
    gate.reject(new Error("late"));
    await turns();
    expect(told).toEqual([expect.objectContaining({ message: "late" })]);
  });

  test.each([
    [{ maxDemand: 0 }, "ERR_RANGE"],
    [{ maxDemand: 4, minDemand: 4 }, "ERR_RANGE"],
    [{ name: 7 }, "ERR_OPTION"],
    [{ signal: {} }, "ERR_OPTION"],
    [{ runtime: {} }, "ERR_OPTION"],
    [{ onReport: 7 }, "ERR_OPTION"],
    [{ onDiscard: 7 }, "ERR_OPTION"],
    [{ concurrency: 4 }, "ERR_OPTION"],
    [7, "ERR_OPTION"],
  ])("8.9 refuses the options %j at once", (options, code) => {
    expect(codeOf(() => pipeline.with(options as never))).toBe(code);
  });
});

describe("8.6 compose", () => {
  test("8.6 makes one step of several, which is used again", async () => {
    const words = compose(
      flatMap((line: string) => line.split(" ")),
      filter((word) => word !== ""),
    );
    expect(await pipeline(["a  b", "c"], words, collect())).toEqual(["a", "b", "c"]);
    expect(
      await pipeline(
        ["d"],
        words,
        map((word) => word.length),
        collect(),
      ),
    ).toEqual([1]);
  });

  test("8.6 makes one sink where the last is one, also within another", async () => {
    const total = compose(
      compose(
        map((n: number) => n * 2),
        boundary({ maxDemand: 2 }),
      ),
      reduce((sum, n) => sum + n, 0),
    );
    expect(await pipeline([1, 2, 3], total)).toBe(12);
    expect(codeOf(() => (pipeline as unknown as (...of: unknown[]) => unknown)([1], total, map(String)))).toBe(
      "ERR_OPTION",
    );
  });

  test("8.6 takes a list; an empty one passes every event on", async () => {
    const none: Step<number, number>[] = [];
    const fewer = [map((n: number) => n + 1), take<number>(2)];
    expect(await pipeline([1, 2, 3], compose(none), compose(fewer), collect())).toEqual([2, 3]);
  });

  test("8.6 a failure names the step, and the position of the compose", async () => {
    const boom = new Error("boom");
    const fails = compose(
      map((n: number) => n),
      map((): number => {
        throw boom;
      }),
    );
    const running = pipeline([1], filter(Boolean), fails, collect());
    await expect(running.done).rejects.toBe(boom);
    expect(running.failure).toMatchObject({ step: "map", index: 1, event: 1 });
  });

  test("8.6 a wrong step is refused at once", () => {
    const untyped = compose as unknown as (...of: unknown[]) => unknown;
    expect(codeOf(() => untyped())).toBe("ERR_OPTION");
    expect(codeOf(() => untyped(7, map(String)))).toBe("ERR_OPTION");
    expect(
      codeOf(() =>
        untyped(
          forEach(() => {}),
          map(String),
        ),
      ),
    ).toBe("ERR_OPTION");
  });
});
