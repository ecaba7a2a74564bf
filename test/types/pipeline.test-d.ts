import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";
import {
  type BroadcastSubscribeOptions,
  balance,
  broadcast,
  type Consumer,
  collect,
  consumer,
  filter,
  flatMap,
  forEach,
  fromIterable,
  map,
  type PartitionSubscribeOptions,
  type Failure,
  type Pipeline,
  type Producer,
  type ProducerConsumer,
  partitionBy,
  pipeline,
  producer,
  producerConsumer,
  reduce,
  type Sink,
  type Step,
  scan,
  skip,
  take,
  takeWhile,
  tap,
  throughGenerator,
} from "headrace";

interface Row {
  readonly id: string;
  readonly size: number;
}
declare const numbers: Producer<number>;
declare const rows: Producer<Row>;
declare const mixed: Producer<number | string>;
declare const partitioned: Producer<number, PartitionSubscribeOptions<"a" | "b">>;
declare const broadcasted: Producer<number, BroadcastSubscribeOptions<number>>;
declare const isString: (value: unknown) => value is string;
declare const texts: Consumer<string>;
declare const anything: Consumer<unknown>;
declare const lengths: ProducerConsumer<string, number>;

// Without a sink: the last producer.
expectType<Producer<number>>(pipeline(numbers));
expectType<Producer<string>>(pipeline(numbers, map(String)));
expectType<Producer<string>>(
  pipeline(
    numbers,
    map((n) => `${n}`),
  ),
);
expectType<Producer<{ readonly n: number }>>(
  pipeline(
    numbers,
    map((n): { readonly n: number } => ({ n })),
  ),
);
expectError(
  pipeline(
    numbers,
    map(async (n) => n),
  ),
);
expectType<Producer<number>>(
  pipeline(
    numbers,
    filter((n) => n > 1),
  ),
);
expectType<Producer<string>>(pipeline(mixed, filter(isString)));
expectType<Producer<string>>(
  pipeline(
    mixed,
    filter((value) => typeof value === "string"),
  ),
);
expectType<Producer<string>>(pipeline(mixed, takeWhile(isString)));
expectType<Producer<number | string>>(
  pipeline(
    mixed,
    takeWhile((value) => value !== 0),
  ),
);
expectType<Producer<string>>(
  pipeline(
    numbers,
    flatMap((n) => ["a", `${n}`]),
  ),
);
expectType<Producer<number>>(
  pipeline(
    numbers,
    flatMap((n) => new Set([n])),
  ),
);
expectType<Producer<string>>(
  pipeline(
    fromIterable(["ab"]),
    flatMap((text) => text),
  ),
);
expectType<Producer<number>>(
  pipeline(
    numbers,
    tap((n) => n.toFixed()),
  ),
);
expectType<Producer<number>>(pipeline(numbers, take(3)));
expectType<Producer<Row>>(pipeline(rows, take(3), skip(1)));
expectType<Producer<string>>(
  pipeline(
    numbers,
    scan((text, n) => `${text}${n}`, ""),
  ),
);
expectType<Producer<number[]>>(
  pipeline(
    numbers,
    scan((all: number[], n) => [...all, n], []),
  ),
);
expectType<Producer<number>>(pipeline(numbers, balance()));
expectType<Producer<number, BroadcastSubscribeOptions<number>>>(pipeline(numbers, broadcast()));
expectType<Producer<number, PartitionSubscribeOptions<"x" | "y">>>(
  pipeline(
    numbers,
    partitionBy((n) => n, { partitions: ["x", "y"] }),
  ),
);
expectType<Producer<Row, PartitionSubscribeOptions<number>>>(
  pipeline(
    rows,
    partitionBy((row) => row.id, { partitions: 4, maxQueued: 10 }),
  ),
);
expectType<Producer<string>>(
  pipeline(
    numbers,
    balance(),
    map(String),
    broadcast(),
    filter((text) => text !== ""),
  ),
);
expectType<Producer<number, PartitionSubscribeOptions<"a" | "b">>>(pipeline(partitioned));

// With one: a running pipeline with the sink's result.
expectType<Pipeline<number[]>>(pipeline(numbers, collect()));
expectType<Pipeline<Row[]>>(
  pipeline(
    rows,
    filter((row) => row.size > 1),
    collect(),
  ),
);
expectType<Pipeline>(
  pipeline(
    numbers,
    forEach((n) => n.toFixed()),
  ),
);
expectType<Pipeline<void>>(
  pipeline(
    numbers,
    forEach(async () => {}),
  ),
);
expectType<Pipeline<number>>(
  pipeline(
    rows,
    reduce((sum, row) => sum + row.size, 0),
  ),
);
expectType<Pipeline<Map<string, number>>>(
  pipeline(
    rows,
    reduce((sizes, { id, size }) => sizes.set(id, size), new Map<string, number>()),
  ),
);
expectType<Promise<number[]>>(pipeline(numbers, collect()).done);
expectType<number[]>(await pipeline(numbers, collect()));
expectType<Promise<number[]>>(pipeline(numbers, collect()).drain({ timeout: 5 }));
expectType<Failure | undefined>(pipeline(numbers, collect()).failure);
expectType<Promise<void>>(pipeline(numbers, collect()).stop());
expectType<Promise<void>>(pipeline(numbers, collect()).stop({ reason: 1, timeout: 10 }));
expectType<Pipeline<string[]>>(pipeline(mixed, filter(isString), collect()));
expectType<Pipeline<any>>(
  pipeline(
    numbers,
    reduce((sum: any, n) => sum + n, 0 as any),
  ),
);

// Stages stand among the steps.
expectType<Pipeline<void>>(pipeline(fromIterable(["a"]), texts));
expectType<Pipeline<void>>(pipeline(numbers, anything));
expectType<Pipeline<void>>(pipeline(numbers, map(String), texts));
expectType<Pipeline<void>>(
  pipeline(
    numbers,
    consumer((events: readonly number[]) => events.length),
  ),
);
expectType<Producer<number>>(pipeline(fromIterable(["a"]), lengths));
expectType<Pipeline<number[]>>(pipeline(numbers, map(String), lengths, collect()));
expectType<Producer<string>>(
  pipeline(
    numbers,
    producerConsumer((events: readonly number[]) => events.map(String)),
  ),
);
expectType<Pipeline<string[]>>(
  pipeline(
    numbers,
    producerConsumer((events) => events.map(String)),
    collect(),
  ),
);
expectType<Producer<boolean>>(
  pipeline(
    numbers,
    throughGenerator(async function* (input) {
      for await (const n of input) yield n > 1;
    }),
  ),
);
expectType<ProducerConsumer<number, string>>(
  throughGenerator(async function* (input: AsyncIterable<number>) {
    for await (const n of input) yield `${n}`;
  }),
);
expectType<Pipeline<number[]>>(
  pipeline(
    producer((n) => [n]),
    collect(),
  ),
);
expectType<Pipeline<number[]>>(pipeline(broadcasted, collect()));

// Sixteen steps.
expectType<Pipeline<number>>(
  pipeline(
    numbers,
    map((n) => n + 1),
    map(String),
    filter((text) => text.length > 1),
    flatMap((text) => text.split("")),
    tap((letter) => letter.codePointAt(0)),
    map((letter) => ({ letter })),
    take(10),
    skip(1),
    takeWhile(({ letter }) => letter !== "9"),
    scan((all: string[], { letter }) => [...all, letter], []),
    map((all) => all.length),
    balance(),
    filter((n) => n % 2 === 0),
    map((n) => [n, n] as const),
    map(([a, b]) => a + b),
    reduce((sum, n) => sum + n, 0),
  ),
);

// Steps on their own.
expectAssignable<Step<number, string>>(map((n: number) => `${n}`));
expectAssignable<Step<number, number>>(filter((n: number) => n > 1));
expectAssignable<Step<unknown, string>>(filter(isString));
expectAssignable<Step<Row, Row>>(take<Row>(1));
expectAssignable<Sink<number, number>>(reduce((sum: number, n: number) => sum + n, 0));
expectAssignable<Sink<number, unknown[]>>(collect<unknown>());
expectAssignable<Step<string, number>>(lengths);
expectAssignable<Sink<string>>(texts);
expectAssignable<Sink<string>>(anything);
expectAssignable<Producer<unknown>>(pipeline(numbers, map(String)));
expectAssignable<AsyncDisposable>(pipeline(numbers, collect()));
expectAssignable<Pipeline<readonly unknown[]>>(pipeline(numbers, collect()));
expectAssignable<AsyncIterable<number>>(pipeline(numbers, take(1)));
const named = pipeline(
  numbers,
  partitionBy((n) => n, { partitions: ["x", "y"] }),
);
expectType<AsyncIterableIterator<number>>(named.events({ partition: "x" }));

// What must not compile: sources.
expectError(pipeline());
expectType<Pipeline<number[]>>(pipeline([1, 2], collect()));
expectError(pipeline(undefined, collect()));
expectError(pipeline(texts, collect()));
expectError(pipeline(collect()));
expectError(pipeline(partitioned, collect()));
expectError(
  pipeline(
    partitioned,
    map((n) => n),
  ),
);

// Steps that are none.
expectError(pipeline(numbers, (n: number) => n));
expectError(pipeline(numbers, {}));
expectError(pipeline(numbers, undefined));
expectError(pipeline(numbers, null, collect()));
expectError(pipeline(numbers, "map"));
expectError(pipeline(numbers, numbers));
expectError(
  pipeline(
    numbers,
    producer((n) => [n]),
  ),
);
expectError(pipeline(numbers, map));
expectError(pipeline(numbers, [map(String)]));

// A sink anywhere but at the end.
expectError(pipeline(numbers, collect(), map(String)));
expectError(
  pipeline(
    numbers,
    forEach(() => {}),
    collect(),
  ),
);
expectError(pipeline(numbers, anything, map(String)));
expectError(
  pipeline(
    numbers,
    reduce((sum, n) => sum + n, 0),
    reduce((sum, n) => sum + n, 0),
  ),
);

// partitionBy anywhere but at the end.
expectError(
  pipeline(
    numbers,
    partitionBy((n) => n, { partitions: 2 }),
    map(String),
  ),
);
expectError(
  pipeline(
    numbers,
    partitionBy((n) => n, { partitions: 2 }),
    collect(),
  ),
);
expectError(
  pipeline(
    numbers,
    partitionBy((n) => n, { partitions: ["a"] }),
    balance(),
  ),
);
expectError(
  pipeline(
    numbers,
    partitionBy((n) => n, { partitions: 2 }),
    texts,
  ),
);

// The wrong event, at each kind of step.
expectError(
  pipeline(
    numbers,
    map((text: string) => text),
  ),
);
expectError(
  pipeline(
    numbers,
    map(String),
    map((n: number) => n),
  ),
);
expectError(
  pipeline(
    numbers,
    filter((text: string) => text !== ""),
  ),
);
expectError(
  pipeline(
    numbers,
    flatMap((text: string) => text),
  ),
);
expectError(
  pipeline(
    numbers,
    tap((text: string) => text),
  ),
);
expectError(pipeline(numbers, take<string>(1)));
expectError(pipeline(numbers, skip<string>(1)));
expectError(
  pipeline(
    numbers,
    takeWhile((text: string) => text !== ""),
  ),
);
expectError(
  pipeline(
    numbers,
    scan((sum: number, text: string) => sum + text.length, 0),
  ),
);
expectError(
  pipeline(
    numbers,
    reduce((sum: number, text: string) => sum + text.length, 0),
  ),
);
expectError(
  pipeline(
    numbers,
    forEach((text: string) => text),
  ),
);
expectError(pipeline(numbers, collect<string>()));
expectError(
  pipeline(
    numbers,
    partitionBy((row: Row) => row.id, { partitions: 2 }),
  ),
);
expectError(pipeline(numbers, texts));
expectError(pipeline(numbers, lengths));
expectError(pipeline(numbers, lengths, collect()));
expectError(pipeline(numbers, map(String), lengths, texts));
expectError(
  pipeline(
    numbers,
    throughGenerator((input: AsyncIterable<string>) => input),
  ),
);
expectError(
  pipeline(
    mixed,
    map((n: number) => n),
  ),
);
expectError(
  pipeline(
    rows,
    map(({ name }) => name),
  ),
);
expectError(
  pipeline(
    rows,
    filter((row) => row.length > 1),
  ),
);
expectError(pipeline(rows, balance(), broadcast(), texts));
expectError(
  pipeline(
    numbers,
    map((n) => n.toUpperCase()),
  ),
);

// Functions that answer with something else.
expectError(
  pipeline(
    numbers,
    filter((n) => n),
  ),
);
expectError(
  pipeline(
    numbers,
    filter(async (n) => n > 1),
  ),
);
expectError(
  pipeline(
    numbers,
    takeWhile(async () => true),
  ),
);
expectError(
  pipeline(
    numbers,
    takeWhile((n) => n),
  ),
);
expectError(
  pipeline(
    numbers,
    flatMap((n) => n),
  ),
);
expectError(
  pipeline(
    numbers,
    flatMap(async (n) => [n]),
  ),
);
expectError(
  pipeline(
    numbers,
    reduce((sum: number) => `${sum}`, 0),
  ),
);
expectError(
  pipeline(
    numbers,
    scan((sum: number) => `${sum}`, 0),
  ),
);
expectError(
  pipeline(
    numbers,
    partitionBy((n) => ({ n }), { partitions: 2 }),
  ),
);

// Wrong arguments of steps.
expectError(map());
expectError(map(7));
expectError(filter("x"));
expectError(take());
expectError(take("3"));
expectError(skip(null));
expectError(scan((sum: number) => sum));
expectError(reduce((sum: number) => sum));
expectError(collect(1));
expectError(forEach());
expectError(balance({ spread: "fill" }));
expectError(broadcast({ startAfter: "2" }));
expectError(broadcast({ after: 2 }));
expectError(partitionBy((n: number) => n));
expectError(partitionBy((n: number) => n, {}));
expectError(partitionBy((n: number) => n, { partitions: "two" }));
expectError(partitionBy((n: number) => n, { partitions: 2, by: (n: number) => n }));
expectError(throughGenerator());
expectError(throughGenerator(7));
expectError(
  throughGenerator(
    async function* (input: AsyncIterable<number>) {
      yield* input;
    },
    { bufferSize: "1" },
  ),
);

// Results.
expectError<Promise<string[]>>(pipeline(numbers, collect()).done);
expectError(pipeline(numbers, collect()).subscribe);
expectError(pipeline(numbers, map(String)).done.then((text: string) => text));
expectError(pipeline(numbers, map(String)).push(["x"]));
expectError(named.events({ partition: "z" }));
expectError(named.events());
expectError(anything.subscribe(named));
expectError(texts.subscribe(pipeline(numbers, broadcast()), { selector: (text: string) => text !== "" }));
expectNotAssignable<Pipeline<number>>(pipeline(numbers, collect()));
expectNotAssignable<Producer<string>>(pipeline(numbers, take(1)));
expectNotAssignable<Step<string, number>>(map((n: number) => n));
expectNotAssignable<Sink<number>>(texts);
expectNotAssignable<Step<number, number>>(texts);
expectNotAssignable<Sink<number>>(map((n: number) => n));

// F-19: a function with a wider parameter takes no type away.
interface Wide {
  readonly id: number;
  readonly name?: string;
}
const wides = fromIterable<Wide>([]);
expectType<Producer<Wide>>(pipeline(wides, tap(console.log)));
expectType<Producer<Wide>>(
  pipeline(
    wides,
    tap((x: { readonly id: number }) => x.id),
  ),
);
expectType<Producer<Wide>>(
  pipeline(
    wides,
    filter((x: { readonly id: number }) => x.id > 1),
  ),
);
expectType<Producer<Wide>>(
  pipeline(
    wides,
    takeWhile((x: { readonly id: number }) => x.id > 1),
  ),
);
expectType<Producer<Wide>>(
  pipeline(
    wides,
    filter((x: unknown) => x !== null),
  ),
);
expectType<Producer<string>>(pipeline(fromIterable<string | undefined | "">([]), filter(Boolean)));
expectType<Producer<1 | 2>>(pipeline(fromIterable<0 | 1 | 2 | null>([]), filter(Boolean)));
expectType<Producer<string>>(
  pipeline(
    fromIterable<string | number>([]),
    filter((x) => typeof x === "string"),
  ),
);
expectType<Producer<string>>(
  pipeline(
    fromIterable<string | number>([]),
    takeWhile((x: unknown): x is string => typeof x === "string"),
  ),
);
expectError(
  pipeline(
    wides,
    filter((x: { readonly size: number }) => x.size > 1),
  ),
);
expectError(
  pipeline(
    wides,
    tap((x: string) => x),
  ),
);

// F-19: in a generic function the result is known.
function total<T, R>(source: Producer<T>, f: (sum: R, event: T) => R, seed: R): Pipeline<R> {
  return pipeline(source, reduce(f, seed));
}
function doubled<T>(source: Producer<T>): Producer<readonly [T, T]> {
  return pipeline(
    source,
    map((event: T): readonly [T, T] => [event, event]),
  );
}
expectType<Promise<number>>(total(fromIterable([1]), (sum, n) => sum + n, 0).done);
expectType<Producer<readonly [Wide, Wide]>>(doubled(wides));
// An expected type is no cast.
expectError<Producer<string>>(
  pipeline(
    fromIterable([1]),
    map((n) => n + 1),
  ),
);

// F-15: the promises of a synchronous iterable are waited for.
expectType<Producer<number>>(fromIterable([Promise.resolve(1), 2]));
expectType<Producer<string>>(
  fromIterable(
    (async function* () {
      yield "a";
    })(),
  ),
);
