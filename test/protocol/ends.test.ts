import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type CancelMode,
  consumer,
  type Discarded,
  fromIterable,
  producer,
  producerConsumer,
  type ProducerStage,
  type Reason,
} from "../../src/index.ts";
import { toReadable } from "../../adapters/node/index.ts";
import { toObservable } from "../../adapters/rxjs/index.ts";
import { testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, Forwarder, type Log, outcome, Quiet, RawConsumer, RawProducer } from "../support/stages.ts";

const nothing = () => {};
const boom = new Error("boom");
const raise = (): never => {
  throw boom;
};
const failure: Reason = { type: "failure", error: boom };

/** What the process hears of as unhandled, kept from the test runner. */
const unhandled: unknown[] = [];
const listen = (error: unknown): void => void unhandled.push(error);
let others: readonly NodeJS.UnhandledRejectionListener[] = [];
beforeEach(() => {
  unhandled.length = 0;
  others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", listen);
});
afterEach(() => {
  process.off("unhandledRejection", listen);
  for (const other of others) process.on("unhandledRejection", other);
});

/** A producer that serves nothing by itself. */
const quiet = (options: object = {}) => {
  const log: Log = [];
  const discarded: Discarded[] = [];
  const reports: unknown[] = [];
  const source = new Quiet<number>(log);
  const p = producer(source, {
    runtime: testRuntime(),
    name: "p",
    onDiscard: (one) => void discarded.push(one),
    onReport: (error) => void reports.push(error),
    ...options,
  });
  return { source, p, log, discarded, reports };
};
/** A consumer of a producer played by hand, whose callbacks return when they are told to. */
const busy = (options: object = {}) => {
  const input = new RawProducer<number>();
  const handled: (readonly number[])[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const reports: unknown[] = [];
  const handleEvents = (events: readonly number[]) => {
    handled.push(events);
    gates.push(Promise.withResolvers<void>());
    return gates.at(-1)?.promise;
  };
  const runtime = testRuntime();
  const onReport = (error: unknown) => void reports.push(error);
  const c = consumer<number>({ handleEvents }, { runtime, onReport, ...options });
  const subscription = c.subscribe(input.producer, { maxDemand: 9, minDemand: 0 });
  return { input, handled, gates, reports, runtime, c, subscription };
};

describe("5. Ends", () => {
  test("5.1 a stage ends once, and the first end wins", async () => {
    const { p, log } = quiet();
    const ended = outcome(p);
    p.fail(boom);
    p.complete();
    p.fail(new Error("later"));
    await p.stop();
    expect([p.state, await ended, log]).toEqual(["failed", boom, [["terminated", failure]]]);
  });

  test("5.1 of complete() and stop() the first wins", async () => {
    const [one, other] = [quiet().p, quiet().p];
    await turns();
    one.complete();
    void one.stop();
    void other.stop();
    other.complete();
    await one.done;
    await other.done;
    expect([one.state, other.state]).toEqual(["completed", "stopped"]);
  });

  test("5.1 an ended stage takes nothing", async () => {
    const { p } = quiet();
    p.push([1]);
    await p.stop();
    const c = consumer(new Forwarder<number>());
    await c.stop();
    expect([codeOf(() => p.push([2])), codeOf(() => c.subscribe(fromIterable([1])))]).toEqual([
      "ERR_ENDED",
      "ERR_ENDED",
    ]);
    await expect(p.call(nothing)).rejects.toMatchObject({ code: "ERR_ENDED" });
    await expect(p.info(nothing)).rejects.toMatchObject({ code: "ERR_ENDED" });
    const left = quiet().p;
    left.push([1]);
    const flushed = left.flushed();
    void left.stop();
    await expect(flushed).rejects.toMatchObject({ code: "ERR_ENDED" });
  });

  test.each<readonly [unknown, boolean]>([
    [undefined, false],
    ["normal", false],
    ["shutdown", false],
    ["enough", true],
    [boom, true],
    [0, true],
  ])("5.2 a stop with %o is a failure: %o", async (reason, fails) => {
    const { p, log } = quiet();
    const ended = outcome(p);
    await turns();
    await p.stop({ reason });
    expect([await ended, p.state]).toEqual(fails ? [reason, "failed"] : ["fulfilled", "stopped"]);
    expect(log.at(-1)).toEqual(["terminated", { type: "stop", reason }]);
  });

  const ways: [string, (p: ProducerStage<number>, cancel: (reason?: unknown) => void) => unknown, boolean][] = [
    ["a failure", (p) => p.fail(boom), true],
    ["complete()", (p) => p.complete(), false],
    ["stop()", (p) => p.stop(), false],
    ["cancel() of the consumer", (_p, cancel) => cancel(), false],
    ["cancel(failure) of the consumer", (_p, cancel) => cancel(boom), true],
  ];
  const modes: readonly CancelMode[] = ["permanent", "transient", "temporary"];
  test.each(modes.flatMap((mode) => ways.map(([what, end, fails]) => [mode, what, end, fails] as const)))(
    "5.3 %s: after %s",
    async (cancel, _what, end, fails) => {
      const { p } = quiet();
      void outcome(p);
      const c = consumer(new Forwarder<number>(), { runtime: testRuntime() });
      const ended = outcome(c);
      const subscription = c.subscribe(p, { cancel });
      await turns();
      await end(p, (reason) => subscription.cancel(reason));
      await turns();
      const ends = cancel === "permanent" || (cancel === "transient" && fails);
      const how = fails ? boom : "fulfilled";
      expect([c.state === "running", ends ? await ended : "goes on"]).toEqual([!ends, ends ? how : "goes on"]);
      expect(subscription.state).toBe("ended");
    },
  );

  test("5.3 a normal end ends the consumer when no permanent subscription is left; the others are cancelled then", async () => {
    const [one, two, other] = [quiet().p, quiet().p, quiet()];
    const c = consumer(new Forwarder<number>(), { runtime: testRuntime() });
    c.subscribe(one);
    c.subscribe(two);
    const transient = c.subscribe(other.p, { cancel: "transient" });
    await turns();
    one.complete();
    await turns();
    expect([c.state, transient.state]).toEqual(["running", "active"]);
    two.complete();
    await c.done;
    await turns();
    expect([c.state, transient.state, other.log.at(-1)?.[0]]).toEqual(["completed", "ended", "cancelled"]);
  });

  const aborting = () => {
    const abort = new AbortController();
    return { options: { signal: abort.signal }, end: () => abort.abort(boom) };
  };
  test.each<
    readonly [string, () => { options?: object; end: (p: ProducerStage<number>) => unknown }, string, Reason, unknown]
  >([
    ["stop()", () => ({ end: (p) => p.stop() }), "stop", { type: "stop" }, "fulfilled"],
    [
      "stop with a failure",
      () => ({ end: (p) => p.stop({ reason: boom }) }),
      "stop",
      { type: "stop", reason: boom },
      boom,
    ],
    ["fail(e)", () => ({ end: (p) => p.fail(boom) }), "failure", failure, boom],
    ["an abort", aborting, "abort", failure, boom],
  ])("5.4 %s: held events are discarded, consumers and done hear of it", async (_what, make, cause, seen, done) => {
    const { options, end } = make();
    const { p, discarded } = quiet(options);
    const ended = outcome(p);
    const raw = new RawConsumer<number>().attach(p);
    await turns();
    p.push([1, 2]);
    await end(p);
    expect(await ended).toBe(done);
    expect(discarded).toEqual([{ events: [1, 2], cause, stage: "p" }]);
    expect([raw.batches, raw.ends]).toMatchObject([[], [seen]]);
  });

  test.each<readonly [string, (p: ProducerStage<number>) => void, Reason, unknown]>([
    ["complete()", (p) => p.complete(), { type: "complete" }, "fulfilled"],
    ["fail(e, { after: buffer })", (p) => p.fail(boom, { after: "buffer" }), failure, boom],
  ])("5.4 %s: held events are delivered first", async (_what, end, seen, done) => {
    const { p, discarded } = quiet();
    const ended = outcome(p);
    const raw = new RawConsumer<number>().attach(p);
    await turns();
    p.push([1, 2]);
    end(p);
    await turns();
    expect(raw.ends).toEqual([]);
    raw.ask(2);
    expect(await ended).toBe(done);
    expect([raw.log, discarded]).toEqual([
      [
        ["events", [1, 2]],
        ["end", seen],
      ],
      [],
    ]);
  });

  test("5.4 an abort rejects done, marked as handled", async () => {
    const { options, end } = aborting();
    const { p } = quiet(options);
    const raw = new RawConsumer<number>().attach(p);
    await turns();
    end();
    await turns();
    expect([p.state, raw.ends, unhandled]).toEqual(["failed", [failure], []]);
  });

  test("5.4 input not started is handled if the sources ended, and given back if the stage completed itself", async () => {
    for (const own of [false, true]) {
      const input = new RawProducer<number>();
      const handled: number[] = [];
      const t = producerConsumer<number, number>((events) => void handled.push(...events), { runtime: testRuntime() });
      t.subscribe(input.producer);
      await turns();
      input.port.events([1, 2]);
      if (own) t.complete();
      else input.port.end({ reason: { type: "complete" } });
      await turns();
      new RawConsumer<number>().attach(t).ask(9);
      await t.done;
      expect([handled, input.ends[0]?.unstarted ?? []]).toEqual(own ? [[], [1, 2]] : [[1, 2], []]);
    }
  });

  test("5.4 input that waits for demand counts as not started, and goes back at stop(), fail() and an abort", async () => {
    const abort = new AbortController();
    const ends = [
      (t: ProducerStage<number>) => void t.stop(),
      (t: ProducerStage<number>) => t.fail(boom),
      () => abort.abort(boom),
    ];
    for (const end of ends) {
      const input = new RawProducer<number>();
      const t = producerConsumer<number, number>(nothing, { runtime: testRuntime(), signal: abort.signal });
      const ended = outcome(t);
      t.subscribe(input.producer);
      await turns();
      input.port.events([1, 2]);
      await turns();
      end(t);
      await ended;
      expect(input.ends).toMatchObject([{ unstarted: [1, 2] }]);
    }
  });

  test.each<readonly [Reason]>([[{ type: "complete" }], [{ type: "stop" }]])(
    "5.4 when the sources ended well consumers see their normal end: %o",
    async (reason) => {
      const input = new RawProducer<number>();
      const t = producerConsumer<number, number>((events) => events, { runtime: testRuntime() });
      t.subscribe(input.producer);
      const raw = new RawConsumer<number>().attach(t).ask(9);
      await turns();
      input.port.events([1]);
      input.port.end({ reason });
      await t.done;
      expect([raw.batches, raw.ends]).toEqual([[[1]], [reason]]);
    },
  );

  test("5.4 stop(): the running callback finishes, messages before it are handled, later ones given back", async () => {
    const { c, input, handled, gates } = busy();
    await turns();
    input.port.events([1]);
    input.port.events([2]);
    await turns();
    void c.stop();
    input.port.events([3]);
    gates[0]?.resolve();
    await turns();
    expect(handled).toEqual([[1], [2]]);
    gates[1]?.resolve();
    await c.done;
    expect([c.state, input.ends]).toMatchObject(["stopped", [{ unstarted: [3] }]]);
  });

  test("5.4 fail(e): the running callback's result is ignored, and input goes back", async () => {
    const input = new RawProducer<number>();
    const gate = Promise.withResolvers<number[]>();
    const t = producerConsumer<number, number>(() => gate.promise, { runtime: testRuntime() });
    const ended = outcome(t);
    t.subscribe(input.producer);
    const raw = new RawConsumer<number>().attach(t).ask(9);
    await turns();
    input.port.events([1]);
    input.port.events([2]);
    await turns();
    t.fail(boom);
    gate.resolve([10]);
    expect(await ended).toBe(boom);
    expect([raw.batches, input.ends]).toMatchObject([[], [{ reason: failure, unstarted: [2] }]]);
  });

  test("5.4 an abort does not wait for the running callback, and input goes back", async () => {
    const { options, end } = aborting();
    const { c, input } = busy(options);
    const ended = outcome(c);
    await turns();
    input.port.events([1]);
    input.port.events([2]);
    await turns();
    end();
    expect(await ended).toBe(boom);
    expect(input.ends).toMatchObject([{ reason: failure, unstarted: [2] }]);
  });

  test("5.4 an end caused inside a callback takes effect when the callback has returned", async () => {
    const states: string[] = [];
    const p = producer<number>(
      {
        handleDemand(_demand, stage) {
          stage.complete();
          stage.push([1]);
          states.push(p.state);
          return [2];
        },
      },
      { runtime: testRuntime() },
    );
    const raw = new RawConsumer<number>().attach(p).ask(9);
    await p.done;
    expect([states, raw.batches.flat(), raw.ends]).toEqual([["running"], [1, 2], [{ type: "complete" }]]);
  });

  test("5.4 also when it returns a promise, which is not waited for then", async () => {
    const handleDemand = (_demand: number, stage: { fail: (error: unknown) => void }) => {
      stage.fail(boom);
      return new Promise<number[]>(nothing);
    };
    const p = producer<number>({ handleDemand }, { runtime: testRuntime() });
    const ended = outcome(p);
    new RawConsumer<number>().attach(p).ask(1);
    expect(await ended).toBe(boom);
  });

  test("5.5 the order: terminate, the links, the peers' handleCancel but not the stage's own, done", async () => {
    const { p, log, source } = quiet();
    const gate = Promise.withResolvers<void>();
    const terminate = source.terminate.bind(source);
    Object.assign(source, {
      terminate(reason: Reason) {
        terminate(reason);
        return gate.promise;
      },
    });
    const done = p.done.then(() => log.push(["done"]));
    new RawConsumer<number>("raw", log).attach(p);
    const peer = consumer(Object.assign(new Forwarder<number>(log), { terminate: nothing }), {
      runtime: testRuntime(),
    });
    peer.subscribe(p, { cancel: "temporary" });
    await turns();
    log.length = 0;
    void p.stop();
    await turns();
    expect(log.map(([what]) => what)).toEqual(["terminated"]);
    gate.resolve();
    await done;
    await turns();
    const [first, second, ...rest] = log.map(([what]) => what);
    expect([first, second, new Set(rest)]).toEqual(["terminated", "end", new Set(["cancelled", "done"])]);
    expect(rest).toHaveLength(2);
  });

  test("5.5 after an abort the links do not wait for terminate, but done does", async () => {
    const { options, end } = aborting();
    const gate = Promise.withResolvers<void>();
    const p = producer<number>(
      { handleDemand: nothing, terminate: () => gate.promise },
      { runtime: testRuntime(), ...options },
    );
    let settled = false;
    const ended = outcome(p).finally(() => (settled = true));
    const raw = new RawConsumer<number>().attach(p);
    await turns();
    end();
    await turns();
    expect([raw.ends, settled]).toEqual([[failure], false]);
    gate.resolve();
    expect(await ended).toBe(boom);
  });

  test("5.5 sources are left as soon as the input is over, before handleEnd", async () => {
    for (const own of [true, false]) {
      const [input, other] = [new RawProducer<number>(), new RawProducer<number>()];
      const left: number[] = [];
      const handleEnd = () => void left.push(other.ends.length);
      const t = producerConsumer<number, number>({ handleEvents: nothing, handleEnd }, { runtime: testRuntime() });
      t.subscribe(input.producer);
      t.subscribe(other.producer, { cancel: "transient" });
      await turns();
      if (own) t.complete();
      else input.port.end({ reason: { type: "complete" } });
      await t.done;
      expect(left).toEqual([1]);
    }
  });

  test("5.6 a consumer's end carries the events it had not started, and those in flight go back, too", async () => {
    const input = new RawProducer<number>();
    const c = consumer<number>(
      () => {
        throw boom;
      },
      { runtime: testRuntime() },
    );
    const ended = outcome(c);
    c.subscribe(input.producer, { maxDemand: 6, minDemand: 4 });
    await turns();
    input.port.events([1, 2, 3, 4]);
    input.port.events([5]);
    expect(await ended).toBe(boom);
    expect(input.ends).toMatchObject([{ reason: failure, unstarted: [3, 4, 5] }]);
    expect(c.failure?.events).toEqual([1, 2]);
    // In flight: the producer has not heard of the end.
    const { p } = quiet();
    const raw = new RawConsumer<number>().attach(p).ask(2);
    await turns();
    raw.leave();
    p.push([1, 2]);
    await turns();
    expect(p.bufferedCount).toBe(2);
  });

  test("5.7 cancel() is graceful: what had arrived is handled first", async () => {
    const { input, handled, gates, subscription, c } = busy();
    await turns();
    input.port.events([1]);
    input.port.events([2]);
    await turns();
    subscription.cancel();
    gates[0]?.resolve();
    await turns();
    expect([handled, input.ends, subscription.state]).toEqual([[[1], [2]], [], "active"]);
    gates[1]?.resolve();
    await c.done;
    expect(input.ends).toMatchObject([{ reason: { type: "cancel" } }]);
  });

  test("5.8 handleEnd runs once when the input is over, and its events go out last", async () => {
    let runs = 0;
    const runtime = testRuntime();
    const handleEnd = () => [100 + (runs += 1)];
    const p = producer<number>({ handleDemand: nothing, handleEnd }, { runtime });
    const t = producerConsumer<number, number>({ handleEvents: (events) => events, handleEnd }, { runtime });
    const late = t.subscribe(p);
    const raw = new RawConsumer<number>().attach(t).ask(9);
    await turns();
    p.push([1, 2]);
    p.complete();
    await t.done;
    expect([raw.batches.flat(), runs, late.state]).toEqual([[1, 2, 101, 102], 2, "ended"]);
  });

  test("5.8 not after a stop or a failure", async () => {
    let runs = 0;
    const make = () =>
      producer<number>({ handleDemand: nothing, handleEnd: () => void (runs += 1) }, { runtime: testRuntime() });
    const [stopped, failed] = [make(), make()];
    const ended = outcome(failed);
    await turns();
    failed.fail(boom);
    await stopped.stop();
    await ended;
    expect([stopped.state, failed.state, runs]).toEqual(["stopped", "failed", 0]);
  });

  test("5.8 after later the stage takes pushes again, until it calls complete()", async () => {
    const p = producer<number>(
      { handleDemand: nothing, handleEnd: () => "later" as const },
      { runtime: testRuntime() },
    );
    const raw = new RawConsumer<number>().attach(p).ask(9);
    p.complete();
    await turns();
    expect([p.state === "completed", raw.ends]).toEqual([false, []]);
    await p.call((stage) => stage.push([1]));
    p.push([2]);
    await p.call((stage) => stage.complete());
    await p.done;
    expect([raw.batches.flat(), p.state]).toEqual([[1, 2], "completed"]);
  });

  test("5.9 a completing stage waits until all is delivered, to consumers still to come; stop() ends the wait", async () => {
    const { p } = quiet();
    const other = quiet();
    for (const stage of [p, other.p]) {
      stage.push([1, 2]);
      stage.complete();
    }
    await turns();
    expect([p.state, other.p.state]).toEqual(["ending", "ending"]);
    const raw = new RawConsumer<number>().attach(p).ask(2);
    await p.done;
    expect([raw.batches, p.state]).toEqual([[[1, 2]], "completed"]);
    await other.p.stop();
    expect(other.discarded).toMatchObject([{ events: [1, 2], cause: "stop" }]);
  });

  test("5.10 with onLastCancel stop a producer stops with its last consumer, without a warning", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(nothing);
    const { p, log } = quiet({ onLastCancel: "stop", onDiscard: undefined });
    const [one, two] = [new RawConsumer<number>().attach(p), new RawConsumer<number>().attach(p)];
    await turns();
    p.push([1]);
    one.leave();
    await turns();
    expect(p.state).toBe("running");
    two.leave({ type: "cancel", reason: "enough" });
    await p.done;
    expect([p.state, log.at(-1)]).toEqual(["stopped", ["terminated", { type: "stop", reason: "enough" }]]);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test("5.10 so it does when its last consumer was refused", async () => {
    const p = producer<number>(
      { handleDemand: nothing, handleSubscribe: raise },
      { runtime: testRuntime(), onLastCancel: "stop" },
    );
    const raw = new RawConsumer<number>().attach(p);
    await p.done;
    expect([p.state, raw.ends]).toEqual(["stopped", [failure]]);
  });

  test("5.10 it counts as stopped whatever the reason, whose value goes on to its own sources", async () => {
    const input = new RawProducer<number>();
    const t = producerConsumer<number, number>(nothing, { runtime: testRuntime(), onLastCancel: "stop" });
    t.subscribe(input.producer);
    const raw = new RawConsumer<number>().attach(t);
    await turns();
    raw.leave({ type: "cancel", reason: boom });
    await t.done;
    expect(t.state).toBe("stopped");
    expect(input.ends).toMatchObject([{ reason: { reason: boom } }]);
  });

  test("5.10 stop is the default of fromIterable, continue that of producer() and producerConsumer()", async () => {
    const runtime = testRuntime();
    const stages = [
      fromIterable([1, 2], { runtime }),
      producer<number>(nothing, { runtime }),
      producerConsumer<number, number>(nothing, { runtime }),
    ];
    const raws = stages.map((stage) => new RawConsumer<number>().attach(stage));
    await turns();
    for (const raw of raws) raw.leave();
    await turns();
    expect(stages.map(({ state }) => state)).toEqual(["stopped", "running", "running"]);
  });

  test("5.11 a failure without a carrier rejects done unhandled, even if it was never read", async () => {
    const { p } = quiet();
    const raw = new RawConsumer<number>().attach(p);
    await turns();
    p.fail(boom);
    await turns();
    expect([raw.ends, unhandled]).toEqual([[failure], [boom]]);
  });

  test.each<readonly [CancelMode, boolean]>([
    ["permanent", true],
    ["transient", true],
    ["temporary", false],
  ])("5.11 a %s subscription is a carrier: %o", async (cancel, carries) => {
    const { p } = quiet();
    const c = consumer(new Forwarder<number>(), { runtime: testRuntime() });
    const ended = outcome(c);
    c.subscribe(p, { cancel });
    await turns();
    p.fail(boom);
    await turns();
    expect([c.state, unhandled]).toEqual(carries ? ["failed", []] : ["running", [boom]]);
    expect(carries ? await ended : boom).toBe(boom);
  });

  const readers: [string, (p: ProducerStage<number>) => Promise<unknown>][] = [
    ["loop", (p) => p.events().next()],
    ["Readable", (p) => new Promise((_resolve, reject) => void toReadable(p).on("error", reject).resume())],
    ["Observable", (p) => new Promise((_resolve, reject) => void toObservable(p).subscribe({ error: reject }))],
  ];
  test.each(readers)("5.11 a %s is a carrier", async (_what, read) => {
    const { p } = quiet();
    const seen = read(p).catch((error: unknown) => error);
    await turns();
    p.fail(boom);
    expect(await seen).toBe(boom);
    await turns();
    expect([p.state, unhandled]).toEqual(["failed", []]);
  });

  test.each([[false], [true]])(
    "5.11 with a handleCancel that fails onReport hears of it, unless done was read: %o",
    async (read) => {
      const { p, reports } = quiet();
      const other = new Error("other");
      const handleCancel = () => {
        throw other;
      };
      const c = consumer<number>({ handleEvents: nothing, handleCancel }, { runtime: testRuntime() });
      const ended = outcome(c);
      c.subscribe(p);
      await turns();
      if (read) void outcome(p);
      p.fail(new Error("carried in vain"));
      expect(await ended).toBe(other);
      await turns();
      expect([reports.map(String), unhandled]).toEqual([read ? [] : ["Error: carried in vain"], []]);
    },
  );

  test("5.11 a later abort carries no failure that it has not caused", async () => {
    const { options, end } = aborting();
    const gate = Promise.withResolvers<void>();
    const behaviour = { handleDemand: nothing, terminate: () => gate.promise };
    const p = producer<number>(behaviour, { runtime: testRuntime(), ...options });
    new RawConsumer<number>().attach(p);
    await turns();
    const first = new Error("first");
    p.fail(first);
    await turns();
    end();
    gate.resolve();
    await turns();
    expect([p.state, unhandled]).toEqual(["failed", [first]]);
  });

  test("5.11 a consumer that has left in the same stretch does not pass the failure on: onReport hears of it", async () => {
    const { p, reports } = quiet();
    const error = new Error("crossed");
    const c = consumer<number>(
      { handleEvents: (_events, subscription) => subscription.cancel(), handleCancel: () => p.fail(error) },
      { runtime: testRuntime() },
    );
    c.subscribe(p);
    await turns();
    p.push([1]);
    await c.done;
    await turns();
    expect([p.state, reports, unhandled]).toEqual(["failed", [error], []]);
  });

  test.each([[1], [2]])("5.11 onReport hears of it only if none of %i carriers comes to pass it on", async (count) => {
    const { p, reports } = quiet();
    const error = new Error("carried");
    const runtime = testRuntime();
    const busyOne = consumer<number>(() => new Promise<void>(nothing), { runtime });
    busyOne.subscribe(p, { maxDemand: 9 });
    await turns();
    p.push([1]);
    const other = consumer<number>(nothing, { runtime });
    const ended = outcome(other);
    if (count === 2) other.subscribe(p, { maxDemand: 1 });
    await turns();
    p.fail(error);
    void busyOne.stop({ timeout: 10 });
    await turns();
    runtime.clock.advance(10);
    await turns();
    expect([busyOne.state, reports]).toEqual(["stopped", count === 2 ? [] : [error]]);
    expect(count === 2 ? await ended : error).toBe(error);
  });

  test("5.12 stop({ timeout }) waits no longer for a callback and terminate; later failures go to onReport", async () => {
    const { c, input, gates, runtime, reports } = busy();
    await turns();
    input.port.events([1]);
    await turns();
    let stopped = false;
    const stop = c.stop({ timeout: 50 }).then(() => (stopped = true));
    runtime.clock.advance(49);
    await turns();
    expect(stopped).toBe(false);
    runtime.clock.advance(1);
    await stop;
    gates[0]?.reject(boom);
    await turns();
    expect([c.state, reports]).toEqual(["stopped", [boom]]);
  });

  test("5.12 nor for both together longer than that", async () => {
    const runtime = testRuntime();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const c = consumer<number>(
      { handleEvents: () => gates[0].promise, terminate: () => gates[1].promise },
      { runtime },
    );
    c.subscribe(fromIterable([1], { runtime }));
    await turns();
    let stopped = false;
    const stop = c.stop({ timeout: 50 }).then(() => (stopped = true));
    runtime.clock.advance(30);
    gates[0].resolve();
    await turns();
    runtime.clock.advance(19);
    await turns();
    expect([c.state, stopped]).toEqual(["ending", false]);
    runtime.clock.advance(1);
    await stop;
    expect(stopped).toBe(true);
  });

  test("5.12 stop() never rejects", async () => {
    const { p } = quiet();
    const ended = outcome(p);
    expect(await p.stop({ reason: boom })).toBeUndefined();
    expect([await ended, await p.stop()]).toEqual([boom, undefined]);
  });

  test("5.13 drain() takes nothing more in, delivers all and completes; handleEnd runs", async () => {
    const p = producer<number>({ handleDemand: nothing, handleEnd: () => [9] }, { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p);
    await turns();
    p.push([1, 2]);
    const drained = p.drain();
    expect(codeOf(() => p.push([3]))).toBe("ERR_ENDED");
    raw.ask(9);
    await drained;
    expect([raw.batches.flat(), p.state]).toEqual([[1, 2, 9], "completed"]);
  });

  test("5.13 a producer that would stop without the stage drains first, any other is left and keeps what it holds", async () => {
    const [stops, stays] = [quiet({ onLastCancel: "stop" }), quiet()];
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime: testRuntime() });
    for (const { p } of [stops, stays]) c.subscribe(p, { maxDemand: 1, minDemand: 0 });
    await turns();
    stops.p.push([1, 2, 3]);
    stays.p.push([7, 8, 9]);
    await c.drain();
    await turns();
    expect(sink.batches.flat().filter((n) => n < 7)).toEqual([1, 2, 3]);
    expect([c.state, stops.p.state, stays.p.state]).toEqual(["completed", "completed", "running"]);
    expect(stays.p.bufferedCount).toBe(3 - sink.batches.flat().filter((n) => n >= 7).length);
    expect(stays.p.bufferedCount).toBeGreaterThan(0);
  });

  test("5.13 drain() rejects with the stage's failure, and with a TimeoutError when its time runs out", async () => {
    const failing = quiet();
    failing.p.push([1]);
    const ended = outcome(failing.p);
    const drained = failing.p.drain();
    failing.p.fail(boom);
    await expect(drained).rejects.toBe(boom);
    expect(await ended).toBe(boom);
    const runtime = testRuntime();
    const { p, discarded } = quiet({ runtime });
    p.push([1, 2]);
    const late = p.drain({ timeout: 20 }).catch((error: unknown) => error);
    await turns();
    runtime.clock.advance(20);
    expect(await late).toMatchObject({ name: "TimeoutError", code: "ERR_DRAIN_TIMEOUT" });
    await p.done;
    expect([p.state, discarded]).toMatchObject(["stopped", [{ events: [1, 2] }]]);
  });

  test("5.14 a failure of a stage that has had no consumer waits 30 s at most for its first carrier", async () => {
    vi.resetModules();
    const timers: { fn: () => void; ms: number; unref: () => void }[] = [];
    const unref = vi.fn<() => void>();
    vi.stubGlobal("setTimeout", (fn: () => void, ms: number) => timers[timers.push({ fn, ms, unref }) - 1]);
    const fresh = await import("../../src/index.ts");
    vi.unstubAllGlobals();
    const p = fresh.producer<number>(nothing);
    p.fail(boom);
    await turns();
    expect([unhandled, timers.map(({ ms }) => ms), unref.mock.calls.length]).toEqual([[], [30_000], 1]);
    timers[0]?.fn();
    await turns();
    expect(unhandled).toEqual([boom]);
  });

  test("5.14 its first carrier, or done being read, ends the wait", async () => {
    const [carried, read] = [quiet().p, quiet().p];
    carried.fail(boom);
    read.fail(boom);
    await turns();
    const c = consumer(new Forwarder<number>());
    const ended = outcome(c);
    c.subscribe(carried);
    expect([await ended, await outcome(read)]).toEqual([boom, boom]);
    await turns();
    expect(unhandled).toEqual([]);
  });

  test("5.15 the producer is ending until every link has replied and what came back has gone to the next consumer", async () => {
    const { p, log } = quiet();
    const raw = new RawConsumer<number>().attach(p).ask(2);
    raw.confirms = false;
    await turns();
    p.push([1, 2]);
    p.complete();
    await turns();
    expect([raw.ends, p.state, log.at(-1)?.[0]]).toEqual([[{ type: "complete" }], "ending", "terminated"]);
    raw.leave({ type: "cancel" }, [2]);
    await turns();
    expect(p.state).toBe("ending");
    const next = new RawConsumer<number>().attach(p).ask(5);
    await p.done;
    expect([next.batches, next.ends, p.state]).toEqual([[[2]], [{ type: "complete" }], "completed"]);
  });

  test("5.15 of several links every one has to reply", async () => {
    const { p } = quiet();
    const raws = [new RawConsumer<number>().attach(p), new RawConsumer<number>().attach(p)] as const;
    for (const raw of raws) raw.confirms = false;
    await turns();
    p.complete();
    await turns();
    raws[0].leave({ type: "complete" });
    await turns();
    expect(p.state).toBe("ending");
    raws[1].leave({ type: "complete" });
    await p.done;
    expect(p.state).toBe("completed");
  });

  test("5.15 a consumer that goes on with another source replies, too", async () => {
    const [one, other] = [quiet().p, quiet().p];
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime: testRuntime() });
    for (const p of [one, other]) c.subscribe(p);
    await turns();
    one.push([1]);
    one.complete();
    await one.done;
    expect([sink.batches, one.state, c.state]).toEqual([[[1]], "completed", "running"]);
  });

  test("5.15 stop() ends the wait", async () => {
    const { p, discarded } = quiet();
    const raw = new RawConsumer<number>().attach(p).ask(1);
    raw.confirms = false;
    await turns();
    p.push([1]);
    p.complete();
    await turns();
    await p.stop();
    expect([p.state, discarded]).toEqual(["completed", []]);
  });

  test("5.15 with onLastCancel stop it does not wait, and tells onDiscard what comes back", async () => {
    const { p, discarded } = quiet({ onLastCancel: "stop" });
    const raw = new RawConsumer<number>().attach(p).ask(2);
    raw.confirms = false;
    await turns();
    p.push([1, 2]);
    p.complete();
    await p.done;
    raw.leave({ type: "cancel" }, [2]);
    await turns();
    expect(discarded).toMatchObject([{ events: [2], stage: "p" }]);
  });

  test("5.15 a stage replies once its input is over and handleEnd has not returned later", async () => {
    for (const later of [false, true]) {
      const input = new RawProducer<number>();
      const handleEnd = () => (later ? ("later" as const) : undefined);
      const t = producerConsumer<number, number>(
        { handleEvents: (events) => events, handleEnd },
        { runtime: testRuntime() },
      );
      t.subscribe(input.producer, { maxDemand: 9, minDemand: 0 });
      const raw = new RawConsumer<number>().attach(t);
      await turns();
      input.port.events([1]);
      input.port.end({ reason: { type: "complete" } });
      await turns();
      expect(input.ends).toEqual([]);
      raw.ask(1);
      await turns();
      expect([raw.batches, input.ends.length]).toEqual([[[1]], later ? 0 : 1]);
      if (later) t.complete();
      await t.done;
      expect(input.ends.length).toBe(1);
    }
  });

  test("5.15 a loop replies once it has passed the end on", async () => {
    const input = producer(new Counter(1), { runtime: testRuntime() });
    const loop = input.events({ maxDemand: 2, minDemand: 0 });
    expect((await loop.next()).value).toBe(0);
    input.complete();
    await turns();
    expect(input.state).toBe("ending");
    expect((await loop.next()).value).toBe(1);
    await turns();
    expect(input.state).toBe("ending");
    expect((await loop.next()).done).toBe(true);
    await input.done;
    expect(input.state).toBe("completed");
  });
});
