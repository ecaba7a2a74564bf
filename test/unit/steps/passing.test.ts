import { describe, expect, test } from "vitest";
import {
  boundary,
  collect,
  distinct,
  failureOf,
  forEach,
  fromIterable,
  idle,
  map,
  pipeline,
  take,
  takeUntil,
} from "../../../src/index.ts";
import { range, turns } from "../../support/runtime.ts";
import { counted, failureFrom, fed, slow } from "./support.ts";

describe("takeUntil", () => {
  test("a signal completes it well, and the rest goes back", async () => {
    const source = counted(3000);
    const controller = new AbortController();
    const got: number[] = [];
    const sink = forEach((n: number) => {
      got.push(n);
      if (n === 5) controller.abort(new Error("of no account"));
    });
    await pipeline(source.source, takeUntil<number>(controller.signal), sink).done;
    const rest = await pipeline(source.source, collect()).done;
    expect([...got, ...rest]).toEqual(range(0, 2999));
    expect(got.length).toBeLessThan(2999);
  });

  test("one that has aborted before completes it at once", async () => {
    const source = counted(100);
    expect(await pipeline(source.source, takeUntil(AbortSignal.abort()), collect()).done).toEqual([]);
    expect(await pipeline(source.source, take(1), collect()).done).toEqual([0]);
  });

  test("a promise completes it, or fails it with what it rejects with", async () => {
    const { source } = fed();
    const gate = Promise.withResolvers<void>();
    const { done } = pipeline(source, takeUntil<number>(gate.promise), collect());
    await turns();
    source.push([1]);
    await turns();
    gate.resolve();
    expect(await done).toEqual([1]);

    const other = fed();
    const bad = new Error("bad");
    const second = Promise.withResolvers<void>();
    const got: number[] = [];
    const running = pipeline(
      other.source,
      takeUntil<number>(second.promise),
      forEach((n) => void got.push(n)),
    );
    const failed = failureFrom(running.done);
    await turns();
    other.source.push([1]);
    await turns();
    second.reject(bad);
    expect(await failed).toBe(bad);
    expect(got).toEqual([1]);
  });

  test("listens to the signal no longer than it lives", async () => {
    let listeners = 0;
    const signal = {
      aborted: false,
      addEventListener: () => (listeners += 1),
      removeEventListener: () => (listeners -= 1),
    } as unknown as AbortSignal;
    const running = pipeline(counted(3).source, takeUntil<number>(signal), collect());
    expect(listeners).toBe(1);
    expect(await running.done).toEqual([0, 1, 2]);
    expect(listeners).toBe(0);
    expect(() => takeUntil(3 as never)).toThrow(/AbortSignal or a promise/);
  });
});

describe("idle", () => {
  test("fails when it is asked and its source is silent, behind what has come", async () => {
    const { source, clock } = fed();
    const got: number[] = [];
    const { done } = pipeline(
      source,
      idle<number>({ after: 100 }),
      forEach((n) => void got.push(n)),
    );
    const failed = failureFrom(done);
    await turns();
    clock.advance(90);
    source.push([1]);
    await turns();
    clock.advance(90);
    source.push([2]);
    await turns();
    clock.advance(99);
    await turns();
    expect(got).toEqual([1, 2]);
    clock.advance(1);
    const error = await failed;
    expect(error).toMatchObject({ code: "ERR_IDLE", name: "TimeoutError" });
    expect(failureOf(error)).toMatchObject({ step: "idle", index: 0, events: [] });
    expect(clock.pending).toBe(0);
  });

  test("a consumer that does not ask is not waited for; the end leaves no timer", async () => {
    const { source, clock } = fed();
    const stage = pipeline(source, idle<number>({ after: 100 }));
    await turns();
    clock.advance(1000);
    const loop = stage.events({ maxDemand: 1 })[Symbol.asyncIterator]();
    const first = loop.next();
    await turns();
    source.push([1, 2]);
    expect((await first).value).toBe(1);
    await turns();
    clock.advance(1000);
    await turns();
    expect(stage.state).toBe("running");
    source.complete();
    expect((await loop.next()).value).toBe(2);
    expect((await loop.next()).done).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test("passes on at the pace of its consumer", async () => {
    const source = counted(50);
    expect(await pipeline(source.source, idle<number>({ after: 9 }), take(5), collect()).done).toEqual(range(0, 4));
    expect(source.taken).toBe(5);
    expect(source.runtime.clock.pending).toBe(0);
    for (const options of [{}, { after: -1 }, { after: "1" }]) expect(() => idle(options as never)).toThrow(/expected/);
  });
});

describe("distinct", () => {
  test("drops repeats among the last `max` keys", async () => {
    const events = [1, 2, 1, 3, 1, 4, 2, 1];
    expect(
      await pipeline(
        fromIterable(events),
        distinct((n: number) => n, { max: 2 }),
        collect(),
      ).done,
    ).toEqual([1, 2, 3, 4, 2, 1]);
    expect(
      await pipeline(
        fromIterable(events),
        distinct((n: number) => n, { max: 4 }),
        collect(),
      ).done,
    ).toEqual([1, 2, 3, 4]);
  });

  test("is new for each pipeline; a key that throws fails with its event", async () => {
    const step = distinct((n: number) => n, { max: 9 });
    for (let i = 0; i < 2; i += 1) expect(await pipeline(fromIterable([1, 1]), step, collect()).done).toEqual([1]);
    const bad = new Error("bad");
    const key = (n: number) => {
      if (n === 2) throw bad;
      return n;
    };
    expect(await failureFrom(pipeline(fromIterable([1, 2]), distinct(key, { max: 1 }), collect()).done)).toBe(bad);
    expect(failureOf(bad)).toMatchObject({ step: "distinct", event: 2 });
    for (const options of [{}, { max: 0 }]) expect(() => distinct(key, options as never)).toThrow(/expected/);
  });
});

describe("boundary", () => {
  test("has a window of its own, and parts two stages", async () => {
    const source = counted(100);
    const { got, sink, next } = slow<number>();
    const running = pipeline(source.source, boundary<number>({ maxDemand: 4 }), sink);
    await turns();
    expect(source.taken).toBeLessThanOrEqual(100);
    for (let i = 0; i < 100; i += 1) await next();
    await running.done;
    expect(got).toEqual(range(0, 99));
    const stages = pipeline(
      source.source,
      map((n: number) => n),
      boundary({ maxDemand: 2 }),
      map((n) => n),
      collect(),
    );
    expect(stages.inspect().stages.map(({ name }) => name.split(" ")[1])).toEqual([
      "map+collect",
      "boundary",
      "boundary",
      "map",
    ]);
    await stages.done;
    for (const options of [{}, { maxDemand: 0 }, { maxDemand: 2, minDemand: 2 }])
      expect(() => boundary(options as never)).toThrow(/expected/);
  });
});
