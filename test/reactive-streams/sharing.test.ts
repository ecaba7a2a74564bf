import { describe, expect, test } from "vitest";
import {
  broadcastDispatcher,
  consumer,
  fromIterable,
  partitionDispatcher,
  producer,
  type ProducerContext,
} from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { complete, ManualConsumer, until } from "./harness.ts";
import { identity, kinds } from "./kinds.ts";

const raws = (count: number): ManualConsumer[] => Array.from({ length: count }, () => new ManualConsumer());
/** A broadcast of `count` numbers that ends with the last one, and what was asked of it. */
const broadcast = (count: number) => {
  const demands: number[] = [];
  let next = 0;
  const source = producer(
    {
      handleDemand(demand: number, stage: ProducerContext<number>): number[] {
        demands.push(demand);
        const events = range(next, Math.min(count, next + demand) - 1);
        next += events.length;
        if (next === count) stage.complete();
        return events;
      },
    },
    { runtime: testRuntime(), dispatcher: broadcastDispatcher() },
  );
  return { source, demands };
};

describe.each(kinds)("$name", (kind) => {
  test("RS-1.11a two consumers attach, and nothing is said", async () => {
    const source = kind.make(3);
    const both = raws(2).map((raw) => raw.attach(source));
    await turns();
    expect(both.map(({ received, ends, flaws }) => [received, ends, flaws])).toEqual([
      [[], [], []],
      [[], [], []],
    ]);
  });

  test("RS-1.11b one event goes to one of two consumers, the end to both", async () => {
    const source = kind.make(1);
    const both = raws(2).map((raw) => raw.attach(source).ask(1));
    await turns(8);
    for (const raw of both) if (raw.ends.length === 0) raw.ask(1);
    await until(() => both.every(({ ends }) => ends.length > 0), 100);
    expect(both.flatMap(({ received }) => received)).toEqual([0]);
    expect(both.map(({ ends, flaws }) => [ends, flaws])).toEqual([
      [[complete], []],
      [[complete], []],
    ]);
  });

  test("RS-1.1d competing consumers get what they asked for: nothing twice, nothing missing", async () => {
    const source = kind.make(100);
    const [one, two] = raws(2).map((raw) => raw.attach(source)) as [ManualConsumer, ManualConsumer];
    one.ask(3);
    two.ask(5);
    await until(() => one.received.length + two.received.length >= 8, 100);
    await turns();
    expect([one.received.length, two.received.length]).toEqual([3, 5]);
    expect([...one.received, ...two.received].toSorted((a, b) => a - b)).toEqual(range(0, 7));
    expect([one.flaws, two.flaws]).toEqual([[], []]);
  });
});

test("RS-1.10 a consumer is refused a second place at a broadcast, and keeps the first", async () => {
  const { source } = broadcast(3);
  const seen: number[] = [];
  const c = consumer<number>((events) => void seen.push(...events), { runtime: testRuntime() });
  c.subscribe(source);
  for (let time = 0; time < 2; time += 1)
    expect(() => c.subscribe(source)).toThrow(expect.objectContaining({ code: "ERR_DUPLICATE" }));
  await c.done;
  expect(seen).toEqual([0, 1, 2]);
});

test("RS-1.9c a taken partition refuses with a throw, and its consumer keeps it", async () => {
  const source = fromIterable(range(0, 3), {
    runtime: testRuntime(),
    dispatcher: partitionDispatcher({ partitions: 1, hash: () => 0 }),
  });
  const first = new ManualConsumer().attach(source, { partition: 0 }).ask(10);
  const second = new ManualConsumer();
  expect(() => second.attach(source, { partition: 0 })).toThrow(
    expect.objectContaining({ code: "ERR_PARTITION_TAKEN" }),
  );
  await turns();
  expect([first.received, first.ends, second.received, second.ends]).toEqual([range(0, 3), [complete], [], []]);
});

describe("a broadcast", () => {
  test("RS-1.11c moves at the pace of the slowest, and all see the same", async () => {
    const { source } = broadcast(5);
    const [a, b, c] = raws(3).map((raw) => raw.attach(source)) as [ManualConsumer, ManualConsumer, ManualConsumer];
    const steps: [ManualConsumer, number, number][] = [
      [a, 1, 0],
      [b, 2, 0],
      [a, 1, 0],
      [c, 3, 2],
      [c, 1, 2],
      [c, 1, 2],
      [b, 3, 2],
      [a, 2, 4],
      [a, 1, 5],
    ];
    for (const [who, count, seen] of steps) {
      who.ask(count);
      await turns();
      expect([a, b, c].map(({ received }) => received)).toEqual([0, 1, 2].map(() => range(0, seen - 1)));
      expect([a, b, c].map(({ ends }) => ends)).toEqual([0, 1, 2].map(() => (seen === 5 ? [complete] : [])));
    }
    expect([a.flaws, b.flaws, c.flaws]).toEqual([[], [], []]);
  });

  test("RS-1.11d asked for more than there is by all, all get all and the end", async () => {
    const { source, demands } = broadcast(3);
    const all = raws(3).map((raw) => raw.attach(source));
    for (const raw of all) raw.ask(4);
    await turns();
    for (const raw of all) expect([raw.received, raw.ends, raw.flaws]).toEqual([[0, 1, 2], [complete], []]);
    expect(demands).toEqual([4]);
  });

  test("RS-1.11e who joins late starts where the others are, and holds them until it asks", async () => {
    const { source } = broadcast(10);
    const first = new ManualConsumer().attach(source).ask(2);
    await turns();
    const second = new ManualConsumer().attach(source);
    first.ask(3);
    await turns();
    expect([first.received, second.received]).toEqual([[0, 1], []]);
    second.ask(2);
    await turns();
    expect([first.received, second.received]).toEqual([
      [0, 1, 2, 3],
      [2, 3],
    ]);
    expect([first.flaws, second.flaws]).toEqual([[], []]);
  });

  test("RS-1.11f when the slowest goes, the others go on with what they had asked for", async () => {
    const { source } = broadcast(10);
    const [one, two, slow] = raws(3).map((raw) => raw.attach(source)) as [
      ManualConsumer,
      ManualConsumer,
      ManualConsumer,
    ];
    one.ask(5);
    two.ask(7);
    await turns();
    expect([one.received, two.received]).toEqual([[], []]);
    slow.cancel();
    await turns();
    expect([one.received, two.received, slow.received]).toEqual([range(0, 4), range(0, 4), []]);
  });

  test("RS-4.1b a third event waits for a consumer that has joined and not asked", async () => {
    const stage = identity(fromIterable(range(0, 2), { runtime: testRuntime() }), {
      dispatcher: broadcastDispatcher(),
    });
    const first = new ManualConsumer().attach(stage).ask(2);
    await turns();
    const second = new ManualConsumer().attach(stage);
    first.ask(18);
    await turns();
    expect([first.received, second.received]).toEqual([[0, 1], []]);
    second.ask(1);
    await turns();
    expect([first.received, second.received]).toEqual([[0, 1, 2], [2]]);
    expect([first.ends, second.ends, first.flaws, second.flaws]).toEqual([[complete], [complete], [], []]);
  });
});

test("RS-4.1b without coordination a consumer that has not asked holds nobody", async () => {
  const source = identity(fromIterable(range(0, 3), { runtime: testRuntime() }));
  const first = new ManualConsumer().attach(source).ask(2);
  await turns();
  const second = new ManualConsumer().attach(source);
  first.ask(1);
  await turns();
  expect([first.received, second.received]).toEqual([[0, 1, 2], []]);
  second.ask(1);
  await turns();
  expect([first.received, second.received]).toEqual([[0, 1, 2], [3]]);
  expect([first.ends, second.ends]).toEqual([[complete], [complete]]);
});

test("RS-1.11g partitions: one gets its own, the others keep theirs, nothing is asked for beyond the demand", async () => {
  const demands: number[] = [];
  let next = 0;
  const source = producer(
    {
      handleDemand(demand: number): number[] {
        demands.push(demand);
        next += demand;
        return range(next - demand, next - 1);
      },
    },
    { runtime: testRuntime(), dispatcher: partitionDispatcher({ partitions: 3, hash: (n: number) => n % 3 }) },
  );
  const others = [0, 2].map((partition) => new ManualConsumer().attach(source, { partition }));
  const one = new ManualConsumer().attach(source, { partition: 1 }).ask(10);
  await turns();
  expect(one.received).toEqual(range(0, 9).map((n) => 3 * n + 1));
  expect(Math.max(...demands)).toBe(10);
  expect(source.bufferedCount).toBe(next - 10);
  expect(others.map(({ received }) => received)).toEqual([[], []]);
  for (const raw of others) raw.ask(4);
  await turns();
  expect(others.map(({ received }) => received)).toEqual([
    [0, 3, 6, 9],
    [2, 5, 8, 11],
  ]);
  expect([one, ...others].flatMap(({ flaws }) => flaws)).toEqual([]);
});
