import { describe, expect, test } from "vitest";
import { sink, type SinkContext, source, type SourceContext } from "../../../src/adapter/index.ts";
import { fromIterable, type Subscription } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { RawConsumer, RawProducer } from "../../support/stages.ts";

const begun = (more: object = {}): { context: SourceContext<number>; c: RawConsumer<number>; demands: number[] } => {
  let context!: SourceContext<number>;
  const demands: number[] = [];
  const stage = source<number>(
    { begin: (given) => (context = given), handleDemand: (demand) => void demands.push(demand) },
    { runtime: testRuntime(), ...more },
  );
  const c = new RawConsumer<number>().attach(stage).ask(3);
  stage.done.catch(() => {});
  return { context, c, demands };
};

const fail = (message: string): never => {
  throw new Error(message);
};

describe("begin", () => {
  test("7.3 comes before an end that was there already, so that what it opens is let go", async () => {
    const log: string[] = [];
    const options = { runtime: testRuntime(), signal: AbortSignal.abort("before") };
    const stages = [
      source({ begin: () => log.push("begin"), handleDemand() {}, terminate: () => log.push("end") }, options),
      sink({ begin: () => log.push("begin"), handleEvents() {}, terminate: () => log.push("end") }, options),
    ];
    expect(log).toEqual(["begin", "end", "begin", "end"]);
    await Promise.all(stages.map(({ done }) => expect(done).rejects.toBe("before")));
  });

  test("5.1 may end the stage, and then nothing listens to its signal", async () => {
    const { signal } = new AbortController();
    let added = 0;
    signal.addEventListener = () => void (added += 1);
    const stage = source({ begin: (context) => context.fail("E"), handleDemand() {} }, { signal });
    await expect(stage.done).rejects.toBe("E");
    expect(added).toBe(0);
  });

  test("1.1 that throws is thrown by the maker", () => {
    expect(() => source({ begin: () => fail("no"), handleDemand() {} })).toThrow("no");
  });
});

describe("a source's context", () => {
  test("3.9 askAgain has handleDemand called anew for all that is wanted", async () => {
    const { context, c, demands } = begun();
    await turns();
    context.askAgain();
    c.ask(2);
    await turns();
    expect(demands).toEqual([3, 5]);
  });

  test("4.6 buffered is what found no demand", async () => {
    const { context, c } = begun();
    await turns();
    expect(context.answer(range(1, 5))).toBe(true);
    expect([context.buffered, c.batches.flat()]).toEqual([2, [1, 2, 3]]);
  });

  test.each([
    ["stop", { type: "cancel" }],
    ["failure", undefined],
  ] as const)("4.9 discard knows that the cause is a %s", async (cause, leaving) => {
    const lost: unknown[] = [];
    const { context, c } = begun({ name: "it", onDiscard: (discarded: unknown) => lost.push(discarded) });
    await turns();
    if (leaving) c.leave(leaving);
    else context.fail("E", { after: "buffer" });
    await turns();
    context.discard([1]);
    expect(lost).toEqual([{ events: [1], cause, stage: "it" }]);
  });
});

test("5.6 giveBack returns what a sink has taken and not stored to the next consumer", async () => {
  const runtime = testRuntime();
  const source1 = fromIterable(range(1, 10), { runtime, onLastCancel: "continue" });
  const first = sink<number>(
    {
      handleEvents(events, subscription, stage) {
        stage.giveBack(subscription, events.slice(2));
        stage.complete();
      },
    },
    { runtime },
  );
  first.subscribe(source1, { maxDemand: 4, minDemand: 0 });
  await turns();
  const c = new RawConsumer<number>().attach(source1).ask(20);
  await turns();
  expect([first.state, c.batches.flat()]).toEqual(["completed", range(3, 10)]);
});

/** A sink behind a producer by hand. */
const given = (first: (stage: SinkContext, subscription: Subscription) => void, second?: typeof first) => {
  const raw = new RawProducer<number>();
  let context!: SinkContext;
  const stage = sink<number>(
    {
      begin: (own) => void (context = own),
      handleEvents: (_events, subscription) => first(context, subscription),
      handleCancel: (_reason, subscription) => second?.(context, subscription),
    },
    { runtime: testRuntime() },
  );
  stage.subscribe(raw.producer, { cancel: "temporary" });
  return raw;
};
const back = async (raw: RawProducer<number>): Promise<readonly unknown[]> => {
  await turns();
  raw.port.events([1, 2, 3]);
  raw.port.end({ reason: { type: "complete" } });
  await turns();
  return raw.ends.map(({ unstarted }) => unstarted);
};

describe("what a stage gives back of a subscription that has ended", () => {
  test("5.6 in handleCancel returns with the last word to a source that has completed", async () => {
    const raw = given(
      () => {},
      (stage, subscription) => stage.giveBack(subscription, [2, 3]),
    );
    expect(await back(raw)).toEqual([[2, 3]]);
  });

  test("F-14 and so does what it gave back before, in order", async () => {
    const raw = given((stage, subscription) => {
      stage.giveBack(subscription, [3]);
      stage.giveBack(subscription, [2]);
    });
    expect(await back(raw)).toEqual([[2, 3]]);
  });

  test("4.9 is told by a source that has completed", async () => {
    const lost: unknown[] = [];
    const runtime = testRuntime();
    const numbers = fromIterable([1, 2, 3], { runtime, onDiscard: (discarded) => void lost.push(discarded) });
    let queue: readonly number[] = [];
    let from: Subscription | undefined;
    const stage = sink<number>(
      {
        handleEvents: (batch, subscription) => {
          queue = batch;
          from = subscription;
        },
        terminate: (_reason, context) => from && context.giveBack(from, queue),
      },
      { runtime },
    );
    stage.subscribe(numbers, { cancel: "temporary" });
    await turns();
    await stage.stop();
    expect([numbers.state, lost]).toEqual(["completed", [{ events: [1, 2, 3], cause: "stop", stage: numbers.name }]]);
  });
});
