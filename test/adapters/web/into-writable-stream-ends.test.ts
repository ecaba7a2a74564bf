import { describe, expect, test } from "vitest";
import { intoWritableStream, type IntoWritableStreamOptions } from "../../../adapters/web/index.ts";
import { broadcastDispatcher, fromIterable } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { counted, countedSignal, Drain, endOf, reporting, unheard, upstream, upTo, watch } from "./support.ts";

function setUp<T>(stream: WritableStream<T>, options: IntoWritableStreamOptions = {}) {
  const runtime = testRuntime();
  const { reports, onReport } = reporting();
  const sink = intoWritableStream(stream, { runtime, onReport, ...options });
  return { runtime, reports, sink, it: watch(sink.done) };
}

describe("a signal over a WritableStream", () => {
  test("J01 aborted before attach", async () => {
    const drain = new Drain<number>();
    const { sink, it } = setUp(drain.stream, { signal: AbortSignal.abort("why") });
    expect(() => sink.subscribe(fromIterable([1]))).toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    await turns();
    expect([it.outcome, drain.written, drain.log]).toEqual([{ error: "why" }, [], [["abort", "why"]]]);
    expect(drain.stream.locked).toBe(false);
  });

  test("J02 J03 aborted while it waits", async () => {
    const drain = new Drain<number>();
    const { controller, listeners } = countedSignal();
    const { runtime, sink, reports } = setUp(drain.stream, { signal: controller.signal });
    const up = upstream(runtime, () => upTo(4));
    sink.subscribe(up.stage, { maxDemand: 4, minDemand: 0 });
    await turns();
    controller.abort("why");
    controller.abort("again");
    await turns();
    expect([up.ends, listeners()]).toEqual([[{ type: "failure", error: "why" }], 0]);
    drain.acknowledge();
    await turns();
    expect([drain.log, drain.written, reports]).toEqual([[["abort", "why"]], [1], []]);
  });

  test("J05 aborted while it closes", async () => {
    const hook = Promise.withResolvers<void>();
    const drain = new Drain<number>({ fast: true, close: () => hook.promise });
    const controller = new AbortController();
    const { runtime, sink, it, reports } = setUp(drain.stream, { signal: controller.signal });
    sink.subscribe(counted(runtime, 3).stage);
    await turns();
    controller.abort("why");
    await turns();
    hook.resolve();
    await turns();
    expect([it.outcome, it.outcomes, drain.stream.locked, reports]).toEqual([{ error: "why" }, 1, false, []]);
  });

  test("J07 listener removed at the end", async () => {
    const drain = new Drain<number>({ fast: true });
    const { controller, listeners } = countedSignal();
    const { runtime, sink } = setUp(drain.stream, { signal: controller.signal });
    sink.subscribe(counted(runtime, 3).stage);
    expect(listeners()).toBe(1);
    await sink.done;
    expect(listeners()).toBe(0);
  });

  test.each(["x", {}, 5])("J10 %o is no signal", (signal) => {
    const drain = new Drain<number>();
    expect(() => intoWritableStream(drain.stream, { signal: signal as AbortSignal })).toThrow(TypeError);
    expect(drain.stream.locked).toBe(false);
  });
});

describe("what is no sink", () => {
  test("H03 locked already", () => {
    const drain = new Drain<number>();
    const writer = drain.stream.getWriter();
    expect(() => intoWritableStream(drain.stream)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
    expect(endOf(writer).outcome).toBe(undefined);
  });

  test.each([undefined, null, 5, {}, new ReadableStream()])("1.3 %s", (value) => {
    expect(() => intoWritableStream(value as never)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
  });

  test.each([{ preventClose: 1 }, { preventAbort: "no" }, { end: false }])("1.1 options %o", (options) => {
    const drain = new Drain<number>();
    expect(() => intoWritableStream(drain.stream, options as object)).toThrow(
      expect.objectContaining({ code: "ERR_OPTION" }),
    );
    expect(drain.stream.locked).toBe(false);
  });
});

describe("several at once", () => {
  test("L01 broadcast, fast and slow: the pace of the slow one, both complete", async () => {
    const [fast, slow] = [new Drain<number>({ fast: true }), new Drain<number>()];
    const runtime = testRuntime();
    const source = fromIterable(upTo(4), { runtime, dispatcher: broadcastDispatcher({ startAfter: 2 }) });
    const sinks = [fast, slow].map(({ stream }) => intoWritableStream(stream, { runtime }));
    for (const sink of sinks) sink.subscribe(source, { maxDemand: 1 });
    const paces: number[][] = [];
    for (let i = 0; i < 4; i += 1) {
      await turns();
      paces.push([fast.written.length, slow.written.length]);
      slow.acknowledge();
    }
    await Promise.all(sinks.map(({ done }) => done));
    expect([fast.written, slow.written]).toEqual([upTo(4), upTo(4)]);
    expect(paces.every(([a = 0, b = 0]) => a - b <= 1)).toBe(true);
  });

  test("K05 no rejection without a handler, whatever ends it", async () => {
    const heard = await unheard(async () => {
      for (const how of ["write", "controller", "source", "stop", "bad", "close"]) {
        const drain = new Drain<number>({
          highWaterMark: 3,
          abort: () => Promise.reject(new Error("A")),
          close: () => Promise.reject(new Error("C")),
        });
        const { runtime, sink, it } = setUp(drain.stream);
        const up = counted(runtime, how === "close" ? 1 : 99);
        sink.subscribe(up.stage, { maxDemand: 3 });
        await turns();
        if (how === "write") drain.fail("W");
        else if (how === "controller") drain.controller.error("E");
        else if (how === "source") up.stage.fail("E");
        else if (how !== "close") void sink.stop(how === "bad" ? { reason: "bad" } : {});
        for (let i = 0; i < 9; i += 1) {
          await turns(2);
          drain.acknowledge();
        }
        await turns();
        expect([how, it.outcomes, drain.stream.locked]).toEqual([how, 1, false]);
      }
    });
    expect(heard).toEqual([]);
  });
});
