import { describe, expect, test } from "vitest";
import {
  balance,
  batch,
  broadcast,
  collect,
  consumer,
  failureOf,
  filter,
  flatMap,
  forEach,
  fromIterable,
  idle,
  intoGroups,
  map,
  mapAsync,
  partitionBy,
  pipeline,
  type Producer,
  producer,
  producerConsumer,
  reduce,
  scan,
  type Step,
  take,
  takeWhile,
  tap,
} from "../../src/index.ts";
import { compiler } from "../../src/compile/index.ts";
import { consumerSupervisor, supervisor } from "../../src/supervise/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, Forwarder, outcome, Quiet, RawConsumer, RawProducer } from "../support/stages.ts";

const nothing = () => {};
const doubledLate = (n: number) => Promise.resolve(n * 2);
const boom = new Error("boom");
const runtime = testRuntime();
const numbers = (to: number): Producer<number> => fromIterable(range(1, to), { runtime });
/** Passes on what comes, and fails at one number. */
const failAt = (at: number) =>
  map((n: number) => {
    if (n === at) throw boom;
    return n;
  });

const branch = (events: Producer<number>) => pipeline(events, failAt(13), collect());
const chain = () =>
  [
    map((n: number) => n * 3),
    filter((n: number) => n % 2 === 0),
    flatMap((n: number) => [n, -n]),
    scan((sum: number, n: number) => sum + n, 0),
    take<number>(7),
  ] as const;
const plain = () => ({});
/** What two consumers get, with the options of each. */
const deal = async (p: Producer<number, object>, options: (i: number) => object) => {
  const sinks = [new Forwarder<number>(), new Forwarder<number>()];
  const stages = sinks.map((sink, i) => {
    const c = consumer(sink, { runtime });
    c.subscribe(p, options(i));
    return c;
  });
  for (const stage of stages) await stage.done;
  return sinks.map((sink) => sink.batches.flat());
};

describe("8. Composition", () => {
  test("8.1 adjacent per-event steps run in one stage, with the sink behind them in the sink's", async () => {
    const source = new Quiet<number>();
    const p = producer(source, { runtime });
    const run = pipeline(
      p,
      map((n) => n + 1),
      filter((n) => n > 1),
      tap(nothing),
      collect(),
    );
    expect(run.inspect().stages).toHaveLength(2);
    const through = pipeline(
      producer(new Quiet<number>(), { runtime }),
      map((n) => n + 1),
      filter((n) => n > 1),
    );
    expect(through.inspect().stages).toHaveLength(2);
    p.complete();
    expect(await run.done).toEqual([]);
  });

  test("8.1 an event goes through all of them before the next one enters", async () => {
    const log: string[] = [];
    const note = (name: string) => tap((n: number) => void log.push(`${name}${n}`));
    await pipeline(
      numbers(2),
      note("a"),
      note("b"),
      forEach((n) => void log.push(`c${n}`)),
    ).done;
    expect(log).toEqual(["a1", "b1", "c1", "a2", "b2", "c2"]);
  });

  test("8.1 where stages are cut does not change what events become", async () => {
    const [a, b, c, d, e] = chain();
    const whole = await pipeline(numbers(40), a, b, c, d, e, collect()).done;
    expect(whole).toEqual([6, 0, 12, 0, 18, 0, 24]);
    for (const cut of range(1, 4)) {
      const parts = [...chain()] as Step<number, number>[];
      const first = parts.slice(0, cut).reduce((from, step) => pipeline(from, step), numbers(40));
      const last = parts.slice(cut).reduce((from, step) => pipeline(from, step), first);
      expect(await pipeline(last, collect()).done).toEqual(whole);
    }
  });

  test("8.2 a step holds no state between pipelines, but for a seed that it changes", async () => {
    const [two, sum] = [take<number>(2), scan((total: number, n: number) => total + n, 0)];
    const run = () => pipeline(numbers(5), sum, two, collect()).done;
    expect([await run(), await run()]).toEqual([
      [1, 3],
      [1, 3],
    ]);
    const all = reduce((seen: number[], n: number) => (seen.push(n), seen), []);
    const reduced = async () => [...(await pipeline(numbers(2), all).done)];
    expect([await reduced(), await reduced()]).toEqual([
      [1, 2],
      [1, 2, 1, 2],
    ]);
  });

  test("8.3 when a step's function throws, what the events before gave goes out first, through the later stages, too", async () => {
    const seen: number[] = [];
    const again = producerConsumer((events: readonly number[]) => events.map((n) => 10 * n), { runtime });
    const { done } = pipeline(
      numbers(5),
      map((n) => n + 1),
      failAt(4),
      again,
      forEach((n) => void seen.push(n)),
    );
    await expect(done).rejects.toBe(boom);
    expect(seen).toEqual([20, 30]);
  });

  test("8.3 the record names the step, its position and the event; those behind it go back", async () => {
    const input = new RawProducer<number>();
    const error = new Error("own");
    const failing = filter((n: number) => {
      if (n === 30) throw error;
      return true;
    });
    const { done } = pipeline(
      input.producer,
      map((n) => n * 10),
      tap(nothing),
      failing,
      collect(),
    );
    const ended = done.catch((reason: unknown) => reason);
    await turns();
    input.port.events([1, 2, 3, 4, 5]);
    expect(await ended).toBe(error);
    expect(failureOf(error)).toMatchObject({ step: "filter", index: 2, event: 30, events: [3] });
    expect(input.ends[0]?.unstarted).toEqual([4, 5]);
  });

  test("8.4 take does not let its stage ask for more than it still lets through", async () => {
    const source = new Counter(9);
    const p = producer(source, { runtime });
    expect(await pipeline(p, take(5), collect()).done).toEqual([0, 1, 2, 3, 4]);
    expect(source.demands).toEqual([5]);
    const filtered = new Counter(9);
    const even = pipeline(
      producer(filtered, { runtime }),
      filter((n) => n % 2 === 0),
      take(2),
      collect(),
    );
    expect(await even.done).toEqual([0, 2]);
    expect(filtered.demands).toEqual([2, 1]);
  });

  test("8.4 behind its last event, or the first not accepted, the stage completes, and the rest goes back", async () => {
    const p = fromIterable(range(1, 20), { runtime, onLastCancel: "continue" });
    expect(
      await pipeline(
        p,
        takeWhile((n) => n < 4),
        collect(),
      ).done,
    ).toEqual([1, 2, 3]);
    expect(
      await pipeline(
        p,
        flatMap((n) => [n, n]),
        take(3),
        collect(),
      ).done,
    ).toEqual([5, 5, 6]);
    const raw = new RawConsumer<number>().attach(p).ask(1);
    await turns();
    expect(raw.batches).toEqual([[7]]);
  });

  test("8.5 balance, broadcast and partitionBy end a stage with the dispatcher of that name", () => {
    const types = [
      pipeline(numbers(1), balance()),
      pipeline(numbers(1), broadcast()),
      pipeline(
        numbers(1),
        partitionBy((n) => n, { partitions: 2 }),
      ),
    ].map((p) => p.inspect().stages[0]?.dispatcher?.type);
    expect(types).toEqual(["demand", "broadcast", "partition"]);
  });

  test("8.5 balance deals evenly, broadcast gives all to each, partitionBy events of a key to one", async () => {
    const dealt = await deal(pipeline(numbers(6), balance()), plain);
    expect(dealt.map((events) => events.length)).toEqual([3, 3]);
    expect(new Set(dealt.flat())).toEqual(new Set(range(1, 6)));
    expect(await deal(pipeline(numbers(3), broadcast({ startAfter: 2 })), plain)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    const keyed = pipeline(
      numbers(6),
      partitionBy((n) => n % 2 === 0, { partitions: 2 }),
    ) as Producer<number, object>;
    const parts = await deal(keyed, (partition) => ({ partition }));
    for (const part of parts) expect(new Set(part.map((n) => n % 2)).size).toBeLessThan(2);
    expect(new Set(parts.flat())).toEqual(new Set(range(1, 6)));
  });

  test("8.5 a producerConsumer among the steps stops with its last consumer, unless it has its own onLastCancel", async () => {
    for (const onLastCancel of [undefined, "continue"] as const) {
      const t = producerConsumer((events: readonly number[]) => events, { runtime, onLastCancel });
      const p = producer(new Quiet<number>(), { runtime });
      const run = pipeline(p, t, forEach(nothing));
      await turns();
      await run.stop();
      await turns();
      expect([t.state, p.state]).toEqual([onLastCancel ? "running" : "stopped", "running"]);
    }
  });

  test("8.6 with a sink a pipeline runs at once, without one it is its last producer", async () => {
    const run = pipeline(
      numbers(3),
      map((n) => n + 1),
      collect(),
    );
    expect(Object.keys(run).includes("subscribe") || "subscribe" in run).toBe(false);
    expect(await run.done).toEqual([2, 3, 4]);
    let ran = 0;
    const p = pipeline(
      numbers(3),
      tap(() => void (ran += 1)),
    );
    await turns();
    expect(["~attach" in p, ran]).toEqual([true, 0]);
    const raw = new RawConsumer<number>().attach(p).ask(9);
    await p.done;
    expect([raw.batches.flat(), ran]).toEqual([[1, 2, 3], 3]);
  });

  test("8.6 its own stages end with the sink or their last consumer; the source belongs to its owner", async () => {
    const source = producer(new Quiet<number>(), { runtime });
    const run = pipeline(
      source,
      map((n) => n),
      balance(),
      collect(),
    );
    const own = run.inspect().stages.map(({ name }) => name);
    expect(own.length).toBeGreaterThan(2);
    await turns();
    await run.stop();
    expect([source.state, source.inspect().links]).toEqual(["running", []]);
    const p = pipeline(
      source,
      map((n) => n),
    );
    const raw = new RawConsumer<number>().attach(p);
    await turns();
    raw.leave();
    await p.done;
    await turns();
    expect([p.state, source.state, source.inspect().links]).toEqual(["stopped", "running", []]);
  });

  test("8.6 a wrong step is refused before anything is made", () => {
    const source = producer(new Quiet<number>(), { runtime });
    const untyped = pipeline as unknown as (...of: unknown[]) => unknown;
    for (const steps of [[map(nothing), 7], [collect(), map(nothing)], [undefined], [map(nothing), {}]])
      expect(codeOf(() => untyped(source, ...steps))).toMatch(/^ERR_/);
    expect(codeOf(() => untyped(12, collect()))).toBe("ERR_NOT_SOURCE");
    expect(source.inspect().links).toEqual([]);
  });

  test.each<readonly [string, (fn: () => Promise<never>) => Step<number, unknown>]>([
    ["map", (fn) => map(fn as () => unknown)],
    ["filter", (fn) => filter(fn as unknown as () => boolean)],
    ["flatMap", (fn) => flatMap(fn as unknown as () => number[])],
    ["scan", (fn) => scan(fn as () => unknown, 0)],
    ["takeWhile", (fn) => takeWhile(fn as unknown as () => boolean)],
    ["tap", (fn) => tap(fn as () => unknown)],
  ])(
    "8.7 a promise that the function of %s returns fails the stage, and its rejection becomes the cause",
    async (_name, make) => {
      const p = pipeline(
        numbers(2),
        make(() => Promise.reject(boom)),
      );
      const ended = outcome(p);
      new RawConsumer<unknown>().attach(p).ask(2);
      expect(await ended).toMatchObject({ code: "ERR_RESULT" });
      await turns();
      expect(await ended).toMatchObject({ cause: boom });
    },
  );

  test("8.7 forEach waits", async () => {
    const gates: (() => void)[] = [];
    const run = pipeline(
      numbers(2),
      forEach(() => new Promise<void>((resolve) => void gates.push(resolve))),
    );
    await turns();
    expect(gates).toHaveLength(1);
    gates[0]?.();
    await turns();
    expect(gates).toHaveLength(2);
    gates[1]?.();
    expect(await run.done).toBeUndefined();
  });

  test("8.8 a step that is a stage asks for nothing before it is asked, and takes no more than it says", async () => {
    const own = testRuntime();
    const source = producer<number>(() => {}, { runtime: own });
    const last = pipeline(
      source,
      mapAsync(() => new Promise<never>(nothing), { concurrency: 2, maxHeld: 3 }),
    );
    await turns();
    expect(source.demand).toBe(0);
    new RawConsumer<never>().attach(last).ask(100);
    await turns();
    source.push(range(1, 20));
    await turns();
    expect(20 - source.bufferedCount).toBeLessThanOrEqual(5);
    await Promise.all([last.stop({ timeout: 0 }), turns().then(() => own.clock.advance(1)), source.stop()]);
  });

  test("8.8 what it has not begun goes back, and what was begun is in the failure", async () => {
    const own = testRuntime();
    const source = producer<number>(() => {}, { runtime: own, onLastCancel: "continue" });
    const run = pipeline(
      source,
      mapAsync((n: number) => (n === 2 ? Promise.reject(boom) : new Promise<never>(nothing)), { concurrency: 2 }),
      collect(),
    );
    source.push([1, 2, 3, 4]);
    expect(await run.done.catch((error: unknown) => error)).toBe(boom);
    await turns();
    expect([failureOf(boom)?.events, source.bufferedCount]).toEqual([[1, 2], 2]);
    await source.stop();
  });

  test("8.8 a failure of its source comes behind what it holds, and drain delivers that", async () => {
    const own = testRuntime();
    const seen: number[] = [];
    const failing = producer<number>(() => {}, { runtime: own });
    const failed = pipeline(
      failing,
      mapAsync(doubledLate),
      forEach((n: number) => void seen.push(n)),
    );
    failing.push([1, 2]);
    await turns();
    failing.fail(boom, { after: "buffer" });
    expect(await failed.done.catch((error: unknown) => error)).toBe(boom);
    const draining = producer<number>(() => {}, { runtime: own, onLastCancel: "stop" });
    const drained = pipeline(draining, mapAsync(doubledLate), batch({ size: 10 }), collect());
    draining.push([1, 2]);
    await turns();
    expect([seen, await drained.drain({ timeout: 10 })]).toEqual([[2, 4], [[2, 4]]]);
    expect(own.clock.pending).toBe(0);
  });

  test.each([
    ["an attempt beyond its timeout", "ERR_TIMEOUT", () => mapAsync(() => new Promise<never>(nothing), { timeout: 5 })],
    ["a source that is silent for longer than idle allows", "ERR_IDLE", () => idle<number>({ after: 5 })],
  ] as const)("8.8 %s fails it with %s", async (_what, code, step) => {
    const own = testRuntime();
    const source = producer<number>(() => {}, { runtime: own });
    const run = pipeline(source, step(), collect());
    const ended = run.done.catch((error: unknown) => error);
    await turns();
    if (code === "ERR_TIMEOUT") source.push([1]);
    await turns();
    own.clock.advance(5);
    expect(await ended).toMatchObject({ code });
    expect(own.clock.pending).toBe(0);
    await source.stop();
  });

  test("8.9 what gives its events once is refused by a second pipeline, what starts anew is not", async () => {
    const letters = ["a", "b"];
    for (let round = 0; round < 2; round += 1) expect(await pipeline(letters, collect())).toEqual(letters);
    const once = letters.values();
    expect(await pipeline(once, collect())).toEqual(letters);
    expect(codeOf(() => pipeline(once, collect()))).toBe("ERR_SOURCE_USED");
  });

  test("8.9 without a sink nothing is asked for before there is a consumer; done alone is none", async () => {
    const reports: unknown[] = [];
    const own = testRuntime();
    const source = producer(new Counter(10), { runtime: own, onReport: (error) => void reports.push(error) });
    const doubled = pipeline(
      source,
      map((n) => n * 2),
    );
    await turns();
    expect(source.demand).toBe(0);
    void doubled.done;
    own.clock.advance(0);
    expect(reports).toEqual([expect.objectContaining({ code: "ERR_NOT_RUNNING" })]);
    expect(await pipeline(doubled, take(2), collect())).toHaveLength(2);
  });

  test("8.9 the options of pipeline.with hold for all that it makes", () => {
    const { stages, links } = pipeline
      .with({ name: "own", maxDemand: 3, runtime })(
        numbers(3),
        map((n) => n * 2),
        tap(nothing),
        mapAsync((n) => n),
        collect(),
      )
      .inspect();
    expect(new Set(links.map(({ maxDemand }) => maxDemand))).toEqual(new Set([3]));
    expect(stages.filter(({ name }) => name.startsWith("own "))).toHaveLength(4);
  });

  test.each(["balance", "partitionBy"])("8.10 the first of %s to fail fails all, and is named", async (kind) => {
    const source = producer(new Quiet<number>(), { runtime });
    const shared: Step<number, number> | object =
      kind === "balance"
        ? balance(3, branch)
        : partitionBy<number, 3, never>((n) => n, { partitions: 3 }, branch as never);
    const running = pipeline(source, shared as ReturnType<typeof collect<number>>);
    const failed = running.done.catch((error: unknown) => error);
    source.push(range(1, 20));
    await turns();
    expect(await failed).toBe(boom);
    expect([running.failure?.step, typeof running.failure?.branch]).toEqual(["map", "string"]);
    await turns();
    expect(source.inspect().links).toEqual([]);
  });

  test("8.10 one that has had enough leaves; drain delivers all that was taken in", async () => {
    const source = producer(new Quiet<number>(), { runtime, onLastCancel: "stop" });
    const running = pipeline(
      source,
      balance(2, (events, index) => pipeline(events, take(index === 0 ? 1 : 100), collect())),
    );
    source.push(range(1, 20));
    await running.drain();
    const [one = [], rest = []] = await running;
    expect(one).toHaveLength(1);
    expect([...one, ...rest].toSorted((a, b) => a - b)).toEqual(range(1, 20));
  });

  test("8.11 intoGroups gives the events of one key, in order, to one pipeline", async () => {
    const seen = new Map<number, number[]>();
    const keys = await pipeline(
      range(1, 100),
      intoGroups(
        (n) => n % 7,
        (events, key) =>
          pipeline(
            events,
            forEach((n) => void seen.set(key, [...(seen.get(key) ?? []), n])),
          ),
        { maxOpen: 2, evict: "lru" },
      ),
    );
    expect(keys).toBe(7);
    for (const [key, events] of seen) expect(events).toEqual(range(1, 100).filter((n) => n % 7 === key));
  });

  test("8.11 the first group to fail fails all, and its key is named", async () => {
    const running = pipeline(
      range(1, 20),
      intoGroups(
        (n) => n,
        (events) => pipeline(events, failAt(13), collect()),
      ),
    );
    expect(await running.done.catch((error: unknown) => error)).toBe(boom);
    expect(running.failure).toMatchObject({ step: "map", event: 13, branch: "13" });
  });

  test("8.12 a loop of a row's own gives what the ordinary one gives, and fails as that does", async () => {
    const told = await Promise.all(
      [undefined, compiler({ after: 0 })].map(async (compile) => {
        const calls: string[] = [];
        const look = <T>(step: string, result: T): T => {
          calls.push(step);
          return result;
        };
        const running = pipeline.with({ compile, name: "p", maxDemand: 3 })(
          range(1, 9),
          map((n) => look(`a${n}`, n * 2)),
          filter((n) => look(`b${n}`, n % 3 !== 0)),
          scan((sum, n) => look(`c${n}`, sum + n), 0),
          tap((n) => look(`d${n}`, undefined)),
          failAt(38),
          forEach((n) => void calls.push(`out${n}`)),
        );
        const error = await running.done.catch((thrown: unknown) => thrown);
        const { stage, step, index, event, events } = running.failure ?? {};
        return { calls, error, failure: { stage, step, index, event, events } };
      }),
    );
    expect(told[0]).toMatchObject({ error: boom, failure: { step: "map", index: 4, event: 38, events: [7] } });
    expect(told[1]).toEqual(told[0]);
  });

  test("8.13 a supervisor starts its children in order, ends them in reverse, and starts nothing again behind its end", async () => {
    const apart = testRuntime();
    const log: string[] = [];
    const child = (name: string) => ({
      name,
      start: ({ signal }: { readonly signal: AbortSignal }) => {
        log.push(`+${name}`);
        const end = Promise.withResolvers<void>();
        if (name === "b") end.reject(boom);
        signal.addEventListener("abort", () => {
          log.push(`-${name}`);
          end.resolve();
        });
        return end.promise;
      },
    });
    const running = supervisor([child("a"), child("b"), child("c")], { runtime: apart, onReport: () => {} });
    await turns();
    expect(running.children().map(({ state }) => state)).toEqual(["running", "waiting", "running"]);
    await running.stop();
    apart.clock.advance(1e6);
    expect(log).toEqual(["+a", "+b", "+c", "-b", "-c", "-a"]);
  });

  test("8.13 a consumerSupervisor starts a child an event, at most maxDemand at a time, and asks once minDemand have ended", async () => {
    const raw = new RawProducer<number>();
    const ends = new Map<number, () => void>();
    const start = (event: number) => new Promise<void>((resolve) => ends.set(event, resolve));
    const children = consumerSupervisor({ start, runtime, shutdown: 0, onReport: () => {} });
    children.subscribe(raw.producer, { maxDemand: 4, minDemand: 2 });
    await turns();
    raw.port.events([1, 2, 3, 4]);
    await turns();
    expect([children.count().workers, raw.asks]).toEqual([4, [4]]);
    for (const [event, asks] of [
      [1, [4]],
      [2, [4, 2]],
      [3, [4, 2]],
    ] as const) {
      ends.get(event)?.();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await turns();
      expect(raw.asks).toEqual(asks);
    }
    await children.stop();
  });
});
