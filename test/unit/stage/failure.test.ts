import { describe, expect, test } from "vitest";
import {
  CallbackError,
  collect,
  consumer,
  failureOf,
  fromIterable,
  map,
  pipeline,
  producer,
  producerConsumer,
  type Stage,
  throughGenerator,
} from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

const caught = (stage: Stage): Promise<unknown> => stage.done.then(undefined, (error: unknown) => error);
const make = (): Error => new Error("boom");

describe("the error of a stage is the value that was thrown, and failure tells where", () => {
  test.each<readonly [string, (boom: unknown) => object]>([
    ["init", (boom) => ({ init: () => Promise.reject(boom), handleDemand: () => [] })],
    ["handleDemand", (boom) => ({ handleDemand: () => Promise.reject(boom) })],
  ])("6.1 of a producer: %s", async (callback, behaviour) => {
    const boom = make();
    const stage = producer<number>(behaviour(boom) as never, { runtime: testRuntime(), name: "p" });
    const last = consumer<number>(() => {}, { name: "c" });
    const [error, other] = [caught(stage), caught(last)];
    last.subscribe(stage);
    expect([await error, await other]).toEqual([boom, boom]);
    expect(stage.failure).toEqual({ error: boom, stage: "p", callback, events: [] });
    // The record travels with the failure.
    expect(last.failure).toBe(stage.failure);
    expect(failureOf(boom)).toBe(stage.failure);
  });

  test("6.1 of a consumer: the batch is in events", async () => {
    const boom = make();
    const sink = consumer<number>(
      () => {
        throw boom;
      },
      { name: "sink" },
    );
    const error = caught(sink);
    sink.subscribe(fromIterable([1, 2, 3]), { maxDemand: 4 });
    expect(await error).toBe(boom);
    expect(sink.failure).toEqual({ error: boom, stage: "sink", callback: "handleEvents", events: [1, 2] });
  });

  test.each(["no", 7, null, undefined, false, Symbol.iterator])(
    "6.1 a primitive, %s, is wrapped, and is the cause",
    async (value) => {
      const sink = consumer<number>(
        () => {
          throw value;
        },
        { name: "sink" },
      );
      const error = caught(sink);
      sink.subscribe(fromIterable([1]));
      const wrapped = (await error) as CallbackError;
      expect(wrapped).toBeInstanceOf(CallbackError);
      expect(wrapped).toMatchObject({ code: "ERR_CALLBACK", events: [1] });
      expect(wrapped.cause).toBe(value);
      expect(sink.failure).toMatchObject({ error: wrapped, callback: "handleEvents" });
    },
  );

  test.each(["no", null, undefined])(
    "2.6 a primitive that a source, a generator or fail(x) gives passes as it is: %s",
    async (value) => {
      const source = fromIterable(
        // oxlint-disable-next-line require-yield -- it throws first
        (function* (): Generator<number> {
          throw value;
        })(),
      );
      const through = throughGenerator<number, number>(async function* () {
        yield await Promise.reject<number>(value);
      });
      const failed = producer<number>(() => {});
      failed.fail(value);
      const loops = [source, through, failed].map((stage) => (async () => stage.events().next())());
      const results = await Promise.allSettled(loops);
      expect(results.map((result) => result.status === "rejected" && Object.is(result.reason, value))).toEqual([
        true,
        true,
        true,
      ]);
      expect([source.failure, failed.failure, failureOf(value)]).toEqual([undefined, undefined, undefined]);
    },
  );

  test("fail(error), a generator, an iterator: the stage and how it was told", async () => {
    const boom = make();
    const stage = producer<number>(() => {}, { name: "p" });
    const error = caught(stage);
    stage.fail(boom);
    expect(await error).toBe(boom);
    expect(stage.failure).toEqual({ error: boom, stage: "p", callback: "fail", events: [] });
  });

  test("an abort writes no record", async () => {
    const abort = new AbortController();
    const boom = make();
    const stage = producer<number>(() => {}, { signal: abort.signal });
    abort.abort(boom);
    expect(await caught(stage)).toBe(boom);
    expect([stage.failure, failureOf(boom)]).toEqual([undefined, undefined]);
  });

  test("a stage that has not failed has none", async () => {
    const stage = fromIterable([1]);
    expect(stage.failure).toBeUndefined();
    await stage.stop();
    expect(stage.failure).toBeUndefined();
  });

  test("two graphs that fail with one error have a record each; the newest has the other as earlier, without its events", async () => {
    const boom = make();
    const failing = (name: string) => {
      const sink = consumer<number>(
        () => {
          throw boom;
        },
        { name },
      );
      const error = caught(sink);
      sink.subscribe(fromIterable([1]));
      return { sink, error };
    };
    const names = ["a", "b", "c", "d", "e", "f"];
    const sinks: Stage[] = [];
    for (const name of names) {
      const { sink, error } = failing(name);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await error;
      sinks.push(sink);
    }
    expect(sinks.map(({ failure }) => failure?.stage)).toEqual(names);
    const chain: (readonly [string, number])[] = [];
    for (let at = failureOf(boom); at; at = at.earlier) chain.push([at.stage, at.events.length]);
    expect(chain).toEqual([
      ["f", 1],
      ["e", 0],
      ["d", 0],
      ["c", 0],
      ["b", 0],
    ]);
  });

  test("records hang on the global object, so that two copies of the package agree", async () => {
    const records = (globalThis as Record<symbol, unknown>)[Symbol.for("headrace.failures")];
    const boom = make();
    const stage = producer<number>(() => {});
    stage.done.catch(() => {});
    stage.fail(boom);
    await turns();
    expect((records as WeakMap<object, unknown>).get(boom)).toBe(stage.failure);
  });

  test("8.3 of a step: its name, position and event, in whichever stage it ran", async () => {
    const boom = make();
    const last = pipeline(
      fromIterable([1, 2, 3]),
      map((n: number) => n),
      producerConsumer<number, number>((events) => events.slice()),
      map((n: number) => {
        if (n === 2) throw boom;
        return n;
      }),
    );
    await expect(pipeline(last, collect()).done).rejects.toBe(boom);
    expect(last.failure).toMatchObject({ step: "map", index: 2, event: 2, events: [2], callback: "handleEvents" });
  });
});

describe("F-15 a promise where a result is due", () => {
  test("F-15 an iterable's that rejects fails the stage in its turn, behind what came before", async () => {
    const boom = make();
    const seen: unknown[] = [];
    const rejected = Promise.reject(boom);
    // It may take more than a turn until it is read.
    rejected.catch(() => {});
    const source = fromIterable([1, Promise.resolve(2), rejected, 4]);
    const loop = (async () => {
      for await (const n of source) seen.push(n);
    })();
    await expect(loop).rejects.toBe(boom);
    expect(seen).toEqual([1, 2]);
  });

  test("F-15 pulls no further than the promise, closes the iterator, and tells what comes too late", async () => {
    const gate = Promise.withResolvers<number>();
    const log: unknown[] = [];
    function* values(): Generator<number | Promise<number>> {
      try {
        yield 1;
        log.push("second");
        yield gate.promise;
        log.push("third");
        yield 3;
      } finally {
        log.push("closed");
      }
    }
    const source = fromIterable(values(), { onDiscard: ({ events }) => void log.push(events) });
    const loop = source.events();
    expect(await loop.next()).toEqual({ done: false, value: 1 });
    await turns();
    expect(log).toEqual(["second"]);
    await loop.return?.();
    await source.done;
    gate.resolve(2);
    await turns();
    expect(log).toEqual(["second", "closed", [2]]);
  });

  test("F-15 a step's function that returns one fails the pipeline, and what it rejects with becomes the cause", async () => {
    const boom = make();
    const running = pipeline(
      fromIterable([1]),
      map((): unknown => Promise.reject(boom)),
      collect(),
    );
    const error = (await running.done.then(undefined, (reason: unknown) => reason)) as CallbackError;
    expect(error).toMatchObject({ code: "ERR_RESULT", step: "map", event: 1 });
    expect(error.message).toContain("mapAsync");
    await turns();
    expect(error.cause).toBe(boom);
  });
});

describe("F-10 a function with a then", () => {
  test("F-10 is waited for, as await would", async () => {
    const gate = Promise.withResolvers<void>();
    // oxlint-disable-next-line no-thenable -- that is what it is
    const callable = Object.assign(() => {}, { then: gate.promise.then.bind(gate.promise) });
    let batches = 0;
    const sink = consumer<number>(() => {
      batches += 1;
      return callable;
    });
    sink.subscribe(fromIterable([1, 2]), { maxDemand: 1 });
    await turns();
    expect(batches).toBe(1);
    gate.resolve();
    await sink.done;
    expect(batches).toBe(2);
  });
});

describe("F-18 methods that are taken out of their stage", () => {
  test("F-18 push works by itself, outside and inside", async () => {
    const runtime = testRuntime();
    let inside: ((events: readonly number[]) => boolean) | undefined;
    const stage = producer<number>(
      {
        init: ({ push }) => {
          inside = push;
        },
        handleDemand: () => {},
      },
      { runtime },
    );
    const { push } = stage;
    expect(stage.push).toBe(push);
    await turns();
    const got: number[] = [];
    consumer<number>((events) => void got.push(...events), { runtime }).subscribe(stage);
    await turns();
    push([1]);
    inside?.([2]);
    await turns();
    expect(got).toEqual([1, 2]);
  });
});
