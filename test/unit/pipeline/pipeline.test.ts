import { describe, expect, test } from "vitest";
import {
  balance,
  broadcast,
  collect,
  consumer,
  filter,
  forEach,
  fromIterable,
  map,
  partitionBy,
  pipeline,
  type Producer,
  producer,
  producerConsumer,
  reduce,
  take,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

const untyped = pipeline as unknown as (...parts: readonly unknown[]) => never;
const textOf = (...parts: readonly unknown[]): string => {
  try {
    return untyped(...parts);
  } catch (error) {
    return (error as Error).message;
  }
};

describe("pipeline", () => {
  test("8.6 without steps it is the source", () => {
    const source = fromIterable([1], { runtime: testRuntime() });
    expect(pipeline(source)).toBe(source);
  });

  test("8.6 without a sink it is the last producer, and nothing runs before somebody asks", async () => {
    let pulled = 0;
    const source = producer((demand) => range(pulled + 1, (pulled += demand)), {
      runtime: testRuntime(),
      onLastCancel: "stop",
    });
    const evens = pipeline(
      source,
      filter((n) => n % 2 === 0),
    );
    expect(evens.kind).toBe("producerConsumer");
    const seen: number[] = [];
    for await (const n of evens.events({ maxDemand: 2 })) {
      seen.push(n);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([2, 4, 6]);
    await source.done;
    expect([evens.state, source.state]).toEqual(["stopped", "stopped"]);
  });

  test("8.6 with a consumer as its sink done is the consumer's", async () => {
    const runtime = testRuntime();
    const seen: number[] = [];
    const sink = consumer((events: readonly number[]) => void seen.push(...events), { runtime });
    const running = pipeline(
      fromIterable([1, 2], { runtime }),
      map((n) => n + 1),
      sink,
    );
    expect(await running.done).toBe(undefined);
    expect([seen, sink.state]).toEqual([[2, 3], "completed"]);
  });

  test("8.5 a producerConsumer stands among the steps", async () => {
    const runtime = testRuntime();
    const pairs = producerConsumer((events: readonly number[]) => events.map((n): [number, number] => [n, n * n]), {
      runtime,
    });
    const { done } = pipeline(
      fromIterable([1, 2, 3], { runtime }),
      filter((n) => n > 1),
      pairs,
      map(([, n]) => n),
      collect(),
    );
    expect(await done).toEqual([4, 9]);
    expect(pairs.state).toBe("completed");
  });

  test("8.6 a pipeline with its source's steps only: a producerConsumer as the last", async () => {
    const runtime = testRuntime();
    const double = producerConsumer((events: readonly number[]) => events.map((n) => n * 2), { runtime });
    const last = pipeline(fromIterable([1, 2], { runtime }), double);
    expect(last).toBe(double);
    const seen: number[] = [];
    for await (const n of last) seen.push(n);
    expect(seen).toEqual([2, 4]);
  });
});

describe("the end", () => {
  test("8.6 a sink that has enough releases the source through stages of others", async () => {
    const runtime = testRuntime();
    const source = fromIterable(range(1, 10_000), { runtime });
    const own = producerConsumer((events: readonly number[]) => events, { runtime });
    expect(
      await pipeline(
        source,
        map((n) => n),
        own,
        take(3),
        collect(),
      ).done,
    ).toEqual([1, 2, 3]);
    await Promise.all([source.done, own.done]);
    expect([source.state, own.state]).toEqual(["stopped", "stopped"]);
  });

  test("5.1 the failure of the source is the pipeline's", async () => {
    const runtime = testRuntime();
    const source = producer((): number[] => [], { runtime });
    const running = pipeline(
      source,
      map((n) => n),
      balance(),
      filter(() => true),
      reduce((sum, n) => sum + n, 0),
    );
    source.fail("out of order");
    await expect(running.done).rejects.toBe("out of order");
  });

  test("8.6 stop handles what the sink has received and gives the result so far", async () => {
    const runtime = testRuntime();
    const source = producer((): number[] => [], { runtime });
    const running = pipeline(
      source,
      map((n) => n * 2),
      collect(),
    );
    await turns();
    source.push([1, 2]);
    await turns();
    await running.stop();
    expect(await running.done).toEqual([2, 4]);
    expect(source.state).toBe("running");
    await source.stop();
  });

  test("8.6 stop fulfils when all that the pipeline made has ended, and says so again", async () => {
    const runtime = testRuntime();
    const source = fromIterable(range(1, 9), { runtime });
    const shared = pipeline(
      source,
      map((n) => n),
      balance(),
    );
    const running = pipeline(
      shared,
      map((n) => n),
      balance(),
      filter(() => false),
      collect(),
    );
    await running.stop();
    await running.stop();
    expect(running.inspect().stages.map(({ state }) => state)).toEqual(["stopped"]);
    expect(await running.done).toEqual([]);
  });

  test.each(["stop", "continue"] as const)(
    "8.6 stop waits for no stage of others that is stuck, onLastCancel %s",
    async (onLastCancel) => {
      const runtime = testRuntime();
      const source = producer((): number[] => [], { runtime, onLastCancel: "stop" });
      const stuck = producerConsumer<number, number>(() => new Promise(() => {}), { runtime, onLastCancel });
      const running = pipeline(
        source,
        map((n) => n),
        stuck,
        collect(),
      );
      await turns();
      source.push([1, 2]);
      await turns();
      await running.stop();
      expect(await running.done).toEqual([]);
      await source.done;
      expect(source.state).toBe("stopped");
    },
  );

  test("8.6 an ended consumer is refused before anything is made", async () => {
    const runtime = testRuntime();
    const ended = consumer(() => {}, { runtime });
    await ended.stop();
    const stage = producerConsumer((events: readonly number[]) => events, { runtime });
    expect(() => pipeline(fromIterable([1], { runtime }), stage, ended)).toThrow(
      expect.objectContaining({ code: "ERR_ENDED" }),
    );
    await turns();
    expect([stage.state, stage.subscriptions]).toEqual(["running", []]);
    await stage.stop();
  });

  test("8.6 await using stops it", async () => {
    const runtime = testRuntime();
    const source = producer((): number[] => [], { runtime, onLastCancel: "stop" });
    {
      await using running = pipeline(
        source,
        forEach(() => {}),
      );
      expect(running.inspect().stages.length).toBe(2);
      await turns();
    }
    await source.done;
    expect(source.state).toBe("stopped");
  });

  test("5.3 an abort of the source during forEach gives back what waits behind the event in hand", async () => {
    const runtime = testRuntime();
    const source = producer((): number[] => [], { runtime });
    const started: number[] = [];
    const stuck = consumer((events: readonly number[]) => void started.push(...events), { runtime });
    const first = pipeline(
      source,
      forEach((n) => {
        started.push(n);
        return new Promise(() => {});
      }),
    );
    await turns();
    source.push([1, 2, 3]);
    await turns();
    expect(started).toEqual([1]);
    const stopped = first.stop({ timeout: 0 });
    runtime.clock.advance(1);
    await stopped;
    stuck.subscribe(source);
    await turns();
    expect(started).toEqual([1, 2, 3]);
    await source.stop();
  });

  test("an error that nobody looks at is told once, by the sink", async () => {
    const runtime = testRuntime();
    const running = pipeline(
      producer((): number[] => [], { runtime }),
      collect(),
    );
    expect(running.done).toBe(running.done);
    await running.stop();
  });
});

describe("dispatchers", () => {
  test("8.5 balance: competing pipelines share the events", async () => {
    const runtime = testRuntime();
    const jobs = pipeline(fromIterable(range(1, 100), { runtime }), balance());
    const results = [1, 2].map(() => {
      const seen: number[] = [];
      return pipeline(
        jobs,
        forEach(async (n) => void seen.push(n)),
      ).done.then(() => seen);
    });
    const [a = [], b = []] = await Promise.all(results);
    expect([...a, ...b].toSorted((x, y) => x - y)).toEqual(range(1, 100));
    expect([a.length, b.length]).toEqual([50, 50]);
  });

  test("8.5 broadcast: everyone gets all, and selectors pick", async () => {
    const runtime = testRuntime();
    const news = pipeline(
      fromIterable(range(1, 6), { runtime }),
      map((n) => n * 10),
      broadcast({ startAfter: 2 }),
    );
    const all = pipeline(news, collect()).done;
    const some: number[] = [];
    const picky = consumer((events: readonly number[]) => void some.push(...events), { runtime });
    picky.subscribe(news, { selector: (n) => n > 40 });
    expect(await all).toEqual([10, 20, 30, 40, 50, 60]);
    await picky.done;
    expect(some).toEqual([50, 60]);
  });

  test("8.5 partitionBy: one key, one consumer, in order", async () => {
    const runtime = testRuntime();
    const words = pipeline(
      fromIterable(["a", "b", "c", "a", "b", "a"], { runtime }),
      partitionBy((word) => word, { partitions: ["x", "y"] }),
    );
    const seen: Record<string, string[]> = { x: [], y: [] };
    const done = (["x", "y"] as const).map((partition) => {
      const one = consumer((events: readonly string[]) => void seen[partition]?.push(...events), { runtime });
      one.subscribe(words, { partition });
      return one.done;
    });
    await Promise.all(done);
    expect([...(seen["x"] ?? []), ...(seen["y"] ?? [])].toSorted()).toEqual(["a", "a", "a", "b", "b", "c"]);
    expect(Object.values(seen).filter((own) => own.includes("a")).length).toBe(1);
    expect(Object.values(seen).filter((own) => own.includes("b")).length).toBe(1);
  });

  test("8.5 a second shape makes a second stage", async () => {
    const source = fromIterable([1, 2], { runtime: testRuntime() });
    const last = pipeline(source, balance(), broadcast({ startAfter: 1 }));
    expect(last.inspect().stages.map(({ name, dispatcher }) => [name.replace(/#\d+/, ""), dispatcher?.type])).toEqual([
      ["pipeline broadcast", "broadcast"],
      ["pipeline balance", "demand"],
      ["producer", "demand"],
    ]);
    expect(await pipeline(last, collect()).done).toEqual([1, 2]);
  });
});

const fine = (): Producer<number> => producer((): number[] => [], { runtime: testRuntime(), onLastCancel: "stop" });

describe("bad input", () => {
  test.each([[undefined], [null], [7], [{}], [() => {}]])("1.3 a source that is none: %o", (source) => {
    expect(() => untyped(source, collect())).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
  });

  test.each<readonly [string, () => readonly unknown[]]>([
    ["undefined", () => [undefined]],
    ["a function", () => [(n: number) => n]],
    ["an empty object", () => [{}]],
    ["a producer", () => [fine()]],
    ["a sink that is not the last", () => [collect(), map((n: number) => n)]],
    ["a consumer that is not the last", () => [consumer(() => {}), map((n: number) => n)]],
    ["a wrong one behind good ones", () => [map((n: number) => n), balance(), null]],
  ])("8.6 %s as a step is refused before anything is made", async (_, steps) => {
    const source = fine();
    expect(() => untyped(source, ...steps())).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    await turns();
    expect(source.state).toBe("running");
    expect(source.inspect().links).toEqual([]);
    await source.stop();
  });

  test("8.6 the refusal names what stands where", () => {
    const within = producerConsumer((events: readonly number[]) => events, { name: "within" });
    pipeline(fine(), within);
    expect([
      textOf("a", collect()),
      textOf(fine(), collect(), collect()),
      textOf(fine(), "map"),
      textOf(fine(), within),
    ]).toEqual([
      'expected a producer, an iterable or an async iterable, got "a": put it into an array, a string would be single characters (docs/protocol.md#rule-1.3)',
      "expected step 0 of a pipeline to be a step, a free producerConsumer or, last, a sink, got the sink collect: nothing comes behind a sink: put it last (docs/protocol.md#rule-1.1)",
      'expected step 0 of a pipeline to be a step, a free producerConsumer or, last, a sink, got "map" (docs/protocol.md#rule-1.1)',
      "expected step 0 of a pipeline to be a step, a free producerConsumer or, last, a sink, got the producerConsumer within: it stands in a pipeline already: make another (docs/protocol.md#rule-1.1)",
    ]);
  });

  test("8.5 a stage that stands in the same pipeline twice, or is its source", () => {
    const twice = producerConsumer((events: readonly number[]) => events);
    expect(() => untyped(fine(), twice, twice, collect())).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => untyped(twice, twice, collect())).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(twice.subscriptions).toEqual([]);
  });

  test("8.6 a subscription that is refused leaves nothing running", async () => {
    const runtime = testRuntime();
    const partitioned = pipeline(
      producer((): number[] => [], { runtime }),
      partitionBy((n) => n, { partitions: 2 }),
    );
    expect(() =>
      untyped(
        partitioned,
        map((n: number) => n),
        collect(),
      ),
    ).toThrow(expect.objectContaining({ code: "ERR_PARTITION" }));
    await turns();
    const left = partitioned.inspect();
    expect(left.stages.map(({ name }) => name.replace(/#\d+/, ""))).toEqual(["pipeline partitionBy", "producer"]);
    expect(left.links.map(({ consumerName }) => consumerName.replace(/#\d+/, ""))).toEqual(["pipeline partitionBy"]);
    await partitioned.stop();
  });

  test("8.5 a stage that stands in another pipeline", async () => {
    const source = fine();
    const stage = producerConsumer((events: readonly number[]) => events, { runtime: testRuntime() });
    pipeline(source, stage);
    expect(() => pipeline(fine(), stage)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(stage.subscriptions.length).toBe(1);
    await source.stop();
  });

  test("1.5 a source that was stopped", async () => {
    const source = fine();
    await source.stop();
    expect(() => untyped(source, collect())).toThrow(expect.objectContaining({ code: "ERR_STOPPED" }));
  });

  test.each([
    ["startAfter", () => broadcast({ startAfter: -1 })],
    ["partitions", () => partitionBy((n: number) => n, { partitions: 0 })],
    ["unknown", () => partitionBy((n: number) => n, { partitions: 2, maxQueue: 1 } as never)],
  ])("1.1 options of shapes are checked when the step is made: %s", (_, make) => {
    expect(make).toThrow(/#rule-1\.(?:1|7)/);
  });
});

test("onReport of the source hears of the pipeline's stages, too", async () => {
  const reports: unknown[] = [];
  const runtime = testRuntime();
  const source = producer((): number[] => [], { runtime, onReport: (error) => void reports.push(error) });
  const late = Promise.withResolvers<void>();
  const running = pipeline(
    source,
    forEach(() => late.promise),
  );
  await turns();
  source.push([1]);
  await turns();
  source.fail("first");
  await turns();
  late.reject("second");
  await expect(running.done).rejects.toBeDefined();
  await turns();
  expect(reports.length).toBe(1);
});

describe("a stage of the user's that refuses its subscription", () => {
  const refusing = { runtime: testRuntime(), onReport: (error: unknown) => reports.push(error) };
  const reports: unknown[] = [];
  const refusal = { code: "ERR_CALLBACK", cause: new Error("not this one"), events: [] };

  test.each([
    [
      "at once",
      () => {
        throw refusal.cause;
      },
    ],
    ["later", () => Promise.reject(refusal.cause)],
  ])("1.8 fails the pipeline as its sink: %s", async (_when, handleSubscribe) => {
    const source = fromIterable([1, 2], { runtime: testRuntime() });
    const sink = consumer({ handleSubscribe, handleEvents: (events: readonly number[]) => void events }, refusing);
    await expect(pipeline(source, sink).done).rejects.toBe(refusal.cause);
    expect([source.state, reports]).toEqual(["stopped", []]);
  });

  test("1.8 fails the pipeline from within it, and lets go of the source", async () => {
    const source = fromIterable([1, 2], { runtime: testRuntime() });
    const within = producerConsumer(
      {
        handleSubscribe(role): void {
          if (role === "producer") throw refusal.cause;
        },
        handleEvents: (events: readonly number[]) => events,
      },
      refusing,
    );
    await expect(pipeline(source, within, collect()).done).rejects.toBe(refusal.cause);
    expect([source.state, within.state, reports]).toEqual(["stopped", "failed", []]);
  });

  test("1.8 outside a pipeline it goes on without", async () => {
    const sink = consumer(
      {
        handleSubscribe: () => Promise.reject(refusal.cause),
        handleEvents: (events: readonly number[]) => void events,
      },
      refusing,
    );
    const subscription = sink.subscribe(fromIterable([1, 2], { runtime: testRuntime() }));
    await turns();
    expect([subscription.state, sink.state, reports]).toEqual(["ended", "running", [refusal.cause]]);
  });
});
