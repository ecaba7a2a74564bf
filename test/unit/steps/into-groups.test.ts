import { describe, expect, test } from "vitest";
import {
  collect,
  failureOf,
  forEach,
  fromIterable,
  intoGroups,
  map,
  type Pipeline,
  pipeline,
  type Producer,
  producer,
  reduce,
  take,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

/** Groups that collect, and what was collected, by key and opening. */
function collecting() {
  const log: [key: number, reopened: boolean, events: number[]][] = [];
  const make = (events: Producer<number>, key: number, { reopened }: { readonly reopened: boolean }): Pipeline => {
    const seen: number[] = [];
    log.push([key, reopened, seen]);
    return pipeline(
      events,
      forEach((n) => void seen.push(n)),
    );
  };
  return { log, make };
}
const byTen = (n: number): number => n % 10;
const caught = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).catch((error: unknown) => error);

describe("8.11 intoGroups", () => {
  test("8.11 gives each key's events to a pipeline of their own, in order, and counts the keys", async () => {
    const { log, make } = collecting();
    expect(await pipeline(range(0, 999), intoGroups(byTen, make))).toBe(10);
    expect(log.map(([key]) => key)).toEqual(range(0, 9));
    for (const [key, reopened, events] of log) {
      expect(reopened).toBe(false);
      expect(events).toEqual(range(0, 99).map((n) => n * 10 + key));
    }
  });

  test("8.11 behind no event at all there is no group", async () => {
    expect(await pipeline([] as number[], intoGroups(byTen, collecting().make))).toBe(0);
  });

  test("8.11 fails at maxOpen, with the way out, and so do the open groups", async () => {
    const failed: unknown[] = [];
    const running = pipeline(
      range(1, 5),
      intoGroups(
        (n) => n,
        (events) => {
          const group = pipeline(events, collect());
          group.done.catch((error: unknown) => failed.push(error));
          return group;
        },
        { maxOpen: 3 },
      ),
    );
    const error = await caught(running);
    expect(error).toMatchObject({ code: "ERR_OPEN_GROUPS", name: "OverflowError" });
    expect((error as Error).message).toContain('set evict: "lru"');
    await turns();
    expect(failed).toEqual([error, error, error]);
  });

  test('8.11 evict: "lru" completes the group used least recently, whose key opens again, in order', async () => {
    const { log, make } = collecting();
    const events = [1, 2, 1, 3, 1, 2, 2, 3];
    expect(
      await pipeline.with({ maxDemand: 1 })(
        events,
        intoGroups((n) => n, make, { maxOpen: 2, evict: "lru" }),
      ),
    ).toBe(3);
    expect(log.slice(0, 3).map(([key, reopened]) => [key, reopened])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
    expect(log.some(([, reopened]) => reopened)).toBe(true);
    for (const key of [1, 2, 3])
      expect(log.flatMap(([of, , seen]) => (of === key ? seen : []))).toEqual(events.filter((n) => n === key));
  });

  test("8.11 never more than maxOpen are open, of many keys, whatever their pipelines' pace", async () => {
    let [open, most] = [0, 0];
    const sums = new Map<number, number>();
    const keys = await pipeline(
      range(0, 4999).map((n) => (n * 7919) % 311),
      intoGroups(
        (n) => n,
        (events, key) => {
          most = Math.max(most, (open += 1));
          const group = pipeline(
            events,
            forEach(async (n) => {
              await Promise.resolve();
              sums.set(n, (sums.get(n) ?? 0) + 1);
              if (n !== key) throw new Error("of another group");
            }),
          );
          void group.done.finally(() => (open -= 1));
          return group;
        },
        { maxOpen: 7, evict: "lru", maxQueued: 50 },
      ),
    );
    expect([keys, open, most]).toEqual([311, 0, 7]);
    expect([...sums.values()].reduce((sum, n) => sum + n, 0)).toBe(5000);
  });

  test("8.11 idle completes a group that has had no events for so long", async () => {
    const runtime = testRuntime();
    const { log, make } = collecting();
    const source = producer<number>(() => {}, { runtime });
    const ended: number[] = [];
    const running = pipeline(
      source,
      intoGroups(
        (n) => n,
        (events, key, group) => {
          const made = make(events, key, group);
          void made.done.then(() => ended.push(key));
          return made;
        },
        { idle: 100 },
      ),
    );
    source.push([1]);
    await turns();
    runtime.clock.advance(60);
    source.push([2]);
    await turns();
    runtime.clock.advance(60);
    await turns();
    expect(ended).toEqual([1]);
    source.push([1]);
    await turns();
    runtime.clock.advance(200);
    await turns();
    expect(ended).toEqual([1, 2, 1]);
    expect(runtime.clock.pending).toBe(0);
    source.push([2]);
    source.complete();
    expect(await running).toBe(2);
    expect(log.map(([key, reopened]) => [key, reopened])).toEqual([
      [1, false],
      [2, false],
      [1, true],
      [2, true],
    ]);
    expect(runtime.clock.pending).toBe(0);
  });

  test("8.11 a pipeline that has had enough is opened again by the next event", async () => {
    const taken: number[][] = [];
    const keys = await pipeline(
      range(1, 5),
      intoGroups(
        () => "all",
        (events) =>
          pipeline(
            events,
            take(2),
            reduce(
              (seen: number[], n) => {
                seen.push(n);
                return seen;
              },
              taken[taken.push([]) - 1] as number[],
            ),
          ),
      ),
    );
    expect([keys, taken]).toEqual([1, [[1, 2], [3, 4], [5]]]);
  });

  test("F-60 a group that fails fails the pipeline and the others, and is named by its key", async () => {
    const boom = new Error("no such file");
    const source = producer<number>(() => {}, { runtime: testRuntime(), onLastCancel: "continue" });
    const others: Promise<unknown>[] = [];
    const running = pipeline(
      source,
      intoGroups(
        (n) => n % 3,
        (events, key) => {
          const group = pipeline(
            events,
            map((n) => {
              if (key === 2) throw boom;
              return n;
            }),
            collect(),
          );
          if (key !== 2) others.push(caught(group));
          return group;
        },
      ),
    );
    source.push(range(0, 20));
    expect(await caught(running)).toBe(boom);
    expect(await Promise.all(others)).toEqual([boom, boom]);
    expect(running.failure).toMatchObject({ step: "map", event: 2, branch: "2" });
    expect(failureOf(boom)?.branch).toBe("2");
    await turns();
    expect(source.inspect().links).toEqual([]);
  });

  test("8.11 takes no more than maxQueued beyond what its groups ask for", async () => {
    let given = 0;
    const source = producer<number>((demand) => Array.from({ length: demand }, () => (given += 1)), {
      runtime: testRuntime(),
    });
    const running = pipeline(
      source,
      intoGroups(
        () => 1,
        (events) =>
          pipeline.with({ maxDemand: 5 })(
            events,
            forEach(() => new Promise(() => {})),
          ),
        { maxQueued: 20 },
      ),
    );
    await turns();
    expect(given).toBeLessThanOrEqual(25);
    expect(given).toBeGreaterThanOrEqual(15);
    void running.stop({ timeout: 0 });
  });

  test("8.11 at a stop what waits goes back to the source, and the groups are stopped", async () => {
    const runtime = testRuntime();
    const seen: number[] = [];
    const source = producer<number>(() => {}, { runtime });
    const running = pipeline(
      source,
      intoGroups(
        (n) => n,
        (events) =>
          pipeline(
            events,
            forEach((n) => void seen.push(n)),
          ),
        { maxOpen: 1, evict: "lru", maxQueued: 4 },
      ),
    );
    source.push([1, 1]);
    await turns();
    await running.stop();
    source.push([3]);
    const rest = pipeline(source, collect());
    source.complete();
    expect([seen, await rest]).toEqual([[1, 1], [3]]);
    expect(await running).toBe(1);
  });

  test("8.11 drain completes the groups", async () => {
    const { log, make } = collecting();
    const source = producer<number>(() => {}, { runtime: testRuntime(), onLastCancel: "stop" });
    const running = pipeline(source, intoGroups(byTen, make));
    source.push(range(1, 20));
    expect(await running.drain({ timeout: 100 })).toBe(10);
    expect(log.flatMap(([, , events]) => events).toSorted((a, b) => a - b)).toEqual(range(1, 20));
  });

  test("8.11 a failure of the source is that of all groups", async () => {
    const boom = new Error("boom");
    const source = producer<number>(() => {}, { runtime: testRuntime() });
    const groups: Promise<unknown>[] = [];
    const running = pipeline(
      source,
      intoGroups(byTen, (events) => {
        const group = pipeline(events, collect());
        groups.push(caught(group));
        return group;
      }),
    );
    source.push([1, 2]);
    await turns();
    source.fail(boom);
    expect(await caught(running)).toBe(boom);
    expect(await Promise.all(groups)).toEqual([boom, boom]);
  });

  test("8.11 what key throws, or gives that is none, fails it with the event, and the rest goes back", async () => {
    const boom = new Error("boom");
    for (const [key, expected] of [
      [
        (): number => {
          throw boom;
        },
        boom,
      ],
      [(): number => ({}) as never, expect.objectContaining({ code: "ERR_PARTITION_KEY" })],
    ] as const) {
      const source = producer<number>(() => {}, { runtime: testRuntime() });
      const running = pipeline(source, intoGroups(key, collecting().make));
      source.push([1, 2, 3]);
      expect(await caught(running)).toEqual(expected);
      expect(running.failure).toMatchObject({ step: "intoGroups", index: 0, event: 1 });
      await turns();
      expect(source.bufferedCount).toBe(2);
    }
  });

  test.each<readonly [string, (events: Producer<number>) => unknown, RegExp]>([
    [
      "a producer",
      (events) =>
        pipeline(
          events,
          map((n) => n),
        ),
      /a producer: put forEach, collect or another sink/,
    ],
    ["a promise", (events) => pipeline(events, collect()).done, /a promise: return the pipeline itself/],
    ["nothing", (events) => void pipeline(events, collect()), /nothing: return the pipeline/],
    ["a number", () => 7, /got 7/],
    ["another pipeline", () => pipeline([1], collect()), /to consume its events/],
    [
      "an error",
      () => {
        throw new Error("no file");
      },
      /no file/,
    ],
  ])("8.11 a function that gives %s fails the pipeline", async (_what, fn, text) => {
    const source = producer<number>(() => {}, { runtime: testRuntime() });
    const running = pipeline(
      source,
      intoGroups((n: number) => n, fn as (events: Producer<number>) => Pipeline),
    );
    source.push([1]);
    const error = (await caught(running)) as Error;
    expect(error.message).toMatch(text);
    expect(running.failure).toMatchObject({ step: "intoGroups" });
    await turns();
    expect(source.bufferedCount).toBe(1);
  });

  test("8.11 a primitive that a group fails with passes as it is", async () => {
    const running = pipeline(
      fromIterable([1]),
      intoGroups(
        (n) => n,
        (events) => {
          const inner = producer<number>(() => {});
          void pipeline(events, collect());
          inner.fail("no");
          return pipeline(inner, collect());
        },
      ),
    );
    expect(await caught(running)).toBe("no");
  });

  test.each([
    [{ maxOpen: 0 }, "ERR_RANGE"],
    [{ maxQueued: 0 }, "ERR_RANGE"],
    [{ idle: 0 }, "ERR_RANGE"],
    [{ idle: "1s" }, "ERR_OPTION"],
    [{ evict: "oldest" }, "ERR_OPTION"],
    [{ size: 1 }, "ERR_OPTION"],
  ])("8.11 refuses the options %j at once", (options, code) => {
    expect(() => intoGroups(byTen, collecting().make, options as never)).toThrow(expect.objectContaining({ code }));
  });

  test("8.11 refuses what is no function at once", () => {
    expect(() => intoGroups(7 as never, collecting().make)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => intoGroups<number, number>(byTen, 7 as never)).toThrow(
      expect.objectContaining({ code: "ERR_OPTION" }),
    );
  });
});
