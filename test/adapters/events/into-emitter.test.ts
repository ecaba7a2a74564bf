import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { fromEvents, intoEmitter, type IntoEmitterOptions } from "../../../adapters/events/index.ts";
import { fromIterable } from "../../../src/index.ts";
import { ManualProducer } from "../../reactive-streams/harness.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { recorder } from "./support.ts";

/** A consumer into an emitter, and what the emitter and the consumer say. */
function rig(options: IntoEmitterOptions<number> = {}) {
  const emitter = new EventEmitter();
  const log: unknown[][] = [];
  for (const name of ["data", "end", "error"]) emitter.on(name, (...args) => void log.push([name, ...args]));
  const reports: unknown[] = [];
  const runtime = testRuntime();
  const sink = intoEmitter<number>(emitter, "data", {
    runtime,
    onReport: (error) => void reports.push(error),
    ...options,
  });
  const source = new ManualProducer();
  return { emitter, log, reports, runtime, sink, source };
}
const data = (from: number, to: number): unknown[][] => range(from, to).map((n) => ["data", n]);

describe("an emitter", () => {
  test("7.2 hears each event, one by one, and by default nothing of the end", async () => {
    const { log, sink, source, reports } = rig();
    sink.subscribe(source.producer, { maxDemand: 4, minDemand: 2 });
    await turns();
    source.emit(1, 2, 3);
    await turns();
    source.finish();
    await sink.done;
    expect([log, source.asks, source.flaws, reports]).toEqual([data(1, 3), [4, 2], [], []]);
  });

  test("7.2 hears the end that is named, once, behind the events", async () => {
    for (const how of ["complete", "the source stops", "stop"]) {
      const { log, sink, source } = rig({ end: "end", error: "error" });
      sink.subscribe(source.producer);
      await turns();
      source.emit(1);
      if (how === "stop") void sink.stop();
      else source.finish(how === "complete" ? { type: "complete" } : { type: "stop" });
      await sink.done;
      expect([how, log]).toEqual([how, [["data", 1], ["end"]]]);
    }
  });

  test.each([new Error("E"), 0, undefined])("7.2 hears the failure that is named (%s)", async (error) => {
    const { log, sink, source } = rig({ end: "end", error: "error" });
    sink.subscribe(source.producer);
    await turns();
    source.emit(1).finish({ type: "failure", error });
    await expect(sink.done).rejects.toBe(error);
    expect(log).toEqual([["data", 1], error === undefined ? ["error"] : ["error", error]]);
  });

  test("7.1 args makes the arguments", async () => {
    const { log, sink } = rig({ args: (n) => [n, n * n, "more"] });
    sink.subscribe(fromIterable([2, 3]));
    await sink.done;
    expect(log).toEqual([
      ["data", 2, 4, "more"],
      ["data", 3, 9, "more"],
    ]);
  });

  test.each(["a listener", "args"])("6.1 %s that throws fails it: the events behind go back", async (who) => {
    const error = new Error("E");
    const thrower = (n: number): readonly unknown[] => {
      if (n === 2) throw error;
      return [n];
    };
    const { emitter, log, sink, source, reports } = rig({ error: "error", ...(who === "args" && { args: thrower }) });
    if (who === "a listener") emitter.prependListener("data", thrower);
    sink.subscribe(source.producer);
    await turns();
    source.emit(1, 2, 3, 4);
    await expect(sink.done).rejects.toBe(error);
    expect(sink.failure).toEqual({ error, stage: sink.name, callback: "listener of data", events: [2] });
    expect(log).toEqual([
      ["data", 1],
      ["error", error],
    ]);
    expect([source.ends.map(({ unstarted }) => unstarted), reports]).toEqual([[[3, 4]], []]);
  });

  test.each([
    ["complete", "rejected", []],
    ["stop", "fulfilled", ["E"]],
  ] as const)("6.1 a listener of end that throws after a %s: %s", async (type, status, reported) => {
    const { emitter, sink, source, reports } = rig({ end: "end" });
    emitter.on("end", () => {
      throw "E";
    });
    sink.subscribe(source.producer);
    await turns();
    source.finish({ type });
    const [settled] = await Promise.allSettled([sink.done]);
    expect([settled?.status, reports]).toEqual([status, reported]);
  });

  test("7.3 an error event that nobody listens to is not thrown, and not told twice", async () => {
    const emitter = new EventEmitter();
    const reports: unknown[] = [];
    const sink = intoEmitter<number>(emitter, "data", {
      error: "error",
      runtime: testRuntime(),
      onReport: (error) => void reports.push(error),
    });
    const error = new Error("E");
    const source = new ManualProducer();
    sink.subscribe(source.producer);
    await turns();
    source.finish({ type: "failure", error });
    await expect(sink.done).rejects.toBe(error);
    expect(reports).toEqual([]);
  });

  test("J06 aborted by a listener: no further event, the rest goes back", async () => {
    const kill = new AbortController();
    const { emitter, log, sink, source } = rig({ signal: kill.signal, end: "end" });
    emitter.on("data", (n: number) => {
      if (n === 2) kill.abort("enough");
    });
    sink.subscribe(source.producer);
    await turns();
    source.emit(1, 2, 3);
    await expect(sink.done).rejects.toBe("enough");
    expect([log, source.ends.map(({ unstarted }) => unstarted)]).toEqual([data(1, 2), [[3]]]);
  });

  test("J01 aborted before: nothing is emitted", async () => {
    const { log, sink } = rig({ signal: AbortSignal.abort("enough"), end: "end", error: "error" });
    await expect(sink.done).rejects.toBe("enough");
    expect(log).toEqual([["error", "enough"]]);
  });

  test("L07 there and back", async () => {
    const { emitter, sink, runtime } = rig({ end: "end" });
    const log: number[] = [];
    const stage = fromEvents<number>(emitter, "data", { overflow: "throw", bufferSize: 0, end: "end", runtime });
    const back = recorder(log, stage, runtime, {});
    await turns();
    sink.subscribe(fromIterable(range(1, 1000), { runtime }), { maxDemand: 100 });
    await Promise.all([sink.done, back.done]);
    expect(log).toEqual(range(1, 1000));
  });
});

describe("an EventTarget", () => {
  test("7.2 gets CustomEvents, also for the end and a failure", async () => {
    const target = new EventTarget();
    const log: unknown[] = [];
    for (const name of ["data", "end", "error"])
      target.addEventListener(name, (event) => void log.push([name, (event as CustomEvent).detail]));
    const options = { runtime: testRuntime(), end: "end", error: "error" };
    const sink = intoEmitter<number>(target, "data", options);
    sink.subscribe(fromIterable([1, 2]));
    await sink.done;
    const failing = intoEmitter<number>(target, "data", options);
    const source = new ManualProducer();
    failing.subscribe(source.producer);
    await turns();
    source.finish({ type: "failure", error: "E" });
    await expect(failing.done).rejects.toBe("E");
    expect(log).toEqual([
      ["data", 1],
      ["data", 2],
      ["end", null],
      ["error", "E"],
    ]);
  });

  test("7.1 create makes the Event, which may have another name", async () => {
    const target = new EventTarget();
    const made: Event[] = [];
    const got: Event[] = [];
    target.addEventListener("other", (event) => void got.push(event));
    const create = (n: number, name: string): Event => {
      made.push(Object.assign(new Event("other"), { n, name }));
      return made.at(-1) as Event;
    };
    const sink = intoEmitter<number>(target, "data", { runtime: testRuntime(), create });
    sink.subscribe(fromIterable([1, 2]));
    await sink.done;
    expect([got, got.map((event) => event === made[got.indexOf(event)])]).toEqual([made, [true, true]]);
    expect(made).toMatchObject([
      { n: 1, name: "data" },
      { n: 2, name: "data" },
    ]);
  });

  test("6.1 an Event that cannot be dispatched fails it", async () => {
    const sink = intoEmitter<number>(new EventTarget(), "data", {
      runtime: testRuntime(),
      create: () => ({ type: "no event" }),
    });
    sink.subscribe(fromIterable([1]));
    await expect(sink.done).rejects.toThrow(TypeError);
    expect(sink.failure).toMatchObject({ callback: "listener of data", events: [1] });
  });
});

describe("arguments", () => {
  const emitter = new EventEmitter();
  test.each([
    [undefined, "data", {}, "ERR_NOT_SOURCE"],
    [{ on() {} }, "data", {}, "ERR_NOT_SOURCE"],
    [emitter, 1, {}, "ERR_OPTION"],
    [emitter, "data", { end: 1 }, "ERR_OPTION"],
    [emitter, "data", { error: false }, "ERR_OPTION"],
    [emitter, "data", { args: 1 }, "ERR_OPTION"],
    [emitter, "data", { create: () => new Event("data") }, "ERR_OPTION"],
    [new EventTarget(), "data", { args: () => [] }, "ERR_OPTION"],
    [emitter, "data", { overflow: "throw" }, "ERR_OPTION"],
  ])("1.1 wrong ones are refused at once (%#)", (target, name, options, code) => {
    expect(() => intoEmitter(target as never, name as never, options as never)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
