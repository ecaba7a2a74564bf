import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  collect,
  consumer,
  failureOf,
  fromIterable,
  map,
  pipeline,
  producer,
  queue,
  take,
} from "../../../src/index.ts";
import { type ConsumerSupervisorOptions, consumerSupervisor, type LostEvent } from "../../../src/supervise/index.ts";
import { FakeChild } from "../../support/children.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { codeOf, outcome, RawProducer } from "../../support/stages.ts";
import { Gates } from "../steps/support.ts";

function setUp(options: Partial<ConsumerSupervisorOptions<number>> = {}) {
  const runtime = testRuntime();
  const gates = new Gates<number>();
  const lost: LostEvent<number>[] = [];
  const reports: (readonly [phase: string, error: unknown])[] = [];
  const supervisor = consumerSupervisor<number>({
    runtime,
    name: "s",
    start: gates.signalled,
    onLost: (one) => void lost.push(one),
    onReport: (error, { phase }) => void reports.push([phase, error]),
    ...options,
  });
  const over = (count: number) =>
    producer<number>(
      (
        (all) => (demand: number) =>
          all.splice(0, demand)
      )(range(1, count)),
      { runtime },
    );
  return { runtime, gates, lost, reports, supervisor, over };
}
const boom = new Error("boom");

/** The waits before five restarts. */
const waitsOf = async (seed: number): Promise<number[]> => {
  const runtime = testRuntime({ seed });
  const { supervisor } = setUp({
    runtime,
    restart: "transient",
    maxRestarts: 9,
    start: () => Promise.reject(boom),
  });
  const due: number[] = [];
  supervisor.startChild(1);
  for (let i = 0; i < 5; i += 1) {
    await turns();
    due.push((runtime.clock.due as number) - runtime.clock.now());
    runtime.clock.advance(due.at(-1) as number);
  }
  await supervisor.stop();
  return due;
};

describe("a promise as a child", () => {
  test("ends a pipeline of its own, which waits for the last child", async () => {
    const { supervisor, gates, runtime } = setUp({ maxDemand: 2, minDemand: 0 });
    const running = pipeline.with({ runtime })([1, 2, 3], supervisor);
    await turns();
    expect([gates.begun, supervisor.count()]).toEqual([[1, 2], { workers: 2, active: 2 }]);
    gates.open(2);
    await turns();
    expect(gates.begun).toEqual([1, 2, 3]);
    gates.open(1);
    await turns();
    expect(supervisor.state).toBe("ending");
    expect(codeOf(() => supervisor.startChild(4))).toBe("ERR_ENDED");
    gates.open(3);
    await running;
    expect([supervisor.state, gates.most]).toEqual(["completed", 2]);
  });

  test("8.13 is asked to end by its signal, and what rejects then is lost without a report", async () => {
    const { supervisor, gates, lost, reports } = setUp();
    supervisor.startChild(1);
    supervisor.startChild(2);
    const signal = gates.signals.get(1) as AbortSignal;
    signal.addEventListener("abort", () => gates.fail(1, signal.reason));
    gates.signals.get(2)?.addEventListener("abort", () => gates.open(2));
    await supervisor.stop();
    expect([lost, reports]).toEqual([[{ event: 1, error: signal.reason, child: "child 1" }], []]);
  });

  test("that brings something which runs goes on as that", async () => {
    const { supervisor, runtime } = setUp({ start: async () => child });
    const child = new FakeChild("late");
    const handle = supervisor.startChild(1);
    await turns();
    expect([handle?.state, handle?.value]).toEqual(["running", child]);
    await supervisor.stop();
    expect([child.stops, runtime.clock.pending, handle?.state]).toEqual([[{}], 0, "ended"]);
  });

  test("that brings something too late has it stopped", async () => {
    const made = Promise.withResolvers<FakeChild>();
    const { supervisor } = setUp({ start: () => made.promise });
    supervisor.startChild(1);
    const stopped = supervisor.stop();
    await turns();
    const child = new FakeChild("late");
    made.resolve(child);
    await stopped;
    expect(child.stops).toEqual([{}]);
  });

  test("that brings something after it was abandoned has that cut short", async () => {
    const made = Promise.withResolvers<FakeChild>();
    const { supervisor, reports } = setUp({ start: () => made.promise, shutdown: 0 });
    supervisor.startChild(1);
    await supervisor.stop();
    const child = new FakeChild("late");
    made.resolve(child);
    await turns();
    expect([child.stops, reports.map(([phase]) => phase)]).toEqual([[{ timeout: 0 }], ["shutdown of child 1"]]);
  });
});

describe("a failure", () => {
  test("of a temporary child goes to onLost with its event, and to no one else", async () => {
    const { supervisor, gates, lost, reports } = setUp();
    supervisor.startChild(1);
    gates.fail(1, boom);
    await turns();
    expect([lost, reports, supervisor.state]).toEqual([[{ event: 1, error: boom, child: "child 1" }], [], "running"]);
  });

  test("goes to onReport where there is no onLost", async () => {
    const { supervisor, gates, reports } = setUp({ onLost: undefined });
    supervisor.startChild(1);
    gates.fail(1, boom);
    await turns();
    expect(reports).toEqual([["child 1", boom]]);
  });

  test("of a child that is terminated does not start it again", async () => {
    const { supervisor, gates, lost, runtime } = setUp({ restart: "transient" });
    const child = supervisor.startChild(1);
    gates.signals.get(1)?.addEventListener("abort", () => gates.fail(1, boom));
    const both = [supervisor.terminateChild(child!), supervisor.terminateChild(child!)];
    expect(await Promise.all(both)).toEqual([true, true]);
    expect([lost, runtime.clock.pending, supervisor.count().workers]).toEqual([
      [{ event: 1, error: boom, child: "child 1" }],
      0,
      0,
    ]);
  });

  test("by an abort of its own is a failure like any other", async () => {
    const { supervisor, gates, runtime, reports } = setUp({ restart: "transient" });
    const abort = new DOMException("given up", "AbortError");
    supervisor.startChild(1);
    gates.fail(1, abort);
    await turns();
    expect([reports, supervisor.count()]).toEqual([[["child 1", abort]], { workers: 1, active: 0 }]);
    runtime.clock.advance(100);
    gates.open(1);
    await turns();
    expect(supervisor.count().workers).toBe(0);
  });

  test("of the last child behind the end of the source, one too many, is that of the supervisor", async () => {
    const { supervisor, gates, runtime } = setUp({ restart: "transient", maxRestarts: 0 });
    const running = pipeline.with({ runtime })([1], supervisor);
    const ended = outcome(supervisor);
    running.done.catch(() => {});
    await turns();
    expect(supervisor.state).toBe("ending");
    gates.fail(1, boom);
    expect([(await ended) as Error, supervisor.state]).toEqual([expect.objectContaining({ cause: boom }), "failed"]);
  });

  test("of onLost goes to onReport", async () => {
    const second = new Error("second");
    const onLost = () => {
      throw second;
    };
    const { supervisor, gates, reports } = setUp({ onLost });
    supervisor.startChild(1);
    gates.fail(1, boom);
    await turns();
    expect(reports).toEqual([["onLost", second]]);
  });

  test("one too many: the error names its event, other children are ended, unstarted events go back", async () => {
    const { supervisor, gates, lost, reports, over, runtime } = setUp({ restart: "transient", maxRestarts: 0 });
    const source = over(6);
    const ended = outcome(supervisor);
    supervisor.subscribe(source, { maxDemand: 2, minDemand: 0 });
    await turns();
    for (const [event, signal] of gates.signals)
      signal.addEventListener("abort", () => gates.fail(event, signal.reason));
    gates.fail(2, boom);
    const error = (await ended) as Error;
    expect(error).toMatchObject({ code: "ERR_RESTARTS", causes: [boom], cause: boom });
    // The event was told to onLost.
    expect(failureOf(error)).toMatchObject({ stage: "s", callback: "start", events: [] });
    expect(lost.map(({ event }) => event)).toEqual([2, 1]);
    expect([reports, runtime.clock.pending]).toEqual([[], 0]);
    expect(await pipeline.with({ runtime })(source, take(4), collect())).toEqual([3, 4, 5, 6]);
  });

  test("one too many has its event in the failure where there is no onLost", async () => {
    const { supervisor, gates } = setUp({ restart: "transient", maxRestarts: 0, onLost: undefined });
    const ended = outcome(supervisor);
    supervisor.startChild(7);
    gates.fail(7, boom);
    expect(failureOf(await ended)?.events).toEqual([7]);
  });

  test("of the source ends the children, and is that of the supervisor", async () => {
    const { supervisor, gates, lost, runtime } = setUp();
    const source = queue<number>({ runtime });
    supervisor.subscribe(source);
    const ended = outcome(supervisor);
    await source.offer(1);
    await turns();
    gates.signals.get(1)?.addEventListener("abort", () => gates.open(1));
    source.fail(boom);
    expect(await ended).toBe(boom);
    expect([supervisor.count(), lost]).toEqual([{ workers: 0, active: 0 }, []]);
  });

  test("is not what a source that is stopped brings: the children are ended, and it has stopped, too", async () => {
    const { supervisor, gates, lost, runtime } = setUp();
    const source = queue<number>({ runtime });
    supervisor.subscribe(source);
    source.tryOffer(1);
    await turns();
    gates.signals.get(1)?.addEventListener("abort", () => gates.fail(1, gates.signals.get(1)?.reason));
    await source.stop();
    await supervisor.done;
    expect([supervisor.state, lost.map(({ event }) => event)]).toEqual(["stopped", [1]]);
  });

  test("waits longer with every failure in a row, and from the start again after a while", async () => {
    const { supervisor, gates, runtime, reports } = setUp({
      restart: "transient",
      maxRestarts: Number.POSITIVE_INFINITY,
      backoff: { delay: 10, factor: 3, maxDelay: 50, jitter: "none" },
    });
    supervisor.startChild(1);
    const waits: number[] = [];
    for (const after of [0, 0, 0, 0, 5001]) {
      runtime.clock.advance(after);
      gates.fail(1, boom);
      await turns();
      waits.push((runtime.clock.due as number) - runtime.clock.now());
      runtime.clock.advance(waits.at(-1) as number);
      await turns();
    }
    expect(waits).toEqual([10, 30, 50, 50, 10]);
    expect([gates.begun.length, reports.length, supervisor.children()[0]?.restarts]).toEqual([6, 5, 5]);
  });

  test("has a random wait, the same for the same seed", async () => {
    expect(await waitsOf(1)).toEqual(await waitsOf(1));
    expect(await waitsOf(1)).not.toEqual(await waitsOf(2));
    for (const [i, wait] of (await waitsOf(3)).entries()) expect(wait).toBeLessThan(100 * 2 ** i);
  });
});

describe("the end", () => {
  test("8.13 during a backoff: nothing is started any more, and the event is lost", async () => {
    const { supervisor, gates, runtime, lost, reports } = setUp({ restart: "transient" });
    supervisor.startChild(1);
    gates.fail(1, boom);
    await turns();
    expect(runtime.clock.pending).toBe(1);
    await supervisor.stop();
    expect([runtime.clock.pending, gates.begun]).toEqual([0, [1]]);
    expect([lost, reports]).toEqual([[{ event: 1, error: boom, child: "child 1" }], [["child 1", boom]]]);
  });

  test("of the source waits for children that are restarted", async () => {
    const { supervisor, gates, runtime } = setUp({ restart: "transient" });
    const running = pipeline.with({ runtime })([1], supervisor);
    await turns();
    gates.fail(1, boom);
    await turns();
    expect(supervisor.state).toBe("ending");
    runtime.clock.advance(100);
    gates.open(1);
    await running;
    expect(gates.begun).toEqual([1, 1]);
  });

  test("while it waits for its children can still be a stop", async () => {
    const { supervisor, gates } = setUp();
    const done = outcome(supervisor);
    supervisor.subscribe(fromIterable([1]));
    await turns();
    gates.signals.get(1)?.addEventListener("abort", () => gates.open(1));
    await supervisor.stop();
    expect([await done, supervisor.state]).toEqual(["fulfilled", "stopped"]);
  });

  test("by drain: no more events are taken, and the children are waited for", async () => {
    const { supervisor, gates, over, runtime } = setUp();
    const source = over(4);
    supervisor.subscribe(source, { maxDemand: 2, minDemand: 0 });
    await turns();
    const drained = supervisor.drain();
    await turns();
    expect(supervisor.state).toBe("ending");
    gates.open(1);
    gates.open(2);
    await drained;
    expect([supervisor.state, gates.begun, source.state]).toEqual(["completed", [1, 2], "running"]);
    expect(await pipeline.with({ runtime })(source, take(2), collect())).toEqual([3, 4]);
  });

  test("by drain in vain: the children are asked to end", async () => {
    const { supervisor, gates, runtime, lost } = setUp();
    supervisor.startChild(1);
    const drained = outcome({ done: supervisor.drain({ timeout: 10 }) } as never);
    await turns();
    runtime.clock.advance(10);
    expect(await drained).toMatchObject({ code: "ERR_DRAIN_TIMEOUT", message: expect.stringContaining("onLost") });
    expect(gates.signals.get(1)?.aborted).toBe(true);
    gates.fail(1, gates.signals.get(1)?.reason);
    await turns();
    expect([supervisor.count().workers, lost.length, runtime.clock.pending]).toEqual([0, 1, 0]);
  });

  test("by an abort leaves no child any time, and no listener", async () => {
    const controller = new AbortController();
    const { supervisor, lost, reports, runtime } = setUp({
      signal: controller.signal,
      shutdown: Number.POSITIVE_INFINITY,
    });
    supervisor.startChild(1);
    controller.abort("enough");
    await supervisor.done.catch(() => {});
    expect(reports).toEqual([["shutdown of child 1", expect.objectContaining({ code: "ERR_SHUTDOWN" })]]);
    expect(lost).toEqual([{ event: 1, error: reports[0]?.[1], child: "child 1" }]);
    expect([getEventListeners(controller.signal, "abort"), runtime.clock.pending]).toEqual([[], 0]);
  });

  test("caused within start: the rest of the batch goes back", async () => {
    const controller = new AbortController();
    const started: number[] = [];
    const start = (event: number) => {
      started.push(event);
      if (event === 2) controller.abort("enough");
      return null;
    };
    const { supervisor, over, runtime } = setUp({ signal: controller.signal, start });
    const source = over(4);
    supervisor.subscribe(source, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect([started, supervisor.state]).toEqual([[1, 2], "failed"]);
    expect(await pipeline.with({ runtime })(source, take(2), collect())).toEqual([3, 4]);
  });

  test("a child whose stop fails is reported, and waited for", async () => {
    const child = new FakeChild("bad");
    const { supervisor, reports, runtime } = setUp({ start: () => child });
    for (const fail of [
      () => Promise.reject(boom),
      () => Promise.reject(Object.assign(new Error("x"), { name: "AbortError" })),
    ]) {
      child.onStop = fail;
      const handle = supervisor.startChild(1);
      void supervisor.terminateChild(handle!);
      await turns();
      expect(handle?.state).toBe("stopping");
    }
    expect(reports).toEqual([["stop of child 1", boom]]);
    child.onStop = () => {
      throw boom;
    };
    supervisor.startChild(2);
    const stopped = supervisor.stop();
    child.end();
    await stopped;
    expect([reports.length, runtime.clock.pending]).toEqual([2, 0]);
  });
});

describe("demand", () => {
  test("slots that become free within a batch are asked for together, and none behind the end", async () => {
    const raw = new RawProducer<number>();
    const { supervisor, gates } = setUp({
      start: (n, context) => (n < 4 ? null : gates.signalled(n, context)),
      restart: "transient",
      maxRestarts: 0,
    });
    const ended = outcome(supervisor);
    supervisor.subscribe(raw.producer, { maxDemand: 4, minDemand: 0 });
    await turns();
    raw.port.events([1, 2, 3, 4]);
    await turns();
    expect(raw.asks).toEqual([4, 3]);
    gates.fail(4, boom);
    await ended;
    expect([raw.asks, raw.ends.length]).toEqual([[4, 3], 1]);
  });

  test("a child that is cut short is asked once", async () => {
    const child = new FakeChild("a");
    child.onStop = () => {};
    const { supervisor, runtime } = setUp({ start: () => child, shutdown: 0 });
    const handle = supervisor.startChild(1);
    const both = [supervisor.terminateChild(handle!), supervisor.terminateChild(handle!)];
    runtime.clock.advance(0);
    await Promise.all(both);
    expect(child.stops).toEqual([{ timeout: 0 }]);
  });
});

describe("several sources", () => {
  test("have slots of their own, and children outlive a source that has gone", async () => {
    const { supervisor, gates, runtime } = setUp();
    const [left, right] = [queue<number>({ runtime }), queue<number>({ runtime })];
    const [one] = [left, right].map((each) =>
      supervisor.subscribe(each, { maxDemand: 1, minDemand: 0, cancel: "temporary" }),
    );
    for (const n of [1, 3]) expect(left.tryOffer(n)).toBe(true);
    for (const n of [2, 4]) expect(right.tryOffer(n)).toBe(true);
    await turns();
    expect(new Set(gates.begun)).toEqual(new Set([1, 2]));
    one?.cancel();
    await turns();
    expect(supervisor.count()).toEqual({ workers: 2, active: 2 });
    gates.open(1);
    gates.open(2);
    await turns();
    expect(gates.begun).toEqual([1, 2, 4]);
  });

  test("8.13 their demand is governed by the supervisor alone", async () => {
    const { supervisor, gates, over } = setUp({ maxDemand: 1 });
    const source = over(4);
    expect(codeOf(() => supervisor.subscribe(source, { demand: "manual" }))).toBe("ERR_OPTION");
    const first = supervisor.subscribe(source, { demand: "automatic" });
    expect(() => first.ask(2)).toThrow(/got one of s: maxDemand is the number of children at a time/);
    expect(codeOf(() => first.ask(2))).toBe("ERR_ASK_AUTOMATIC");
    expect(codeOf(() => first.resubscribe({ demand: "manual" }))).toBe("ERR_OPTION");
    await turns();
    expect(gates.begun).toEqual([1]);
    const second = first.resubscribe({ maxDemand: 2 });
    expect(codeOf(() => second.ask(1))).toBe("ERR_ASK_AUTOMATIC");
    await turns();
    expect(gates.begun).toEqual([1, 2, 3]);
    second.cancel();
    await turns();
    // Like any other, an ended subscription takes an ask in silence.
    second.ask(1);
  });

  test("a subscription's own window goes before that of the options", async () => {
    const { supervisor, runtime } = setUp({ maxDemand: 8, minDemand: 2 });
    const windows = [{}, { maxDemand: 4 }, { minDemand: 7 }].map((given) => {
      const { maxDemand, minDemand } = supervisor.subscribe(
        producer<number>(() => [], { runtime }),
        given,
      ).options;
      return [maxDemand, minDemand];
    });
    expect(windows).toEqual([
      [8, 2],
      [4, 2],
      [8, 7],
    ]);
  });
});

describe("stages as children", () => {
  test("a pipeline for each event", async () => {
    const { runtime } = setUp();
    const got: number[][] = [];
    const start = (n: number) =>
      pipeline(
        range(1, n),
        map((each: number) => each * n),
        collect(),
      ).then((all) => void got.push(all));
    await pipeline.with({ runtime })([1, 2, 3], consumerSupervisor({ start, runtime }));
    expect(got.toSorted((a, b) => a.length - b.length)).toEqual([[1], [2, 4], [3, 6, 9]]);
  });

  test("a stage that fails is carried by its supervisor, and told once", async () => {
    const { supervisor, lost, reports, runtime } = setUp({
      start: (n) => {
        const bad = consumer<number>(
          () => {
            throw boom;
          },
          { runtime },
        );
        bad.subscribe(fromIterable([n], { runtime }));
        return bad;
      },
    });
    supervisor.startChild(1);
    await turns(8);
    expect([lost, reports]).toEqual([[{ event: 1, error: boom, child: "child 1" }], []]);
  });

  test("inspect says that it works as long as children run", async () => {
    const { supervisor, gates } = setUp();
    supervisor.startChild(1);
    await turns();
    expect(supervisor.inspect().stages[0]?.working).toBe(true);
    gates.open(1);
    await turns();
    expect(supervisor.inspect().stages[0]?.working).toBeFalsy();
  });
});

describe("bad input", () => {
  test.each<readonly [string, object, string, RegExp]>([
    ["shutdown", { shutdown: -1 }, "ERR_RANGE", /shutdown to be milliseconds, 0 for at once, or Infinity, got -1/],
    ["shutdown", { shutdown: "brutal" }, "ERR_OPTION", /shutdown to be a number/],
    ["maxRestarts", { maxRestarts: 0.5 }, "ERR_RANGE", /maxRestarts/],
    ["within", { within: Number.POSITIVE_INFINITY }, "ERR_RANGE", /forgotten, got Infinity: none/],
    ["backoff", { backoff: { delays: 1 } }, "ERR_OPTION", /backoff options among delay/],
    ["backoff", { backoff: 5 }, "ERR_OPTION", /backoff to be an object/],
    ["jitter", { backoff: { jitter: "some" } }, "ERR_OPTION", /jitter/],
    ["delay", { backoff: { delay: -1 } }, "ERR_RANGE", /delay/],
    ["maxDemand", { maxDemand: 0 }, "ERR_RANGE", /maxDemand/],
    ["minDemand", { maxDemand: 2, minDemand: 2 }, "ERR_RANGE", /minDemand to be a whole number from 0 to 1/],
    ["onLost", { onLost: 1 }, "ERR_OPTION", /onLost to be a function/],
    ["name", { name: 1 }, "ERR_OPTION", /name to be a string/],
    [
      "maxChildren",
      { maxChildren: 5 },
      "ERR_OPTION",
      /expected maxDemand, the limit of children at a time, got "maxChildren"/,
    ],
    ["concurrency", { concurrency: 5 }, "ERR_OPTION", /expected maxDemand/],
    ["an unknown one", { strategy: "oneForOne" }, "ERR_OPTION", /options among .*, start, /],
  ])("%s is refused at once: %o", (_name, options, code, text) => {
    const make = () => consumerSupervisor({ start: () => null, ...options });
    expect(codeOf(make)).toBe(code);
    expect(make).toThrow(text);
  });

  test("a lone function is told to be start", () => {
    expect(() => consumerSupervisor((() => null) as never)).toThrow(/write consumerSupervisor\(\{ start \}\)/);
  });

  test("terminateChild wants one of children()", () => {
    const { supervisor } = setUp();
    expect(codeOf(() => supervisor.terminateChild("child 1" as never))).toBe("ERR_OPTION");
  });

  test.each<readonly [string, unknown, RegExp]>([
    ["nothing", undefined, /to return a child, got undefined: return it/],
    ["a number", 7, /got 7: a child is a promise, or something with done and stop; null says/],
    ["something without done", { stop: () => {} }, /to return a child, got an object/],
    ["a done that is no promise", { stop: () => {}, done: true }, /done of child 1 to be a promise, got true/],
  ])("start that returns %s is told what to return", async (_what, value, text) => {
    const { supervisor } = setUp({ start: () => value as never });
    expect(codeOf(() => supervisor.startChild(1))).toBe("ERR_CHILD");
    expect(() => setUp({ start: () => value as never }).supervisor.startChild(1)).toThrow(text);
  });

  test("a promise that brings a done which is no promise has failed", async () => {
    const { supervisor, lost } = setUp({ start: async () => ({ stop: () => {}, done: 1 }) });
    supervisor.startChild(1);
    await turns();
    expect(lost).toEqual([{ event: 1, error: expect.objectContaining({ code: "ERR_CHILD" }), child: "child 1" }]);
  });
});
