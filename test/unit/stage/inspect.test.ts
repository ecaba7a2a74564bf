import util from "node:util";
import { expect, test } from "vitest";
import {
  type BroadcastOptions,
  broadcastDispatcher,
  consumer,
  type Dispatcher,
  demandDispatcher,
  partitionDispatcher,
  producer,
  producerConsumer,
  throughGenerator,
} from "../../../src/index.ts";
import { RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

const named = (name: string, runtime = testRuntime()) => ({ name, runtime });

test("6.10 shows the whole graph from any of its stages, as plain data", async () => {
  const runtime = testRuntime();
  const source = producer<number>(() => {}, named("source", runtime));
  const middle = producerConsumer((events: readonly number[]) => events, named("middle", runtime));
  const sink = consumer<number>(() => {}, named("sink", runtime));
  sink.subscribe(middle, { maxDemand: 10 });
  middle.subscribe(source, { maxDemand: 20, minDemand: 5 });
  await turns();
  const seen = sink.inspect();
  expect(structuredClone(seen)).toEqual(seen);
  expect(seen.stages.map(({ id, name, kind, state }) => [id, name, kind, state])).toEqual([
    [0, "sink", "consumer", "running"],
    [1, "middle", "producerConsumer", "running"],
    [2, "source", "producer", "running"],
  ]);
  expect(seen.links).toEqual([
    {
      producer: 1,
      consumer: 0,
      consumerName: "sink",
      state: "active",
      received: 0,
      demand: 10,
      pending: 10,
      maxDemand: 10,
      minDemand: 5,
    },
    {
      producer: 2,
      consumer: 1,
      consumerName: "middle",
      state: "active",
      received: 0,
      demand: 20,
      pending: 20,
      maxDemand: 20,
      minDemand: 5,
    },
  ]);
  expect(source.inspect().stages.map(({ name }) => name)).toEqual(["source", "middle", "sink"]);
});

test("6.10 says who waits for whom, and since when", async () => {
  const runtime = testRuntime();
  runtime.clock.advance(100);
  const source = producer<number>(() => {}, named("source", runtime));
  const middle = producerConsumer(
    async (events: readonly number[]) => {
      await new Promise(() => {});
      return events;
    },
    named("middle", runtime),
  );
  const sink = consumer<number>(() => {}, named("sink", runtime));
  middle.subscribe(source, { maxDemand: 2, minDemand: 0 });
  sink.subscribe(middle, { maxDemand: 2 });
  await turns();
  expect(source.inspect().stages.map(({ name, waiting }) => [name, waiting])).toEqual([
    ["source", [{ for: "push", on: "handleDemand", since: 100 }]],
    ["middle", [{ for: "events", on: "source", since: 100 }]],
    ["sink", [{ for: "events", on: "middle", since: 100 }]],
  ]);
  runtime.clock.advance(50);
  source.push([1, 2]);
  await turns();
  const [first, second] = source.inspect().stages;
  expect(first?.waiting).toEqual([{ for: "demand", on: "middle", since: 100 }]);
  expect([second?.busy, second?.waiting]).toEqual([
    "handleEvents",
    [{ for: "callback", on: "handleEvents", since: 150 }],
  ]);
  source.push([3]);
  expect(source.inspect().stages[0]?.buffered).toBe(1);
});

test("6.10 names the consumer that holds a broadcast up", async () => {
  const runtime = testRuntime();
  const source = producer<number, BroadcastOptions>(() => {}, {
    ...named("source", runtime),
    dispatcher: broadcastDispatcher(),
  });
  const slow = consumer<number>(() => {}, named("slow", runtime));
  const quick = consumer<number>(() => {}, named("quick", runtime));
  slow.subscribe(source, { demand: "manual" });
  quick.subscribe(source);
  await turns();
  expect(source.inspect().stages[0]).toMatchObject({
    demand: 0,
    dispatcher: { type: "broadcast", heldBy: ["slow"] },
    waiting: [{ for: "demand", on: "slow", since: 0 }],
  });
});

test("6.10 names the consumers that a broadcast waits for", async () => {
  const runtime = testRuntime();
  const source = producer<number, BroadcastOptions>(() => {}, {
    ...named("source", runtime),
    dispatcher: broadcastDispatcher({ startAfter: 3 }),
  });
  const heldBy = () => source.inspect().stages[0]?.dispatcher?.heldBy;
  expect(heldBy()).toEqual(["startAfter: 0 of 3 consumers"]);
  consumer<number>(() => {}, named("one", runtime)).subscribe(source);
  consumer<number>(() => {}, named("other", runtime)).subscribe(source);
  await turns();
  expect([heldBy(), source.demand]).toEqual([["startAfter: 2 of 3 consumers"], 0]);
  consumer<number>(() => {}, named("third", runtime)).subscribe(source);
  await turns();
  expect([heldBy(), source.demand]).toEqual([[], 1000]);
});

test("6.10 names the partition without a consumer that holds the end", async () => {
  const runtime = testRuntime();
  const dispatcher = partitionDispatcher({ partitions: 3, hash: (n: number) => n % 3 });
  const source = producer<number, { partition: number }>(() => {}, { ...named("source", runtime), dispatcher });
  const sink = consumer<number>(() => {}, named("sink", runtime));
  sink.subscribe(source, { partition: 0 });
  await turns();
  source.push([0, 1, 3]);
  await turns();
  const waiting = () => source.inspect().stages[0]?.waiting;
  expect(waiting()).toEqual([{ for: "push", on: "handleDemand", since: 0 }]);
  runtime.clock.advance(10);
  source.complete();
  await turns();
  expect(waiting()).toEqual([{ for: "demand", on: "partition 1", since: 10 }]);
  expect(source.state).toBe("ending");
});

test("6.10 an accumulating producer waits for its mode", async () => {
  const runtime = testRuntime();
  const source = producer<number>(() => {}, { ...named("source", runtime), demandMode: "accumulate" });
  consumer<number>(() => {}, named("sink", runtime)).subscribe(source);
  await turns();
  expect(source.inspect().stages[0]?.waiting).toEqual([{ for: "push", on: "demandMode", since: 0 }]);
});

test("6.10 names the partition that holds the source, with what is queued for each", async () => {
  const runtime = testRuntime();
  const dispatcher = partitionDispatcher({
    partitions: ["odd", "even"],
    maxQueued: 2,
    hash: (n: number) => (n % 2 ? "odd" : "even"),
  });
  const source = producer<number, { partition: "odd" | "even" }>(() => {}, { ...named("source", runtime), dispatcher });
  const sink = consumer<number>(() => {}, named("sink", runtime));
  sink.subscribe(source, { partition: "even", demand: "manual" }).ask(5);
  await turns();
  source.push([1, 3, 5, 2]);
  await turns();
  expect(source.inspect().stages[0]).toMatchObject({
    buffered: 2,
    queued: 2,
    dispatcher: {
      type: "partition",
      heldBy: ["partition odd"],
      partitions: [
        { name: "odd", consumer: undefined, queued: 2, demand: 0 },
        { name: "even", consumer: "sink", queued: 0, demand: 5 },
      ],
    },
  });
});

test("6.10 shows messages that wait, and a loop as a consumer without a stage", async () => {
  const runtime = testRuntime();
  const source = producer<number>(() => {}, named("source", runtime));
  const loop = source.batches({ maxDemand: 3 });
  const pulled = loop.next();
  await turns();
  expect(source.inspect().links).toEqual([
    {
      producer: 0,
      consumer: undefined,
      consumerName: "iterator",
      state: "active",
      demand: 3,
      pending: 3,
      maxDemand: 3,
      minDemand: 1,
    },
  ]);
  void source.call(() => {});
  expect(source.inspect().stages[0]?.messages).toBe(1);
  await loop.return?.();
  expect(await pulled).toEqual({ done: true, value: undefined });
});

test("6.10 a stage over two is shown as its halves, which know each other", async () => {
  const runtime = testRuntime();
  const source = producer<number>(() => {}, named("source", runtime));
  const lines = throughGenerator<number, number>(
    async function* (input) {
      yield* input;
    },
    named("lines", runtime),
  );
  const other = throughGenerator<number, number>((input) => input, { runtime });
  lines.subscribe(source);
  other.subscribe(lines);
  await turns();
  const halves = (stage: { inspect: typeof source.inspect }) =>
    stage.inspect().stages.map(({ id, name, kind, partner }) => [id, name, kind, partner]);
  expect(halves(lines)).toEqual([
    [0, "lines", "producer", 2],
    [1, `${other.name} input`, "consumer", 3],
    [2, "lines input", "consumer", 0],
    [3, other.name, "producer", 1],
    [4, "source", "producer", undefined],
  ]);
  expect("partner" in (source.inspect().stages[0] as object)).toBe(false);
});

test("printed, a stage shows its name and kind, and not what is behind it", async () => {
  const runtime = testRuntime();
  const source = producer<number>(() => {}, named("source", runtime));
  const sink = consumer<number>(() => {}, named("sink", runtime));
  const both = throughGenerator<number, number>((input) => input, named("both", runtime));
  sink.subscribe(both);
  both.subscribe(source);
  await turns();
  expect([source, sink, both].map((stage) => util.inspect(stage))).toEqual([
    "ProducerHandle { name: 'source', kind: 'producer' }",
    "ConsumerHandle { name: 'sink', kind: 'consumer' }",
    "CoupledHandle { name: 'both', kind: 'producerConsumer' }",
  ]);
  expect(await source.call((stage) => util.inspect(stage))).toBe("EmittingContext { name: 'source' }");
});

test("6.10 a dispatcher that says nothing of itself is a custom one", () => {
  const { wanted, queued, subscribe, ask, cancel, giveBack, dispatch } = demandDispatcher();
  const dispatcher: Dispatcher<unknown> = { wanted, queued, subscribe, ask, cancel, giveBack, dispatch };
  expect(producer(() => {}, { dispatcher }).inspect().stages[0]?.dispatcher).toEqual({ type: "custom" });
});

test("6.10 a producer that is no stage is not shown, but waited for", async () => {
  const runtime = testRuntime();
  const raw = new RawProducer<number>();
  const sink = consumer<number>(() => {}, named("sink", runtime));
  sink.subscribe(raw.producer, { maxDemand: 4 });
  await turns();
  const { stages, links } = sink.inspect();
  expect([stages.map(({ name }) => name), links]).toEqual([["sink"], []]);
  expect(stages[0]?.waiting).toEqual([{ for: "events", on: "raw producer", since: 0 }]);
});

test("6.10 a producerConsumer that has input waits for demand alone", async () => {
  const runtime = testRuntime();
  const raw = new RawProducer<number>();
  const middle = producerConsumer((events: readonly number[]) => events, named("middle", runtime));
  const sink = consumer<number>(() => {}, named("sink", runtime));
  middle.subscribe(raw.producer, { maxDemand: 4 });
  sink.subscribe(middle, { demand: "manual" });
  await turns();
  raw.port.events([1, 2]);
  await turns();
  expect(middle.inspect().stages[0]).toMatchObject({
    input: 1,
    waiting: [{ for: "demand", on: "sink", since: 0 }],
  });
});
