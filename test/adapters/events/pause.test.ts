import { describe, expect, test } from "vitest";
import { broadcastDispatcher, consumer } from "../../../src/index.ts";
import { fromEvents } from "../../../adapters/events/index.ts";
import { complete, failed, ManualConsumer } from "../../reactive-streams/harness.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { bridge, census, hand, OldStream, recorder } from "./support.ts";

const held = (stream: OldStream) => ({ pause: stream.pause, resume: stream.resume });

describe("a source that can be paused", () => {
  test("E01 is paused before it is listened to while nobody asks, and resumed by the first ask", async () => {
    const stream = new OldStream();
    const { stage } = bridge(stream, held(stream));
    const c = hand(stage);
    await turns();
    expect([stream.calls, census(stream)]).toEqual([["pause"], { data: 1, error: 1 }]);
    c.ask(2);
    await turns();
    expect(stream.calls).toEqual(["pause", "resume"]);
    stream.flow(10);
    await turns();
    expect([c.received, stream.calls, stage.bufferedCount]).toEqual([[1, 2], ["pause", "resume", "pause"], 0]);
    c.ask(1);
    c.ask(2);
    await turns();
    expect(stream.calls).toEqual(["pause", "resume", "pause", "resume"]);
    stream.flow(10);
    await turns();
    expect([c.received, c.flaws]).toEqual([range(1, 5), []]);
  });

  test("E01 is not paused while there is demand", async () => {
    const stream = new OldStream();
    const { stage } = bridge(stream, held(stream));
    const c = hand(stage).ask(10);
    await turns();
    for (let i = 0; i < 3; i += 1) {
      stream.flow(3);
      await turns();
    }
    expect([stream.calls, c.received]).toEqual([[], range(1, 9)]);
    stream.flow(3);
    await turns();
    expect([stream.calls, c.received]).toEqual([["pause"], range(1, 10)]);
  });

  test("E01 a synchronous consumer in front of it never lets it pause", async () => {
    const stream = new OldStream();
    const { stage, runtime } = bridge(stream, held(stream));
    const log: number[] = [];
    recorder(log, stage, runtime, { maxDemand: 10, minDemand: 5 });
    await turns();
    stream.flow(1000);
    await turns();
    expect([log.length, stream.calls]).toEqual([1000, []]);
  });

  test("E01 a slow consumer holds it: at most maxDemand events are on their way", async () => {
    const stream = new OldStream();
    const { stage, runtime } = bridge(stream, { ...held(stream), bufferSize: 0 });
    const log: number[] = [];
    const waiting: (() => void)[] = [];
    const slow = consumer<number>(
      (events) => {
        log.push(...events);
        return new Promise<void>((resolve) => void waiting.push(resolve));
      },
      { runtime },
    );
    slow.subscribe(stage, { maxDemand: 4, minDemand: 2 });
    await turns();
    for (let round = 0; round < 3; round += 1) {
      stream.flow(100);
      await turns();
      expect([log.length, stream.paused]).toEqual([2 + 4 * round, true]);
      waiting.shift()?.();
      await turns();
      waiting.shift()?.();
      await turns();
      expect(stream.paused).toBe(false);
    }
    expect([log, stage.state]).toEqual([range(1, 12), "running"]);
  });

  test("E01 leaving it pauses it and removes the listeners; it needs neither destroy nor close", async () => {
    const stream = new OldStream();
    const { stage, reports } = bridge(stream, { ...held(stream), end: "end", close: "close" });
    const c = hand(stage).ask(5);
    await turns();
    expect(census(stream)).toEqual({ data: 1, error: 1, end: 1, close: 1 });
    stream.flow(2);
    await turns();
    c.cancel();
    await turns();
    expect([c.received, stage.state, stream.calls, census(stream)]).toEqual([[1, 2], "stopped", ["pause"], {}]);
    expect(reports).toEqual([]);
  });

  test("E01 one that is paused already is not paused again when it is left", async () => {
    const stream = new OldStream();
    const { stage } = bridge(stream, held(stream));
    const c = hand(stage);
    await turns();
    c.cancel();
    await turns();
    expect([stage.state, stream.calls]).toEqual(["stopped", ["pause"]]);
  });

  test("E03 what comes after the pause is kept in order, bounded, and delivered first", async () => {
    const stream = new OldStream();
    stream.lag = 3;
    const { stage } = bridge(stream, { ...held(stream), bufferSize: 3 });
    const c = hand(stage).ask(2);
    await turns();
    stream.flow(10);
    await turns();
    expect([c.received, stage.bufferedCount, stream.calls]).toEqual([[1, 2], 3, ["pause"]]);
    c.ask(2);
    await turns();
    // One is still there: it is not time to resume.
    expect([c.received, stage.bufferedCount, stream.calls]).toEqual([[1, 2, 3, 4], 1, ["pause"]]);
    c.ask(2);
    await turns();
    expect([c.received, stage.bufferedCount, stream.calls]).toEqual([range(1, 5), 0, ["pause", "resume"]]);
  });

  test("E03 beyond the buffer the policy applies, behind what was kept", async () => {
    const stream = new OldStream();
    stream.lag = 4;
    const { stage } = bridge(stream, { ...held(stream), bufferSize: 3 });
    const c = hand(stage).ask(2);
    await turns();
    stream.flow(10);
    await turns();
    c.ask(10);
    await turns();
    expect(c.received).toEqual(range(1, 5));
    expect(c.ends).toMatchObject([{ type: "failure", error: { code: "ERR_OVERFLOW" } }]);
    expect([stream.calls, census(stream)]).toEqual([["pause"], {}]);
  });

  test("E03 one that emits while it is resumed: in order, and paused again in time", async () => {
    const stream = new OldStream();
    const resume = (): void => {
      stream.resume();
      stream.flow(3);
    };
    const { stage } = bridge(stream, { pause: stream.pause, resume, bufferSize: 0 });
    const c = hand(stage);
    await turns();
    for (let asked = 1; asked <= 4; asked += 1) {
      c.ask(asked);
      await turns();
    }
    // 1 of 3 let through, then 2, then 3, then 3 of 4.
    expect([c.received, c.flaws, stage.state]).toEqual([range(1, 9), [], "running"]);
    expect(stream.calls.join()).toBe("pause,resume,pause,resume,pause,resume,pause,resume");
  });

  test("E03 a consumer that leaves with demand unmet does not leave it paused for the next one", async () => {
    const stream = new OldStream();
    const { stage } = bridge(stream, { ...held(stream), onLastCancel: "continue" });
    const first = hand(stage).ask(10);
    await turns();
    first.cancel();
    await turns();
    stream.flow(1);
    await turns();
    expect([stream.calls, stage.bufferedCount]).toEqual([["pause"], 1]);
    const second = hand(stage).ask(3);
    await turns();
    expect([second.received, stream.calls]).toEqual([[1], ["pause", "resume"]]);
    stream.flow(5);
    await turns();
    expect([second.received, stream.calls]).toEqual([range(1, 3), ["pause", "resume", "pause"]]);
  });

  test("E03 a broadcast pauses for its slowest consumer", async () => {
    const stream = new OldStream();
    const runtime = testRuntime();
    const stage = fromEvents(stream, "data", {
      overflow: "throw",
      runtime,
      dispatcher: broadcastDispatcher(),
      map: (n: number) => n,
      ...held(stream),
    });
    const fast = new ManualConsumer().attach(stage).ask(5);
    const slow = new ManualConsumer().attach(stage).ask(2);
    await turns();
    stream.flow(10);
    await turns();
    expect([fast.received, slow.received, stream.calls]).toEqual([[1, 2], [1, 2], ["pause"]]);
    slow.ask(5);
    await turns();
    stream.flow(10);
    await turns();
    expect([fast.received, slow.received]).toEqual([range(1, 5), range(1, 5)]);
    expect(stream.calls).toEqual(["pause", "resume", "pause"]);
  });

  test("E03 demand cannot be accumulated: nothing could set it to forward", () => {
    const stream = new OldStream();
    expect(() => bridge(stream, { ...held(stream), demandMode: "accumulate" })).toThrow(
      expect.objectContaining({ code: "ERR_OPTION" }),
    );
    expect(census(stream)).toEqual({});
  });

  test.each(["pause", "resume"] as const)("6.1 a %s that throws fails the producer", async (which) => {
    const stream = new OldStream();
    const error = new Error("E");
    const thrower = (): void => {
      throw error;
    };
    const { stage } = bridge(stream, { ...held(stream), [which]: thrower });
    const c = hand(stage);
    await turns();
    c.ask(1);
    await turns();
    expect(c.ends).toEqual([{ type: "failure", error }]);
    expect(stage.failure).toEqual({ error, stage: stage.name, callback: which, events: [] });
    expect([stage.state, census(stream)]).toEqual(["failed", {}]);
  });

  test.each([1, 2])("I03 a consumer that has enough while it emits: left at once (maxDemand %i)", async (maxDemand) => {
    for (const options of [{}, { pause: true }]) {
      const stream = new OldStream();
      const { stage, runtime, discarded } = bridge(stream, { bufferSize: 0, ...("pause" in options && held(stream)) });
      const log: number[] = [];
      const c = consumer<number>(
        (events, _subscription, context) => {
          log.push(...events);
          if (log.length >= 4) context.complete();
        },
        { runtime },
      );
      c.subscribe(stage, { maxDemand, minDemand: 0 });
      await turns();
      stream.flow(10);
      expect([log, census(stream), stage.state]).toEqual([range(1, 4), {}, "stopped"]);
      expect([stream.calls, discarded]).toEqual(["pause" in options ? ["pause"] : [], []]);
    }
  });

  test("7.3 a pause that throws when the source is left is reported", async () => {
    const stream = new OldStream();
    const error = new Error("E");
    const pause = (): void => {
      throw error;
    };
    const { stage, reports } = bridge(stream, { pause, resume: stream.resume });
    const c = hand(stage).ask(1);
    await turns();
    c.cancel();
    await turns();
    expect([stage.state, reports, census(stream)]).toEqual(["stopped", [error], {}]);
  });
});

describe("ends", () => {
  test("E02 one that cannot pause: the overflow policy, after maxDemand and bufferSize events", async () => {
    const stream = new OldStream();
    const { stage, discarded } = bridge(stream, { overflow: "drop-newest", bufferSize: 10 });
    const c = hand(stage).ask(1);
    await turns();
    stream.flow(100);
    await turns();
    expect([c.received, stage.bufferedCount]).toEqual([[1], 10]);
    expect(discarded).toEqual([["overflow", range(12, 100)]]);
    c.ask(100);
    await turns();
    expect(c.received).toEqual(range(1, 11));
  });

  test.each([new Error("E"), undefined, 0])("E05 an error event fails it with its value, once (%s)", async (error) => {
    const stream = new OldStream();
    const { stage } = bridge(stream);
    const c = hand(stage).ask(1);
    await turns();
    stream.flow(2);
    stream.emit("error", error);
    expect(census(stream)).toEqual({});
    await turns();
    expect([c.received, c.ends]).toEqual([[1], []]);
    c.ask(1);
    await turns();
    expect([c.received, c.ends]).toEqual([[1, 2], [failed(error)]]);
    expect((c.ends[0] as { error: unknown }).error).toBe(error);
  });

  test("E05 an error behind what overflows is reported: the overflow came first", async () => {
    const stream = new OldStream();
    const { stage, reports } = bridge(stream, { bufferSize: 5 });
    const c = hand(stage);
    await turns();
    stream.flow(4);
    await turns();
    stream.flow(2).emit("error", "E");
    await turns();
    c.ask(9);
    await turns();
    expect([c.received, reports]).toEqual([range(1, 5), ["E"]]);
    expect(c.ends).toMatchObject([{ type: "failure", error: { code: "ERR_OVERFLOW", rejected: [6] } }]);
  });

  test("E05 errors as events: the name itself, or error: false", async () => {
    const stream = new OldStream();
    const runtime = testRuntime();
    const log: unknown[] = [];
    const errors = fromEvents<unknown>(stream, "error", { overflow: "throw", runtime });
    recorder(log, errors, runtime, {});
    const { stage } = bridge(stream, { error: false });
    const c = hand(stage).ask(2);
    await turns();
    stream.emit("error", "E");
    stream.flow(1);
    await turns();
    expect([log, c.received, c.ends, errors.state]).toEqual([["E"], [1], [], "running"]);
  });

  test("E06 close before the end is premature, behind what came", async () => {
    for (const close of ["close", "destroy"]) {
      const stream = new OldStream();
      const { stage } = bridge(stream, { end: "end", close });
      const c = hand(stage).ask(5);
      await turns();
      stream.flow(2).emit(close);
      await turns();
      expect(c.received).toEqual([1, 2]);
      expect(c.ends).toMatchObject([{ type: "failure", error: { code: "ERR_STREAM_PREMATURE_CLOSE" } }]);
      expect(census(stream)).toEqual({});
    }
  });

  test("E06 close behind the end, and close where nothing else is the end, are no failures", async () => {
    const stream = new OldStream();
    const both = hand(bridge(stream, { end: "end", close: "close" }).stage).ask(5);
    const only = hand(bridge(stream, { close: "close" }).stage).ask(5);
    await turns();
    stream.flow(1).emit("end");
    await turns();
    expect([both.ends, only.ends, census(stream)]).toEqual([[complete], [], { data: 1, error: 1, close: 1 }]);
    stream.emit("close");
    await turns();
    expect([both.received, only.received, both.ends, only.ends]).toEqual([[1], [1], [complete], [complete]]);
    expect(census(stream)).toEqual({});
  });

  test("E07 end waits for what came before it, and is heard of without a read", async () => {
    const stream = new OldStream();
    const { stage } = bridge(stream, { end: "end" });
    const c = hand(stage).ask(1);
    await turns();
    stream.flow(3).emit("end");
    stream.flow(1);
    await turns();
    expect([c.received, c.ends, stage.state]).toEqual([[1], [], "ending"]);
    c.ask(2);
    await turns();
    expect([c.received, c.ends, stage.state]).toEqual([[1, 2, 3], [complete], "completed"]);
    const empty = new OldStream();
    const none = hand(bridge(empty, { end: "end" }).stage);
    await turns();
    empty.emit("end");
    await turns();
    expect(none.ends).toEqual([complete]);
  });

  test("7.3 a source that ends while it is listened to keeps no listener", async () => {
    const stream = new OldStream();
    stream.on("newListener", (name) => {
      if (name === "close") stream.flow(2).emit("end");
    });
    const { stage } = bridge(stream, { end: "end", close: "close" });
    const c = hand(stage).ask(5);
    await turns();
    expect([c.received, c.ends, census(stream)]).toEqual([[1, 2], [complete], { newListener: 1 }]);
  });

  test("5.1 a stage that is completed from inside with events left hears the next one out, and leaves", async () => {
    const stream = new OldStream();
    const { stage, discarded } = bridge(stream);
    const c = hand(stage);
    await turns();
    stream.flow(1);
    await turns();
    await stage.call((context) => context.complete());
    await turns();
    expect([stage.state, stage.bufferedCount]).toEqual(["ending", 1]);
    stream.flow(2);
    await turns();
    expect([discarded, census(stream)]).toEqual([[["stop", [2, 3]]], {}]);
    c.ask(5);
    await turns();
    expect([c.received, c.ends, stage.state]).toEqual([[1], [complete], "completed"]);
  });

  test("5.1 the first end wins: what comes second is for nobody", async () => {
    const stream = new OldStream();
    const { stage, reports } = bridge(stream, { end: "end", close: "close" });
    const c = hand(stage).ask(1);
    await turns();
    stream.on("error", () => {});
    stream.emit("end");
    stream.emit("error", new Error("late"));
    stream.emit("close");
    await turns();
    expect([c.ends, reports, census(stream)]).toEqual([[complete], [], { error: 1 }]);
  });
});
