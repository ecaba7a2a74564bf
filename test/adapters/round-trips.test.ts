import { createRequire } from "node:module";
import stream from "node:stream";
import { describe, expect, test } from "vitest";
import { fromReadable, throughDuplex, toReadable } from "../../adapters/node/index.ts";
import { fromObservable, toObservable } from "../../adapters/rxjs/index.ts";
import { fromReadableStream, toReadableStream } from "../../adapters/web/index.ts";
import { collect, fromIterable, pipeline, type Producer, producer, type Reason, take } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";

const foreign = createRequire(import.meta.url)("readable-stream") as typeof stream;
type Trip = (source: Producer<number>) => Producer<number>;

/** Out of the package, and in again. */
const trips: readonly (readonly [name: string, Trip])[] = [
  ["an async iterable", (source) => fromIterable<number>(source)],
  ["a Readable", (source) => fromReadable<number>(toReadable(source))],
  [
    "a Readable of readable-stream",
    (source) => fromReadable<number>(toReadable(source, { Readable: foreign.Readable })),
  ],
  ["a ReadableStream", (source) => fromReadableStream<number>(toReadableStream(source))],
  ["an Observable", (source) => fromObservable(toObservable(source), { overflow: "throw", bufferSize: Infinity })],
  [
    "a Transform",
    (source) => {
      const stage = throughDuplex<number, number>(new stream.PassThrough({ objectMode: true }));
      stage.subscribe(source);
      return stage;
    },
  ],
];
const pairs = trips.flatMap(([first, out]) =>
  trips.map(([second, back]) => [first, second, (source: Producer<number>) => back(out(source))] as const),
);

describe.each(pairs)("through %s and %s", (_first, _second, trip) => {
  test("L07 a thousand events, in order, then one end", async () => {
    const runtime = testRuntime();
    expect(await pipeline(trip(fromIterable(range(0, 999), { runtime })), collect()).done).toEqual(range(0, 999));
  });

  test("L07 a cancel reaches the far end", async () => {
    const ends: Reason[] = [];
    let next = 0;
    const source = producer(
      {
        handleDemand: (demand: number) => Array.from({ length: Math.min(demand, 100) }, () => next++),
        handleCancel: (reason) => void ends.push(reason),
      },
      { runtime: testRuntime() },
    );
    expect(await pipeline(trip(source), take(3), collect()).done).toEqual([0, 1, 2]);
    await turns(12);
    expect(ends.map(({ type }) => type === "cancel" || type === "stop")).toEqual([true]);
  });

  test("L07 an error comes by identity", async () => {
    const error = new Error("boom");
    const source = producer(
      {
        handleDemand(_demand, stage) {
          stage.fail(error);
          return undefined;
        },
      },
      { runtime: testRuntime() },
    ) as Producer<never>;
    await expect(pipeline(trip(source), collect()).done).rejects.toBe(error);
  });
});
