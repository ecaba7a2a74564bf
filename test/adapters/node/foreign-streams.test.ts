import type { Readable, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { fromReadable, intoWritable } from "../../../adapters/node/index.ts";
import { fromIterable } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { implementations, listeners, probe, type Streams, watch } from "./support.ts";

const boom = new Error("boom");

/** A stream as somebody else might have made it: it shows no inner state. */
const foreign = <Stream extends object>(stream: Stream): Stream =>
  new Proxy(stream, {
    get(target, key) {
      if (key === "_readableState" || key === "_writableState") return undefined;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });

describe.each(implementations)("%s", (_name, streams: Streams) => {
  const readable = (options: object = {}): Readable =>
    new streams.Readable({ objectMode: true, read() {}, ...options });

  const writable = (options: object = {}): Writable =>
    new streams.Writable({
      objectMode: true,
      write: (_event: unknown, _encoding: string, callback: () => void) => callback(),
      ...options,
    });

  describe("a Readable that shows no inner state", () => {
    test("is read to its end, and closed", async () => {
      const inner = readable();
      const runtime = testRuntime();
      const source = fromReadable<number>(foreign(inner), { runtime });
      const sink = probe(source, runtime);
      sink.subscription.ask(5);
      await turns();
      for (const event of [1, 2, null]) inner.push(event);
      await turns();
      expect([sink.seen, sink.outcome, inner.destroyed, listeners(inner)]).toEqual([[1, 2], "completed", true, {}]);
    });

    test("is destroyed when its last consumer leaves, and stop waits for its close", async () => {
      let close!: () => void;
      const inner = readable({
        destroy: (_error: Error | null, callback: () => void) => void (close = callback),
      });
      const runtime = testRuntime();
      const source = fromReadable<number>(foreign(inner), { runtime });
      const stopped = watch(source.stop());
      await turns();
      expect([inner.destroyed, stopped.outcome]).toEqual([true, undefined]);
      close();
      await turns();
      expect([stopped.outcome, listeners(inner)]).toEqual(["completed", {}]);
    });

    test("fails its stage with its own error", async () => {
      const inner = readable();
      const runtime = testRuntime();
      const sink = probe(fromReadable<number>(foreign(inner), { runtime }), runtime);
      await turns();
      inner.destroy(boom);
      await turns();
      expect([sink.outcome, listeners(inner)]).toEqual([{ error: boom }, {}]);
    });

    test("destroyed and closed before, is told to have closed before its end", async () => {
      const inner = readable();
      inner.destroy();
      await turns();
      const runtime = testRuntime();
      const sink = probe(fromReadable<number>(foreign(inner), { runtime }), runtime);
      await turns();
      expect(sink.outcome).toMatchObject({ error: { code: "ERR_STREAM_PREMATURE_CLOSE" } });
    });
  });

  describe("a Writable that shows no inner state", () => {
    test("is written to, ended and waited for", async () => {
      const written: unknown[] = [];
      const inner: Writable = new streams.Writable({
        objectMode: true,
        write(event: unknown, _encoding: string, callback: () => void) {
          written.push(event);
          callback();
        },
      });
      const runtime = testRuntime();
      const sink = intoWritable<number>(foreign(inner), { runtime });
      sink.subscribe(fromIterable([1, 2, 3], { runtime }));
      await sink.done;
      expect([written, inner.writableFinished, inner.destroyed, listeners(inner)]).toEqual([[1, 2, 3], true, true, {}]);
    });
  });

  describe("a Readable", () => {
    test("A05 whose read throws fails its stage, behind what it gave before", async () => {
      const inner = readable();
      const runtime = testRuntime();
      const source = fromReadable<number>(inner, { runtime });
      const sink = probe(source, runtime);
      await turns();
      inner.push(1);
      inner.push(2);
      let reads = 0;
      const read = inner.read.bind(inner);
      inner.read = (size?: number): unknown => {
        reads += 1;
        if (reads > 1) throw boom;
        return read(size);
      };
      sink.subscription.ask(5);
      await turns();
      expect([sink.seen, sink.outcome, inner.destroyed]).toEqual([[1], { error: boom }, true]);
    });

    test("that has failed without destroying itself fails its stage", async () => {
      const inner = readable({ autoDestroy: false });
      inner.on("error", () => {});
      inner.push(null);
      inner.push(1);
      await turns();
      const { errored } = inner;
      expect([errored === null, inner.destroyed]).toEqual([false, false]);
      const runtime = testRuntime();
      const sink = probe(fromReadable<number>(inner, { runtime }), runtime);
      await turns();
      expect(sink.outcome).toEqual({ error: errored });
    });

    test("with a high-water mark of 0 that somebody sets flowing before the first demand is refused then", async () => {
      const inner = readable({ highWaterMark: 0 });
      const runtime = testRuntime();
      const sink = probe(fromReadable<number>(inner, { runtime }), runtime);
      await turns();
      inner.resume();
      await turns();
      expect(sink.outcome).toBe(undefined);
      sink.subscription.ask(1);
      await turns();
      expect([sink.seen, sink.outcome]).toMatchObject([[], { error: { code: "ERR_NOT_SOURCE" } }]);
    });
  });

  describe("a Writable", () => {
    test("that was destroyed fails its stage with its error; a stop then has nothing to end", async () => {
      const inner = writable({ emitClose: false });
      inner.on("error", () => {});
      const runtime = testRuntime();
      const sink = intoWritable<number>(inner, { runtime });
      const outcome = watch(sink.done);
      await turns();
      inner.destroy(boom);
      await turns();
      expect(outcome.outcome).toEqual({ error: boom });
    });

    test("that its owner has finished is not ended again", async () => {
      const inner = writable({ autoDestroy: false });
      const runtime = testRuntime();
      const sink = intoWritable<number>(inner, { runtime });
      const outcome = watch(sink.done);
      const stopped = watch(sink.stop());
      inner.end();
      await turns(8);
      expect([inner.writableFinished, stopped.outcome]).toEqual([true, "completed"]);
      expect(outcome.outcomes).toBe(1);
    });
  });
});
