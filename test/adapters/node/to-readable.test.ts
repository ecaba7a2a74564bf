import { pipeline as pipelineAsync } from "node:stream/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { toReadable } from "../../../adapters/node/index.ts";
import { broadcastDispatcher, fromIterable, partitionDispatcher, producer } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { counted, endOf, implementations, refusesGone, upstream } from "./support.ts";

const expectCode = (run: () => unknown, code: string) => expect(run).toThrow(expect.objectContaining({ code }));

describe.each(implementations)("a Readable of %s from a stage", (name, streams) => {
  const { Readable, Writable, pipeline } = streams;
  let runtime: TestRuntime;
  beforeEach(() => {
    runtime = testRuntime();
  });

  test("B01 nothing is asked for until somebody reads", async () => {
    const { stage, demands } = counted(runtime, 10);
    const readable = toReadable(stage, { Readable, highWaterMark: 1 });
    await turns();
    expect(demands).toEqual([]);
    readable.on("readable", () => {});
    await turns();
    expect(demands).toEqual([1]);
    expect(readable.readableLength).toBe(1);
    expect(readable.read()).toBe(1);
    await turns();
    expect(demands).toEqual([1, 1]);
    expect(readable.readableLength).toBe(1);
  });

  test("B02 a high-water mark of 0: one ask for each read", async () => {
    const { stage, demands } = counted(runtime, 5);
    const readable = toReadable(stage, { Readable, highWaterMark: 0 });
    const said = endOf(readable);
    let readables = 0;
    await turns();
    expect(demands).toEqual([]);
    const got: unknown[] = [];
    readable.on("readable", () => {
      readables += 1;
      for (let event: unknown = readable.read(); event !== null; event = readable.read()) got.push(event);
    });
    await turns(12);
    expect(got).toEqual([1, 2, 3, 4, 5]);
    expect(demands).toEqual([1, 1, 1, 1, 1]);
    expect(readables).toBeGreaterThanOrEqual(5);
    expect(said).toEqual(["end", "close"]);
  });

  test("B03 one ask for what the high-water mark leaves room for", async () => {
    const { stage, demands } = upstream<number>(runtime);
    const readable = toReadable(stage, { Readable, highWaterMark: 16 });
    readable.on("readable", () => {});
    await turns();
    expect(demands).toEqual([16]);
    stage.push(range(1, 10));
    await turns();
    expect([demands, readable.readableLength]).toEqual([[16], 10]);
    stage.push(range(11, 16));
    await turns();
    expect([demands, readable.readableLength]).toEqual([[16], 16]);
    expect([readable.read(), readable.read(), readable.read()]).toEqual([1, 2, 3]);
    await turns();
    expect(demands).toEqual([16, 3]);
  });

  test("B03 maxDemand bounds an ask", async () => {
    const { stage, demands } = upstream<number>(runtime);
    const readable = toReadable(stage, { Readable, highWaterMark: 16, maxDemand: 4 });
    readable.on("readable", () => {});
    await turns();
    stage.push([1, 2, 3]);
    await turns();
    expect(demands).toEqual([4, 3]);
  });

  test("B03 bytes are asked for one event at a time, or by maxDemand", async () => {
    for (const [maxDemand, expected] of [
      [undefined, [1, 1]],
      [3, [3, 1]],
    ] as const) {
      const { stage, demands } = upstream<string>(runtime);
      const readable = toReadable(stage, { Readable, objectMode: false, maxDemand });
      readable.on("readable", () => {});
      await turns();
      stage.push(["abc"]);
      await turns();
      expect(readable.readableLength).toBe(3);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await turns();
      expect(demands).toEqual(expected);
    }
  });

  test("B05 null is refused", async () => {
    const up = upstream<unknown>(runtime, () => [1, null, 2]);
    const readable = toReadable(up.stage, { Readable });
    const said = endOf(readable);
    const errors: unknown[] = [];
    readable.on("error", (error: { code?: string }) => errors.push(error.code)).resume();
    await turns();
    expect(errors).toEqual(["ERR_STREAM_NULL_VALUES"]);
    expect(said.filter((word) => !word.startsWith("error"))).toEqual(["close"]);
    expect(up.ends).toEqual([{ type: "cancel", reason: readable.errored }]);
    expect(up.stage.bufferedCount).toBe(1);
  });

  test("B06 undefined is an event of objects, and none of bytes", async () => {
    const objects = toReadable(fromIterable([undefined, 1], { runtime }), { Readable });
    expect(await objects.toArray()).toEqual([undefined, 1]);
    const up = upstream<unknown>(runtime, () => [undefined]);
    const bytes = toReadable(up.stage, { Readable, objectMode: false });
    endOf(bytes);
    bytes.resume();
    await turns();
    expect(bytes.errored).toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
    expect(up.ends).toEqual([{ type: "cancel", reason: bytes.errored }]);
  });

  test.each([[{}], [0], [[]]])("B07 %j is not for bytes", async (event) => {
    const up = upstream<unknown>(runtime, () => [event]);
    const readable = toReadable(up.stage, { Readable, objectMode: false });
    const said = endOf(readable);
    readable.resume();
    await turns();
    expect(readable.errored).toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
    expect(said).toHaveLength(2);
    expect(up.ends).toEqual([{ type: "cancel", reason: readable.errored }]);
  });

  test("B07 empty chunks do not stall bytes", async () => {
    const source = fromIterable(["", "a", Buffer.alloc(0), "", "b", ""], { runtime });
    const readable = toReadable(source, { Readable, objectMode: false, highWaterMark: 0 });
    readable.setEncoding("utf8");
    expect((await readable.toArray()).join("")).toBe("ab");
  });

  test("B09 the end of an empty source waits for a reader", async () => {
    const readable = toReadable(fromIterable([], { runtime }), { Readable });
    const said = endOf(readable);
    await turns();
    expect(said).toEqual([]);
    readable.resume();
    await turns();
    expect(said).toEqual(["end", "close"]);
  });

  test("B19 two readers get all, at the pace of the slower", async () => {
    const up = counted(runtime, 10);
    const readable = toReadable(up.stage, { Readable, highWaterMark: 2 });
    const fast: unknown[] = [];
    const slow: unknown[] = [];
    const waiting: (() => void)[] = [];
    const sink = (into: unknown[], hold: boolean) =>
      new Writable({
        objectMode: true,
        highWaterMark: 1,
        write(event, _encoding, callback) {
          into.push(event);
          if (hold) waiting.push(callback);
          else callback();
        },
      });
    readable.pipe(sink(fast, false));
    readable.pipe(sink(slow, true));
    await turns(10);
    expect(slow).toEqual([1]);
    expect(fast).toEqual([1]);
    while (waiting.length > 0) {
      waiting.shift()?.();
      // oxlint-disable-next-line no-await-in-loop -- one write at a time
      await turns();
    }
    expect(slow).toEqual(range(1, 10));
    expect(fast).toEqual(range(1, 10));
  });

  test("B21 an error at the far end of a pipeline cancels", async () => {
    const up = counted(runtime, 100);
    const error = new Error("disk full");
    const failing = new Writable({ objectMode: true, write: (_event, _encoding, callback) => callback(error) });
    const told: unknown[] = [];
    pipeline(toReadable(up.stage, { Readable }), failing, (result) => void told.push(result));
    await turns();
    expect(told).toEqual([error]);
    expect(up.ends).toHaveLength(1);
  });

  test("B22 a destination that is gone already cancels", async () => {
    const up = upstream<number>(runtime);
    const gone = new Writable({ objectMode: true });
    gone.destroy();
    await turns();
    const told: unknown[] = [];
    const readable = toReadable(up.stage, { Readable });
    const run = () => pipeline(readable, gone, (error) => void told.push((error as { code?: string } | null)?.code));
    const refused = refusesGone(streams);
    if (refused) expectCode(run, "ERR_STREAM_UNABLE_TO_PIPE");
    else run();
    await turns();
    // Node 24 and 26 refuse the destination before they touch the source, which stays its owner's to destroy; Node 22 and
    // readable-stream pipe into it, find it closed, and destroy the source.
    expect([told, readable.destroyed, up.ends.length]).toEqual(
      refused ? [[], false, 0] : [["ERR_STREAM_PREMATURE_CLOSE"], true, 1],
    );
    readable.destroy();
    await turns();
    expect(up.ends).toHaveLength(1);
    expect([up.stage.demand, readable.destroyed]).toEqual([0, true]);
  });

  test("B23 Node's own operators", async () => {
    const make = () => counted(runtime, 6);
    const up = counted(runtime, 100);
    const taken = await toReadable(up.stage, { Readable }).take(2).toArray();
    await turns();
    expect([taken, up.ends.length]).toEqual([[1, 2], 1]);
    const readable = () => toReadable(make().stage, { Readable });
    expect(
      await readable()
        .map((n: number) => n * 2)
        .toArray(),
    ).toEqual([2, 4, 6, 8, 10, 12]);
    expect(
      await readable()
        .flatMap((n: number) => [n, n])
        .toArray(),
    ).toHaveLength(12);
    expect(await readable().drop(4).toArray()).toEqual([5, 6]);
    expect(
      await readable()
        .filter((n: number) => n > 4)
        .toArray(),
    ).toEqual([5, 6]);
    expect(await readable().reduce((sum: number, n: number) => sum + n, 0)).toBe(21);
    expect(await readable().some((n: number) => n === 3)).toBe(true);
    const each: number[] = [];
    await readable().forEach((n: number) => void each.push(n));
    expect(each).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("B25 a signal destroys with an AbortError", async () => {
    const controller = new AbortController();
    const up = upstream<number>(runtime);
    const readable = toReadable(up.stage, { Readable, signal: controller.signal });
    endOf(readable);
    await turns();
    controller.abort(new Error("time is up"));
    await turns();
    expect(readable.errored).toMatchObject({ name: "AbortError" });
    expect(up.ends).toEqual([{ type: "cancel" }]);
  });

  test("B26 read and resume from a data handler", async () => {
    const readable = toReadable(counted(runtime, 10).stage, { Readable, highWaterMark: 3 });
    const said = endOf(readable);
    const got: number[] = [];
    readable.on("data", (event: number) => {
      got.push(event);
      if (event % 3 === 0) readable.read();
      readable.resume();
    });
    await turns(20);
    expect(got).toEqual(range(1, 10));
    expect(said).toEqual(["end", "close"]);
  });

  test("the class is Node's unless another is given", async () => {
    const readable = toReadable(fromIterable([1, 2], { runtime }));
    expect(readable.constructor).toBe((await import("node:stream")).Readable);
    expect(toReadable(fromIterable([1], { runtime }), { Readable })).toBeInstanceOf(Readable);
    expect(name === "node:stream").toBe(readable.constructor === Readable);
    const got: unknown[] = [];
    await pipelineAsync(readable, async (events: AsyncIterable<unknown>) => {
      for await (const event of events) got.push(event);
    });
    expect(got).toEqual([1, 2]);
  });

  test("options of the dispatcher go along", async () => {
    const split = fromIterable(range(1, 6), {
      runtime,
      dispatcher: partitionDispatcher({ partitions: 2, hash: (event: number) => event % 2 }),
    });
    const even = toReadable(split, { Readable, partition: 0 });
    const odd = toReadable(split, { Readable, partition: 1 });
    expect(() => toReadable(split, { Readable, partition: 1 })).toThrow(
      expect.objectContaining({ code: "ERR_PARTITION_TAKEN" }),
    );
    expect(await Promise.all([even.toArray(), odd.toArray()])).toEqual([
      [2, 4, 6],
      [1, 3, 5],
    ]);
    const all = fromIterable(range(1, 6), { runtime, dispatcher: broadcastDispatcher() });
    const two = [toReadable(all, { Readable }), toReadable(all, { Readable, selector: (n: number) => n > 4 })];
    expect(await Promise.all(two.map((readable) => readable.toArray()))).toEqual([range(1, 6), [5, 6]]);
  });

  test("a producer's callbacks see a subscription, and may cancel it", async () => {
    const seen: unknown[] = [];
    const events = [1, 2];
    const stage = producer(
      {
        handleDemand: (demand) => events.splice(0, demand),
        handleSubscribe(role, subscription) {
          seen.push(role, subscription.options.data, subscription.consumer.name, subscription.state);
          expect(() => subscription.ask(1)).toThrow(expect.objectContaining({ code: "ERR_ASK_AUTOMATIC" }));
          expect(() => subscription.resubscribe()).toThrow(expect.objectContaining({ code: "ERR_ASK_AUTOMATIC" }));
          setImmediate(() => subscription.cancel());
        },
      },
      { runtime },
    );
    const readable = toReadable(stage, { Readable, highWaterMark: 2, data: 7 });
    expect(await readable.toArray()).toEqual([1, 2]);
    expect(seen).toEqual(["consumer", 7, "toReadable", "active"]);
  });

  test("arguments that are none are refused at once", () => {
    const { stage, ends } = upstream<number>(runtime);
    expectCode(() => toReadable({} as never, { Readable }), "ERR_NOT_PRODUCER");
    expectCode(() => toReadable(undefined as never), "ERR_NOT_PRODUCER");
    expectCode(() => toReadable(stage, { Readable, maxDemand: 0 }), "ERR_RANGE");
    for (const highWaterMark of [-5, Number.NaN, "5", true])
      expectCode(
        () => toReadable(stage, { Readable, highWaterMark: highWaterMark as number }),
        "ERR_INVALID_ARG_VALUE",
      );
    expect(ends).toEqual([]);
    expect(stage.inspect().links).toEqual([]);
  });
});
