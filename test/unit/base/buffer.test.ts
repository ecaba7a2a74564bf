import type { Core } from "../../../src/stage/core.ts";
import { describe, expect, test } from "vitest";
import { Buffer } from "../../../src/base/buffer.ts";
import { demandDispatcher } from "../../../src/index.ts";
import { keep } from "../../../src/stage/overflow.ts";
import { Output } from "../../../src/stage/output.ts";
import { range } from "../../support/runtime.ts";

/** A buffer, and the marks that were released, in order. */
const marked = () => {
  const buffer = new Buffer<string | number>();
  const released: string[] = [];
  return { buffer, released, mark: (name: string) => buffer.mark(() => void released.push(name)) };
};

/** What a stage without consumers holds: the limit is kept here, not by the buffer. */
const limited = (bufferSize: number, overflow: "drop-oldest" | "drop-newest") => {
  const discarded: unknown[][] = [];
  const released: string[] = [];
  const output = new Output({
    dispatcher: demandDispatcher(),
    bufferSize,
    overflow,
    demandMode: "forward",
    strict: true,
  });
  const discard = (events: readonly unknown[]) => void discarded.push([...events]);
  const push = (events: readonly unknown[]) =>
    keep({ name: "limited", output, outcome: { discard } } as unknown as Core, events, output.offer(events));
  return { output, push, discarded, released, mark: (name: string) => output.mark(() => void released.push(name)) };
};

describe("Buffer", () => {
  test("GS-115 does not count marks", () => {
    const { buffer, mark } = marked();
    buffer.push(["t1", "t2"]);
    mark("p3");
    mark("p4");
    expect(buffer.size).toBe(2);
  });

  test("GS-117 has no limit of its own", () => {
    const { output, push, discarded } = limited(Number.POSITIVE_INFINITY, "drop-newest");
    push(range(1, 1000));
    expect([output.held, discarded]).toEqual([1000, []]);
    expect(output.takeAll()).toEqual(range(1, 1000));
  });

  test("GS-118 keeps the last events when it overflows", () => {
    const { output, push, discarded } = limited(3, "drop-oldest");
    push(["a", "b", "c"]);
    expect(discarded).toEqual([]);
    push(["d", "e", "f"]);
    expect(discarded).toEqual([["a", "b", "c"]]);
    expect(output.takeAll()).toEqual(["d", "e", "f"]);
  });

  test("GS-118 keeps the last events of a batch that is larger than the limit", () => {
    const { output, push, discarded } = limited(3, "drop-oldest");
    push([1]);
    push([2, 3, 4, 5, 6]);
    expect(discarded.flat()).toEqual([1, 2, 3]);
    expect(output.takeAll()).toEqual([4, 5, 6]);
  });

  test("GS-118 keeps the first events with drop-newest", () => {
    const { output, push, discarded } = limited(3, "drop-newest");
    push(["a", "b"]);
    push(["c", "d", "e"]);
    expect(discarded).toEqual([["d", "e"]]);
    expect(output.takeAll()).toEqual(["a", "b", "c"]);
  });

  test("GS-119 releases marks whose events were displaced, in order", () => {
    const { push, discarded, released, mark } = limited(3, "drop-oldest");
    push(["t1", "t2"]);
    mark("p3");
    mark("p4");
    expect(released).toEqual([]);
    push(["t5", "t6", "t7"]);
    expect(discarded).toEqual([["t1", "t2"]]);
    expect(released).toEqual(["p3", "p4"]);
  });

  test("GS-119 keeps a mark while one of its events is left", () => {
    const { push, released, mark } = limited(3, "drop-oldest");
    push(["t1", "t2"]);
    mark("p3");
    push(["t4", "t5"]);
    expect(released).toEqual([]);
    push(["t6"]);
    expect(released).toEqual(["p3"]);
  });

  test("GS-121 answers an empty batch when it is empty", () => {
    const { buffer, released, mark } = marked();
    expect(buffer.take(5)).toEqual([]);
    expect(buffer.size).toBe(0);
    // Nothing to wait for.
    mark("p1");
    expect(released).toEqual(["p1"]);
  });

  test("GS-122 takes events in FIFO order, up to a mark", () => {
    const { buffer, released, mark } = marked();
    buffer.push(["t1", "t2"]);
    mark("p3");
    buffer.push(["t4"]);
    expect(buffer.take(5)).toEqual(["t1", "t2"]);
    expect(released).toEqual([]);
    buffer.releaseMarks();
    expect(released).toEqual(["p3"]);
    expect(buffer.size).toBe(1);
    expect(buffer.take(3)).toEqual(["t4"]);
    expect(buffer.size).toBe(0);
  });

  test("GS-123 keeps the order of marks at the same place", () => {
    const { buffer, released, mark } = marked();
    buffer.push(["t1"]);
    buffer.push(["t2"]);
    for (const name of ["p3", "p4", "p5"]) mark(name);
    expect(buffer.take(5)).toEqual(["t1", "t2"]);
    buffer.releaseMarks();
    expect(released).toEqual(["p3", "p4", "p5"]);
  });

  // GenStage's infinite buffer releases an info only at the next take: T-21.
  test("B-08 a mark is released with the event before it, however many were asked for", () => {
    const { buffer, released, mark } = marked();
    buffer.push([1, 2, 3]);
    mark("info");
    expect(buffer.take(2)).toEqual([1, 2]);
    buffer.releaseMarks();
    expect(released).toEqual([]);
    expect(buffer.take(1)).toEqual([3]);
    buffer.releaseMarks();
    expect(released).toEqual(["info"]);
  });
});

describe("Buffer, batches", () => {
  test("B-01 takes across batches and leaves the rest of one", () => {
    const { buffer } = marked();
    buffer.push([1, 2, 3]);
    buffer.push([4, 5]);
    buffer.push([6, 7, 8]);
    expect(buffer.take(2)).toEqual([1, 2]);
    expect(buffer.take(4)).toEqual([3, 4, 5, 6]);
    expect(buffer.size).toBe(2);
    expect(buffer.take(9)).toEqual([7, 8]);
    expect(buffer.size).toBe(0);
  });

  test("B-01 keeps a stretch of a batch", () => {
    const { buffer } = marked();
    buffer.push([1, 2, 3, 4, 5], 1, 4);
    buffer.push([9], 1);
    expect(buffer.size).toBe(3);
    expect(buffer.take(2)).toEqual([2, 3]);
    expect(buffer.take(2)).toEqual([4]);
  });

  test("B-01 hands a whole batch on as it came", () => {
    const { buffer } = marked();
    const batch = [1, 2, 3];
    buffer.push(batch);
    expect(buffer.take(3)).toBe(batch);
  });

  test("B-01 puts what comes back before everything, marks included", () => {
    const { buffer, released, mark } = marked();
    buffer.push([3]);
    mark("info");
    buffer.unshift([1, 2]);
    buffer.unshift([]);
    expect(buffer.size).toBe(3);
    expect(buffer.take(3)).toEqual([1, 2, 3]);
    buffer.releaseMarks();
    expect(released).toEqual(["info"]);
  });

  test("B-07 takes nothing when nothing is asked for", () => {
    const { buffer } = marked();
    buffer.push([1]);
    expect(buffer.take(0)).toEqual([]);
    expect(buffer.size).toBe(1);
  });

  test("B-07 gives nothing across a mark that has not been released", () => {
    const { buffer, released, mark } = marked();
    buffer.push([1]);
    mark("p");
    buffer.push([2]);
    expect([buffer.take(5), buffer.take(5), buffer.size, released]).toEqual([[1], [], 1, []]);
    buffer.releaseMarks();
    expect([buffer.take(5), released]).toEqual([[2], ["p"]]);
  });

  test("B-07 clears events across marks and releases them", () => {
    const { buffer, released, mark } = marked();
    buffer.push([1, 2]);
    mark("p");
    buffer.push([3]);
    mark("q");
    expect(buffer.clear()).toEqual([1, 2, 3]);
    expect([buffer.size, released]).toEqual([0, ["p", "q"]]);
    expect(buffer.clear()).toEqual([]);
  });
});

describe("Buffer, its newest events", () => {
  test("are taken out across batches, in order", () => {
    const buffer = new Buffer<number>();
    buffer.push([1, 2, 3]);
    buffer.push([4, 5]);
    expect([buffer.takeNewest(3), buffer.size]).toEqual([[3, 4, 5], 2]);
    expect([buffer.takeNewest(9), buffer.takeNewest(1), buffer.size]).toEqual([[1, 2], [], 0]);
    buffer.push([6]);
    expect(buffer.take(1)).toEqual([6]);
  });
});
