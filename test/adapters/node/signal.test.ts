import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { beforeEach, describe, expect, test } from "vitest";
import { fromReadable, intoWritable, toReadable } from "../../../adapters/node/index.ts";
import { consumer, fromIterable } from "../../../src/index.ts";
import { type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { endOf, implementations, listeners, probe, upstream, watch } from "./support.ts";

const boom = new Error("boom");
const failure = (error: unknown) => ({ type: "failure", error });
const expectCode = (run: () => unknown, code: string) =>
  expect(run).toThrow(expect.objectContaining({ code, name: expect.stringMatching(/Error$/) as string }));

describe.each(implementations)("a signal, with streams of %s", (_name, { Readable, Writable }) => {
  let runtime: TestRuntime;
  let reports: unknown[];
  let controller: AbortController;
  const onReport = (error: unknown) => void reports.push(error);
  beforeEach(() => {
    runtime = testRuntime();
    reports = [];
    controller = new AbortController();
  });
  const counted = () => {
    const calls = { reads: 0 };
    const readable = new Readable({
      objectMode: true,
      read() {
        calls.reads += 1;
      },
    });
    return { readable, calls };
  };
  const sink = (options: ConstructorParameters<typeof Writable>[0] = {}) => {
    const written: unknown[] = [];
    const writable = new Writable({
      objectMode: true,
      write(event, _encoding, callback) {
        written.push(event);
        callback();
      },
      ...options,
    });
    writable.on("error", () => {});
    return { written, writable };
  };

  test("J01 aborted before: a Readable is not read, only destroyed with the reason", async () => {
    const { readable, calls } = counted();
    const heard: unknown[] = [];
    readable.on("error", (error) => heard.push(error));
    const source = fromReadable(readable, { runtime, onReport, signal: AbortSignal.abort(boom) });
    await expect(source.done).rejects.toBe(boom);
    await turns();
    expect([calls.reads, readable.destroyed, heard, reports]).toEqual([0, true, [boom], []]);
    expect(listeners(readable)).toEqual({ error: 1 });
  });

  test("J01 aborted before: with destroyOnCancel: false it is left as it is", async () => {
    const { readable, calls } = counted();
    const source = fromReadable(readable, { runtime, signal: AbortSignal.abort(boom), destroyOnCancel: false });
    await expect(source.done).rejects.toBe(boom);
    expect([calls.reads, readable.destroyed, listeners(readable)]).toEqual([0, false, {}]);
  });

  test("J01 aborted before: a Writable is destroyed with the reason, and takes no source", async () => {
    const { writable, written } = sink();
    const before = listeners(writable);
    const stage = intoWritable<number>(writable, { runtime, onReport, signal: AbortSignal.abort(boom) });
    expectCode(() => stage.subscribe(fromIterable([1])), "ERR_ENDED");
    await expect(stage.done).rejects.toBe(boom);
    await turns();
    expect([written, writable.errored, listeners(writable), reports]).toEqual([[], boom, before, []]);
    const kept = sink();
    const other = intoWritable<number>(kept.writable, { runtime, signal: AbortSignal.abort(boom), end: false });
    await expect(other.done).rejects.toBe(boom);
    expect([kept.writable.destroyed, listeners(kept.writable)]).toEqual([false, before]);
  });

  test("J01 aborted before: a Readable of a stage is destroyed, and the stage left as it is", async () => {
    const up = upstream<number>(runtime);
    const readable = toReadable(up.stage, { Readable, signal: AbortSignal.abort(boom) });
    endOf(readable);
    await turns();
    expect([readable.destroyed, readable.errored?.name]).toEqual([true, "AbortError"]);
    expect([up.ends, up.demands, up.stage.inspect().links]).toEqual([[], [], []]);
  });

  test.each([boom, "enough", 0])("J02 aborted midway with %s: the reason by identity, on all sides", async (reason) => {
    const { readable } = counted();
    const { writable } = sink();
    readable.on("error", () => {});
    const source = fromReadable<number>(readable, { runtime, onReport, signal: controller.signal });
    const it = probe(source, runtime);
    it.subscription.ask(5);
    const up = upstream<number>(runtime);
    const stage = intoWritable<number>(writable, { runtime, onReport, signal: controller.signal });
    const end = watch(stage.done);
    stage.subscribe(up.stage);
    await turns();
    readable.push(1);
    await turns();
    controller.abort(reason);
    await turns();
    expect([it.seen, it.outcome, it.outcomes]).toEqual([[1], { error: reason }, 1]);
    expect([end.outcome, up.ends, reports]).toEqual([{ error: reason }, [failure(reason)], []]);
    expect([readable.destroyed, writable.destroyed]).toEqual([true, true]);
  });

  test("J03 aborted while a read, and while a drain, is waited for: the wait ends at once", async () => {
    const { readable } = counted();
    readable.on("error", () => {});
    const source = fromReadable<number>(readable, { runtime, signal: controller.signal });
    const next = source.events().next();
    const { writable } = sink({ highWaterMark: 1, write: () => {} });
    const up = upstream<number>(runtime);
    const stage = intoWritable<number>(writable, { runtime, signal: controller.signal });
    const end = watch(stage.done);
    stage.subscribe(up.stage);
    await turns();
    up.stage.push([1, 2, 3]);
    await turns();
    expect(writable.writableNeedDrain).toBe(true);
    controller.abort(boom);
    expect([source.state, up.ends]).toEqual(["ending", []]);
    await expect(next).rejects.toBe(boom);
    await turns();
    expect([end.outcome, up.ends]).toEqual([{ error: boom }, [failure(boom)]]);
    expect(listeners(writable)["drain"]).toBe(undefined);
  });

  test("J05 aborted in the tick of the end: the abort wins until the stage has ended", async () => {
    const first = counted().readable;
    first.on("error", () => {});
    const it = probe(fromReadable(first, { runtime, onReport, signal: controller.signal }), runtime);
    await turns();
    first.push(null);
    controller.abort(boom);
    await turns();
    expect([it.outcome, it.outcomes]).toEqual([{ error: boom }, 1]);
    const late = new AbortController();
    const second = counted().readable;
    const other = probe(fromReadable(second, { runtime, onReport, signal: late.signal }), runtime);
    await turns();
    second.push(null);
    await turns();
    late.abort(boom);
    await turns();
    expect([other.outcome, other.outcomes, reports]).toEqual(["completed", 1, []]);
  });

  test.each(["end", "failure", "cancel", "abort"])("J07 after %s nothing listens to the signal", async (how) => {
    const { signal } = controller;
    const { readable } = counted();
    const { writable } = sink();
    readable.on("error", () => {});
    const source = fromReadable<number>(readable, { runtime, signal });
    const stage = intoWritable<number>(writable, { runtime, signal });
    const out = toReadable(source, { Readable, signal });
    endOf(out);
    out.resume();
    const up = upstream<number>(runtime);
    stage.subscribe(up.stage);
    stage.done.catch(() => {});
    await turns();
    expect(getEventListeners(signal, "abort").length).toBeGreaterThanOrEqual(3);
    if (how === "end") {
      readable.push(null);
      up.stage.complete();
    } else if (how === "failure") {
      readable.destroy(boom);
      up.stage.fail(boom);
    } else if (how === "cancel") {
      out.destroy();
      void stage.stop();
    } else controller.abort(boom);
    await turns();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test.each(["x", {}])("J10 %j is no signal", (signal) => {
    const { readable } = counted();
    const { writable } = sink();
    const before = listeners(writable);
    const up = upstream<number>(runtime);
    for (const run of [
      () => fromReadable(readable, { signal: signal as never }),
      () => intoWritable(writable, { signal: signal as never }),
    ])
      expectCode(run, "ERR_OPTION");
    expectCode(() => toReadable(up.stage, { Readable, signal: signal as never }), "ERR_INVALID_ARG_TYPE");
    expect([listeners(readable), listeners(writable), up.stage.inspect().links]).toEqual([{}, before, []]);
  });

  test("J11 a signal of several: the reason is that of the first", async () => {
    const { readable } = counted();
    readable.on("error", () => {});
    const reason = new DOMException("late", "TimeoutError");
    const signal = AbortSignal.any([controller.signal, new AbortController().signal]);
    const it = probe(fromReadable(readable, { runtime, signal }), runtime);
    await turns();
    controller.abort(reason);
    await turns();
    expect(it.outcome).toEqual({ error: reason });
  });

  test("K09 callbacks run in the context in which their stage was made, not in the one that pushes", async () => {
    const storage = new AsyncLocalStorage<string>();
    const { readable } = counted();
    const seen: unknown[] = [];
    storage.run("mine", () => {
      const stage = consumer<number>((events) => void seen.push(storage.getStore(), ...events), { runtime });
      stage.subscribe(fromReadable<number>(readable, { runtime }));
    });
    await turns();
    storage.run("theirs", () => readable.push(1));
    await turns();
    expect(seen).toEqual(["mine", 1]);
  });
});
