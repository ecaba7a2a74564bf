import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ArgumentError,
  consumer,
  fifoScheduler,
  producer,
  runtime,
  seededScheduler,
  type Task,
} from "../../../src/index.ts";
import { range, testRuntime, turns, VirtualClock } from "../../support/runtime.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

const task = (run: () => void): Task => ({ run });

/** The order in which a seed runs twenty tasks. */
function order(seed: number): number[] {
  const scheduler = seededScheduler(seed);
  const seen: number[] = [];
  for (const n of range(1, 20)) scheduler.add(task(() => seen.push(n)));
  for (let next = scheduler.take(); next; next = scheduler.take()) next.run();
  expect(scheduler.size).toBe(0);
  return seen;
}

const numbersOf = (seed: number): number[] => {
  const own = runtime({ scheduler: seededScheduler(seed) });
  return range(1, 200).map(() => own.random());
};

describe("random numbers", () => {
  test("are the same for the same seed, from 0 to below 1, and change no order", () => {
    expect(numbersOf(7)).toEqual(numbersOf(7));
    expect(numbersOf(7)).not.toEqual(numbersOf(8));
    const all = numbersOf(7);
    expect([Math.min(...all) >= 0, Math.max(...all) < 1]).toEqual([true, true]);
    expect(all.filter((n) => n < 0.5).length).toBeGreaterThan(70);
    expect(all.filter((n) => n < 0.5).length).toBeLessThan(130);
    const drawing = seededScheduler(3);
    const seen: number[] = [];
    for (const n of range(1, 20)) drawing.add(task(() => seen.push(n)));
    for (let next = drawing.take(); next; next = drawing.take()) {
      drawing.random?.();
      next.run();
    }
    expect(seen).toEqual(order(3));
  });

  test("are the platform's where the scheduler has none", () => {
    vi.spyOn(Math, "random").mockReturnValue(0.25);
    expect([runtime().random(), runtime({ scheduler: fifoScheduler() }).random()]).toEqual([0.25, 0.25]);
    vi.restoreAllMocks();
  });
});

describe("the ready queue", () => {
  test("6.5 works in a microtask, first in, first out", async () => {
    const line = testRuntime();
    const seen: number[] = [];
    for (const n of range(1, 100)) line.schedule(task(() => seen.push(n)));
    expect(seen).toEqual([]);
    await Promise.resolve();
    await Promise.resolve();
    expect(seen).toEqual(range(1, 100));
  });

  test("6.5 a task scheduled while the only one runs comes after those before it", async () => {
    const line = testRuntime();
    const seen: string[] = [];
    line.schedule(
      task(() => {
        seen.push("a");
        for (const name of ["b", "c", "d"]) line.schedule(task(() => seen.push(name)));
      }),
    );
    await turns();
    expect(seen).toEqual(["a", "b", "c", "d"]);
  });

  test("6.6 flush works it off before it returns, and does nothing inside a run", async () => {
    const line = testRuntime();
    const seen: string[] = [];
    line.schedule(
      task(() => {
        line.schedule(task(() => seen.push("second")));
        line.flush();
        seen.push("first");
      }),
    );
    line.flush();
    expect(seen).toEqual(["first", "second"]);
    await turns();
    expect(seen).toEqual(["first", "second"]);
  });

  test("6.5 a task that throws does not take the others along", async () => {
    const line = testRuntime();
    const seen: string[] = [];
    line.schedule(task(() => seen.push("before")));
    line.schedule(
      task(() => {
        throw new Error("a bug");
      }),
    );
    line.schedule(task(() => seen.push("after")));
    expect(() => line.flush()).toThrow("a bug");
    line.flush();
    expect(seen).toEqual(["before", "after"]);
  });

  test("6.7 a seed gives one order, another seed another", () => {
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
    expect(order(1).toSorted((a, b) => a - b)).toEqual(range(1, 20));
  });

  test("6.7 a scheduler of one's own sees every task", async () => {
    const inner = fifoScheduler();
    let added = 0;
    const scheduler = {
      get size() {
        return inner.size;
      },
      add: (next: Task) => {
        added += 1;
        inner.add(next);
      },
      take: () => inner.take(),
    };
    const line = runtime({ scheduler, clock: new VirtualClock() });
    line.schedule(task(() => line.resume(task(() => {}))));
    await turns();
    expect([added, inner.size]).toEqual([2, 0]);
  });
});

/** A clock whose time passes by looking at it, and that counts the macrotasks it was asked for. */
class TickingClock extends VirtualClock {
  macrotasks = 0;
  readonly #step: number;
  constructor(step: number) {
    super();
    this.#step = step;
  }
  override now(): number {
    this.advance(this.#step);
    return super.now();
  }
  override macrotask(fn: () => void): void {
    this.macrotasks += 1;
    super.macrotask(fn);
  }
}

describe("the budget", () => {
  test("6.5 is counted from the last macrotask: saturated, a stage leaves the loop to others", async () => {
    const clock = new TickingClock(1);
    const line = runtime({ clock, budget: 5 });
    let next = 0;
    const numbers = producer((demand) => (next < 2000 ? range(next, (next += demand) - 1) : []), { runtime: line });
    const sink = consumer<number>(() => {}, { runtime: line });
    sink.subscribe(numbers, { maxDemand: 10 });
    await turns(1);
    const after = next;
    expect(after).toBeLessThan(2000);
    await turns(2000);
    expect(next).toBe(2000);
    expect(clock.macrotasks).toBeGreaterThan(10);
  });

  test("6.6 turns that take long are looked at one by one: none begins behind the budget", async () => {
    const clock = new TickingClock(0);
    const line = runtime({ clock });
    const perMacrotask: number[] = [];
    for (const n of range(1, 8))
      line.schedule(
        task(() => {
          perMacrotask[clock.macrotasks] = (perMacrotask[clock.macrotasks] ?? 0) + 1;
          // Two short turns, then 4 ms each.
          if (n > 2) clock.advance(4);
        }),
      );
    await turns(8);
    expect(perMacrotask.flat()).toEqual([4, 2, 2]);
  });

  test("6.5 promises that resolve at once obey it, too", async () => {
    const clock = new TickingClock(1);
    const line = runtime({ clock, budget: 5 });
    let handled = 0;
    const numbers = producer((demand) => range(1, demand), { runtime: line });
    const sink = consumer<number>(
      async () => {
        handled += 1;
      },
      { runtime: line },
    );
    sink.subscribe(numbers, { maxDemand: 1 });
    await turns(1);
    const first = handled;
    expect(first).toBeLessThan(20);
    await turns(5);
    expect(handled).toBeGreaterThan(first);
    await sink.stop();
  });

  test("6.5 a loop over a producer obeys it, too", async () => {
    const clock = new TickingClock(1);
    const line = runtime({ clock, budget: 5 });
    const numbers = producer((demand) => range(1, demand), { runtime: line });
    let seen = 0;
    let timer = 0;
    setImmediate(() => (timer = seen));
    for await (const n of numbers) {
      seen += n > 0 ? 1 : 0;
      if (seen === 200) break;
    }
    expect(timer).toBeGreaterThan(0);
    expect(timer).toBeLessThan(50);
  });
});

describe("runtime()", () => {
  test.each([
    [{ budget: 0 }, "ERR_RANGE"],
    [{ budget: Number.NaN }, "ERR_RANGE"],
    [{ budget: "5" }, "ERR_RANGE"],
    [{ strict: 1 }, "ERR_OPTION"],
    [{ speed: 5 }, "ERR_OPTION"],
    [{ clock: {} }, "ERR_OPTION"],
    [{ clock: null }, "ERR_OPTION"],
    [{ scheduler: "fifo" }, "ERR_OPTION"],
    [{ scheduler: seededScheduler }, "ERR_OPTION"],
    [null, "ERR_OPTION"],
  ])("1.1 refuses %j", (options, code) => {
    expect(() => runtime(options as never)).toThrow(ArgumentError);
    expect(() => runtime(options as never)).toThrow(expect.objectContaining({ code }) as Error);
  });

  test("6.7 strict: a batch cannot be changed by who is handed it", async () => {
    const numbers = producer<number>(() => {}, { runtime: testRuntime() });
    const sink = consumer<number>(
      (events) => {
        (events as number[]).push(4);
      },
      { runtime: testRuntime() },
    );
    sink.subscribe(numbers);
    await turns();
    numbers.push([1, 2, 3]);
    await expect(sink.done).rejects.toThrow(TypeError);
    expect(sink.failure).toMatchObject({ callback: "handleEvents", events: [1, 2, 3] });
  });
});

describe("the platform", () => {
  test("6.5 without setImmediate macrotasks go through a message channel", async () => {
    vi.stubGlobal("setImmediate", undefined);
    const fresh = await import("../../../src/index.ts");
    let next = 0;
    const numbers = fresh.producer((demand) => (next < 50_000 ? range(next, (next += demand) - 1) : []));
    let sum = 0;
    const sink = fresh.consumer<number>(async (events) => {
      const until = performance.now() + 1;
      while (performance.now() < until);
      sum += events.length;
      if (sum >= 10_000) numbers.complete();
    });
    sink.subscribe(numbers);
    await sink.done;
    expect(sum).toBeGreaterThanOrEqual(10_000);
  });

  test("6.8 without asynchronous contexts stages run as they are", async () => {
    vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
    const fresh = await import("../../../src/index.ts");
    const seen: number[] = [];
    const sink = fresh.consumer<number>((events) => void seen.push(...events));
    sink.subscribe(fresh.fromIterable([1, 2, 3]));
    await sink.done;
    expect(seen).toEqual([1, 2, 3]);
    const line = fresh.runtime({ clock: new VirtualClock() });
    line.schedule(task(() => seen.push(4)));
    line.flush();
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test("6.7 where an empty context cannot be told, each one counts", async () => {
    // An engine that keeps no context on its resources.
    class Bare {
      readonly type: string;
      constructor(type: string) {
        this.type = type;
      }
    }
    const hooks = process.getBuiltinModule("node:async_hooks");
    const { AsyncLocalStorage } = hooks;
    let snapshots = 0;
    class Counting extends AsyncLocalStorage<unknown> {
      static override snapshot(): ReturnType<typeof AsyncLocalStorage.snapshot> {
        snapshots += 1;
        return AsyncLocalStorage.snapshot();
      }
    }
    vi.stubGlobal("process", {
      ...process,
      getBuiltinModule: () => ({ ...hooks, AsyncLocalStorage: Counting, AsyncResource: Bare }),
    });
    const fresh = await import("../../../src/index.ts");
    const before = snapshots;
    const sink = fresh.consumer<number>(() => {});
    sink.subscribe(fresh.fromIterable([1]));
    await sink.done;
    // Two stages, made in no context at all.
    expect([before, snapshots - before]).toEqual([1, 2]);
  });

  test("5.12 a timeout on the platform's own clock cuts a terminate short, and leaves no timer", async () => {
    const stage = producer({ handleDemand: () => {}, terminate: () => new Promise(() => {}) });
    await stage.stop({ timeout: 1 });
    expect(stage.state).toBe("stopped");
    const timers = process.getActiveResourcesInfo().filter((what) => what === "Timeout").length;
    await producer(() => {}).stop({ timeout: 1e6 });
    expect(process.getActiveResourcesInfo().filter((what) => what === "Timeout")).toHaveLength(timers);
  });

  test("6.9 fake timers installed later do not freeze stages", async () => {
    vi.useFakeTimers();
    try {
      const sink = consumer<number>(async () => {});
      sink.subscribe(producer({ handleDemand: (_demand, stage) => stage.complete() }));
      await sink.done;
      expect(sink.state).toBe("completed");
    } finally {
      vi.useRealTimers();
    }
  });
});
