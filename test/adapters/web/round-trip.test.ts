import { describe, expect, test } from "vitest";
import {
  fromReadableStream,
  intoWritableStream,
  throughTransformStream,
  toReadableStream,
} from "../../../adapters/web/index.ts";
import { fromIterable, type Producer } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { bytes, counting, Drain, origin, probe, unheard, watch } from "./support.ts";

/** Ways out of headrace and back, by what stands between. */
const trips: Readonly<Record<string, (source: Producer<number>, runtime: TestRuntime) => Producer<number>>> = {
  "a ReadableStream": (source, runtime) => fromReadableStream(toReadableStream(source), { runtime }),
  "a ReadableStream that reads ahead": (source, runtime) =>
    fromReadableStream(toReadableStream(source, { highWaterMark: 16, maxDemand: 100 }), { runtime }),
  "a TransformStream": (source, runtime) => {
    const middle = throughTransformStream<number, number>(new TransformStream(), { runtime });
    middle.subscribe(source);
    return middle;
  },
  pipeThrough: (source, runtime) =>
    fromReadableStream(toReadableStream(source).pipeThrough(new TransformStream<number, number>()), { runtime }),
  "a WritableStream and its other side": (source, runtime) => {
    const { readable, writable } = new TransformStream<number, number>(undefined, { highWaterMark: 5 });
    intoWritableStream(writable, { runtime }).subscribe(source);
    return fromReadableStream(readable, { runtime });
  },
};

describe.each(Object.entries(trips))("there and back over %s", (between, trip) => {
  test("L07 a thousand events, one end", async () => {
    const runtime = testRuntime();
    const from = counting(1000);
    const source = trip(fromReadableStream(from.stream, { runtime }), runtime);
    const seen: number[] = [];
    for await (const n of source) seen.push(n);
    expect(seen).toEqual(range(1, 1000));
    await turns();
    expect([source.state, from.cancels, from.stream.locked]).toEqual(["completed", [], false]);
  });

  test("L07 a cancel reaches the far end", async () => {
    const runtime = testRuntime();
    const from = counting(1_000_000);
    const source = trip(fromReadableStream(from.stream, { runtime, onDiscard: () => {} }), runtime);
    const it = probe(source, runtime);
    it.subscription.ask(3);
    await turns(10);
    expect(it.seen).toEqual([1, 2, 3]);
    const heard = await unheard(async () => {
      it.subscription.cancel();
      await turns(10);
    });
    expect([source.state, from.cancels.length, from.stream.locked]).toEqual(["stopped", 1, false]);
    // A consumer by itself has no one to tell that its stream was cancelled from the other side.
    expect(heard.length).toBe(between === "a WritableStream and its other side" ? 1 : 0);
  });

  test("L07 an error by identity, behind the events before it", async () => {
    const runtime = testRuntime();
    const error = new Error("E");
    const from = origin<number>({
      pull: (controller, pulls) => (pulls > 3 ? controller.error(error) : controller.enqueue(pulls)),
    });
    const heard = await unheard(async () => {
      const source = trip(fromReadableStream(from.stream, { runtime }), runtime);
      const it = probe(source, runtime);
      it.subscription.ask(10);
      await turns(10);
      expect((it.outcome as { readonly error: unknown }).error).toBe(error);
      // Streams between drop what stands in their queues.
      expect(it.seen).toEqual(range(1, it.seen.length));
    });
    expect(heard.filter((what) => what !== error)).toEqual([]);
  });
});

test("L07 bytes over a byte stream, read into views", async () => {
  const runtime = testRuntime();
  const events = range(1, 50).map((n) => bytes(n));
  const out = toReadableStream(fromIterable(events, { runtime }), { type: "bytes" });
  const back = fromReadableStream(out, { runtime, byob: 16 });
  expect(back.defaultMaxDemand).toBe(16);
  const seen: number[] = [];
  for await (const view of back) seen.push(...view);
  expect(seen).toEqual(events.flatMap((event) => Array.from(event)));
});

test("K11 a hundred thousand events leave nothing behind", { timeout: 30_000 }, async () => {
  const runtime = testRuntime();
  const count = 100_000;
  const drain = new Drain<number>({ fast: true, highWaterMark: 16 });
  const middle = throughTransformStream<number, number>(new TransformStream(), { runtime });
  middle.subscribe(fromReadableStream(counting(count).stream, { runtime }), { maxDemand: 100 });
  const sink = intoWritableStream(drain.stream, { runtime });
  sink.subscribe(middle, { maxDemand: 100 });
  const it = watch(sink.done);
  await sink.done;
  expect([drain.written.length, drain.written.at(-1), drain.log, it.outcome]).toEqual([
    count,
    count,
    ["close"],
    "completed",
  ]);
  expect([middle.bufferedCount, runtime.clock.pending]).toEqual([0, 0]);
});
