import { describe, expect, test } from "vitest";
import {
  broadcastDispatcher,
  type ConsumerPort,
  consumer,
  demandDispatcher,
  type Dispatcher,
  fromIterable,
  partitionDispatcher,
  producer,
  type ProducerPort,
  type Subscription,
} from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

const port = (name: string, events: (batch: readonly number[]) => void): ConsumerPort<number> => ({
  name,
  consumer: {},
  carries: false,
  subscription: { state: "active", pending: 0, options: {} } as unknown as Subscription,
  events,
  end() {},
});

/** A function for a dispatcher, which ends the stage at the second event. */
const check = (kill: AbortController) => (n: number) => {
  if (n === 2) kill.abort("poison");
  return true;
};
const ascending = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);

describe("F-05 a function in a dispatcher that ends the stage: no event of the batch is nowhere", () => {
  test.each([
    [
      "hash",
      (kill: AbortController) =>
        partitionDispatcher({ partitions: 1, hash: (n: number) => (check(kill)(n) ? 0 : undefined) }),
      { partition: 0 },
    ],
    [
      "by",
      (kill: AbortController) => partitionDispatcher({ partitions: 1, by: (n: number) => check(kill)(n) }),
      { partition: 0 },
    ],
    ["selector", () => broadcastDispatcher(), {}],
  ] as const)("F-05 %s", async (name, dispatcherOf, options) => {
    const runtime = testRuntime();
    const discarded: number[] = [];
    const handled: number[] = [];
    const kill = new AbortController();
    const p = producer<number, object>(() => {}, {
      runtime,
      dispatcher: dispatcherOf(kill) as Dispatcher<number, object>,
      signal: kill.signal,
      onDiscard: ({ events }) => void discarded.push(...events),
    });
    const c = consumer<number>((events) => void handled.push(...events), { runtime });
    c.done.catch(() => {});
    c.subscribe(p, (name === "selector" ? { selector: check(kill) } : options) as object);
    await turns();
    p.push([1, 2, 3]);
    await turns();
    expect([p.state, p.bufferedCount, ascending([...handled, ...discarded])]).toEqual(["failed", 0, [1, 2, 3]]);
  });

  test("F-05 hash that stops the stage while what a callback returned is dispatched", async () => {
    const runtime = testRuntime();
    const discarded: number[] = [];
    const p = producer<number, { partition: number }>(
      (demand) => Array.from({ length: Math.min(demand, 3) }, (_, i) => i),
      {
        runtime,
        dispatcher: partitionDispatcher({
          partitions: 2,
          hash: (n: number) => {
            if (n === 1) void p.stop({ timeout: 0 });
            runtime.clock.advance(0);
            return n % 2;
          },
        }),
        onDiscard: ({ events }) => void discarded.push(...events),
      },
    );
    const handled: number[] = [];
    const c = consumer<number>((events) => void handled.push(...events), { runtime });
    c.subscribe(p, { partition: 0, maxDemand: 10, cancel: "temporary" });
    await turns();
    expect([p.state, p.bufferedCount, ascending([...handled, ...discarded])]).toEqual(["stopped", 0, [0, 1, 2]]);
  });
});

describe("F-05 a hash that aborts: the stage ends there, and calls nothing any more", () => {
  test.each([
    ["what a callback returned, all that was asked for", (_p: unknown, most: number) => most, "forward"],
    ["what a callback returned, less than was asked for", () => 3, "forward"],
    ["what was held", () => 3, "accumulate"],
  ] as const)("F-05 %s", async (_name, many, mode) => {
    const runtime = testRuntime();
    const kill = new AbortController();
    const made: number[] = [];
    const discarded: number[] = [];
    const p = producer<number, { partition: number }>(
      {
        handleDemand: (demand) => {
          const batch = Array.from({ length: Math.min(demand, many(undefined, demand)) }, (_, i) => made.length + i);
          made.push(...batch);
          return batch;
        },
      },
      {
        runtime,
        demandMode: mode,
        signal: kill.signal,
        dispatcher: partitionDispatcher({
          partitions: 2,
          hash: (n: number) => {
            if (n === 1) kill.abort("poison");
            return n % 2;
          },
        }),
        onDiscard: ({ events }) => void discarded.push(...events),
      },
    );
    const handled: number[] = [];
    for (const partition of [0, 1]) {
      const c = consumer<number>((events) => void handled.push(...events), { runtime });
      c.done.catch(() => {});
      c.subscribe(p, { partition, maxDemand: 5 });
    }
    await turns();
    p.demandMode = "forward";
    await turns();
    const asked = made.length;
    expect([p.state, asked > 0, [...handled, ...discarded].toSorted((a, b) => a - b)]).toEqual(["failed", true, made]);
    expect(asked).toBeLessThanOrEqual(10);
  });
});

describe("F-07 a port that leaves and brings others while it is served", () => {
  test.each([
    ["demandDispatcher()", () => demandDispatcher(), [1, 2, 3, 4]],
    ['demandDispatcher({ spread: "even" })', () => demandDispatcher({ spread: "even" }), [1, 2, 3, 4]],
    ["broadcastDispatcher()", () => broadcastDispatcher(), [1, 2]],
  ])("F-07 %s goes on", async (_name, make, all) => {
    const p = producer<number, object>(() => {}, {
      runtime: testRuntime(),
      dispatcher: make() as Dispatcher<number, object>,
    });
    const got: Record<string, number[]> = { a: [], b: [], c: [] };
    const attach = (to: ConsumerPort<number>): ProducerPort => p["~attach"](to, {} as never);
    const into = (name: string) => (batch: readonly number[]) => void got[name]?.push(...batch);
    let b!: ProducerPort;
    let left = false;
    const a = attach(
      port("a", (batch) => {
        into("a")(batch);
        if (left) return;
        left = true;
        b.end({ reason: { type: "cancel" } });
        attach(port("c", into("c"))).ask(10);
      }),
    );
    b = attach(port("b", into("b")));
    a.ask(2);
    b.ask(2);
    await turns();
    p.push([1, 2, 3, 4]);
    await turns();
    expect(make().inspect?.().type === "broadcast" ? got["a"] : ascending(Object.values(got).flat())).toEqual(all);
  });
});

describe("F-09 a dispatcher whose getters throw", () => {
  test.each([
    ["wanted", "in a turn"],
    ["wanted", "in a push"],
    ["queued", "in a turn"],
  ] as const)("F-09 %s, %s: it fails the stage with the value", async (getter, when) => {
    const boom = new Error("boom");
    let broken = false;
    const inner = demandDispatcher();
    const dispatcher = new Proxy(inner, {
      get: (target, key) => {
        if (broken && key === getter) throw boom;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
    const p = producer<number, object>(() => {}, {
      runtime: testRuntime(),
      dispatcher: dispatcher as unknown as Dispatcher<number, object>,
    });
    const end = p.done.catch((error: unknown) => error);
    const link = p["~attach"](
      port("a", () => {}),
      {} as never,
    );
    link.ask(1);
    await turns();
    // In a turn, it breaks behind the push, which takes one event of three.
    broken = when === "in a push";
    expect(p.push([1, 2, 3])).toBe(false);
    broken = true;
    link.ask(1);
    expect(await end).toBe(boom);
    expect(p.failure?.callback).toMatch(/^dispatch/);
  });
});

/** How many of 400 events each of `count` consumers gets. */
const share = async (count: number, demand: object = {}): Promise<readonly number[]> => {
  const runtime = testRuntime();
  const source = fromIterable(Array(400).keys(), { runtime, dispatcher: demandDispatcher({ spread: "even" }) });
  const got = Array.from({ length: count }, () => 0);
  const all = got.map((_, i) => {
    const c = consumer<number>(
      (events) => {
        got[i] = (got[i] ?? 0) + events.length;
      },
      { runtime },
    );
    c.subscribe(source, demand);
    return c.done;
  });
  await Promise.all(all);
  return got;
};

describe("F-16 spread: even", () => {
  test("F-16 deals out evenly to the consumers of one synchronous stretch, with the windows they have", async () => {
    expect(await share(4)).toEqual([100, 100, 100, 100]);
    expect(await share(4, { maxDemand: 10 })).toEqual([100, 100, 100, 100]);
    expect(await share(1)).toEqual([400]);
  });

  test("F-16 waits for none that asks by hand, nor for one that leaves before it has asked", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, dispatcher: demandDispatcher({ spread: "even" }) });
    const got: number[] = [];
    consumer<number>((events) => void got.push(...events), { runtime }).subscribe(source);
    consumer<number>(() => {}, { runtime }).subscribe(source, { demand: "manual" });
    const gone = consumer<number>({ init: () => new Promise(() => {}), handleEvents: () => {} }, { runtime });
    gone.subscribe(source);
    await turns();
    source.push([1, 2]);
    await turns();
    expect(got).toEqual([]);
    const stopped = gone.stop({ timeout: 0 });
    runtime.clock.advance(0);
    await stopped;
    await turns();
    expect(got).toEqual([1, 2]);
  });
});
