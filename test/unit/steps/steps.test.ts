import { describe, expect, test } from "vitest";
import {
  failureOf,
  collect,
  consumer,
  filter,
  flatMap,
  forEach,
  fromIterable,
  map,
  type Pipeline,
  pipeline,
  type Producer,
  producer,
  producerConsumer,
  reduce,
  type Runtime,
  scan,
  skip,
  type Step,
  take,
  takeWhile,
  tap,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

type AnyStep = Step<unknown, unknown>;
type AnyPipeline = (source: Producer<unknown>, ...steps: readonly unknown[]) => Pipeline<unknown[]>;
const compose = pipeline as unknown as AnyPipeline;

/** Cuts a list of steps into stages of one step each. */
const apart = (steps: readonly AnyStep[], runtime: Runtime): unknown[] =>
  steps.flatMap((step) => [step, producerConsumer((events: readonly unknown[]) => events.slice(), { runtime })]);

interface Case {
  readonly title: string;
  readonly input: readonly unknown[];
  readonly steps: () => readonly unknown[];
  readonly output: readonly unknown[];
}

const cases: readonly Case[] = [
  { title: "map", input: [1, 2, 3], steps: () => [map((n: number) => n * 2)], output: [2, 4, 6] },
  {
    title: "map to undefined and null",
    input: [1, 2],
    steps: () => [map((n: number) => (n === 1 ? undefined : null))],
    output: [undefined, null],
  },
  { title: "filter", input: range(1, 6), steps: () => [filter((n: number) => n % 2 === 0)], output: [2, 4, 6] },
  { title: "filter, none", input: range(1, 6), steps: () => [filter(() => false)], output: [] },
  {
    title: "flatMap over arrays, empty ones too",
    input: [0, 1, 2],
    steps: () => [flatMap((n: number) => range(1, n))],
    output: [1, 1, 2],
  },
  {
    title: "flatMap over strings and sets",
    input: ["ab", new Set([1, 2])],
    steps: () => [flatMap((it: Iterable<unknown>) => it)],
    output: ["a", "b", 1, 2],
  },
  { title: "tap", input: [1, 2], steps: () => [tap(() => 7)], output: [1, 2] },
  { title: "take", input: range(1, 9), steps: () => [take(3)], output: [1, 2, 3] },
  { title: "take more than there is", input: [1, 2], steps: () => [take(3)], output: [1, 2] },
  { title: "take(0)", input: [1, 2], steps: () => [take(0)], output: [] },
  { title: "take(Infinity)", input: [1, 2], steps: () => [take(Number.POSITIVE_INFINITY)], output: [1, 2] },
  {
    title: "two takes",
    input: range(1, 9),
    steps: () => [take(4), filter((n: number) => n > 1), take(2)],
    output: [2, 3],
  },
  {
    title: "flatMap in front of take",
    input: range(1, 9),
    steps: () => [flatMap((n: number) => [n, n]), take(3)],
    output: [1, 1, 2],
  },
  {
    title: "flatMap behind take",
    input: range(1, 9),
    steps: () => [take(2), flatMap((n: number) => [n, n])],
    output: [1, 1, 2, 2],
  },
  { title: "takeWhile", input: [1, 2, 3, 1], steps: () => [takeWhile((n: number) => n < 3)], output: [1, 2] },
  {
    title: "takeWhile behind flatMap",
    input: [1, 2, 3],
    steps: () => [flatMap((n: number) => [n, n * 10, n]), takeWhile((n: number) => n < 20)],
    output: [1, 10, 1, 2],
  },
  { title: "skip", input: range(1, 5), steps: () => [skip(2)], output: [3, 4, 5] },
  { title: "skip more than there is", input: [1], steps: () => [skip(2)], output: [] },
  { title: "skip then take", input: range(1, 9), steps: () => [skip(2), take(2)], output: [3, 4] },
  { title: "take then skip", input: range(1, 9), steps: () => [take(3), skip(2)], output: [3] },
  {
    title: "scan",
    input: [1, 2, 3],
    steps: () => [scan((sum: number, n: number) => sum + n, 10)],
    output: [11, 13, 16],
  },
  {
    title: "all of them",
    input: range(1, 100),
    steps: () => [
      map((n: number) => n - 1),
      filter((n: number) => n % 3 === 0),
      skip(1),
      flatMap((n: number) => [n, -n]),
      scan((sum: number, n: number) => sum + n, 0),
      tap(() => {}),
      takeWhile((n: number) => n < 1000),
      take(5),
    ],
    output: [3, 0, 6, 0, 9],
  },
];

describe("per-event steps", () => {
  test.each(cases)("8.1 $title: the same in one stage and in many", async ({ input, steps, output }) => {
    const runtime = testRuntime();
    const source = (): Producer<unknown> => fromIterable(input, { runtime });
    expect(await compose(source(), ...steps(), collect()).done).toEqual(output);
    expect(await compose(source(), ...apart(steps() as AnyStep[], runtime), collect()).done).toEqual(output);
    const last = compose(source(), ...steps()) as unknown as Producer<unknown>;
    const seen: unknown[] = [];
    for await (const event of last) seen.push(event);
    expect(seen).toEqual(output);
  });

  test("8.1 an event goes through all steps before the next one enters", async () => {
    const log: string[] = [];
    const note = (at: string) => tap((n: number) => log.push(`${at}${n}`));
    const source = fromIterable([1, 2], { runtime: testRuntime() });
    await pipeline(
      source,
      note("a"),
      note("b"),
      forEach(async (n) => void log.push(`c${n}`)),
    ).done;
    expect(log).toEqual(["a1", "b1", "c1", "a2", "b2", "c2"]);
  });

  test("8.1 adjacent steps are one stage, and stand in its name", async () => {
    const source = fromIterable([1], { runtime: testRuntime() });
    const last = pipeline(
      source,
      map((n) => n),
      filter(() => true),
      take(1),
    );
    expect(last.inspect().stages.map(({ name }) => name.replace(/#\d+/, "#N"))).toEqual([
      "pipeline#N map+filter+take",
      "producer#N",
    ]);
    await last.stop();
  });

  test("8.2 one step stands in two pipelines, each with its own state", async () => {
    const runtime = testRuntime();
    const two = take<number>(2);
    const sum = scan((total: number, n: number) => total + n, 0);
    const run = () => pipeline(fromIterable([1, 2, 3], { runtime }), two, sum, collect()).done;
    expect(await run()).toEqual([1, 3]);
    expect(await run()).toEqual([1, 3]);
  });

  test("a generator that flatMap leaves early is closed", async () => {
    let closed = 0;
    function* endless(n: number): Generator<number> {
      try {
        for (;;) yield n;
      } finally {
        closed += 1;
      }
    }
    const source = fromIterable([7, 8], { runtime: testRuntime() });
    expect(await pipeline(source, flatMap(endless), take(3), collect()).done).toEqual([7, 7, 7]);
    expect(closed).toBe(1);
  });
});

/** A source that notes what it is asked for. */
function counted(runtime: Runtime) {
  const asked: number[] = [];
  let next = 0;
  const source = producer(
    {
      handleDemand: (demand: number) => {
        asked.push(demand);
        return range(next + 1, (next += demand));
      },
    },
    { runtime, onLastCancel: "stop" },
  );
  return { asked, source };
}

describe("take", () => {
  test("8.4 asks for no more than it lets through", async () => {
    const { asked, source } = counted(testRuntime());
    expect(await pipeline(source, take(5), collect()).done).toEqual([1, 2, 3, 4, 5]);
    expect(asked).toEqual([5]);
    await source.done;
    expect(source.state).toBe("stopped");
  });

  test("8.4 behind a filter it asks for what may still be of use", async () => {
    const { asked, source } = counted(testRuntime());
    expect(
      await pipeline(
        source,
        filter((n) => n % 3 === 0),
        take(3),
        collect(),
      ).done,
    ).toEqual([3, 6, 9]);
    expect(asked).toEqual([3, 2, 2, 1, 1]);
  });

  test("8.4 more than maxDemand is asked for as an automatic subscription would", async () => {
    const { asked, source } = counted(testRuntime());
    expect((await pipeline(source, take(2500), collect()).done).length).toBe(2500);
    expect(asked.reduce((sum, n) => sum + n)).toBe(2500);
    expect(Math.max(...asked)).toBe(1000);
  });

  test("8.4 take(0) asks for nothing and leaves", async () => {
    const { asked, source } = counted(testRuntime());
    expect(await pipeline(source, take(0), collect()).done).toEqual([]);
    await source.done;
    expect(asked).toEqual([]);
  });

  test("8.4 what takeWhile has not looked at goes back to the source", async () => {
    const runtime = testRuntime();
    const source = producer((): number[] => [], { runtime });
    const first = pipeline(
      source,
      takeWhile((n: number) => n < 3),
      collect(),
    );
    await turns();
    source.push(range(1, 6));
    expect(await first.done).toEqual([1, 2]);
    const rest = pipeline(source, take(3), collect());
    expect(await rest.done).toEqual([4, 5, 6]);
    await source.stop();
  });

  test("8.4 what flatMap made of an event beyond take is nobody's; the events behind it go back", async () => {
    const runtime = testRuntime();
    const source = producer((): number[] => [], { runtime });
    const first = pipeline(
      source,
      flatMap((n: number) => [n, n, n]),
      take(4),
      collect(),
    );
    await turns();
    source.push(range(1, 4));
    expect(await first.done).toEqual([1, 1, 1, 2]);
    expect(await pipeline(source, take(2), collect()).done).toEqual([3, 4]);
    await source.stop();
  });

  test.each([[-1], [1.5], [Number.NaN], ["2"], [undefined], [null]])("take(%s) is refused", (count) => {
    expect(() => take(count as number)).toThrow(/#rule-1\.1/);
    expect(() => skip(count as number)).toThrow(/#rule-1\.1/);
  });
});

describe("a step that throws", () => {
  const boom = new Error("boom");
  const bad = (n: number): number => {
    if (n === 3) throw boom;
    return n * 10;
  };
  const failing: readonly [string, () => readonly unknown[]][] = [
    ["map", () => [map(bad)]],
    ["filter", () => [filter((n: number) => bad(n) > 0), map((n: number) => n * 10)]],
    ["flatMap", () => [flatMap((n: number) => [bad(n)])]],
    ["tap", () => [tap(bad), map((n: number) => n * 10)]],
    ["takeWhile", () => [takeWhile((n: number) => bad(n) > 0), map((n: number) => n * 10)]],
    ["scan", () => [scan((_: number, n: number) => bad(n), 0)]],
  ];

  test.each(failing)(
    "8.3 %s: what came before goes out first, then the error that tells where",
    async (name, steps) => {
      const runtime = testRuntime();
      for (const list of [[...steps()], apart(steps() as AnyStep[], runtime)]) {
        const source = producer((): number[] => [], { runtime });
        const last = compose(
          source,
          tap(() => {}),
          ...list,
        ) as unknown as Producer<unknown>;
        const seen: unknown[] = [];
        const reading = (async () => {
          for await (const event of last) seen.push(event);
        })();
        await turns();
        source.push(range(1, 5));
        await expect(reading).rejects.toBe(boom);
        expect(seen).toEqual([10, 20]);
        expect(last.failure).toMatchObject({ error: boom, step: name, index: 1, event: 3, events: [3] });
        expect(last.failure?.stage).toMatch(/^pipeline#/);
        expect(await pipeline(source, take(2), collect()).done).toEqual([4, 5]);
        await source.stop();
      }
    },
  );

  test("8.3 without a consumer the error waits behind what came before", async () => {
    const runtime = testRuntime();
    const last = pipeline(
      fromIterable([1, 2, 3], { runtime }),
      map(bad),
      map((n) => n),
    );
    const outcome = last.done.then(undefined, (error: unknown) => error);
    const first = consumer<number>(() => {}, { runtime });
    const subscription = first.subscribe(last, { demand: "manual", cancel: "temporary" });
    await turns();
    subscription.ask(1);
    await turns();
    expect(last.state).toBe("ending");
    subscription.ask(1);
    expect(await outcome).toBe(boom);
    expect(last.failure).toMatchObject({ step: "map", event: 3 });
    await first.stop();
  });

  test.each([
    ["reduce", reduce((_: number, n: number) => bad(n), 0)],
    ["forEach", forEach(bad)],
    ["forEach, later", forEach(async (n: number) => bad(n))],
  ])("8.3 the sink %s: the pipeline fails and the events behind go back", async (name, sink) => {
    const runtime = testRuntime();
    const source = producer((): number[] => [], { runtime });
    const running = compose(
      source,
      map((n: number) => n),
      sink,
    );
    await turns();
    source.push(range(1, 5));
    const error = await running.done.then(undefined, (thrown: unknown) => thrown);
    expect(error).toBe(boom);
    expect(failureOf(boom)).toMatchObject({ step: name.split(",")[0], index: 1, event: 3 });
    expect(await pipeline(source, take(2), collect()).done).toEqual([4, 5]);
    await source.stop();
  });

  test("8.3 a failure does not overtake what an asynchronous sink still has", async () => {
    const seen: number[] = [];
    const source = fromIterable([1], { runtime: testRuntime() });
    const slow = forEach(async (n: number) => {
      await turns(1);
      seen.push(n);
    });
    const running = pipeline(
      source,
      flatMap(() => [1, 2, 3]),
      map(bad),
      slow,
    );
    await expect(running.done).rejects.toBe(boom);
    expect(failureOf(boom)).toMatchObject({ step: "map", index: 1, event: 3 });
    expect(seen).toEqual([10, 20]);
  });

  test.each([
    ["filter", filter((async () => true) as unknown as () => boolean), "return true or false at once"],
    ["takeWhile", takeWhile((async () => true) as unknown as () => boolean), "return true or false at once"],
    ["flatMap", flatMap((() => 7) as unknown as () => unknown[]), "return an iterable"],
    ["flatMap", flatMap((() => null) as unknown as () => unknown[]), "return an iterable"],
  ])("8.3 %s that answers what it may not", async (name, step, expected) => {
    const running = compose(fromIterable([1], { runtime: testRuntime() }), step, collect());
    const error = await running.done.then(undefined, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ERR_RESULT", step: name, index: 0, event: 1 });
    expect((error as Error).message).toContain(expected);
  });

  test.each([map, filter, flatMap, tap, takeWhile, scan, reduce, forEach])("%o refuses what is no function", (step) => {
    expect(() => (step as (fn: unknown) => unknown)(7)).toThrow(`expected ${step.name} to take a function, got 7`);
  });
});

describe("sinks", () => {
  test("8.6 reduce gives the seed when there was no event", async () => {
    const source = fromIterable<number>([], { runtime: testRuntime() });
    expect(
      await pipeline(
        source,
        reduce((sum, n) => sum + n, 42),
      ).done,
    ).toBe(42);
  });

  test("8.6 forEach takes one event at a time, whatever flatMap made", async () => {
    const log: string[] = [];
    let running = 0;
    const one = async (n: number): Promise<void> => {
      running += 1;
      log.push(`${n}:${running}`);
      await turns(1);
      running -= 1;
    };
    const source = fromIterable([1, 2], { runtime: testRuntime() });
    await pipeline(
      source,
      flatMap((n) => [n, n + 10]),
      forEach(one),
    ).done;
    expect(log).toEqual(["1:1", "11:1", "2:1", "12:1"]);
  });

  test("8.6 forEach: synchronous and asynchronous answers in turn", async () => {
    const log: number[] = [];
    const source = fromIterable(range(1, 6), { runtime: testRuntime() });
    const sink = forEach((n: number): unknown => (n % 2 ? void log.push(n) : turns(1).then(() => log.push(n))));
    await pipeline(source, sink).done;
    expect(log).toEqual(range(1, 6));
  });

  test("8.6 forEach behind take ends after the last one is done", async () => {
    const log: number[] = [];
    const source = fromIterable(range(1, 9), { runtime: testRuntime() });
    const slow = async (n: number): Promise<void> => {
      await turns(1);
      log.push(n);
    };
    await pipeline(
      source,
      flatMap((n) => [n, n]),
      take(3),
      forEach(slow),
    ).done;
    expect(log).toEqual([1, 1, 2]);
  });
});
