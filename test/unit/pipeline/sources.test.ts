import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Observable, of } from "rxjs";
import { describe, expect, test, vi } from "vitest";
import {
  collect,
  flatMapAsync,
  forEach,
  fromIterable,
  map,
  pipeline,
  type Producer,
  producer,
  take,
} from "../../../src/index.ts";
import { EventEmitter } from "node:events";
import { range, testRuntime, turns } from "../../support/runtime.ts";

const webStream = <T>(...values: T[]): AsyncIterable<T> =>
  new ReadableStream<T>({
    start(controller): void {
      for (const value of values) controller.enqueue(value);
      controller.close();
    },
  });
const untyped = pipeline as unknown as (...of: unknown[]) => unknown;
const errorOf = (run: () => unknown): Error & { readonly code?: string } => {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
};

describe("8.9 a source of a pipeline", () => {
  test("8.9 an array starts anew in each pipeline", async () => {
    const numbers = [1, 2, 3];
    expect(await pipeline(numbers, collect())).toEqual([1, 2, 3]);
    expect(await pipeline(numbers, map(String), collect())).toEqual(["1", "2", "3"]);
  });

  test.each<readonly [string, () => Iterable<number> | AsyncIterable<number>]>([
    ["a set", () => new Set([1, 2])],
    [
      "a generator",
      function* () {
        yield 1;
        yield 2;
      },
    ],
    [
      "an async generator",
      async function* () {
        yield 1;
        yield 2;
      },
    ],
    ["a Readable", () => Readable.from([1, 2]) as AsyncIterable<number>],
    ["a web stream", () => webStream(1, 2)],
  ])("8.9 %s is one", async (_name, make) => {
    expect(await pipeline(make(), collect())).toEqual([1, 2]);
  });

  test("8.9 one without steps is made a producer", async () => {
    const made = pipeline([1, 2]);
    expect(await made.events().next()).toEqual({ done: false, value: 1 });
    await made.stop();
  });

  test.each([
    ["a generator", () => [1, 2].values()],
    ["a Readable", () => Readable.from([1, 2])],
    ["a web stream", () => webStream(1, 2)],
  ])("8.9 %s gives its events once, and a second pipeline is refused", async (_name, make) => {
    const source = make() as Iterable<number>;
    expect(await pipeline(source, take(1), collect())).toEqual([1]);
    expect(errorOf(() => pipeline(source, collect()))).toMatchObject({ code: "ERR_SOURCE_USED" });
  });

  test("8.9 a wrong step does not take it", async () => {
    const source = [1, 2].values();
    expect(errorOf(() => untyped(source, 7))).toMatchObject({ code: "ERR_OPTION" });
    expect(await pipeline(source, collect())).toEqual([1, 2]);
  });

  test.each([
    ["a byte Readable", () => Readable.from([Buffer.from("a")], { objectMode: false }), 16],
    ["a web stream", () => webStream("a"), 16],
    ["an object Readable", () => Readable.from(["a"]), undefined],
    ["an array", () => ["a"], undefined],
  ])("8.9 the window of %s", async (_name, make, window) => {
    for (const made of [pipeline(make() as Iterable<string>), fromIterable(make() as Iterable<string>)]) {
      expect(made.defaultMaxDemand).toBe(window);
      await made.stop();
    }
  });

  const emitter = new EventEmitter();
  test.each<readonly [string, unknown, RegExp]>([
    ["a string", "abc", /"abc": put it into an array, a string would be single characters/],
    ["a typed array", new Uint8Array(3), /put it into an array, it would be single numbers/],
    ["an Observable", of(1), /fromObservable\(observable, \{ overflow \}\) from headrace\/rxjs/],
    [
      "an Observable that is an async iterable",
      Object.assign(new Observable<number>(), { [Symbol.asyncIterator]: () => [].values() }),
      /fromObservable/,
    ],
    ["an emitter", emitter, /fromEvents\(emitter, name, \{ overflow \}\) from headrace\/events/],
    ["an event target", new EventTarget(), /fromEvents/],
    ["a function", () => [1], /call it/],
    ["a promise", Promise.resolve([1]), /await it first/],
    ["a response", new Response("a"), /the source is its body/],
    ["a pipeline with a sink", pipeline([1], collect()), /leave its sink out/],
    ["a step", map(String), /the source comes first/],
    ["nothing", undefined, /got undefined/],
    ["an object", {}, /got an object/],
  ])("8.9 %s is refused with the way out", (_name, given, advice) => {
    const error = errorOf(() => untyped(given, collect()));
    expect(error).toMatchObject({ code: "ERR_NOT_SOURCE" });
    expect(error.message).toMatch(advice);
  });

  test("8.9 flatMapAsync opens the same kinds", async () => {
    const opened = await pipeline(
      [1, 2],
      flatMapAsync((n) => Readable.from([n, n]) as AsyncIterable<number>),
      collect(),
    );
    expect(opened).toEqual([1, 1, 2, 2]);
    const running = pipeline([1], flatMapAsync((() => "abc") as unknown as () => string[]), collect());
    const error: unknown = await running.done.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ERR_RESULT" });
    expect((error as Error).message).toContain("put it into an array");
  });
});

const counted = (asked: number[], runtime = testRuntime()): Producer<number> => {
  let next = 0;
  return producer<number>(
    (demand) => {
      asked.push(demand);
      return Array.from({ length: demand }, () => (next += 1));
    },
    { runtime },
  );
};

describe("8.9 a pipeline without a sink", () => {
  test.each<readonly [string, (source: Producer<number>) => Producer<number>]>([
    [
      "steps",
      (source) =>
        pipeline(
          source,
          map((n) => n),
        ),
    ],
    ["a take", (source) => pipeline(source, take(3))],
    [
      "pipelines of pipelines",
      (source) =>
        pipeline(
          pipeline(
            source,
            map((n) => n),
          ),
          map((n) => n),
        ),
    ],
    [
      "a stage of its own",
      (source) =>
        pipeline(
          source,
          flatMapAsync((n) => [n]),
          map((n) => n),
        ),
    ],
  ])("8.9 of %s asks for nothing before it has a consumer, and runs then", async (_name, make) => {
    const asked: number[] = [];
    const made = make(counted(asked));
    await turns();
    expect(asked).toEqual([]);
    expect(await pipeline(made, take(3), collect())).toEqual([1, 2, 3]);
    expect(asked.length).toBeGreaterThan(0);
  });

  test("8.9 whose done is read and that has no consumer then is reported, once", async () => {
    const runtime = testRuntime();
    const told: unknown[] = [];
    const made = pipeline.with({ runtime, onReport: (error) => void told.push(error), name: "idle" })(
      [1],
      map((n: number) => n),
    );
    void made.done;
    void made.done;
    await turns();
    expect(told).toEqual([]);
    runtime.clock.advance(0);
    expect(told).toEqual([expect.objectContaining({ code: "ERR_NOT_RUNNING" })]);
    expect((told[0] as Error).message).toContain(
      "idle: this pipeline has no sink: add forEach, collect … or subscribe",
    );
    await made.stop();
    expect(told).toHaveLength(1);
  });

  test("8.9 and that has one by then is not", async () => {
    const runtime = testRuntime();
    const told: unknown[] = [];
    const made = pipeline.with({ runtime, onReport: (error) => void told.push(error) })(
      [1],
      map((n: number) => n),
    );
    const { done } = made;
    const seen: number[] = [];
    const running = pipeline(
      made,
      forEach((n) => seen.push(n)),
    );
    await turns();
    runtime.clock.advance(1);
    await running;
    await done;
    expect([seen, told]).toEqual([[1], []]);
  });

  test("8.9 hears the end of its source before it has a consumer", async () => {
    const boom = new Error("boom");
    const source = producer<number>(() => {}, { runtime: testRuntime() });
    const made = pipeline(
      source,
      map((n) => n),
    );
    source.fail(boom);
    await turns();
    await expect(made.done).rejects.toBe(boom);
  });

  test("8.9 keeps the order of what was asked for while a runtime is shuffled", async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const runtime = testRuntime({ seed });
      const made = pipeline.with({ runtime })(
        range(1, 50),
        map((n: number) => n),
      );
      const result = pipeline(made, collect());
      await setImmediate();
      expect(await result).toEqual(range(1, 50));
    }
  });
});

describe("8.9 what looks like an Observable", () => {
  const keys = ["@@observable", Symbol.for("https://github.com/benlesh/symbol-observable")];

  test.each(keys)("8.9 one under the key %s is refused, though it is an iterable", (key) => {
    const value = { subscribe: () => {}, [key]: () => {}, [Symbol.iterator]: () => [1].values() };
    expect(errorOf(() => untyped(value, collect()))).toMatchObject({ code: "ERR_NOT_SOURCE" });
  });

  test("8.9 one under the symbol that a library brings is, too", () => {
    const own = Symbol("observable");
    Object.defineProperty(Symbol, "observable", { value: own, configurable: true });
    try {
      const value = { subscribe: () => {}, [own]: () => {}, [Symbol.iterator]: () => [1].values() };
      expect(errorOf(() => untyped(value, collect()))).toMatchObject({ code: "ERR_NOT_SOURCE" });
    } finally {
      delete (Symbol as { observable?: symbol }).observable;
    }
  });

  test("8.9 an iterable with a subscribe of its own is a source", async () => {
    const value = { subscribe: () => {}, [Symbol.iterator]: () => [1, 2].values() };
    expect(await pipeline(value, collect())).toEqual([1, 2]);
  });
});

describe("8.9 a pipeline that never ran", () => {
  test("8.9 is reported by console.warn where there is no onReport, and an onReport that throws is told of", async () => {
    const runtime = testRuntime();
    const said: unknown[][] = [];
    const warn = vi.spyOn(console, "warn").mockImplementation((...words) => void said.push(words));
    const error = vi.spyOn(console, "error").mockImplementation((...words) => void said.push(words));
    const quiet = pipeline.with({ runtime, name: "quiet" })(
      [1],
      map((n: number) => n),
    );
    const loud = pipeline.with({
      runtime,
      name: "loud",
      onReport: () => {
        throw new Error("mine");
      },
    })(
      [1],
      map((n: number) => n),
    );
    for (const one of [quiet, loud]) void one.done;
    runtime.clock.advance(0);
    expect(said.map(([text]) => String(text))).toEqual([
      expect.stringMatching(/^headrace: .*quiet: this pipeline has no sink/),
      expect.stringContaining("onReport of loud failed"),
    ]);
    warn.mockRestore();
    error.mockRestore();
    await quiet.stop();
    await loud.stop();
  });

  test("8.9 a producer that cannot be asked once it may be ends the link", async () => {
    const runtime = testRuntime();
    const boom = new Error("boom");
    const ask = (): never => {
      throw boom;
    };
    const foreign = { kind: "producer", "~attach": () => ({ ask, end: () => {} }) } as unknown as Producer<number>;
    const made = pipeline.with({ runtime })(
      foreign,
      map((n) => n),
    );
    await turns();
    const failed = pipeline(made, collect()).done.catch((error: unknown) => error);
    expect(await failed).toBe(boom);
  });
});
