import { createReadStream } from "node:fs";
import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";
import { of, map as rxMap } from "rxjs";
import {
  balance,
  broadcast,
  type BroadcastBranchesOptions,
  type Branched,
  collect,
  compose,
  type Discarded,
  type DrainOptions,
  type EventOf,
  type Failure,
  filter,
  flatMap,
  flatMapAsync,
  forEach,
  fromIterable,
  type GroupOptions,
  type Inspection,
  intoGroups,
  type Lag,
  map,
  mapAsync,
  type Opened,
  type PartitionSubscribeOptions,
  partitionBy,
  type Pipeline,
  pipeline,
  type PipelineOptions,
  type Producer,
  reduce,
  type Runtime,
  scan,
  type Sink,
  type Source,
  type Stall,
  type Step,
  take,
  takeWhile,
  tap,
} from "headrace";

interface Row {
  readonly id: number;
  readonly name: string;
}
declare const numbers: Producer<number>;
declare const rows: readonly Row[];
declare const partitioned: Producer<number, PartitionSubscribeOptions<"a" | "b">>;
declare const runtime: Runtime;
declare const web: ReadableStream<Uint8Array>;
declare const any: any;

// Sources
expectType<Producer<number>>(pipeline([1, 2]));
expectType<Pipeline<number[]>>(pipeline([1, 2], collect()));
expectType<Pipeline<Row[]>>(pipeline(rows, collect()));
expectType<Pipeline<string[]>>(pipeline(new Set(["a"]), collect()));
expectType<Pipeline<[string, number][]>>(pipeline(new Map([["a", 1]]), collect()));
expectType<Pipeline<(string | Buffer)[]>>(pipeline(createReadStream("x"), collect()));
expectType<Pipeline<(string | Buffer)[]>>(pipeline(Readable.from([1]), collect()));
expectType<Pipeline<Row[]>>(pipeline(Readable.from([]) as AsyncIterable<Row>, collect()));
expectType<Pipeline<number[]>>(
  pipeline(
    (async function* () {
      yield 1;
    })(),
    collect(),
  ),
);
expectType<Pipeline<string[]>>(
  pipeline(
    rows,
    map((row) => row.name),
    collect(),
  ),
);
expectType<Pipeline<number>>(
  pipeline(
    rows,
    reduce((sum, row) => sum + row.id, 0),
  ),
);
expectAssignable<Source<number>>(numbers);
expectAssignable<Source<number>>([1]);
expectAssignable<Source<number>>(new Set([1]));
expectNotAssignable<Source<string>>("abc");
expectNotAssignable<Source<number>>(new Uint8Array(2));
expectNotAssignable<Source<number>>(partitioned);
expectType<number>({} as EventOf<Producer<number>>);
expectType<Row>({} as EventOf<readonly Row[]>);
expectType<string | Buffer>({} as EventOf<Readable>);
expectType<string>({} as EventOf<AsyncGenerator<string>>);
const load = async <T>(source: Source<T>): Promise<T[]> => pipeline(source, collect());
expectType<Promise<number[]>>(load([1]));
expectType<Promise<Row[]>>(load(rows));
expectType<Promise<(string | Buffer)[]>>(load(createReadStream("x")));
expectError(load("abc"));
expectError(pipeline("abc", collect()));
expectError(pipeline(new Uint8Array(3), collect()));
expectError(pipeline(of(1), collect()));
expectError(pipeline(new EventEmitter(), collect()));
expectError(pipeline(new EventTarget(), collect()));
expectError(pipeline(() => [1], collect()));
expectError(pipeline(Promise.resolve([1]), collect()));
expectError(pipeline(new Response("a"), collect()));
expectError(pipeline(pipeline([1], collect()), collect()));
expectError(pipeline(partitioned, collect()));
expectError(pipeline(map(String), collect()));
expectError(pipeline(12, collect()));
expectError(pipeline({}, collect()));
expectError(pipeline(null, collect()));
expectType<Pipeline<Uint8Array[]>>(pipeline(web as unknown as AsyncIterable<Uint8Array>, collect()));

// Steps that are none
expectError(pipeline(numbers, String, collect()));
expectError(
  pipeline(
    numbers,
    rxMap((n: number) => n),
    collect(),
  ),
);
expectError(pipeline(numbers, collect));
expectError(pipeline(numbers, process.stdout));
expectError(pipeline(numbers, new EventEmitter()));
expectError(pipeline(numbers, [map(String)], collect()));
expectError(pipeline(numbers, collect(), collect()));
expectError(
  pipeline(
    numbers,
    map((text: string) => text),
    collect(),
  ),
);
expectError(pipeline(numbers, collect<string>()));
expectError(
  pipeline(
    numbers,
    map(async (n) => n),
    collect(),
  ),
);
expectError(
  pipeline(
    numbers,
    flatMap(async (n) => [n]),
    collect(),
  ),
);
expectError(
  pipeline(
    numbers,
    flatMap(async function* (n) {
      yield n;
    }),
    collect(),
  ),
);
expectError(
  pipeline(
    numbers,
    filter(async (n) => n > 1),
    collect(),
  ),
);
expectError(
  pipeline(
    numbers,
    filter((n) => n),
    collect(),
  ),
);
expectError(
  pipeline(
    numbers,
    takeWhile(async () => true),
    collect(),
  ),
);
expectError(
  pipeline(
    numbers,
    scan(async (sum, n) => (await sum) + n, 0),
    collect(),
  ),
);
expectError(
  pipeline(
    numbers,
    reduce(async (sum, n) => sum + n, 0),
  ),
);
expectError(pipeline(numbers, mapAsync(Number.parseInt), collect()));
// What is any may be a promise, and is taken for none.
expectType<Pipeline<any[]>>(
  pipeline(
    numbers,
    map(() => any),
    collect(),
  ),
);

// Pipeline
declare const running: Pipeline<number[]>;
expectType<Promise<number[]>>(running.done);
expectType<Promise<number[]>>(running.drain({ timeout: 1 }));
expectType<Promise<number[]>>(running.drain());
expectType<Promise<void>>(running.stop({ timeout: 1 }));
expectType<Failure | undefined>(running.failure);
expectType<Inspection>(running.inspect());
expectType<string>(running.explain());
expectType<() => void>(running.onStall({ after: 10 }, (stall) => expectType<Stall>(stall)));
expectType<number[]>(await running);
expectAssignable<PromiseLike<readonly number[]>>(running);
expectAssignable<AsyncDisposable>(running);
expectAssignable<DrainOptions>({});
expectError(running.catch(() => {}));
expectError(running.drain({ after: 1 }));
expectError(running.onStall({}, () => {}));
expectError(running.onStall({ after: 1 }));

// pipeline.with
const own = pipeline.with({
  name: "a",
  maxDemand: 4,
  minDemand: 1,
  runtime,
  onReport: () => {},
  signal: AbortSignal.abort(),
});
expectType<Pipeline<string[]>>(own([1], map(String), collect()));
expectType<Producer<string>>(own(numbers, map(String)));
expectType<Producer<number>>(own([1]));
expectAssignable<PipelineOptions>({ onDiscard: ({ events, cause }: Discarded) => [events, cause] });
expectAssignable<PipelineOptions>({ signal: undefined });
expectError(pipeline.with({ concurrency: 4 }));
expectError(pipeline.with({ maxDemand: "4" }));
expectError(pipeline.with());
expectError(
  own(
    numbers,
    map((text: string) => text),
  ),
);

// compose
const words = compose(
  flatMap((line: string) => line.split(" ")),
  filter((word) => word !== ""),
);
expectType<Step<string, string>>(words);
expectType<Pipeline<string[]>>(pipeline(["a"], words, collect()));
expectType<Sink<string, number>>(
  compose(
    words,
    reduce((n: number) => n + 1, 0),
  ),
);
expectType<Step<number, number>>(compose([map((n: number) => n + 1), take<number>(2)]));
expectType<Step<string, number>>(
  compose(
    words,
    map((word) => word.length),
    filter((n) => n > 1),
  ),
);
expectType<Pipeline<number[]>>(
  pipeline(
    ["a"],
    compose(
      words,
      map((word) => word.length),
    ),
    collect(),
  ),
);
expectError(
  compose(
    words,
    map((n: number) => n),
  ),
);
expectError(compose(collect<string>(), words));
expectError(compose([map((n: number) => String(n))]));
expectError(pipeline([1], words, collect()));

// Branches
expectType<Pipeline<number[][]>>(
  pipeline(
    [1],
    balance(2, (events) => pipeline(events, collect())),
  ),
);
expectType<Producer<string>>(
  pipeline(
    [1],
    balance(2, (events, index) =>
      pipeline(
        events,
        map((n) => `${n} ${index}`),
      ),
    ),
  ),
);
expectType<Pipeline<{ sum: number; all: number[] }>>(
  pipeline(
    [1],
    broadcast({
      sum: (events) =>
        pipeline(
          events,
          reduce((sum: number, n: number) => sum + n, 0),
        ),
      all: (events) => pipeline(events, collect()),
    }),
  ),
);
expectType<Producer<number | string>>(
  pipeline([1], broadcast({ same: (events) => events, text: (events) => pipeline(events, map(String)) })),
);
expectType<Pipeline<string[][]>>(
  pipeline(
    ["a"],
    partitionBy(
      (s) => s,
      { partitions: 2 },
      (events) => pipeline(events, collect()),
    ),
  ),
);
expectType<Pipeline<{ x: Row[]; y: Row[] }>>(
  pipeline(
    rows,
    partitionBy(
      (row) => row.name,
      { partitions: ["x", "y"] },
      (events, name) => {
        expectType<"x" | "y">(name);
        return pipeline(events, collect());
      },
    ),
  ),
);
expectType<Producer<number>>(
  pipeline(
    rows,
    partitionBy(
      (row) => row.id,
      { partitions: 3 },
      (events, name) => {
        expectType<number>(name);
        return pipeline(
          events,
          map((row) => row.id),
        );
      },
    ),
  ),
);
expectError(
  pipeline(
    [1],
    balance(2, async (events) => pipeline(events, collect())),
    collect(),
  ),
);
expectError(
  pipeline(
    [1],
    balance(2, (events) => pipeline(events, collect()).done),
  ),
);
expectError(
  pipeline(
    [1],
    balance(2, (events) => pipeline(events, collect())),
    collect(),
  ),
);
expectError(pipeline([1], balance(2)));
expectError(
  pipeline(
    [1],
    balance("two", (events) => pipeline(events, collect())),
  ),
);
expectError(
  pipeline(
    [1],
    partitionBy((n) => n, { partitions: 2 }),
    collect(),
  ),
);
expectType<Step<number, string>>({} as Branched<number, Producer<string>, never>);
expectType<Sink<number, string[]>>({} as Branched<number, Pipeline<string>, string[]>);

// lag
expectAssignable<Lag>({ max: 1 });
expectAssignable<Lag>({ max: 1, policy: "cancel" });
expectNotAssignable<Lag>({ policy: "hold" });
expectNotAssignable<Lag>({ max: 1, policy: "drop" });
expectAssignable<BroadcastBranchesOptions<"a">>({
  lag: { max: 1 },
  lagOf: { a: { max: 2, policy: "drop-oldest" } },
  startAfter: 2,
});
expectError(broadcast({ a: (events: Producer<number>) => events }, { lagOf: { b: { max: 1 } } }));
expectError(pipeline([1], broadcast({ a: (events) => pipeline(events, collect()) }, { lag: { max: "1" } })));

// intoGroups
expectType<Pipeline<number>>(
  pipeline(
    rows,
    intoGroups(
      (row) => row.name,
      (events, key, { reopened }) => {
        expectType<Producer<Row>>(events);
        expectType<string>(key);
        expectType<boolean>(reopened);
        return pipeline(events, collect());
      },
      { maxOpen: 10, evict: "lru", idle: 100, maxQueued: 10 },
    ),
  ),
);
expectAssignable<GroupOptions>({});
expectError(
  pipeline(
    rows,
    intoGroups(
      (row) => row,
      (events) => pipeline(events, collect()),
    ),
  ),
);
expectError(
  pipeline(
    rows,
    intoGroups(
      (row) => row.id,
      (events) =>
        pipeline(
          events,
          map((row) => row.id),
        ),
    ),
  ),
);
expectError(
  pipeline(
    rows,
    intoGroups(
      (row) => row.id,
      async (events) => pipeline(events, collect()),
    ),
  ),
);
expectError(
  pipeline(
    rows,
    intoGroups(
      (row) => row.id,
      (events) => pipeline(events, collect()),
      { evict: "fifo" },
    ),
  ),
);

// What flatMapAsync opens
expectType<Pipeline<string[]>>(
  pipeline(
    [1],
    flatMapAsync(async () => ["a"]),
    collect(),
  ),
);
expectType<Pipeline<number[]>>(
  pipeline(
    [1],
    flatMapAsync((n) => fromIterable([n])),
    collect(),
  ),
);
expectType<Pipeline<(string | Buffer)[]>>(
  pipeline(
    ["x"],
    flatMapAsync((path) => createReadStream(path)),
    collect(),
  ),
);
expectAssignable<Opened<number>>(Promise.resolve([1]));
expectError(
  pipeline(
    [1],
    flatMapAsync(() => "abc"),
    collect(),
  ),
);
expectError(
  pipeline(
    [1],
    flatMapAsync(async (n) => n),
    collect(),
  ),
);

// A function with a wider parameter takes no type away.
expectType<Pipeline<Row[]>>(pipeline(rows, tap(console.log), collect()));
expectType<Pipeline<Row[]>>(
  pipeline(
    rows,
    filter((row: { readonly id: number }) => row.id > 1),
    collect(),
  ),
);
expectType<Pipeline<number[]>>(pipeline([0, undefined, 1], filter(Boolean), collect()));
expectType<Pipeline<Row[]>>(
  pipeline(
    rows,
    takeWhile((row: object) => "id" in row),
    collect(),
  ),
);
const total = <In, R>(source: Producer<In>, fn: (sum: R, event: In) => R, seed: R): Pipeline<R> =>
  pipeline(source, reduce(fn, seed));
expectType<Pipeline<string>>(total(numbers, (text, n) => text + n, ""));
expectType<Pipeline>(pipeline([1], forEach(console.log)));
