import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { consumer, fromIterable, producer, type ProducerStage, producerConsumer } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { complete, ManualConsumer, ManualProducer, type Source } from "./harness.ts";
import { iterableKind, kinds, pullKind } from "./kinds.ts";

/** An iterable that counts how often it is closed. */
class Closing implements IterableIterator<number> {
  closed = 0;
  #next = 0;
  onNext: () => void = () => {};
  [Symbol.iterator](): this {
    return this;
  }
  next(): IteratorResult<number> {
    this.#next += 1;
    this.onNext();
    return { done: false, value: this.#next - 1 };
  }
  return(): IteratorResult<number> {
    this.closed += 1;
    return { done: true, value: undefined };
  }
}

const sink = (seen: number[] = []) =>
  consumer<number>((events) => void seen.push(...events), { runtime: testRuntime() });

describe("what is no demand", () => {
  test.each([-1, -(2 ** 31), -Infinity, Number.NaN, 1.5, 2 ** 53, "3", 2n, null, undefined, {}, true, Symbol("3")])(
    "RS-3.9 an ask of %o throws to who asked, and changes nothing",
    async (count) => {
      const seen: number[] = [];
      const source = new ManualProducer();
      const subscription = sink(seen).subscribe(source.producer, { demand: "manual" });
      await turns();
      expect(() => subscription.ask(count as number)).toThrow(RangeError);
      expect(() => subscription.ask(count as number)).toThrow(expect.objectContaining({ code: "ERR_ASK" }));
      await turns();
      expect([source.asks, source.ends, subscription.state, subscription.pending]).toEqual([[], [], "active", 0]);
      subscription.ask(1);
      source.emit(7);
      await turns();
      expect([source.asks, seen]).toEqual([[1], [7]]);
    },
  );

  test.each([0, -0])("RS-3.9a an ask of %o does nothing", async (count) => {
    const source = new ManualProducer();
    const subscription = sink().subscribe(source.producer, { demand: "manual" });
    await turns();
    subscription.ask(count);
    await turns();
    expect([source.asks, source.ends, subscription.state]).toEqual([[], [], "active"]);
  });

  test("RS-3.9a the link of who asks wrongly ends, the others go on; as the last one it releases the source", async () => {
    const source = new Closing();
    const stage = fromIterable(source, { runtime: testRuntime() });
    const good = new ManualConsumer().attach(stage);
    const wrong = new ManualConsumer().attach(stage).askWrongly(-1);
    good.ask(2);
    await turns();
    expect(wrong.ends).toMatchObject([{ type: "failure", error: { code: "ERR_ASK_SIGNAL" } }]);
    expect([good.received, good.ends, source.closed]).toEqual([[0, 1], [], 0]);
    good.askWrongly(Number.NaN);
    await turns();
    expect([good.ends.length, source.closed, stage.state]).toEqual([1, 1, "stopped"]);
  });
});

describe("cancel", () => {
  const places: [string, (source: Closing) => Promise<string>][] = [
    [
      "in a row",
      async (source) => {
        const stage = fromIterable(source, { runtime: testRuntime() });
        const subscription = sink().subscribe(stage, { demand: "manual" });
        subscription.ask(1);
        await turns();
        for (let i = 0; i < 3; i += 1) subscription.cancel();
        await turns();
        return stage.state;
      },
    ],
    [
      "from inside the handler",
      async (source) => {
        const stage = fromIterable(source, { runtime: testRuntime() });
        const c = consumer<number>(
          (_events, subscription) => {
            for (let i = 0; i < 3; i += 1) subscription.cancel();
          },
          { runtime: testRuntime() },
        );
        c.subscribe(stage, { maxDemand: 4 });
        await turns();
        return stage.state;
      },
    ],
    [
      "from inside the source's own pull",
      async (source) => {
        const stage = fromIterable(source, { runtime: testRuntime() });
        const subscription = sink().subscribe(stage, { demand: "manual" });
        source.onNext = () => subscription.cancel();
        subscription.ask(3);
        await turns();
        return stage.state;
      },
    ],
  ];
  test.each(places)("RS-3.5 three times %s closes the source once", async (_where, run) => {
    const source = new Closing();
    expect(await run(source)).toBe("stopped");
    await turns();
    expect(source.closed).toBe(1);
  });

  test("RS-3.5 inside the ask of a producer that answers at once", async () => {
    const source = new ManualProducer();
    const subscription = sink().subscribe(source.producer, { demand: "manual" });
    await turns();
    source.onAsk = () => {
      subscription.cancel();
      subscription.cancel();
    };
    subscription.ask(1);
    await turns();
    expect([source.ends.length, source.flaws]).toEqual([1, []]);
  });

  test("RS-3.14 of the last consumer stops the source, and who comes then is told", async () => {
    const stage = pullKind.make(5, undefined, { onLastCancel: "stop" });
    new ManualConsumer().attach(stage).cancel();
    await turns();
    expect(stage.state).toBe("stopped");
    expect(() => sink().subscribe(stage)).toThrow(expect.objectContaining({ code: "ERR_STOPPED" }));
  });

  const hooks: [string, () => unknown, boolean][] = [
    [
      "throws",
      () => {
        throw new Error("hook");
      },
      true,
    ],
    ["rejects", () => Promise.reject(new Error("hook")), true],
    ["never settles", () => new Promise(() => {}), false],
  ];
  test.each(hooks)("RS-3.15 returns, whatever the source does about it: it %s", async (_how, hook, fails) => {
    const stage: ProducerStage<number> = producer<number, object, number, number, number>(
      { handleDemand: () => {}, handleCancel: hook },
      { runtime: testRuntime() },
    );
    const raw = new ManualConsumer().attach(stage).ask(1);
    await turns();
    const done = stage.done.catch((error: unknown) => error);
    expect(() => raw.cancel()).not.toThrow();
    await turns();
    expect([raw.received, raw.ends, stage.state]).toEqual([[], [], fails ? "failed" : "running"]);
    expect(fails ? await done : undefined).toEqual(fails ? new Error("hook") : undefined);
    expect(stage.failure?.callback).toBe(fails ? "handleCancel" : undefined);
  });

  test.each(hooks)("RS-3.15 returns, whatever the iterator does when it is closed: it %s", async (how, hook) => {
    const reports: unknown[] = [];
    const source = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: hook as never }),
    };
    const stage = fromIterable<number>(source, {
      runtime: testRuntime(),
      onReport: (error) => void reports.push(error),
    });
    const raw = new ManualConsumer().attach(stage).ask(1);
    await turns();
    expect(() => raw.cancel()).not.toThrow();
    await turns();
    expect([raw.ends, stage.state]).toEqual([[], "stopped"]);
    expect(reports).toEqual(how === "never settles" ? [] : [new Error("hook")]);
  });
});

test("RS-3.16 an ask returns, whatever the source does about it", async () => {
  const source = fromIterable<number>(
    {
      [Symbol.iterator]: () => {
        throw new Error("no iterator");
      },
    },
    { runtime: testRuntime() },
  );
  const raw = new ManualConsumer().attach(source);
  expect(() => raw.ask(1)).not.toThrow();
  await turns();
  expect(raw.ends).toMatchObject([{ type: "failure" }]);
  expect(raw.ends).toHaveLength(1);
});

test("RS-3.1 a subscription cannot be posted to another thread", async () => {
  const subscription = sink().subscribe(fromIterable([1]), { demand: "manual" });
  expect(() => structuredClone(subscription)).toThrow(expect.objectContaining({ name: "DataCloneError" }));
  await turns();
});

test("RS-3.3c through three stages in a row no handler runs inside another", async () => {
  const runtime = testRuntime();
  let depth = 0;
  let deepest = 0;
  const forward = () =>
    producerConsumer(
      (events: readonly number[]) => {
        depth += 1;
        deepest = Math.max(deepest, depth);
        depth -= 1;
        return events;
      },
      { runtime },
    );
  const stages = [forward(), forward(), forward()] as const;
  stages[0].subscribe(fromIterable(range(0, 9999), { runtime }), { maxDemand: 1, minDemand: 0 });
  stages[1].subscribe(stages[0], { maxDemand: 1, minDemand: 0 });
  stages[2].subscribe(stages[1], { maxDemand: 1, minDemand: 0 });
  const raw = new ManualConsumer().attach(stages[2]);
  raw.each = () => {
    depth += 1;
    deepest = Math.max(deepest, depth);
    raw.ask(1);
    depth -= 1;
  };
  raw.ask(1);
  await turns();
  expect([raw.received.length, raw.ends, raw.deepest, deepest]).toEqual([10_000, [complete], 1, 1]);
});

describe("demand", () => {
  test("RS-3.17d past the largest sum it is Infinity, and stays it", async () => {
    const source = producer<number, object, number, number, number>(
      { handleDemand: () => {} },
      { runtime: testRuntime() },
    );
    const raw = new ManualConsumer().attach(source).ask(Number.MAX_SAFE_INTEGER).ask(1);
    await turns();
    expect(source.demand).toBe(Number.POSITIVE_INFINITY);
    source.push(range(0, 9));
    await turns();
    expect([source.demand, raw.received]).toEqual([Number.POSITIVE_INFINITY, range(0, 9)]);
    raw.cancel();
    await turns();
    expect(source.demand).toBe(0);
  });

  test("RS-3.17d of two consumers one without bound does not make the other's count wrong", async () => {
    const source = producer<number, object, number, number, number>(
      { handleDemand: () => {} },
      { runtime: testRuntime() },
    );
    const unbounded = new ManualConsumer().attach(source).ask(Number.POSITIVE_INFINITY);
    new ManualConsumer().attach(source).ask(3);
    await turns();
    expect(source.demand).toBe(Number.POSITIVE_INFINITY);
    unbounded.cancel();
    await turns();
    expect(source.demand).toBe(3);
  });

  test("RS-3.17 a source that does not answer is asked for a bounded amount", async () => {
    const demands: number[] = [];
    const source = producer<number, object, number, number, number>(
      { handleDemand: (demand) => void demands.push(demand) },
      { runtime: testRuntime() },
    );
    new ManualConsumer().attach(source).ask(Number.POSITIVE_INFINITY);
    await turns();
    expect(demands).toEqual([10_000]);
  });
});

/** A source that never lets go of its consumer. */
const keeper = (): Source => {
  const source: Source & { kept?: unknown } = {
    "~attach": (port) => {
      source.kept = port;
      return { ask: () => port.events([0]), end: () => {} };
    },
  };
  return source;
};

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Ends a link and lets go of its consumer. */
async function consumed(source: Source, end: (consumer: ManualConsumer) => void): Promise<WeakRef<ManualConsumer>> {
  const raw = new ManualConsumer().attach(source).ask(1);
  await turns();
  expect(raw.received).toEqual([0]);
  end(raw);
  await turns();
  return new WeakRef(raw);
}
/**
 * How many of four consumers are kept, each by a source of its own, once nobody else holds them. A library that keeps
 * one keeps all; the engine may keep one for a while, in a frame or for a compiler that runs beside.
 */
async function kept(make: () => Source, end: (consumer: ManualConsumer) => void): Promise<number> {
  const sources: Source[] = [];
  const left: WeakRef<ManualConsumer>[] = [];
  for (let i = 0; i < 4; i += 1) {
    const source = make();
    sources.push(source);
    left.push(await consumed(source, end));
  }
  for (let time = 0; time < 3; time += 1) {
    await turns();
    collect();
  }
  expect(sources).toHaveLength(4);
  return left.filter((reference) => reference.deref() !== undefined).length;
}

describe("references", () => {
  test.each(kinds)("RS-3.13 $name keeps none to a consumer that has cancelled", async ({ make }) => {
    expect(
      await kept(
        () => make(3, undefined, { onLastCancel: "continue" }),
        (raw) => raw.cancel(),
      ),
    ).toBeLessThan(2);
  });

  test.each([undefined, { error: "E" }])("RS-3.13 nor to one that it has told its end (%o)", async (failure) => {
    expect(
      await kept(
        () => iterableKind.make(1, failure),
        (raw) => raw.ask(5),
      ),
    ).toBeLessThan(2);
  });

  test("RS-3.13 (and it would be seen)", async () => {
    expect(await kept(keeper, (raw) => raw.cancel())).toBe(4);
  });
});
