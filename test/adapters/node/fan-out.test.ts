import { beforeEach, describe, expect, test } from "vitest";
import { fromReadable, intoWritable, throughDuplex, toReadable } from "../../../adapters/node/index.ts";
import { broadcastDispatcher, type BroadcastOptions, collect, fromIterable, pipeline } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { implementations, probe, watch } from "./support.ts";

type Callback = (error?: Error | null) => void;
const boom = new Error("boom");

const releaseAll = async (held: Callback[]): Promise<void> => {
  while (held.length > 0) {
    held.shift()?.();
    // oxlint-disable-next-line no-await-in-loop -- one write after the other
    await turns(2);
  }
};

describe.each(implementations)("many consumers, with streams of %s", (_name, { PassThrough, Readable, Writable }) => {
  let runtime: TestRuntime;
  beforeEach(() => {
    runtime = testRuntime();
  });
  const sink = (hold: boolean, highWaterMark = 1) => {
    const written: unknown[] = [];
    const held: Callback[] = [];
    const writable = new Writable({
      objectMode: true,
      highWaterMark,
      write(event, _encoding, callback) {
        written.push(event);
        if (hold) held.push(callback);
        else callback();
      },
    });
    writable.on("error", () => {});
    return { writable, written, held };
  };
  test("L01 a broadcast goes at the pace of the slow Writable, and both complete", async () => {
    const source = fromIterable(range(1, 10), { runtime, dispatcher: broadcastDispatcher() });
    const fast = sink(false);
    const slow = sink(true);
    const ends = [fast, slow].map(({ writable }) => {
      const stage = intoWritable<number>(writable, { runtime });
      stage.subscribe(source, { maxDemand: 2, minDemand: 1 });
      return watch(stage.done);
    });
    await turns();
    expect([fast.written, slow.written]).toEqual([[1, 2, 3], [1]]);
    slow.held.shift()?.();
    await turns();
    expect([fast.written, slow.written]).toEqual([
      [1, 2, 3, 4],
      [1, 2],
    ]);
    await releaseAll(slow.held);
    expect([fast.written, slow.written]).toEqual([range(1, 10), range(1, 10)]);
    expect(ends.map(({ outcome }) => outcome)).toEqual(["completed", "completed"]);
  });

  test("L03 of two consumers that write into one Writable each has its turn", async () => {
    const { writable, written, held } = sink(true, 2);
    for (const letter of ["a", "b"]) {
      const endless = fromIterable(
        Array.from({ length: 50 }, () => letter),
        { runtime },
      );
      intoWritable<string>(writable, { runtime, end: false }).subscribe(endless, { maxDemand: 4, minDemand: 1 });
    }
    for (let i = 0; i < 40; i += 1) {
      held.shift()?.();
      // oxlint-disable-next-line no-await-in-loop -- one write after the other
      await turns(3);
    }
    const count = (letter: string): number => written.filter((event) => event === letter).length;
    expect(Math.abs(count("a") - count("b"))).toBeLessThanOrEqual(4);
    expect(written.length).toBeGreaterThanOrEqual(40);
  });

  test("L02 one Writable of a broadcast dies: the other gets all, and is not held", async () => {
    const source = fromIterable(range(1, 10), { runtime, dispatcher: broadcastDispatcher() });
    const good = sink(false);
    const bad = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write: (event: number, _encoding, callback) => callback(event === 3 ? boom : null),
    });
    const [goodEnd, badEnd] = [good.writable, bad].map((writable) => {
      const stage = intoWritable<number>(writable, { runtime });
      stage.subscribe(source, { maxDemand: 2, minDemand: 1 });
      return watch(stage.done);
    });
    await turns(12);
    expect([good.written, goodEnd?.outcome, badEnd?.outcome]).toEqual([range(1, 10), "completed", { error: boom }]);
    expect(source.state).toBe("completed");
  });

  test("L03 three loops compete, one breaks early: nothing is lost or doubled", async () => {
    const readable = Readable.from(range(1, 60));
    const source = fromReadable<number>(readable, { runtime });
    const seen: number[][] = [[], [], []];
    await Promise.all(
      seen.map(async (mine, i) => {
        for await (const event of source.events({ maxDemand: 4 })) {
          mine.push(event);
          if (i === 1 && mine.length === 3) break;
        }
      }),
    );
    expect(seen.flat().toSorted((a, b) => a - b)).toEqual(range(1, 60));
    expect([seen[1]?.length, readable.destroyed]).toEqual([3, true]);
  });

  test("L05 the source ends with its consumers at different depths: each has its end behind its own events", async () => {
    const source = fromReadable<number, BroadcastOptions>(Readable.from(range(1, 6)), {
      runtime,
      dispatcher: broadcastDispatcher(),
    });
    const fast = sink(false);
    const slow = sink(true, 16);
    const [fastEnd, slowEnd] = [fast, slow].map(({ writable }) => {
      const stage = intoWritable<number>(writable, { runtime });
      stage.subscribe(source);
      return watch(stage.done);
    });
    await turns();
    expect([fast.written.length, fastEnd?.outcome, slow.written, slowEnd?.outcome]).toEqual([
      6,
      "completed",
      [1],
      undefined,
    ]);
    await releaseAll(slow.held);
    expect([slow.written, slowEnd?.outcome]).toEqual([range(1, 6), "completed"]);
  });

  test("L06 the same destination twice: each event is written twice, and one who leaves is one who leaves", async () => {
    const { writable, written } = sink(false);
    const readable = new Readable({ objectMode: true, read() {} });
    const source = fromReadable<number, BroadcastOptions>(readable, { runtime, dispatcher: broadcastDispatcher() });
    const [first, second] = [1, 2].map(() => intoWritable<number>(writable, { runtime, end: false }));
    first?.subscribe(source);
    second?.subscribe(source);
    expect(() => second?.subscribe(source)).toThrow(expect.objectContaining({ code: "ERR_DUPLICATE" }));
    await turns();
    readable.push(1);
    await turns();
    await second?.stop();
    readable.push(2);
    readable.push(null);
    await first?.done;
    expect(written).toEqual([1, 1, 2]);
  });

  test.each([0, 1, 16, Number.MAX_SAFE_INTEGER])(
    "L09 a high-water mark of %i, on every stream of a chain",
    async (mark) => {
      const options = { objectMode: true, highWaterMark: mark };
      const { writable, written } = sink(false, mark);
      const source = fromReadable<number>(Readable.from(range(1, 5), options), { runtime });
      const stage = throughDuplex<number, number>(new PassThrough(options), { runtime });
      stage.subscribe(source);
      const again = fromReadable<number>(toReadable(stage, { Readable, highWaterMark: mark }), { runtime });
      await pipeline(again, intoWritable<number>(writable, { runtime })).done;
      expect(written).toEqual(range(1, 5));
    },
  );

  test.each([-5, Number.NaN, "5", true])("L09 %s is no high-water mark", (mark) => {
    const source = fromIterable([1], { runtime });
    expect(() => toReadable(source, { Readable, highWaterMark: mark as number })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
    );
    expect(source.inspect().links).toEqual([]);
  });

  test("L09 bytes come through whole, whatever the default marks are", async () => {
    const bytes = Buffer.alloc(300_000, "0123456789");
    const stage = throughDuplex<Buffer, Buffer>(new PassThrough(), { runtime });
    const source = fromReadable<Buffer>(
      toReadable(fromIterable([bytes], { runtime }), { Readable, objectMode: false }),
      {
        runtime,
      },
    );
    const parts = await pipeline(source, stage, collect()).done;
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  });

  test("L07 a stage, a Readable and a stage again: a thousand events, one end", async () => {
    const again = () =>
      fromReadable<number>(toReadable(fromIterable(range(0, 999), { runtime }), { Readable }), { runtime });
    const it = probe(again(), runtime);
    it.subscription.ask(2000);
    await turns(200);
    expect([it.seen, it.outcome, it.outcomes]).toEqual([range(0, 999), "completed", 1]);
  });
});
