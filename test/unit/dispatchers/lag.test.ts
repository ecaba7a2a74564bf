import { describe, expect, test } from "vitest";
import {
  broadcast,
  broadcastDispatcher,
  collect,
  consumer,
  type Discarded,
  forEach,
  fromIterable,
  type Lag,
  pipeline,
  producer,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { RawConsumer } from "../../support/stages.ts";

function rig(options: { readonly onLastCancel?: "stop" } = {}) {
  const runtime = testRuntime();
  const lost: [events: number[], cause: string, consumer: string | undefined][] = [];
  const source = producer<number, object>(() => {}, {
    runtime,
    name: "news",
    dispatcher: broadcastDispatcher() as never,
    onDiscard: ({ events, cause, consumer: name }: Discarded<number>) => void lost.push([[...events], cause, name]),
    ...options,
  });
  const attach = (name: string, lag?: Lag, selector?: (n: number) => boolean): RawConsumer<number> =>
    new RawConsumer<number>(name).attach(source, { lag, selector });
  return { runtime, source, lost, attach };
}

describe("4.11 a consumer of a broadcast that may lag behind", () => {
  test.each<readonly [Lag["policy"], number[], number[][]]>([
    ["drop-oldest", [1, 2, 8, 9, 10], [[3, 4, 5, 6, 7]]],
    ["drop-newest", [1, 2, 3, 4, 5], [[6, 7, 8, 9, 10]]],
  ])(
    "4.11 %s: it loses its own events, which are told with its name, and the others get all",
    async (policy, gets, drops) => {
      const { source, lost, attach } = rig();
      const fast = attach("fast").ask(100);
      const slow = attach("slow", { max: 3, policy }).ask(2);
      await turns();
      source.push(range(1, 10));
      await turns();
      expect(fast.batches.flat()).toEqual(range(1, 10));
      expect(slow.batches.flat()).toEqual([1, 2]);
      slow.ask(100);
      await turns();
      expect(slow.batches.flat()).toEqual(gets);
      expect(lost).toEqual(drops.map((events) => [events, "lag", "slow"]));
      source.push([11]);
      await turns();
      expect([fast.batches.at(-1), slow.batches.at(-1)]).toEqual([[11], [11]]);
    },
  );

  test("4.11 cancel: it is cancelled with ERR_LAG, and loses what waited for it", async () => {
    const { source, lost, attach } = rig();
    const fast = attach("fast").ask(100);
    const slow = attach("slow", { max: 3, policy: "cancel" }).ask(2);
    await turns();
    source.push(range(1, 5));
    await turns();
    expect([slow.batches.flat(), slow.ends]).toEqual([[1, 2], []]);
    source.push([6]);
    await turns();
    expect(slow.ends).toMatchObject([{ type: "failure", error: { code: "ERR_LAG", name: "OverflowError" } }]);
    expect(lost).toEqual([[[3, 4, 5, 6], "lag", "slow"]]);
    expect(fast.batches.flat()).toEqual(range(1, 6));
  });

  test("4.11 hold, the default, holds the others up", async () => {
    const { source, attach } = rig();
    const fast = attach("fast").ask(100);
    attach("slow", { max: 3 }).ask(2);
    await turns();
    source.push(range(1, 10));
    await turns();
    expect(fast.batches.flat()).toEqual([1, 2]);
  });

  test("4.11 those that hold pace; if there are none, the fastest does", async () => {
    const { source, attach } = rig();
    attach("a", { max: 3, policy: "drop-oldest" }).ask(4);
    attach("b", { max: 3, policy: "drop-oldest" }).ask(7);
    await turns();
    expect(source.demand).toBe(7);
    const c = attach("c").ask(5);
    await turns();
    expect(source.demand).toBe(5);
    c.leave();
    await turns();
    expect(source.demand).toBe(7);
    source.push(range(1, 6));
    await turns();
    expect(source.demand).toBe(1);
  });

  test("4.11 max counts behind its selector, and what that passes over costs no demand", async () => {
    const { source, lost, attach } = rig();
    const even = attach("even", { max: 2, policy: "drop-oldest" }, (n) => n % 2 === 0).ask(2);
    await turns();
    source.push(range(1, 20));
    await turns();
    expect(even.batches.flat()).toEqual([2, 4]);
    expect(source.demand).toBe(0);
    const other = attach("other").ask(100);
    await turns();
    source.push([]);
    await turns();
    expect(other.batches.flat()).toEqual(range(5, 20));
    even.ask(10);
    await turns();
    expect(even.batches.flat()).toEqual([2, 4, 18, 20]);
    expect(lost.flatMap(([events]) => events)).toEqual([6, 8, 10, 12, 14, 16]);
  });

  test("4.11 at the end the others are told at once, and it behind what waits for it", async () => {
    const { source, attach } = rig();
    const fast = attach("fast").ask(100);
    const slow = attach("slow", { max: 10, policy: "drop-oldest" }).ask(2);
    await turns();
    source.push(range(1, 6));
    source.complete();
    await turns();
    fast.leave();
    await turns();
    expect([fast.ends, slow.ends, source.state]).toEqual([[{ type: "complete" }], [], "completed"]);
    slow.ask(3);
    await turns();
    expect([slow.batches.flat(), slow.ends]).toEqual([range(1, 5), []]);
    slow.ask(1);
    await turns();
    expect([slow.batches.flat(), slow.ends]).toEqual([range(1, 6), [{ type: "complete" }]]);
  });

  test.each(["stop", "failure"])("4.11 at a %s it loses what waits for it, and is told at once", async (how) => {
    const { source, lost, attach } = rig();
    attach("fast").ask(100);
    const slow = attach("slow", { max: 10, policy: "drop-oldest" }).ask(2);
    await turns();
    source.push(range(1, 6));
    await turns();
    source.done.catch(() => {});
    if (how === "stop") await source.stop();
    else source.fail(new Error("boom"));
    await turns();
    expect(slow.ends).toMatchObject([{ type: how }]);
    expect(lost).toEqual([[range(3, 6), "lag", "slow"]]);
  });

  test("4.11 one that leaves, before or behind the end, loses what waits for it without a word", async () => {
    const { source, lost, attach } = rig();
    attach("fast").ask(100);
    const [before, behind] = ["before", "behind"].map((name) => attach(name, { max: 10, policy: "drop-oldest" }));
    await turns();
    source.push(range(1, 6));
    await turns();
    before?.leave();
    source.complete();
    await turns();
    behind?.leave();
    await turns();
    expect([lost, before?.batches, behind?.batches]).toEqual([[], [], []]);
  });

  test("4.11 what it asks for beyond what waits for it is its demand, once it paces", async () => {
    const { source, attach } = rig();
    const fast = attach("fast").ask(5);
    const slow = attach("slow", { max: 10, policy: "drop-oldest" }).ask(2);
    await turns();
    source.push(range(1, 5));
    slow.ask(7);
    await turns();
    expect(slow.batches.flat()).toEqual(range(1, 5));
    fast.leave();
    await turns();
    expect(source.demand).toBe(4);
  });

  test("4.11 one that asks for less than waits for it has no demand", async () => {
    const { source, attach } = rig();
    const fast = attach("fast").ask(5);
    const slow = attach("slow", { max: 10, policy: "drop-oldest" });
    await turns();
    source.push(range(1, 5));
    slow.ask(2);
    await turns();
    expect(slow.batches.flat()).toEqual([1, 2]);
    fast.leave();
    await turns();
    expect(source.demand).toBe(0);
  });

  test("4.11 it does not keep flushed() waiting, nor push from being told that all went out", async () => {
    const { source, attach } = rig();
    attach("fast").ask(100);
    attach("slow", { max: 10, policy: "drop-newest" });
    await turns();
    expect(source.push(range(1, 6))).toBe(true);
    await source.flushed();
    expect(source.bufferedCount).toBe(0);
  });

  test("F-54 a branch with a lag loses events to a slow sink, and the others get all", async () => {
    const lost: number[] = [];
    const gate = Promise.withResolvers<void>();
    const running = pipeline.with({ onDiscard: ({ events }) => void lost.push(...(events as number[])) })(
      range(1, 5000),
      broadcast(
        {
          all: (events) => pipeline(events, collect()),
          some: (events) =>
            pipeline.with({ maxDemand: 10 })(
              events,
              forEach(() => gate.promise),
            ),
        },
        { lagOf: { some: { max: 100, policy: "drop-oldest" } } },
      ),
    );
    await turns(8);
    gate.resolve();
    const results = await running;
    expect(results.all).toHaveLength(5000);
    expect(lost.length).toBeGreaterThan(4000);
  });

  test("4.11 wrong options are refused at once", () => {
    const source = fromIterable([1], { dispatcher: broadcastDispatcher() });
    const subscribe = (lag: unknown) => () => consumer(() => {}).subscribe(source, { lag } as never);
    expect(subscribe({ max: 0 })).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
    expect(subscribe({ policy: "drop-oldest" })).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(subscribe({ max: 1, policy: "drop" })).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(subscribe({ max: 1, size: 1 })).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    const branch = { a: (events: never) => pipeline(events as number[], collect()) };
    expect(() => broadcast(branch as never, { lag: { max: 0 } })).toThrow(
      expect.objectContaining({ code: "ERR_RANGE" }),
    );
    expect(() => broadcast(branch as never, { lagOf: { b: { max: 1 } } } as never)).toThrow(
      expect.objectContaining({ code: "ERR_OPTION" }),
    );
  });
});
