import { describe, expect, test } from "vitest";
import {
  broadcastDispatcher,
  consumer,
  demandDispatcher,
  fromIterable,
  map,
  partitionDispatcher,
  pipeline,
  producer,
  producerConsumer,
  type Reason,
} from "../../src/index.ts";
import { fromObservable } from "../../adapters/rxjs/index.ts";
import { fromReadable } from "../../adapters/node/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, Forwarder, outcome, Quiet, RawConsumer, RawProducer } from "../support/stages.ts";
import { Single } from "./single.ts";

const stages = () => {
  const runtime = testRuntime();
  const source = new Quiet<number>();
  const sink = new Forwarder<number>();
  return { runtime, source, sink, p: producer(source, { runtime }), c: consumer(sink, { runtime }) };
};
const nothing = () => {};

describe("1. Subscribing and options", () => {
  test.each<readonly [string, object, string]>([
    ["an unknown name", { maxDemnd: 1 }, "ERR_OPTION"],
    ["a wrong type", { cancel: "never" }, "ERR_OPTION"],
    ["a number out of range", { maxDemand: 0 }, "ERR_RANGE"],
    ["a minDemand that is not below maxDemand", { maxDemand: 5, minDemand: 5 }, "ERR_RANGE"],
    ["the option of another dispatcher", { partition: 0 }, "ERR_OPTION"],
  ])("1.1 %s throws from subscribe and changes nothing", async (_what, options, code) => {
    const { p, c, source, sink } = stages();
    expect(codeOf(() => c.subscribe(p, options))).toBe(code);
    await turns();
    expect([c.subscriptions, p.inspect().links, source.log, sink.log]).toEqual([[], [], [], []]);
    expect([p.state, c.state]).toEqual(["running", "running"]);
  });

  test("1.1 options of stages, dispatchers and runtimes are checked when given", () => {
    expect(codeOf(() => producer(nothing, { bufferSise: 1 } as object))).toBe("ERR_OPTION");
    expect(codeOf(() => producer(nothing, { name: 1 } as object))).toBe("ERR_OPTION");
    expect(codeOf(() => consumer(nothing, { bufferSize: 1 } as object))).toBe("ERR_OPTION");
    expect(codeOf(() => producer(nothing, { bufferSize: -1 }))).toBe("ERR_RANGE");
    expect(codeOf(() => broadcastDispatcher({ startAfter: 0 }))).toBe("ERR_RANGE");
    expect(codeOf(() => demandDispatcher({ spread: "odd" } as object))).toBe("ERR_OPTION");
  });

  test("1.1 a dispatcher that does not name its subscribe options lets all names pass", async () => {
    const { runtime, c, sink } = stages();
    const dispatcher = new Single();
    const p = producer(new Counter(1), { runtime, dispatcher });
    c.subscribe(p, { maxDemand: 2, minDemand: 0, colour: "red" } as object);
    await turns();
    expect(dispatcher.seen).toMatchObject([{ colour: "red" }]);
    expect(sink.batches).toEqual([[0, 1]]);
  });

  test("1.2 a behaviour is a function or an object with its main callback", () => {
    expect(codeOf(() => producer({} as never))).toBe("ERR_BEHAVIOUR");
    expect(codeOf(() => producer({ handleEvents: nothing } as never))).toBe("ERR_BEHAVIOUR");
    expect(codeOf(() => producerConsumer({ handleDemand: nothing } as never))).toBe("ERR_BEHAVIOUR");
    expect(codeOf(() => consumer({ handleEvents: 1 } as never))).toBe("ERR_BEHAVIOUR");
    expect(codeOf(() => consumer(undefined as never))).toBe("ERR_BEHAVIOUR");
    expect([
      producer(nothing).kind,
      producer({ handleDemand: nothing }).kind,
      producerConsumer(nothing).kind,
      producerConsumer({ handleEvents: nothing }).kind,
      consumer(nothing).kind,
      consumer({ handleEvents: nothing }).kind,
    ]).toEqual(["producer", "producer", "producerConsumer", "producerConsumer", "consumer", "consumer"]);
  });

  test("1.2 callbacks run with this = the behaviour", async () => {
    const runtime = testRuntime();
    const selves: unknown[] = [];
    const behaviour = {
      init(this: unknown) {
        selves.push(this);
      },
      handleEvents(this: unknown) {
        selves.push(this);
      },
      terminate(this: unknown) {
        selves.push(this);
      },
    };
    const c = consumer<number>(behaviour, { runtime });
    c.subscribe(fromIterable([1], { runtime }));
    await c.done;
    expect(selves).toHaveLength(3);
    expect(selves.every((self) => self === behaviour)).toBe(true);
  });

  test("1.2 call and info must be given a function", async () => {
    const { p } = stages();
    expect(codeOf(() => p.call(1 as never))).toBe("ERR_BEHAVIOUR");
    expect(codeOf(() => p.info(undefined as never))).toBe("ERR_BEHAVIOUR");
    expect(await p.call(() => p.state)).toBe("running");
  });

  test("1.3 subscribe must be given an object with ~attach, an adapter what it adapts", async () => {
    const { runtime, c, sink } = stages();
    expect(codeOf(() => c.subscribe([1, 2] as never))).toBe("ERR_NOT_PRODUCER");
    expect(codeOf(() => c.subscribe(undefined as never))).toBe("ERR_NOT_PRODUCER");
    expect(codeOf(() => c.subscribe(consumer(nothing, { runtime }) as never))).toBe("ERR_NOT_PRODUCER");
    expect(codeOf(() => fromIterable(1 as never))).toBe("ERR_NOT_SOURCE");
    expect(codeOf(() => fromReadable({} as never))).toBe("ERR_NOT_SOURCE");
    expect(codeOf(() => fromObservable({} as never, { overflow: "throw" }))).toBe("ERR_NOT_SOURCE");
    const raw = new RawProducer<number>();
    c.subscribe(raw.producer, { maxDemand: 2 });
    await turns();
    raw.port.events([7]);
    await turns();
    expect([raw.asks[0], sink.batches]).toEqual([2, [[7]]]);
  });

  test("1.4 a subscription is registered with the dispatcher before subscribe returns", async () => {
    const runtime = testRuntime();
    const p = producer(new Counter(1), { runtime, dispatcher: broadcastDispatcher() });
    const sinks = range(1, 3).map(() => new Forwarder<number>());
    for (const [i, sink] of sinks.entries()) {
      consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
      expect(p.inspect().links).toHaveLength(i + 1);
    }
    await turns();
    expect(sinks.map((sink) => sink.batches)).toEqual([[[0, 1, 2, 3]], [[0, 1, 2, 3]], [[0, 1, 2, 3]]]);
  });

  test("1.4 what the dispatcher throws to refuse it, subscribe throws", () => {
    const { runtime, c } = stages();
    const refusal = new Error("full");
    class Refusing extends Single {
      override subscribe(): void {
        throw refusal;
      }
    }
    const dispatcher = new Refusing();
    const p = producer(new Quiet<number>(), { runtime, dispatcher });
    expect(() => c.subscribe(p)).toThrow(refusal);
    expect([c.subscriptions, p.inspect().links]).toEqual([[], []]);
  });

  test("1.5 subscribing to a producer that was stopped throws", async () => {
    const { p, c } = stages();
    await p.stop();
    expect(codeOf(() => c.subscribe(p))).toBe("ERR_STOPPED");
  });

  test("1.5 so does subscribing to one that is about to stop with its last consumer", async () => {
    const { runtime, c } = stages();
    const p = producer<number>(() => new Promise<void>(nothing), { runtime, onLastCancel: "stop" });
    const raw = new RawConsumer<number>().attach(p).ask(1);
    await turns();
    raw.leave();
    expect(codeOf(() => c.subscribe(p))).toBe("ERR_STOPPED");
  });

  test("1.5 one that has completed or failed ends the subscription with that outcome", async () => {
    const { runtime, p, c, sink } = stages();
    p.complete();
    await p.done;
    c.subscribe(p);
    await c.done;
    expect(sink.log.at(-2)).toEqual(["cancelled", { type: "complete" }]);
    const error = new Error("gone");
    const failed = producer(new Quiet<number>(), { runtime });
    const failure = outcome(failed);
    failed.fail(error);
    expect(await failure).toBe(error);
    const other = consumer(new Forwarder<number>(), { runtime });
    const ended = outcome(other);
    other.subscribe(failed);
    expect(await ended).toBe(error);
  });

  test("1.6 the second link of a port ends with a ProtocolError, the first goes on", async () => {
    const p = producer(new Counter(1), { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p);
    const first = raw.port;
    raw.attach(p);
    expect(raw.ends).toMatchObject([{ type: "failure", error: { name: "ProtocolError", code: "ERR_DUPLICATE_LINK" } }]);
    first.ask(2);
    await turns();
    expect(raw.batches).toEqual([[0, 1]]);
  });

  test("1.6 a consumer may subscribe to one producer twice, but not to a broadcast", async () => {
    const { runtime, c, sink } = stages();
    const p = producer(new Counter(2), { runtime });
    c.subscribe(p, { maxDemand: 2, minDemand: 0 });
    c.subscribe(p, { maxDemand: 3, minDemand: 0 });
    await turns();
    expect(c.subscriptions).toHaveLength(2);
    expect(sink.batches.flat().slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
    const all = producer(new Quiet<number>(), { runtime, dispatcher: broadcastDispatcher() });
    c.subscribe(all);
    expect(codeOf(() => c.subscribe(all))).toBe("ERR_DUPLICATE");
  });

  test("1.7 a partition must be named, exist and have no consumer", () => {
    const { runtime, c } = stages();
    const dispatcher = partitionDispatcher({ partitions: ["a", "b"], hash: () => "a" as const });
    const p = producer(new Quiet<number>(), { runtime, dispatcher });
    expect(codeOf(() => c.subscribe(p, {} as never))).toBe("ERR_PARTITION");
    expect(codeOf(() => c.subscribe(p, { partition: "c" } as never))).toBe("ERR_PARTITION");
    c.subscribe(p, { partition: "a" });
    expect(codeOf(() => c.subscribe(p, { partition: "a" }))).toBe("ERR_PARTITION_TAKEN");
    c.subscribe(p, { partition: "b" });
    expect(c.subscriptions).toHaveLength(2);
  });

  test("1.8 handleSubscribe of both sides runs in a later turn; until then the subscription is pending", async () => {
    const runtime = testRuntime();
    const log: unknown[] = [];
    const source = new Quiet<number>();
    let settle = nothing;
    const p = producer(
      {
        handleDemand: (n) => source.handleDemand(n),
        handleSubscribe: (role) => void log.push(role),
      },
      { runtime },
    );
    const c = consumer<number>(
      {
        handleEvents: nothing,
        handleSubscribe(role) {
          log.push(role);
          return new Promise<void>((resolve) => void (settle = resolve));
        },
      },
      { runtime },
    );
    const subscription = c.subscribe(p, { maxDemand: 4 });
    expect(log).toEqual([]);
    await turns();
    expect(new Set(log)).toEqual(new Set(["consumer", "producer"]));
    expect([subscription.state, source.demands]).toEqual(["pending", []]);
    settle();
    await turns();
    expect([subscription.state, source.demands]).toEqual(["active", [4]]);
  });

  test("1.8 the producer's handleSubscribe refuses with a failure", async () => {
    const runtime = testRuntime();
    const refusal = new Error("not you");
    const reports: unknown[] = [];
    const onReport = (error: unknown) => void reports.push(error);
    const handleSubscribe = () => {
      throw refusal;
    };
    const p = producer<number>({ handleDemand: nothing, handleSubscribe }, { runtime, onReport });
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    c.subscribe(p, { cancel: "temporary" });
    const permanent = consumer(new Forwarder<number>(), { runtime });
    const ended = outcome(permanent);
    permanent.subscribe(p);
    await turns();
    expect(sink.log.filter(([what]) => what === "cancelled")).toEqual([
      ["cancelled", { type: "failure", error: refusal }],
    ]);
    expect([await ended, p.state, c.state]).toEqual([refusal, "running", "running"]);
  });

  test("1.8 the consumer's refuses without asking the cancel mode, and reports the error; in a pipeline it fails", async () => {
    const runtime = testRuntime();
    const refusal = new Error("not that");
    const reports: unknown[] = [];
    const onReport = (error: unknown) => void reports.push(error);
    const handleSubscribe = () => {
      throw refusal;
    };
    const p = producer(new Quiet<number>(), { runtime });
    const c = consumer({ handleEvents: nothing, handleSubscribe }, { runtime, onReport });
    const subscription = c.subscribe(p, { cancel: "permanent" });
    await turns();
    expect([subscription.state, c.state, reports]).toEqual(["ended", "running", [refusal]]);
    const sink = consumer<number>({ handleEvents: nothing, handleSubscribe }, { runtime, onReport });
    const { done } = pipeline(
      fromIterable([1], { runtime }),
      map((n) => n),
      sink,
    );
    await expect(done).rejects.toBe(refusal);
    expect(sink.state).toBe("failed");
  });

  test("1.9 resubscribe opens the new link before it ends the old one, whose cancel mode is not asked", async () => {
    const { runtime, c, sink } = stages();
    const source = new Counter(1);
    const p = producer(source, { runtime, onLastCancel: "stop" });
    const first = c.subscribe(p, { cancel: "permanent", maxDemand: 3, minDemand: 0 });
    await turns();
    const second = first.resubscribe({ maxDemand: 5, minDemand: 0 });
    expect([first.state, second.state]).toEqual(["active", "pending"]);
    await turns();
    expect([first.state, second.state, p.state, c.state]).toEqual(["ended", "active", "running", "running"]);
    expect(second.options.maxDemand).toBe(5);
    expect(sink.log.map(([what]) => what)).toEqual(["subscribed", "consumed", "subscribed", "cancelled"]);
  });

  test("1.9 the old link ends once its events are handled", async () => {
    const { runtime, p } = stages();
    const log: unknown[] = [];
    let settle = nothing;
    const c = consumer<number>(
      {
        handleEvents(events) {
          log.push(events);
          return new Promise<void>((resolve) => void (settle = resolve));
        },
        handleCancel: (reason: Reason) => void log.push(reason.type),
      },
      { runtime },
    );
    const first = c.subscribe(p, { maxDemand: 4, minDemand: 3 });
    await turns();
    p.push([1, 2]);
    await turns();
    first.resubscribe();
    await turns();
    expect(log).toEqual([[1]]);
    settle();
    await turns();
    expect(log).toEqual([[1], [2]]);
    settle();
    await turns();
    expect(log).toEqual([[1], [2], "cancel"]);
  });

  test("1.10 a stage that is ending or draining refuses to subscribe", async () => {
    const { runtime, p, c, source } = stages();
    const held = producer(new Quiet<number>(), { runtime });
    const through = producerConsumer(() => {}, { runtime });
    through.push([1]);
    through.complete();
    await turns();
    expect(through.state).toBe("ending");
    expect(codeOf(() => through.subscribe(held))).toBe("ERR_ENDED");
    c.subscribe(p);
    await turns();
    const drained = c.drain();
    expect(codeOf(() => c.subscribe(held))).toBe("ERR_ENDED");
    await drained;
    expect([c.state, held.inspect().links, source.log[0]]).toEqual(["completed", [], ["subscribed", "consumer"]]);
  });

  test("1.11 a port hears end before ~attach returns from a producer that has ended or refuses it", async () => {
    const { runtime, p } = stages();
    p.complete();
    await p.done;
    const raw = new RawConsumer<number>();
    expect(raw.port).toBeUndefined();
    raw.attach(p);
    expect(raw.ends).toEqual([{ type: "complete" }]);
    const twice = producer(new Quiet<number>(), { runtime });
    const again = new RawConsumer<number>().attach(twice);
    again.attach(twice);
    expect(again.ends).toHaveLength(1);
  });

  test("1.11 a consumer accepts an end before ~attach returns", async () => {
    const { c, sink } = stages();
    const raw = new RawProducer<number>();
    const producerOf = {
      name: "ended",
      "~attach": (port: RawProducer<number>["port"]) => {
        port.end({ reason: { type: "complete" } });
        return raw["~attach"](port);
      },
    };
    c.subscribe(producerOf as never);
    await c.done;
    expect(sink.log).toContainEqual(["cancelled", { type: "complete" }]);
  });
});
