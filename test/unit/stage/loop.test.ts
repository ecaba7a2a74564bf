import { describe, expect, test } from "vitest";
import { producer, type Subscription } from "../../../src/index.ts";
import { Counter, RawProducer } from "../../support/stages.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { boom, say, sayReason } from "./rig.ts";

/** A producer that is pushed to, and what it hears of its loops. */
function source() {
  const log: string[] = [];
  const demands: number[] = [];
  const subscriptions: Subscription[] = [];
  const stage = producer<number>(
    {
      handleDemand: (demand) => void demands.push(demand),
      handleSubscribe: (_role, subscription) => {
        log.push("subscribed");
        subscriptions.push(subscription);
      },
      handleCancel: (reason) => void log.push(sayReason(reason)),
    },
    { runtime: testRuntime() },
  );
  stage.done.catch(() => {});
  return { stage, log, demands, subscriptions };
}
/** A pull, and what has become of it. */
interface Pull {
  was: unknown;
}
const watch = (pull: Promise<IteratorResult<unknown, undefined>>): Pull => {
  const seen: Pull = { was: "pending" };
  pull.then(
    ({ done, value }) => (seen.was = done ? "done" : value),
    (error: unknown) => (seen.was = `rejected ${say(error)}`),
  );
  return seen;
};
/** Pulls several times at once. */
const many = (iterator: AsyncIterator<unknown, undefined>, count: number): Pull[] =>
  Array.from({ length: count }, () => watch(iterator.next()));
const settled = async (pulls: readonly Pull[]): Promise<unknown[]> => {
  await turns(1);
  return pulls.map(({ was }) => was);
};
/** A raw producer as a loop's source: it has no iterator of its own, and borrows one. */
const looped = (raw: RawProducer<number>, options: object = {}): AsyncIterableIterator<number> =>
  producer<number>(() => {}).events.call(raw as never, options);

describe("events()", () => {
  test("G01 subscribes and asks on the first pull, not before", async () => {
    const { stage, log, demands } = source();
    const iterator = stage.events({ maxDemand: 4 });
    await turns();
    expect([log, demands]).toEqual([[], []]);
    void iterator.next();
    await turns();
    expect([log, demands]).toEqual([["subscribed"], [4]]);
  });

  test("G02 several pulls at once are answered in order, then it is over", async () => {
    const { stage } = source();
    const pulls = many(stage.events(), 5);
    await turns();
    stage.push([1, 2, 3]);
    await turns();
    stage.complete();
    await turns();
    expect(await settled(pulls)).toEqual([1, 2, 3, "done", "done"]);
  });

  test("G03 pending pulls at the end are all done", async () => {
    const { stage } = source();
    const pulls = many(stage.events(), 2);
    await turns();
    expect(await settled(pulls)).toEqual(["pending", "pending"]);
    stage.complete();
    await turns();
    expect(await settled(pulls)).toEqual(["done", "done"]);
  });

  test("G03 pending pulls at a failure: the first rejects, the others are done", async () => {
    const { stage } = source();
    const pulls = many(stage.events(), 3);
    await turns();
    stage.fail(boom);
    await turns();
    expect(await settled(pulls)).toEqual(["rejected boom", "done", "done"]);
  });

  test("G03 pending pulls at return(): all are done, and the link ends", async () => {
    const { stage, log } = source();
    const iterator = stage.events();
    const pulls = many(iterator, 2);
    await turns();
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    await turns();
    expect([await settled(pulls), log]).toEqual([
      ["done", "done"],
      ["subscribed", "cancel"],
    ]);
    expect(await settled(many(iterator, 1))).toEqual(["done"]);
  });

  test("G05 return() before the first pull: no subscription is made, ever", async () => {
    const { stage, log } = source();
    const iterator = stage.events();
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await settled(many(iterator, 2))).toEqual(["done", "done"]);
    expect([log, stage.inspect().links]).toEqual([[], []]);
  });

  test("G06 throw(E) ends the link with E and rejects with E", async () => {
    const { stage, log } = source();
    const iterator = stage.events();
    void iterator.next();
    await turns();
    stage.push([1, 2]);
    await turns();
    await expect(iterator.throw?.(boom)).rejects.toBe(boom);
    await turns();
    expect([log, stage.bufferedCount, stage.state]).toEqual([["subscribed", "cancel boom"], 1, "running"]);
    expect(await settled(many(iterator, 1))).toEqual(["done"]);
  });

  test("G07 a loop body that throws cancels once, and its error is what surfaces", async () => {
    const { stage, log } = source();
    stage.push([1, 2, 3]);
    const loop = async (): Promise<void> => {
      for await (const event of stage.events()) if (event === 2) throw boom;
    };
    await expect(loop()).rejects.toBe(boom);
    await turns();
    expect([log, stage.bufferedCount]).toEqual([["subscribed", "cancel"], 1]);
  });

  test("G09 events that have arrived come before the failure behind them", async () => {
    const raw = new RawProducer<number>();
    const pulls = many(looped(raw), 4);
    await turns();
    raw.port.events([1, 2]);
    raw.port.end({ reason: { type: "failure", error: boom } });
    await turns();
    expect(await settled(pulls)).toEqual([1, 2, "rejected boom", "done"]);
  });

  test("an iterator is its own iterable", () => {
    const iterator = source().stage.events();
    expect(iterator[Symbol.asyncIterator]()).toBe(iterator);
  });

  test("2.4 what a producer says after its end is not heard", async () => {
    const raw = new RawProducer<number>();
    const pulls = many(looped(raw), 3);
    await turns();
    raw.port.end({ reason: { type: "complete" } });
    raw.port.events([1]);
    raw.port.end({ reason: { type: "failure", error: boom } });
    await turns();
    expect(await settled(pulls)).toEqual(["done", "done", "done"]);
    // That all its events are started.
    expect(raw.ends).toEqual([{ reason: { type: "complete" } }]);
  });

  test("3.1 a producer that delivers too much: what was asked for comes, then the error; the rest goes back", async () => {
    const raw = new RawProducer<number>();
    const pulls = many(looped(raw, { maxDemand: 2, minDemand: 0 }), 4);
    await turns();
    raw.port.events([1, 2, 3]);
    await turns();
    expect(await settled(pulls)).toEqual([1, 2, "rejected ERR_OVERDELIVERY", "done"]);
    expect(raw.ends).toMatchObject([{ reason: { type: "failure" }, unstarted: [3] }]);
  });
});

describe("batches()", () => {
  test("3.8 hands out batches of at most max - min, and asks when the next is pulled", async () => {
    const counter = new Counter(10);
    const iterator = producer(counter, { runtime: testRuntime() }).batches({ maxDemand: 5, minDemand: 2 });
    const seen: unknown[] = [];
    for (let n = 0; n < 4; n += 1) {
      seen.push((await iterator.next()).value, counter.demands.length);
      await turns();
    }
    expect(seen).toEqual([[0, 1, 2], 1, [3, 4], 2, [5, 6, 7], 2, [8, 9, 10], 3]);
  });

  test("3.8 a batch is as it came when it fits", async () => {
    const { stage } = source();
    const iterator = stage.batches();
    const pull = iterator.next();
    await turns();
    const batch = [1, 2, 3];
    stage.push(batch);
    expect((await pull).value).toBe(batch);
  });

  test("5.6 left early gives back what it has not handed out, in order", async () => {
    const { stage, log } = source();
    stage.push(range(1, 10));
    for await (const batch of stage.batches({ maxDemand: 6, minDemand: 4 })) {
      expect(batch).toEqual([1, 2]);
      break;
    }
    await turns();
    expect([log, stage.bufferedCount]).toEqual([["subscribed", "cancel"], 8]);
    const rest: number[] = [];
    for await (const event of stage) {
      rest.push(event);
      if (rest.length === 8) break;
    }
    expect(rest).toEqual(range(3, 10));
  });
});

const looping = async () => {
  const { stage, subscriptions, log } = source();
  const iterator = stage.events({ maxDemand: 10, minDemand: 2 });
  const pull = watch(iterator.next());
  await turns();
  return { stage, subscription: subscriptions[0] as Subscription, iterator, pull, log };
};

describe("the subscription of a loop, as its producer sees it", () => {
  test("it has options and a name, and counts what is pending", async () => {
    const { stage, subscription, pull } = await looping();
    expect([subscription.state, subscription.pending, subscription.consumer.name]).toEqual(["active", 10, "iterator"]);
    expect(subscription.options).toEqual({ maxDemand: 10, minDemand: 2, cancel: "permanent", demand: "automatic" });
    expect(subscription.producer).toBe(stage);
    stage.push([1, 2]);
    expect(await settled([pull])).toEqual([1]);
    expect(subscription.pending).toBe(8);
  });

  test("3.3 it asks by itself", async () => {
    const { subscription, iterator } = await looping();
    expect(() => subscription.ask(1)).toThrow("got one by iterator");
    expect(() => subscription.resubscribe()).toThrow(expect.objectContaining({ code: "ERR_ASK_AUTOMATIC" }));
    await iterator.return?.();
    subscription.ask(1);
    expect(() => subscription.resubscribe()).toThrow(expect.objectContaining({ code: "ERR_ASK_AUTOMATIC" }));
    expect(subscription.state).toBe("ended");
  });

  test.each([
    ["well", undefined, "done", "cancel"],
    ["with a failure", boom, "rejected boom", "cancel boom"],
  ])("5.7 cancelled %s, the loop gets what has arrived and then ends so", async (_how, reason, last, told) => {
    const { stage, subscription, iterator, pull, log } = await looping();
    stage.push([1, 2]);
    await turns();
    subscription.cancel(reason);
    subscription.cancel("again");
    stage.push([3]);
    await turns();
    expect(await settled([pull, ...many(iterator, 3)])).toEqual([1, 2, last, "done"]);
    expect([log, stage.bufferedCount, subscription.state]).toEqual([["subscribed", told], 1, "ended"]);
  });
});
