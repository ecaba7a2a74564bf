import { describe, expect, test } from "vitest";
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
    ["batch(10)", () => make("batch", 10), "got 10: write { size: 10 } ("],
    ["buffer(10)", () => make("buffer", 10), "got 10: write { size: 10 } ("],
    ["mapAsync(fn, 4)", () => make("mapAsync", fn, 4), "got 4: write { concurrency: 4 } ("],
    ["forEach(fn, 4)", () => make("forEach", fn, 4), "got 4: write { concurrency: 4 } ("],
    ["flatMapAsync(fn, 4)", () => make("flatMapAsync", fn, 4), "got 4: write { concurrency: 4 } ("],
    ["retry: 3", () => make("mapAsync", fn, { retry: 3 }), "got 3: write { retry: { attempts: 3 } } ("],
    ["idle(500)", () => make("idle", 500), "got 500: write { after: 500 } ("],
    ["boundary(8)", () => make("boundary", 8), "got 8: write { maxDemand: 8 } ("],
    ["distinct(key, 9)", () => make("distinct", fn, 9), "got 9: write { max: 9 } ("],
    ["rateLimit(5)", () => make("rateLimit", 5), "got 5: write { events: 5 } ("],
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
    expect(messageOf(() => make("batch", "10"))).toMatch(/to be an object, got "10" \(/);
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
