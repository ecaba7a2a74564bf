import { beforeEach, describe, expect, test } from "vitest";
import { fromReadable } from "../../../adapters/node/index.ts";
import { ArgumentError, consumer, partitionDispatcher } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { codeOf, implementations, listeners, probe } from "./support.ts";

const expectCode = (run: () => unknown, code: string) => expect(run).toThrow(expect.objectContaining({ code }));

describe.each(implementations)("reading from a Readable of %s", (_, { PassThrough, Readable }) => {
  let runtime: TestRuntime;
  beforeEach(() => {
    runtime = testRuntime();
  });

  /** Pushes 1, 2, … for every `read`, up to `last`. */
  const counting = (highWaterMark: number, last = Number.POSITIVE_INFINITY) => {
    const calls = { reads: 0 };
    const readable = new Readable({
      objectMode: true,
      highWaterMark,
      read() {
        calls.reads += 1;
        this.push(calls.reads > last ? null : calls.reads);
      },
    });
    return { readable, calls };
  };

  test("A01 no read before demand", async () => {
    const { readable, calls } = counting(0, 3);
    const source = fromReadable<number>(readable, { runtime });
    const { seen, subscription } = probe(source, runtime);
    await turns();
    expect(calls.reads).toBe(0);
    expect(readable.readableFlowing).not.toBe(true);
    subscription.ask(10);
    await turns();
    expect(seen).toEqual([1, 2, 3]);
  });

  test("A01 no read before the first consumer, whatever the high-water mark", async () => {
    const { readable, calls } = counting(16, 3);
    fromReadable<number>(readable, { runtime });
    await turns();
    expect(calls.reads).toBe(0);
    expect(listeners(readable)).toMatchObject({ error: 1 });
    expect(readable.listenerCount("readable")).toBe(0);
  });

  test("A02 read-ahead is bounded by the high-water mark", async () => {
    const { readable, calls } = counting(16);
    const source = fromReadable<number>(readable, { runtime });
    const { seen, subscription } = probe(source, runtime);
    subscription.ask(1);
    await turns();
    expect(seen).toEqual([1]);
    expect(readable.readableLength).toBe(16);
    expect(calls.reads).toBe(17);
    expect(source.bufferedCount).toBe(0);
  });

  test("A03 push during ask", async () => {
    let depth = 0;
    let deepest = 0;
    let next = 0;
    const readable = new Readable({
      objectMode: true,
      highWaterMark: 0,
      read() {
        depth += 1;
        deepest = Math.max(deepest, depth);
        next += 1;
        this.push(next);
        depth -= 1;
      },
    });
    const { seen, subscription } = probe(fromReadable<number>(readable, { runtime }), runtime);
    subscription.ask(3);
    await turns();
    expect(seen).toEqual([1, 2, 3]);
    expect(next).toBe(3);
    expect(deepest).toBe(1);
  });

  test("A06 object mode keeps falsy values", async () => {
    const readable = new Readable({ objectMode: true, read() {} });
    for (const event of [false, 0, "", undefined, null]) readable.push(event);
    const it = probe(fromReadable<unknown>(readable, { runtime }), runtime);
    it.subscription.ask(10);
    await turns();
    expect(it.seen).toEqual([false, 0, "", undefined]);
    expect(it.outcome).toBe("completed");
  });

  test("A07 undefined from read() is an event", async () => {
    const readable = new Readable({ objectMode: true, read() {} });
    readable.push(undefined);
    const it = probe(fromReadable<unknown>(readable, { runtime }), runtime);
    it.subscription.ask(2);
    await turns();
    expect(it.seen).toEqual([undefined]);
    expect(it.outcome).toBeUndefined();
    readable.push(7);
    await turns();
    expect(it.seen).toEqual([undefined, 7]);
  });

  test("A10 the end comes behind what is buffered, without another ask", async () => {
    const readable = new Readable({ objectMode: true, read() {} });
    for (const event of [1, 2, 3, null]) readable.push(event);
    const it = probe(fromReadable<number>(readable, { runtime }), runtime);
    for (const n of [1, 2]) {
      it.subscription.ask(1);
      await turns();
      expect(it.seen).toEqual(range(1, n));
      expect(it.outcome).toBeUndefined();
    }
    it.subscription.ask(1);
    await turns();
    expect(it.seen).toEqual([1, 2, 3]);
    expect(it.outcome).toBe("completed");
  });

  test("A10 an end that comes later is noticed without demand", async () => {
    const readable = new Readable({ objectMode: true, highWaterMark: 0, read() {} });
    const it = probe(fromReadable<number>(readable, { runtime }), runtime);
    it.subscription.ask(1);
    await turns();
    readable.push(1);
    await turns();
    expect(it.outcome).toBeUndefined();
    readable.push(null);
    await turns();
    expect(it.seen).toEqual([1]);
    expect(it.outcome).toBe("completed");
  });

  test.each([
    ["ended before", 0, true],
    ["ended before", 16, true],
    ["that ends when read", 16, false],
  ])("A11 the end of an empty stream %s needs no demand (highWaterMark %i)", async (_when, highWaterMark, before) => {
    const readable = new Readable({
      highWaterMark,
      read() {
        this.push(null);
      },
    });
    if (before) readable.push(null);
    const it = probe(fromReadable<Buffer>(readable, { runtime }), runtime);
    await turns();
    expect(it.seen).toEqual([]);
    expect(it.outcome).toBe("completed");
  });

  test("A11 a PassThrough ended after the subscription needs no demand", async () => {
    const readable = new PassThrough();
    const it = probe(fromReadable<Buffer>(readable, { runtime }), runtime);
    await turns();
    expect(it.outcome).toBeUndefined();
    readable.end();
    await turns();
    expect(it.outcome).toBe("completed");
  });

  test("A33 a Readable that flows to somebody else is refused", () => {
    const readable = new Readable({ read() {} });
    readable.on("data", () => {});
    let error: unknown;
    try {
      fromReadable(readable, { runtime });
    } catch (thrown) {
      error = thrown;
    }
    expect(error instanceof ArgumentError && error instanceof TypeError).toBe(true);
    expect(error).toMatchObject({ code: "ERR_NOT_SOURCE" });
    expect(listeners(readable)).toEqual({ data: 1 });
  });

  test("A33 a Readable that was set flowing before the first consumer fails the producer", async () => {
    const readable = new Readable({ objectMode: true, read() {} });
    const source = fromReadable<number>(readable, { runtime });
    const taken: number[] = [];
    readable.on("data", (event: number) => taken.push(event));
    await turns();
    readable.push(1);
    const it = probe(source, runtime);
    it.subscription.ask(1);
    await turns();
    expect(taken).toEqual([1]);
    expect(it.seen).toEqual([]);
    expect(codeOf(it.outcome)).toBe("ERR_NOT_SOURCE");
  });

  test("A33 a second producer of one Readable is refused, and the first gets all there is", async () => {
    const { readable } = counting(16, 4);
    const it = probe(fromReadable<number>(readable, { runtime }), runtime);
    await turns();
    const before = listeners(readable);
    expectCode(() => fromReadable(readable, { runtime }), "ERR_NOT_SOURCE");
    expect(() => fromReadable(readable, { runtime })).toThrow(
      "expected a Readable that nothing else reads, got one that is read already (",
    );
    expect(listeners(readable)).toEqual(before);
    it.subscription.ask(2);
    await turns();
    expectCode(() => fromReadable(readable, { runtime }), "ERR_NOT_SOURCE");
    it.subscription.ask(3);
    await turns();
    expect([it.seen, it.outcome]).toEqual([range(1, 4), "completed"]);
  });

  test("A33 one that was left open is free again once its producer has ended", async () => {
    const { readable } = counting(16, 6);
    const options = { runtime, destroyOnCancel: false };
    const first = fromReadable<number>(readable, options);
    await first.stop();
    const aborted = new AbortController();
    const second = fromReadable<number>(readable, { ...options, signal: aborted.signal });
    second.done.catch(() => {});
    aborted.abort();
    await turns();
    const it = probe(fromReadable<number>(readable, options), runtime);
    it.subscription.ask(2);
    await turns();
    it.subscription.cancel();
    await turns();
    const rest = probe(fromReadable<number>(readable, options), runtime);
    rest.subscription.ask(5);
    await turns();
    expect([it.seen, rest.seen, rest.outcome]).toEqual([[1, 2], range(3, 6), "completed"]);
  });

  test.each([0, 10])("A33 loops one after the other over one that is left open (%i ms per event)", async (ms) => {
    const { readable } = counting(16);
    const seen: number[] = [];
    for (const last of [1, 3, 9])
      for await (const event of fromReadable<number>(readable, { runtime, destroyOnCancel: false })) {
        seen.push(event);
        // With the budget used up, the producer hears only behind the next macrotask that the loop has left.
        runtime.clock.advance(ms);
        if (event === last) break;
      }
    expect(seen).toEqual(range(1, 9));
  });

  test("A33 what is left of one that has emitted its end goes to onDiscard", async () => {
    const { readable } = counting(16, 4);
    const discarded: unknown[] = [];
    const source = fromReadable<number>(readable, {
      runtime,
      destroyOnCancel: false,
      onDiscard: ({ events, cause }) => void discarded.push(cause, ...events),
    });
    for await (const event of source.events({ maxDemand: 5 })) {
      await turns();
      if (event === 2) break;
    }
    await turns();
    expect([readable.readableEnded, discarded]).toEqual([true, ["stop", 3, 4]]);
  });

  test("A33 options that are refused do not take the Readable", () => {
    const { readable } = counting(16, 4);
    expectCode(() => fromReadable(readable, { bufferSize: -1 }), "ERR_RANGE");
    fromReadable(readable, { runtime });
    expectCode(() => fromReadable(readable, { runtime }), "ERR_NOT_SOURCE");
  });

  test("A34 somebody else's readable listener does not hold up reading", async () => {
    const { readable } = counting(16, 3);
    let told = 0;
    readable.on("readable", () => {
      told += 1;
    });
    const it = probe(fromReadable<number>(readable, { runtime }), runtime);
    it.subscription.ask(5);
    await turns();
    expect(it.seen).toEqual([1, 2, 3]);
    expect(it.outcome).toBe("completed");
    expect(told).toBeGreaterThan(0);
  });

  test("A35 a flow resumed in the same tick as we leave does not stall", async () => {
    const readable = new Readable({ objectMode: true, read() {} });
    for (const event of [1, 2, 3, null]) readable.push(event);
    const source = fromReadable<number>(readable, { runtime, destroyOnCancel: false });
    const it = probe(source, runtime);
    it.subscription.ask(1);
    await turns();
    const rest: number[] = [];
    let ended = false;
    readable.on("removeListener", (event) => {
      // The very tick in which the last listener of ours goes.
      if (event === "readable") readable.on("data", (value: number) => rest.push(value)).resume();
    });
    readable.on("end", () => {
      ended = true;
    });
    await source.stop();
    await turns();
    expect(it.seen).toEqual([1]);
    expect(rest).toEqual([2, 3]);
    expect(ended).toBe(true);
  });

  test("A41 nothing is read before a late construct, and everything after", async () => {
    const calls = { reads: 0 };
    const hook: { done?: (error?: Error | null) => void } = {};
    const make = () =>
      new Readable({
        objectMode: true,
        construct(callback) {
          hook.done = callback;
        },
        read() {
          calls.reads += 1;
          this.push(calls.reads > 2 ? null : calls.reads);
        },
      });
    const broken = new Error("no such thing");
    const failing = probe(fromReadable<number>(make(), { runtime }), runtime);
    failing.subscription.ask(1);
    await turns();
    hook.done?.(broken);
    await turns();
    expect(calls.reads).toBe(0);
    expect(failing.outcome).toEqual({ error: broken });

    const working = probe(fromReadable<number>(make(), { runtime }), runtime);
    working.subscription.ask(5);
    await turns();
    expect(calls.reads).toBe(0);
    hook.done?.();
    await turns();
    expect(working.seen).toEqual([1, 2]);
    expect(working.outcome).toBe("completed");
  });

  test("events whose consumer has left wait in the Readable when there is no room", async () => {
    const readable = new Readable({ objectMode: true, highWaterMark: 0, read() {} });
    const source = fromReadable<number>(readable, { runtime, bufferSize: 2 });
    const first = probe(source, runtime);
    const second = probe(source, runtime);
    first.subscription.ask(5);
    await turns();
    await first.stop();
    for (const event of range(1, 5)) readable.push(event);
    await turns();
    expect([source.bufferedCount, readable.readableLength, source.state]).toEqual([2, 3, "running"]);
    readable.push(null);
    second.subscription.ask(10);
    await turns();
    expect(second.seen).toEqual(range(1, 5));
    expect(second.outcome).toBe("completed");
  });

  test("options of a producer are the adapter's, too", async () => {
    const readable = Readable.from(range(1, 10));
    const source = fromReadable(readable, {
      runtime,
      name: "numbers",
      dispatcher: partitionDispatcher({ partitions: 2, hash: (event: number) => event % 2 }),
    });
    const even: number[] = [];
    const odd: number[] = [];
    const take = (into: number[]) => consumer((events: readonly number[]) => void into.push(...events), { runtime });
    take(even).subscribe(source, { partition: 0 });
    take(odd).subscribe(source, { partition: 1 });
    await turns();
    expect(source.name).toBe("numbers");
    expect(even).toEqual([2, 4, 6, 8, 10]);
    expect(odd).toEqual([1, 3, 5, 7, 9]);
  });

  test("options that are none are refused at once, without a listener", () => {
    const readable = new Readable({ read() {} });
    expectCode(() => fromReadable(readable, { destroyOnCancel: 1 as never }), "ERR_OPTION");
    expectCode(() => fromReadable(readable, { buffersize: 1 } as never), "ERR_OPTION");
    expectCode(() => fromReadable({} as never), "ERR_NOT_SOURCE");
    expectCode(() => fromReadable(undefined as never), "ERR_NOT_SOURCE");
    expect(listeners(readable)).toEqual({});
  });
});
