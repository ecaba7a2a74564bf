import { map, merge, type Observable, pairwise, pipe, Subject, tap as looking } from "rxjs";
import { describe, expect, test } from "vitest";
import { throughOperators, type ThroughOperatorsOptions } from "../../../adapters/rxjs/index.ts";
import { collect, consumer, fromIterable, pipeline, producer, type Reason } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { type Chain, type Emitter, type Generation, generations, type Source, TapOf } from "./generations.ts";
import { Hand } from "./support.ts";

const complete: Reason = { type: "complete" };
const failed = (error: unknown): Reason => ({ type: "failure", error });

/** A source by hand, a chain behind it, and a consumer by hand behind that. */
function through<Out>(g: Generation, chain: Chain<number, Out>, options: ThroughOperatorsOptions<Out> = {}) {
  const runtime = testRuntime();
  const left: Reason[] = [];
  const reports: unknown[] = [];
  const discarded: unknown[] = [];
  const source = producer<number, object, number, number, number>(
    { handleDemand: () => {}, handleCancel: (reason) => void left.push(reason) },
    { runtime, name: "source" },
  );
  const stage = throughOperators(chain, {
    runtime,
    onReport: (error) => void reports.push(error),
    onDiscard: ({ events, cause }) => void discarded.push([cause, events]),
    ...options,
    Observable: g.Class,
  });
  stage.subscribe(source);
  const hand = new Hand<Out>().attach(stage);
  return { runtime, source, stage, hand, left, reports, discarded };
}
/** A chain that listens when it is told to. */
function late(g: Generation, options: ThroughOperatorsOptions<number> = {}) {
  let listen: (() => void) | undefined;
  const chain: Chain = (source) =>
    g.cold<number>((each) => {
      listen = () =>
        void g.listen<number>(source, { next: (value) => each.next(value), complete: () => each.complete() });
    });
  return { ...through(g, chain, options), listen: () => listen?.() };
}
const refused = (code: string): unknown => expect.objectContaining({ code });
const even = (n: number): boolean => n % 2 === 0;

describe.each(generations)("throughOperators of $name", (g) => {
  test("7.1 what comes out while a batch goes in is one batch", async () => {
    const runtime = testRuntime();
    const batches: unknown[] = [];
    const chain: Chain = (source) => g.filter(even)(g.map((n: number) => 3 * n)(source) as Source<number>);
    const stage = throughOperators(chain, { Observable: g.Class, runtime });
    const c = consumer((events: readonly number[]) => void batches.push(events), { runtime });
    c.subscribe(stage);
    stage.subscribe(fromIterable(range(1, 10), { runtime }), { maxDemand: 4, minDemand: 0 });
    await c.done;
    expect(batches).toEqual([[6, 12], [18, 24], [30]]);
  });

  test("3.1 input is taken while the consumers want some", async () => {
    const { source, hand, stage } = through(
      g,
      g.map((n: number) => -n),
    );
    hand.ask(1);
    await turns();
    source.push([1, 2]);
    source.push([3]);
    await turns();
    expect([hand.received, stage.bufferedCount]).toEqual([[-1], 1]);
    hand.ask(5);
    await turns();
    expect(hand.received).toEqual([-1, -2, -3]);
  });

  test("K11 a hundred thousand values, in order", async () => {
    const runtime = testRuntime();
    const stage = throughOperators(
      g.map((n: number) => n + 1),
      { Observable: g.Class, runtime },
    );
    const { done } = pipeline(fromIterable(range(1, 100_000), { runtime }), stage, collect());
    expect(await done).toEqual(range(2, 100_001));
  });

  test("7.1 what comes later is pushed, and the end waits for it", async () => {
    const gates = new Map<number, (value: string) => void>();
    const { source, hand, stage } = through(
      g,
      g.mergeMap((n: number) => new Promise<string>((resolve) => void gates.set(n, resolve))),
    );
    hand.ask(9);
    await turns();
    source.push([1, 2, 3]);
    source.complete();
    await turns();
    expect([hand.received, hand.ends, stage.state]).toEqual([[], [], "ending"]);
    gates.get(2)?.("two");
    await turns();
    expect([hand.received, hand.ends]).toEqual([["two"], []]);
    gates.get(3)?.("three");
    gates.get(1)?.("one");
    await turns();
    expect([hand.received, hand.ends]).toEqual([["two", "three", "one"], [complete]]);
  });

  test("7.2 what comes with the end goes out last", async () => {
    const { source, hand } = through(
      g,
      g.reduce((all: number, n: number) => all + n, 100),
    );
    hand.ask(1);
    await turns();
    source.push([1, 2]);
    source.push([3]);
    source.complete();
    await turns();
    expect([hand.received, hand.ends]).toEqual([[106], [complete]]);
  });

  test("7.2 what comes with the end is not held up by what comes later", async () => {
    let emitter: Emitter<number> | undefined;
    const { source, hand, stage } = through(g, (source_) =>
      g.cold<number>((each) => {
        emitter = each;
        g.listen(source_, { complete: () => each.next(7) });
      }),
    );
    hand.ask(9);
    source.complete();
    await turns();
    expect([hand.received, hand.ends, stage.state]).toEqual([[7], [], "ending"]);
    emitter?.next(8);
    emitter?.complete();
    await turns();
    expect([hand.received, hand.ends]).toEqual([[7, 8], [complete]]);
  });

  test("I25 take ends the stage, and what was not fed goes back", async () => {
    const { source, hand, left, stage } = through(g, g.take<number>(2));
    hand.ask(9);
    await turns();
    source.push([1, 2, 3, 4]);
    source.push([5]);
    await turns();
    expect([hand.received, hand.ends, stage.state]).toEqual([[1, 2], [complete], "completed"]);
    expect([left, source.bufferedCount]).toEqual([[complete], 3]);
    const next = new Hand<number>().attach(source).ask(5);
    await turns();
    expect(next.received).toEqual([3, 4, 5]);
  });

  test("I25 a chain that completes by itself", async () => {
    const tap = new TapOf<number>(g);
    const { hand, left, stage } = through(g, () => tap.observable);
    hand.ask(9);
    await turns();
    tap.next(1);
    tap.emitters[0]?.complete();
    await turns();
    expect([hand.received, hand.ends, stage.state, left]).toEqual([[1], [complete], "completed", [complete]]);
  });

  test("I25 a chain that lets go of its source and goes on: the sources are left at once", async () => {
    let emitter: Emitter<number> | undefined;
    const { source, hand, left, stage } = through(g, (source_) =>
      g.cold<number>((each) => {
        emitter = each;
        const leave = g.listen<number>(source_, (value) => {
          each.next(value);
          if (value === 2) leave();
        });
      }),
    );
    hand.ask(9);
    await turns();
    source.push([1, 2, 3]);
    await turns();
    expect([hand.received, hand.ends, left, source.bufferedCount]).toEqual([[1, 2], [], [complete], 1]);
    emitter?.next(9);
    await turns();
    emitter?.complete();
    await turns();
    expect([hand.received, hand.ends, stage.state]).toEqual([[1, 2, 9], [complete], "completed"]);
  });

  test("I11 an error of the chain comes by identity behind what came before; the rest goes back", async () => {
    const error = new Error("E");
    const { source, hand, left, reports } = through(
      g,
      g.map((n: number) => {
        if (n === 3) throw error;
        return n * 10;
      }),
    );
    hand.ask(1);
    await turns();
    source.push([1, 2, 3, 4]);
    source.push([5]);
    await turns();
    expect([hand.received, hand.ends]).toEqual([[10], []]);
    hand.ask(5);
    await turns();
    expect([hand.received, hand.ends, reports]).toEqual([[10, 20], [failed(error)], []]);
    expect([left, source.bufferedCount]).toEqual([[failed(error)], 2]);
  });

  test("I11 an error with the end, and one that comes later", async () => {
    for (const later of [false, true]) {
      let emitter: Emitter<number> | undefined;
      const { source, hand } = through(g, (source_) =>
        g.cold<number>((each) => {
          emitter = each;
          g.listen(source_, { complete: () => void (later || each.error("E")) });
        }),
      );
      hand.ask(9);
      await turns();
      source.complete();
      await turns();
      if (later) emitter?.error("E");
      await turns();
      expect(hand.ends).toEqual([failed("E")]);
    }
  });

  test("I11 a failure of the source fails the stage, by identity, and lets go of the chain", async () => {
    const tap = new TapOf<number>(g);
    const { source, hand } = through(g, () => tap.observable);
    hand.ask(9);
    await turns();
    tap.next(1);
    source.fail("E");
    await turns();
    expect([hand.received, hand.ends, tap.torn]).toEqual([[1], [failed("E")], 1]);
  });

  test("I11 retry goes on with the next event", async () => {
    const { source, hand } = through(g, (source_) =>
      g.retry<number>()(
        g.map((n: number) => {
          if (n === 2) throw new Error("two");
          return n;
        })(source_) as Source<number>,
      ),
    );
    hand.ask(9);
    await turns();
    source.push([1, 2, 3]);
    source.complete();
    await turns();
    expect([hand.received, hand.ends]).toEqual([[1, 3], [complete]]);
  });

  test.each(["cancel", "stop", "abort"])("I13 %s unsubscribes, once, and leaves the source", async (how) => {
    const kill = new AbortController();
    const taps: TapOf<number>[] = [];
    const { hand, stage, left } = through(g, () => (taps[0] = new TapOf<number>(g)).observable, {
      signal: kill.signal,
    });
    hand.ask(9);
    await turns();
    if (how === "cancel") hand.cancel();
    if (how === "stop") await stage.stop();
    if (how === "abort") kill.abort("why");
    await turns();
    expect([taps.length, taps[0]?.torn, left.length]).toEqual([1, 1, 1]);
    expect(stage.state).toBe(how === "abort" ? "failed" : "stopped");
  });

  test("J06 aborted inside an operator: nothing is fed any more, the rest of the batch goes back", async () => {
    const kill = new AbortController();
    const fed: number[] = [];
    const chain = g.map((n: number) => {
      fed.push(n);
      if (n === 2) kill.abort("now");
      return n;
    });
    const { source, hand, left } = through(g, chain, { signal: kill.signal });
    hand.ask(9);
    await turns();
    source.push([1, 2, 3, 4]);
    source.push([5]);
    await turns();
    expect([fed, hand.received, hand.ends]).toEqual([[1, 2], [], [failed("now")]]);
    expect([left.length, source.bufferedCount]).toEqual([1, 3]);
  });

  test("J01 aborted before: the chain is not subscribed to", async () => {
    const tap = new TapOf<number>(g);
    const signal = AbortSignal.abort("early");
    const runtime = testRuntime();
    const stage = throughOperators(() => tap.observable, { Observable: g.Class, runtime, signal });
    const hand = new Hand<number>().attach(stage);
    await turns();
    expect([tap.emitters, hand.ends]).toEqual([[], [failed("early")]]);
  });

  test.each([
    ["throw", [1, 2, 3, 4], []],
    ["drop-oldest", [1, 2, 5, 6], [["overflow", [3, 4]]]],
    ["drop-newest", [1, 2, 3, 4], [["overflow", [5, 6]]]],
  ] as const)("I05 %s: what comes later than it was asked for is bounded", async (overflow, kept, lost) => {
    const tap = new TapOf<number>(g);
    const { hand, discarded } = through(g, () => tap.observable, { overflow, bufferSize: 2 });
    hand.ask(2);
    await turns();
    tap.next(1, 2);
    await turns();
    tap.next(3, 4, 5, 6);
    await turns();
    hand.ask(9);
    await turns();
    expect([hand.received, discarded]).toEqual([kept, lost]);
    expect(hand.ends).toMatchObject(
      overflow === "throw" ? [{ type: "failure", error: { code: "ERR_OVERFLOW", rejected: [5, 6] } }] : [],
    );
  });

  test("I01 what the chain says when it is subscribed to goes first", async () => {
    const { source, hand } = through(g, (source_) =>
      g.cold<number>((each) => {
        each.next(0);
        g.listen<number>(source_, (value) => each.next(value));
      }),
    );
    source.push([1]);
    hand.ask(9);
    await turns();
    expect(hand.received).toEqual([0, 1]);
  });

  test("I22 a chain that listens twice hears each event twice", async () => {
    const { source, hand } = through(g, (source_) =>
      g.cold<string>((each) => {
        g.listen<number>(source_, (value) => each.next(`a${value}`));
        g.listen<number>(source_, (value) => each.next(`b${value}`));
      }),
    );
    hand.ask(9);
    await turns();
    source.push([1, 2]);
    await turns();
    expect(hand.received).toEqual(["a1", "b1", "a2", "b2"]);
  });

  test("3.1 a chain that does not listen yet holds its input until it does", async () => {
    const { source, hand, listen } = late(g);
    hand.ask(9);
    await turns();
    source.push([1, 2]);
    source.push([3]);
    await turns();
    expect(hand.received).toEqual([]);
    listen();
    await turns();
    expect(hand.received).toEqual([1, 2, 3]);
  });

  test.each(["stop", "abort"])("7.3 and gives back what it holds: %s", async (how) => {
    const kill = new AbortController();
    const { source, hand, stage, left, runtime, listen } = late(g, { signal: kill.signal });
    hand.ask(9);
    await turns();
    source.push([1, 2]);
    source.push([3]);
    await turns();
    const stopped = how === "stop" ? stage.stop({ timeout: 10 }) : kill.abort("why");
    runtime.clock.advance(10);
    await stopped;
    await turns();
    listen();
    await turns();
    expect([hand.received, left.length, source.bufferedCount]).toEqual([[], 1, 3]);
    expect(stage.state).toBe(how === "stop" ? "stopped" : "failed");
  });

  test("7.2 one that listens after the end of its source hears that at once", async () => {
    const { source, hand, listen } = late(g);
    hand.ask(9);
    source.complete();
    await turns();
    expect(hand.ends).toEqual([]);
    listen();
    await turns();
    expect(hand.ends).toEqual([complete]);
  });
});

describe("throughOperators", () => {
  test("I29 is given an Observable of the RxJS that is installed", async () => {
    const runtime = testRuntime();
    const steps = throughOperators(pipe(pairwise<number>()), { runtime });
    expect(await pipeline(fromIterable([1, 4, 9], { runtime }), steps, collect()).done).toEqual([
      [1, 4],
      [4, 9],
    ]);
  });

  test("1.1 what is no chain, and wrong options, are refused at once", () => {
    const error = new Error("chain");
    for (const nothing of [null, undefined, 5, {}])
      expect(() => throughOperators(nothing as never)).toThrow(refused("ERR_NOT_SOURCE"));
    for (const nothing of [null, undefined, 5, {}])
      expect(() => throughOperators(() => nothing as never)).toThrow(refused("ERR_NOT_SOURCE"));
    expect(() => throughOperators((source: Source<number>) => source as never, { overflow: "no" } as never)).toThrow(
      refused("ERR_OPTION"),
    );
    expect(() => throughOperators(pipe(), { Observable: 5 } as never)).toThrow(refused("ERR_OPTION"));
    expect(() =>
      throughOperators(() => {
        throw error;
      }),
    ).toThrow(error);
  });
});

test("7.4 what a chain emits while its consumers are given the chance to ask comes behind what made them", async () => {
  const runtime = testRuntime();
  const side = new Subject<string>();
  const emitted: string[] = [];
  const stage = throughOperators(
    (source: Observable<number>) =>
      merge(source.pipe(map(String)), side).pipe(looking((text) => void emitted.push(text))),
    { runtime },
  );
  const seen: string[] = [];
  consumer((events: readonly string[]) => void seen.push(...events), { runtime }).subscribe(stage, { maxDemand: 1 });
  const source = producer<number>(() => {}, { runtime });
  stage.subscribe(source, { maxDemand: 10 });
  await turns();
  source.push([1, 2, 3]);
  for (const text of ["a", "b", "c"]) side.next(text);
  await turns();
  expect(emitted).toHaveLength(6);
  expect(seen).toEqual(emitted);
});
