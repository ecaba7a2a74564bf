import { beforeEach, describe, expect, test } from "vitest";
import { throughDuplex, type ThroughDuplexOptions } from "../../../adapters/node/index.ts";
import { fromIterable } from "../../../src/index.ts";
import { type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { codeOf, implementations, listeners, probe, type Streams, upstream, watch } from "./support.ts";

const failure = (error: unknown) => ({ type: "failure", error });
const boom = new Error("boom");

describe.each(implementations)("the end of a Duplex of %s", (_name, { Duplex, PassThrough, Transform }) => {
  let runtime: TestRuntime;
  let reports: [error: unknown, phase: string][];
  const onReport = (error: unknown, { phase }: { readonly phase: string }) => void reports.push([error, phase]);
  beforeEach(() => {
    runtime = testRuntime();
    reports = [];
  });

  /** A stage over a Duplex, between a source that is pushed to and a consumer that has asked for ten. */
  const between = (duplex: InstanceType<Streams["Duplex"]>, options: ThroughDuplexOptions<unknown> = {}) => {
    const before = listeners(duplex);
    const errors: unknown[] = [];
    const stage = throughDuplex<unknown, unknown>(duplex, { runtime, onReport, ...options });
    duplex.on("error", (error) => errors.push(error));
    const up = upstream<unknown>(runtime);
    stage.subscribe(up.stage);
    const it = probe(stage, runtime);
    it.subscription.ask(10);
    return { stage, up, it, errors, before: { ...before, error: 1 }, end: watch(stage.done) };
  };
  const pass = (options: ConstructorParameters<typeof Duplex>[0] = {}) =>
    new PassThrough({ objectMode: true, ...options });

  test.each([undefined, boom])(
    "D07 destroyed in the middle (%s): one end upstream and one downstream",
    async (error) => {
      const duplex = pass();
      const { stage, up, it, errors, before, end } = between(duplex);
      await turns();
      up.stage.push([1]);
      await turns();
      duplex.destroy(error);
      await turns();
      const told = (it.outcome as { error: unknown }).error;
      expect(error === undefined ? codeOf(it.outcome) : told).toBe(error ?? "ERR_STREAM_PREMATURE_CLOSE");
      expect([it.seen, it.outcomes, stage.state]).toEqual([[1], 1, "failed"]);
      expect(up.ends).toEqual([failure(told)]);
      expect(errors).toEqual(error === undefined ? [] : [error]);
      expect(end.outcome).toEqual({ error: told });
      expect([reports, listeners(duplex)]).toEqual([[], before]);
    },
  );

  test("D07 what was read before comes before the failure, and the source is held meanwhile", async () => {
    const duplex = pass();
    const stage = throughDuplex<number, number>(duplex, { runtime, onReport, onLastCancel: "continue" });
    const up = upstream<number>(runtime);
    stage.subscribe(up.stage, { maxDemand: 2 });
    const first = probe(stage, runtime);
    first.subscription.ask(2);
    await turns();
    up.stage.push([1, 2]);
    duplex.pause();
    await turns();
    await first.stop();
    const second = probe(stage, runtime);
    stage.push([8, 9]);
    duplex.destroy(boom);
    await turns();
    expect([second.outcome, stage.bufferedCount]).toEqual([undefined, 2]);
    second.subscription.ask(5);
    await turns();
    expect([second.seen, second.outcome, up.ends]).toEqual([[8, 9], { error: boom }, [failure(boom)]]);
    expect(reports).toEqual([]);
  });

  test("D09 a flush that fails fails the stage, once; there is no end", async () => {
    const duplex = new Transform({
      objectMode: true,
      transform: (event, _encoding, callback) => callback(null, event),
      flush: (callback) => callback(boom),
    });
    let ended = false;
    duplex.on("end", () => (ended = true));
    const { up, it, before } = between(duplex);
    await turns();
    up.stage.push([1, 2]);
    await turns();
    up.stage.complete();
    await turns();
    expect([it.seen, it.outcome, it.outcomes, ended]).toEqual([[1, 2], { error: boom }, 1, false]);
    expect([reports, listeners(duplex)]).toEqual([[], before]);
  });

  test("D10 final, then flush, then end and finish, then close; the stage is done behind all of them", async () => {
    const said: string[] = [];
    const duplex = new Transform({
      objectMode: true,
      transform: (event, _encoding, callback) => callback(null, event),
      final(callback) {
        said.push("final");
        callback();
      },
      flush(callback) {
        said.push("flush");
        callback(null, "last");
      },
    });
    for (const event of ["finish", "end", "close"]) duplex.on(event, () => said.push(event));
    const { stage, up, it } = between(duplex);
    void stage.done.then(() => said.push("done"));
    await turns();
    up.stage.push([1]);
    up.stage.complete();
    await turns();
    expect(it.seen).toEqual([1, "last"]);
    expect(said).toEqual(["final", "flush", "end", "finish", "close", "done"]);
  });

  test("D11 a transform that calls back twice fails once", async () => {
    const duplex = new Transform({
      objectMode: true,
      transform(event, _encoding, callback) {
        callback(null, event);
        callback(null, event);
      },
    });
    const { up, it, errors } = between(duplex);
    await turns();
    up.stage.push([1]);
    await turns();
    expect([codeOf(it.outcome), it.outcomes]).toEqual(["ERR_MULTIPLE_CALLBACK", 1]);
    expect([errors.length, up.ends.length, reports]).toEqual([1, 1, []]);
  });

  test.each([boom, 0, "", undefined])("a source that fails (%s) destroys the Duplex", async (error) => {
    const duplex = pass();
    const { up, it, errors, before } = between(duplex);
    await turns();
    up.stage.fail(error);
    await turns();
    expect([it.outcome, it.outcomes]).toEqual([{ error }, 1]);
    expect([duplex.destroyed, errors, reports]).toEqual([true, error ? [error] : [], []]);
    expect(listeners(duplex)).toEqual(before);
  });

  test("a source that is stopped ends the writable side, so that the rest comes out", async () => {
    const duplex = new Transform({
      objectMode: true,
      transform: (event, _encoding, callback) => callback(null, event),
      flush: (callback) => callback(null, "rest"),
    });
    const { up, it } = between(duplex);
    await turns();
    up.stage.push([1]);
    await up.stage.stop();
    await turns();
    expect([it.seen, it.outcome, duplex.destroyed, reports]).toEqual([[1, "rest"], "completed", true, []]);
  });

  test("the last consumer leaves: the Duplex is destroyed, the source left, done is behind close", async () => {
    const hook: { done?: (error: Error | null) => void } = {};
    const duplex = pass({ highWaterMark: 1, destroy: (_error, callback) => void (hook.done = callback) });
    const { stage, up, it, errors, before, end } = between(duplex);
    await turns();
    up.stage.push([1, 2]);
    await turns();
    it.subscription.cancel();
    await turns();
    expect([duplex.destroyed, up.ends, end.outcome, duplex.writableEnded]).toEqual([
      true,
      [{ type: "stop" }],
      undefined,
      false,
    ]);
    hook.done?.(null);
    await turns();
    expect([end.outcome, stage.state, errors, reports]).toEqual(["completed", "stopped", [], []]);
    expect(listeners(duplex)).toEqual(before);
  });

  test("what was not written when the last consumer left goes back", async () => {
    const duplex = pass({ highWaterMark: 1 });
    const stage = throughDuplex<number, number>(duplex, { runtime, onReport });
    const up = upstream<number>(runtime);
    stage.subscribe(up.stage, { maxDemand: 4, minDemand: 3 });
    const it = probe(stage, runtime);
    await turns();
    up.stage.push([1, 2, 3, 4]);
    await turns();
    it.subscription.cancel();
    await turns();
    const lost = 4 - up.stage.bufferedCount;
    // The one in the Duplex.
    expect([lost, up.ends]).toEqual([1, [{ type: "stop" }]]);
  });

  test("stop() destroys, and a reason goes along", async () => {
    const plain = pass();
    const one = between(plain);
    await turns();
    await one.stage.stop();
    expect([plain.destroyed, plain.errored, one.up.ends, one.it.outcome]).toEqual([
      true,
      null,
      [{ type: "stop" }],
      "completed",
    ]);
    const failing = pass();
    const two = between(failing);
    await turns();
    await two.stage.stop({ reason: boom });
    await turns();
    expect([two.errors, two.it.outcome]).toEqual([[boom], { error: boom }]);
    expect([two.up.ends.length, reports]).toEqual([1, []]);
  });

  test("J02 a signal that aborts destroys with its reason, once", async () => {
    const controller = new AbortController();
    const duplex = pass();
    const { up, it, errors, before, end } = between(duplex, { signal: controller.signal });
    await turns();
    controller.abort(boom);
    await turns();
    expect([it.outcome, end.outcome, errors]).toEqual([{ error: boom }, { error: boom }, [boom]]);
    expect([up.ends, reports, listeners(duplex)]).toEqual([[failure(boom)], [], before]);
  });

  test("J01 aborted before, it destroys with the reason, and takes no source", async () => {
    const duplex = pass();
    const before = listeners(duplex);
    const errors: unknown[] = [];
    duplex.on("error", (error) => errors.push(error));
    const stage = throughDuplex(duplex, { runtime, onReport, signal: AbortSignal.abort(boom) });
    const end = watch(stage.done);
    expect(() => stage.subscribe(fromIterable([1]))).toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    await turns();
    expect([end.outcome, errors, reports]).toEqual([{ error: boom }, [boom], []]);
    expect(listeners(duplex)).toEqual({ ...before, error: 1 });
  });

  test.each([
    ["destroyed", { error: expect.objectContaining({ code: "ERR_STREAM_PREMATURE_CLOSE" }) as unknown }],
    ["errored", { error: boom }],
    ["ended", "completed"],
  ])("attached to a Duplex that is %s", async (how, outcome) => {
    const duplex = pass();
    duplex.on("error", () => {});
    if (how === "ended") duplex.end();
    else duplex.destroy(how === "errored" ? boom : undefined);
    await turns();
    const { up, it } = between(duplex);
    await turns();
    expect([it.outcome, up.ends.length, it.outcomes, reports]).toEqual([outcome, 1, 1, []]);
  });

  test("D05 somebody else ends the writable side: the sources are left, and the rest comes out", async () => {
    const duplex = new Duplex({ objectMode: true, read() {}, write: (_event, _encoding, callback) => callback() });
    for (const stream of [duplex, pass()]) {
      const { up, it } = between(stream);
      await turns();
      stream.end();
      await turns();
      expect([up.ends, it.outcome]).toEqual([[{ type: "stop" }], stream === duplex ? undefined : "completed"]);
    }
    duplex.push(1);
    duplex.push(null);
    await turns();
    expect([listeners(duplex)["end"], reports]).toEqual([undefined, []]);
  });

  test("C18 a write behind somebody else's end is a failure, once", async () => {
    const duplex = pass({ final: () => {} });
    const { up, it, errors } = between(duplex);
    await turns();
    duplex.end();
    up.stage.push([1]);
    await turns();
    expect([codeOf(it.outcome), it.outcomes]).toEqual(["ERR_STREAM_WRITE_AFTER_END", 1]);
    expect([errors.length, up.ends.length, reports]).toEqual([1, 1, []]);
  });

  test("C26 an event that cannot be written fails the stage, and the Duplex with it", async () => {
    const duplex = pass();
    const { up, it, errors } = between(duplex);
    await turns();
    up.stage.push([1, null, 3]);
    await turns();
    const { error } = it.outcome as { error: unknown };
    expect(codeOf(it.outcome)).toBe("ERR_STREAM_NULL_VALUES");
    expect([errors, duplex.destroyed, up.ends, reports]).toEqual([[error], true, [failure(error)], []]);
  });

  test("what fails when the stage has ended is reported, once", async () => {
    const hook: { done?: (error: Error) => void } = {};
    const duplex = new Duplex({
      objectMode: true,
      read() {},
      write: (_event, _encoding, callback) => callback(),
      final: (callback) => void (hook.done = callback),
    });
    const { it } = between(duplex);
    await turns();
    duplex.push(null);
    await turns();
    expect(it.outcome).toBe("completed");
    hook.done?.(boom);
    await turns();
    expect(reports).toEqual([[boom, "terminate"]]);
    const closing = pass({ destroy: (_error, callback) => callback(boom) });
    const second = between(closing);
    await turns();
    second.up.stage.complete();
    await turns();
    expect([second.it.outcome, reports.slice(1)]).toEqual(["completed", [[boom, "terminate"]]]);
  });

  test("a failing final behind the end of the readable side is not lost", async () => {
    const hook: { done?: (error: Error) => void } = {};
    const duplex = new Duplex({
      objectMode: true,
      read() {},
      write: (_event, _encoding, callback) => callback(),
      final: (callback) => void (hook.done = callback),
    });
    const { up, it } = between(duplex);
    await turns();
    up.stage.complete();
    await turns();
    duplex.push(null);
    await turns();
    expect([duplex.writableEnded, it.outcome]).toEqual([true, "completed"]);
    hook.done?.(boom);
    await turns();
    expect([reports.map(([error]) => error), it.outcomes]).toEqual([[boom], 1]);
  });

  test("K01 after any end no listener is left", async () => {
    type Run = ReturnType<typeof between>;
    const rounds: ((run: Run, duplex: InstanceType<Streams["Duplex"]>) => unknown)[] = [
      ({ up }) => up.stage.complete(),
      ({ up }) => up.stage.fail(boom),
      ({ up }) => up.stage.stop(),
      ({ it }) => it.subscription.cancel(),
      ({ it }) => it.stop(),
      ({ stage }) => stage.stop(),
      ({ stage }) => stage.complete(),
      ({ stage }) => stage.fail(boom),
      (_run, duplex) => duplex.push(null),
      (_run, duplex) => duplex.destroy(),
      (_run, duplex) => duplex.destroy(boom),
      (_run, duplex) => duplex.end(),
    ];
    for (const finish of rounds) {
      const duplex = pass();
      const run = between(duplex);
      await turns();
      run.up.stage.push([1]);
      await turns();
      void finish(run, duplex);
      await turns(8);
      expect([run.end.outcome === undefined, duplex.destroyed, String(finish)]).toEqual([false, true, String(finish)]);
      expect(listeners(duplex)).toEqual(run.before);
      expect(reports).toEqual([]);
    }
  });

  test("its sources are on one side, its consumers on the other", async () => {
    const stage = throughDuplex<number, number>(pass(), { runtime });
    const subscription = stage.subscribe(fromIterable([1], { runtime }));
    expect([stage.subscriptions, stage.kind]).toEqual([[subscription], "producerConsumer"]);
    await stage.stop();
    expect([stage.subscriptions, stage.state]).toEqual([[], "stopped"]);
  });
});
