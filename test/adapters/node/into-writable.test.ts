import { Worker } from "node:worker_threads";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { intoWritable } from "../../../adapters/node/index.ts";
import { fromIterable, type ProducerStage, producer } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { codeOf, implementations, listeners, warnings, watch } from "./support.ts";

type Callback = (error?: Error | null) => void;

describe.each(implementations)("writing into a Writable of %s", (_, { PassThrough, Transform, Writable }) => {
  let runtime: TestRuntime;
  beforeEach(() => {
    runtime = testRuntime();
  });

  type WritableOptions = ConstructorParameters<typeof Writable>[0];
  /** Keeps what was written; `hold` keeps the callbacks, too, for the test to call. */
  const sink = ({ hold = false, ...options }: WritableOptions & { hold?: boolean } = {}) => {
    const written: unknown[] = [];
    const held: Callback[] = [];
    const said: string[] = [];
    const writable = new Writable({
      objectMode: true,
      write(event, _encoding, callback) {
        written.push(event);
        if (hold) held.push(callback);
        else callback();
      },
      ...options,
    });
    for (const event of ["finish", "close", "drain"]) writable.prependListener(event, () => said.push(event));
    return { writable, written, held, said, before: listeners(writable) };
  };
  const pushed = (): ProducerStage<number> => producer<number, object, number>(() => [], { runtime });

  test("C01 nothing is written after a write that answered false", async () => {
    const { writable, written, held } = sink({ hold: true, highWaterMark: 3 });
    const source = producer((demand: number) => range(1, Math.min(10, demand)), { runtime });
    const stage = intoWritable<number>(writable, { runtime });
    const subscription = stage.subscribe(source, { maxDemand: 4, minDemand: 2 });
    await turns();
    expect(written).toEqual([1]);
    expect(writable.writableLength).toBe(3);
    expect(subscription.pending).toBe(2);
    await turns();
    expect([held.length, subscription.pending]).toEqual([1, 2]);
  });

  test("C02 a Writable that drains within a write gets all, in order", async () => {
    const { writable, written } = sink();
    const write = writable.write.bind(writable) as (...args: unknown[]) => boolean;
    let full = false;
    Object.defineProperty(writable, "writableNeedDrain", { get: () => full });
    writable.write = (...args: unknown[]) => {
      write(...args);
      if (written.length > 1) writable.emit("drain");
      else {
        full = true;
        queueMicrotask(() => {
          full = false;
          writable.emit("drain");
        });
      }
      return false;
    };
    // One batch, deeper than the stack is.
    const stage = intoWritable<number>(writable, { runtime });
    stage.subscribe(fromIterable(range(1, 20_000), { runtime }), { maxDemand: 20_000, minDemand: 0 });
    await stage.done;
    expect(written).toEqual(range(1, 20_000));
  });

  test("C02 drain goes on, with one listener while waiting and none otherwise", async () => {
    const { writable, written, held, said } = sink({ hold: true, highWaterMark: 2 });
    const before = writable.listenerCount("drain");
    const end = watch(intoWritable<number>(writable, { runtime }).done);
    expect(writable.listenerCount("drain")).toBe(before);
    const { done } = feed(writable, range(1, 6));
    await turns();
    expect(writable.listenerCount("drain")).toBe(before + 1);
    while (held.length > 0) {
      held.shift()?.();
      // oxlint-disable-next-line no-await-in-loop -- one write at a time
      await turns();
    }
    await done;
    expect(written).toEqual(range(1, 6));
    expect(said.filter((event) => event === "drain").length).toBeGreaterThan(0);
    expect(writable.listenerCount("drain")).toBe(before);
    // The other consumer of the same Writable finds it ended by somebody else.
    expect(codeOf(end.outcome)).toBe("ERR_STREAM_WRITE_AFTER_END");
  });

  /** A consumer of these events on that Writable. */
  const feed = (
    writable: InstanceType<typeof Writable>,
    events: Iterable<unknown>,
    options: Parameters<typeof intoWritable>[1] = {},
  ) => {
    const stage = intoWritable<unknown>(writable, { runtime, ...options });
    const source = fromIterable<unknown>(events, { runtime });
    stage.subscribe(source);
    return { stage, source, done: stage.done, end: watch(stage.done) };
  };

  test.each([true, false])("C03 a high-water mark of 0 (synchronous sink: %s)", async (synchronous) => {
    const written: unknown[] = [];
    const writable = new Writable({
      objectMode: true,
      highWaterMark: 0,
      write(event, _encoding, callback) {
        written.push(event);
        if (synchronous) callback();
        else setImmediate(callback);
      },
    });
    const { end } = feed(writable, range(1, 5));
    await turns(20);
    expect(written).toEqual(range(1, 5));
    expect(end.outcome).toBe("completed");
  });

  test("C06 a drain of an earlier round is not waited for", async () => {
    /** Flushes inside write, and so tells of the drain before write has answered. */
    class Flushing extends Writable {
      override write(...args: [event: unknown]): boolean {
        super.write(...args);
        Object.defineProperty(this, "writableNeedDrain", { value: false, configurable: true });
        this.emit("drain");
        return false;
      }
    }
    const writable = new Flushing({
      objectMode: true,
      highWaterMark: 1,
      write: (_event, _encoding, callback) => callback(),
    });
    const { end } = feed(writable, range(1, 50));
    await turns();
    expect(end.outcome).toBe("completed");
  });

  test("C07 a write that makes the source emit again", async () => {
    const source = pushed();
    let depth = 0;
    let deepest = 0;
    const written: number[] = [];
    const writable = new Writable({
      objectMode: true,
      write(event: number, _encoding, callback) {
        depth += 1;
        deepest = Math.max(deepest, depth);
        written.push(event);
        if (event < 50) source.push([event + 1]);
        else source.complete();
        depth -= 1;
        callback();
      },
    });
    const stage = intoWritable<number>(writable, { runtime });
    stage.subscribe(source);
    await turns();
    source.push([1]);
    await stage.done;
    expect(written).toEqual(range(1, 50));
    expect(deepest).toBe(1);
  });

  test("C09 the end of the source ends the Writable once", async () => {
    const { writable, written, said } = sink();
    const ends = vi.spyOn(writable, "end");
    const { done } = feed(writable, range(1, 3));
    await done;
    expect(written).toEqual([1, 2, 3]);
    expect(ends).toHaveBeenCalledTimes(1);
    expect(said[0]).toBe("finish");
  });

  test("C10 the end does not wait for a drain", async () => {
    const { writable, written, held } = sink({ hold: true, highWaterMark: 1 });
    const { end } = feed(writable, [1]);
    await turns();
    expect([writable.writableEnded, end.outcome]).toEqual([true, undefined]);
    held.shift()?.();
    await turns();
    expect(written).toEqual([1]);
    expect(end.outcome).toBe("completed");
  });

  test("C11 end: false leaves the Writable open, and completes when the last write has called back", async () => {
    const { writable, written, held, before } = sink({ hold: true, highWaterMark: 2 });
    const { end } = feed(writable, [1, 2, 3], { end: false });
    for (const outcome of [undefined, undefined, undefined]) {
      await turns();
      expect(end.outcome).toBe(outcome);
      held.shift()?.();
    }
    await turns();
    expect(written).toEqual([1, 2, 3]);
    expect(end.outcome).toBe("completed");
    expect([writable.writableEnded, writable.destroyed]).toEqual([false, false]);
    expect(listeners(writable)).toEqual(before);
  });

  test("C11 standard output and error are never ended", async () => {
    for (const stream of [process.stdout, process.stderr]) {
      const before = listeners(stream);
      const { end } = feed(stream, [""], { end: true });
      await turns();
      expect(end.outcome).toBe("completed");
      const error = new Error("no");
      const failing = producer(() => Promise.reject(error), { runtime });
      const stage = intoWritable(stream, { runtime });
      const failed = watch(stage.done);
      stage.subscribe(failing);
      await turns();
      expect(failed.outcome).toEqual({ error });
      expect([stream.writableEnded, stream.destroyed]).toEqual([false, false]);
      expect(listeners(stream)).toEqual(before);
    }
  });

  test("C13 the end waits for final", async () => {
    const hook: { done?: Callback } = {};
    const { writable } = sink({
      final(callback) {
        hook.done = callback;
      },
    });
    const { end } = feed(writable, [1]);
    await turns();
    expect(end.outcome).toBeUndefined();
    hook.done?.();
    await turns();
    expect(end.outcome).toBe("completed");
  });

  test("C29 bytes are written as they are", async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const binary = sink({ objectMode: false });
    const objects = sink();
    await feed(binary.writable, [bytes]).done;
    await feed(objects.writable, [bytes]).done;
    expect(binary.written).toEqual([Buffer.from(bytes)]);
    expect(objects.written).toEqual([bytes]);
    expect(objects.written[0]).toBe(bytes);
  });

  test("C30 corked by the user: the high-water mark stops us, and uncork writes at once", async () => {
    const batches: unknown[][] = [];
    const writable = new Writable({
      objectMode: true,
      highWaterMark: 3,
      writev(chunks, callback) {
        batches.push(chunks.map(({ chunk }) => chunk as unknown));
        callback();
      },
    });
    writable.cork();
    const { end } = feed(writable, range(1, 5));
    await turns();
    expect(writable.writableLength).toBe(3);
    expect(batches).toEqual([]);
    writable.uncork();
    await turns();
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(end.outcome).toBe("completed");
  });

  test("C30 the end uncorks", async () => {
    const { writable, written } = sink({ highWaterMark: 10 });
    writable.cork();
    const { end } = feed(writable, [1, 2]);
    await turns();
    expect(written).toEqual([1, 2]);
    expect(end.outcome).toBe("completed");
  });

  test("C31 a batch is corked where there is a writev", async () => {
    const batches: unknown[][] = [];
    const writable = new Writable({
      objectMode: true,
      writev(chunks, callback) {
        batches.push(chunks.map(({ chunk }) => chunk as unknown));
        callback();
      },
    });
    const source = pushed();
    const stage = intoWritable<number>(writable, { runtime });
    stage.subscribe(source, { maxDemand: 4, minDemand: 0 });
    await turns();
    source.push([1, 2, 3, 4]);
    await turns();
    expect(batches).toEqual([[1, 2, 3, 4]]);
    expect(writable.writableCorked).toBe(0);
  });

  test("C31 the cork is off when a write throws", async () => {
    const batches: unknown[][] = [];
    const writable = new Writable({
      objectMode: true,
      autoDestroy: false,
      writev(chunks, callback) {
        batches.push(chunks.map(({ chunk }) => chunk as unknown));
        callback();
      },
    });
    const { end } = feed(writable, [1, 2, null, 4], { end: false });
    await turns();
    expect(writable.writableCorked).toBe(0);
    expect(batches).toEqual([[1, 2]]);
    expect(codeOf(end.outcome)).toBe("ERR_STREAM_NULL_VALUES");
  });

  test("C33 a source that ends without events ends the Writable", async () => {
    const { writable, written, said } = sink();
    const { done } = feed(writable, []);
    await done;
    expect([written, said[0]]).toEqual([[], "finish"]);
  });

  test("K01 after an end, an error or a cancel no listener is left", async () => {
    const rounds: ((writable: InstanceType<typeof Writable>, source: ProducerStage<number>) => void)[] = [
      (_writable, source) => source.complete(),
      (_writable, source) => source.fail(new Error("no")),
      (_writable, source) => void source.stop(),
      (writable) => void writable.destroy(),
      (writable) => void writable.destroy(new Error("no")),
      (writable) => void writable.end(),
    ];
    for (const finish of rounds) {
      const { writable, before } = sink();
      const source = pushed();
      const stage = intoWritable<number>(writable, { runtime });
      stage.subscribe(source);
      const end = watch(stage.done);
      await turns();
      source.push([1]);
      await turns();
      finish(writable, source);
      await turns();
      expect(end.outcome).toBeDefined();
      expect(writable.destroyed).toBe(true);
      expect(listeners(writable)).toEqual(before);
    }
  });

  test("K03 twelve consumers of one Writable give no warning", async () => {
    const heard = warnings();
    const { writable, written, held, before } = sink({ hold: true, highWaterMark: 1 });
    const all = range(1, 12).map((n) => feed(writable, [n, n + 100], { end: false }));
    await turns();
    expect(writable.listenerCount("drain") - (before["drain"] ?? 0)).toBe(1);
    expect(writable.listenerCount("error") - (before["error"] ?? 0)).toBe(1);
    for (let round = 0; round < 24; round += 1) {
      held.shift()?.();
      // oxlint-disable-next-line no-await-in-loop -- one write at a time
      await turns(2);
    }
    await Promise.all(all.map(({ done }) => done));
    expect(written.toSorted((a, b) => Number(a) - Number(b))).toEqual([...range(1, 12), ...range(101, 112)]);
    expect(listeners(writable)).toEqual(before);
    heard.stop();
    expect(heard.seen).toEqual([]);
  });

  test("the readable half of a Transform is somebody else's", async () => {
    const transform = new Transform({
      objectMode: true,
      transform: (event: number, _encoding, callback) => callback(null, event * 2),
    });
    const { done } = feed(transform, [1, 2, 3]);
    await done;
    expect(transform.destroyed).toBe(false);
    expect(transform.listenerCount("error")).toBe(0);
    expect(await transform.toArray()).toEqual([2, 4, 6]);
    const through = new PassThrough({ objectMode: true });
    await feed(through, [1]).done;
    expect(await through.toArray()).toEqual([1]);
  });

  test("arguments that are none are refused at once, without a listener", () => {
    const { writable, before } = sink();
    expectCode(() => intoWritable({} as never), "ERR_NOT_SOURCE");
    expectCode(() => intoWritable(undefined as never), "ERR_NOT_SOURCE");
    expectCode(() => intoWritable(writable, { end: 1 as never }), "ERR_OPTION");
    expectCode(() => intoWritable(writable, { onStop: "leave" as never }), "ERR_OPTION");
    expectCode(() => intoWritable(writable, { ending: true } as never), "ERR_OPTION");
    expect(listeners(writable)).toEqual(before);
  });
});

const expectCode = (run: () => unknown, code: string) => expect(run).toThrow(expect.objectContaining({ code }));

test("C11 nor is that of a worker thread", async () => {
  const worker = new Worker(new URL("./stdout-worker.ts", import.meta.url), { stdout: true });
  const told = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  expect(told).toEqual({ state: "completed", ended: false });
  await worker.terminate();
});
