import { describe, expect, test } from "vitest";
import {
  collect,
  concat,
  type Discarded,
  forEach,
  fromIterable,
  merge,
  pipeline,
  type Producer,
  producer,
  queue,
  take,
} from "../../../src/index.ts";
import { Emitted } from "../../../src/sources/emitted.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { counted, failureFrom } from "../steps/support.ts";

const runtime = testRuntime();
const kept = (events: readonly number[]) => {
  const source = queue<number>({ runtime, onLastCancel: "continue" });
  for (const event of events) source.tryOffer(event);
  return source;
};
const failing = (events: readonly number[], error: unknown): Iterable<number> => ({
  *[Symbol.iterator]() {
    yield* events;
    throw error;
  },
});

async function* later() {
  for (const n of [20, 21, 22]) yield n;
}

describe("merge", () => {
  test("gives the events of all, each source's in order, of sources of any kind", async () => {
    const all = await pipeline(
      merge(range(0, 9), new Set([10, 11]), later(), kept([]), kept([30, 31])),
      take(17),
      collect(),
    );
    for (const part of [range(0, 9), [10, 11], range(20, 22), [30, 31]])
      expect(all.filter((n) => part.includes(n))).toEqual(part);
    expect(await pipeline(merge(), collect())).toEqual([]);
    expect(await pipeline(merge([1]), collect())).toEqual([1]);
  });

  test("completes with its last source, whichever that is", async () => {
    const [a, b] = [kept([1]), kept([2])];
    const running = pipeline(merge(a, b), collect());
    await turns();
    a.complete();
    await turns();
    b.tryOffer(3);
    await turns();
    b.complete();
    expect((await running).toSorted((x, y) => x - y)).toEqual([1, 2, 3]);
  });

  test("takes sources that have ended before: one that completed, and one that failed", async () => {
    const over = kept([]);
    over.complete();
    await over.done;
    expect(await pipeline(merge(over, [1]), collect())).toEqual([1]);
    expect(await pipeline(merge(over), collect())).toEqual([]);
    expect(await pipeline(concat(over, [2], over), collect())).toEqual([2]);
    const broken = kept([]);
    broken.fail(new Error("broken"));
    await failureFrom(broken.done);
    expect(await failureFrom(pipeline(merge([1], broken), collect()))).toMatchObject({ message: "broken" });
  });

  test("asks each source for its share of what is wanted, and lets no one wait for another", async () => {
    const [fast, silent] = [counted(10_000, runtime), producer<number>({ handleDemand: () => {} }, { runtime })];
    const loop = merge(fast.source, silent).events({ maxDemand: 100 })[Symbol.asyncIterator]();
    for (let i = 0; i < 1000; i += 1) {
      expect((await loop.next()).value).toBe(i);
      expect(fast.taken).toBeLessThanOrEqual(i + 1 + 101);
    }
    expect(silent.demand).toBe(50);
    await loop.return?.();
    await turns();

    const slow = counted(10_000, runtime);
    const both = merge(slow.source, counted(10_000, runtime).source).events({ maxDemand: 1 })[Symbol.asyncIterator]();
    const got: number[] = [];
    for (let i = 0; i < 20; i += 1) got.push((await both.next()).value as number);
    expect(got.toSorted((x, y) => x - y)).toEqual(range(0, 9).flatMap((n) => [n, n]));
    expect(slow.taken).toBeLessThanOrEqual(12);
  });

  test("asks for nothing before it is asked", async () => {
    const source = counted(10, runtime);
    const merged = merge(source.source);
    await turns();
    expect(source.taken).toBe(0);
    expect(await pipeline(merged, take(3), collect())).toEqual([0, 1, 2]);
    expect(source.taken).toBeLessThanOrEqual(4);
  });

  test("one failing fails all, behind the events before, and leaves the others", async () => {
    const bad = new Error("bad");
    const other = kept([7]);
    const got: number[] = [];
    const running = pipeline(
      merge(other, failing([1, 2], bad)),
      forEach((n) => void got.push(n)),
    );
    expect(await failureFrom(running)).toBe(bad);
    expect(got.toSorted((x, y) => x - y)).toEqual([1, 2, 7]);
    other.tryOffer(8);
    expect(await pipeline(other, take(1), collect())).toEqual([8]);
  });

  test("takes one more source while it runs, until it is completed", async () => {
    const merged = merge.with<number>({ keepOpen: true, name: "parts", runtime })();
    const { add, complete } = merged;
    expect(merged.name).toBe("parts");
    add([1, 2]);
    const running = pipeline(merged, collect());
    await turns();
    add(new Set([3]));
    await turns();
    expect(merged.state).toBe("running");
    add(kept([4]));
    await turns();
    const last = kept([5]);
    add(last);
    complete();
    expect(() => add([6])).toThrow(/expected a running stage, got parts, which takes no more sources/);
    expect(() => add("text" as never)).toThrow(/put it into an array/);
    await turns();
    expect(merged.state).toBe("running");
    await merged.drain();
    expect(await running).toEqual([1, 2, 3, 4, 5]);
    expect(() => add([6])).toThrow(/ERR_ENDED|running stage/);
    const empty = merge.with({ keepOpen: true })();
    empty.complete();
    expect(await pipeline(empty, collect())).toEqual([]);
  });

  test("what a consumer had not begun goes back to where it came from", async () => {
    const told: Discarded[] = [];
    const [a, b] = [kept(range(0, 99)), kept(range(100, 199))];
    const merged = merge.with<number>({ onDiscard: (discarded) => void told.push(discarded) })(a, b);
    const got = await pipeline(merged, take(30), collect());
    await turns();
    expect([merged.state, told]).toEqual(["stopped", []]);
    const rest: number[] = [];
    for (const source of [a, b]) {
      source.complete();
      rest.push(...(await pipeline(source, collect())));
    }
    expect([...got, ...rest].toSorted((x, y) => x - y)).toEqual(range(0, 199));
    expect(rest).toEqual([...rest].toSorted((x, y) => x - y));
  });

  test("7.2 remembers what stood in front of what has come back", () => {
    const emitted = new Emitted<string, number>();
    emitted.add("a", [1, 2, 3], 100);
    emitted.add("b", [4, 5], 100);
    expect(emitted.takeBack([5])).toEqual([["b", [5]]]);
    expect(emitted.takeBack([2, 3, 4])).toEqual([
      ["a", [2, 3]],
      ["b", [4]],
    ]);
    emitted.add("c", [6], 100);
    expect(emitted.takeBack([1, 6])).toEqual([
      ["a", [1]],
      ["c", [6]],
    ]);
    expect(emitted.takeBack([1])).toBeUndefined();
  });

  test("what comes back behind the end is told by its source", async () => {
    const told: number[] = [];
    const own = queue<number>({ runtime, onDiscard: ({ events }) => void told.push(...events) });
    for (const n of range(1, 5)) own.tryOffer(n);
    own.complete();
    const merged = merge(own);
    const loop = merged[Symbol.asyncIterator]();
    expect((await loop.next()).value).toBe(1);
    await turns();
    expect(own.state).toBe("completed");
    await loop.return?.();
    await turns();
    expect(told).toEqual(range(2, 5));
  });

  test("what cannot be told apart is told", async () => {
    const told: number[] = [];
    const merged = merge.with<number>({
      onDiscard: ({ events }) => void told.push(...events),
      runtime,
    })(range(0, 19));
    const loops = [0, 1].map(() => merged.events({ maxDemand: 4, minDemand: 0 })[Symbol.asyncIterator]());
    const got: unknown[] = [];
    for (const next of loops.map((loop) => loop.next())) got.push((await next).value);
    await turns();
    for (const loop of loops) await loop.return?.();
    await turns();
    expect(merged.state).toBe("stopped");
    expect([...got, ...told].length).toBe(new Set([...got, ...told]).size);
  });

  test("drain drains the sources that end with it, leaves the others, and completes", async () => {
    const [own, others] = [queue<number>({ runtime }), kept([2])];
    own.tryOffer(1);
    const other = others.events()[Symbol.asyncIterator]();
    const merged = merge.with<number>({ keepOpen: true })(own, others);
    const running = pipeline(merged, collect());
    await turns();
    await running.drain();
    expect((await running).includes(1)).toBe(true);
    expect([own.state, others.state, merged.state]).toEqual(["completed", "running", "completed"]);
    expect(await own.offer(3)).toBe(false);
    others.tryOffer(9);
    const rest = [(await other.next()).value];
    expect([...(await running), ...rest]).toContain(2);
  });

  test("a stop leaves all sources", async () => {
    const source = counted(3000, runtime);
    const own = fromIterable(range(0, 9999), { runtime });
    const merged = merge(source.source, own);
    const loop = merged[Symbol.asyncIterator]();
    await loop.next();
    await merged.stop();
    await turns();
    expect([own.state, source.source.state]).toEqual(["stopped", "running"]);
    await pipeline(source.source, take(1), collect());
  });

  test("refuses what is no source, and no option, and leaves nothing running", async () => {
    const source = counted(3, runtime).source;
    expect(() => merge(source, 5 as never)).toThrow(/ERR_NOT_SOURCE|expected a producer, an iterable/);
    const stopped = producer<number>(() => {});
    await stopped.stop();
    expect(() => merge(source, stopped)).toThrow(/expected a producer that was not stopped/);
    for (const options of [{ keepOpen: 1 }, { open: true }, null])
      expect(() => merge.with(options as never)).toThrow(/expected/);
    await turns();
    expect(await pipeline(source, collect())).toEqual([0, 1, 2]);
  });
});

describe("what was emitted", () => {
  test("is parted by where it came from, if it was the last", () => {
    const emitted = new Emitted<string, number>();
    expect(emitted.takeBack([1])).toBe(undefined);
    emitted.add("a", [1, 2, 3], 100);
    emitted.add("b", [4, 5], 100);
    expect(emitted.takeBack([2, 3, 4, 5])).toEqual([
      ["a", [2, 3]],
      ["b", [4, 5]],
    ]);
    expect(emitted.takeBack([3, 4])).toBe(undefined);
    expect(emitted.takeBack([0, 1, 2, 3, 4, 5])).toBe(undefined);
    expect(emitted.takeBack([])).toEqual([]);
    emitted.add("c", [6, 7], 2);
    expect(emitted.takeBack([5, 6, 7])).toBe(undefined);
    expect(emitted.takeBack([6, 7])).toEqual([["c", [6, 7]]]);
  });
});

describe("concat", () => {
  test("gives one source behind the other, of any kind, and touches none before its turn", async () => {
    let begun = 0;
    const lazy = {
      *[Symbol.iterator]() {
        begun += 1;
        yield* [4, 5];
      },
    };
    const second = counted(3, runtime);
    const loop = concat([1, 2], second.source, lazy, []).events({ maxDemand: 1 })[Symbol.asyncIterator]();
    expect([(await loop.next()).value, second.taken, begun]).toEqual([1, 0, 0]);
    for (const n of [2, 0, 1, 2]) expect((await loop.next()).value).toBe(n);
    for (const n of [4, 5]) expect((await loop.next()).value).toBe(n);
    expect((await loop.next()).done).toBe(true);
    expect(begun).toBe(1);
    expect(await pipeline(concat(), collect())).toEqual([]);
  });

  test("asks the source whose turn it is for what is wanted", async () => {
    const source = counted(1000, runtime);
    const loop = concat<Producer<number>[]>(source.source).events({ maxDemand: 4 })[Symbol.asyncIterator]();
    for (let i = 0; i < 100; i += 1) {
      expect((await loop.next()).value).toBe(i);
      expect(source.taken).toBeLessThanOrEqual(i + 1 + 5);
    }
    await loop.return?.();
    await turns();
    expect(await pipeline(source.source, take(1), collect())).toEqual([100]);
  });

  test("fails with its source, or with one that refuses its turn, behind the events before", async () => {
    const bad = new Error("bad");
    const got: number[] = [];
    const sink = forEach((n: number) => void got.push(n));
    expect(await failureFrom(pipeline(concat([1], failing([2], bad), [3]), sink))).toBe(bad);
    const stopped = producer<number>(() => {});
    await stopped.stop();
    expect(await failureFrom(pipeline(concat([4], stopped), sink))).toMatchObject({ code: "ERR_STOPPED" });
    expect(got).toEqual([1, 2, 4]);
    expect(() => concat([1], 5 as never)).toThrow(/expected a producer, an iterable/);
  });

  test("drain ends it with the source whose turn it is", async () => {
    const first = queue<number>({ runtime });
    first.tryOffer(1);
    const second = counted(3, runtime);
    const running = pipeline(concat(first, second.source), collect());
    await turns();
    await running.drain();
    expect([await running, second.taken, first.state]).toEqual([[1], 0, "completed"]);
  });

  test("a source that was stopped ends its turn", async () => {
    const first = kept([1]);
    const running = pipeline(concat(first, [2]), collect());
    await turns();
    await first.stop();
    expect(await running).toEqual([1, 2]);
  });
});
