import { describe, expect, test } from "vitest";
import { fromIterable, producer, type ProducerOptions } from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { boom, say, sayReason } from "../stage/rig.ts";

/** An async iterator whose `next` is answered by the test. */
class Slow implements AsyncIterableIterator<number> {
  readonly log: string[] = [];
  readonly waiting: PromiseWithResolvers<IteratorResult<number>>[] = [];
  closing: () => Promise<IteratorResult<number>> = async () => ({ done: true, value: undefined });

  next(): Promise<IteratorResult<number>> {
    this.log.push("next");
    const pull = Promise.withResolvers<IteratorResult<number>>();
    this.waiting.push(pull);
    return pull.promise;
  }
  return(): Promise<IteratorResult<number>> {
    this.log.push("return");
    return this.closing();
  }
  [Symbol.asyncIterator](): this {
    return this;
  }
  /** Answers the oldest `next`. */
  async give(value: number): Promise<void> {
    this.waiting.shift()?.resolve({ done: false, value });
    await turns();
  }
  async end(): Promise<void> {
    this.waiting.shift()?.resolve({ done: true, value: undefined });
    await turns();
  }
  async break(error: unknown): Promise<void> {
    this.waiting.shift()?.reject(error);
    await turns();
  }
}

function over(iterable: AsyncIterable<number>, options: ProducerOptions<number> = {}) {
  const reports: string[] = [];
  const discarded: unknown[] = [];
  const runtime = testRuntime();
  const stage = fromIterable(iterable, {
    runtime,
    onReport: (error, { phase }) => void reports.push(`${phase}: ${say(error)}`),
    onDiscard: ({ events, cause }) => void discarded.push([cause, ...events]),
    ...options,
  });
  const raw = new RawConsumer<number>().attach(stage);
  const done = { was: "pending" };
  stage.done.then(
    () => (done.was = "fulfilled"),
    (error: unknown) => (done.was = `rejected ${say(error)}`),
  );
  return { stage, raw, reports, discarded, done, runtime };
}

describe("an asynchronous iterable", () => {
  test("F02 has one next at a time, whatever is asked for", async () => {
    const slow = new Slow();
    const { raw } = over(slow);
    raw.ask(5);
    await turns();
    raw.ask(5);
    await turns();
    expect(slow.waiting).toHaveLength(1);
    await slow.give(1);
    expect([slow.waiting.length, raw.batches]).toEqual([1, [[1]]]);
  });

  test("F02 delivers each value when it has it, and holds up nothing meanwhile", async () => {
    const slow = new Slow();
    const { raw, stage } = over(slow);
    raw.ask(3);
    await turns();
    expect(await stage.call(() => "between")).toBe("between");
    await slow.give(1);
    await slow.give(2);
    expect(raw.batches).toEqual([[1], [2]]);
    expect(stage.inspect().stages[0]?.waiting).toEqual([{ for: "push", on: "handleDemand", since: 0 }]);
  });

  test("F09 left while next is pending is closed at once, and nobody waits for it", async () => {
    const slow = new Slow();
    slow.closing = () => new Promise(() => {});
    const { raw, stage, done, discarded, reports } = over(slow);
    raw.ask(2);
    await turns();
    raw.leave();
    await turns();
    expect([stage.state, done.was, slow.log]).toEqual(["stopped", "fulfilled", ["next", "return"]]);
    // What comes after that was taken out of the iterator, and reaches nobody.
    await slow.give(1);
    expect([raw.batches, discarded, reports, slow.log]).toEqual([[], [["stop", 1]], [], ["next", "return"]]);
  });

  test("F09 a generator that waits for ever does not keep its stage from ending", async () => {
    const log: string[] = [];
    const { raw, stage } = over(
      (async function* () {
        try {
          yield 1;
          await new Promise(() => {});
        } finally {
          log.push("finally");
        }
      })(),
    );
    raw.ask(2);
    await turns();
    await stage.stop();
    expect([stage.state, raw.batches, log]).toEqual(["stopped", [[1]], []]);
  });

  test("F06 the end waits for return when no next is pending", async () => {
    const slow = new Slow();
    const gate = Promise.withResolvers<IteratorResult<number>>();
    slow.closing = () => gate.promise;
    const { raw, stage, done } = over(slow);
    raw.ask(1);
    await turns();
    await slow.give(1);
    raw.leave();
    await turns();
    expect([stage.state, done.was, slow.log]).toEqual(["ending", "pending", ["next", "return"]]);
    gate.resolve({ done: true, value: undefined });
    await turns();
    expect([stage.state, done.was]).toEqual(["stopped", "fulfilled"]);
  });

  test.each([
    ["no next is pending", true, "terminate: boom"],
    ["a next is pending", false, "return: boom"],
  ])("F10 whose return rejects while %s: it is reported", async (_when, idle, report) => {
    const slow = new Slow();
    slow.closing = () => Promise.reject(boom);
    const { raw, done, reports } = over(slow);
    raw.ask(1);
    await turns();
    if (idle) await slow.give(1);
    raw.leave();
    await turns();
    expect([done.was, reports]).toEqual(["fulfilled", [report]]);
  });

  test("a next that rejects after the end is reported", async () => {
    const slow = new Slow();
    const { raw, done, reports } = over(slow);
    raw.ask(1);
    await turns();
    raw.leave();
    await turns();
    await slow.break(boom);
    expect([done.was, reports]).toEqual(["fulfilled", ["next: boom"]]);
  });

  test("F19 that yields a rejected promise fails with its reason, behind what came before", async () => {
    const { raw, done } = over(
      (async function* () {
        yield 1;
        yield Promise.reject(boom) as never;
      })(),
    );
    raw.ask(1);
    await turns();
    expect([raw.batches, raw.ends]).toEqual([[[1]], []]);
    raw.ask(1);
    await turns();
    expect([raw.ends, done.was]).toEqual([[{ type: "failure", error: boom }], "rejected boom"]);
  });

  test("F05 fails behind the events that nobody has asked for yet", async () => {
    const slow = new Slow();
    const { raw, stage, done } = over(slow);
    const other = new RawConsumer<number>().attach(stage);
    raw.ask(3);
    await turns();
    raw.leave();
    await slow.give(1);
    await slow.break(boom);
    expect([stage.bufferedCount, done.was]).toEqual([1, "pending"]);
    other.ask(1);
    await turns();
    expect([other.batches, other.ends]).toEqual([[[1]], [{ type: "failure", error: boom }]]);
  });

  test("F06 is not closed once it has said that it is over, even when the end comes in between", async () => {
    const slow = new Slow();
    const { raw, stage, runtime } = over(slow);
    raw.ask(1);
    await turns();
    slow.waiting.shift()?.resolve({ done: true, value: undefined });
    // The answer is in hand while the stage stops.
    void stage.stop();
    await turns();
    expect([slow.log, runtime.clock.pending]).toEqual([["next"], 0]);
    expect(stage.state).toMatch(/completed|stopped/);
  });

  test("7.1 an answer that is in hand when the stage ends is not accepted any more, and goes to onDiscard", async () => {
    const slow = new Slow();
    const controller = new AbortController();
    const { raw, stage, discarded } = over(slow, { signal: controller.signal });
    raw.ask(2);
    await turns();
    slow.waiting.shift()?.resolve({ done: false, value: 1 });
    controller.abort(boom);
    await turns();
    expect([raw.batches, raw.ends.map(sayReason), discarded, slow.log]).toEqual([
      [],
      ["failure boom"],
      [["abort", 1]],
      ["next", "return"],
    ]);
    expect(stage.state).toBe("failed");
  });

  test("5.9 a stage that completes with events left takes no more values, and closes the iterator", async () => {
    const slow = new Slow();
    const { raw, stage, reports, done } = over(slow);
    const other = new RawConsumer<number>().attach(stage);
    raw.ask(3);
    await turns();
    raw.leave();
    await slow.give(1);
    await stage.call((self) => self.complete());
    await turns();
    expect([stage.state, stage.bufferedCount]).toEqual(["ending", 1]);
    // A next is pending; what it answers comes too late.
    await slow.give(2);
    other.ask(5);
    await turns();
    expect([other.batches.flat(), other.ends, done.was, reports]).toEqual([
      [1],
      [{ type: "complete" }],
      "fulfilled",
      [],
    ]);
    expect(slow.log).toEqual(["next", "next", "return"]);
  });

  test("4.6 what it was asked for is accepted, also beyond a small buffer when the asker has gone", async () => {
    const slow = new Slow();
    const { raw, stage, done } = over(slow, { bufferSize: 1 });
    const other = new RawConsumer<number>().attach(stage);
    raw.ask(4);
    await turns();
    raw.leave();
    for (const n of range(1, 4)) await slow.give(n);
    expect(done.was).toBe("pending");
    other.ask(10);
    await turns();
    await slow.give(5);
    expect(other.batches.flat()).toEqual(range(1, 5));
  });

  test("7.7 what comes within one run of the microtask queue is one batch behind the first event", async () => {
    const letters = new Set("abcdefgh").values();
    const source = fromIterable(
      { [Symbol.asyncIterator]: () => ({ next: async () => letters.next() }) },
      { runtime: testRuntime() },
    );
    const raw = new RawConsumer<string>().attach(source);
    raw.ask(100);
    await turns();
    expect(raw.batches.flat().join("")).toBe("abcdefgh");
    expect(raw.batches.length).toBeLessThanOrEqual(2);
    expect(raw.batches[0]).toEqual(["a"]);
  });

  test("7.7 an end of any kind comes behind what was collected, and drain delivers that", async () => {
    for (const how of ["completes", "fails", "drains"]) {
      const runtime = testRuntime();
      async function* letters(): AsyncGenerator<string> {
        yield* "abc";
        if (how === "fails") throw boom;
        if (how === "drains") await new Promise(() => {});
      }
      const source = fromIterable(letters(), { runtime });
      source.done.catch(() => {});
      const raw = new RawConsumer<string>().attach(source);
      raw.ask(100);
      for (let i = 0; i < 12; i += 1) await Promise.resolve();
      if (how === "drains") void source.drain();
      await turns();
      expect([how, raw.batches.flat().join("")]).toEqual([how, "abc"]);
      expect(raw.ends).toHaveLength(1);
    }
  });

  test("over another stage is a stage again", async () => {
    const numbers = producer((demand) => range(1, demand), { runtime: testRuntime() });
    const { raw, stage } = over(numbers);
    raw.ask(3);
    await turns();
    expect(raw.batches.flat()).toEqual([1, 2, 3]);
    await stage.stop();
    await turns();
    expect(numbers.inspect().links).toEqual([]);
  });
});

describe("F26 what is not iterable", () => {
  test.each([null, undefined, {}, 5, () => {}, { [Symbol.iterator]: 7 }])("%o throws at once", (nothing) => {
    const make = (): unknown => fromIterable(nothing as never);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
  });

  test("the error says what was given", () => {
    expect(() => fromIterable(5 as never)).toThrow(
      "expected an iterable or an async iterable, got 5 (docs/protocol.md#rule-1.3)",
    );
  });

  test("an asynchronous iterator wins over a synchronous one", async () => {
    const both = {
      [Symbol.iterator]: () => [1][Symbol.iterator](),
      async *[Symbol.asyncIterator]() {
        yield 2;
      },
    };
    const { raw } = over(both);
    raw.ask(1);
    await turns();
    expect(raw.batches).toEqual([[2]]);
  });
});
