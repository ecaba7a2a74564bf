import { describe, expect, test } from "vitest";
import { fromReadableStream, type FromReadableStreamOptions } from "../../../adapters/web/index.ts";
import { consumer, type Discarded, type Producer } from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { run } from "../../examples/support.ts";
import {
  byteOrigin,
  bytes,
  countedSignal,
  counting,
  type Origin,
  origin,
  probe,
  queued,
  reporting,
  unheard,
  upTo,
  watch,
} from "./support.ts";

const errors = [undefined, 0, "", null, new Error("E")];

function setUp<T>(stream: ReadableStream<T>, options: FromReadableStreamOptions<T> = {}) {
  const runtime: TestRuntime = testRuntime();
  const { reports, onReport } = reporting();
  const discarded: Discarded<T>[] = [];
  const onDiscard = (what: Discarded<T>) => void discarded.push(what);
  const source: Producer<T> = fromReadableStream(stream, { runtime, onReport, onDiscard, ...options });
  return { runtime, reports, discarded, source };
}
function probed<T>(stream: ReadableStream<T>, options: FromReadableStreamOptions<T> = {}) {
  const made = setUp(stream, options);
  return { ...made, it: probe(made.source, made.runtime) };
}

describe("the end of a ReadableStream", () => {
  test("H05 closed before attach", async () => {
    const from = origin();
    from.controller.close();
    const { it } = probed(from.stream);
    await turns();
    expect([it.outcome, it.outcomes, from.stream.locked]).toEqual(["completed", 1, false]);
  });

  test("H05 closed meanwhile, and nobody asks", async () => {
    const from = origin();
    const { it } = probed(from.stream);
    await turns();
    from.controller.close();
    await turns();
    expect(it.outcome).toBe("completed");
  });

  test.each(errors)("H06 errored before attach with %o", async (error) => {
    const from = origin();
    from.controller.error(error);
    const { it, reports } = probed(from.stream);
    await turns();
    expect([it.outcome, it.outcomes, reports, from.stream.locked]).toEqual([{ error }, 1, [], false]);
  });

  test.each(errors)("H06 errored with a read under way with %o", async (error) => {
    const from = origin();
    const { it, reports } = probed(from.stream);
    it.subscription.ask(3);
    await turns();
    from.controller.error(error);
    await turns();
    expect([it.outcome, it.outcomes, reports]).toEqual([{ error }, 1, []]);
  });

  test("H07 errored with chunks queued", async () => {
    const from = queued(1, 2, 3);
    const { it } = probed(from.stream);
    it.subscription.ask(1);
    await turns();
    from.controller.error("E");
    await turns();
    expect([it.seen, it.outcome]).toEqual([[1], { error: "E" }]);
  });

  test("7.2 a chunk and the error in one breath: the chunk comes first", async () => {
    const from = origin<number>({
      pull: (controller) => {
        controller.enqueue(1);
        controller.error("E");
      },
    });
    const { it } = probed(from.stream);
    it.subscription.ask(5);
    await turns();
    expect([it.seen, it.outcome]).toEqual([[1], { error: "E" }]);
  });

  test("7.2 a chunk and the end in one breath: the chunk comes first", async () => {
    const { it } = probed(counting(1).stream);
    it.subscription.ask(5);
    await turns();
    expect([it.seen, it.outcome]).toEqual([[1], "completed"]);
  });

  test("7.2 the last chunk of a queue is asked for before the end", async () => {
    const from = queued(1, 2);
    from.controller.close();
    const { it } = probed(from.stream);
    it.subscription.ask(1);
    await turns();
    expect([it.seen, it.outcome]).toEqual([[1], undefined]);
    it.subscription.ask(1);
    await turns();
    expect([it.seen, it.outcome]).toEqual([[1, 2], "completed"]);
  });

  test("7.2 a failure waits for chunks that are buffered", async () => {
    const from = origin<number>();
    const { source, runtime } = setUp(from.stream, { onLastCancel: "continue" });
    const gone = new RawConsumer<number>().attach(source);
    gone.ask(5);
    await turns();
    gone.leave();
    for (const n of upTo(3)) from.controller.enqueue(n);
    await turns();
    from.controller.error("E");
    await turns();
    expect([source.bufferedCount, source.state]).toEqual([3, "ending"]);
    const it = probe(source, runtime);
    it.subscription.ask(3);
    await turns();
    expect([it.seen, it.outcome]).toEqual([[1, 2, 3], { error: "E" }]);
  });
});

describe("cancelling a ReadableStream", () => {
  test.each([
    [undefined, undefined],
    ["normal", "normal"],
    ["enough", "enough"],
  ])("5.10 by stop with the reason %s", async (reason, got) => {
    const from = counting(9);
    const { source } = setUp(from.stream);
    watch(source.done);
    await source.stop({ reason });
    expect([from.cancels, from.stream.locked, from.pulls]).toEqual([[got], false, 0]);
  });

  test("5.10 when the last consumer leaves", async () => {
    const from = counting(9);
    const { it, source } = probed(from.stream);
    it.subscription.ask(2);
    await turns();
    it.subscription.cancel();
    await turns();
    expect([it.seen, from.cancels, source.state]).toEqual([[1, 2], [undefined], "stopped"]);
  });

  test("5.10 a loop that stops", async () => {
    const from = counting(9);
    const { source } = setUp(from.stream);
    for await (const n of source.events({ maxDemand: 1 })) if (n === 3) break;
    await source.done;
    expect([from.pulls, from.cancels]).toEqual([3, [undefined]]);
  });

  test("7.3 stop waits for the cancel hook", async () => {
    const hook = Promise.withResolvers<void>();
    const from = origin({ cancel: () => hook.promise });
    const { source } = setUp(from.stream);
    let stopped = false;
    const stop = source.stop().then(() => {
      stopped = true;
      return stopped;
    });
    await turns();
    expect([from.cancels, stopped, from.stream.locked]).toEqual([[undefined], false, false]);
    hook.resolve();
    await stop;
    expect(source.state).toBe("stopped");
  });

  test("H09 cancel rejects", async () => {
    const from = origin({ cancel: () => Promise.reject(new Error("E")) });
    const { it, reports, source } = probed(from.stream);
    await turns();
    expect(it.subscription.cancel()).toBe(undefined);
    await turns();
    expect(reports).toEqual([[new Error("E"), "terminate"]]);
    expect([it.outcome, source.state]).toEqual(["completed", "stopped"]);
  });

  test.each([{}, { byob: 8 }])("H10 cancel with a read pending, options %o", async (options) => {
    const from = byteOrigin();
    const { it, reports, discarded } = probed(from.stream, options);
    it.subscription.ask(3);
    await turns();
    it.subscription.cancel();
    await turns();
    expect(() => from.controller.enqueue(bytes(3))).toThrow(TypeError);
    from.controller.byobRequest?.respond(0);
    await turns();
    expect([it.seen, reports, discarded, from.stream.locked]).toEqual([[], [], [], false]);
  });

  test("H11 releaseLock with a read pending", async () => {
    const from = origin<number>();
    const { it, reports, source } = probed(from.stream, { preventCancel: true });
    it.subscription.ask(3);
    await turns();
    await source.stop();
    await turns();
    expect([it.outcome, reports, from.cancels, from.stream.locked]).toEqual(["completed", [], [], false]);
    from.controller.enqueue(1);
    expect(await from.stream.getReader().read()).toEqual({ done: false, value: 1 });
  });

  test("H11 chunks that were read when the producer ended go to onDiscard", async () => {
    const from = queued(1, 2, 3);
    const { it, source, discarded, reports } = probed(from.stream, { preventCancel: true });
    await turns();
    it.subscription.ask(2);
    // One turn of promises: the reads are out, their chunks on the way.
    await Promise.resolve();
    const stop = source.stop();
    await stop;
    await turns();
    expect([...it.seen, ...discarded.flatMap(({ events }) => events)]).toEqual([1, 2]);
    expect([reports, await from.stream.getReader().read()]).toEqual([[], { done: false, value: 3 }]);
  });

  test.each(["stop", "abort", "failure"] as const)(
    "4.9 chunks that come too late are told with the cause %s",
    async (cause) => {
      const reads: PromiseWithResolvers<{ done: boolean; value?: number }>[] = [];
      const reader = {
        closed: new Promise<void>(() => {}),
        read: () => {
          const read = Promise.withResolvers<{ done: boolean; value?: number }>();
          reads.push(read);
          return read.promise;
        },
        cancel: () => Promise.resolve(),
        releaseLock: () => {},
      };
      const { controller } = countedSignal();
      const stream = { locked: false, getReader: () => reader } as unknown as ReadableStream<number>;
      const { it, source, discarded } = probed(stream, { signal: controller.signal });
      watch(source.done);
      it.subscription.ask(2);
      await turns();
      if (cause === "stop") await source.stop();
      else if (cause === "abort") controller.abort();
      else await source.call((stage) => stage.fail("F")).catch(() => {});
      reads[0]?.resolve({ done: false, value: 1 });
      reads[1]?.resolve({ done: true });
      await turns();
      expect([it.seen, discarded]).toEqual([[], [{ events: [1], cause, stage: source.name }]]);
    },
  );
});

/** Holds an event that nobody has asked for, and is completed; the other consumer still asks. */
async function early(from: Origin<number>) {
  const made = setUp(from.stream);
  const [gone, other] = [new RawConsumer<number>().attach(made.source), new RawConsumer<number>().attach(made.source)];
  gone.ask(5);
  await turns();
  gone.leave();
  from.controller.enqueue(1);
  await turns();
  await made.source.call((stage) => stage.complete());
  return { ...made, other };
}

describe("a stage that is completed from inside with events left", () => {
  test("5.1 delivers them and completes; what is read meanwhile goes to onDiscard", async () => {
    const from = origin<number>();
    const { other, source, reports, discarded } = await early(from);
    from.controller.enqueue(2);
    from.controller.enqueue(3);
    await turns();
    expect([source.bufferedCount, source.state]).toEqual([1, "ending"]);
    other.ask(5);
    await turns();
    expect([other.batches, other.ends, source.state]).toEqual([[[1]], [{ type: "complete" }], "completed"]);
    expect(discarded.flatMap(({ events }) => events)).toEqual([2, 3]);
    expect([reports, from.cancels, from.stream.locked]).toEqual([[], [undefined], false]);
  });

  test("5.1 is not overtaken by a failure of the stream, which is reported", async () => {
    const from = origin<number>();
    const { other, source, reports } = await early(from);
    from.controller.error("E");
    await turns();
    other.ask(5);
    await turns();
    expect([other.batches, other.ends, source.state]).toEqual([[[1]], [{ type: "complete" }], "completed"]);
    expect(reports).toEqual([["E", "fail"]]);
  });
});

describe("a signal over a ReadableStream", () => {
  test.each([{}, { preventCancel: true }])("J01 aborted before attach, options %o", async (options) => {
    const from = counting(9);
    const { it, reports } = probed(from.stream, { signal: AbortSignal.abort("why"), ...options });
    it.subscription.ask(3);
    await turns();
    expect([it.seen, it.outcome, from.pulls, reports]).toEqual([[], { error: "why" }, 0, []]);
    expect([from.cancels, from.stream.locked]).toEqual(["preventCancel" in options ? [] : ["why"], false]);
  });

  test.each([new Error("E"), 0, "why"])("J02 J03 aborted with a read under way, with %o", async (reason) => {
    const from = origin<number>();
    const { controller, listeners } = countedSignal();
    const { it } = probed(from.stream, { signal: controller.signal });
    it.subscription.ask(3);
    await turns();
    expect(listeners()).toBe(1);
    controller.abort(reason);
    controller.abort("again");
    await turns();
    expect([it.outcome, it.outcomes, from.cancels]).toEqual([{ error: reason }, 1, [reason]]);
    expect(listeners()).toBe(0);
  });

  test("J05 aborted in the tick of the end: the abort is first", async () => {
    const from = origin<number>();
    const controller = new AbortController();
    const { it } = probed(from.stream, { signal: controller.signal });
    await turns();
    from.controller.close();
    controller.abort("why");
    await turns();
    expect([it.outcome, it.outcomes]).toEqual([{ error: "why" }, 1]);
  });

  test("J05 the stream's own failure in the tick of an abort is reported", async () => {
    const from = origin<number>();
    const controller = new AbortController();
    const { it, reports } = probed(from.stream, { signal: controller.signal });
    await turns();
    from.controller.error("E");
    controller.abort("why");
    await turns();
    expect([it.outcome, it.outcomes, reports]).toEqual([{ error: "why" }, 1, [["E", "terminate"]]]);
  });

  test("J06 aborted inside a handler", async () => {
    const controller = new AbortController();
    const runtime = testRuntime();
    const seen: number[] = [];
    const source = fromReadableStream(queued(...upTo(9)).stream, { runtime, signal: controller.signal });
    const stage = consumer<number>(
      (events) => {
        seen.push(...events);
        controller.abort("why");
      },
      { runtime },
    );
    stage.subscribe(source, { maxDemand: 2, minDemand: 0 });
    const it = watch(stage.done);
    await turns();
    expect([seen, it.outcome]).toEqual([[1, 2], { error: "why" }]);
  });

  test.each(["end", "error", "stop"])("J07 listener removed after %s", async (how) => {
    const from = origin<number>();
    const { controller, listeners } = countedSignal();
    const { it, source } = probed(from.stream, { signal: controller.signal });
    watch(source.done);
    await turns();
    expect(listeners()).toBe(1);
    if (how === "end") from.controller.close();
    else if (how === "error") from.controller.error("E");
    else await source.stop();
    await turns();
    expect([listeners(), it.outcomes]).toEqual([0, 1]);
  });

  test("J09 another abort listener throws", async () => {
    const from = origin<number>();
    const controller = new AbortController();
    controller.signal.addEventListener("abort", () => {
      throw new Error("theirs");
    });
    let outcome: unknown;
    const heard = await unheard(async () => {
      const { it } = probed(from.stream, { signal: controller.signal });
      await turns();
      controller.abort("why");
      await turns();
      outcome = it.outcome;
    });
    expect([outcome, from.cancels]).toEqual([{ error: "why" }, ["why"]]);
    expect(heard).toEqual([new Error("theirs")]);
  });

  test("J11 AbortSignal.any hands on a TimeoutError by identity", async () => {
    const timeout = new AbortController();
    const from = origin<number>();
    const { it } = probed(from.stream, { signal: AbortSignal.any([timeout.signal, new AbortController().signal]) });
    await turns();
    const error = new DOMException("late", "TimeoutError");
    timeout.abort(error);
    await turns();
    expect((it.outcome as { error: unknown }).error).toBe(error);
    expect(from.cancels[0]).toBe(error);
  });
});

describe("nothing is left behind", () => {
  test.each(["end", "error", "stop", "abort"])("K01 no lock after %s", async (how) => {
    const from = origin<number>();
    const { controller } = countedSignal();
    const { it, source } = probed(from.stream, { signal: controller.signal });
    watch(source.done);
    it.subscription.ask(3);
    await turns();
    expect(from.stream.locked).toBe(true);
    if (how === "end") from.controller.close();
    else if (how === "error") from.controller.error("E");
    else if (how === "stop") await source.stop();
    else controller.abort();
    await turns();
    expect([from.stream.locked, it.outcomes]).toEqual([false, 1]);
  });

  test("K02 a hundred rounds on one stream that stays open", async () => {
    const from = counting(1000);
    const seen: number[] = [];
    const heard = await unheard(async () => {
      for (let round = 0; round < 100; round += 1) {
        const { it, source, discarded } = probed(from.stream, { preventCancel: true });
        it.subscription.ask(2);
        await turns();
        await source.stop();
        seen.push(...it.seen, ...discarded.flatMap(({ events }) => events));
      }
    });
    expect([heard, seen, from.stream.locked]).toEqual([[], upTo(200), false]);
  });

  test.each([{}, { preventCancel: true }, { byob: 8 }, { byob: 8, preventCancel: true }])(
    "K05 no rejection without a handler, options %o",
    async (options) => {
      const ends: ((from: ReturnType<typeof byteOrigin>, source: Producer<unknown>) => unknown)[] = [
        (from) => from.controller.error("E"),
        (from) => {
          from.controller.close();
          from.controller.byobRequest?.respond(0);
        },
        (_, source) => source.stop(),
        (_, source) => source.stop({ reason: "bad" }),
        (from, source) => {
          from.controller.error("E");
          return source.stop();
        },
      ];
      const heard = await unheard(async () => {
        for (const end of ends) {
          const from = byteOrigin();
          const { it, source } = probed(from.stream, options);
          it.subscription.ask(3);
          await turns();
          end(from, source);
          await turns();
          expect(it.outcomes).toBe(1);
        }
      });
      expect(heard).toEqual([]);
    },
  );

  test("K07 an idle link over a stream without a timer lets the process end", { timeout: 30_000 }, async () => {
    const program = `
      import { consumer } from "headrace";
      import { fromReadableStream } from "headrace/web";
      const source = fromReadableStream(new ReadableStream(), { signal: AbortSignal.timeout(1e9) });
      consumer(() => {}).subscribe(source);
      process.on("exit", () => console.log(source.state));`;
    const args = ["--conditions=@headrace/source", "--input-type=module", "-e", program];
    expect(await run(process.execPath, args)).toEqual({ code: 0, stdout: "running\n", stderr: "" });
  });
});
