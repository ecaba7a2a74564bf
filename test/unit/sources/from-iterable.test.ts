import { describe, expect, test } from "vitest";
import { fromIterable } from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { boom, say, sayReason } from "../stage/rig.ts";

/** An iterator that notes what is said to it. What `next` answers is up to the test. */
class Noting<T> {
  readonly log: string[] = [];
  /** What `next` answers, in turn; then it is done. */
  readonly answers: (() => unknown)[];
  /** What `return` answers. */
  closing: () => unknown = () => ({ done: true, value: undefined });
  pending = 0;
  most = 0;

  constructor(answers: readonly (() => unknown)[]) {
    this.answers = [...answers];
  }
  next(): never {
    this.log.push("next");
    this.pending += 1;
    this.most = Math.max(this.most, this.pending);
    const answer = this.answers.shift();
    if (answer === undefined) this.pending -= 1;
    return (answer ? answer() : { done: true, value: undefined }) as never;
  }
  return(): never {
    this.log.push("return");
    return this.closing() as never;
  }
  throw(): never {
    this.log.push("throw");
    return undefined as never;
  }
  get synchronous(): Iterable<T> {
    return { [Symbol.iterator]: () => this.#opened("iterator") } as never;
  }
  get asynchronous(): AsyncIterable<T> {
    return { [Symbol.asyncIterator]: () => this.#opened("asyncIterator") } as never;
  }
  #opened(how: string): this {
    this.log.push(how);
    return this;
  }
}
const value = (event: unknown) => (): unknown => ({ done: false, value: event });
const later = (event: unknown) => async (): Promise<unknown> => ({ done: false, value: event });

/** A producer over an iterable with a consumer played by hand. */
const thrower = (): never => {
  throw boom;
};

function over<T>(iterable: Iterable<T> | AsyncIterable<T>) {
  const reports: string[] = [];
  const runtime: TestRuntime = testRuntime();
  const discarded: unknown[] = [];
  const stage = fromIterable(iterable, {
    runtime,
    onReport: (error, { phase }) => void reports.push(`${phase}: ${say(error)}`),
    onDiscard: ({ events, cause }) => void discarded.push([cause, ...events]),
  });
  const raw = new RawConsumer<T>().attach(stage);
  const done = { was: "pending" };
  stage.done.then(
    () => (done.was = "fulfilled"),
    (error: unknown) => (done.was = `rejected ${say(error)}`),
  );
  return { stage, raw, reports, discarded, done, runtime };
}
/** Both kinds of iterable over the same notes. */
const both = ["synchronous", "asynchronous"] as const;

describe.each(both)("a %s iterable", (kind) => {
  const make = (answers: readonly unknown[]) =>
    new Noting<unknown>(answers.map(kind === "synchronous" ? value : later));

  test("F01 is not opened before the first ask", async () => {
    const notes = make([1]);
    over(notes[kind]);
    await turns();
    expect(notes.log).toEqual([]);
  });

  test("F03 is asked once for each event that was asked for", async () => {
    const notes = make([1, 2, 3, 4, 5]);
    const { raw } = over(notes[kind]);
    raw.ask(3);
    await turns();
    expect(raw.batches.flat()).toEqual([1, 2, 3]);
    expect(notes.log.slice(1)).toEqual(["next", "next", "next"]);
    raw.ask(1);
    await turns();
    expect([raw.batches.flat(), notes.log.length]).toEqual([[1, 2, 3, 4], 5]);
  });

  test("F21 with Infinity asked for gives everything and the end", async () => {
    const notes = make([1, 2, 3]);
    const { raw, done } = over(notes[kind]);
    raw.ask(Number.POSITIVE_INFINITY);
    await turns();
    expect([raw.batches.flat(), raw.ends, done.was]).toEqual([[1, 2, 3], [{ type: "complete" }], "fulfilled"]);
    // What has said that it is over is not closed.
    expect(notes.log.filter((what) => what !== "next")).toEqual([
      kind === "synchronous" ? "iterator" : "asyncIterator",
    ]);
  });

  test.each(["cancel", "stop", "abort-like failure"] as const)("F06 %s closes it once", async (how) => {
    const notes = make([1, 2, 3]);
    const { stage, raw } = over(notes[kind]);
    raw.ask(2);
    await turns();
    if (how === "cancel") {
      raw.leave();
      raw.leave();
    } else if (how === "stop") await Promise.all([stage.stop(), stage.stop()]);
    else void stage.call((self) => self.fail(boom));
    await turns();
    expect(notes.log.filter((what) => what === "return")).toEqual(["return"]);
    expect(notes.log.at(-1)).toBe("return");
    expect(stage.state).toBe(how === "abort-like failure" ? "failed" : "stopped");
  });

  test("F07 left before the first ask is never opened, and so not closed", async () => {
    const notes = make([1]);
    const { stage, raw } = over(notes[kind]);
    raw.leave();
    await turns();
    expect([notes.log, stage.state]).toEqual([[], "stopped"]);
  });

  test("F11 whose return throws at once: the consumer's end is its end, the error is reported", async () => {
    const notes = make([1, 2]);
    notes.closing = () => {
      throw boom;
    };
    const { stage, raw, reports, done } = over(notes[kind]);
    raw.ask(1);
    await turns();
    raw.leave();
    await turns();
    expect([stage.state, done.was, reports]).toEqual(["stopped", "fulfilled", ["terminate: boom"]]);
  });

  test("F15 downstream failed: it is closed by return, never by throw", async () => {
    const notes = make([1, 2]);
    const { stage, raw } = over(notes[kind]);
    raw.ask(1);
    await turns();
    raw.leave({ type: "failure", error: boom });
    await turns();
    expect([notes.log.at(-1), notes.log.includes("throw"), stage.state]).toEqual(["return", false, "stopped"]);
  });

  test("F05 whose next throws: the events before it, then the error as it is; it is not closed", async () => {
    const notes = make([1, 2]);
    notes.answers.push(() => {
      throw boom;
    });
    const { raw, done } = over(notes[kind]);
    raw.ask(5);
    await turns();
    expect([raw.batches.flat(), raw.ends, done.was]).toEqual([
      [1, 2],
      [{ type: "failure", error: boom }],
      "rejected boom",
    ]);
    expect(notes.log.includes("return")).toBe(false);
  });

  test("F05 the error waits for events that nobody has asked for", async () => {
    const notes = make([1]);
    notes.answers.push(() => {
      throw boom;
    });
    const { stage, raw } = over(notes[kind]);
    const other = new RawConsumer<unknown>().attach(stage);
    raw.ask(2);
    raw.leave({ type: "cancel" });
    other.ask(2);
    await turns();
    expect([other.batches.flat(), other.ends]).toEqual([[1], [{ type: "failure", error: boom }]]);
  });

  test("F25 whose factory throws: the failure comes on the subscription", async () => {
    const iterable = {
      [kind === "synchronous" ? Symbol.iterator : Symbol.asyncIterator]: () => {
        throw boom;
      },
    } as unknown as Iterable<number>;
    const { raw, done } = over(iterable);
    raw.ask(1);
    await turns();
    expect([raw.ends, done.was]).toEqual([[{ type: "failure", error: boom }], "rejected boom"]);
  });

  test("F13 whose return answers with no object: nobody minds", async () => {
    const notes = make([1, 2]);
    notes.closing = () => (kind === "synchronous" ? 7 : Promise.resolve(7));
    const { stage, raw, reports } = over(notes[kind]);
    raw.ask(1);
    await turns();
    raw.leave();
    await turns();
    expect([stage.state, reports]).toEqual(["stopped", []]);
  });

  test.each([undefined, null, 7])("whose next answers with %s fails with a TypeError, as in a loop", async (answer) => {
    const notes = make([1]);
    notes.answers.push(() => (kind === "synchronous" ? answer : Promise.resolve(answer)));
    const { raw, done } = over(notes[kind]);
    raw.ask(4);
    await turns();
    expect([raw.batches.flat(), raw.ends.map(sayReason), done.was]).toEqual([
      [1],
      ["failure TypeError"],
      "rejected TypeError",
    ]);
  });

  test("without a return method is just left", async () => {
    const iterator = { next: kind === "synchronous" ? value(1) : later(1) };
    const iterable = { [kind === "synchronous" ? Symbol.iterator : Symbol.asyncIterator]: () => iterator };
    const { stage, raw, reports } = over(iterable as unknown as Iterable<number>);
    raw.ask(2);
    await turns();
    raw.leave();
    await turns();
    expect([raw.batches.flat(), stage.state, reports]).toEqual([[1, 1], "stopped", []]);
  });
});

describe("a synchronous iterable", () => {
  test("F17 has its finally run when its consumer leaves after 2", async () => {
    const log: string[] = [];
    const { raw } = over(
      (function* () {
        try {
          for (let n = 1; ; n += 1) yield n;
        } finally {
          log.push("finally");
        }
      })(),
    );
    raw.ask(2);
    await turns();
    raw.leave();
    expect(log).toEqual([]);
    await turns();
    expect([raw.batches, log]).toEqual([[[1, 2]], ["finally"]]);
  });

  test("F14 whose return answers with a promise inside: nobody waits for it, as in for … of", async () => {
    const notes = new Noting<number>([value(1), value(2)]);
    notes.closing = () => ({ done: true, value: new Promise(() => {}) });
    const { raw, stage, reports } = over(notes.synchronous);
    raw.ask(1);
    await turns();
    raw.leave();
    await turns();
    expect([notes.log.at(-1), stage.state, reports]).toEqual(["return", "stopped", []]);
  });

  // A departure: what an iterable yields is an event as it is, also a promise. An async generator awaits them.
  test("F18 of promises waits for each, in order, and yields their values", async () => {
    const gate = Promise.withResolvers<number>();
    const { raw } = over([gate.promise, 2, Promise.resolve(3)]);
    raw.ask(4);
    await turns();
    expect(raw.batches).toEqual([]);
    gate.resolve(1);
    await turns();
    expect([raw.batches.flat(), raw.ends]).toEqual([[1, 2, 3], [{ type: "complete" }]]);
  });

  test("F22 of a string gives its code points", async () => {
    const { raw } = over("a🙂b");
    raw.ask(5);
    await turns();
    expect(raw.batches.flat()).toEqual(["a", "🙂", "b"]);
  });

  test("F23 of bytes gives one number per byte, like for … of", async () => {
    const { raw } = over(Buffer.from([1, 2]));
    raw.ask(5);
    await turns();
    expect(raw.batches.flat()).toEqual([1, 2]);
  });

  test("F27 that grows while it is read gives what is new, too", async () => {
    const list = [1, 2];
    const { raw, done } = over(list);
    raw.ask(2);
    await turns();
    list.push(3);
    raw.ask(5);
    await turns();
    expect([raw.batches.flat(), done.was]).toEqual([[1, 2, 3], "fulfilled"]);
  });

  test("F27 that is an array is read as for … of reads it: holes, promises, an iterator of its own", async () => {
    // oxlint-disable-next-line no-sparse-arrays -- that is what is read
    const sparse = over([1, , 3]);
    sparse.raw.ask(2);
    await turns();
    sparse.raw.ask(2);
    const mixed = over([1, Promise.resolve(2), 3, Promise.resolve(4)] as number[]);
    mixed.raw.ask(3);
    await turns();
    mixed.raw.ask(5);
    const own = over(Object.assign([1, 2], { [Symbol.iterator]: () => [7].values() }));
    own.raw.ask(5);
    await turns();
    expect([sparse.raw.batches.flat(), mixed.raw.batches.flat(), own.raw.batches.flat()]).toEqual([
      [1, undefined, 3],
      [1, 2, 3, 4],
      [7],
    ]);
    expect([sparse.done.was, mixed.done.was, own.done.was]).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
  });

  test("F27 that is an array with a value which cannot be looked at fails behind the values before it", async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is read
    const { raw, done } = over<unknown>([1, 2, Object.defineProperty({}, "then", { get: thrower }), 3]);
    raw.ask(5);
    await turns();
    expect([raw.batches.flat(), done.was]).toEqual([[1, 2], `rejected ${say(boom)}`]);
  });

  test("F07 is not even opened for a consumer that asks and leaves in one stretch", async () => {
    const notes = new Noting<number>([value(1)]);
    const { raw, stage } = over(notes.synchronous);
    raw.ask(1);
    raw.leave();
    await turns();
    expect([notes.log, stage.state]).toEqual([[], "stopped"]);
  });
});
