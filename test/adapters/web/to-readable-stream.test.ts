import { describe, expect, test } from "vitest";
import { fromReadableStream, toReadableStream } from "../../../adapters/web/index.ts";
import { type Discarded, fromIterable, partitionDispatcher, producer } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { counted, countedSignal, Drain, endOf, origin, reporting, unheard, upstream, upTo, watch } from "./support.ts";

/** Reads so many chunks, one after the other. */
async function read<T>(reader: ReadableStreamDefaultReader<T>, count: number): Promise<(T | undefined)[]> {
  const values: (T | undefined)[] = [];
  for (let i = 0; i < count; i += 1) values.push((await reader.read()).value);
  return values;
}
async function all<T>(stream: ReadableStream<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

describe("what a ReadableStream asks for", () => {
  test("H19 lazy by default", async () => {
    const up = counted(testRuntime(), 9);
    const reader = toReadableStream(up.stage).getReader();
    await turns();
    expect(up.demands).toEqual([]);
    expect(await read(reader, 1)).toEqual([1]);
    await turns();
    expect(up.demands).toEqual([1]);
    expect(await read(reader, 2)).toEqual([2, 3]);
    expect(up.demands).toEqual([1, 1, 1]);
  });

  test("H19 with a high-water mark of 1: one ask", async () => {
    const up = counted(testRuntime(), 9);
    const reader = toReadableStream(up.stage, { highWaterMark: 1 }).getReader();
    await turns();
    expect(up.demands).toEqual([1]);
    expect(await read(reader, 1)).toEqual([1]);
    await turns();
    expect(up.demands).toEqual([1, 1]);
  });

  test("H19 with maxDemand it asks for as many, and for more at half", async () => {
    const up = counted(testRuntime(), 99);
    const reader = toReadableStream(up.stage, { maxDemand: 4 }).getReader();
    await turns();
    expect(up.demands).toEqual([]);
    const demands: number[][] = [];
    for (let i = 0; i < 6; i += 1) {
      await read(reader, 1);
      await turns();
      demands.push([...up.demands]);
    }
    expect(demands).toEqual([[4], [4], [4, 2], [4, 2], [4, 2, 2], [4, 2, 2]]);
  });

  test("H19 a high-water mark is filled at once, in batches of its size", async () => {
    const up = counted(testRuntime(), 99);
    const stream = toReadableStream(up.stage, { highWaterMark: 4 });
    await turns();
    // Two wait here for the next read.
    expect(up.demands).toEqual([4, 2]);
    expect(await read(stream.getReader(), 8)).toEqual(upTo(8));
  });

  test("H22 reads issued back to back, in order, and the last is done", async () => {
    const up = counted(testRuntime(), 3);
    const reader = toReadableStream(up.stage).getReader();
    const results = await Promise.all(upTo(5).map(() => reader.read()));
    expect(results).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: false, value: 3 },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    expect(up.demands.slice(0, 3)).toEqual([1, 1, 1]);
  });

  test.each([0, 1, 3])("H22 end without a pull, high-water mark %i", async (highWaterMark) => {
    const runtime = testRuntime();
    const reader = toReadableStream(fromIterable([1, 2], { runtime }), { highWaterMark }).getReader();
    const end = endOf(reader);
    expect(await read(reader, 3)).toEqual([1, 2, undefined]);
    await turns();
    expect(end.outcome).toBe("closed");
  });

  test("H22 a source that ends with nobody reading closes the stream", async () => {
    const up = upstream<number>(testRuntime());
    const end = endOf(toReadableStream(up.stage).getReader());
    up.stage.complete();
    await turns();
    expect(end.outcome).toBe("closed");
  });

  test("H25 pipeTo a slow WritableStream", async () => {
    const up = counted(testRuntime(), 4);
    const drain = new Drain<number>();
    const piped = toReadableStream(up.stage).pipeTo(drain.stream);
    const paces: number[][] = [];
    for (let i = 0; i < 4; i += 1) {
      await turns();
      // The sink has one in hand, and so does not want the next one.
      paces.push([drain.written.length, up.demands.length]);
      drain.acknowledge();
    }
    await piped;
    expect(paces).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
    expect([drain.written, drain.log]).toEqual([upTo(4), ["close"]]);
  });

  test("7.1 every value is a chunk", async () => {
    const values = [undefined, null, 0, "", Number.NaN];
    expect(await all(toReadableStream(fromIterable(values)))).toEqual(values);
  });

  test("7.1 size counts against the high-water mark", async () => {
    const runtime = testRuntime();
    const seen: string[] = [];
    const source = producer(
      (demand) => {
        const events = ["ab", "cd", "ef", "gh"].slice(seen.length, seen.length + demand);
        seen.push(...events);
        return events;
      },
      { runtime },
    );
    const stream = toReadableStream(source, { highWaterMark: 3, size: (text) => text.length });
    await turns();
    expect(seen).toEqual(["ab", "cd"]);
    expect(await read(stream.getReader(), 2)).toEqual(["ab", "cd"]);
  });

  test("1.4 two streams compete for one producer", async () => {
    const runtime = testRuntime();
    const source = fromIterable(upTo(6), { runtime });
    const [a, b] = [toReadableStream(source).getReader(), toReadableStream(source).getReader()];
    const seen = [...(await read(a, 1)), ...(await read(b, 1)), ...(await read(a, 1)), ...(await read(b, 1))];
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test("1.7 a partition of its own", async () => {
    const runtime = testRuntime();
    const source = fromIterable(upTo(6), {
      runtime,
      dispatcher: partitionDispatcher({ partitions: 2, hash: (n: number) => n % 2 }),
    });
    const [even, odd] = [toReadableStream(source, { partition: 0 }), toReadableStream(source, { partition: 1 })];
    expect(() => toReadableStream(source, { partition: 1 })).toThrow(
      expect.objectContaining({ code: "ERR_PARTITION_TAKEN" }),
    );
    expect(await Promise.all([all(even), all(odd)])).toEqual([
      [2, 4, 6],
      [1, 3, 5],
    ]);
  });
});

describe("how a ReadableStream ends", () => {
  test.each([undefined, 0, new Error("E")])("H21 error by identity: %s", async (error) => {
    const up = upstream<number>(testRuntime());
    const reader = toReadableStream(up.stage).getReader();
    const end = endOf(reader);
    const pending = watch(read(reader, 1) as Promise<unknown> as Promise<void>);
    await turns();
    up.stage.fail(error);
    await turns();
    expect([end.outcome, pending.outcome]).toEqual([{ error }, { error }]);
  });

  test.each([0, 1, 9])("H21 an error comes behind the events before it, high-water mark %i", async (highWaterMark) => {
    const up = upstream<number>(testRuntime());
    const reader = toReadableStream(up.stage, { highWaterMark, maxDemand: 3 }).getReader();
    const first = reader.read();
    await turns();
    up.stage.push([1, 2, 3]);
    await turns();
    up.stage.fail("E");
    await turns();
    expect([(await first).value, ...(await read(reader, 2))]).toEqual([1, 2, 3]);
    const last = watch(read(reader, 1) as Promise<unknown> as Promise<void>);
    await turns();
    expect(last.outcome).toEqual({ error: "E" });
  });

  test("H21 a producer that was stopped closes the stream", async () => {
    const up = upstream<number>(testRuntime());
    const end = endOf(toReadableStream(up.stage).getReader());
    await up.stage.stop();
    await turns();
    expect(end.outcome).toBe("closed");
    expect(() => toReadableStream(up.stage)).toThrow(expect.objectContaining({ code: "ERR_STOPPED" }));
  });

  test("H21 one that has ended before", async () => {
    const runtime = testRuntime();
    const completed = producer<number>({ handleDemand: () => [] }, { runtime });
    completed.complete();
    const failed = producer<number>({ handleDemand: () => [] }, { runtime });
    failed.done.catch(() => {});
    failed.fail("E");
    await turns();
    const ends = [completed, failed].map((source) => endOf(toReadableStream(source).getReader()));
    await turns();
    expect(ends.map(({ outcome }) => outcome)).toEqual(["closed", { error: "E" }]);
  });
});

describe("cancelling a ReadableStream", () => {
  test.each([undefined, "why", new Error("E")])("H23 cancel(%s) reaches the producer", async (reason) => {
    const up = upstream<number>(testRuntime());
    const stream = toReadableStream(up.stage);
    await turns();
    await stream.cancel(reason);
    expect(up.ends).toEqual([{ type: "cancel", reason }]);
    expect(up.stage.state).toBe("running");
  });

  test("H23 waits until the cancel of a producer that ends with it has finished", async () => {
    const hook = Promise.withResolvers<void>();
    const from = origin<number>({ cancel: () => hook.promise });
    const stream = toReadableStream(fromReadableStream(from.stream, { runtime: testRuntime() }));
    await turns();
    const cancelled = watch(stream.cancel("why"));
    await turns();
    expect([from.cancels.length, cancelled.outcome]).toEqual([1, undefined]);
    hook.resolve();
    await turns();
    expect(cancelled.outcome).toBe("completed");
  });

  test("H23 rejects with the failure of the producer", async () => {
    const error = new Error("E");
    const source = producer<number, object, number, number, number>(
      { handleDemand: () => [], handleCancel: (_, __, stage) => stage.fail(error) },
      { runtime: testRuntime() },
    );
    const stream = toReadableStream(source);
    await turns();
    await expect(stream.cancel()).rejects.toBe(error);
  });

  test("H23 what a cancel hook fails with goes to onReport", async () => {
    const { reports, onReport } = reporting();
    const from = origin<number>({ cancel: () => Promise.reject(new Error("E")) });
    const stream = toReadableStream(fromReadableStream(from.stream, { runtime: testRuntime(), onReport }));
    await turns();
    await stream.cancel();
    expect(reports).toEqual([[new Error("E"), "terminate"]]);
  });

  test("5.6 events that were not passed on go back", async () => {
    const runtime = testRuntime();
    const source = fromIterable(upTo(9), { runtime, onLastCancel: "continue" });
    const stream = toReadableStream(source, { maxDemand: 8 });
    for await (const n of stream) if (n === 3) break;
    expect(await all(toReadableStream(source))).toEqual([4, 5, 6, 7, 8, 9]);
  });

  test("5.6 a pipeTo that fails gives back what it has not written", async () => {
    const runtime = testRuntime();
    const source = fromIterable(upTo(9), { runtime, onLastCancel: "continue" });
    const drain = new Drain<number>();
    const piped = watch(toReadableStream(source, { maxDemand: 8 }).pipeTo(drain.stream));
    await turns();
    drain.fail("W");
    await turns();
    expect([piped.outcome, drain.written, source.bufferedCount]).toEqual([{ error: "W" }, [1], 7]);
  });

  // A producer that ends without its consumers does so at once; another one waits for what they may give back.
  test.each([
    ["stop", "completed", [["stop", [2, 3]]], []],
    ["continue", "ending", [], [2, 3]],
  ] as const)(
    "H23 behind the producer's end there is nothing to wait for: %s",
    async (onLastCancel, state, lost, back) => {
      const discarded: unknown[] = [];
      const runtime = testRuntime();
      const onDiscard = ({ events, cause }: Discarded): void => void discarded.push([cause, events]);
      const source = producer<number>({ handleDemand: () => [] }, { runtime, onLastCancel, onDiscard });
      const reader = toReadableStream(source, { maxDemand: 3 }).getReader();
      const first = reader.read();
      await turns();
      source.push([1, 2, 3]);
      source.complete();
      await turns();
      expect(source.state).toBe(state);
      await reader.cancel();
      expect([await first, discarded]).toEqual([{ done: false, value: 1 }, lost]);
      expect(await all(toReadableStream(source))).toEqual(back);
      await source.done;
    },
  );

  test("H23 a failure that waits behind events nobody reads is reported", async () => {
    const { reports, onReport } = reporting();
    const source = producer<number>(
      { handleDemand: () => [] },
      { runtime: testRuntime(), onReport, onDiscard: () => {} },
    );
    const stream = toReadableStream(source, { maxDemand: 3 });
    const reader = stream.getReader();
    const first = reader.read();
    await turns();
    source.push([1, 2]);
    await first;
    source.fail("E");
    await turns();
    await reader.cancel();
    await turns();
    expect(reports).toEqual([["E", "done"]]);
  });
});

describe("a signal over a ReadableStream", () => {
  test("J01 aborted before attach", async () => {
    const up = upstream<number>(testRuntime());
    const reader = toReadableStream(up.stage, { signal: AbortSignal.abort("why"), highWaterMark: 1 }).getReader();
    await turns();
    await expect(reader.read()).rejects.toBe("why");
    expect([up.demands, up.ends]).toEqual([[], []]);
  });

  test("J02 J03 J07 aborted with a read pending", async () => {
    const up = upstream<number>(testRuntime());
    const { controller, listeners } = countedSignal();
    const stream = toReadableStream(up.stage, { signal: controller.signal });
    const reader = stream.getReader();
    const pending = watch(read(reader, 1) as Promise<unknown> as Promise<void>);
    await turns();
    expect([up.demands, listeners()]).toEqual([[1], 1]);
    controller.abort("why");
    await turns();
    expect([pending.outcome, up.ends]).toEqual([{ error: "why" }, [{ type: "cancel", reason: "why" }]]);
    expect(listeners()).toBe(0);
  });

  test.each(["end", "error", "cancel"])("J07 listener removed after %s", async (how) => {
    const up = upstream<number>(testRuntime());
    const { controller, listeners } = countedSignal();
    const stream = toReadableStream(up.stage, { signal: controller.signal });
    await turns();
    if (how === "end") up.stage.complete();
    else if (how === "error") up.stage.fail("E");
    else await stream.cancel();
    await turns();
    expect(listeners()).toBe(0);
    controller.abort();
    await turns();
  });

  test("J05 aborted in the tick of the end", async () => {
    const up = upstream<number>(testRuntime());
    const controller = new AbortController();
    const end = endOf(toReadableStream(up.stage, { signal: controller.signal }).getReader());
    await turns();
    up.stage.complete();
    controller.abort("why");
    await turns();
    expect(end.outcome).toEqual({ error: "why" });
  });

  test("J06 aborted inside a loop", async () => {
    const controller = new AbortController();
    const runtime = testRuntime();
    const source = fromIterable(upTo(9), { runtime, onLastCancel: "continue" });
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const n of toReadableStream(source, { signal: controller.signal, maxDemand: 4 })) {
        seen.push(n);
        if (n === 2) controller.abort("why");
      }
    };
    await expect(loop()).rejects.toBe("why");
    await turns();
    expect([seen, await all(toReadableStream(source))]).toEqual([
      [1, 2],
      [3, 4, 5, 6, 7, 8, 9],
    ]);
  });
});

describe("wrong calls", () => {
  test.each([undefined, null, [1], new ReadableStream()])("1.3 %s is no producer", (value) => {
    expect(() => toReadableStream(value as never)).toThrow(expect.objectContaining({ code: "ERR_NOT_PRODUCER" }));
  });

  test.each([
    [{ highWaterMark: -1 }, "ERR_RANGE"],
    [{ highWaterMark: Number.NaN }, "ERR_RANGE"],
    [{ highWaterMark: "1" }, "ERR_OPTION"],
    [{ size: 1 }, "ERR_OPTION"],
    [{ type: "byte" }, "ERR_OPTION"],
    [{ type: "bytes", size: () => 1 }, "ERR_OPTION"],
    [{ maxDemand: 0 }, "ERR_RANGE"],
    [{ signal: "x" }, "ERR_OPTION"],
    [{ signal: {} }, "ERR_OPTION"],
  ])("1.1 J10 options %o", async (options, code) => {
    const up = upstream<number>(testRuntime());
    expect(() => toReadableStream(up.stage, options as object)).toThrow(expect.objectContaining({ code }));
    await turns();
    expect([up.demands, up.ends]).toEqual([[], []]);
  });

  test("6.1 a size function that throws fails the stream; the event goes back with the others", async () => {
    const runtime = testRuntime();
    const source = fromIterable(upTo(4), { runtime, onLastCancel: "continue" });
    const stream = toReadableStream(source, {
      highWaterMark: 9,
      maxDemand: 4,
      size: (n) => {
        if (n === 2) throw new Error("size");
        return 1;
      },
    });
    await turns();
    await expect(stream.getReader().read()).rejects.toThrow("size");
    expect(await all(toReadableStream(source))).toEqual([2, 3, 4]);
  });

  test("K05 no rejection without a handler, whatever ends it", async () => {
    const heard = await unheard(async () => {
      for (const how of ["end", "error", "cancel", "abort"]) {
        const up = upstream<number>(testRuntime());
        const controller = new AbortController();
        const stream = toReadableStream(up.stage, { signal: controller.signal, highWaterMark: 2 });
        await turns();
        if (how === "end") up.stage.complete();
        else if (how === "error") up.stage.fail("E");
        else if (how === "cancel") void stream.cancel("why");
        else controller.abort("why");
        await turns();
      }
    });
    expect(heard).toEqual([]);
  });
});

const failing = (events: readonly number[], error: Error) =>
  producer<number>(
    {
      handleDemand(_demand, stage) {
        stage.push(events);
        stage.fail(error, { after: "buffer" });
      },
    },
    { runtime: testRuntime() },
  );
/** What a reader gets, and what it fails with. */
async function outcomeOf(stream: ReadableStream<number>): Promise<readonly unknown[]> {
  const reader = stream.getReader();
  const seen: unknown[] = [];
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) seen.push(next.value);
  } catch (error) {
    seen.push(error);
  }
  return seen;
}

describe("a failure behind what the stream keeps ready", () => {
  const error = new Error("late");

  test.each([0, 1, 10, Number.POSITIVE_INFINITY])(
    "5.8 comes last with a high-water mark of %s",
    async (highWaterMark) => {
      const stream = toReadableStream(failing([1, 2], error), { highWaterMark, maxDemand: 4 });
      await turns();
      expect(await outcomeOf(stream)).toEqual([1, 2, error]);
    },
  );

  test("5.8 comes behind an event that went to a read which waited, though rests of fractions are left", async () => {
    const source = producer<number>(() => {}, { runtime: testRuntime() });
    const stream = toReadableStream(source, { highWaterMark: 0.5, size: (part) => part, maxDemand: 100 });
    const reader = stream.getReader();
    await turns();
    source.push([0.1, 0.2, 0.3]);
    await turns();
    expect(await read(reader, 3)).toEqual([0.1, 0.2, 0.3]);
    const next = reader.read();
    await turns();
    source.push([7]);
    expect((await next).value).toBe(7);
    await turns();
    source.fail(error);
    await expect(reader.read()).rejects.toBe(error);
  });

  test("5.8 comes behind fractions, however many may be kept", async () => {
    const stream = toReadableStream(failing([1, 2, 3], error), {
      highWaterMark: Number.POSITIVE_INFINITY,
      size: () => 0.25,
      maxDemand: 8,
    });
    await turns();
    expect(await outcomeOf(stream)).toEqual([1, 2, 3, error]);
  });

  test("5.8 comes, though sums of fractions are not exact", async () => {
    const parts = [0.7, 0.1, 0.2, 0.3];
    const stream = toReadableStream(failing(parts, error), { highWaterMark: 1, size: (part) => part, maxDemand: 10 });
    await turns();
    expect(await outcomeOf(stream)).toEqual([...parts, error]);
  });
});
