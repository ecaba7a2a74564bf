import { describe, expect, test } from "vitest";
import {
  collect,
  failureOf,
  flatMapAsync,
  forEach,
  fromIterable,
  pipeline,
  producer,
  take,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { counted, failureFrom, Gates, slow } from "./support.ts";

/** An async iterable of `count` events of `n` that counts what is taken, and whether it was left. */
function tracked(taken: Map<number, number>, left: Set<number>, count: number) {
  return async function* (n: number) {
    try {
      for (let i = 0; i < count; i += 1) {
        taken.set(n, i + 1);
        yield `${n}.${i}`;
      }
    } finally {
      left.add(n);
    }
  };
}

describe("flatMapAsync", () => {
  test("takes an iterable, an async iterable, a producer, or a promise of one; one behind the other", async () => {
    const runtime = testRuntime();
    const fn = (n: number) => {
      if (n === 0) return [1, 2];
      if (n === 1) return Promise.resolve(new Set([3]));
      if (n === 2)
        return (async function* () {
          yield 4;
          yield 5;
        })();
      if (n === 3) return Promise.resolve(fromIterable([6, 7], { runtime }));
      return [];
    };
    expect(await pipeline(counted(6).source, flatMapAsync(fn), collect()).done).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("asks an inner source only as it is asked, and opens one at a time", async () => {
    const source = counted(50);
    const [taken, left] = [new Map<number, number>(), new Set<number>()];
    const stage = pipeline(source.source, flatMapAsync(tracked(taken, left, 3)));
    await turns();
    expect(source.taken).toBe(0);
    const loop = stage.events({ maxDemand: 1 })[Symbol.asyncIterator]();
    for (const expected of ["0.0", "0.1", "0.2", "1.0"]) {
      expect((await loop.next()).value).toBe(expected);
      await turns(6);
      expect(source.taken).toBeLessThanOrEqual(2);
      expect([...taken.values()].reduce((a, b) => a + b)).toBeLessThanOrEqual(
        3 * Number(expected[0]) + Number(expected[2]) + 3,
      );
    }
    await loop.return?.();
    await turns();
    expect(left.has(1)).toBe(true);
    expect((await pipeline(source.source, take(1), collect()).done)[0]).toBe(
      source.taken === 51 ? 0 : [...taken.keys()].length,
    );
  });

  test("several at a time, as they come; a silent one does not hold the others", async () => {
    const gates = new Gates<number, number[]>();
    const { done } = pipeline(counted(5).source, flatMapAsync(gates.call, { concurrency: 3 }), collect());
    await turns();
    expect(gates.begun).toEqual([0, 1, 2]);
    for (const n of [2, 1, 3, 4, 0]) {
      gates.open(n, [n, n + 0.5]);
      await turns(8);
    }
    expect(await done).toEqual([2, 2.5, 1, 1.5, 3, 3.5, 4, 4.5, 0, 0.5]);
    expect(gates.most).toBe(3);
  });

  test("ordered opens ahead and holds 16 of each", async () => {
    const [taken, left] = [new Map<number, number>(), new Set<number>()];
    const inner = tracked(taken, left, 40);
    const gate = Promise.withResolvers<string[]>();
    const fn = (n: number) => (n === 0 ? gate.promise : inner(n));
    const source = counted(9);
    const { done } = pipeline(source.source, flatMapAsync(fn, { concurrency: 3, ordered: true }), collect());
    await turns(60);
    expect([taken.get(1), taken.get(2), taken.get(3)]).toEqual([16, 16, undefined]);
    gate.resolve(["0"]);
    const all = await done;
    expect(all[0]).toBe("0");
    expect(all.slice(1)).toEqual(range(1, 8).flatMap((n) => range(0, 39).map((i) => `${n}.${i}`)));
  });

  test("a failing inner source, or function, fails it behind what came before; the others are left", async () => {
    const [taken, left] = [new Map<number, number>(), new Set<number>()];
    const bad = new Error("bad");
    const source = counted(50);
    const got: unknown[] = [];
    const fn = async function* (n: number) {
      yield* n === 1 ? [] : tracked(taken, left, 1000)(n);
      if (n === 1) throw bad;
    };
    const step = flatMapAsync(fn, { concurrency: 2 });
    const { done } = pipeline(
      source.source,
      step,
      forEach((n: unknown) => void got.push(n)),
    );
    expect(await failureFrom(done)).toBe(bad);
    expect(failureOf(bad)).toMatchObject({ step: "flatMapAsync", event: 1, events: [0, 1] });
    await turns();
    expect([...left]).toEqual([0]);
    expect(await pipeline(source.source, take(1), collect()).done).toEqual([2]);

    const throws = () => {
      throw bad;
    };
    expect(await failureFrom(pipeline(counted(2).source, flatMapAsync(throws), collect()).done)).toBe(bad);
    const none = pipeline(
      counted(2).source,
      flatMapAsync(() => 3 as never),
      collect(),
    );
    expect(await failureFrom(none.done)).toMatchObject({ code: "ERR_RESULT" });
  });

  test("a stop leaves inner sources, aborts signals, gives back what was not begun; what opens late is closed", async () => {
    const gates = new Gates<number, AsyncIterable<string>>();
    const source = counted(50);
    const running = pipeline(source.source, flatMapAsync(gates.signalled, { concurrency: 2 }), collect());
    await turns();
    await running.stop();
    expect(gates.signals.get(0)?.aborted).toBe(true);
    let closed = false;
    const late = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => ((closed = true), { done: true as const, value: undefined }),
      }),
    };
    gates.open(0, late);
    gates.fail(1, new Error("late"));
    await turns();
    expect(closed).toBe(true);
    expect(source.reported).toMatchObject([{ message: "late" }]);
    expect(await pipeline(source.source, take(1), collect()).done).toEqual([2]);
  });

  test("a failing source comes behind all inner sources; drain finishes them", async () => {
    const bad = new Error("source");
    const failing = producer<number>({
      handleDemand: (_demand, self) => {
        self.fail(bad, { after: "buffer" });
        return [0];
      },
    });
    const got: unknown[] = [];
    const inner = tracked(new Map(), new Set(), 5);
    const { done } = pipeline(
      failing,
      flatMapAsync(inner),
      forEach((n: unknown) => void got.push(n)),
    );
    expect(await failureFrom(done)).toBe(bad);
    expect(got.length).toBe(5);
    const stage = pipeline(fromIterable(range(0, 99), { runtime: testRuntime() }), flatMapAsync(inner));
    const { got: all, sink, next } = slow<string>();
    const second = pipeline(stage, sink);
    await turns();
    const drained = stage.drain();
    let over = false;
    void second.done.then(() => (over = true));
    for (let i = 0; i < 2000; i += 1) {
      if (over) break;
      await next();
    }
    await drained;
    expect(over).toBe(true);
    expect(all.length % 5).toBe(0);
  });
});
