import { Readable, Writable } from "node:stream";
import { Observable, range as rangeOf, Subject } from "rxjs";
import { describe, expect, test } from "vitest";
import { fromEvents } from "../../adapters/events/index.ts";
import { fromReadable, intoWritable, toReadable } from "../../adapters/node/index.ts";
import { fromObservable, intoObserver, toObservable } from "../../adapters/rxjs/index.ts";
import { fromReadableStream } from "../../adapters/web/index.ts";
import { sink, source, type SourceContext } from "../../src/adapter/index.ts";
import { consumer, type Discarded, fromIterable, type Producer, producer } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Forwarder, outcome, Quiet, RawConsumer } from "../support/stages.ts";

const nothing = () => {};
const boom = new Error("boom");

/** Who has said a line of a log. */
const nameOf = (line: unknown): string => String(Array.isArray(line) ? line[0] : line).slice(0, 1);
const write = (_chunk: unknown, _encoding: unknown, done: () => void) => done();
/** Numbers that are counted as they are pulled. */
class Pulled {
  count = 0;
  returned = 0;
  *[Symbol.iterator](): Generator<number> {
    try {
      for (;;) yield (this.count += 1);
    } finally {
      this.returned += 1;
    }
  }
}
/** A few good events, and then the end. */
const sources = (end: () => void): [string, () => Producer<number>][] => {
  const generate = function* (): Generator<number> {
    yield 1;
    yield 2;
    end();
  };
  const runtime = testRuntime();
  const observable = new Observable<number>((subscriber) => {
    try {
      for (const n of generate()) subscriber.next(n);
      subscriber.complete();
    } catch (error) {
      subscriber.error(error);
    }
  });
  const stream = () => {
    const iterator = generate();
    return new ReadableStream<number>({
      pull(controller) {
        const { done, value } = iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
  };
  return [
    ["fromIterable", () => fromIterable(generate(), { runtime })],
    ["fromReadable", () => fromReadable<number>(Readable.from(generate()), { runtime })],
    ["fromReadableStream", () => fromReadableStream(stream(), { runtime })],
    ["fromObservable", () => fromObservable(observable, { overflow: "throw", runtime })],
  ];
};
const consumed = async (p: Producer<number>) => {
  const sinkOf = new Forwarder<number>();
  const c = consumer(sinkOf, { runtime: testRuntime() });
  const ended = outcome(c);
  c.subscribe(p);
  return [await ended, sinkOf.batches.flat(), p.state];
};

describe("7. Sources and adapters", () => {
  test("7.1 a source takes only what was asked for", async () => {
    const pulled = new Pulled();
    const p = fromIterable(pulled, { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p).ask(3);
    await turns();
    raw.ask(2);
    await turns();
    expect([pulled.count, raw.batches.flat()]).toEqual([5, [1, 2, 3, 4, 5]]);
  });

  test("7.1 it refuses overflow where the other system can be asked; for any other the user chooses; both refuse demandMode", () => {
    const overflow = { overflow: "drop-newest" } as object;
    const accumulate = { overflow: "throw", demandMode: "accumulate" } as never;
    expect([
      codeOf(() => fromIterable([1], overflow)),
      codeOf(() => fromReadable(Readable.from([1]), overflow)),
      codeOf(() => fromReadableStream(new ReadableStream(), overflow)),
      codeOf(() => fromObservable(new Subject(), {} as never)),
      codeOf(() => fromEvents(new EventTarget(), "x", {} as never)),
      codeOf(() => fromObservable(new Subject(), accumulate)),
      codeOf(() => fromIterable([1], { demandMode: "accumulate" } as object)),
    ]).toEqual(Array.from({ length: 7 }, () => "ERR_OPTION"));
    expect(codeOf(() => fromObservable(new Subject(), { overflow: "throw" }))).toBeUndefined();
  });

  test("7.1 a source that waits does not hold its stage", async () => {
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<number>>(nothing) }) };
    const p = fromIterable(never, { runtime: testRuntime() });
    new RawConsumer<number>().attach(p).ask(1);
    await turns();
    expect(await p.call(({ name }) => name)).toBe(p.name);
    await p.stop();
    expect(p.state).toBe("stopped");
  });

  test.each(sources(nothing))("7.2 a good end completes %s behind its events", async (_name, make) => {
    expect(await consumed(make())).toEqual(["fulfilled", [1, 2], "completed"]);
  });

  test.each(
    sources(() => {
      throw boom;
    }),
  )("7.2 a failure fails %s with the same value, behind its events", async (name, make) => {
    const [ended, events, state] = await consumed(make());
    expect([name, ended, state]).toEqual([name, boom, "failed"]);
    expect(events).toEqual([1, 2]);
  });

  test("7.2 the end of a stage becomes the other system's in the same way", async () => {
    const runtime = testRuntime();
    const log: unknown[] = [];
    const observer = (name: string) => ({
      next: (n: number) => void log.push(`${name} ${n}`),
      error: (error: unknown) => void log.push([name, error]),
      complete: () => void log.push(`${name} complete`),
    });
    const failing = () => {
      const p = producer(new Quiet<number>(), { runtime });
      p.push([1]);
      p.fail(boom, { after: "buffer" });
      return p;
    };
    toObservable(fromIterable([1, 2], { runtime })).subscribe(observer("a"));
    toObservable(failing()).subscribe(observer("b"));
    const into = intoObserver(observer("c"), { runtime });
    into.subscribe(fromIterable([3], { runtime }));
    const readable = toReadable(failing())
      .on("error", (error) => log.push(["d", error]))
      .resume();
    await turns(8);
    expect(readable.errored).toBe(boom);
    // Each in its own order.
    expect(log.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)))).toEqual([
      "a 1",
      "a 2",
      "a complete",
      "b 1",
      ["b", boom],
      "c 3",
      "c complete",
      ["d", boom],
    ]);
  });

  test("7.3 an iterator is returned once, a stream destroyed, an Observable unsubscribed", async () => {
    const runtime = testRuntime();
    const pulled = new Pulled();
    const readable = new Readable({ objectMode: true, read: nothing });
    let unsubscribed = 0;
    const observable = new Observable<number>(() => () => void (unsubscribed += 1));
    const stages = [
      fromIterable(pulled, { runtime }),
      fromReadable<number>(readable, { runtime }),
      fromObservable(observable, { overflow: "throw", runtime }),
    ];
    const raws = stages.map((stage) => new RawConsumer<number>().attach(stage).ask(1));
    await turns();
    expect([pulled.returned, readable.destroyed, unsubscribed]).toEqual([0, false, 0]);
    for (const raw of raws) raw.leave();
    for (const stage of stages) await stage.stop();
    await turns();
    expect([pulled.returned, readable.destroyed, unsubscribed]).toEqual([1, true, 1]);
  });

  test("7.3 a Writable is ended, or destroyed", async () => {
    const [good, bad] = [new Writable({ objectMode: true, write }), new Writable({ objectMode: true, write })];
    bad.on("error", nothing);
    const stages = [intoWritable<number>(good), intoWritable<number>(bad)] as const;
    const ended = outcome(stages[1]);
    stages[0].subscribe(fromIterable([1]));
    await stages[0].done;
    stages[1].subscribe(
      fromIterable(
        (function* () {
          yield 1;
          throw boom;
        })(),
      ),
    );
    expect(await ended).toBe(boom);
    await turns();
    expect([good.writableFinished, bad.destroyed]).toEqual([true, true]);
  });

  test("7.3 failures in that go to onReport", async () => {
    const reports: unknown[] = [];
    const iterator = {
      next: () => ({ done: false, value: 1 }),
      return: () => {
        throw boom;
      },
    };
    const iterable = { [Symbol.iterator]: () => iterator };
    const p = fromIterable(iterable, { runtime: testRuntime(), onReport: (error) => void reports.push(error) });
    new RawConsumer<number>().attach(p).ask(1);
    await turns();
    await p.stop();
    expect([p.state, reports]).toEqual(["stopped", [boom]]);
  });

  test("7.3 events that it has not passed on go back", async () => {
    const p = fromIterable(range(1, 9), { runtime: testRuntime(), onLastCancel: "continue" });
    const readable = toReadable(p, { maxDemand: 4, minDemand: 0, highWaterMark: 1 } as object);
    readable.once("data", () => readable.destroy());
    await turns(8);
    const raw = new RawConsumer<number>().attach(p).ask(9);
    await turns();
    expect(raw.batches.flat()).toEqual(range(2, 9));
  });

  test("7.4 a synchronous Observable needs no buffer in front of a synchronous consumer", async () => {
    const runtime = testRuntime();
    const discarded: Discarded[] = [];
    const p = fromObservable(rangeOf(1, 100), {
      overflow: "drop-newest",
      bufferSize: 0,
      runtime,
      onDiscard: (one) => void discarded.push(one),
    });
    const into = new Forwarder<number>();
    const c = consumer(into, { runtime });
    c.subscribe(p, { maxDemand: 4, minDemand: 2 });
    await c.done;
    expect([into.batches.flat(), discarded]).toEqual([range(1, 100), []]);
  });

  test("7.4 only then does the overflow policy apply", async () => {
    const runtime = testRuntime();
    const discarded: Discarded[] = [];
    const onDiscard = (one: Discarded) => void discarded.push(one);
    const p = fromObservable(rangeOf(1, 6), { overflow: "drop-newest", bufferSize: 1, runtime, onDiscard });
    const raw = new RawConsumer<number>().attach(p).ask(2);
    await turns();
    raw.ask(9);
    await p.done;
    expect(raw.batches.flat()).toEqual([1, 2, 3]);
    expect(discarded.flatMap(({ events }) => events)).toEqual([4, 5, 6]);
  });

  test("7.5 begin runs when the stage stands, and admit may change the options or refuse", async () => {
    const runtime = testRuntime();
    const log: unknown[] = [];
    const c = sink<number>(
      {
        begin: (stage) => void log.push(stage.name),
        handleEvents: nothing,
        admit(options, subscriptions) {
          if (subscriptions.length > 0) throw boom;
          return { ...options, maxDemand: 3 };
        },
      },
      { runtime, name: "s" },
    );
    expect(log).toEqual(["s"]);
    const inner = new Quiet<number>();
    const { options } = c.subscribe(producer(inner, { runtime }), { maxDemand: 9 });
    expect(() => c.subscribe(producer(new Quiet<number>(), { runtime }))).toThrow(boom);
    await turns();
    expect([options.maxDemand, inner.demands, c.subscriptions.length]).toEqual([3, [3], 1]);
  });

  /** A source of an adapter that is played by hand. */
  const byHand = (behaviour: object = {}) => {
    const discarded: unknown[] = [];
    let stage!: SourceContext<number>;
    const begin = (context: SourceContext<number>) => void (stage = context);
    const p = source<number>(
      { begin, handleDemand: nothing, ...behaviour },
      {
        runtime: testRuntime(),
        bufferSize: 1,
        onDiscard: ({ events, cause }) => void discarded.push([events, cause]),
      },
    );
    return { p, stage, discarded };
  };
  test("7.5 answer emits whatever the buffer holds, and returns false if the stage takes no more", async () => {
    const { p, stage, discarded } = byHand();
    const raw = new RawConsumer<number>().attach(p).ask(1);
    await turns();
    expect([stage.answer([1, 2, 3, 4]), raw.batches, p.bufferedCount]).toEqual([true, [[1]], 3]);
    await p.stop();
    expect(stage.answer([5])).toBe(false);
    expect(discarded).toEqual([[[2, 3, 4], "stop"]]);
  });

  test("7.5 events that will reach no one are offered to putBack, the adapter's own are told by discard", async () => {
    const offered: unknown[] = [];
    const putBack = (events: readonly unknown[]) => {
      offered.push(events);
      return events.slice(2);
    };
    const { p, stage, discarded } = byHand({ putBack });
    stage.answer([1, 2, 3]);
    await p.stop();
    expect([offered, discarded]).toEqual([[[1, 2, 3]], [[[3], "stop"]]]);
    const own = byHand();
    await own.p.stop();
    own.stage.discard([7]);
    expect(own.discarded).toEqual([[[7], "stop"]]);
  });

  test("7.6 a synchronous iterable is not pulled past a promise that it yields, whose value is the event", async () => {
    const gate = Promise.withResolvers<number>();
    const pulled: number[] = [];
    const yields = function* () {
      for (const value of [1, gate.promise, 3]) {
        pulled.push(pulled.length);
        yield value;
      }
    };
    const p = fromIterable(yields(), { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p).ask(9);
    await turns();
    expect([pulled, raw.batches.flat()]).toEqual([[0, 1], [1]]);
    gate.resolve(2);
    await p.done;
    expect([pulled, raw.batches.flat()]).toEqual([
      [0, 1, 2],
      [1, 2, 3],
    ]);
  });

  test("7.6 if it rejects, it fails the stage behind the events before it", async () => {
    const p = fromIterable([1, 2, Promise.reject(boom), 4], { runtime: testRuntime() });
    const ended = outcome(p);
    const raw = new RawConsumer<number>().attach(p).ask(9);
    expect(await ended).toBe(boom);
    expect([raw.batches.flat(), raw.ends]).toEqual([[1, 2], [{ type: "failure", error: boom }]]);
  });

  test("7.7 of an async iterable the first event goes at once, and those of the same run follow as one batch", async () => {
    const gate = Promise.withResolvers<void>();
    async function* numbers(): AsyncGenerator<number> {
      yield* [1, 2, 3, 4];
      await gate.promise;
      yield* [5, 6];
    }
    const p = fromIterable(numbers(), { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p).ask(3);
    await turns();
    expect(raw.batches).toEqual([[1], [2, 3]]);
    raw.ask(9);
    await turns();
    gate.resolve();
    await p.done;
    expect(raw.batches.flat()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(raw.ends).toEqual([{ type: "complete" }]);
  });
});
