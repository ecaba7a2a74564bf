import { describe, expect, test } from "vitest";
import { broadcastDispatcher, consumer, producer, type Reason } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, Forwarder, outcome, Quiet, times } from "../support/stages.ts";

const pair = (answers: number) => {
  const runtime = testRuntime();
  const source = new Counter(answers);
  const sink = new Forwarder<number>();
  return {
    runtime,
    source,
    sink,
    p: producer(source, { runtime, name: "p" }),
    c: consumer(sink, { runtime, name: "c" }),
  };
};

describe("subscribe", () => {
  test("GS-042 answers with a subscription of its own", async () => {
    const { p, c, sink } = pair(1);
    const first = c.subscribe(p, { maxDemand: 2, minDemand: 0 });
    const second = c.subscribe(p, { maxDemand: 3, minDemand: 0 });
    expect([first.state, second.state]).toEqual(["pending", "pending"]);
    expect(first).not.toBe(second);
    expect(first.producer).toBe(p);
    expect(first.consumer).toBe(c);
    expect(c.subscriptions).toEqual([first, second]);
    await turns();
    expect([first.state, second.state]).toEqual(["active", "active"]);
    expect([first.pending, second.pending]).toEqual([2, 3]);
    expect(sink.batches).toEqual([[0, 1]]);
  });

  test("GS-043 throws when the consumer has ended", async () => {
    const { p, c } = pair(1);
    await c.stop();
    expect(codeOf(() => c.subscribe(p))).toBe("ERR_ENDED");
    expect(c.subscriptions).toEqual([]);
  });

  // GenStage's consumer stops with noproc; here who subscribes is told, and the consumer lives.
  test("GS-046 throws when the producer is stopped, and the consumer goes on", async () => {
    const { p, c, sink } = pair(1);
    await p.stop();
    expect(codeOf(() => c.subscribe(p))).toBe("ERR_STOPPED");
    await turns();
    expect([c.state, c.subscriptions, sink.log]).toEqual(["running", [], []]);
  });

  test("GS-046 a completed producer completes the subscription, a failed one fails it", async () => {
    const { runtime, p, c, sink } = pair(1);
    p.complete();
    await p.done;
    c.subscribe(p);
    await c.done;
    expect(sink.log).toEqual([
      ["subscribed", "producer"],
      ["cancelled", { type: "complete" }],
      ["terminated", { type: "complete" }],
    ]);

    const failed = producer(new Quiet<number>(), { runtime });
    const error = new Error("no more");
    const ended = outcome(failed);
    failed.fail(error);
    expect(await ended).toBe(error);
    const other = consumer(new Forwarder<number>(), { runtime });
    const otherEnded = outcome(other);
    other.subscribe(failed);
    expect(await otherEnded).toBe(error);
    expect(other.state).toBe("failed");
  });

  // GenStage accepts both and cancels the second with already_subscribed; here it is refused at once.
  test("GS-049 handles a duplicate on a broadcast gracefully", async () => {
    const runtime = testRuntime();
    const source = new Counter(1);
    const p = producer(source, { runtime, dispatcher: broadcastDispatcher() });
    const sinks = [new Forwarder<number>(), new Forwarder<number>()];
    const [c, c2] = sinks.map((sink, i) => consumer(sink, { runtime, name: `c${i}` }));
    const first = c?.subscribe(p, { maxDemand: 4, minDemand: 0 });
    expect(codeOf(() => c?.subscribe(p))).toBe("ERR_DUPLICATE");
    expect(c?.subscriptions).toEqual([first]);
    expect(p.inspect().links.map((link) => link.consumerName)).toEqual(["c0"]);
    const second = c2?.subscribe(p, { maxDemand: 4, minDemand: 0 });
    expect(codeOf(() => c2?.subscribe(p))).toBe("ERR_DUPLICATE");
    await turns();
    expect(p.inspect().links.map((link) => link.consumerName)).toEqual(["c0", "c1"]);
    expect(c2?.subscriptions).toEqual([second]);
    expect([p.state, c?.state, c2?.state]).toEqual(["running", "running", "running"]);
    expect(sinks.map((sink) => sink.batches)).toEqual([[[0, 1, 2, 3]], [[0, 1, 2, 3]]]);
    expect(source.log).toEqual(times(2, ["subscribed", "consumer"]));
  });

  test("GS-113 takes the producer itself", async () => {
    const { p, c, sink } = pair(1);
    c.subscribe(p, { maxDemand: 3, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([[0, 1, 2]]);
  });
});

describe("resubscribe", () => {
  test("GS-050 answers with a new subscription", async () => {
    const { source, p, c, sink } = pair(0);
    const first = c.subscribe(p, { cancel: "temporary" });
    await turns();
    const second = first.resubscribe();
    expect(second).not.toBe(first);
    await turns();
    expect([first.state, second.state, c.state]).toEqual(["ended", "active", "running"]);
    const cancelled: Reason = { type: "cancel", reason: "resubscribe" };
    expect(sink.log).toEqual([
      ["subscribed", "producer"],
      ["subscribed", "producer"],
      ["cancelled", cancelled],
    ]);
    expect(sink.seen).toEqual([first, second, first]);
    expect(sink.seen.map((each) => each === second)).toEqual([false, true, false]);
    expect(source.log).toEqual([
      ["subscribed", "consumer"],
      ["subscribed", "consumer"],
      ["cancelled", cancelled],
    ]);
  });

  test("GS-051 opens a new subscription even if the previous one has ended", async () => {
    const { p, c, sink } = pair(1);
    const first = c.subscribe(p, { cancel: "temporary", maxDemand: 2, minDemand: 0, demand: "manual" });
    first.cancel();
    await turns();
    expect(first.state).toBe("ended");
    const second = first.resubscribe({ demand: "automatic" });
    await turns();
    expect(second.state).toBe("active");
    expect(second.options).toMatchObject({ cancel: "temporary", maxDemand: 2, minDemand: 0, demand: "automatic" });
    expect(sink.log).toEqual([
      ["subscribed", "producer"],
      ["cancelled", { type: "cancel", reason: undefined }],
      ["subscribed", "producer"],
      ["consumed", [0, 1]],
    ]);
  });

  // GenStage lets the mode of the old subscription decide, so that a permanent one stops the consumer.
  test("GS-053 does not ask the cancel mode of the old subscription", async () => {
    const { source, p, c, sink } = pair(3);
    const first = c.subscribe(p, { maxDemand: 4, minDemand: 3 });
    await turns();
    const demanded = source.demands.length;
    const second = first.resubscribe({ maxDemand: 10, minDemand: 0 });
    await turns();
    expect([first.state, second.state, c.state, p.state]).toEqual(["ended", "active", "running", "running"]);
    expect(c.subscriptions).toEqual([second]);
    expect(second.options.cancel).toBe("permanent");
    expect(sink.batches.flat()).toEqual(range(0, sink.batches.flat().length - 1));
    // 4 + 1 + 1 answered; the demand of the old subscription that is still owed counts for the new one.
    expect(source.demands.slice(0, demanded)).toEqual([4, 1, 1, 1, 1, 1, 1]);
    expect(source.demands.slice(demanded)).toEqual([6]);
  });

  test("GS-054 opens a new subscription in the same turn in which the old one was cancelled", async () => {
    const { p, c, sink } = pair(1);
    const first = c.subscribe(p, { cancel: "temporary", maxDemand: 3, minDemand: 0 });
    await turns();
    first.cancel("enough");
    const second = first.resubscribe();
    await turns();
    expect([first.state, second.state, c.state]).toEqual(["ended", "active", "running"]);
    expect(sink.log).toEqual([
      ["subscribed", "producer"],
      ["consumed", [0, 1, 2]],
      ["cancelled", { type: "cancel", reason: "enough" }],
      ["subscribed", "producer"],
    ]);
  });
});

describe("manual demand", () => {
  // GenStage's handle_subscribe answers manual; here it is an option of the subscription.
  test("GS-055 can be set on subscribe", async () => {
    const { source, p, c, sink } = pair(2);
    const subscription = c.subscribe(p, { demand: "manual" });
    await turns();
    expect([source.demands, sink.batches]).toEqual([[], []]);
    subscription.ask(50);
    await turns();
    expect(sink.batches).toEqual([range(0, 49)]);
    subscription.ask(50);
    await turns();
    expect(source.demands).toEqual([50, 50]);
    expect(sink.batches).toEqual([range(0, 49), range(50, 99)]);
    expect(subscription.pending).toBe(0);
  });
});
