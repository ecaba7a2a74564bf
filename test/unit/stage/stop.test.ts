import { describe, expect, test } from "vitest";
import { ArgumentError, consumer, producer } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { boom, Rig, sayReason } from "./rig.ts";

/** Whether a promise has fulfilled. */
const watch = (promise: Promise<unknown>): { fulfilled: boolean } => {
  const seen = { fulfilled: false };
  promise.then(
    () => (seen.fulfilled = true),
    () => {},
  );
  return seen;
};

/** A consumer with a batch whose promise is pending, and one that waits. */
async function busy(callback: PromiseLike<unknown>, more: ConstructorParameters<typeof Rig>[1] = {}): Promise<Rig> {
  const rig = new Rig("consumer", more);
  rig.scripts.push(() => callback);
  await turns();
  rig.source.port.events([1, 2, 3]);
  await turns();
  return rig;
}
const never = new Promise<never>(() => {});

describe("stop({ timeout })", () => {
  test("5.12 waits for a running callback that long and no longer", async () => {
    const rig = await busy(never);
    const stopped = watch(rig.stage.stop({ timeout: 100 }));
    rig.runtime.clock.advance(99);
    await turns();
    expect([stopped.fulfilled, rig.last]).toEqual([false, []]);
    rig.runtime.clock.advance(1);
    await turns();
    const { back, last, done } = await rig.seen();
    expect([stopped.fulfilled, back, last, done]).toEqual([true, [["stop", 3]], ["stop"], "fulfilled"]);
    expect(rig.runtime.clock.pending).toBe(0);
  });

  test("5.12 where it cuts a callback short it does not wait for terminate, which runs", async () => {
    const gate = Promise.withResolvers<never>();
    const rig = await busy(never, { terminate: () => gate.promise });
    const stopped = watch(rig.stage.stop({ timeout: 100 }));
    rig.runtime.clock.advance(100);
    await turns();
    expect([stopped.fulfilled, rig.last.map(sayReason), rig.stage.state]).toEqual([true, ["stop"], "stopped"]);
    gate.reject(new Error("late"));
    await turns();
    expect([rig.reports, rig.runtime.clock.pending]).toEqual([["terminate: late"], 0]);
  });

  test("5.12 cuts the terminate of an abort short, too", async () => {
    const rig = await busy(never, { terminate: () => never });
    rig.abort.abort(boom);
    await turns();
    const stopped = watch(rig.stage.stop({ timeout: 5 }));
    rig.runtime.clock.advance(4);
    await turns();
    expect(stopped.fulfilled).toBe(false);
    rig.runtime.clock.advance(1);
    await turns();
    expect([stopped.fulfilled, rig.runtime.clock.pending]).toEqual([true, 0]);
    expect((await rig.seen()).done).toBe("rejected boom");
  });

  test("5.12 a stage that has ended is not waited for", async () => {
    const rig = new Rig("producer");
    await rig.stage.stop();
    await rig.stage.stop({ timeout: 5 });
    expect(rig.runtime.clock.pending).toBe(0);
  });

  test("5.12 of 0 ends the stage as soon as timers run", async () => {
    const rig = await busy(never);
    void rig.stage.stop({ timeout: 0 });
    rig.runtime.clock.advance(0);
    await turns();
    expect((await rig.seen()).last).toEqual(["stop"]);
  });

  test("5.12 leaves no timer behind when the stage ends by itself", async () => {
    const gate = Promise.withResolvers<void>();
    const rig = await busy(gate.promise);
    const stopped = watch(rig.stage.stop({ timeout: 100 }));
    expect(rig.runtime.clock.pending).toBe(1);
    gate.resolve();
    await turns();
    expect([stopped.fulfilled, rig.handled, rig.runtime.clock.pending]).toEqual([true, [[1, 2], [3]], 0]);
  });

  test.each([undefined, Number.POSITIVE_INFINITY])("5.12 of %s waits for ever", async (timeout) => {
    const rig = await busy(never);
    const stopped = watch(rig.stage.stop({ timeout }));
    expect(rig.runtime.clock.pending).toBe(0);
    rig.runtime.clock.advance(1e9);
    await turns();
    expect([stopped.fulfilled, rig.stage.state]).toEqual([false, "running"]);
  });

  test("5.12 keeps its reason when it cuts a callback short", async () => {
    const rig = await busy(never);
    void rig.stage.stop({ reason: boom, timeout: 5 });
    rig.runtime.clock.advance(5);
    const { back, done } = await rig.seen();
    expect([back, done, rig.stage.state]).toEqual([[["stop boom", 3]], "rejected boom", "failed"]);
  });

  test("5.12 what a callback that was cut short fails with is reported", async () => {
    const gate = Promise.withResolvers<never>();
    const rig = await busy(gate.promise);
    void rig.stage.stop({ timeout: 5 });
    rig.runtime.clock.advance(5);
    await turns();
    gate.reject(new Error("late"));
    const { done } = await rig.seen();
    expect([done, rig.reports]).toEqual(["fulfilled", ["handleEvents: late"]]);
  });

  test.each(["a second stop", "an abort"])("5.12 a pending terminate is cut short by %s", async (how) => {
    const rig = new Rig("producer", { terminate: () => never });
    await turns();
    const first = watch(rig.stage.stop());
    await turns();
    expect([rig.last.map(sayReason), first.fulfilled, rig.sink.ends]).toEqual([["stop"], false, []]);
    let second = { fulfilled: true };
    if (how === "an abort") rig.abort.abort(boom);
    else second = watch(rig.stage.stop({ timeout: 3, reason: "another" }));
    rig.runtime.clock.advance(3);
    const { told, last, done } = await rig.seen();
    // The first end has won.
    expect([told, last, done]).toEqual([["stop"], ["stop"], "fulfilled"]);
    expect([first.fulfilled, second.fulfilled]).toEqual([true, true]);
  });

  test("5.12 a terminate that is cut short and then fails is reported", async () => {
    const gate = Promise.withResolvers<never>();
    const rig = new Rig("producer", { terminate: () => gate.promise });
    await turns();
    void rig.stage.stop({ timeout: 1 });
    await turns();
    rig.runtime.clock.advance(1);
    await turns();
    gate.reject(new Error("late"));
    await turns();
    expect([rig.done, rig.reports]).toEqual(["fulfilled", ["terminate: late"]]);
  });

  test.each([-1, Number.NaN])("1.1 of %s is refused", (timeout) => {
    const { stage } = new Rig("consumer");
    const refused = expect.objectContaining({ code: "ERR_RANGE" });
    expect(() => stage.stop({ timeout })).toThrow(refused);
    expect(() => stage.stop({ timeout })).toThrow(ArgumentError);
    expect(() => stage.stop({ timeout })).toThrow(RangeError);
  });
});

describe("the options of an end", () => {
  test.each([
    ["a timeout that is no number", (rig: Rig) => rig.stage.stop({ timeout: "1" as never })],
    ["a timeout of null", (rig: Rig) => rig.stage.stop({ timeout: null as never })],
    ["a misspelt reason", (rig: Rig) => rig.stage.stop({ reson: boom } as never)],
    ["a reason in place of options", (rig: Rig) => rig.stage.stop("boom" as never)],
    ["a misspelt buffer", (rig: Rig) => rig.emits.fail(boom, { after: "bufer" as never })],
    ["a misspelt after", (rig: Rig) => rig.emits.fail(boom, { afer: "buffer" } as never)],
  ])("1.1 %s is refused, and nothing has happened", async (_what, end) => {
    const rig = new Rig("producer");
    expect(() => end(rig)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    await turns();
    expect([rig.stage.state, rig.done]).toEqual(["running", "pending"]);
  });
});

describe("stop()", () => {
  test("5.12 fulfils once the end is complete, and at once on an ended stage", async () => {
    const stage = producer<number>(() => {}, { runtime: testRuntime() });
    await stage.stop();
    expect(stage.state).toBe("stopped");
    const again = watch(stage.stop({ reason: boom }));
    await Promise.resolve();
    expect([again.fulfilled, stage.state]).toEqual([true, "stopped"]);
    await stage.done;
  });

  test("5.12 fulfils also when the stage fails meanwhile", async () => {
    const gate = Promise.withResolvers<never>();
    const rig = await busy(gate.promise);
    const stopped = rig.stage.stop();
    gate.reject(boom);
    await stopped;
    await turns();
    expect([rig.done, rig.stage.state]).toEqual(["rejected boom", "failed"]);
  });

  test("5.12 twice in a row fulfils both, and the first reason wins", async () => {
    const rig = new Rig("consumer");
    await Promise.all([rig.stage.stop({ reason: "shutdown" }), rig.stage.stop({ reason: boom })]);
    expect([rig.last.map(sayReason), rig.done]).toEqual([["stop shutdown"], "fulfilled"]);
  });

  test("5.1 behind a complete() that has nothing to wait for comes second", async () => {
    const rig = new Rig("producer");
    await turns();
    rig.emits.complete();
    await rig.stage.stop();
    const { told, last } = await rig.seen();
    expect([told, last, rig.stage.state]).toEqual([["complete"], ["complete"], "completed"]);
  });

  test("5.9 behind a complete() that waits ends the wait", async () => {
    const rig = new Rig("producer");
    await turns();
    rig.emits.push(["a"]);
    rig.emits.complete();
    await turns();
    expect(rig.last).toEqual([]);
    await rig.stage.stop();
    const { told, discarded } = await rig.seen();
    expect([told, discarded, rig.stage.state]).toEqual([["stop"], [["stop", "a"]], "stopped"]);
  });

  test("6.10 runs init before it, and terminate after", async () => {
    const log: string[] = [];
    const stage = consumer<number>(
      {
        init: () => void log.push("init"),
        handleEvents: () => {},
        terminate: () => void log.push("terminate"),
      },
      { runtime: testRuntime() },
    );
    await stage.stop();
    expect(log).toEqual(["init", "terminate"]);
  });
});

describe("asyncDispose", () => {
  test("stops the stage and waits for its end", async () => {
    const rig = new Rig("producer");
    {
      await using stage = rig.stage;
      expect(stage.state).toBe("running");
    }
    expect([rig.last.map(sayReason), rig.stage.state]).toEqual([["stop"], "stopped"]);
  });

  test("rejects with the failure of a stage that failed", async () => {
    const rig = new Rig("producer");
    rig.emits.fail(boom);
    await expect(rig.stage[Symbol.asyncDispose]()).rejects.toBe(boom);
    await expect(rig.stage[Symbol.asyncDispose]()).rejects.toBe(boom);
  });

  test("is not refused by a stage that has ended well", async () => {
    const rig = new Rig("producer");
    rig.emits.complete();
    await rig.stage.done;
    await rig.stage[Symbol.asyncDispose]();
    expect(rig.stage.state).toBe("completed");
  });
});
