import { describe, expect, test, vi } from "vitest";
import { fromReadable, intoWritable } from "../../../adapters/node/index.ts";
import * as headrace from "../../../src/index.ts";
import { type CallOptions, collect, consumer, fromIterable, mapAsync, pipeline } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

type Any = (...args: readonly unknown[]) => unknown;
const functions: Readonly<Record<string, unknown>> = { ...headrace };
/** Calls a function of the package without its types, which refuse most of these mistakes. */
const make = (name: keyof typeof headrace, ...args: readonly unknown[]): unknown => (functions[name] as Any)(...args);

const messageOf = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    return String(error);
  }
  return "nothing thrown";
};
/** What a pipeline over one event fails with. */
const failureOf = async (...steps: readonly unknown[]): Promise<string> => {
  const run = pipeline as unknown as (...parts: readonly unknown[]) => { readonly done: Promise<unknown> };
  return run(fromIterable([1]), ...steps).done.then(String, String);
};
const fn = (): number => 1;
const never = (): Promise<number> => new Promise(() => {});
const boom = (): never => {
  // oxlint-disable-next-line only-throw-error -- the mistake under test
  throw "boom";
};
const later = async (): Promise<boolean> => true;

describe("a message names the way out", () => {
  test.each([
    ["batch(10)", () => make("batch", 10), "got 10: write batch({ size: 10 }) ("],
    ["buffer(10)", () => make("buffer", 10), 'got 10: write buffer({ size: 10, overflow: "hold" }) ('],
    ["mapAsync(fn, 4)", () => make("mapAsync", fn, 4), "got 4: write { concurrency: 4 } ("],
    ["forEach(fn, 4)", () => make("forEach", fn, 4), "got 4: write { concurrency: 4 } ("],
    ["flatMapAsync(fn, 4)", () => make("flatMapAsync", fn, 4), "got 4: write { concurrency: 4 } ("],
    ["retry: 3", () => make("mapAsync", fn, { retry: 3 }), "got 3: write { retry: { attempts: 3 } } ("],
    ["idle(500)", () => make("idle", 500), "got 500: write idle({ after: 500 }) ("],
    ["boundary(8)", () => make("boundary", 8), "got 8: write boundary({ maxDemand: 8 }) ("],
    ["distinct(key, 9)", () => make("distinct", fn, 9), "got 9: write distinct(key, { max: 9 }) ("],
    ["rateLimit(5)", () => make("rateLimit", 5), "got 5: write rateLimit({ events: 5, interval: 1000 }) ("],
    ["broadcastDispatcher(2)", () => make("broadcastDispatcher", 2), "got 2: write { startAfter: 2 } ("],
    ["partitionDispatcher(2)", () => make("partitionDispatcher", 2), "got 2: write { partitions: 2 } ("],
    ["subscribe(p, 7)", () => consumer(() => {}).subscribe(fromIterable([1]), 7 as never), "write { maxDemand: 7 } ("],
    ["stop(50)", () => void consumer(() => {}).stop(50 as never), "got 50: write { timeout: 50 } ("],
    ["drain(50)", () => void consumer(() => {}).drain(50 as never), "got 50: write { timeout: 50 } ("],
  ])("W-01 to %s: the option that the number means", (_, call, text) => {
    expect(messageOf(call)).toContain(text);
  });

  test("W-01 but not to a number where none is meant, nor to other values", () => {
    expect(messageOf(() => make("fromIterable", [1], 5))).toMatch(/to be an object, got 5 \(/);
    expect(messageOf(() => make("latest", "10"))).toMatch(/to be an object, got "10" \(/);
  });

  test.each([
    ["batch()", () => make("batch"), "batch to get size, got undefined: write batch({ size: 100 }) ("],
    ["batch({})", () => make("batch", {}), "batch to get size, got none: write batch({ size: 100 }) ("],
    ["batch({ within })", () => make("batch", { within: 5 }), "got none: write batch({ size: 100 }) ("],
    ["buffer()", () => make("buffer"), "buffer to get size and overflow, got undefined: write buffer({ size: 1000, "],
    [
      "buffer({ size })",
      () => make("buffer", { size: 5 }),
      'get overflow, got none: write buffer({ size: 5, overflow: "hold" })',
    ],
    ["boundary()", () => make("boundary"), "write boundary({ maxDemand: 100 }) ("],
    ["idle()", () => make("idle"), "write idle({ after: 10000 }) ("],
    ["distinct(key)", () => make("distinct", fn), "write distinct(key, { max: 1000 }) ("],
    ["rateLimit()", () => make("rateLimit"), "write rateLimit({ events: 100, interval: 1000 }) ("],
    [
      "rateLimit({ events })",
      () => make("rateLimit", { events: 3 }),
      "get interval, got none: write rateLimit({ events: 3, inter",
    ],
    ["rateLimiter()", () => make("rateLimiter"), "write rateLimiter({ events: 100, interval: 1000 }) ("],
    ["rate: 5", () => make("mapAsync", fn, { rate: 5 }), "got 5: write { rate: { events: 5, interval: 1000 } } ("],
    ["retry: {}", () => make("mapAsync", fn, { retry: {} }), "got none: write { retry: { attempts: 3 } } ("],
    [
      "reopen(open)",
      () => make("reopen", fn),
      "retry to get attempts, got undefined: write reopen(open, { attempts: 3 }) (",
    ],
    ["partitionBy(key)", () => make("partitionBy", fn), "write partitionBy(key, { partitions: 4 }) ("],
    ["partitionBy(key, 4)", () => make("partitionBy", fn, 4), "got 4: write partitionBy(key, { partitions: 4 }) ("],
    ["partitionBy()", () => make("partitionBy"), "expected partitionBy to take a function, got undefined ("],
    [
      "lag: {}",
      () => make("broadcast", { a: fn }, { lag: {} }),
      "lag to get max, got none: write { lag: { max: 100 } } (",
    ],
    ["queue(5)", () => make("queue", 5), "got 5: write { size: 5 } ("],
    ["poll(fn, 5)", () => make("poll", fn, 5), "got 5: write { interval: 5 } ("],
    ["first(0)", () => make("first", 0), "expected first to get { orElse }, or nothing, got 0 ("],
  ])("W-06 to %s: what to write", (_, call, text) => {
    expect(messageOf(call)).toContain(text);
  });

  test.each([
    [
      "broadcast({ … }, { lagof })",
      () => make("broadcast", { a: fn }, { lagof: {} }),
      'expected broadcast options among startAfter, lag, lagOf, got "lagof" (',
    ],
    [
      "broadcast({ startafter })",
      () => make("broadcast", { startafter: 1 }),
      'expected broadcast options among startAfter, got "startafter" (',
    ],
    [
      "partitionBy(key, { by })",
      () => make("partitionBy", fn, { by: fn }),
      'expected partitionBy options among partitions, maxQueued, got "by" (',
    ],
  ])("W-07 to %s: the function's own options", (_, call, text) => {
    expect(messageOf(call)).toContain(text);
  });

  const generator = (function* () {})();
  void pipeline(generator, collect());
  const parted = make("partitionBy", fn, { partitions: 4 });
  test.each<readonly [string, readonly unknown[], string]>([
    ["a generator used twice", [generator, collect()], "got an object (Generator): an iterator or a stream gives its"],
    ["no source", [undefined, collect()], "got undefined: the source is missing: look at where it is imported or"],
    ["null as a source", [null, collect()], "got null: the source is missing"],
    [
      "a class as a source",
      [
        class Rows {
          readonly id = 1;
        },
        collect(),
      ],
      "got function Rows: a class: its instance may be one, new Rows()",
    ],
    ["a promise of a source", [Promise.resolve([1]), collect()], "got an object (Promise): await it first"],
    ["an ArrayBuffer as a source", [new ArrayBuffer(2), collect()], "put it into an array, as new Uint8Array(buffer)"],
    [
      "a missing step",
      [[1], undefined, collect()],
      "got undefined: a step is missing: look at where it is imported or",
    ],
    [
      "a step that is not called",
      [[1], headrace.lines, collect()],
      "an operator, and lines() is called if it is a step (",
    ],
    ["a sink that is not called", [[1], collect], "and collect() is called if it is a step ("],
    [
      "a class as a step",
      [
        [1],
        class Upper {
          readonly id = 1;
        },
        collect(),
      ],
      "a class is no step: makeStep from headrace/adapter makes",
    ],
    ["a promise of a step", [[1], Promise.resolve(collect())], "got an object (Promise): await it first"],
    ["steps in an array", [[1], [make("map", fn)], collect()], "got an array of 1: compose(list) makes one step of it"],
    ["a Map as a step", [[1], new Map(), collect()], "got an object (Map): a source comes first; merge and concat"],
    ["a producer as a step", [[1], fromIterable([2]), collect()], "a source comes first; merge and concat make one of"],
    [
      "a pipeline with a sink as a step",
      [[1], pipeline([], collect()), collect()],
      "compose(...steps) makes one step of",
    ],
    ["options behind the sink", [[1], collect(), { signal: undefined }], "pipeline.with({ signal })(source, …)"],
    [
      "options among the steps",
      [[1], { name: "x" }, collect()],
      "options come in front, pipeline.with({ name })(source",
    ],
    [
      "partitionBy in front of a sink",
      [[1], parted, collect()],
      "partitionBy(key, { partitions }, (events, name) => pip",
    ],
  ])("W-08 to a pipeline with %s", (_, parts, text) => {
    expect(messageOf(() => make("pipeline", ...parts))).toContain(text);
  });

  test.each<readonly ["iterator" | "asyncIterator", () => unknown, string]>([
    ["iterator", () => ({}), "got an object (Object) without next() ("],
    ["iterator", () => undefined, "got undefined ("],
    ["asyncIterator", () => ({}), "got an object (Object) without next() ("],
    ["asyncIterator", () => undefined, "got undefined ("],
  ])("W-09 to an iterable whose %s is none", async (method, open, text) => {
    const run = pipeline.with({ name: "rows" })({ [Symbol[method]]: open } as never, collect());
    const error: unknown = await run.done.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ERR_NOT_SOURCE" });
    expect(String(error)).toContain(`expected [Symbol.${method}]() of what rows source reads to return an iterator, `);
    expect(String(error)).toContain(text);
  });

  test.each([
    [
      "pipeline.with(source)",
      () => pipeline.with([1] as never),
      "got an array of 1: write pipeline.with({ name, signal, ",
    ],
    [
      "pipeline.with()",
      () => (pipeline.with as Any)(),
      "got undefined: write pipeline.with({ name, signal, … })(source",
    ],
    ["broadcast(fn)", () => make("broadcast", fn), "write broadcast({ name: (events) => pipeline(events, …) })"],
    [
      "broadcast({ a: sink })",
      () => make("broadcast", { a: collect() }),
      "broadcast to get a function for each branch, got",
    ],
    ["take()", () => make("take"), "expected take to be a number, got none ("],
    ["ticks()", () => make("ticks"), "expected ms to be a number, got none ("],
  ])("W-10 to %s", (_, call, text) => {
    expect(messageOf(call)).toContain(text);
  });

  test("W-11 of a queue that fails late, and of a group's stages", async () => {
    const said: string[] = [];
    const error = vi
      .spyOn(console, "error")
      .mockImplementation((...words) => void said.push(words.map(String).join(" ")));
    const jobs = headrace.queue<number>({ name: "jobs" });
    jobs.complete();
    await pipeline(jobs, collect());
    jobs.fail(new Error("late"));
    error.mockRestore();
    expect(said).toEqual(["headrace: jobs had ended before this failure: Error: late"]);
    const names: string[] = [];
    const groups = headrace.intoGroups(String, (events: headrace.Producer<string>) => {
      const running = pipeline(
        events,
        headrace.forEach(() => {}),
      );
      names.push(...running.inspect().stages.map(({ name }) => name));
      return running;
    });
    await pipeline.with({ name: "by user" })(["ann"], groups);
    expect(names).toContain("by user intoGroups ann forEach");
  });

  test("W-12 of a line that is skipped, without a stack or advice to skip it", async () => {
    const reported: Error[] = [];
    const counted: number[] = [];
    const run = pipeline.with({ onReport: (error) => void reported.push(error as Error) })(
      ['{\n"\n1\n'],
      headrace.jsonLines({ onFailure: "skip" }),
      headrace.tap(() => void counted.push(...run.inspect().stages.map(({ failed }) => failed ?? 0))),
      collect(),
    );
    expect(await run).toEqual([1]);
    expect(reported).toMatchObject([{ code: "ERR_JSON", line: { index: 0, text: "{" } }]);
    expect(reported[0]?.stack).toMatch(
      /^CallbackError: expected line 0 to be a JSON value, got "{" \(SyntaxError: .*\): skipped/,
    );
    expect(reported[0]?.stack).not.toContain("\n");
    expect(Math.max(...counted)).toBe(2);
  });

  test.each([
    ["filter", () => make("filter", later)],
    ["takeWhile", () => make("takeWhile", later)],
    ["scan", () => make("scan", later, 0)],
  ])("W-02 to an async function in %s: mapAsync in front of it", async (_, step) => {
    const text = "at once; for a function that returns a promise there is mapAsync, in front of it, got an object (Pro";
    expect(await failureOf(step(), collect())).toContain(text);
  });

  test("W-02 to an async function in reduce: mapAsync in front of it", async () => {
    expect(await failureOf(make("reduce", later, 0))).toContain("a promise there is mapAsync, in front of it, got");
  });

  test.each([
    [
      "fromReadable",
      (path: never) => void fromReadable(path),
      "expected a Readable (createReadStream of node:fs makes one of a path), got ",
    ],
    [
      "intoWritable",
      (path: never) => void intoWritable(path),
      "expected a Writable (createWriteStream of node:fs makes one of a path), got ",
    ],
  ])("W-03 to a path in %s: the stream of node:fs", (_, open, text) => {
    expect(messageOf(() => open("words.txt" as never))).toContain(`${text}"words.txt" (docs`);
  });

  test("W-04 to a primitive thrown by a callback or a step: an Error", async () => {
    const stage = consumer(boom, { name: "writer" });
    stage.subscribe(fromIterable([1]));
    const text = 'to succeed, got "boom": throw an Error, which arrives as it is (';
    expect(await stage.done.catch(String)).toContain(`handleEvents of writer ${text}`);
    expect(await failureOf(make("map", boom), collect())).toContain(`(map) of`);
    expect(await failureOf(make("map", boom), collect())).toContain(text);
  });

  const read = "read signal in the function to give up with it";
  const again: CallOptions<unknown> = { retry: { attempts: 2 } };
  const rethrow: CallOptions<unknown> = {
    onFailure: ({ error }) => {
      throw error;
    },
  };
  test.each([
    ["neither retry nor onFailure", {}, `${read}, or add retry or onFailure (`],
    ["retry", again, "give timeout more, or add onFailure ("],
    ["onFailure", rethrow, `${read}, or add retry (`],
    ["both", { ...again, ...rethrow }, "got no result: give timeout more ("],
  ])("W-05 to a timeout with %s: what has not been done", async (_, options, text) => {
    const runtime = testRuntime();
    const step = mapAsync(never, { timeout: 5, ...options });
    const { done } = pipeline(fromIterable([1], { runtime }), step, collect());
    const failed = done.then(String, String);
    for (let left = 4; left > 0; left -= 1) {
      // oxlint-disable-next-line no-await-in-loop -- one timeout after the other
      await turns();
      runtime.clock.advance(5);
    }
    expect(await failed).toContain(text);
  });
});
