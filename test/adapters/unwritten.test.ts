import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { intoWritable } from "../../adapters/node/index.ts";
import { intoWritableStream } from "../../adapters/web/index.ts";
import { type Consumer, collect, pipeline, producer, type StageOptions, take } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";

/** Sinks that take two events and then no more, and what breaks them from the other side. */
const sinks: readonly [
  string,
  (options: StageOptions) => { readonly sink: Consumer<number>; readonly fail: () => void },
][] = [
  [
    "intoWritable",
    (options) => {
      const writable = new Writable({ objectMode: true, highWaterMark: 2, write: () => {} });
      return { sink: intoWritable<number>(writable, options), fail: () => void writable.destroy(new Error("full")) };
    },
  ],
  [
    "intoWritableStream",
    (options) => {
      const broken = Promise.withResolvers<void>();
      const stream = new WritableStream<number>({ write: () => broken.promise }, { highWaterMark: 2 });
      return { sink: intoWritableStream<number>(stream, options), fail: () => broken.reject(new Error("full")) };
    },
  ],
];

describe.each(sinks)("5.6 %s: what the other side has not taken goes back", (_, make) => {
  test.each(["fails", "is aborted"])("when it %s in the middle of a batch", async (how) => {
    const runtime = testRuntime();
    const controller = new AbortController();
    const source = producer((): number[] => [], { runtime });
    const { sink, fail } = make({ runtime, signal: controller.signal, onReport: () => {} });
    const done = sink.done.then(
      () => "well",
      (error: Error) => error.message,
    );
    sink.subscribe(source);
    await turns();
    source.push(range(1, 6));
    await turns();
    if (how === "fails") fail();
    else controller.abort(new Error("full"));
    await turns(8);
    const next = pipeline(source, take(4), collect());
    expect(await next.done).toEqual([3, 4, 5, 6]);
    fail();
    expect(await done).toBe("full");
    await source.stop();
  });
});
