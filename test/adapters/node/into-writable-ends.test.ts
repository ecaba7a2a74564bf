import { beforeEach, describe, expect, test } from "vitest";
import { intoWritable } from "../../../adapters/node/index.ts";
import { fromIterable } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { codeOf, implementations, listeners, type Upstream, upstream, watch } from "./support.ts";

type Callback = (error?: Error | null) => void;
const failure = (error: unknown) => ({ type: "failure", error });

describe.each(implementations)(
  "failing to write into a Writable of %s",
  (_, { Duplex, finished: whenFinished, Writable }) => {
    let runtime: TestRuntime;
    let reports: [error: unknown, phase: string][];
    const onReport = (error: unknown, { phase }: { readonly phase: string }) => void reports.push([error, phase]);
    beforeEach(() => {
      runtime = testRuntime();
      reports = [];
    });

    type WritableOptions = ConstructorParameters<typeof Writable>[0];
    /** Keeps what was written; `hold` keeps the callbacks, too, for the test to call. */
    const sink = ({ hold = false, ...options }: WritableOptions & { hold?: boolean } = {}) => {
      const written: unknown[] = [];
      const held: Callback[] = [];
      const errors: unknown[] = [];
      const writable = new Writable({
        objectMode: true,
        write(event, _encoding, callback) {
          written.push(event);
          if (hold) held.push(callback);
          else callback();
        },
        ...options,
      });
      writable.on("error", (error) => errors.push(error));
      return { writable, written, held, errors, before: listeners(writable) };
    };
    /** Emits these events, as they are asked for. */
    const listed = (events: readonly unknown[] = []): Upstream<unknown> => {
      const rest = [...events];
      return upstream(runtime, (demand) => rest.splice(0, demand));
    };
    const link = (
      writable: InstanceType<typeof Writable>,
      up: Upstream<unknown>,
      options: Parameters<typeof intoWritable>[1] = {},
    ) => {
      const stage = intoWritable<unknown>(writable, { runtime, onReport, ...options });
      stage.subscribe(up.stage, { maxDemand: 10 });
      return Object.assign(watch(stage.done), { stage });
    };
    test.each(["destroyed", "errored", "ended"])("C05 the Writable is %s while a drain is waited for", async (how) => {
      const { writable, written, held } = sink({ hold: true, highWaterMark: 1 });
      const up = listed([1, 2, 3]);
      const end = link(writable, up);
      await turns();
      expect(writable.writableNeedDrain).toBe(true);
      const error = new Error("no");
      if (how === "destroyed") writable.destroy();
      else if (how === "errored") writable.destroy(error);
      else {
        writable.end();
        held.shift()?.();
      }
      await turns();
      const codes: Record<string, string> = {
        destroyed: "ERR_STREAM_PREMATURE_CLOSE",
        ended: "ERR_STREAM_WRITE_AFTER_END",
      };
      const { error: got } = end.outcome as { error: Error };
      expect(how === "errored" ? got === error : codeOf(end.outcome) === codes[how]).toBe(true);
      expect([written, end.outcomes]).toEqual([[1], 1]);
      expect(up.ends).toEqual([failure(got)]);
      // What is written is lost, what is not goes back.
      expect(up.stage.bufferedCount).toBe(2);
      expect(reports).toEqual([]);
    });

    test("C05 an abort from within a write: what was not written goes back, once", async () => {
      const controller = new AbortController();
      const written: unknown[] = [];
      const held: Callback[] = [];
      const { writable } = sink({
        highWaterMark: 2,
        write(event, _encoding, callback) {
          written.push(event);
          held.push(callback);
          if (event === 2) controller.abort(new Error("enough"));
        },
      });
      const up = listed(range(0, 9));
      const { stage } = link(writable, up, { end: false, signal: controller.signal });
      await turns();
      while (held.length > 0) {
        held.shift()?.();
        // oxlint-disable-next-line no-await-in-loop -- one write at a time
        await turns();
      }
      expect([written, up.stage.bufferedCount, stage.state]).toEqual([range(0, 2), 7, "failed"]);
    });

    test.each(["calls back with an error", "throws"])("C14 final %s", async (how) => {
      const error = new Error("no");
      const { writable } = sink({
        final(callback) {
          if (how === "throws") throw error;
          callback(error);
        },
      });
      let finished = false;
      writable.on("finish", () => {
        finished = true;
      });
      const stage = intoWritable<unknown>(writable, { runtime, onReport });
      const end = watch(stage.done);
      stage.subscribe(fromIterable([1], { runtime }));
      await turns();
      expect(end.outcome).toEqual({ error });
      expect(finished).toBe(false);
      expect(reports).toEqual([]);
    });

    test("C15 a write that calls back with an error at once", async () => {
      const error = new Error("no");
      const calls: unknown[] = [];
      const { writable } = sink({
        highWaterMark: 100,
        write(event, _encoding, callback) {
          calls.push(event);
          callback(error);
        },
      });
      const up = listed(range(1, 50));
      const end = link(writable, up);
      await turns();
      expect(calls).toEqual([1]);
      expect(end.outcome).toEqual({ error });
      expect(up.ends).toEqual([failure(error)]);
      // Of the first batch four events were not written; they and the five behind it went back.
      expect(up.stage.bufferedCount).toBe(9);
      expect(reports).toEqual([]);
    });

    test("C17 a write that calls back twice", async () => {
      const { writable } = sink({
        write(_event, _encoding, callback) {
          callback();
          callback();
        },
      });
      const up = listed([1]);
      const end = link(writable, up);
      await turns();
      expect(codeOf(end.outcome)).toBe("ERR_MULTIPLE_CALLBACK");
      expect(up.ends).toHaveLength(1);
      expect(up.demands).toEqual([10]);
      expect(reports).toEqual([]);
    });

    test("C18 a write after somebody else's end", async () => {
      const { writable, written, errors } = sink({ final: () => {} });
      const up = listed();
      const end = link(writable, up);
      await turns();
      writable.end();
      await turns();
      expect(end.outcome).toBeUndefined();
      up.stage.push([1, 2]);
      await turns();
      expect(codeOf(end.outcome)).toBe("ERR_STREAM_WRITE_AFTER_END");
      expect(end.outcomes).toBe(1);
      expect(written).toEqual([]);
      expect(errors.map((error) => codeOf({ error }))).toEqual(["ERR_STREAM_WRITE_AFTER_END"]);
      expect(up.ends).toHaveLength(1);
      expect(reports).toEqual([]);
    });

    test("C18 somebody else's end is noticed when it finishes", async () => {
      const { writable } = sink();
      const up = listed();
      const end = link(writable, up);
      await turns();
      writable.end();
      await turns();
      expect(codeOf(end.outcome)).toBe("ERR_STREAM_WRITE_AFTER_END");
      expect(up.ends).toHaveLength(1);
    });

    test("C19 attached to an ended Writable", async () => {
      const { writable, before } = sink({ autoDestroy: false });
      writable.end();
      await turns();
      const up = listed();
      const end = link(writable, up);
      await turns();
      expect(codeOf(end.outcome)).toBe("ERR_STREAM_WRITE_AFTER_END");
      expect(up.ends).toHaveLength(1);
      expect(up.demands).toEqual([]);
      expect(listeners(writable)).toEqual(before);
    });

    test.each(["this tick", "before"])("C21 attached to a Writable that failed %s", async (when) => {
      const error = new Error("no");
      const { writable, before } = sink();
      writable.destroy(error);
      if (when === "before") await turns();
      const up = listed();
      const end = link(writable, up);
      await turns();
      expect(end.outcome).toEqual({ error });
      expect(up.ends).toEqual([failure(error)]);
      expect(up.demands).toEqual([]);
      expect(listeners(writable)).toEqual(before);
      expect(reports).toEqual([]);
    });

    test("C21 attached to a destroyed Writable without an error", async () => {
      const { writable } = sink();
      writable.destroy();
      await turns();
      const end = link(writable, listed());
      await turns();
      expect(codeOf(end.outcome)).toBe("ERR_STREAM_PREMATURE_CLOSE");
    });

    test("C22 destroyed by the user, without an error", async () => {
      const { writable } = sink();
      const up = listed();
      const end = link(writable, up);
      await turns();
      up.stage.push([1]);
      await turns();
      writable.destroy();
      await turns();
      expect(codeOf(end.outcome)).toBe("ERR_STREAM_PREMATURE_CLOSE");
      expect(up.ends).toEqual([failure((end.outcome as { error: unknown }).error)]);
    });

    test("C22 one that never emits close is noticed at the next write", async () => {
      const { writable } = sink({ emitClose: false });
      const up = listed();
      const end = link(writable, up);
      await turns();
      writable.destroy();
      await turns();
      expect(end.outcome).toBeUndefined();
      up.stage.push([1]);
      await turns();
      expect(codeOf(end.outcome)).toBe("ERR_STREAM_PREMATURE_CLOSE");
    });

    test.each([
      { what: "nothing is left to write", options: { final: () => {} }, events: [1] },
      { what: "a write hangs", options: { write: () => {} }, events: [1] },
    ])("F-33 C23 destroyed after end() and before finish, when $what: as stream.finished says", async (of) => {
      const { writable } = sink(of.options);
      const said: unknown[] = [];
      whenFinished(writable, (error) => said.push(error?.code ?? "completed"));
      const stage = intoWritable<unknown>(writable, { runtime, onReport });
      const end = watch(stage.done);
      stage.subscribe(fromIterable(of.events, { runtime }));
      await turns();
      expect([writable.writableEnded, end.outcome]).toEqual([true, undefined]);
      writable.destroy();
      await turns();
      expect([codeOf(end.outcome) ?? end.outcome]).toEqual(said);
      expect(reports).toEqual([]);
    });

    test("C25 a failing source destroys the Writable with its error", async () => {
      const { writable, errors } = sink();
      const up = listed();
      const end = link(writable, up);
      await turns();
      const error = new Error("upstream");
      up.stage.fail(error);
      await turns();
      expect(end.outcome).toEqual({ error });
      expect([writable.destroyed, errors]).toEqual([true, [error]]);
      expect(reports).toEqual([]);
    });

    test.each(["fails", "stops", "completes"])("C25 with end: false a source that %s leaves it alone", async (how) => {
      const { writable, written, before } = sink();
      const up = listed();
      const end = link(writable, up, { end: false });
      await turns();
      up.stage.push([1]);
      await turns();
      if (how === "fails") up.stage.fail(new Error("upstream"));
      else if (how === "stops") await up.stage.stop();
      else up.stage.complete();
      await turns();
      expect(end.outcome).toBeDefined();
      expect(written).toEqual([1]);
      expect([writable.destroyed, writable.writableEnded]).toEqual([false, false]);
      expect(listeners(writable)).toEqual(before);
    });

    test.each([
      ["C26", null, true, "ERR_STREAM_NULL_VALUES"],
      ["C26", null, false, "ERR_STREAM_NULL_VALUES"],
      ["C27", undefined, false, "ERR_INVALID_ARG_TYPE"],
      ["C27", {}, false, "ERR_INVALID_ARG_TYPE"],
    ])("%s the event %j (objects: %s) fails with %s", async (_id, event, objectMode, code) => {
      const { writable, written } = sink({ objectMode });
      const up = listed(["a", event, "b"]);
      const end = link(writable, up);
      await turns();
      expect(codeOf(end.outcome)).toBe(code);
      expect(written.map(String)).toEqual(["a"]);
      expect(up.ends).toHaveLength(1);
      expect(writable.destroyed).toBe(true);
      expect(reports).toEqual([]);
    });

    test("C27 undefined is an event of object mode", async () => {
      const { writable, written } = sink();
      const stage = intoWritable<unknown>(writable, { runtime });
      stage.subscribe(fromIterable([undefined, 0, ""], { runtime }));
      await stage.done;
      expect(written).toEqual([undefined, 0, ""]);
    });

    test.each(["the source", "the consumer"])("a stop of %s ends the Writable", async (which) => {
      const { writable, written } = sink();
      const up = listed();
      const end = link(writable, up);
      await turns();
      up.stage.push([1]);
      await turns();
      await (which === "the source" ? up.stage : end.stage).stop();
      await turns();
      expect([writable.writableFinished, end.outcome]).toEqual([true, "completed"]);
      expect(written).toEqual([1]);
      expect(end.stage.state).toBe("stopped");
    });

    test('a stop with onStop: "destroy" destroys it, and one with a reason does, too', async () => {
      const first = sink();
      const end = link(first.writable, listed(), { onStop: "destroy" });
      await turns();
      await end.stage.stop();
      expect([first.writable.destroyed, first.writable.writableEnded]).toEqual([true, false]);
      const second = sink();
      const failed = link(second.writable, listed());
      await turns();
      const reason = new Error("out of order");
      await failed.stage.stop({ reason });
      await turns();
      expect([second.errors, failed.outcome]).toEqual([[reason], { error: reason }]);
    });

    test("a stop with a timeout does not wait longer for a Writable that does not finish", async () => {
      const { writable } = sink({ final: () => {} });
      const up = listed();
      const end = link(writable, up);
      await turns();
      const stopped = watch(end.stage.stop({ timeout: 100 }));
      await turns();
      expect([writable.writableEnded, stopped.outcome]).toEqual([true, undefined]);
      runtime.clock.advance(100);
      await turns();
      expect([stopped.outcome, end.outcome]).toEqual(["completed", "completed"]);
      expect(up.ends).toHaveLength(1);
    });

    test("an error while the Writable is ended by a stop goes to the report", async () => {
      const error = new Error("no");
      const { writable } = sink({ final: (callback) => callback(error) });
      const end = link(writable, listed());
      await turns();
      await end.stage.stop();
      await turns();
      expect(reports).toEqual([[error, "terminate"]]);
      expect(end.outcome).toBe("completed");
    });

    test("a Writable that destroys itself is waited for, and its failing to close is a failure", async () => {
      const error = new Error("cannot close");
      const hook: { done?: Callback } = {};
      const make = () =>
        new Writable({
          write: (_event, _encoding, callback) => callback(),
          destroy(_error, callback) {
            hook.done = callback;
          },
        });
      for (const [result, outcome] of [
        [null, "completed"],
        [error, { error }],
      ] as const) {
        const writable = make();
        const stage = intoWritable<string>(writable, { runtime, onReport });
        const end = watch(stage.done);
        stage.subscribe(fromIterable(["a"], { runtime }));
        await turns();
        expect([writable.writableFinished, end.outcome]).toEqual([true, undefined]);
        hook.done?.(result);
        await turns();
        expect(end.outcome).toEqual(outcome);
        expect(listeners(writable)).toEqual({});
      }
      expect(reports).toEqual([]);
    });

    test("a signal that aborts destroys with its reason, also during a wait for drain", async () => {
      const { writable, written } = sink({ hold: true, highWaterMark: 1 });
      const controller = new AbortController();
      const up = listed([1, 2, 3]);
      const end = link(writable, up, { signal: controller.signal });
      await turns();
      const reason = new Error("time is up");
      controller.abort(reason);
      await turns();
      expect([written, end.outcome, writable.errored]).toEqual([[1], { error: reason }, reason]);
      expect(reports).toEqual([]);
    });

    test("a write that throws fails the consumer with what it threw", async () => {
      const error = new Error("thrown");
      const { writable } = sink({
        write() {
          throw error;
        },
      });
      const up = listed([1]);
      const end = link(writable, up);
      await turns();
      expect(end.outcome).toEqual({ error });
      expect(writable.destroyed).toBe(true);
    });

    test("a Duplex whose readable half is open is destroyed as a whole by a failure", async () => {
      const duplex = new Duplex({ objectMode: true, read() {}, write: (_event, _encoding, callback) => callback() });
      const heard: unknown[] = [];
      duplex.on("error", (error) => heard.push(error));
      const up = listed();
      const end = link(duplex, up);
      await turns();
      const error = new Error("upstream");
      up.stage.fail(error);
      await turns();
      expect([duplex.destroyed, heard, end.outcome]).toEqual([true, [error], { error }]);
    });
  },
);
