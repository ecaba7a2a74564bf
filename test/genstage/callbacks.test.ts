import type { StageContext } from "../../src/contract/stage.ts";
import { describe, expect, test } from "vitest";
import { consumer, producer, producerConsumer, type Reason, type Subscription } from "../../src/index.ts";
import { testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, Doubler, Forwarder, type Log, outcome, Quiet, RawConsumer } from "../support/stages.ts";

const stopped: Reason = { type: "stop", reason: undefined };
const cancelledWith = (reason: unknown): Reason => ({ type: "cancel", reason });
const failedWith = (error: unknown): Reason => ({ type: "failure", error });
const bad = (options: object): object => options;

describe("producer callbacks", () => {
  // Without a counterpart: init that answers ignore; a name that is taken, for names are labels.
  test("GS-057 init that throws fails the stage, and its answer means nothing", async () => {
    const runtime = testRuntime();
    const oops = new Error("oops");
    const log: Log = [];
    const failing = producer(
      {
        init: () => {
          throw oops;
        },
        handleDemand: () => [],
        terminate: (reason: Reason) => void log.push(["terminated", reason.type]),
      },
      { runtime },
    );
    const ended = outcome(failing);
    const error = await ended;
    expect(error).toBe(oops);
    expect([failing.state, log]).toEqual(["failed", [["terminated", "failure"]]]);

    const answering = producer({ init: () => "unknown", handleDemand: () => [] }, { runtime });
    expect(answering.state).toBe("starting");
    await turns();
    expect(answering.state).toBe("running");
  });

  test.each([
    {
      options: { bufferSize: -1 },
      code: "ERR_RANGE",
      text: "bufferSize to be a whole number from 0 to Infinity, got -1",
    },
    { options: { dispatcher: 0 }, code: "ERR_OPTION", text: "dispatcher to be a Dispatcher, got 0" },
    { options: { unknown: "value" }, code: "ERR_OPTION", text: 'got "unknown"' },
  ])("GS-057 wrong options throw at once: $text", ({ options, code, text }) => {
    const start = (): unknown => producer(new Counter(1), bad({ ...options, runtime: testRuntime() }));
    expect(codeOf(start)).toBe(code);
    expect(start).toThrow(text);
  });

  test("GS-057 a good one starts, and so does a second one with its name", () => {
    const runtime = testRuntime();
    const pair = [1, 2].map(() => producer(new Counter(1), { runtime, name: "same" }));
    expect(pair.map(({ name, state }) => [name, state])).toEqual([
      ["same", "running"],
      ["same", "running"],
    ]);
  });

  test("GS-058 handleSubscribe is told of the subscription", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const subscription = consumer(new Forwarder<number>(), { runtime }).subscribe(producer(source, { runtime }));
    await turns();
    expect(source.log).toEqual([["subscribed", "consumer"]]);
    expect(source.seen[0]).toBe(subscription);
  });

  // GenStage's producer ends when handle_subscribe answers manual; here an answer means nothing, and throwing refuses.
  test("GS-059 what handleSubscribe answers is ignored, what it throws refuses the subscription", async () => {
    const runtime = testRuntime();
    const oops = new Error("oops");
    const seen: Subscription[] = [];
    const p = producer<number>(
      {
        handleDemand: () => [],
        handleSubscribe: (_role, subscription) => {
          seen.push(subscription);
          if (subscription.options.data === "refuse") throw oops;
          return "manual";
        },
      },
      { runtime },
    );
    const accepted = consumer(new Forwarder<number>(), { runtime }).subscribe(p, { maxDemand: 4 });
    const refused = consumer(new Forwarder<number>(), { runtime });
    const ended = outcome(refused);
    const subscription = refused.subscribe(p, { data: "refuse" });
    expect(await ended).toBe(oops);
    expect([seen[0] === accepted, seen[1] === subscription]).toEqual([true, true]);
    expect([accepted.state, accepted.pending, subscription.state]).toEqual(["active", 4, "ended"]);
    expect([p.state, p.demand, p.inspect().links.length]).toEqual(["running", 4, 1]);
  });

  test("GS-061 handleCancel when the consumer is killed", async () => {
    const runtime = testRuntime();
    const source = new Quiet<number>();
    const kill = new AbortController();
    const c = consumer(new Forwarder<number>(), { runtime, signal: kill.signal });
    const ended = outcome(c);
    const subscription = c.subscribe(producer(source, { runtime }), { cancel: "temporary" });
    await turns();
    kill.abort("killed");
    expect(await ended).toBe("killed");
    await turns();
    expect(source.log).toEqual([
      ["subscribed", "consumer"],
      ["cancelled", failedWith("killed")],
    ]);
    expect(source.seen[1]).toBe(subscription);
  });

  test("GS-062 call sends events before its reply", async () => {
    const runtime = testRuntime();
    const log: Log = [];
    const source = new Quiet<number>(log);
    const p = producer<number>(source, { runtime });
    new RawConsumer<number>("raw", log).attach(p).ask(3);
    await turns();
    log.push(["reply", await p.call((stage) => stage.push([1, 2, 3]))]);
    await p.stop();
    expect(log).toEqual([
      ["subscribed", "consumer"],
      ["events", [1, 2, 3]],
      ["reply", true],
      ["terminated", stopped],
      ["end", stopped],
    ]);
  });

  // GenStage replies from inside handle_call; here the caller's own promise is settled first.
  test("GS-063 call may answer before it sends events", async () => {
    const runtime = testRuntime();
    const log: Log = [];
    const p = producer<number>(new Quiet<number>(log), { runtime });
    new RawConsumer<number>("raw", log).attach(p).ask(3);
    await turns();
    const early = Promise.withResolvers<string>();
    const replied = early.promise.then((reply) => log.push(["reply", reply]));
    const called = p.call(async (stage) => {
      early.resolve("early");
      await replied;
      stage.push([1, 2, 3]);
    });
    await p.stop();
    await called;
    expect(log).toEqual([
      ["subscribed", "consumer"],
      ["reply", "early"],
      ["events", [1, 2, 3]],
      ["terminated", stopped],
      ["end", stopped],
    ]);
  });

  test("GS-066 terminate is told why", async () => {
    const source = new Quiet<number>();
    const p = producer(source, { runtime: testRuntime() });
    await p.stop();
    expect(source.log).toEqual([["terminated", stopped]]);
    await p.done;
    expect(p.state).toBe("stopped");
  });
});

describe("consumer callbacks", () => {
  test("GS-067 init that throws fails the stage, wrong options throw at once", async () => {
    const runtime = testRuntime();
    const oops = new Error("oops");
    const failing = consumer({ init: () => Promise.reject(oops), handleEvents: () => {} }, { runtime });
    expect(await outcome(failing)).toBe(oops);
    expect(codeOf(() => consumer(() => {}, bad({ unknown: "value" })))).toBe("ERR_OPTION");
    // Options of a producer are unknown to a consumer.
    expect(codeOf(() => consumer(() => {}, bad({ demandMode: "forward" })))).toBe("ERR_OPTION");
    expect(consumer(() => {}, { runtime, name: "good" }).name).toBe("good");
  });

  // GenStage's consumer ends when handle_subscribe answers an unknown mode; here it is an option, refused at once.
  test("GS-069 an invalid demand is refused", async () => {
    const runtime = testRuntime();
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    const p = producer(new Counter(1), { runtime });
    expect(codeOf(() => c.subscribe(p, bad({ demand: "unknown" })))).toBe("ERR_OPTION");
    await turns();
    expect([c.state, p.state, c.subscriptions, sink.log]).toEqual(["running", "running", [], []]);
  });

  test.each([
    { id: "GS-070", cancel: "temporary", reason: "oops" },
    { id: "GS-071", cancel: "transient", reason: "normal" },
  ] as const)("$id handleCancel of a $cancel subscription, cancelled with $reason", async ({ cancel, reason }) => {
    const runtime = testRuntime();
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    const source = new Quiet<number>();
    const subscription = c.subscribe(producer(source, { runtime }), { cancel });
    await turns();
    subscription.cancel(reason);
    await turns();
    expect(sink.log).toEqual([
      ["subscribed", "producer"],
      ["cancelled", cancelledWith(reason)],
    ]);
    expect(sink.seen[1]).toBe(subscription);
    expect(source.log).toEqual([
      ["subscribed", "consumer"],
      ["cancelled", cancelledWith(reason)],
    ]);
    expect([c.state, subscription.state]).toEqual(["running", "ended"]);
  });

  test("GS-073 handleCancel of a permanent subscription", async () => {
    const runtime = testRuntime();
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    const ended = outcome(c);
    const p = producer(new Quiet<number>(), { runtime });
    const subscription = c.subscribe(p);
    const reason = new Error("X");
    await turns();
    subscription.cancel(reason);
    expect(await ended).toBe(reason);
    expect(sink.log).toEqual([
      ["subscribed", "producer"],
      ["cancelled", cancelledWith(reason)],
      ["terminated", failedWith(reason)],
    ]);
    expect(sink.seen[1]).toBe(subscription);
    expect(p.state).toBe("running");
  });

  test.each([
    { id: "GS-074", cancel: "temporary", state: "running", rest: [] },
    { id: "GS-075", cancel: "transient", state: "failed", rest: [["terminated", failedWith("killed")]] },
  ] as const)(
    "$id handleCancel of a $cancel subscription when the producer is killed",
    async ({ cancel, state, rest }) => {
      const runtime = testRuntime();
      const kill = new AbortController();
      const p = producer(new Quiet<number>(), { runtime, signal: kill.signal });
      const sink = new Forwarder<number>();
      const c = consumer(sink, { runtime });
      void outcome(c);
      const subscription = c.subscribe(p, { cancel });
      await turns();
      kill.abort("killed");
      await turns();
      expect(sink.log).toEqual([["subscribed", "producer"], ["cancelled", failedWith("killed")], ...rest]);
      expect(sink.seen[1]).toBe(subscription);
      expect(c.state).toBe(state);
    },
  );

  test("GS-075 the consumer fails with what killed the producer", async () => {
    const runtime = testRuntime();
    const kill = new AbortController();
    const c = consumer(new Forwarder<number>(), { runtime });
    const ended = outcome(c);
    c.subscribe(producer(new Quiet<number>(), { runtime, signal: kill.signal }), { cancel: "transient" });
    kill.abort("killed");
    expect(await ended).toBe("killed");
  });

  test("GS-078 terminate is told why", async () => {
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime: testRuntime() });
    await c.stop();
    expect(sink.log).toEqual([["terminated", stopped]]);
  });

  // GenStage logs an error; here the types say so, and there is nothing to push with.
  test("GS-079 what a consumer answers is not dispatched", async () => {
    const runtime = testRuntime();
    const contexts: StageContext[] = [];
    const c = consumer(
      (events: readonly number[], _subscription, stage) => {
        contexts.push(stage);
        return events;
      },
      { runtime },
    );
    c.subscribe(producer(new Counter(1), { runtime }), { maxDemand: 2, minDemand: 0 });
    expect(await c.call(() => ["f", "g", "h"])).toEqual(["f", "g", "h"]);
    await turns();
    expect(contexts).toHaveLength(1);
    expect("push" in (contexts[0] as StageContext)).toBe(false);
    expect(c.state).toBe("running");
  });
});

/** A counter, a doubler and a consumer of it; the doubler's subscription is the test's to make. */
const chain = () => {
  const runtime = testRuntime();
  const kill = new AbortController();
  const double = new Doubler<number>();
  const p = producer(new Quiet<number>(), { runtime, signal: kill.signal });
  const d = producerConsumer(double, { runtime });
  const c = consumer(new Forwarder<number>(), { runtime });
  return { runtime, kill, double, p, d, c };
};

describe("producerConsumer callbacks", () => {
  test("GS-081 handleSubscribe as a producer", async () => {
    const { d, c, double } = chain();
    const subscription = c.subscribe(d);
    await turns();
    expect(double.log).toEqual([["subscribed", "consumer"]]);
    expect(double.seen[0]).toBe(subscription);
  });

  // As GS-059: GenStage's stage ends when handle_subscribe answers manual.
  test("GS-082 handleSubscribe as a producer that throws refuses the subscription", async () => {
    const { runtime, c } = chain();
    const oops = new Error("oops");
    const roles: string[] = [];
    const d = producerConsumer<number, number>(
      {
        handleEvents: () => [],
        handleSubscribe: (role) => {
          roles.push(role);
          throw oops;
        },
      },
      { runtime },
    );
    const ended = outcome(c);
    c.subscribe(d);
    expect(await ended).toBe(oops);
    expect([roles, d.state, d.inspect().links]).toEqual([["consumer"], "running", []]);
  });

  test("GS-083 handleCancel as a producer", async () => {
    const { d, c, double } = chain();
    const subscription = c.subscribe(d, { cancel: "temporary" });
    await turns();
    subscription.cancel("oops");
    await turns();
    expect(double.log).toEqual([
      ["subscribed", "consumer"],
      ["cancelled", cancelledWith("oops")],
    ]);
    expect(double.seen[1]).toBe(subscription);
  });

  test("GS-085 handleSubscribe as a consumer", async () => {
    const { p, d, double } = chain();
    const subscription = d.subscribe(p);
    await turns();
    expect(double.log).toEqual([["subscribed", "producer"]]);
    expect(double.seen[0]).toBe(subscription);
  });

  test("GS-086 an invalid demand is refused", async () => {
    const { p, d, double } = chain();
    expect(codeOf(() => d.subscribe(p, bad({ demand: "unknown" })))).toBe("ERR_OPTION");
    await turns();
    expect([d.state, p.state, double.log]).toEqual(["running", "running", []]);
  });

  test("GS-087 handleCancel as a consumer of a temporary subscription", async () => {
    const { p, d, c, double } = chain();
    c.subscribe(d);
    const subscription = d.subscribe(p, { cancel: "temporary" });
    await turns();
    subscription.cancel("oops");
    await turns();
    expect(double.log.at(-1)).toEqual(["cancelled", cancelledWith("oops")]);
    expect(double.seen.at(-1)).toBe(subscription);
    expect([d.state, c.state]).toEqual(["running", "running"]);
  });

  test("GS-089 handleCancel as a consumer of a temporary subscription when the producer is killed", async () => {
    const { p, d, c, double, kill } = chain();
    const ended = outcome(p);
    c.subscribe(d);
    const subscription = d.subscribe(p, { cancel: "temporary" });
    await turns();
    kill.abort("killed");
    expect(await ended).toBe("killed");
    await turns();
    expect(double.log.at(-1)).toEqual(["cancelled", failedWith("killed")]);
    expect(double.seen.at(-1)).toBe(subscription);
    expect([d.state, c.state]).toEqual(["running", "running"]);
  });

  test("GS-090 handleCancel as a consumer of a transient subscription when the producer ends well", async () => {
    const { p, d, c, double } = chain();
    c.subscribe(d);
    d.subscribe(p, { cancel: "transient" });
    await turns();
    await p.stop({ reason: "shutdown" });
    await turns();
    expect(double.log.at(-1)).toEqual(["cancelled", { type: "stop", reason: "shutdown" }]);
    expect([p.state, d.state, c.state]).toEqual(["stopped", "running", "running"]);
  });

  test("GS-091 handleCancel as a consumer of a transient subscription when the producer is killed", async () => {
    const { p, d, c, double, kill } = chain();
    const ended = Promise.all([outcome(d), outcome(c)]);
    c.subscribe(d);
    d.subscribe(p, { cancel: "transient" });
    await turns();
    kill.abort("killed");
    expect(await ended).toEqual(["killed", "killed"]);
    expect(double.log.slice(2)).toEqual([
      ["cancelled", failedWith("killed")],
      ["terminated", failedWith("killed")],
    ]);
  });
});

describe("messages that do not belong", () => {
  test("GS-093 duplicated subscriptions", async () => {
    const p = producer(new Counter(1), { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p);
    const { port } = raw;
    raw.attach(p);
    expect(raw.ends).toHaveLength(1);
    expect(raw.ends[0]).toMatchObject({
      type: "failure",
      error: { name: "ProtocolError", code: "ERR_DUPLICATE_LINK" },
    });
    // The second link is dead, the first goes on.
    raw.ask(5);
    await turns();
    expect(raw.batches).toEqual([]);
    port.ask(2);
    await turns();
    expect(raw.batches).toEqual([[0, 1]]);
    expect(p.state).toBe("running");
  });

  // GenStage answers an unknown tag with a cancel; here only a link can ask, and one that has ended is not heard.
  test("GS-094 unknown demand", async () => {
    const source = new Counter(1);
    const p = producer(source, { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p).leave();
    raw.ask(10);
    await turns();
    expect([raw.batches, raw.ends, source.demands, p.state]).toEqual([[], [], [], "running"]);
  });

  test("GS-094 an amount that is no demand ends its link alone", async () => {
    const source = new Quiet<number>();
    const p = producer(source, { runtime: testRuntime() });
    const good = new RawConsumer<number>("good").attach(p);
    const wrong = new RawConsumer<number>("wrong").attach(p).ask(-1);
    good.ask(3);
    await turns();
    expect(wrong.ends).toMatchObject([{ type: "failure", error: { name: "ProtocolError", code: "ERR_ASK_SIGNAL" } }]);
    expect([source.demands, good.ends, p.state]).toEqual([[3], [], "running"]);
  });

  test("GS-095 not a producer", async () => {
    const runtime = testRuntime();
    const c = consumer(new Forwarder<number>(), { runtime });
    const other = consumer(new Forwarder<number>(), { runtime });
    expect(codeOf(() => c.subscribe(other as never))).toBe("ERR_NOT_PRODUCER");
    await turns();
    expect([c.state, other.state, c.subscriptions]).toEqual(["running", "running", []]);
  });

  test("GS-097 not a consumer", () => {
    const p = producer(new Counter(1), { runtime: testRuntime() });
    expect(["subscribe" in p, "subscriptions" in p]).toEqual([false, false]);
    expect(p.state).toBe("running");
  });
});
