import { afterEach, describe, expect, test, vi } from "vitest";
import {
  broadcastDispatcher,
  consumer,
  type End,
  type Failure,
  map,
  pipeline,
  type Producer,
  producer,
  producerConsumer,
  type Reason,
  type SubscribeOptions,
  type Subscription,
} from "../../../src/index.ts";
import { Port, type SinkContext, sink, source } from "../../../src/adapter/index.ts";
import { Idle, watchAllIdle, watchIdle } from "../../../src/stage/idle.ts";
import { RawConsumer, RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { boom, say, sayReason } from "./rig.ts";

const noop = (): void => {};
const failed: Reason = { type: "failure", error: boom };
afterEach(() => void vi.restoreAllMocks());

/** A consumer that is to pass failures on, and decides itself whether it does. */
class Carrier<T> extends RawConsumer<T> {
  override readonly carries = true as never;
  last: End | undefined;
  constructor(atOnce = false) {
    super("carrier");
    Object.assign(this, {
      end: (end: End) => {
        this.last = end;
        if (atOnce) end.onNotPassedOn?.();
      },
    });
  }
}

/** What a stage reports, in words. */
function scene(name = "stage") {
  const reports: string[] = [];
  const onReport = (error: unknown, { phase }: { readonly phase: string }) =>
    void reports.push(`${phase}: ${say(error)}`);
  return { reports, options: { name, runtime: testRuntime(), onReport } };
}

describe("5.11 a failure that came from another stage", () => {
  test("5.11 is reported there, once, when the last of the carriers here has not passed it on", async () => {
    const { reports, options } = scene();
    const told: string[] = [];
    const from = new RawProducer<number>();
    const stage = producerConsumer((events: readonly number[]) => events, options);
    stage.subscribe(from.producer);
    const [one, two] = [new Carrier<number>().attach(stage), new Carrier<number>().attach(stage)];
    await turns();
    from.port.end({ reason: failed, onNotPassedOn: () => void told.push("source") });
    await turns();
    one.last?.onNotPassedOn?.();
    expect(told).toEqual([]);
    two.last?.onNotPassedOn?.();
    two.last?.onNotPassedOn?.();
    expect([told, reports]).toEqual([["source"], []]);
  });

  test("5.11 is told to every source that failed with it, also once it is known that no one passes it on", async () => {
    const { reports, options } = scene();
    const told: string[] = [];
    const sources = [new RawProducer<number>(), new RawProducer<number>()];
    const stage = producerConsumer((events: readonly number[]) => events, options);
    for (const one of sources) stage.subscribe(one.producer);
    new Carrier<number>(true).attach(stage);
    await turns();
    for (const [i, one] of sources.entries())
      one.port.end({ reason: failed, onNotPassedOn: () => void told.push(`source ${i}`) });
    await turns();
    expect([told, reports]).toEqual([["source 0", "source 1"], []]);
  });

  test("5.11 is reported here where its source does not want to hear of it", async () => {
    const { reports, options } = scene();
    const from = new RawProducer<number>();
    const stage = producerConsumer((events: readonly number[]) => events, options);
    stage.subscribe(from.producer);
    new Carrier<number>(true).attach(stage);
    await turns();
    from.port.end({ reason: { type: "failure", error: new Error("fresh") } });
    await turns();
    expect(reports).toEqual(["done: fresh"]);
  });
});

/** A producer that fails behind its buffer, which no one asks for. */
function held(onLastCancel: "stop" | "continue", signal?: AbortSignal) {
  const { reports, options } = scene();
  const error = new Error("waits");
  const stage = producer<number>(noop, { ...options, onLastCancel, signal, onDiscard: noop });
  const raw = new RawConsumer<number>().attach(stage);
  const done = stage.done.then(() => "well", say);
  stage.push([1]);
  stage.fail(error, { after: "buffer" });
  return { stage, raw, done, reports, error };
}

describe("5.1 a failure that waits for the buffer", () => {
  test("5.10 is reported when the last consumer leaves before it: the stage has stopped", async () => {
    const { stage, raw, done, reports } = held("stop");
    await turns();
    raw.leave();
    expect([await done, stage.state, reports]).toEqual(["well", "stopped", ["fail: waits"]]);
  });

  test("5.10 is not reported when that consumer left because of it", async () => {
    const { stage, raw, done, reports, error } = held("stop");
    await turns();
    raw.leave({ type: "cancel", reason: error });
    expect([await done, stage.state, reports]).toEqual(["well", "stopped", []]);
  });

  test("5.10 alone is reported when that consumer left for another reason", async () => {
    const { raw, done, reports } = held("stop");
    await turns();
    raw.leave({ type: "cancel", reason: boom });
    expect([await done, reports]).toEqual(["well", ["fail: waits"]]);
  });

  test("5.10 came from a source: that one is told when the last consumer leaves, and nothing is reported here", async () => {
    const { reports, options } = scene();
    const told: string[] = [];
    const from = new RawProducer<number>();
    const steps = pipeline.with({ ...options, onDiscard: noop })(
      from.producer,
      map((n: number) => n),
    );
    const raw = new RawConsumer<number>().attach(steps).ask(1);
    await turns();
    from.port.events([1, 2]);
    from.port.end({ reason: failed, onNotPassedOn: () => void told.push("source") });
    await turns();
    expect([raw.batches, raw.ends, told]).toEqual([[[1]], [], []]);
    raw.leave();
    await turns();
    expect([told, reports]).toEqual([["source"], []]);
  });

  test.each([
    ["a stop", (stage: { stop(): unknown }) => stage.stop(), []],
    ["a stop with a value", (stage: { stop(o: object): unknown }) => stage.stop({ reason: boom }), ["fail: boom"]],
  ])("5.1 stands against %s, whose value alone is reported", async (_how, end, expected) => {
    const { stage, done, reports } = held("continue");
    await turns();
    void end(stage);
    expect([await done, stage.state, reports]).toEqual(["waits", "failed", expected]);
  });

  test("5.1 stands against an abort, which is not reported", async () => {
    const controller = new AbortController();
    const { done, reports } = held("continue", controller.signal);
    await turns();
    controller.abort(boom);
    expect([await done, reports]).toEqual(["waits", []]);
  });
});

/** The unhandled rejections that a scene brings about. */
async function unhandledIn(run: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const others = process.listeners("unhandledRejection");
  const listen = (error: unknown): void => void unhandled.push(error);
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", listen);
  await run();
  await turns();
  process.off("unhandledRejection", listen);
  for (const other of others) process.on("unhandledRejection", other);
  return unhandled;
}

describe("5.1 an end behind another", () => {
  test("5.8 complete() twice is once: handleEnd's later stands", async () => {
    const stage = producer<number>({ handleDemand: noop, handleEnd: () => "later" }, { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(stage).ask(5);
    await turns();
    stage.complete();
    stage.complete();
    await turns();
    expect(stage.push([1])).toBe(true);
    stage.complete();
    await stage.done;
    expect([raw.batches, raw.ends.map(sayReason)]).toEqual([[[1]], ["complete"]]);
  });

  test("5.1 a call behind complete() and stop() is not run", async () => {
    const stage = producer<number>(noop, { runtime: testRuntime() });
    const ran: string[] = [];
    stage.complete();
    void stage.stop();
    const call = stage.call(() => void ran.push("call")).catch(say);
    expect([await call, ran, stage.state]).toEqual(["ERR_ENDED", [], "completed"]);
  });

  test("5.15 an abort ends the wait for consumers, and rejects the calls that wait", async () => {
    const controller = new AbortController();
    const stage = producer<number>(noop, { runtime: testRuntime(), signal: controller.signal });
    const raw = new RawConsumer<number>().attach(stage);
    raw.confirms = false;
    await turns();
    stage.complete();
    await turns();
    expect(stage.state).toBe("ending");
    let told = "pending";
    stage.call(noop).then(
      () => (told = "ran"),
      (error: unknown) => (told = say(error)),
    );
    controller.abort(boom);
    await turns();
    expect([told, stage.state]).toEqual(["ERR_ENDED", "completed"]);
  });

  test("5.13 a drain that takes too long is a stop to terminate and consumers, and aborts the signal at once", async () => {
    const runtime = testRuntime();
    const reasons: Reason[] = [];
    let signal: AbortSignal | undefined;
    const stage = producer<number>(
      {
        handleDemand: (_demand, self) => void ({ signal } = self),
        terminate: (reason) => {
          reasons.push(reason);
          return new Promise<never>(noop);
        },
      },
      { runtime, onDiscard: noop },
    );
    const raw = new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    stage.push([1, 2]);
    const drained = stage.drain({ timeout: 10 }).catch(say);
    await turns();
    runtime.clock.advance(10);
    expect([reasons, signal?.aborted]).toEqual([[{ type: "stop" }], true]);
    expect([await drained, raw.ends]).toEqual(["ERR_DRAIN_TIMEOUT", [{ type: "stop" }]]);
  });

  test("5.12 a timeout beyond what timers can do sets none", async () => {
    const runtime = testRuntime();
    const stage = producer<number>(() => new Promise<never>(noop), { runtime });
    new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    const stopped = stage.stop({ timeout: 2 ** 31 });
    expect(runtime.clock.pending).toBe(0);
    void stage.stop({ timeout: 2 ** 31 - 1 });
    expect(runtime.clock.pending).toBe(1);
    void stage.stop({ timeout: 0 });
    runtime.clock.advance(0);
    await stopped;
  });

  test("5.1 a call to an ended stage that no one looks at is no unhandled rejection", async () => {
    const unhandled = await unhandledIn(async () => {
      const stage = producer<number>(noop, { runtime: testRuntime() });
      await stage.stop();
      void stage.call(noop);
      void stage.info(noop);
    });
    expect(unhandled).toEqual([]);
  });

  test("5.11 a failure that ends several consumers, none of which is looked at, is unhandled once", async () => {
    const runtime = testRuntime();
    const error = new Error("for both");
    const unhandled = await unhandledIn(async () => {
      const stage = producer<number, object>(noop, { runtime, dispatcher: broadcastDispatcher() as never });
      for (let i = 0; i < 2; i += 1) consumer<number>(noop, { runtime }).subscribe(stage);
      await turns();
      stage.fail(error);
    });
    expect(unhandled).toEqual([error]);
  });

  test("5.10 what the last consumer failed with is no value of the stop", async () => {
    const reasons: Reason[] = [];
    const failures: unknown[] = [];
    for (const reason of [failed, { type: "cancel", reason: boom }, { type: "cancel" }] as const) {
      const stage = producer<number>(
        { handleDemand: noop, terminate: (how) => void reasons.push(how) },
        { runtime: testRuntime(), onLastCancel: "stop" },
      );
      const raw = new RawConsumer<number>().attach(stage);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await turns();
      raw.leave(reason);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await stage.done;
      failures.push(stage.failure);
    }
    expect(failures).toEqual([undefined, undefined, undefined]);
    expect(reasons).toEqual([{ type: "stop" }, { type: "stop", reason: boom }, { type: "stop" }]);
  });
});

/** A consumer whose link ends from both sides before its turn. */
async function crossed(first: "cancel" | "end") {
  const { reports, options } = scene();
  const told: string[] = [];
  const cancels: Reason[] = [];
  const from = new RawProducer<number>();
  const stage = consumer<number>({ handleEvents: noop, handleCancel: (reason) => void cancels.push(reason) }, options);
  const link = stage.subscribe(from.producer, { cancel: "transient" });
  await turns();
  const end = () => from.port.end({ reason: failed, onNotPassedOn: () => void told.push("source") });
  if (first === "cancel") link.cancel();
  end();
  if (first === "end") link.cancel();
  const done = stage.done.catch(say);
  await turns();
  if (first === "cancel") await stage.stop();
  await done;
  return { told, cancels: cancels.map(sayReason), sent: from.ends.length, reports, state: stage.state };
}

describe("5.7 a cancel and an end of the source that cross", () => {
  test("5.11 the cancel first: the failure is not passed on, and its source is told so", async () => {
    expect(await crossed("cancel")).toEqual({
      told: ["source"],
      cancels: ["cancel"],
      sent: 1,
      reports: [],
      state: "stopped",
    });
  });

  test("5.3 the failure first: it ends the stage, and the cancel does nothing", async () => {
    expect(await crossed("end")).toEqual({
      told: [],
      cancels: ["failure boom"],
      sent: 0,
      reports: [],
      state: "failed",
    });
  });

  test("5.7 a good end first: a cancel behind it is not told to handleCancel again", async () => {
    const cancels: Reason[] = [];
    const from = new RawProducer<number>();
    const stage = consumer<number>(
      { handleEvents: noop, handleCancel: (reason) => void cancels.push(reason) },
      { runtime: testRuntime() },
    );
    const link = stage.subscribe(from.producer, { cancel: "transient" });
    await turns();
    from.port.end({ reason: { type: "complete" } });
    link.cancel();
    await turns();
    expect([cancels.map(sayReason), from.ends.map(({ reason }) => sayReason(reason))]).toEqual([
      ["complete"],
      ["complete"],
    ]);
    await stage.stop();
  });

  test.each<[string, (link: Subscription) => void, string[]]>([
    ["5.11 a cancel with a value", (link) => link.cancel(boom), ["cancel: boom"]],
    ["5.11 a cancel without one", (link) => link.cancel(), []],
    ["1.9 resubscribing, no failure of its own,", (link) => void link.resubscribe(), []],
  ])("%s whose handleCancel is pending when the stage fails otherwise", async (_what, leave, expected) => {
    const { reports, options } = scene();
    const stage = producerConsumer<number, number>(
      { handleEvents: (events) => [...events], handleCancel: () => new Promise<never>(noop) },
      options,
    );
    const link = stage.subscribe(new RawProducer<number>().producer);
    await turns();
    leave(link);
    await turns();
    const done = stage.done.catch(say);
    stage.fail(new Error("other"));
    expect([await done, reports]).toEqual(["other", expected]);
  });

  test("1.10 a consumer whose handleEnd is pending refuses to subscribe", async () => {
    const gate = Promise.withResolvers<void>();
    const from = new RawProducer<number>();
    const stage = consumer<number>({ handleEvents: noop, handleEnd: () => gate.promise }, { runtime: testRuntime() });
    stage.subscribe(from.producer);
    await turns();
    from.port.end({ reason: { type: "complete" } });
    await turns();
    expect(() => stage.subscribe(new RawProducer<number>().producer)).toThrow(
      expect.objectContaining({ code: "ERR_ENDED" }),
    );
    gate.resolve();
    await stage.done;
  });
});

/** A sink whose second batch is pending, and how it gives back. */
async function pendingBatch(first: readonly number[], second: readonly number[]) {
  const from = new RawProducer<number>();
  const gate = Promise.withResolvers<void>();
  let give!: (events: readonly number[]) => void;
  let end!: SinkContext;
  const stage = sink<number>(
    {
      handleEvents(_events, link: Subscription, self) {
        give = (events) => self.giveBack(link, events);
        end = self;
        return _events.length === second.length && _events[0] === second[0] && _events[1] === second[1]
          ? gate.promise
          : undefined;
      },
    },
    { runtime: testRuntime() },
  );
  stage.subscribe(from.producer, { maxDemand: 10, minDemand: 8 });
  await turns();
  if (first.length > 0) from.port.events(first);
  from.port.events(second);
  await turns();
  const back = async (): Promise<unknown> => {
    end.complete();
    gate.resolve();
    await stage.done;
    return from.ends.flatMap(({ unstarted = [] }) => unstarted);
  };
  return { give: (events: readonly number[]) => give(events), back };
}

describe("6.12 giveBack of a batch whose promise is pending", () => {
  test("6.12 its rest goes back", async () => {
    const { give, back } = await pendingBatch([], [1, 2]);
    give([2]);
    expect(await back()).toEqual([2]);
  });

  test("6.12 all of it goes back, in two steps", async () => {
    const { give, back } = await pendingBatch([], [1, 2]);
    give([2]);
    give([1]);
    expect(await back()).toEqual([1, 2]);
  });

  test("6.12 one of it twice throws", async () => {
    const { give, back } = await pendingBatch([], [1, 2]);
    expect(() => give([1, 1])).toThrow(expect.objectContaining({ code: "ERR_GIVE_BACK" }));
    expect(await back()).toEqual([]);
  });

  test("6.12 one from a queue that equals one of it is another event", async () => {
    const { give, back } = await pendingBatch([1, 9], [1, 2]);
    give([1, 1]);
    expect(await back()).toEqual([1, 1]);
  });

  test("6.12 others in place of it are taken for it", async () => {
    const { give, back } = await pendingBatch([], [1, 2]);
    give([10, 20]);
    expect(await back()).toEqual([10, 20]);
  });
});

/** A port that leaves what it gets where it is, unless it is told. */
class Quiet extends Port {
  readonly ends: string[] = [];
  constructor(from: Producer<number>, options: SubscribeOptions = {}) {
    super("quiet", from, Port.options(from, options));
    this.open();
  }
  override turn(): void {
    if (this.reason) this.ends.push(sayReason(this.reason));
    this.told();
  }
}

describe("7.3 a port of the foreign side", () => {
  test("7.3 has a turn behind its own cancel, in which it tells why", async () => {
    const from = new RawProducer<number>();
    const port = new Quiet(from.producer);
    port.cancel("why");
    await turns();
    expect([port.ends, from.ends]).toEqual([["cancel why"], [{ reason: { type: "cancel", reason: "why" } }]]);
  });

  test("7.3 that has nothing left gives nothing back", () => {
    const from = new RawProducer<number>();
    new Quiet(from.producer).leave({ type: "cancel" });
    expect(from.ends).toEqual([{ reason: { type: "cancel" }, unstarted: [] }]);
  });

  test("2.7 whose producer throws at its end reports that", () => {
    const said = vi.spyOn(console, "error").mockImplementation(noop);
    const from = new RawProducer<number>();
    from.ends.push = () => {
      throw boom;
    };
    const port = new Quiet(from.producer);
    port.leave({ type: "cancel" });
    expect([said.mock.calls, port.state]).toEqual([[["headrace: end of quiet failed:", boom]], "ended"]);
  });

  test("5.11 that has told of a failure has passed it on, though others have not", async () => {
    const { reports, options } = scene();
    const stage = producer<number, object>(noop, { ...options, dispatcher: broadcastDispatcher() as never });
    const port = new Quiet(stage);
    const other = new Carrier<number>().attach(stage);
    await turns();
    stage.fail(new Error("told"));
    await turns();
    other.last?.onNotPassedOn?.();
    expect([port.ends, reports]).toEqual([["failure told"], []]);
  });

  test.each([
    ["permanent", []],
    ["temporary", ["done: shared"]],
  ] as const)(
    "5.11 %s: what it has told is, or is not, told of the same failure elsewhere",
    async (cancel, expected) => {
      const { reports, options } = scene();
      const error = new Error("shared");
      const began: Failure = { error, stage: "far", callback: "handleDemand", events: [] };
      const end: End = { reason: { type: "failure", error }, failure: began };
      const [here, there] = [new RawProducer<number>(), new RawProducer<number>()];
      const behind = (from: RawProducer<number>): Producer<number> => {
        const stage = producerConsumer((events: readonly number[]) => events, options);
        stage.subscribe(from.producer);
        return stage;
      };
      const [one, two] = [behind(here), behind(there)];
      const port = new Quiet(one, { cancel });
      if (cancel === "temporary") new Carrier<number>().attach(one);
      const other = new Carrier<number>().attach(two);
      await turns();
      here.port.end(end);
      there.port.end(end);
      await turns();
      expect(port.ends).toEqual(["failure shared"]);
      other.last?.onNotPassedOn?.();
      expect(reports).toEqual(expected);
    },
  );

  test("7.3 that says twice that it told has said it once", async () => {
    const from = new RawProducer<number>();
    const port = new Quiet(from.producer);
    from.port.end({ reason: { type: "complete" } });
    await turns();
    port.told();
    expect([port.ends, from.ends]).toEqual([["complete"], [{ reason: { type: "complete" } }]]);
  });
});

describe("4.9 what a source adapter discards", () => {
  test.each([
    ["with", 1],
    ["without", 0],
  ])("4.9 %s a consumer it warns %i times", async (how, times) => {
    const warn = vi.spyOn(console, "warn").mockImplementation(noop);
    const stage = source<number>(
      {
        handleDemand: noop,
        terminate: (_reason, self) => self.discard([1]),
      },
      { runtime: testRuntime(), onLastCancel: "continue" },
    );
    if (how === "with") new RawConsumer<number>().attach(stage);
    await turns();
    await stage.stop();
    expect(warn).toHaveBeenCalledTimes(times);
  });
});

test("5.14 pipelines that wait for a first consumer are known until they have had one", () => {
  const seen: (readonly Idle[])[] = [];
  watchAllIdle((idle) => void seen.push(idle));
  const idle = new Idle("alone", noop);
  watchIdle({}, idle);
  idle.over();
  idle.over();
  expect(seen).toEqual([[], [idle], []]);
});

test.each([
  ["minDemand", { minDemand: -1 }],
  ["cancel", { cancel: "never" }],
  ["demand", { demand: "some" }],
  ["subscribe", { maxdemand: 1 }],
  ["maxDemand", 5],
])("1.1 the error names %s, which was wrong", (name, options) => {
  const from = producer<number>(noop);
  const subscribe = () => consumer<number>(noop).subscribe(from, options as never);
  expect(subscribe).toThrow(name);
});

test("1.1 the error names drain() and demandMode", () => {
  const stage = producer<number>(noop);
  expect(() => stage.drain({ timeOut: 1 } as never)).toThrow("drain");
  expect(() => {
    stage.demandMode = "back" as never;
  }).toThrow("demandMode");
});
