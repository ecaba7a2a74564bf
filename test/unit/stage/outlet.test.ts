import { failureOf } from "../../../src/base/failure.ts";
import { describe, expect, test } from "vitest";
import {
  type BroadcastOptions,
  broadcastDispatcher,
  consumer,
  type Discarded,
  producer,
  type Reason,
  runtime,
  type Subscription,
} from "../../../src/index.ts";
import { RawConsumer, RawProducer } from "../../support/stages.ts";
import { testRuntime, turns, VirtualClock } from "../../support/runtime.ts";
import { boom, Rig, say, sayReason } from "./rig.ts";

/** A consumer of a raw producer, on a link that it does not die of. */
async function linked(options: object = {}) {
  const raw = new RawProducer<number>();
  const log: string[] = [];
  const handled: number[] = [];
  const stage = consumer<number>(
    {
      handleEvents: (events) => void handled.push(...events),
      handleCancel: (reason) => void log.push(sayReason(reason)),
    },
    { runtime: testRuntime() },
  );
  const subscription = stage.subscribe(raw.producer, { cancel: "temporary", ...options });
  await turns();
  return { raw, log, handled, stage, subscription };
}

describe("a producer that breaks the protocol", () => {
  test("3.1 delivers unasked: nothing is handled, everything goes back, the link fails", async () => {
    const { raw, log, handled } = await linked({ demand: "manual" });
    raw.port.events([1, 2]);
    raw.port.events([3]);
    await turns();
    expect(handled).toEqual([]);
    expect(raw.ends).toMatchObject([{ reason: { type: "failure", error: { code: "ERR_OVERDELIVERY" } } }]);
    // What a producer sends after it has been found out is its own affair.
    expect(raw.ends.flatMap(({ unstarted }) => unstarted)).toEqual([1, 2]);
    expect(log).toEqual(["failure ERR_OVERDELIVERY"]);
  });

  test("2.2 sends what is no array: the link fails, and nothing is handled", async () => {
    const { raw, log, handled, stage } = await linked();
    raw.port.events({ length: 1, 0: 7 } as never);
    await turns();
    expect([handled, log, stage.state]).toEqual([[], ["failure ERR_MESSAGE"], "running"]);
    expect(raw.ends).toMatchObject([
      {
        reason: {
          error: { message: "expected an array of events, got an object (Object) (docs/protocol.md#rule-2.2)" },
        },
      },
    ]);
  });

  test("2.1 an empty batch is no message", async () => {
    const { raw, handled, subscription } = await linked();
    raw.port.events([]);
    await turns();
    expect([handled, subscription.pending, subscription.state]).toEqual([[], 1000, "active"]);
  });

  test("2.4 goes on after its end: nobody hears it", async () => {
    const { raw, log, handled } = await linked();
    raw.port.events([1]);
    raw.port.end({ reason: { type: "complete" } });
    raw.port.events([2]);
    await turns();
    raw.port.events([3]);
    raw.port.end({ reason: { type: "failure", error: boom } });
    await turns();
    expect([handled, log, raw.ends]).toEqual([[1], ["complete"], [{ reason: { type: "complete" } }]]);
  });

  test("2.4 ends a link that its consumer has ended: nobody hears it", async () => {
    const { raw, log, subscription } = await linked();
    subscription.cancel();
    await turns();
    raw.port.end({ reason: { type: "failure", error: boom } });
    await turns();
    expect([log, raw.ends.length]).toEqual([["cancel"], 1]);
  });
});

describe("a consumer that breaks the protocol", () => {
  test.each([0, -1, 1.5, Number.NaN, "1", undefined])(
    "3.2 asks for %o: its link ends, the producer and its others live",
    async (count) => {
      const stage = producer<number>(() => {}, { runtime: testRuntime() });
      const [wrong, right] = [new RawConsumer<number>("wrong").attach(stage), new RawConsumer<number>().attach(stage)];
      wrong.ask(count as number);
      wrong.ask(1);
      right.ask(1);
      await turns();
      stage.push([1]);
      await turns();
      expect([wrong.ends.map(sayReason), wrong.batches, right.batches]).toEqual([
        ["failure ERR_ASK_SIGNAL"],
        [],
        [[1]],
      ]);
      expect(stage.inspect().links).toHaveLength(1);
    },
  );

  test("1.6 attaches a port twice: the second link ends, the first goes on", async () => {
    const stage = producer<number>(() => {}, { runtime: testRuntime() });
    const raw = new RawConsumer<number>("raw").attach(stage);
    const first = raw.port;
    raw.attach(stage);
    raw.ask(1);
    await turns();
    expect([raw.ends.map(sayReason), stage.demand]).toEqual([["failure ERR_DUPLICATE_LINK"], 0]);
    first.ask(2);
    await turns();
    expect(stage.demand).toBe(2);
  });
});

const slow = () => {
  const gate = Promise.withResolvers<void>();
  const log: string[] = [];
  const stage = producer<number>(
    {
      handleDemand: () => {},
      handleSubscribe: () => gate.promise,
      handleCancel: (reason: Reason) => void log.push(sayReason(reason)),
    },
    { runtime: testRuntime() },
  );
  return { gate, log, stage };
};

describe("handleSubscribe of a producer that takes time", () => {
  test("1.8 and then rejects: the subscription ends with a failure, the stage lives", async () => {
    const { gate, log, stage } = slow();
    const raw = new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    gate.reject(boom);
    await turns();
    expect([raw.ends.map(sayReason), stage.state, stage.demand, log]).toEqual([["failure boom"], "running", 0, []]);
  });

  test("1.8 and then rejects a consumer that has left meanwhile: there is nothing to refuse", async () => {
    const { gate, log, stage } = slow();
    const raw = new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    raw.leave();
    await turns();
    gate.reject(boom);
    await turns();
    expect([raw.ends, stage.state, stage.inspect().links, log]).toEqual([[], "running", [], ["cancel"]]);
  });
});

describe("handleSubscribe of a consumer that takes time", () => {
  test("5.6 and refuses after it has asked: what has come meanwhile goes back", async () => {
    const gate = Promise.withResolvers<void>();
    const reports: string[] = [];
    const raw = new RawProducer<number>();
    const stage = consumer<number>(
      {
        handleEvents: () => {},
        async handleSubscribe(_role: string, subscription: Subscription) {
          subscription.ask(3);
          await gate.promise;
        },
      },
      { runtime: testRuntime(), onReport: (error) => void reports.push(say(error)) },
    );
    const subscription = stage.subscribe(raw.producer, { demand: "manual" });
    await turns();
    raw.port.events([1, 2]);
    await turns();
    gate.reject(boom);
    await turns();
    expect(raw.ends).toEqual([{ reason: { type: "cancel" }, unstarted: [1, 2] }]);
    expect([reports, subscription.state, stage.state, stage.subscriptions]).toEqual([["boom"], "ended", "running", []]);
  });
});

const failing = (): never => {
  throw boom;
};

const broadcasting = (onDiscard?: (discarded: Discarded) => void) =>
  producer<number, BroadcastOptions>(() => {}, {
    runtime: testRuntime(),
    dispatcher: broadcastDispatcher(),
    onDiscard,
  });

describe("a selector that throws", () => {
  test("6.1 ends its own subscription, with the batch, and the others get theirs", async () => {
    const stage = broadcasting();
    const wrong = new RawConsumer<number>("wrong").attach(stage, { selector: failing }).ask(2);
    const right = new RawConsumer<number>("right").attach(stage).ask(2);
    await turns();
    stage.push([1, 2]);
    await turns();
    expect(wrong.ends).toEqual([{ type: "failure", error: boom }]);
    expect(failureOf(boom)).toMatchObject({ stage: "wrong", callback: "selector", events: [1, 2] });
    expect([right.batches, stage.inspect().links.length]).toEqual([[[1, 2]], 1]);
  });

  test("2.4 of a consumer that has left: it is not told any more", async () => {
    const stage = broadcasting();
    const raw = new RawConsumer<number>("wrong").attach(stage, { selector: failing }).ask(2);
    await turns();
    raw.leave();
    stage.push([1]);
    await turns();
    expect([raw.ends, stage.inspect().links]).toEqual([[], []]);
  });

  test("4.8 what that consumer brings back afterwards is dropped like all of a broadcast's", async () => {
    const discarded: Discarded[] = [];
    const stage = broadcasting((what) => void discarded.push(what));
    let broken = false;
    const selector = (): boolean => {
      if (broken) throw boom;
      return true;
    };
    const raw = new RawConsumer<number>().attach(stage, { selector }).ask(5);
    await turns();
    stage.push([1, 2]);
    broken = true;
    stage.push([3]);
    await turns();
    raw.leave({ type: "failure", error: boom }, [2]);
    await turns();
    expect([raw.ends.length, discarded, stage.bufferedCount, stage.state]).toEqual([1, [], 0, "running"]);
  });
});

describe("a clock that is moved on inside a callback", () => {
  test.each([
    ["answers", "stop", []],
    ["throws", "stop", ["handleEvents: boom"]],
    ["answers with no array", "stop", []],
  ])("5.12 a stop that is due ends the stage there; the callback then %s", async (how, told, reports) => {
    const rig = new Rig("producerConsumer");
    rig.scripts.push(() => {
      rig.runtime.clock.advance(5);
      if (how === "throws") throw boom;
      return how === "answers" ? ["late"] : 7;
    });
    await turns();
    rig.sink.ask(5);
    await turns();
    rig.source.port.events([1, 2, 3]);
    void rig.stage.stop({ timeout: 5 });
    const { out, back, done } = await rig.seen();
    expect([out, rig.sink.ends.map(sayReason), back, done, rig.reports]).toEqual([
      [],
      [told],
      [[told, 3]],
      "fulfilled",
      reports,
    ]);
  });

  test("5.12 a stop that is due inside a call ends the stage there, and the call is rejected", async () => {
    const rig = new Rig("producer");
    await turns();
    const call = rig.stage.call(() => {
      void rig.stage.stop({ timeout: 5 });
      rig.runtime.clock.advance(5);
      return "value";
    });
    await expect(call).rejects.toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    expect(rig.stage.state).toBe("stopped");
  });

  test("6.6 a promise that settles while its stage waits for the next macrotask is heard once", async () => {
    const clock = new VirtualClock();
    const seen: unknown[] = [];
    const stage = consumer<number>(
      (events) => {
        seen.push(...events);
        // The stage has more messages, its promise settles at once, and the budget is used up.
        void stage.call(() => void seen.push("called"));
        clock.advance(100);
        return Promise.resolve();
      },
      { runtime: runtime({ clock }) },
    );
    const raw = new RawProducer<number>();
    stage.subscribe(raw.producer, { maxDemand: 4, minDemand: 3 });
    await turns();
    for (const n of [1, 2, 3]) raw.port.events([n]);
    await turns(16);
    expect([seen, raw.asks]).toEqual([
      [1, 2, 3, "called", "called", "called"],
      [4, 1, 1, 1],
    ]);
  });
});

test("6.5 a clock that runs its microtasks inside a task does not make the queue run inside itself", async () => {
  const microtasks: (() => void)[] = [];
  class Manual extends VirtualClock {
    override microtask(fn: () => void): void {
      microtasks.push(fn);
    }
  }
  const engine = runtime({ clock: new Manual() });
  const seen: string[] = [];
  const task = (name: string, run: () => void = () => {}) => ({
    run: () => {
      seen.push(`${name} begins`);
      run();
      seen.push(`${name} ends`);
    },
  });
  engine.schedule(task("first", () => microtasks.splice(0).forEach((fn) => fn())));
  engine.schedule(task("second"));
  engine.flush();
  expect(seen).toEqual(["first begins", "first ends", "second begins", "second ends"]);
});

const { defineProperty } = Object;
/** An object with a `then` of its own. */
const thenable = (descriptor: PropertyDescriptor, on: object = {}): object => defineProperty(on, "then", descriptor);
const early = (yes: () => void, no: (error: unknown) => void): void => {
  no(boom);
  yes();
};

describe("a callback that answers with a promise of a strange make", () => {
  test.each([
    ["whose then throws when it is looked at", thenable({ get: failing })],
    ["whose then throws when it is called", thenable({ value: failing }, Promise.resolve())],
    ["that rejects at once, and then fulfils", thenable({ value: early })],
  ])("6.1 %s fails its stage", async (_what, answer) => {
    const rig = new Rig("consumer");
    rig.scripts.push(() => answer);
    await turns();
    rig.source.port.events([1, 2, 3]);
    const { back, done } = await rig.seen();
    expect([back, done]).toEqual([[["failure boom", 3]], "rejected boom"]);
  });

  test("6.3 that fulfils later is waited for", async () => {
    const rig = new Rig("consumer");
    let fulfil!: () => void;
    rig.scripts.push(() => thenable({ value: (yes: () => void) => void (fulfil = yes) }));
    await turns();
    rig.source.port.events([1, 2, 3]);
    await turns();
    expect(rig.handled).toEqual([[1, 2]]);
    fulfil();
    await turns();
    expect(rig.handled).toEqual([[1, 2], [3]]);
  });
});
