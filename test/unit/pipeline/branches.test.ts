import { describe, expect, test } from "vitest";
import {
  balance,
  broadcast,
  collect,
  consumer,
  failureOf,
  filter,
  forEach,
  fromIterable,
  map,
  mapAsync,
  partitionBy,
  type Pipeline,
  pipeline,
  type Producer,
  producer,
  reduce,
  take,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

const ascending = (a: number, b: number): number => a - b;
const errorOf = (run: () => unknown): Error & { readonly code?: string } => {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
};
const sink = (events: Producer<number>): Pipeline<number[]> => pipeline(events, collect());
const some = (events: Producer<number>): Pipeline<number[]> => pipeline(events, take(2), collect());
/** The first has enough of two. */
const few = (events: Producer<number>, index: number): Pipeline<number[]> =>
  index === 0 ? some(events) : sink(events);

describe("8.10 branches that end in sinks", () => {
  test("8.10 balance gives the array of results", async () => {
    const results = await pipeline(range(1, 100), balance(4, sink));
    expect(results).toHaveLength(4);
    expect(results.flat().toSorted(ascending)).toEqual(range(1, 100));
  });

  test("8.10 broadcast gives the record of results, and every branch every event", async () => {
    const results = await pipeline(
      range(1, 5),
      map((n) => n * 2),
      broadcast({
        sum: (events) =>
          pipeline(
            events,
            reduce((sum: number, n: number) => sum + n, 0),
          ),
        odd: (events) =>
          pipeline(
            events,
            filter((n: number) => n % 4 !== 0),
            collect(),
          ),
      }),
    );
    expect(results).toEqual({ sum: 30, odd: [2, 6, 10] });
  });

  test("8.10 partitionBy gives an array by count, a record by names; a branch knows its name", async () => {
    const names: unknown[] = [];
    const counts = await pipeline(
      range(1, 100),
      partitionBy(
        (n) => n % 7,
        { partitions: 3 },
        (events, name) => {
          names.push(name);
          return sink(events);
        },
      ),
    );
    expect(names).toEqual([0, 1, 2]);
    expect(counts.flat().toSorted(ascending)).toEqual(range(1, 100));
    for (const events of counts) expect(events).toEqual(events.toSorted(ascending));
    const named = await pipeline(
      ["a", "b"],
      partitionBy(
        (s) => s,
        { partitions: ["x", "y"] },
        (events) => pipeline(events, collect()),
      ),
    );
    expect(Object.keys(named)).toEqual(["x", "y"]);
    expect(Object.values(named).flat().toSorted()).toEqual(["a", "b"]);
  });

  test("F-59 steps in a branch are one stage: they take whole batches, as a stage of one's own does", async () => {
    const runtime = testRuntime();
    const branches: Pipeline<unknown>[] = [];
    const sums = await pipeline(
      fromIterable(range(0, 19_999), { runtime }),
      partitionBy(
        (n) => n % 4,
        { partitions: 4 },
        (events) => {
          const branch = pipeline(
            events,
            map((n: number) => n + 1),
            reduce((sum: number, n: number) => sum + n, 0),
          );
          branches.push(branch);
          return branch;
        },
      ),
    );
    expect(sums.reduce((sum, part) => sum + part, 0)).toBe(200_010_000);
    const stages = branches.map((branch) => branch.inspect().stages);
    expect(stages.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
    const sumOf = (field: "received" | "calls"): number =>
      stages.reduce((sum, [stage]) => sum + (stage?.[field] ?? 0), 0);
    expect(sumOf("received")).toBe(20_000);
    // A hundred events at a time and more.
    expect(sumOf("calls")).toBeLessThanOrEqual(200);
  });

  test("F-55 one that fails ends the graph: the others fail with its error, and the source is released", async () => {
    const boom = new Error("disk full");
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, onLastCancel: "continue" });
    const others: Pipeline<unknown>[] = [];
    const running = pipeline(
      source,
      partitionBy(
        (n) => n,
        { partitions: ["good", "bad", "idle"] },
        (events, name) => {
          const branch = pipeline(
            events,
            forEach((n) => {
              if (n === 13) throw boom;
            }),
          );
          if (name !== "bad") others.push(branch);
          return branch;
        },
      ),
    );
    source.push(range(1, 20));
    await expect(running.done).rejects.toBe(boom);
    await turns();
    expect(running.failure).toMatchObject({ error: boom, step: "forEach", event: 13 });
    expect(typeof running.failure?.branch).toBe("string");
    expect(failureOf(boom)?.branch).toBe(running.failure?.branch);
    expect(await Promise.allSettled(others.map(({ done }) => done))).toContainEqual({
      status: "rejected",
      reason: boom,
    });
    expect([source.state, source.inspect().links]).toEqual(["running", []]);
  });

  test("8.10 the first failure wins, and later ones are reported", async () => {
    const told: unknown[] = [];
    const runtime = testRuntime();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const [first, second] = [new Error("first"), new Error("second")];
    const running = pipeline.with({ runtime, onReport: (error) => void told.push(error) })(
      [0, 1],
      balance(2, (events, index) =>
        pipeline(
          events,
          forEach(() => gates[index]?.promise),
        ),
      ),
    );
    running.done.catch(() => {});
    await turns();
    gates[1]?.reject(first);
    gates[0]?.reject(second);
    await expect(running.done).rejects.toBe(first);
    await turns();
    expect(running.failure?.branch).toBe("1");
    expect(told).toEqual([second]);
  });

  test("8.10 a failure of the source is that of all, and of no branch", async () => {
    const boom = new Error("boom");
    const source = producer<number>(() => {}, { runtime: testRuntime() });
    const running = pipeline(source, balance(2, sink));
    source.fail(boom);
    await expect(running.done).rejects.toBe(boom);
    expect(running.failure?.branch).toBeUndefined();
  });

  test("8.10 one that has had enough leaves, and the others go on", async () => {
    const lost: unknown[] = [];
    const shared = await pipeline(range(1, 100), balance(2, few));
    expect(shared[0]).toHaveLength(2);
    expect(shared.flat().toSorted(ascending)).toEqual(range(1, 100));
    const parted = await pipeline.with({ onDiscard: ({ events }) => void lost.push(...events) })(
      range(1, 5000),
      partitionBy((n) => n, { partitions: 2, maxQueued: 10 }, few),
    );
    expect(parted[0]).toHaveLength(2);
    expect([...parted.flat(), ...(lost as number[])].toSorted(ascending)).toEqual(range(1, 5000));
  });

  test("8.10 when all have had enough the source is left", async () => {
    let next = 0;
    const endless = producer<number>((demand) => Array.from({ length: demand }, () => (next += 1)), {
      runtime: testRuntime(),
    });
    for (const make of [
      () => pipeline(endless, balance(3, some)),
      () =>
        pipeline(
          endless,
          partitionBy((n) => n, { partitions: 3, maxQueued: 5 }, some),
        ),
    ]) {
      const results = await make();
      expect(results.map(({ length }) => length)).toEqual([2, 2, 2]);
      await turns();
      expect(endless.inspect().links).toEqual([]);
    }
  });

  test("8.10 drain delivers everything that was taken in", async () => {
    const runtime = testRuntime();
    const kept: number[] = [];
    const source = producer<number>(() => {}, { runtime, onLastCancel: "stop" });
    const running = pipeline(
      source,
      balance(2, (events) =>
        pipeline(
          events,
          mapAsync(async (n) => n),
          forEach((n) => kept.push(n)),
        ),
      ),
    );
    source.push(range(1, 50));
    await running.drain({ timeout: 1000 });
    expect(kept.toSorted(ascending)).toEqual(range(1, 50));
    expect(source.state).toBe("completed");
    expect(runtime.clock.pending).toBe(0);
  });

  test("8.10 drain rejects when its time has run out, and everything has ended then", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, onLastCancel: "stop" });
    const running = pipeline(
      source,
      balance(2, (events) =>
        pipeline(
          events,
          forEach(() => new Promise(() => {})),
        ),
      ),
    );
    source.push([1, 2]);
    await turns();
    const drained = running.drain({ timeout: 100 });
    const failed = drained.catch((error: unknown) => error);
    await turns();
    runtime.clock.advance(100);
    await turns();
    runtime.clock.advance(0);
    expect(await failed).toMatchObject({ code: "ERR_DRAIN_TIMEOUT" });
    expect(runtime.clock.pending).toBe(0);
  });

  test("8.10 stop stops all of them", async () => {
    const source = producer<number>(() => {}, { runtime: testRuntime() });
    const running = pipeline(source, broadcast({ a: sink, b: sink }));
    source.push([1, 2]);
    await turns();
    await running.stop();
    expect(await running).toEqual({ a: [1, 2], b: [1, 2] });
    expect(source.inspect().links).toEqual([]);
    expect(running.inspect().stages).not.toEqual([]);
  });

  test("8.10 branches inherit the settings of the pipeline, its signal too", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const runtime = testRuntime();
    let branch: Pipeline<unknown> | undefined;
    const running = pipeline.with({ signal: controller.signal, maxDemand: 7, runtime })(
      producer<number>(() => {}, { runtime }),
      balance(
        1,
        (events) =>
          (branch = pipeline(
            events,
            map((n) => n),
            collect(),
          )),
      ),
    );
    expect(new Set(branch?.inspect().links.map(({ maxDemand }) => maxDemand))).toEqual(new Set([7]));
    const failed = running.done.catch((error: unknown) => error);
    controller.abort(reason);
    expect(await failed).toBe(reason);
  });

  test("8.10 a failure that no one looks at is unhandled once", async () => {
    const boom = new Error("boom");
    const heard: unknown[] = [];
    const listen = (error: unknown): void => void heard.push(error);
    process.on("unhandledRejection", listen);
    pipeline(
      [1],
      balance(2, (events) =>
        pipeline(
          events,
          forEach(() => {
            throw boom;
          }),
        ),
      ),
    );
    await turns(8);
    process.off("unhandledRejection", listen);
    expect(heard).toEqual([boom]);
  });
});

describe("8.10 branches that return producers", () => {
  test("8.10 the step passes on what all of them give", async () => {
    const doubled = await pipeline(
      range(1, 50),
      balance(3, (events) =>
        pipeline(
          events,
          map((n) => n * 2),
        ),
      ),
      collect(),
    );
    expect(doubled.toSorted(ascending)).toEqual(range(1, 50).map((n) => n * 2));
    const both = await pipeline(
      [1, 2],
      broadcast({ same: (events) => events, text: (events) => pipeline(events, map(String)) }),
      collect(),
    );
    expect(new Set(both)).toEqual(new Set([1, "1", 2, "2"]));
    const parted = await pipeline(
      range(1, 50),
      partitionBy(
        (n) => n,
        { partitions: 4 },
        (events) =>
          pipeline(
            events,
            map((n) => n + 1),
          ),
      ),
      take(50),
      collect(),
    );
    expect(parted.toSorted(ascending)).toEqual(range(2, 51));
  });

  test("8.10 one that fails fails the pipeline, which names it", async () => {
    const boom = new Error("boom");
    const running = pipeline(
      range(1, 20),
      partitionBy(
        (n) => n,
        { partitions: ["a", "b"] },
        (events) =>
          pipeline(
            events,
            map((n) => {
              if (n === 13) throw boom;
              return n;
            }),
          ),
      ),
      collect(),
    );
    await expect(running.done).rejects.toBe(boom);
    await turns();
    expect(failureOf(boom)).toMatchObject({ step: "map", event: 13, branch: expect.stringMatching(/^[ab]$/) });
  });

  test("8.10 without a sink behind them nothing is asked for", async () => {
    const asked: number[] = [];
    const source = producer<number>((demand) => void asked.push(demand), { runtime: testRuntime() });
    const made = pipeline(
      source,
      balance(2, (events) =>
        pipeline(
          events,
          map((n) => n),
        ),
      ),
    );
    await turns();
    expect(asked).toEqual([]);
    made
      .events()
      .next()
      .catch(() => {});
    await turns();
    expect(asked.length).toBeGreaterThan(0);
    await made.stop();
  });

  test("8.10 drain delivers everything that was taken in, through the merge", async () => {
    const source = producer<number>(() => {}, { runtime: testRuntime(), onLastCancel: "stop" });
    const kept: number[] = [];
    const running = pipeline(
      source,
      balance(2, (events) =>
        pipeline(
          events,
          mapAsync(async (n) => n),
        ),
      ),
      forEach((n) => kept.push(n)),
    );
    source.push(range(1, 50));
    await running.drain({ timeout: 1000 });
    expect(kept.toSorted(ascending)).toEqual(range(1, 50));
  });
});

describe("8.10 a wrong branch", () => {
  const untyped = pipeline as unknown as (...of: unknown[]) => unknown;
  const wrong = balance as unknown as (count: unknown, fn: unknown) => unknown;

  test.each<readonly [string, (events: Producer<number>, index: number) => unknown, RegExp]>([
    ["a promise", (events) => sink(events).done, /branch 0 of balance .* a promise: return the pipeline itself/],
    ["nothing", (events) => void sink(events), /nothing: return the pipeline/],
    ["a number", () => 7, /got 7/],
    ["another pipeline", () => pipeline([1], collect()), /to consume its events/],
    [
      "a mix",
      (events, index) =>
        index === 0
          ? sink(events)
          : pipeline(
              events,
              map((n) => n),
            ),
      /all branches of balance to return producers, or all pipelines/,
    ],
  ])("8.10 that returns %s is refused at once, and costs the source nothing", async (_name, branch, text) => {
    const source = producer<number>(() => {}, { runtime: testRuntime(), onLastCancel: "stop" });
    const error = errorOf(() => untyped(source, wrong(2, branch)));
    expect(error).toMatchObject({ code: "ERR_OPTION" });
    expect(error.message).toMatch(text);
    await turns();
    expect([source.state, source.inspect().links]).toEqual(["running", []]);
  });

  test("8.10 that throws is the caller's error", () => {
    const boom = new Error("boom");
    const error = errorOf(() =>
      pipeline(
        [1],
        balance(2, (): Pipeline => {
          throw boom;
        }),
      ),
    );
    expect(error).toBe(boom);
  });

  test("8.10 a step behind branches that end in sinks", () => {
    const error = errorOf(() => untyped([1], balance(2, sink), map(String)));
    expect(error.message).toMatch(/nothing comes behind them/);
  });

  test("8.10 no function, no branches", () => {
    expect(errorOf(() => wrong(2, undefined))).toMatchObject({ code: "ERR_OPTION" });
    expect(errorOf(() => wrong(undefined, sink))).toMatchObject({ code: "ERR_OPTION" });
    expect(errorOf(() => wrong(0, sink))).toMatchObject({ code: "ERR_RANGE" });
    expect(errorOf(() => broadcast({ a: sink, b: 7 } as never))).toMatchObject({ code: "ERR_OPTION" });
    expect(errorOf(() => partitionBy<number, 2, never>((n) => n, { partitions: 2 }, undefined as never))).toMatchObject(
      {
        code: "ERR_OPTION",
      },
    );
  });

  test("8.10 a consumer of one's own inside a branch is one more", async () => {
    const seen: number[] = [];
    const running = pipeline(
      [1, 2],
      broadcast({
        a: (events) => {
          consumer<number>((batch) => void seen.push(...batch)).subscribe(events);
          return sink(events);
        },
      }),
    );
    expect(await running).toEqual({ a: [1, 2] });
    expect(seen).toEqual([1, 2]);
  });
});
