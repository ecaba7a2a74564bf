import { describe, expect, test } from "vitest";
import { throughTransformStream } from "../../../adapters/web/index.ts";
import { fromIterable, producer, type ProducerOptions } from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import {
  bytes,
  counted,
  countedSignal,
  Drain,
  origin,
  probe,
  reporting,
  unheard,
  upstream,
  upTo,
  watch,
} from "./support.ts";

function setUp<In, Out>(
  transform: { readonly readable: ReadableStream<Out>; readonly writable: WritableStream<In> },
  options: ProducerOptions<Out> = {},
) {
  const runtime = testRuntime();
  const { reports, onReport } = reporting();
  const middle = throughTransformStream<In, Out>(transform, { runtime, onReport, onDiscard: () => {}, ...options });
  const locked = () => [transform.readable.locked, transform.writable.locked];
  return { runtime, reports, middle, locked };
}
interface Doubling extends Transformer<number, number> {
  readonly cancel?: (reason: unknown) => unknown;
}
const doubling = (transformer: Doubling = {}): TransformStream<number, number> =>
  new TransformStream<number, number>({
    transform: (n, controller) => controller.enqueue(2 * n),
    ...transformer,
  });

/** Closes by itself behind so many events. */
const taking = (most: number, highWaterMark = 0) => {
  let count = 0;
  return new TransformStream<number, number>(
    {
      transform: (n, controller) => {
        count += 1;
        controller.enqueue(2 * n);
        if (count === most) controller.terminate();
      },
    },
    {},
    { highWaterMark },
  );
};

describe("what goes through a TransformStream", () => {
  test("7.1 is asked for before it is taken up", async () => {
    const { runtime, middle } = setUp(doubling());
    const up = counted(runtime, 100);
    middle.subscribe(up.stage, { maxDemand: 2, minDemand: 0 });
    const it = probe(middle, runtime);
    await turns();
    // One write is under way, the other waits: nobody has asked for what they make.
    expect([it.seen, up.demands]).toEqual([[], [2]]);
    it.subscription.ask(3);
    await turns();
    // The fourth is under way, which ends its batch.
    expect([it.seen, up.demands]).toEqual([
      [2, 4, 6],
      [2, 2, 2],
    ]);
  });

  test("7.2 all of it, then the flush, then the end", async () => {
    const { runtime, middle, reports, locked } = setUp(doubling({ flush: (controller) => controller.enqueue(-1) }));
    middle.subscribe(counted(runtime, 100).stage);
    const it = probe(middle, runtime);
    it.subscription.ask(1000);
    await turns(20);
    expect([it.seen, it.outcome, it.outcomes]).toEqual([[...upTo(100).map((n) => 2 * n), -1], "completed", 1]);
    expect([middle.state, reports, locked()]).toEqual(["completed", [], [false, false]]);
  });

  test("7.2 one event becomes many, or none", async () => {
    const { runtime, middle } = setUp(
      new TransformStream<number, string>({
        transform: (n, controller) => {
          for (let i = 0; i < n; i += 1) controller.enqueue(`${n}.${i}`);
        },
      }),
    );
    middle.subscribe(fromIterable([0, 2, 0, 1], { runtime }));
    const it = probe(middle, runtime);
    it.subscription.ask(10);
    await turns();
    expect([it.seen, it.outcome]).toEqual([["2.0", "2.1", "1.0"], "completed"]);
  });

  test("7.2 a TextDecoderStream joins what chunks cut apart", async () => {
    const text = "Mühle 水車 🎡";
    const { runtime, middle } = setUp<BufferSource, string>(new TextDecoderStream());
    middle.subscribe(
      fromIterable(
        Array.from(new TextEncoder().encode(text), (byte) => new Uint8Array([byte])),
        { runtime },
      ),
    );
    const it = probe(middle, runtime);
    it.subscription.ask(100);
    await turns(30);
    expect([it.seen.join(""), it.outcome]).toEqual([text, "completed"]);
  });

  test.each(["gzip", "deflate", "deflate-raw"] as const)("7.2 %s and back", async (format) => {
    const runtime = testRuntime();
    const parts = [bytes(10), bytes(100_000), bytes(3)];
    const packed = throughTransformStream<BufferSource, Uint8Array<ArrayBuffer>>(new CompressionStream(format), {
      runtime,
    });
    const unpacked = throughTransformStream<BufferSource, Uint8Array<ArrayBuffer>>(new DecompressionStream(format), {
      runtime,
    });
    packed.subscribe(fromIterable(parts, { runtime }));
    unpacked.subscribe(packed);
    const seen: number[] = [];
    for await (const chunk of unpacked) seen.push(...chunk);
    expect(seen).toEqual(parts.flatMap((part) => Array.from(part)));
    expect([packed.state, unpacked.state]).toEqual(["completed", "completed"]);
  });

  test("1.5 several sources write into one transform", async () => {
    const { runtime, middle } = setUp(doubling());
    middle.subscribe(fromIterable([1, 2], { runtime }));
    middle.subscribe(fromIterable([10], { runtime }));
    expect(middle.subscriptions).toHaveLength(2);
    const it = probe(middle, runtime);
    it.subscription.ask(10);
    await turns();
    expect([it.seen.toSorted((a, b) => a - b), it.outcome]).toEqual([[2, 4, 20], "completed"]);
  });
});

describe("a failure", () => {
  test.each([undefined, 0, new Error("E")])("7.2 of the transform, by identity: %s", async (error) => {
    const { runtime, middle, reports, locked } = setUp(
      doubling({
        transform: (n, controller) => {
          if (n === 3) throw error;
          controller.enqueue(2 * n);
        },
      }),
    );
    const up = counted(runtime, 100);
    middle.subscribe(up.stage, { maxDemand: 10 });
    const it = probe(middle, runtime);
    it.subscription.ask(10);
    await turns();
    expect([it.seen, it.outcome, it.outcomes]).toEqual([[2, 4], { error }, 1]);
    expect(up.ends).toEqual([{ type: "failure", error }]);
    expect([middle.state, reports, locked()]).toEqual(["failed", [], [false, false]]);
  });

  test("7.2 of the flush", async () => {
    const { runtime, middle, reports } = setUp(doubling({ flush: () => Promise.reject(new Error("F")) }));
    middle.subscribe(counted(runtime, 2).stage);
    const it = probe(middle, runtime);
    it.subscription.ask(10);
    await turns();
    expect([it.seen, it.outcome, reports]).toEqual([[2, 4], { error: new Error("F") }, []]);
  });

  test.each([undefined, 0, new Error("E")])("7.2 of a source aborts the transform, by identity: %s", async (error) => {
    const cancels: unknown[] = [];
    const { runtime, middle, reports, locked } = setUp(doubling({ cancel: (reason) => void cancels.push(reason) }));
    const up = upstream<number>(runtime);
    middle.subscribe(up.stage);
    const it = probe(middle, runtime);
    it.subscription.ask(10);
    await turns();
    up.stage.push([1]);
    await turns();
    up.stage.fail(error);
    await turns();
    expect([it.seen, it.outcome, it.outcomes, cancels]).toEqual([[2], { error }, 1, [error]]);
    expect([reports, locked()]).toEqual([[], [false, false]]);
  });

  test("7.2 of a source comes behind what is buffered, and is told once", async () => {
    const { runtime, middle, reports } = setUp(doubling(), { onLastCancel: "continue" });
    const up = upstream<number>(runtime);
    middle.subscribe(up.stage);
    const gone = new RawConsumer<number>().attach(middle);
    gone.ask(2);
    await turns();
    gone.leave();
    await turns();
    up.stage.push([1]);
    await turns();
    up.stage.fail("E");
    await turns();
    expect([middle.bufferedCount, middle.state]).toEqual([1, "ending"]);
    const it = probe(middle, runtime);
    it.subscription.ask(2);
    await turns();
    expect([it.seen, it.outcome, reports]).toEqual([[2], { error: "E" }, []]);
  });

  test("7.3 of the transform's cancel hook is reported once", async () => {
    const { runtime, middle, reports, locked } = setUp(doubling({ cancel: () => Promise.reject(new Error("C")) }));
    middle.subscribe(upstream<number>(runtime).stage);
    const it = probe(middle, runtime);
    await turns();
    it.subscription.cancel();
    await turns();
    expect([it.outcome, reports]).toEqual(["completed", [[new Error("C"), "terminate"]]]);
    expect([middle.state, locked()]).toEqual(["stopped", [false, false]]);
  });
});

describe("a transform that has had enough", () => {
  test("5.6 completes behind its last chunk; the sources get back what was not begun", async () => {
    const { runtime, middle, reports, locked } = setUp(taking(3));
    const up = counted(runtime, 100);
    middle.subscribe(up.stage, { maxDemand: 10, minDemand: 9 });
    const it = probe(middle, runtime);
    it.subscription.ask(10);
    await turns();
    expect([it.seen, it.outcome, middle.state]).toEqual([[2, 4, 6], "completed", "completed"]);
    expect([up.ends, up.stage.bufferedCount, reports, locked()]).toEqual([[{ type: "stop" }], 9, [], [false, false]]);
    const next = probe(up.stage, runtime);
    next.subscription.ask(9);
    await turns();
    expect(next.seen).toEqual(range(4, 12));
  });

  test("7.2 its last chunk waits for demand, the sources do not wait for it", async () => {
    const { runtime, middle, reports, locked } = setUp(taking(3, 2));
    const up = counted(runtime, 100);
    middle.subscribe(up.stage, { maxDemand: 1 });
    const it = probe(middle, runtime);
    it.subscription.ask(2);
    await turns();
    expect([it.seen, it.outcome, up.ends, locked()]).toEqual([[2, 4], undefined, [{ type: "stop" }], [true, false]]);
    it.subscription.ask(1);
    await turns();
    expect([it.seen, it.outcome, reports, locked()]).toEqual([[2, 4, 6], "completed", [], [false, false]]);
  });
});

describe("leaving a transform", () => {
  test("5.10 the last consumer takes the sources with it", async () => {
    const cancels: unknown[] = [];
    const { runtime, middle, reports, locked } = setUp(doubling({ cancel: (reason) => void cancels.push(reason) }));
    const up = counted(runtime, 100);
    middle.subscribe(up.stage, { maxDemand: 10, minDemand: 9 });
    const it = probe(middle, runtime);
    it.subscription.ask(3);
    await turns();
    it.subscription.cancel();
    await turns();
    expect([it.seen, it.outcome, middle.state, cancels]).toEqual([[2, 4, 6], "completed", "stopped", [undefined]]);
    expect([up.ends, reports, locked()]).toEqual([[{ type: "stop" }], [], [false, false]]);
    expect(up.stage.bufferedCount).toBeGreaterThan(0);
  });

  test("5.10 writes that wait in its queue are nobody's failure", async () => {
    const transform = new TransformStream<number, number>(undefined, { highWaterMark: 5 });
    const { runtime, middle, reports, locked } = setUp(transform);
    middle.subscribe(counted(runtime, 100).stage);
    const it = probe(middle, runtime);
    it.subscription.ask(1);
    await turns();
    it.subscription.cancel();
    await turns();
    expect([it.seen, it.outcome, middle.state]).toEqual([[1], "completed", "stopped"]);
    expect([reports, locked()]).toEqual([[], [false, false]]);
  });

  test("5.4 stop", async () => {
    const { runtime, middle, reports, locked } = setUp(doubling());
    const up = counted(runtime, 100);
    middle.subscribe(up.stage, { maxDemand: 10, minDemand: 9 });
    const it = probe(middle, runtime);
    it.subscription.ask(3);
    await turns();
    await middle.stop();
    await turns();
    expect([it.seen, it.outcome, middle.state]).toEqual([[2, 4, 6], "completed", "stopped"]);
    expect([up.ends.length, reports, locked()]).toEqual([1, [], [false, false]]);
  });

  test.each(upTo(20))("5.4 stop, under another schedule (%i)", async (seed) => {
    const runtime = testRuntime({ seed });
    const { middle, reports, locked } = setUp(doubling(), { runtime });
    const up = counted(runtime, 100);
    middle.subscribe(up.stage, { maxDemand: 10, minDemand: 9 });
    const it = probe(middle, runtime);
    it.subscription.ask(3);
    await turns(seed % 3);
    await middle.stop();
    await turns();
    expect([it.outcome, middle.state, up.ends.length, reports, locked()]).toEqual([
      "completed",
      "stopped",
      1,
      [],
      [false, false],
    ]);
  });

  test("J02 J07 a signal aborts both sides", async () => {
    const cancels: unknown[] = [];
    const { controller, listeners } = countedSignal();
    const { runtime, middle, reports, locked } = setUp(doubling({ cancel: (reason) => void cancels.push(reason) }), {
      signal: controller.signal,
    });
    const up = counted(runtime, 100);
    middle.subscribe(up.stage, { maxDemand: 10 });
    const it = probe(middle, runtime);
    it.subscription.ask(3);
    await turns();
    controller.abort("why");
    await turns();
    expect([it.outcome, up.ends, cancels]).toEqual([{ error: "why" }, [{ type: "failure", error: "why" }], ["why"]]);
    expect([listeners(), reports, locked()]).toEqual([0, [], [false, false]]);
  });

  test("J01 aborted before attach", async () => {
    const { middle, locked } = setUp(doubling(), { signal: AbortSignal.abort("why") });
    const it = watch(middle.done);
    await turns();
    expect([it.outcome, locked()]).toEqual([{ error: "why" }, [false, false]]);
    expect(() => middle.subscribe(fromIterable([1]))).toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
  });
});

describe("a pair of streams of different origin", () => {
  test("7.2 a writable side that fails leaves the sources; the readable side goes on, and the error is reported", async () => {
    const [from, drain] = [origin<string>(), new Drain<number>()];
    const { runtime, middle, reports } = setUp({ readable: from.stream, writable: drain.stream });
    const up = counted(runtime, 100);
    middle.subscribe(up.stage, { maxDemand: 4 });
    const it = probe(middle, runtime);
    it.subscription.ask(5);
    await turns();
    drain.fail("W");
    await turns();
    expect([up.ends, it.outcome]).toEqual([[{ type: "stop" }], undefined]);
    from.controller.enqueue("a");
    from.controller.close();
    await turns();
    expect([it.seen, it.outcome, reports]).toEqual([["a"], "completed", [["W", "input"]]]);
  });

  test("7.2 the readable side fails: the writable side is aborted with the error", async () => {
    const [from, drain] = [origin<string>(), new Drain<number>({ fast: true })];
    const { runtime, middle, reports, locked } = setUp({ readable: from.stream, writable: drain.stream });
    middle.subscribe(upstream<number>(runtime).stage);
    const it = probe(middle, runtime);
    await turns();
    from.controller.error("R");
    await turns();
    expect([it.outcome, drain.log, reports, locked()]).toEqual([{ error: "R" }, [["abort", "R"]], [], [false, false]]);
  });

  test("7.3 the last consumer leaves: one side is cancelled, the other aborted", async () => {
    const [from, drain] = [origin<string>(), new Drain<number>({ fast: true })];
    const { runtime, middle } = setUp({ readable: from.stream, writable: drain.stream });
    middle.subscribe(upstream<number>(runtime).stage);
    const it = probe(middle, runtime);
    await turns();
    it.subscription.cancel();
    await turns();
    expect([from.cancels, drain.log]).toEqual([[undefined], [["abort", undefined]]]);
  });

  test("7.2 the readable side closes first: the writable side is closed", async () => {
    const [from, drain] = [origin<string>(), new Drain<number>({ fast: true })];
    const { runtime, middle, reports } = setUp({ readable: from.stream, writable: drain.stream });
    middle.subscribe(upstream<number>(runtime).stage);
    const it = probe(middle, runtime);
    await turns();
    from.controller.close();
    await turns();
    expect([it.outcome, drain.log, reports]).toEqual(["completed", ["close"], []]);
  });
});

describe("what is no transform", () => {
  test.each([undefined, null, 5, {}, { readable: new ReadableStream() }, { readable: 1, writable: 1 }])(
    "1.3 %o",
    (value) => {
      expect(() => throughTransformStream(value as never)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
    },
  );

  test("H03 one of its sides is locked: the other stays unlocked", () => {
    const first = doubling();
    first.writable.getWriter();
    expect(() => throughTransformStream(first)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
    expect(first.readable.locked).toBe(false);
    const second = doubling();
    second.readable.getReader();
    expect(() => throughTransformStream(second)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
    expect(second.writable.locked).toBe(false);
  });

  test.each([{ byob: 8 }, { preventCancel: true }, { preventClose: true }, { bufferSize: -1 }, { signal: "x" }])(
    "1.1 J10 options %o",
    (options) => {
      const transform = doubling();
      expect(() => throughTransformStream(transform, options as object)).toThrow(
        expect.objectContaining({ name: "ArgumentError" }),
      );
      expect([transform.readable.locked, transform.writable.locked]).toEqual([false, false]);
    },
  );

  test("5.11 its name is that of the stage; the side that takes events is its input", async () => {
    const { middle, reports, runtime } = setUp(doubling({ cancel: () => Promise.reject(new Error("C")) }), {
      name: "x2",
    });
    expect([middle.name, middle.kind]).toEqual(["x2", "producerConsumer"]);
    const it = probe(middle, runtime);
    it.subscription.cancel();
    await turns();
    expect(reports).toHaveLength(1);
  });
});

test("K05 no rejection without a handler, whatever ends it", async () => {
  const heard = await unheard(async () => {
    for (const how of ["source", "cancel", "stop", "bad", "abort", "end"]) {
      const controller = new AbortController();
      const { runtime, middle } = setUp(doubling({ flush: () => Promise.reject(new Error("F")) }), {
        signal: controller.signal,
      });
      const up = counted(runtime, how === "end" ? 1 : 99);
      middle.subscribe(up.stage, { maxDemand: 3 });
      const it = probe(middle, runtime);
      it.subscription.ask(5);
      await turns();
      if (how === "source") up.stage.fail("E");
      else if (how === "cancel") it.subscription.cancel();
      else if (how === "abort") controller.abort();
      else if (how !== "end") void middle.stop(how === "bad" ? { reason: "bad" } : {});
      await turns();
      it.subscription.ask(99);
      await turns(20);
      expect([how, it.outcomes]).toEqual([how, 1]);
    }
  });
  expect(heard).toEqual([]);
});

describe("a transform that has enough with the last event", () => {
  test("7.3 is no failure, and nothing to report", async () => {
    const { runtime, reports, middle } = setUp(taking(2, 4));
    middle.subscribe(fromIterable([1, 2], { runtime }));
    const seen: number[] = [];
    for await (const n of middle) seen.push(n);
    await turns();
    expect([seen, middle.state, reports]).toEqual([[2, 4], "completed", []]);
  });
});

test("7.3 a hook of the writable side that throws behind a failure is reported, whatever it throws", async () => {
  const bug = new TypeError("in a hook");
  const writable = new WritableStream<number>({
    abort() {
      throw bug;
    },
  });
  const { runtime, reports, middle } = setUp<number, number>({ readable: new ReadableStream<number>(), writable });
  const source = producer<number>(() => {}, { runtime });
  middle.subscribe(source);
  const drain = middle.done.catch((error: unknown) => error);
  new RawConsumer<number>().attach(middle, {}).ask(1);
  await turns();
  const error = new Error("of the source");
  source.fail(error);
  expect(await drain).toBe(error);
  await turns();
  expect(reports.map(([what]) => what)).toContain(bug);
});
