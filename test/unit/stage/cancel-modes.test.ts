import { describe, expect, test } from "vitest";
import {
  type CancelMode,
  consumer,
  type Producer,
  producer,
  type ProducerStage,
  producerConsumer,
  type Reason,
  type Subscription,
} from "../../../src/index.ts";
import { RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { boom, say, sayReason } from "./rig.ts";

const kinds = ["producerConsumer", "consumer"] as const;
const modes = ["permanent", "transient", "temporary"] as const;

/** A stage that subscribes, and what it notes of the ends of its subscriptions and of its own. */
class Subscriber {
  readonly runtime = testRuntime();
  readonly cancelled: string[] = [];
  readonly handled: number[] = [];
  readonly stage: {
    subscribe(producer: Producer<number>, options: { readonly cancel: CancelMode }): Subscription;
    readonly state: string;
    readonly done: Promise<void>;
  };
  done = "pending";

  constructor(kind: (typeof kinds)[number]) {
    const { runtime } = this;
    const behaviour = {
      handleEvents: (events: readonly number[]): never[] => {
        this.handled.push(...events);
        return [];
      },
      handleCancel: (reason: Reason) => void this.cancelled.push(sayReason(reason)),
    };
    if (kind === "consumer") this.stage = consumer<number>(behaviour, { runtime });
    else {
      const made = producerConsumer<number, never>(behaviour, { runtime });
      consumer<never>(() => {}, { runtime }).subscribe(made, { cancel: "temporary" });
      this.stage = made;
    }
    this.stage.done.then(
      () => (this.done = "fulfilled"),
      (error: unknown) => (this.done = `rejected ${say(error)}`),
    );
  }
}

type End = (producer: ProducerStage<number>, subscription: Subscription) => unknown;
const normal: readonly (readonly [how: string, reason: string, end: End])[] = [
  ["the producer completes", "complete", (p) => p.complete()],
  ["the producer stops", "stop", (p) => void p.stop()],
  ["the producer is shut down", "stop shutdown", (p) => void p.stop({ reason: "shutdown" })],
  ["the subscription is cancelled", "cancel", (_p, s) => s.cancel()],
  ["it is cancelled as normal", "cancel normal", (_p, s) => s.cancel("normal")],
];
const failures: typeof normal = [
  ["the producer stops with boom", "stop boom", (p) => void p.stop({ reason: boom })],
  ["the producer fails", "failure boom", (p) => p.fail(boom)],
  ["the subscription is cancelled with boom", "cancel boom", (_p, s) => s.cancel(boom)],
];
/** What each mode makes of a normal end and of a failure. */
const outcomes: Readonly<Record<CancelMode, { readonly normal: string; readonly failure: string }>> = {
  permanent: { normal: "fulfilled", failure: "rejected boom" },
  transient: { normal: "pending", failure: "rejected boom" },
  temporary: { normal: "pending", failure: "pending" },
};

describe.each(kinds)("the only subscription of a %s", (kind) => {
  describe.each(modes)("%s", (cancel) => {
    test.each([
      ...normal.map((row) => [...row, outcomes[cancel].normal] as const),
      ...failures.map((row) => [...row, outcomes[cancel].failure] as const),
    ])("5.3 %s (%s)", async (_how, reason, end, done) => {
      const subscriber = new Subscriber(kind);
      const source = producer<number>(() => {}, { runtime: subscriber.runtime });
      source.done.catch(() => {});
      const subscription = subscriber.stage.subscribe(source, { cancel });
      await turns();
      expect(subscription.state).toBe("active");
      end(source, subscription);
      await turns();
      expect([subscriber.cancelled, subscription.state, subscriber.done]).toEqual([[reason], "ended", done]);
    });
  });
});

describe.each(kinds)("several subscriptions of a %s", (kind) => {
  const two = async (first: CancelMode, second: CancelMode) => {
    const subscriber = new Subscriber(kind);
    const make = () => producer<number>(() => {}, { runtime: subscriber.runtime });
    const sources = [make(), make()] as const;
    for (const source of sources) source.done.catch(() => {});
    const subscriptions = [
      subscriber.stage.subscribe(sources[0], { cancel: first }),
      subscriber.stage.subscribe(sources[1], { cancel: second }),
    ] as const;
    await turns();
    return { subscriber, sources, subscriptions };
  };

  test("5.3 it ends with the last permanent one", async () => {
    const { subscriber, sources, subscriptions } = await two("permanent", "permanent");
    sources[0].complete();
    await turns();
    expect([subscriber.done, subscriptions[1].state]).toEqual(["pending", "active"]);
    sources[1].complete();
    await turns();
    expect([subscriber.done, subscriber.cancelled]).toEqual(["fulfilled", ["complete", "complete"]]);
  });

  test.each(["transient", "temporary"] as const)(
    "5.3 with the last permanent one the %s ones are left",
    async (other) => {
      const { subscriber, sources, subscriptions } = await two("permanent", other);
      const told: string[] = [];
      const raw = new RawProducer<number>();
      subscriber.stage.subscribe(raw.producer, { cancel: other });
      await turns();
      sources[0].complete();
      await turns();
      for (const { reason } of raw.ends) told.push(sayReason(reason));
      expect([subscriber.done, subscriptions[1].state, told]).toEqual(["fulfilled", "ended", ["complete"]]);
      // Its own end is not told to it.
      expect(subscriber.cancelled).toEqual(["complete"]);
      expect(sources[1].inspect().links).toEqual([]);
    },
  );

  test("5.3 a failure of a permanent one ends it, whatever others there are", async () => {
    const { subscriber, sources, subscriptions } = await two("permanent", "permanent");
    sources[0].fail(boom);
    await turns();
    expect([subscriber.done, subscriptions[1].state]).toEqual(["rejected boom", "ended"]);
  });

  test("5.3 the end of a transient one leaves it open, even as the last", async () => {
    const { subscriber, sources } = await two("transient", "temporary");
    sources[0].complete();
    sources[1].complete();
    await turns();
    expect([subscriber.done, subscriber.cancelled]).toEqual(["pending", ["complete", "complete"]]);
  });

  test("5.7 a cancelled subscription handles what has come, then ends both sides", async () => {
    const subscriber = new Subscriber(kind);
    const raw = new RawProducer<number>();
    const subscription = subscriber.stage.subscribe(raw.producer, { cancel: "transient" });
    await turns();
    raw.port.events([1, 2]);
    subscription.cancel();
    raw.port.events([3]);
    subscription.cancel("again");
    await turns();
    expect(subscriber.handled).toEqual([1, 2]);
    expect(raw.ends).toEqual([{ reason: { type: "cancel", reason: undefined }, unstarted: [3] }]);
    expect([subscriber.cancelled, subscriber.done]).toEqual([["cancel"], "pending"]);
    subscription.cancel(boom);
    await turns();
    expect([raw.ends.length, subscriber.cancelled]).toEqual([1, ["cancel"]]);
  });
});
