import { describe, expect, test } from "vitest";
import {
  coupled,
  type OtherSide,
  sink,
  type SinkBehaviour,
  type SinkContext,
  source,
  type SourceBehaviour,
  type SourceContext,
  toldErrors,
} from "../../../src/adapter/index.ts";
import { fromIterable, producer } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { RawConsumer } from "../../support/stages.ts";

const boom = new Error("boom");

/** Two sides with nothing in between: what they are given, for the test to play the foreign thing. */
function sides(behaviours: { input?: Partial<SinkBehaviour<number>>; output?: Partial<SourceBehaviour<number>> } = {}) {
  const runtime = testRuntime();
  const reports: (readonly [error: unknown, phase: string, stage: string])[] = [];
  const onReport = (error: unknown, { phase, stage }: { readonly phase: string; readonly stage: string }) =>
    void reports.push([error, phase, stage]);
  const got = {} as { into: SinkContext; out: SourceContext<number>; seenBySink: OtherSide; seenBySource: OtherSide };
  const seen: number[] = [];
  const options = { runtime, onReport };
  const input = sink<number>(
    {
      begin: (stage) => void (got.into = stage),
      couple: (other) => void (got.seenBySink = other),
      handleEvents: (events) => void seen.push(...events),
      ...behaviours.input,
    },
    { ...options, name: "both input" },
  );
  const output = source<number>(
    {
      begin: (stage) => void (got.out = stage),
      couple: (other) => void (got.seenBySource = other),
      handleDemand: () => {},
      ...behaviours.output,
    },
    { ...options, name: "both" },
  );
  const stage = coupled(input, output);
  const ends: unknown[] = [];
  stage.done.then(
    () => ends.push("done"),
    (error: unknown) => ends.push(error),
  );
  return { ...got, runtime, reports, seen, stage, input, output, ends };
}

describe("coupled", () => {
  test("5.5 the end of the source ends the sink at once, which gives back what it had not started", async () => {
    const { runtime, out, seenBySource, stage, ends, seen } = sides({
      input: { handleEvents: () => new Promise(() => {}) },
    });
    const numbers = fromIterable(range(1, 20), { runtime, onLastCancel: "continue" });
    stage.subscribe(numbers, { maxDemand: 10 });
    await turns();
    expect(seenBySource.reason).toBeUndefined();
    out.complete();
    await turns();
    expect([ends, stage.subscriptions.length, seen]).toEqual([["done"], 0, []]);
    expect(seenBySource.reason).toEqual({ type: "stop" });
    // The batch in hand is all that is lost.
    const rest: number[] = [];
    for await (const n of numbers) rest.push(n);
    expect(rest).toEqual(range(6, 20));
  });

  test("7.2 the sink sees how the source ends, before its events have gone out", async () => {
    const { out, seenBySink, stage } = sides();
    out.push([1]);
    expect(seenBySink.reason).toBeUndefined();
    out.complete();
    expect([seenBySink.reason, stage.bufferedCount]).toEqual([{ type: "complete" }, 1]);
  });

  test("7.2 a failure of the sink is the stage's", async () => {
    const { into, ends, reports } = sides();
    into.fail(boom);
    await turns();
    expect([ends, reports]).toEqual([[boom], []]);
  });

  test("7.2 a failure of a source of events ends both", async () => {
    const { runtime, stage, ends, seenBySource } = sides();
    const failing = producer<number>(() => {}, { runtime });
    stage.subscribe(failing);
    await turns();
    failing.fail(boom);
    await turns();
    expect([ends, seenBySource.reason]).toEqual([[boom], { type: "failure", error: boom }]);
  });

  test("7.2 what the sink leaves to the source is the source's to tell", async () => {
    const { out, seenBySink, ends, reports } = sides();
    seenBySink.defer(boom);
    await turns();
    expect(ends).toEqual([]);
    out.fail(boom);
    await turns();
    expect([ends, reports]).toEqual([[boom], []]);
  });

  test("7.3 and reported, once, where the source ends without it", async () => {
    const { out, seenBySink, ends, reports } = sides();
    seenBySink.defer(boom);
    seenBySink.defer(boom);
    seenBySink.defer(new Error("covered"), (reason) => reason.type === "complete");
    out.complete();
    await turns();
    expect([ends, reports]).toEqual([["done"], [[boom, "input", "both"]]]);
  });

  test("F-40 or ends with another wrapping of it", async () => {
    const { out, seenBySink, ends, reports } = sides();
    const error = new TypeError("of the readable side", { cause: boom });
    seenBySink.defer(new TypeError("of the writable side", { cause: boom }));
    out.fail(error);
    await turns();
    expect([ends, reports]).toEqual([[error], []]);
  });

  test("7.2 a foreign thing that had ended before leaves the sources in a turn", async () => {
    const { runtime, stage, ends } = sides({ output: { begin: (out) => out.complete() } });
    const numbers = fromIterable(range(1, 3), { runtime });
    stage.subscribe(numbers);
    await turns();
    expect([ends, numbers.state]).toEqual([["done"], "stopped"]);
  });

  test("5.4 the end of a side may be waited for, and caused", async () => {
    const { seenBySource, seenBySink, ends, input } = sides();
    const told: string[] = [];
    seenBySource.whenEnded(() => told.push("the sink"));
    seenBySink.whenEnded(() => told.push("the source"));
    seenBySource.end({ type: "stop" });
    seenBySource.end({ type: "failure", error: boom });
    await turns();
    expect([told, ends, input.state]).toEqual([["the sink"], [], "stopped"]);
    seenBySink.end({ type: "stop" });
    await turns();
    expect([told, ends]).toEqual([["the sink", "the source"], ["done"]]);
  });
});

describe("OtherSide.end behind the buffer", () => {
  test.each([
    ["a stop", { type: "stop" }],
    ["a failure", { type: "failure", error: boom }],
  ] as const)("5.4 %s of the source comes behind the events emitted", async (_what, reason) => {
    const { out, seenBySink, stage, ends } = sides();
    out.push([1, 2]);
    await turns();
    seenBySink.end(reason, { after: "buffer" });
    await turns();
    expect([stage.bufferedCount, ends]).toEqual([2, []]);
    const raw = new RawConsumer<number>().attach(stage).ask(5);
    await turns();
    expect([raw.batches.flat(), raw.ends.map((end) => end.type)]).toEqual([[1, 2], [reason.type]]);
    expect(stage.state).toBe(reason.type === "stop" ? "stopped" : "failed");
  });
});

describe("toldErrors", () => {
  test("7.3 tells errors apart by identity, and those with a cause by their first cause", () => {
    const told = toldErrors();
    expect([told.add(boom), told.add(boom), told.has(new Error("boom"))]).toEqual([true, false, false]);
    expect(told.has(new Error("a", { cause: new Error("b", { cause: boom }) }))).toBe(true);
    expect([told.has(undefined), told.add(undefined), told.has(undefined)]).toEqual([false, true, true]);
    const ring: Error & { cause?: unknown } = new Error("ring");
    ring.cause = ring;
    expect([told.add(ring), told.has(ring)]).toEqual([true, true]);
  });
});
