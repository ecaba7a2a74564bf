import { EventEmitter } from "node:events";
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import stream from "node:stream";
import { createGzip, gunzipSync } from "node:zlib";
import { Subject } from "rxjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromEvents, intoEmitter } from "../../adapters/events/index.ts";
import { fromReadable, intoWritable, throughDuplex } from "../../adapters/node/index.ts";
import { fromPublisher, intoSubscriber, toPublisher } from "../../adapters/reactive-streams/index.ts";
import { fromObservable, intoObserver, throughOperators, toObservable } from "../../adapters/rxjs/index.ts";
import { fromReadableStream, intoWritableStream, throughTransformStream } from "../../adapters/web/index.ts";
import {
  type Discarded,
  forEach,
  fromIterable,
  map,
  type Pipeline,
  pipeline,
  type Producer,
  producerConsumer,
  tap,
  throughGenerator,
} from "../../src/index.ts";
import { range, turns } from "../support/runtime.ts";

const COUNT = 40;
type Ending = "drain" | "stop";
interface Books {
  readonly taken: number[];
  readonly handled: number[];
  readonly told: number[];
  ended: boolean;
}
const newBooks = (): Books => ({ taken: [], handled: [], told: [], ended: false });
const sorted = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Gives numbers for ever, one in a turn, and notes them. */
async function* numbers(books: Books): AsyncGenerator<number> {
  for (let n = 0; ; n += 1) {
    await turns(1);
    books.taken.push(n);
    yield n;
  }
}

type Options = { readonly onDiscard: (discarded: Discarded) => void };

const sources: readonly (readonly [name: string, (books: Books, options: Options) => Producer<number>])[] = [
  ["a generator", (books, options) => fromIterable(numbers(books), options)],
  [
    "a Readable",
    (books, options) =>
      fromReadable<number>(stream.Readable.from(numbers(books), { highWaterMark: 1 }), {
        ...options,
        defaultMaxDemand: 4,
      }),
  ],
  [
    "a ReadableStream",
    (books, options) => {
      const all = numbers(books);
      const pull = async (controller: ReadableStreamDefaultController<number>): Promise<void> => {
        controller.enqueue((await all.next()).value as number);
      };
      return fromReadableStream(new ReadableStream<number>({ pull }, { highWaterMark: 0 }), {
        ...options,
        defaultMaxDemand: 4,
      });
    },
  ],
  [
    "an Observable",
    (books, options) => {
      const source = new Subject<number>();
      const speak = (n: number): void => {
        if (!source.observed) return;
        books.taken.push(n);
        source.next(n);
        setImmediate(speak, n + 1);
      };
      setImmediate(speak, 0);
      return fromObservable(source, { ...options, overflow: "throw" });
    },
  ],
  [
    "an emitter",
    (books, options) => {
      const emitter = new EventEmitter();
      const speak = (n: number): void => {
        if (emitter.listenerCount("n") === 0) return;
        books.taken.push(n);
        emitter.emit("n", n);
        setImmediate(speak, n + 1);
      };
      setImmediate(speak, 0);
      return fromEvents<number>(emitter, "n", { ...options, overflow: "throw" });
    },
  ],
  [
    "a Publisher",
    (books, options) => fromPublisher<number>(toPublisher(fromIterable(numbers(books), options)), options),
  ],
  [
    "an Observable of a producer",
    (books, options) =>
      fromObservable<number>(toObservable(fromIterable(numbers(books), options)), { ...options, overflow: "throw" }),
  ],
];

/** Drains or stops what runs, when so many events have been handled. */
async function endAt(n: number, ending: Ending, books: Books, running: () => Pipeline<unknown>): Promise<unknown> {
  for (let i = 0; i < 400 && books.handled.length < n; i += 1) await turns(1);
  const graph = running();
  return ending === "drain" ? graph.drain({ timeout: 5000 }) : graph.stop({ timeout: 5000 });
}

describe.each(sources)("K12 %s", (_name, make) => {
  test.each(range(0, 12))("K12 drain at event %i: all that was taken is handled, and handleEnd runs", async (at) => {
    const books = newBooks();
    const options = { onDiscard: ({ events }: Discarded) => void books.told.push(...(events as readonly number[])) };
    const last = producerConsumer<number, number>({
      handleEvents: (events) => events.slice(),
      handleEnd: () => {
        books.ended = true;
        return [];
      },
    });
    const running = pipeline.with(options)(
      make(books, options),
      last,
      forEach(async (n: number) => {
        await turns(1);
        books.handled.push(n);
      }),
    );
    await endAt(at, "drain", books, () => running);
    await running;
    await turns(4);
    expect(books.ended).toBe(true);
    expect(books.handled).toEqual(range(0, books.handled.length - 1));
    // One that was on its way when the source was left comes too late, and is told.
    expect(sorted([...books.handled, ...books.told])).toEqual(range(0, books.handled.length + books.told.length - 1));
    expect(books.handled.length).toBeGreaterThanOrEqual(Math.min(at, COUNT));
  });

  test.each(range(0, 12))("K12 stop at event %i: what is lost is told", async (at) => {
    const books = newBooks();
    const options = { onDiscard: ({ events }: Discarded) => void books.told.push(...(events as readonly number[])) };
    const running = pipeline.with(options)(
      make(books, options),
      forEach(async (n: number) => {
        await turns(1);
        books.handled.push(n);
      }),
    );
    await endAt(at, "stop", books, () => running);
    await running;
    await turns(4);
    const known = sorted([...books.handled, ...books.told]);
    expect(known).toEqual(range(0, known.length - 1));
  });
});

type Sink = (books: Books) => { readonly sink: unknown; readonly check: () => void };

/** What has arrived somewhere, number by number. */
const arrived = (books: Books, text: string): void => {
  expect(text === "" || text.endsWith("\n")).toBe(true);
  const lines = text.split("\n").slice(0, -1).map(Number);
  expect(lines).toEqual(range(0, lines.length - 1));
  expect(sorted([...lines, ...books.told])).toEqual(range(0, lines.length + books.told.length - 1));
};

const sinks: readonly (readonly [name: string, Sink])[] = [
  [
    "a file",
    (books) => {
      const path = join(folder, `${Math.random()}.txt`);
      const write = pipelineOf(
        map((n: number) => `${n}\n`),
        intoWritable<string>(createWriteStream(path)),
      );
      return { sink: write, check: () => arrived(books, readFileSync(path, "utf8")) };
    },
  ],
  [
    "gzip and a file",
    (books) => {
      const path = join(folder, `${Math.random()}.gz`);
      const steps = pipelineOf(
        map((n: number) => `${n}\n`),
        throughDuplex<string, Buffer>(createGzip()),
        intoWritable<Buffer>(createWriteStream(path)),
      );
      return { sink: steps, check: () => arrived(books, String(gunzipSync(readFileSync(path)))) };
    },
  ],
  [
    "web streams",
    (books) => {
      let text = "";
      const write = (chunk: string): Promise<void> => turns(1).then(() => void (text += chunk));
      const upper = new TransformStream<string, string>();
      const steps = pipelineOf(
        map((n: number) => `${n}\n`),
        throughTransformStream<string, string>(upper),
        intoWritableStream(new WritableStream<string>({ write })),
      );
      return { sink: steps, check: () => arrived(books, text) };
    },
  ],
  [
    "operators and an observer",
    (books) => {
      let text = "";
      const observer = new Subject<string>();
      observer.subscribe((chunk) => void (text += chunk));
      const steps = pipelineOf(
        throughOperators<number, number>((source) => source),
        map((n: number) => `${n}\n`),
        intoObserver(observer),
      );
      return { sink: steps, check: () => arrived(books, text) };
    },
  ],
  [
    "an emitter",
    (books) => {
      let text = "";
      const emitter = new EventEmitter().on("n", (chunk: string) => void (text += chunk));
      const steps = pipelineOf(
        map((n: number) => `${n}\n`),
        intoEmitter(emitter, "n"),
      );
      return { sink: steps, check: () => arrived(books, text) };
    },
  ],
  [
    "a generator and a Subscriber",
    (books) => {
      let text = "";
      const through = throughGenerator(async function* (all: AsyncIterable<number>) {
        for await (const n of all) yield `${n}\n`;
      });
      const steps = pipelineOf(
        through,
        intoSubscriber<string>({
          onSubscribe: (subscription) => subscription.request(1000),
          onNext: (chunk) => void (text += chunk),
          onError: () => {},
          onComplete: () => void (books.ended = true),
        }),
      );
      return { sink: steps, check: () => arrived(books, text) };
    },
  ],
];

/** The end of a pipeline: its steps. */
const pipelineOf = (...steps: readonly unknown[]): readonly unknown[] => steps;

describe.each(sinks)("K12 into %s", (_name, make) => {
  test.each(range(0, 12))("K12 drain at event %i: what is written is whole, and nothing is lost", async (at) => {
    const books = newBooks();
    const onDiscard = ({ events }: Discarded) => void books.told.push(...events.map(Number));
    const { sink, check } = make(books);
    const source = fromIterable(numbers(books), { onDiscard });
    const count = tap((n: number) => void books.handled.push(n));
    const running = (pipeline.with({ onDiscard }) as unknown as (...all: readonly unknown[]) => Pipeline)(
      source,
      count,
      ...(sink as readonly unknown[]),
    );
    await endAt(at, "drain", books, () => running);
    await running;
    await turns(4);
    check();
    // At most the one that was pending when the source was left.
    expect(books.told.length).toBeLessThanOrEqual(1);
  });
});

test("K12 a file that is read is drained by whole chunks", async () => {
  const path = join(folder, "lines.txt");
  writeFileSync(path, range(0, 9999).join("\n"));
  for (const at of range(0, 12)) {
    let bytes = 0;
    const source = fromReadable<Buffer>(createReadStream(path, { highWaterMark: 64 }));
    const books = newBooks();
    const running = pipeline(
      source,
      forEach(async (chunk: Buffer) => {
        await turns(1);
        bytes += chunk.length;
        books.handled.push(bytes);
      }),
    );
    // oxlint-disable-next-line no-await-in-loop -- one file after the other
    await endAt(at, "drain", books, () => running);
    expect(bytes % 64 === 0 || bytes === readFileSync(path).length).toBe(true);
  }
});
