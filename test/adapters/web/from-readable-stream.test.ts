import { describe, expect, test } from "vitest";
import { fromReadableStream, type ReadableStreamLike } from "../../../adapters/web/index.ts";
import { collect, consumer, pipeline } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { byteOrigin, bytes, counting, endOf, origin, probe, queued, upTo } from "./support.ts";

const setUp = <T>(stream: ReadableStreamLike<T>, options: Parameters<typeof fromReadableStream<T>>[1] = {}) => {
  const runtime = testRuntime();
  const source = fromReadableStream(stream, { runtime, ...options });
  return { runtime, source, it: probe(source, runtime) };
};

/** A stream whose reads are answered by hand. */
function byHand() {
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
  const stream: ReadableStreamLike<number> = { locked: false, getReader: () => reader };
  return { stream, reads };
}
const defaultOf = (...args: Parameters<typeof fromReadableStream<unknown>>): number | undefined =>
  fromReadableStream(...args).defaultMaxDemand;

describe("what is read of a ReadableStream", () => {
  test("H01 one read per ask", async () => {
    const from = counting(10);
    const { it } = setUp(from.stream);
    await turns();
    expect([from.pulls, it.seen]).toEqual([0, []]);
    it.subscription.ask(3);
    await turns();
    expect([from.pulls, it.seen]).toEqual([3, [1, 2, 3]]);
  });

  test("H01 with a high-water mark of 1 the stream is one ahead", async () => {
    const from = counting(10, 1);
    const { it } = setUp(from.stream);
    await turns();
    expect([from.pulls, it.seen]).toEqual([1, []]);
    it.subscription.ask(3);
    await turns();
    expect([from.pulls, it.seen]).toEqual([4, [1, 2, 3]]);
  });

  test("H02 reads go out together, and what was there at once comes as one batch", async () => {
    const runtime = testRuntime();
    const batches: (readonly number[])[] = [];
    const stage = consumer<number>((events) => void batches.push(events), { runtime });
    const source = fromReadableStream(queued(...upTo(5)).stream, { runtime });
    const subscription = stage.subscribe(source, { demand: "manual" });
    subscription.ask(4);
    await turns();
    expect(batches).toEqual([[1, 2, 3, 4]]);
    subscription.ask(3);
    await turns();
    expect(batches).toEqual([[1, 2, 3, 4], [5]]);
  });

  test("H02 at most 64 reads are under way, in order", async () => {
    const { stream, reads } = byHand();
    const { it } = setUp(stream);
    it.subscription.ask(100);
    await turns();
    expect(reads).toHaveLength(64);
    for (const [i, read] of reads.entries()) read.resolve({ done: false, value: i });
    await turns();
    expect([it.seen, reads.length]).toEqual([range(0, 63), 100]);
    for (const [i, read] of reads.entries()) read.resolve({ done: false, value: i });
    await turns();
    expect([it.seen, reads.length]).toEqual([range(0, 99), 100]);
  });

  test("H02 few reads are under way where chunks come one by one, many again where they are ready", async () => {
    const { stream, reads } = byHand();
    const { it } = setUp(stream);
    it.subscription.ask(1000);
    const ahead: number[] = [];
    for (let i = 0; i < 80; i += 1) {
      await turns(1);
      reads[i]?.resolve({ done: false, value: i });
      await turns(1);
      ahead.push(reads.length - i - 1);
    }
    expect(ahead.slice(62)).toEqual([1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
    const sizes: number[] = [];
    for (let i = 80; sizes.length < 8; ) {
      sizes.push(reads.length - i);
      for (; i < reads.length; i += 1) reads[i]?.resolve({ done: false, value: i });
      await turns(1);
    }
    expect(sizes).toEqual([2, 4, 8, 16, 32, 64, 64, 64]);
    expect(it.seen).toEqual(range(0, it.seen.length - 1));
  });

  test("H02 slow pulls keep their order", async () => {
    const from = origin<number>({
      pull: async (controller, pulls) => {
        await turns(pulls % 3);
        controller.enqueue(pulls);
      },
    });
    const { it } = setUp(from.stream);
    it.subscription.ask(7);
    await turns(40);
    expect(it.seen).toEqual(upTo(7));
  });

  test("7.1 every value is an event, undefined and null too", async () => {
    const { it } = setUp(queued<unknown>(undefined, null, 0, "", Number.NaN).stream);
    it.subscription.ask(9);
    await turns();
    expect(it.seen).toEqual([undefined, null, 0, "", Number.NaN]);
  });

  test("H13 a byte stream, default reader", async () => {
    const from = byteOrigin();
    const { it } = setUp(from.stream);
    it.subscription.ask(3);
    await turns();
    from.controller.enqueue(bytes(10));
    from.controller.enqueue(bytes(3));
    await turns();
    expect(it.seen).toEqual([bytes(10), bytes(3)]);
  });

  test("H13 a link holds 16 chunks of bytes by default, and 1000 others", () => {
    expect(defaultOf(byteOrigin().stream)).toBe(16);
    expect(defaultOf(byteOrigin().stream, { byob: 10 })).toBe(16);
    expect(defaultOf(byteOrigin().stream, { defaultMaxDemand: 3 })).toBe(3);
    expect(defaultOf(counting(3).stream)).toBe(undefined);
  });
});

/** A stream whose reader shows the views that it is given. */
function viewing<T>(stream: ReadableStream<T>): { readonly peer: ReadableStreamLike<T>; readonly views: Uint8Array[] } {
  const views: Uint8Array[] = [];
  const getReader = (options: { mode: "byob" }) => {
    const reader = stream.getReader(options);
    const read = reader.read.bind(reader);
    return Object.assign(reader, {
      read: (view: Uint8Array<ArrayBuffer>) => {
        views.push(view);
        return read(view);
      },
    });
  };
  return { peer: { locked: false, getReader } as unknown as ReadableStreamLike<T>, views };
}

describe("views of a ReadableStream's bytes", () => {
  test("H14 a byte stream, BYOB", async () => {
    const from = byteOrigin(undefined, 100);
    from.controller.enqueue(bytes(10));
    const { peer, views } = viewing(from.stream);
    const { it } = setUp(peer, { byob: 1024 });
    it.subscription.ask(1);
    await turns();
    expect(it.seen).toEqual([bytes(10)]);
    expect(it.seen[0]?.buffer.byteLength).toBe(1024);
    expect([views.length, views[0]?.byteLength]).toEqual([1, 0]);
  });

  test("H14 more bytes than a view holds fill the next one", async () => {
    const from = byteOrigin(undefined, 5000);
    from.controller.enqueue(bytes(2500));
    const { it } = setUp(from.stream, { byob: 1024 });
    it.subscription.ask(5);
    await turns();
    expect(it.seen.map(({ length }) => length)).toEqual([1024, 1024, 452]);
    expect(it.seen.flatMap((view) => Array.from(view))).toEqual(Array.from(bytes(2500)));
  });

  test("H14 the stream fills the view itself", async () => {
    const from = byteOrigin((controller) => {
      const request = controller.byobRequest as ReadableStreamBYOBRequest;
      const view = request.view as Uint8Array;
      view.fill(7, 0, 3);
      request.respond(3);
    });
    const { it } = setUp(from.stream, { byob: 8 });
    it.subscription.ask(2);
    await turns();
    expect(it.seen).toEqual([new Uint8Array([7, 7, 7]), new Uint8Array([7, 7, 7])]);
  });

  test("H15 BYOB at close", async () => {
    const from = byteOrigin();
    const { it } = setUp(from.stream, { byob: 1024 });
    it.subscription.ask(2);
    await turns();
    from.controller.close();
    from.controller.byobRequest?.respond(0);
    await turns();
    expect([it.seen, it.outcome, from.stream.locked]).toEqual([[], "completed", false]);
  });

  test("H15 a view that nobody hands back holds nobody", async () => {
    const from = byteOrigin();
    const { it } = setUp(from.stream, { byob: 1024 });
    it.subscription.ask(2);
    await turns();
    from.controller.close();
    await turns();
    expect([it.seen, it.outcome]).toEqual([[], "completed"]);
    from.controller.byobRequest?.respond(0);
    await turns();
    expect([it.seen, it.outcomes]).toEqual([[], 1]);
  });

  test("H15 the last bytes come before the end", async () => {
    const from = byteOrigin(undefined, 100);
    from.controller.enqueue(bytes(10));
    from.controller.close();
    const { it } = setUp(from.stream, { byob: 4 });
    it.subscription.ask(9);
    await turns();
    expect(it.seen.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect(it.outcome).toBe("completed");
  });

  test("H14 a stream that is not one of bytes is refused and left alone", async () => {
    const { stream } = counting(3);
    expect(() => fromReadableStream(stream, { byob: 10 })).toThrow(
      expect.objectContaining({ name: "ArgumentError", code: "ERR_NOT_SOURCE" }),
    );
    expect(stream.locked).toBe(false);
  });
});

describe("what is no source", () => {
  test("H03 locked already", async () => {
    const { stream } = counting(3);
    const reader = stream.getReader();
    expect(() => fromReadableStream(stream)).toThrow(TypeError);
    expect(() => fromReadableStream(stream)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
    expect(await reader.read()).toEqual({ done: false, value: 1 });
    expect(endOf(reader).outcome).toBe(undefined);
  });

  test("H03 a second producer of one stream is refused until the first has ended and left it open", async () => {
    const { stream } = counting(3);
    const runtime = testRuntime();
    const first = fromReadableStream(stream, { runtime, preventCancel: true });
    expect(() => fromReadableStream(stream, { runtime })).toThrow(
      "expected a ReadableStream that is not locked, got one with a reader (docs/protocol.md#rule-1.3)",
    );
    await first.stop();
    expect(await pipeline(fromReadableStream(stream, { runtime }), collect()).done).toEqual([1, 2, 3]);
  });

  test.each([undefined, null, 5, "stream", {}, [[1, 2]], new WritableStream()] as never[])("1.3 %s", (value) => {
    expect(() => fromReadableStream(value)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
  });

  test.each([
    [{ byob: 0 }, "ERR_RANGE"],
    [{ byob: 1.5 }, "ERR_RANGE"],
    [{ byob: "64" }, "ERR_OPTION"],
    [{ preventCancel: 1 }, "ERR_OPTION"],
    [{ defaultMaxDemand: 0 }, "ERR_RANGE"],
    [{ destroyOnCancel: true }, "ERR_OPTION"],
    [{ signal: "x" }, "ERR_OPTION"],
    [{ signal: {} }, "ERR_OPTION"],
  ])("1.1 J10 options %o, and the stream stays unlocked", (options, code) => {
    const { stream } = byteOrigin();
    expect(() => fromReadableStream(stream, options as object)).toThrow(expect.objectContaining({ code }));
    expect(stream.locked).toBe(false);
  });
});

describe("the branches of a tee", () => {
  test("H17 the fast branch outruns the slow one without bound", async () => {
    const from = counting(1000);
    const [a, b] = from.stream.tee();
    const { it } = setUp(a);
    it.subscription.ask(50);
    await turns(20);
    expect(it.seen).toEqual(upTo(50));
    const pulled = from.pulls;
    expect([50, 51]).toContain(pulled);
    // Nobody asked for them on this branch: they stand in its queue, and reading them pulls nothing.
    const reader = b.getReader();
    const values: unknown[] = [];
    for (let i = 0; i < 50; i += 1) values.push((await reader.read()).value);
    expect([values, from.pulls]).toEqual([upTo(50), pulled]);
  });

  test("H18 the source is cancelled when both are, with the pair of reasons", async () => {
    const from = counting(1000);
    const [a, b] = from.stream.tee().map((stream) => setUp(stream).source);
    const first = a?.stop({ reason: "normal" });
    await turns();
    expect(from.cancels).toEqual([]);
    await Promise.all([first, b?.stop()]);
    expect(from.cancels).toEqual([["normal", undefined]]);
  });
});
