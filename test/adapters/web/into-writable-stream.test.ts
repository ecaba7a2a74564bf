import { describe, expect, test } from "vitest";
import { intoWritableStream, type IntoWritableStreamOptions } from "../../../adapters/web/index.ts";
import { fromIterable } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { counted, Drain, reporting, upstream, upTo, watch } from "./support.ts";

function setUp<T>(stream: WritableStream<T>, options: IntoWritableStreamOptions = {}) {
  const runtime = testRuntime();
  const { reports, onReport } = reporting();
  const sink = intoWritableStream(stream, { runtime, onReport, ...options });
  return { runtime, reports, sink, it: watch(sink.done) };
}

const rejected = async (error: unknown): Promise<void> => {
  throw error;
};

describe("what is written into a WritableStream", () => {
  test("H26 waits on ready", async () => {
    const drain = new Drain<number>();
    const { runtime, sink, it } = setUp(drain.stream);
    const up = counted(runtime, 5);
    sink.subscribe(up.stage, { maxDemand: 2, minDemand: 0 });
    const writes: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      await turns();
      writes.push(drain.written.length);
      drain.acknowledge();
    }
    await turns();
    expect([writes, drain.written]).toEqual([upTo(5), upTo(5)]);
    expect([up.demands, drain.log, it.outcome]).toEqual([[2, 2, 2], ["close"], "completed"]);
  });

  test("H26 nothing is asked for while a batch waits", async () => {
    const drain = new Drain<number>();
    const { runtime, sink } = setUp(drain.stream);
    const up = counted(runtime, 99);
    sink.subscribe(up.stage, { maxDemand: 2, minDemand: 0 });
    await turns();
    expect([drain.written, up.demands]).toEqual([[1], [2]]);
    drain.acknowledge();
    await turns();
    // The second event of the batch has found room: what the stream holds is its own affair.
    expect([drain.written, up.demands]).toEqual([
      [1, 2],
      [2, 2],
    ]);
    await turns();
    expect([drain.written, up.demands]).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  test("H26 a high-water mark of 3 takes three at once", async () => {
    const drain = new Drain<number>({ highWaterMark: 3 });
    const { runtime, sink } = setUp(drain.stream);
    const up = counted(runtime, 99);
    sink.subscribe(up.stage, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect([drain.written, up.demands]).toEqual([[1], [4]]);
    drain.acknowledge();
    await turns();
    expect([drain.written, up.demands]).toEqual([
      [1, 2],
      [4, 4],
    ]);
  });

  test("H27 hwm 0", async () => {
    const drain = new Drain<number>({ highWaterMark: 0 });
    const { runtime, sink, it } = setUp(drain.stream);
    sink.subscribe(counted(runtime, 3).stage);
    const writes: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await turns();
      writes.push(drain.written.length);
      drain.acknowledge();
    }
    await turns();
    expect([writes, drain.log, it.outcome]).toEqual([[1, 2, 3], ["close"], "completed"]);
  });

  test("H27 hwm 0: waiting a thousand times leaves one listener on ready", async () => {
    const ready = new Promise<void>(() => {});
    let listeners = 0;
    const watched = {
      // oxlint-disable-next-line unicorn/no-thenable -- counts who waits
      then: (...args: Parameters<typeof ready.then>) => {
        listeners += 1;
        return ready.then(...args);
      },
    };
    const written: number[] = [];
    const writer = {
      closed: new Promise<void>(() => {}),
      ready: watched,
      desiredSize: 0,
      write: async (chunk?: number) => void written.push(chunk as number),
      close: () => Promise.resolve(),
      abort: () => Promise.resolve(),
      releaseLock: () => {},
    };
    const runtime = testRuntime();
    const sink = intoWritableStream<number>(
      { locked: false, getWriter: () => writer as unknown as WritableStreamDefaultWriter<number> },
      { runtime },
    );
    sink.subscribe(counted(runtime, 1000).stage);
    await sink.done;
    expect([written, listeners]).toEqual([upTo(1000), 1]);
  });

  test("H27 a stream that is full already is given one event beyond", async () => {
    const drain = new Drain<number>({ highWaterMark: 1 });
    const other = drain.stream.getWriter();
    const theirs = other.write(0);
    other.releaseLock();
    const { runtime, sink, it } = setUp(drain.stream);
    sink.subscribe(counted(runtime, 2).stage);
    for (let i = 0; i < 3; i += 1) {
      await turns();
      drain.acknowledge();
    }
    await turns();
    await theirs;
    expect([drain.written, it.outcome]).toEqual([[0, 1, 2], "completed"]);
  });

  test("H26 sizes count, not events", async () => {
    const written: string[] = [];
    const acknowledge: (() => void)[] = [];
    const stream = new WritableStream<string>(
      {
        write: (chunk) => {
          written.push(chunk);
          return new Promise<void>((resolve) => void acknowledge.push(resolve));
        },
      },
      { highWaterMark: 4, size: (chunk) => chunk.length },
    );
    const { runtime, sink } = setUp(stream);
    sink.subscribe(fromIterable(["ab", "cdef", "g"], { runtime }));
    await turns();
    for (let i = 0; i < 3; i += 1) {
      acknowledge[i]?.();
      await turns();
    }
    await sink.done;
    expect(written).toEqual(["ab", "cdef", "g"]);
  });

  test("2.1 falsy events are written as they are", async () => {
    const drain = new Drain<unknown>({ fast: true });
    const { runtime, sink } = setUp(drain.stream);
    sink.subscribe(fromIterable([undefined, null, 0, ""], { runtime }));
    await sink.done;
    expect(drain.written).toEqual([undefined, null, 0, ""]);
  });
});

describe("the end of what is written", () => {
  test("H30 source end closes, after all writes", async () => {
    const drain = new Drain<number>({ highWaterMark: 9 });
    const { runtime, sink, it } = setUp(drain.stream);
    sink.subscribe(counted(runtime, 3).stage);
    for (let i = 0; i < 3; i += 1) {
      await turns();
      expect([drain.written.length, drain.log, it.outcome]).toEqual([i + 1, [], undefined]);
      drain.acknowledge();
    }
    await turns();
    expect([drain.log, it.outcome, drain.stream.locked]).toEqual([["close"], "completed", false]);
  });

  test("H30 done waits for the close", async () => {
    const hook = Promise.withResolvers<void>();
    const drain = new Drain<number>({ fast: true, close: () => hook.promise });
    const { runtime, sink, it } = setUp(drain.stream);
    sink.subscribe(counted(runtime, 3).stage);
    await turns();
    expect([drain.log, it.outcome]).toEqual([["close"], undefined]);
    hook.resolve();
    await turns();
    expect(it.outcome).toBe("completed");
  });

  test.each([undefined, 0, new Error("E")])(
    "H30 a failing close rejects completion, by identity: %s",
    async (error) => {
      const drain = new Drain<number>({ fast: true, close: () => rejected(error) });
      const { runtime, sink, it, reports } = setUp(drain.stream);
      sink.subscribe(counted(runtime, 3).stage);
      await turns();
      expect([it.outcome, reports, drain.stream.locked]).toEqual([{ error }, [], false]);
    },
  );

  test("H30 preventClose leaves it open, once everything is written", async () => {
    const drain = new Drain<number>({ highWaterMark: 9 });
    const { runtime, sink, it } = setUp(drain.stream, { preventClose: true });
    sink.subscribe(counted(runtime, 2).stage);
    await turns();
    drain.acknowledge();
    await turns();
    expect(it.outcome).toBe(undefined);
    drain.acknowledge();
    await turns();
    expect([it.outcome, drain.log, drain.stream.locked]).toEqual(["completed", [], false]);
    const second = setUp(drain.stream);
    second.sink.subscribe(fromIterable([3], { runtime: second.runtime }));
    await turns();
    drain.acknowledge();
    await second.sink.done;
    expect([drain.written, drain.log]).toEqual([[1, 2, 3], ["close"]]);
  });

  test.each([undefined, 0, new Error("E")])("H29 source error aborts, by identity: %s", async (error) => {
    const drain = new Drain<number>({ highWaterMark: 9 });
    const { runtime, sink, it, reports } = setUp(drain.stream);
    const up = upstream<number>(runtime);
    sink.subscribe(up.stage);
    up.stage.push([1, 2, 3]);
    await turns();
    up.stage.fail(error);
    await turns();
    expect([drain.log, it.outcome]).toEqual([[], undefined]);
    drain.acknowledge();
    await turns();
    expect([drain.log, it.outcome]).toEqual([[["abort", error]], { error }]);
    expect([drain.written, reports, drain.stream.locked]).toEqual([[1], [], false]);
  });

  test("H29 preventAbort leaves it open", async () => {
    const drain = new Drain<number>({ fast: true });
    const { runtime, sink, it } = setUp(drain.stream, { preventAbort: true });
    const up = upstream<number>(runtime);
    sink.subscribe(up.stage);
    await turns();
    up.stage.fail("E");
    await turns();
    expect([it.outcome, drain.log, drain.stream.locked]).toEqual([{ error: "E" }, [], false]);
    await drain.stream.getWriter().write(1);
    expect(drain.written).toEqual([1]);
  });

  test("H29 what abort fails with, and the write under way, are reported", async () => {
    const drain = new Drain<number>({ highWaterMark: 9, abort: () => Promise.reject(new Error("A")) });
    const { runtime, sink, it, reports } = setUp(drain.stream);
    const up = upstream<number>(runtime);
    sink.subscribe(up.stage);
    up.stage.push([1, 2]);
    await turns();
    up.stage.fail("E");
    await turns();
    drain.fail("W");
    await turns();
    expect(it.outcome).toEqual({ error: "E" });
    expect(reports).toEqual([
      ["W", "terminate"],
      [new Error("A"), "terminate"],
    ]);
  });

  test.each([
    [{}, undefined, ["close"]],
    [{}, "normal", ["close"]],
    [{ preventClose: true }, undefined, []],
    [{}, "bad", [["abort", "bad"]]],
    [{ preventAbort: true }, "bad", []],
  ])("7.2 stop, options %o, reason %s", async (options, reason, log) => {
    const drain = new Drain<number>();
    const { sink, it } = setUp(drain.stream, options);
    await turns();
    await sink.stop({ reason });
    await turns();
    expect([drain.log, drain.stream.locked, it.outcomes]).toEqual([log, false, 1]);
  });

  test("7.2 a source that was stopped closes the stream", async () => {
    const drain = new Drain<number>({ fast: true });
    const { runtime, sink, it } = setUp(drain.stream);
    const up = upstream<number>(runtime);
    sink.subscribe(up.stage);
    await turns();
    await up.stage.stop();
    await turns();
    expect([drain.log, it.outcome]).toEqual([["close"], "completed"]);
  });
});

describe("a WritableStream that ends by itself", () => {
  test("H31 destination closed at attach", async () => {
    const drain = new Drain<number>();
    await drain.stream.close();
    const { runtime, sink, it } = setUp(drain.stream);
    const up = upstream<number>(runtime);
    sink.subscribe(up.stage);
    await turns();
    expect(it.outcome).toEqual({ error: expect.any(TypeError) });
    expect(up.ends).toEqual([{ type: "failure", error: (it.outcome as { error: unknown }).error }]);
  });

  test("H31 destination closing at attach", async () => {
    const hook = Promise.withResolvers<void>();
    const drain = new Drain<number>({ close: () => hook.promise });
    const closing = drain.stream.close();
    const { runtime, sink, it } = setUp(drain.stream);
    const up = upstream(runtime, () => [1]);
    sink.subscribe(up.stage);
    await turns();
    hook.resolve();
    await closing;
    await turns();
    expect(it.outcome).toEqual({ error: expect.any(TypeError) });
    expect([up.ends.length, drain.written, drain.stream.locked]).toEqual([1, [], false]);
  });

  test.each([undefined, 0, new Error("E")])("H31 destination errored at attach with %s", async (error) => {
    const drain = new Drain<number>();
    await turns();
    drain.controller.error(error);
    const { runtime, sink, it } = setUp(drain.stream);
    const up = upstream<number>(runtime);
    sink.subscribe(up.stage);
    await turns();
    expect([it.outcome, up.ends]).toEqual([{ error }, [{ type: "failure", error }]]);
  });

  test.each([undefined, 0, new Error("E")])("7.2 a write that fails, with %s", async (error) => {
    const drain = new Drain<number>({ highWaterMark: 2 });
    const { runtime, sink, it, reports } = setUp(drain.stream);
    const up = upstream(runtime, () => upTo(4));
    sink.subscribe(up.stage, { maxDemand: 4, minDemand: 0 });
    await turns();
    drain.fail(error);
    await turns();
    expect([it.outcome, drain.written, drain.log]).toEqual([{ error }, [1], []]);
    expect([up.ends, reports, drain.stream.locked]).toEqual([[{ type: "failure", error }], [], false]);
  });

  test("7.2 a failure while it waits is noticed at once, with the write still under way", async () => {
    const drain = new Drain<number>();
    const { runtime, sink, it } = setUp(drain.stream);
    const up = upstream(runtime, () => upTo(4));
    sink.subscribe(up.stage);
    await turns();
    drain.controller.error("E");
    await turns();
    expect([it.outcome, drain.written]).toEqual([{ error: "E" }, [1]]);
  });

  test("7.2 a failure while nothing is written", async () => {
    const drain = new Drain<number>();
    const { runtime, sink, it } = setUp(drain.stream);
    sink.subscribe(upstream<number>(runtime).stage);
    await turns();
    drain.controller.error("E");
    await turns();
    expect(it.outcome).toEqual({ error: "E" });
  });

  test("5.6 what was not begun goes back", async () => {
    const drain = new Drain<number>();
    const { runtime, sink, it } = setUp(drain.stream);
    const up = counted(runtime, 9);
    sink.subscribe(up.stage, { maxDemand: 6, minDemand: 4 });
    await turns();
    drain.fail("E");
    await turns();
    expect([it.outcome, up.stage.bufferedCount]).toEqual([{ error: "E" }, 5]);
    const second = new Drain<number>({ fast: true });
    const next = setUp(second.stream, { runtime });
    next.sink.subscribe(up.stage);
    await next.sink.done;
    expect(second.written).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
