import type { StageContext } from "../../src/contract/stage.ts";
import { lastValueFrom, merge, reduce } from "rxjs";
import { fromReadable } from "../../adapters/node/index.ts";
import { toObservable } from "../../adapters/rxjs/index.ts";
import {
  broadcastDispatcher,
  type Consumer,
  consumer,
  fromIterable,
  type Named,
  partitionDispatcher,
  type Producer,
  producer,
  producerConsumer,
  type ProducerContext,
  type Stage,
  type StageOptions,
  type Subscriber,
} from "../../src/index.ts";
import { range } from "../support/runtime.ts";
import type { Faults } from "./faults.ts";

export interface Graph {
  readonly stages: readonly Stage[];
  /** What comes out at the end, where that is no stage. */
  readonly result?: Promise<unknown>;
  /** Who depends on whom, by permanent subscriptions: the consumers by the name of their producer. */
  readonly consumers: Readonly<Record<string, readonly string[]>>;
  /** Who leaves by itself. */
  readonly leaves?: string;
  /** A partition without a consumer waits for one, so the owner of this stage stops it when one of these has ended. */
  readonly partitioned?: { readonly producer: Stage; readonly consumers: readonly Stage[] };
  /** What it comes to when nothing fails. */
  readonly check: () => unknown;
  readonly expected: unknown;
}

/** Options that all stages of a graph share. */
export type Common = Required<Pick<StageOptions, "signal" | "onReport">> & Pick<StageOptions, "runtime">;
export type Build = (faults: Faults, common: Common) => Graph;

const discards = (faults: Faults, stage: string) => ({ onDiscard: faults.wrap(stage, "onDiscard", () => {}) });

/** A consumer that keeps what it gets; every second one takes its time. */
function sink(faults: Faults, common: Common, name: string, slow = false): { stage: Consumer<number>; seen: number[] } {
  const seen: number[] = [];
  const stage = consumer<number>(
    {
      ...faults.common(name),
      handleEvents: faults.wrap(name, "handleEvents", (events: readonly number[]): unknown => {
        seen.push(...events);
        return slow ? new Promise<void>((resolve) => setImmediate(resolve)) : undefined;
      }),
      handleEnd: faults.wrap(name, "handleEnd", () => {}),
    },
    { name, ...common },
  );
  return { stage, seen };
}

/** A producer, a producerConsumer and a consumer with every callback there is. */
const chain: Build = (faults, common) => {
  let next = 1;
  const source = producer<number, object, number, number, number>(
    {
      ...faults.common("source"),
      handleDemand: faults.wrap("source", "handleDemand", (demand: number, stage: ProducerContext<number>) => {
        const events = range(next, Math.min(12, next + demand - 1));
        next += events.length;
        if (next > 12) stage.complete();
        return events;
      }),
      handleEnd: faults.wrap("source", "handleEnd", () => [13]),
    },
    { name: "source", onLastCancel: "stop", ...discards(faults, "source"), ...common },
  );
  const double = producerConsumer<number, number, object, number, number, number>(
    {
      ...faults.common("double"),
      handleEvents: faults.wrap("double", "handleEvents", (events: readonly number[]) => events.map((n) => n * 2)),
      handleEnd: faults.wrap("double", "handleEnd", () => [100]),
    },
    { name: "double", onLastCancel: "stop", ...discards(faults, "double"), ...common },
  );
  const { stage, seen } = sink(faults, common, "sink");
  stage.subscribe(double, { maxDemand: 3 });
  double.subscribe(source, { maxDemand: 4 });
  return {
    stages: [source, double, stage],
    consumers: { source: ["double"], double: ["sink"] },
    check: () => seen,
    expected: [...range(1, 13).map((n) => n * 2), 100],
  };
};

/** One source, three consumers of all its events. */
const fanOut: Build = (faults, common) => {
  const source = fromIterable(faults.iterable("source", range(1, 10)), {
    name: "source",
    dispatcher: broadcastDispatcher(),
    ...discards(faults, "source"),
    ...common,
  });
  const all = sink(faults, common, "all");
  const odd = sink(faults, common, "odd", true);
  const small = sink(faults, common, "small");
  const selector = (name: string, test: (n: number) => boolean) => ({
    selector: faults.wrap("source", "selector", test, () => ({ part: "producer", peer: name })),
  });
  all.stage.subscribe(source, { maxDemand: 4 });
  odd.stage.subscribe(source, { maxDemand: 3, ...selector("odd", (n) => n % 2 === 1) });
  small.stage.subscribe(source, { maxDemand: 2, ...selector("small", (n) => n < 4) });
  return {
    stages: [source, all.stage, odd.stage, small.stage],
    consumers: { source: ["all", "odd", "small"] },
    check: () => [all.seen, odd.seen, small.seen],
    expected: [range(1, 10), [1, 3, 5, 7, 9], [1, 2, 3]],
  };
};

/** One source, four consumers that share its events by key. */
const partition: Build = (faults, common) => {
  const source = fromIterable(faults.asyncIterable("source", range(0, 11)), {
    name: "source",
    dispatcher: partitionDispatcher({
      partitions: 4,
      maxQueued: 3,
      hash: faults.wrap("source", "hash", (n: number) => n % 4),
    }),
    ...discards(faults, "source"),
    ...common,
  });
  const sinks = range(0, 3).map((name) => sink(faults, common, `sink ${name}`, name % 2 === 1));
  sinks.forEach(({ stage }, at) => stage.subscribe(source, { partition: at, maxDemand: 2 }));
  const stages = sinks.map(({ stage }) => stage);
  return {
    stages: [source, ...stages],
    consumers: { source: stages.map(({ name }) => name) },
    partitioned: { producer: source, consumers: stages },
    check: () => sinks.map(({ seen }) => seen),
    expected: range(0, 3).map((n) => [n, n + 4, n + 8]),
  };
};

/** Three sources of three kinds, one consumer. */
const fanIn: Build = (faults, common) => {
  const options = (name: string) => ({ name, ...discards(faults, name), ...common });
  const sources: Producer<number>[] = [
    fromIterable(faults.iterable("iterable", range(1, 5)), options("iterable")),
    fromIterable(faults.asyncIterable("async iterable", range(11, 14)), options("async iterable")),
    fromReadable<number>(faults.readable("readable", range(21, 24), true), options("readable")),
  ];
  const { stage, seen } = sink(faults, common, "sink");
  for (const source of sources) stage.subscribe(source, { maxDemand: 2 });
  return {
    stages: [...sources, stage],
    consumers: Object.fromEntries(sources.map(({ name }) => [name, ["sink"]])),
    check: () => seen.toSorted((a, b) => a - b),
    expected: [...range(1, 5), ...range(11, 14), ...range(21, 24)],
  };
};

/** A consumer that has seen enough, and a producer that holds more than it may: both discard. */
const early: Build = (faults, common) => {
  let next = 1;
  const source = producer<number, object, number, number, number>(
    {
      ...faults.common("source"),
      handleDemand: faults.wrap("source", "handleDemand", (demand: number, stage: ProducerContext<number>) => {
        stage.push(range(next, next + demand + 4));
        next += demand + 5;
      }),
    },
    {
      name: "source",
      onLastCancel: "stop",
      bufferSize: 3,
      overflow: "drop-oldest",
      ...discards(faults, "source"),
      ...common,
    },
  );
  const seen: number[] = [];
  const last = consumer<number>(
    {
      ...faults.common("sink"),
      handleEvents: faults.wrap(
        "sink",
        "handleEvents",
        (events: readonly number[], _: unknown, stage: StageContext) => {
          seen.push(...events);
          if (seen.length >= 8) stage.stop();
        },
      ),
    },
    { name: "sink", ...common },
  );
  last.subscribe(source, { maxDemand: 4 });
  return {
    stages: [source, last],
    consumers: { source: ["sink"] },
    leaves: "sink",
    check: () => seen.slice(0, 6),
    expected: [1, 2, 3, 4, 7, 8],
  };
};

/** The word count: bytes, words, four counters, one Observable. */
export const wordCount: Build = (faults, common) => {
  const text = ["the mill and the ", "river ", "and the wh", "eel\n and the gate", " "];
  const source = fromReadable<Uint8Array>(
    faults.readable(
      "source",
      text.map((chunk) => Buffer.from(chunk)),
      false,
    ),
    { name: "source", ...common },
  );
  let rest = "";
  const split = (chunk: string, last: boolean): string[] => {
    const parts = (rest + chunk).split(/\s+/u);
    rest = last ? "" : (parts.pop() ?? "");
    return parts.filter((part) => part !== "");
  };
  const by = faults.wrap("splitter", "by", (word: string) => word);
  const splitter = producerConsumer(
    {
      ...faults.common("splitter"),
      handleEvents: faults.wrap("splitter", "handleEvents", (chunks: readonly Uint8Array[]) =>
        chunks.flatMap((chunk) => split(Buffer.from(chunk).toString(), false)),
      ),
      handleEnd: faults.wrap("splitter", "handleEnd", () => split("", true)),
    },
    {
      name: "splitter",
      dispatcher: partitionDispatcher({ partitions: 4, by }),
      onLastCancel: "stop",
      ...discards(faults, "splitter"),
      ...common,
    },
  );
  const counters = range(0, 3).map((at) => {
    const name = `counter ${at}`;
    const counts = new Map<string, number>();
    return producerConsumer(
      {
        ...faults.common(name),
        handleEvents: faults.wrap(name, "handleEvents", (words: readonly string[]): undefined => {
          for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
        }),
        handleEnd: faults.wrap(name, "handleEnd", () => [...counts]),
      },
      { name, onLastCancel: "stop", ...discards(faults, name), ...common },
    );
  });
  counters.forEach((counter, at) => counter.subscribe(splitter, { partition: at, maxDemand: 3 }));
  splitter.subscribe(source, { maxDemand: 2 });
  let counts: unknown;
  const add = faults.wrap("result", "reduce", (all: Map<string, number>, [word, n]: readonly [string, number]) =>
    all.set(word, n),
  );
  const merged = merge(...counters.map((counter) => toObservable(counter)));
  const result = lastValueFrom(merged.pipe(reduce(add, new Map<string, number>()))).then((all) => (counts = all));
  const names = counters.map(({ name }) => name);
  return {
    stages: [source, splitter, ...counters],
    result,
    consumers: {
      source: ["splitter"],
      splitter: names,
      ...Object.fromEntries(names.map((name) => [name, ["result"]])),
    },
    partitioned: { producer: splitter, consumers: counters },
    check: () => counts,
    expected: new Map(Object.entries({ the: 4, mill: 1, and: 3, river: 1, wheel: 1, gate: 1 })),
  };
};

export const graphs: Readonly<Record<string, Build>> = {
  "a chain": chain,
  "a fan-out": fanOut,
  "a partition": partition,
  "a fan-in": fanIn,
  "a consumer that leaves": early,
  "the word count": wordCount,
};

export const isSubscriber = (stage: Named): stage is Stage & Subscriber<never> => "subscriptions" in stage;
