import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  collect,
  consumer,
  type Consumer,
  type Failure,
  partitionDispatcher,
  pipeline,
  producer,
  producerConsumer,
  queue,
  take,
} from "../../../src/index.ts";
import {
  type ChildContext,
  type ChildDeclaration,
  type LostEvents,
  RestartError,
  type SupervisorOptions,
  supervisor,
} from "../../../src/supervise/index.ts";
import { FakeChild } from "../../support/children.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { codeOf } from "../../support/stages.ts";

const boom = new Error("boom");
const failure = (done: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(done).then(
    () => "fulfilled",
    (error: unknown) => error,
  );

/** Three children, or as declared, that end as told. */
function setUp(options: SupervisorOptions = {}, declared: readonly Partial<ChildDeclaration>[] = [{}, {}, {}]) {
  const runtime = (options.runtime ?? testRuntime()) as TestRuntime;
  /** What happened, in order. */
  const log: string[] = [];
  const reports: (readonly [phase: string, error: unknown])[] = [];
  const lives = new Map<string, FakeChild[]>();
  const names = ["a", "b", "c", "d"];
  const children = declared.map((declaration, i) => {
    const name = names[i] as string;
    const start = ({ signal }: ChildContext) => {
      log.push(`+${name}`);
      const child = new FakeChild(name, signal);
      child.onStop = () => {
        log.push(`-${name}`);
        child.end();
      };
      lives.set(name, [...(lives.get(name) ?? []), child]);
      return child;
    };
    return { name, start, ...declaration };
  });
  const one = supervisor(children, {
    runtime,
    name: "s",
    backoff: { delay: 10, jitter: "none" },
    onReport: (error, { phase }) => void reports.push([phase, error]),
    ...options,
  });
  const ended = failure(one.done);
  const child = (name: string): FakeChild => lives.get(name)?.at(-1) as FakeChild;
  const wait = async (ms = 10): Promise<void> => {
    await turns();
    runtime.clock.advance(ms);
    await turns();
  };
  const states = () => one.children().map(({ state }) => state);
  return { runtime, log, reports, supervisor: one, ended, child, wait, states };
}

describe("strategies", () => {
  test.each([
    ["oneForOne", ["+b"]],
    ["restForOne", ["-c", "+b", "+c"]],
    ["oneForAll", ["-c", "-a", "+a", "+b", "+c"]],
  ] as const)("8.13 %s starts again in order what it stops in reverse", async (strategy, expected) => {
    const { log, child, wait, states, supervisor: one } = setUp({ strategy });
    expect([log.splice(0), states()]).toEqual([
      ["+a", "+b", "+c"],
      ["running", "running", "running"],
    ]);
    child("b").kill(boom);
    await turns();
    expect(states()[1]).toBe("waiting");
    await wait();
    expect([log.splice(0), states()]).toEqual([[...expected], ["running", "running", "running"]]);
    await one.stop();
    expect(log).toEqual(["-c", "-b", "-a"]);
  });

  test("is oneForOne, if none is named", async () => {
    const { supervisor: one } = setUp();
    expect(one.inspect().strategy).toBe("oneForOne");
    await one.stop();
  });

  test("a child that fails while its round stops others joins it, and is told", async () => {
    const { log, child, wait, reports, supervisor: one } = setUp({ strategy: "oneForAll" });
    const slow = child("c");
    slow.onStop = () => {};
    child("b").kill(boom);
    await turns();
    const second = new Error("second");
    child("a").kill(second);
    await turns();
    slow.end();
    await wait();
    expect(log).toEqual(["+a", "+b", "+c", "+a", "+b", "+c"]);
    expect([reports, one.inspect().restarts]).toEqual([
      [
        ["b", boom],
        ["a", second],
      ],
      1,
    ]);
    await one.stop();
  });

  test("an earlier child that fails meanwhile widens the round", async () => {
    const { log, child, wait, states, supervisor: one } = setUp({ strategy: "restForOne" });
    log.splice(0);
    child("c").kill(boom);
    await turns();
    child("a").kill(boom);
    await wait();
    expect([log, states()]).toEqual([
      ["-b", "+a", "+b", "+c"],
      ["running", "running", "running"],
    ]);
    await one.stop();
  });

  test("a child that ended well before is started again with its group", async () => {
    const { log, child, wait, supervisor: one } = setUp({ strategy: "oneForAll" });
    child("a").end();
    child("b").kill(boom);
    await wait();
    expect(log.slice(3)).toEqual(["-c", "+a", "+b", "+c"]);
    await one.stop();
  });

  test("a temporary child of the group is stopped for good", async () => {
    const {
      log,
      child,
      wait,
      states,
      supervisor: one,
    } = setUp({ strategy: "oneForAll" }, [{}, { restart: "temporary" }]);
    child("a").kill(boom);
    await wait();
    expect([log.slice(2), states()]).toEqual([
      ["-b", "+a"],
      ["running", "ended"],
    ]);
    await one.stop();
  });

  test("a start that fails in a round begins another one", async () => {
    let fails = 0;
    const calls: number[] = [];
    const bad = ({ attempt }: ChildContext) => {
      calls.push(attempt);
      if (attempt === 2) {
        fails += 1;
        throw boom;
      }
      return new FakeChild("b");
    };
    const { log, child, wait, states, supervisor: one } = setUp({ strategy: "oneForAll" }, [{}, { start: bad }, {}]);
    child("a").kill(boom);
    await wait();
    await wait(20);
    expect([log, calls, fails]).toEqual([["+a", "+c", "-c", "+a", "-a", "+a", "+c"], [1, 2, 3], 1]);
    expect(states()).toEqual(["running", "running", "running"]);
    const stopped = one.stop({ timeout: 0 });
    await stopped;
  });
});

describe("restart and ends", () => {
  test.each([
    ["permanent", "end", "running"],
    ["permanent", "kill", "running"],
    ["transient", "end", "ended"],
    ["transient", "kill", "running"],
    ["temporary", "end", "ended"],
    ["temporary", "kill", "ended"],
  ] as const)("a %s child after %s is %s", async (restart, how, state) => {
    const { child, wait, states, reports, supervisor: one } = setUp({}, [{ restart }, {}]);
    child("a")[how]();
    await wait();
    expect(states()).toEqual([state, "running"]);
    expect(reports).toHaveLength(how === "kill" ? 1 : 0);
    await one.stop();
  });

  test("completes once all have ended well, or were temporary", async () => {
    const { child, supervisor: one, ended, reports } = setUp({}, [{}, { restart: "temporary" }]);
    child("a").end();
    await turns();
    expect(one.state).toBe("running");
    child("b").kill(boom);
    expect(await ended).toBe("fulfilled");
    expect([one.state, reports]).toEqual(["completed", [["b", boom]]]);
  });

  test("completes without children, and with those that have nothing to do", async () => {
    const none = supervisor([]);
    await none.done;
    const idle = supervisor([{ start: () => null }, { start: async () => {} }]);
    await idle.done;
    expect([none.state, idle.state]).toEqual(["completed", "completed"]);
  });

  test("a child that fails within reach of its limit starts with the wait of a first failure again", async () => {
    const { child, wait, runtime, supervisor: one } = setUp({ maxRestarts: 9, within: 100 }, [{}]);
    const dues: number[] = [];
    for (const ran of [0, 0, 101]) {
      await wait(ran);
      child("a").kill(boom);
      await turns();
      dues.push((runtime.clock.due as number) - runtime.clock.now());
      await wait(dues.at(-1));
    }
    expect(dues).toEqual([10, 20, 10]);
    await one.stop();
  });
});

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe("too many restarts", () => {
  test("8.13 end it with all causes: the others are stopped, the last failure is told as the cause alone", async () => {
    const { child, wait, ended, log, reports, supervisor: one, runtime } = setUp({ maxRestarts: 1 });
    const second = new Error("second");
    child("b").kill(boom);
    await wait();
    child("b").kill(second);
    const error = (await ended) as RestartError;
    expect(error).toBeInstanceOf(RestartError);
    expect([error.causes, error.cause, one.state]).toEqual([[boom, second], second, "failed"]);
    expect(error.message).toMatch(
      /^expected at most 1 restarts of s within 5000 ms, got 2, the last for Error: second: see causes/,
    );
    expect([reports, log.slice(-2), runtime.clock.pending]).toEqual([[["b", boom]], ["-c", "-a"], 0]);
  });

  test("are forgotten after a while", async () => {
    const { child, wait, states, supervisor: one } = setUp({ maxRestarts: 1, within: 100 });
    for (let i = 0; i < 4; i += 1) {
      child("a").kill(boom);
      await wait(101);
    }
    expect(states()[0]).toBe("running");
    await one.stop();
  });

  test("8.13 the error shows its last cause", async () => {
    for (const [cause, text] of [
      [boom, "Error: boom"],
      [revoked(), "a value that cannot be shown"],
    ] as const) {
      const { ended, child } = setUp({ maxRestarts: 0 }, [{}]);
      child("a").kill(cause);
      expect(String(await ended)).toContain(`at most 0 restarts of s within 5000 ms, got 1, the last for ${text}: see`);
    }
  });

  test("a permanent child that ends well again and again is told what to write", async () => {
    const { child, ended } = setUp({ maxRestarts: 0 }, [{ restart: "permanent" }]);
    child("a").end();
    const error = (await ended) as RestartError;
    expect(String(error.cause)).toMatch(/expected a to run on, got its end: restart: "transient" lets it end well/);
  });
});

const throwing = (): never => {
  // oxlint-disable-next-line only-throw-error -- the mistake under test
  throw "primitive";
};

describe("start", () => {
  test("that throws is a failure: it is tried again", async () => {
    const start = ({ attempt }: ChildContext) => {
      if (attempt < 3) throw boom;
      return new FakeChild("a");
    };
    const { wait, states, reports, supervisor: one } = setUp({}, [{ start }]);
    expect(states()).toEqual(["waiting"]);
    await wait();
    await wait(20);
    expect([states(), reports]).toEqual([
      ["running"],
      [
        ["a", boom],
        ["a", boom],
      ],
    ]);
    expect(one.children()[0]?.restarts).toBe(2);
    await one.stop({ timeout: 0 });
  });

  test.each<readonly [string, unknown]>([
    ["nothing", undefined],
    ["a number", 7],
    ["something with a done that is no promise", { stop: () => {}, done: 7 }],
  ])("that returns %s ends the supervisor at once: it would do so again", async (_what, value) => {
    const { ended, log } = setUp({}, [{}, { start: () => value as never }]);
    expect(await ended).toMatchObject({ code: "ERR_CHILD" });
    expect(log).toEqual(["+a", "-a"]);
  });

  test("that misuses headrace ends the supervisor at once, too", async () => {
    const { ended } = setUp({}, [{ start: () => consumer(7 as never) }]);
    expect(await ended).toMatchObject({ code: "ERR_BEHAVIOUR" });
  });

  test("gets the name, the attempt, and a signal that aborts when its child has ended", async () => {
    const contexts: ChildContext[] = [];
    const start = (context: ChildContext) => {
      contexts.push(context);
      return context.attempt === 1 ? Promise.reject(boom) : Promise.resolve();
    };
    const { wait, ended } = setUp({}, [{ start }]);
    await wait();
    await ended;
    expect(contexts.map(({ name, attempt, signal }) => [name, attempt, signal.aborted])).toEqual([
      ["a", 1, true],
      ["a", 2, true],
    ]);
  });

  test("that throws a primitive has it as the cause of its error", async () => {
    const { ended, reports } = setUp({}, [{ start: throwing, restart: "temporary" }]);
    await ended;
    expect(reports).toEqual([["a", expect.objectContaining({ code: "ERR_CALLBACK", cause: "primitive" })]]);
    expect(String(reports[0]?.[1])).toMatch(/expected start of a of s to succeed, got "primitive"/);
  });
});

const neverReturning = () => consumer<number>(() => new Promise(() => {}));

describe("stop", () => {
  test("ends the children one by one, each within its time", async () => {
    const {
      supervisor: one,
      child,
      log,
      runtime,
      reports,
      wait,
    } = setUp({}, [{}, { shutdown: 100 }, { shutdown: Infinity }]);
    child("c").onStop = () => void log.push("asked c");
    child("b").onStop = () => void log.push("asked b");
    const stopped = one.stop();
    await wait(1e6);
    expect(log.slice(3)).toEqual(["asked c"]);
    child("c").end();
    await turns();
    expect(log.slice(4)).toEqual(["asked b"]);
    await wait(100);
    expect(child("b").stops).toEqual([{}, { timeout: 0 }]);
    await stopped;
    expect([log.slice(5), reports]).toEqual([
      ["asked b", "-a"],
      [["shutdown of b", expect.objectContaining({ code: "ERR_SHUTDOWN" })]],
    ]);
    expect([one.state, runtime.clock.pending]).toEqual(["stopped", 0]);
    expect(String(reports[0]?.[1])).toMatch(
      /expected b of s to end within 100 ms, got a child that runs on: it is abandoned/,
    );
  });

  test("within a time of its own cuts all short together", async () => {
    const { supervisor: one, child, wait, reports } = setUp({}, [{}, {}]);
    for (const name of ["a", "b"]) child(name).onStop = () => {};
    const stopped = one.stop({ timeout: 50 });
    await wait(50);
    await stopped;
    expect(reports.map(([phase]) => phase)).toEqual(["shutdown of a", "shutdown of b"]);
  });

  test("cuts a stage short whose callback never returns: that has ended, and is not abandoned", async () => {
    // On the platform's clock: the stage ends by a timer of its own.
    const jobs = producer<number>((demand) => Array.from({ length: demand }, () => 1));
    const reports: unknown[] = [];
    const inner = () =>
      supervisor([{ start: neverReturning, subscribeTo: jobs, shutdown: Infinity }], {
        onReport: (error) => reports.push(error),
      });
    const one = supervisor([{ start: inner, shutdown: 0 }], { onReport: (error) => void reports.push(error) });
    await turns();
    await one.stop();
    expect([one.state, reports]).toEqual(["stopped", []]);
  });

  test("during a backoff: the timer goes, nothing starts", async () => {
    for (const strategy of ["oneForOne", "oneForAll"] as const) {
      const { supervisor: one, child, runtime, log, ended } = setUp({ strategy });
      child("a").kill(boom);
      await turns();
      expect(runtime.clock.pending).toBe(1);
      await one.stop();
      expect([runtime.clock.pending, log.filter((each) => each === "+a")]).toEqual([0, ["+a"]]);
      expect([await ended, one.state]).toEqual(["fulfilled", "stopped"]);
    }
  });

  test("while a round stops its children: nothing starts", async () => {
    const { supervisor: one, child, log } = setUp({ strategy: "oneForAll" });
    const slow = child("c");
    slow.onStop = () => {};
    child("a").kill(boom);
    await turns();
    const stopped = one.stop();
    await turns();
    slow.end();
    await stopped;
    expect(log.slice(3)).toEqual(["-b"]);
  });

  test("does not count as reading its failure: that is unhandled, once, if no one else reads it", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown) => void unhandled.push(error);
    process.on("unhandledRejection", onUnhandled);
    const one = supervisor([{ start: () => 7 as never }]);
    await one.stop();
    await turns();
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([expect.objectContaining({ code: "ERR_CHILD" })]);
  });

  test("within start: the rest is not started", async () => {
    const log: string[] = [];
    const one: { stop(): Promise<void> } = supervisor([
      { start: () => new FakeChild("a") },
      {
        start: () => {
          log.push("b");
          queueMicrotask(() => void one.stop());
          return null;
        },
      },
    ]);
    await turns();
    expect(log).toEqual(["b"]);
  });

  test("with a reason that is no normal one is a failure, and a second stop changes nothing", async () => {
    const { supervisor: one, ended } = setUp();
    await one.stop({ reason: boom });
    await one.stop();
    expect([await ended, one.state]).toEqual([boom, "failed"]);
    const other = setUp();
    await other.supervisor.stop({ reason: "shutdown" });
    expect(other.supervisor.state).toBe("stopped");
  });

  test("a failure during the stop is told, an abort that it causes is not", async () => {
    const { supervisor: one, child, reports } = setUp({}, [{}, {}]);
    child("a").onStop = () => child("a").kill(boom);
    child("b").onStop = () => child("b").kill(new DOMException("x", "AbortError"));
    await one.stop();
    expect(reports).toEqual([["a", boom]]);
  });

  test("is what `await using` does, which fails with its failure", async () => {
    const { supervisor: one } = setUp();
    await one[Symbol.asyncDispose]();
    expect(one.state).toBe("stopped");
    const bad = setUp({}, [{ start: () => 7 as never }]);
    expect(await failure(bad.supervisor[Symbol.asyncDispose]())).toMatchObject({ code: "ERR_CHILD" });
  });
});

describe("signal", () => {
  test("ends all at once, and leaves no listener", async () => {
    const controller = new AbortController();
    const {
      ended,
      child,
      reports,
      log,
      runtime,
      supervisor: one,
    } = setUp({ signal: controller.signal }, [{}, { shutdown: Infinity }]);
    child("b").onStop = () => {};
    controller.abort(boom);
    runtime.clock.advance(0);
    expect(await ended).toBe(boom);
    expect([reports.map(([phase]) => phase), log.slice(2)]).toEqual([["shutdown of b"], ["-a"]]);
    expect([one.state, getEventListeners(controller.signal, "abort")]).toEqual(["failed", []]);
  });

  test("that has aborted starts nothing", async () => {
    const { ended, log } = setUp({ signal: AbortSignal.abort(boom) });
    expect([await ended, log]).toEqual([boom, []]);
  });

  test("leaves no listener after a good end, and says nothing of a failure it has caused", async () => {
    const controller = new AbortController();
    const { child, ended } = setUp({ signal: controller.signal }, [{}]);
    child("a").end();
    await ended;
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    // Not observed: it is that of the one who aborts.
    const aborting = new AbortController();
    const start = () => consumer(() => {}, { signal: aborting.signal });
    const reports: unknown[] = [];
    const other = supervisor([{ start }], { signal: aborting.signal, onReport: (error) => void reports.push(error) });
    aborting.abort(boom);
    await turns(8);
    expect([other.state, reports]).toEqual(["failed", []]);
  });
});

describe("drain", () => {
  class Drained extends FakeChild {
    drained = 0;
    readonly #then: () => void;
    constructor(name: string, then: () => void) {
      super(name);
      this.#then = then;
    }
    drain(): Promise<void> {
      this.drained += 1;
      this.#then();
      return this.done;
    }
  }

  test("drains the children in order, and stops those that cannot be drained", async () => {
    const first = new Drained("a", () => {});
    const { supervisor: one, log, ended } = setUp({}, [{ start: () => first }, {}]);
    const drained = one.drain();
    await turns();
    expect([first.drained, log, one.state]).toEqual([1, ["+b"], "ending"]);
    first.end();
    await drained;
    expect([log, one.state, await ended]).toEqual([["+b", "-b"], "completed", "fulfilled"]);
    await one.drain();
  });

  test("rejects with a failure, the first, and starts nothing again", async () => {
    const all = [boom, new Error("second")].map((error) => {
      const child: Drained = new Drained("a", () => child.kill(error));
      return { start: () => child };
    });
    const { supervisor: one, reports, ended, runtime } = setUp({}, all);
    expect(await failure(one.drain())).toBe(boom);
    expect([await ended, one.state, reports.map(([phase]) => phase)]).toEqual([boom, "failed", ["b"]]);
    expect(runtime.clock.pending).toBe(0);
  });

  test("8.13 in vain: an async start that hides a pipeline is told what to return", async () => {
    const jobs = queue<number>({ onLastCancel: "continue" });
    const start = async () => pipeline(jobs, collect());
    const { supervisor: one, reports, wait } = setUp({}, [{ start, shutdown: 5 }]);
    const stopped = one.stop();
    await wait(5);
    await stopped;
    expect(String(reports[0]?.[1])).toMatch(/an async start whose child has stop returns \{ done, stop \}/);
    await jobs.stop();
  });

  test("in vain: what is left is cut short", async () => {
    const { supervisor: one, wait, ended, child } = setUp({}, [{ start: () => new Drained("a", () => {}) }, {}]);
    const drained = failure(one.drain({ timeout: 30 }));
    await wait(30);
    expect(await drained).toMatchObject({
      code: "ERR_DRAIN_TIMEOUT",
      message: expect.stringContaining("run on: a, b"),
    });
    expect([await ended, one.state, child("b").stops.length]).toEqual(["fulfilled", "stopped", 2]);
  });

  test("drains sources before what is subscribed to them, in whatever order they are declared, and rings", async () => {
    const order: string[] = [];
    const child = (name: string, subscribeTo: readonly string[]) => {
      const one = Object.assign(new FakeChild(name), {
        subscribe: () => {},
        drain: async () => {
          order.push(name);
          one.end();
        },
      });
      return { name, start: () => one, subscribeTo };
    };
    const graph = [
      child("sink", ["step"]),
      child("step", ["source"]),
      child("source", []),
      child("x", ["y"]),
      child("y", ["x"]),
    ];
    await supervisor(graph).drain();
    expect(order).toEqual(["source", "step", "sink", "y", "x"]);
  });

  test("a child whose drain throws, or rejects, is stopped", async () => {
    const children = [() => Promise.reject(boom), throwing].map((drain, i) => {
      const child = Object.assign(new FakeChild(String(i)), { drain });
      return { start: () => child };
    });
    const { supervisor: one, reports } = setUp({}, children);
    await one.drain();
    await turns();
    expect([one.state, reports]).toEqual([
      "completed",
      [
        ["drain of a", boom],
        ["drain of b", "primitive"],
      ],
    ]);
  });

  test("a child with a failure of another kind is a child", async () => {
    const child = Object.assign(new FakeChild("a"), { failure: "of another kind" });
    const { supervisor: one, reports } = setUp({}, [{ start: () => child, restart: "temporary" }]);
    child.kill(boom);
    await one.done;
    expect(reports).toEqual([["a", boom]]);
  });

  test("a failure that was to be that of the drain is told when something else ends it", async () => {
    const failed = new Drained("a", () => failed.kill(boom));
    const { supervisor: one, reports } = setUp({}, [
      { start: () => failed },
      { start: () => new Drained("b", () => {}) },
    ]);
    const drained = one.drain();
    await turns();
    expect(reports).toEqual([]);
    await one.stop({ timeout: 0 });
    await drained;
    expect([one.state, reports[0]]).toEqual(["stopped", ["drain", boom]]);
  });

  test("a failure that its consumers have first is that of the drain all the same", async () => {
    const record: Failure = { error: boom, stage: "a", callback: "handleEvents", events: [] };
    const first = Object.assign(new Drained("a", () => {}), { failure: record });
    const second = Object.assign(new FakeChild("b"), { failure: record, subscribe: () => {} });
    const { supervisor: one, reports } = setUp({}, [{ start: () => first }, { start: () => second, subscribeTo: "a" }]);
    const drained = failure(one.drain());
    second.kill(boom);
    await turns();
    first.kill(boom);
    expect([await drained, reports]).toEqual([boom, []]);
  });

  test("a round of restarts leaves those alone that are being drained", async () => {
    const first = new Drained("a", () => {});
    const { supervisor: one, child, wait, log } = setUp({ strategy: "oneForAll" }, [{ start: () => first }, {}, {}]);
    const drained = one.drain();
    await turns();
    child("b").kill(boom);
    await wait();
    expect([first.stops, log]).toEqual([[], ["+b", "+c", "-c", "+b", "+c"]]);
    first.end();
    await drained;
    expect(one.state).toBe("completed");
  });

  test("can be cut short by a stop", async () => {
    const { supervisor: one } = setUp({}, [{ start: () => new Drained("a", () => {}) }]);
    const drained = one.drain();
    await one.stop({ timeout: 0 });
    await drained;
    expect(one.state).toBe("stopped");
  });

  test("a child that waits for its restart is not started again", async () => {
    const { supervisor: one, child, runtime, log } = setUp();
    child("a").kill(boom);
    await turns();
    await one.drain();
    expect([runtime.clock.pending, log.filter((each) => each === "+a")]).toEqual([0, ["+a"]]);
  });

  test("a graph of stages: everything taken goes out", async () => {
    const runtime = testRuntime();
    const got: number[] = [];
    const source = queue<number>({ runtime, onLastCancel: "continue" });
    const start = () => consumer<number>((events) => void got.push(...events), { runtime });
    const one = supervisor(
      [
        { name: "source", start: () => source },
        { start, subscribeTo: { to: "source", maxDemand: 2 } },
      ],
      { runtime },
    );
    for (const n of range(1, 9)) source.tryOffer(n);
    await one.drain();
    expect([got, one.state]).toEqual([range(1, 9), "completed"]);
  });
});

/** A consumer that fails at an event the first time it sees it. */
function failing(runtime: TestRuntime, at: ReadonlySet<number>, got: number[]) {
  const left = new Set(at);
  return (): Consumer<number> =>
    consumer<number>(
      (events) => {
        for (const n of events) if (left.delete(n)) throw new Error(`at ${n}`);
        got.push(...events);
      },
      { runtime },
    );
}

const idleConsumer = () => consumer<number>(() => {});

describe("subscriptions", () => {
  test("8.13 a consumer that fails loses no event that it had not started; the batch in hand is told", async () => {
    const runtime = testRuntime();
    const got: number[] = [];
    const lost: LostEvents[] = [];
    const numbers = producer<number>(
      (
        (all) => (demand) =>
          all.splice(0, demand)
      )(range(1, 20)),
      { runtime },
    );
    const { wait, supervisor: one } = setUp({ runtime, onLost: (each) => void lost.push(each) }, [
      { start: failing(runtime, new Set([5, 14]), got), subscribeTo: { to: numbers, maxDemand: 4, minDemand: 2 } },
    ]);
    await wait();
    await wait(20);
    await turns();
    expect(lost.map(({ events, child, error }) => [events, child, String(error)])).toEqual([
      [[5, 6], "a", "Error: at 5"],
      [[13, 14], "a", "Error: at 14"],
    ]);
    expect(got).toEqual(range(1, 20).filter((n) => ![5, 6, 13, 14].includes(n)));
    await one.stop();
  });

  test("a producer that fails comes back, and those that were subscribed to it are so again", async () => {
    const runtime = testRuntime();
    const got: string[] = [];
    const source = ({ attempt }: ChildContext) => {
      let n = 0;
      return producer<string>(
        () => {
          n += 1;
          if (n === 2) throw boom;
          return [`${attempt}`];
        },
        { runtime },
      );
    };
    const sink = () => consumer<string>((events) => void got.push(...events), { runtime });
    for (const cancel of ["permanent", "temporary"] as const) {
      got.length = 0;
      const {
        reports,
        wait,
        supervisor: one,
      } = setUp({ runtime, maxRestarts: 99 }, [{ start: source }, { start: sink, subscribeTo: [{ to: "a", cancel }] }]);
      await wait(100);
      await wait(100);
      expect(got.slice(0, 3)).toEqual(["1", "2", "3"]);
      // One failure is told once, though it ends both. The last one waits for its restart.
      expect(reports.length).toBe((one.children()[0]?.restarts as number) + 1);
      await one.stop();
    }
  });

  test("a child that is made asynchronously is subscribed once it is there", async () => {
    const runtime = testRuntime();
    const got: number[] = [];
    const made = Promise.withResolvers<Consumer<number>>();
    const numbers = producer<number>(
      (
        (all) => (demand) =>
          all.splice(0, demand)
      )([1, 2]),
      { runtime },
    );
    const { supervisor: one } = setUp({ runtime }, [
      { start: () => numbers, shutdown: 0 },
      { start: () => made.promise, subscribeTo: "a" },
    ]);
    await turns();
    made.resolve(consumer<number>((events) => void got.push(...events), { runtime }));
    await turns();
    expect(got).toEqual([1, 2]);
    await one.stop();
  });

  test("to a source that would stop with a failed consumer is refused, with the way out", async () => {
    const stops = queue<number>({ name: "jobs" });
    expect(() => supervisor([{ start: idleConsumer, subscribeTo: stops }])).toThrow(
      /child 1 to be subscribed to a producer that waits for its next consumer, got jobs, which stops .*onLastCancel: "continue"/,
    );
    // One that is not started again may have it.
    const once = supervisor([{ start: idleConsumer, subscribeTo: stops, restart: "temporary" }]);
    await once.stop();
    const { ended } = setUp({}, [{ start: () => queue<number>() }, { start: idleConsumer, subscribeTo: "a" }]);
    expect(await ended).toMatchObject({ code: "ERR_OPTION", message: expect.stringContaining("got a, which stops") });
    // One that is always started again comes back.
    const back = setUp({}, [
      { start: () => queue<number>(), restart: "permanent" },
      { start: idleConsumer, subscribeTo: "a" },
    ]);
    await turns();
    expect(back.states()).toEqual(["running", "running"]);
    await back.supervisor.stop();
    // All for one: the source is started again with its consumer.
    const all = setUp({ strategy: "oneForAll" }, [
      { start: () => queue<number>() },
      { start: idleConsumer, subscribeTo: "a" },
    ]);
    await turns();
    expect(all.states()).toEqual(["running", "running"]);
    await all.supervisor.stop();
  });

  test.each<readonly [string, () => unknown, unknown, string]>([
    ["a child that is no consumer", () => new FakeChild("x"), producer<number>(() => []), "ERR_CHILD"],
    [
      "options that the producer refuses",
      () => consumer(() => {}),
      {
        to: producer((): number[] => [], { dispatcher: partitionDispatcher({ partitions: 2, hash: () => 0 }) }),
        partition: 7,
      },
      "ERR_PARTITION",
    ],
    ["a promise of no consumer", async () => {}, producer<number>(() => []), "ERR_CHILD"],
  ])("%s ends the supervisor at once", async (_what, start, subscribeTo, code) => {
    const { ended } = setUp({}, [{ start: start as never, subscribeTo: subscribeTo as never }]);
    expect(await ended).toMatchObject({ code });
  });

  test("to a stopped producer from outside: it will not come back", async () => {
    const numbers = producer<number>(() => []);
    await numbers.stop();
    const { ended } = setUp({}, [{ start: () => consumer(() => {}), subscribeTo: numbers }]);
    expect(await ended).toMatchObject({ code: "ERR_STOPPED" });
  });

  test("to a stopped child is a failure, for that may come back", async () => {
    const numbers = producer<number>(() => []);
    await numbers.stop();
    const { wait, ended } = setUp({ maxRestarts: 1 }, [
      { start: () => numbers },
      { start: () => consumer(() => {}), subscribeTo: "a" },
    ]);
    await wait();
    expect(await ended).toMatchObject({
      code: "ERR_RESTARTS",
      cause: expect.objectContaining({ code: "ERR_STOPPED" }),
    });
  });

  test("of a child that is ending already is left to its end", async () => {
    const ending = Object.assign(new FakeChild("a"), {
      subscribe: () => {
        throw Object.assign(new TypeError("it has ended"), { code: "ERR_ENDED" });
      },
    });
    const { ended, reports } = setUp({}, [{ start: () => ending, subscribeTo: producer<number>(() => []) }]);
    ending.end();
    expect([await ended, ending.stops, reports]).toEqual(["fulfilled", [], []]);
  });

  test("8.13 to a child that is no producer names both", async () => {
    const { ended } = setUp({}, [{}, { start: () => consumer(() => {}), subscribeTo: "a" }]);
    const error = await ended;
    expect(error).toMatchObject({ code: "ERR_NOT_PRODUCER" });
    expect(String(error)).toMatch(/expected a producer, got a, to which b is subscribed: its start returns producer/);
  });

  test("8.13 a promise of null has nothing to subscribe", async () => {
    const { ended } = setUp({}, [{ start: () => Promise.resolve(null), subscribeTo: producer<number>(() => []) }]);
    expect(await ended).toBe("fulfilled");
  });

  test.each([
    [{ maxDemand: 0 }, "ERR_RANGE"],
    [{ minDemand: -1 }, "ERR_RANGE"],
    [{ maxDemand: 2, minDemand: 2 }, "ERR_RANGE"],
    [{ cancel: "never" }, "ERR_OPTION"],
    [{ demand: "none" }, "ERR_OPTION"],
  ])("8.13 with %j is refused at once", (options, code) => {
    const subscribeTo = { to: producer<number>(() => []), ...options } as never;
    expect(codeOf(() => supervisor([{ start: async () => {}, subscribeTo }]))).toBe(code);
  });

  test.each<readonly [string, ChildDeclaration["start"], ChildDeclaration["restart"]]>([
    ["has declined", () => null, "transient"],
    ["resolves to nothing", async () => {}, "transient"],
    ["resolves to null", () => Promise.resolve(null), "transient"],
    ["fails and is temporary", throwing, "temporary"],
  ])("8.13 to a child that %s fails: that source will not come", async (_what, start, restart) => {
    for (const strategy of ["oneForOne", "oneForAll"] as const) {
      const { ended } = setUp({ strategy }, [
        { name: "source", start, restart },
        { name: "sink", start: () => consumer(() => {}), subscribeTo: "source" },
      ]);
      expect(await ended).toMatchObject({ code: "ERR_CHILD", message: expect.stringMatching(/source .*sink/) });
    }
  });

  test("8.13 a consumer that is there behind its source's end fails likewise", async () => {
    const { ended } = setUp({}, [
      { name: "source", start: () => null },
      { name: "sink", start: async () => consumer(() => {}), subscribeTo: "source" },
    ]);
    expect(await ended).toMatchObject({ code: "ERR_CHILD", message: expect.stringMatching(/source .*sink/) });
  });

  describe("to a source outside that fails while its consumer waits for a restart", () => {
    const source = new Error("source");
    const waiting = async (cancel: "permanent" | "temporary" = "permanent", options: SupervisorOptions = {}) => {
      const runtime = testRuntime();
      const numbers = producer<number>(() => {}, { runtime, name: "numbers" });
      const start = () =>
        consumer(
          () => {
            throw boom;
          },
          { runtime },
        );
      const all = setUp({ runtime, ...options }, [{ start, subscribeTo: { to: numbers, cancel } }]);
      numbers.push([1]);
      await turns();
      expect(all.states()).toEqual(["waiting"]);
      numbers.fail(source);
      await turns();
      return all;
    };

    test("8.13 the next start meets the failure", async () => {
      const { ended, wait, reports } = await waiting("permanent", { maxRestarts: 1 });
      expect(reports).toEqual([["a", boom]]);
      await wait();
      expect(await ended).toMatchObject({ code: "ERR_RESTARTS", cause: source });
      expect(reports.length).toBe(1);
    });

    test("8.13 it is reported when the supervisor is stopped before", async () => {
      const { ended, reports, supervisor: one } = await waiting();
      await one.stop();
      expect(await ended).toBe("fulfilled");
      expect(reports).toEqual([
        ["a", boom],
        ["numbers", source],
      ]);
    });

    test("8.13 and behind the end of the supervisor, it is reported", async () => {
      const runtime = testRuntime();
      const numbers = producer<number>(() => {}, { runtime, name: "numbers" });
      const { reports, supervisor: one } = setUp({ runtime }, [
        { start: () => consumer(() => {}, { runtime }), subscribeTo: numbers },
      ]);
      await turns();
      await one.stop();
      numbers.fail(source);
      await turns();
      expect(reports).toEqual([["numbers", source]]);
    });

    test("8.13 a running consumer that goes on without it does not hide it", async () => {
      const runtime = testRuntime();
      const numbers = producer<number>(() => {}, { runtime, name: "numbers" });
      const {
        reports,
        states,
        supervisor: one,
      } = setUp({ runtime }, [
        { start: () => consumer(() => {}, { runtime }), subscribeTo: { to: numbers, cancel: "temporary" } },
      ]);
      await turns();
      numbers.fail(source);
      await turns();
      expect([reports, states()]).toEqual([[["numbers", source]], ["running"]]);
      await one.stop();
    });
  });

  test("to a completed producer completes the child", async () => {
    const runtime = testRuntime();
    const numbers = producer<number>((_demand, stage) => stage.complete(), { runtime });
    numbers.complete();
    await numbers.done;
    const { ended } = setUp({ runtime }, [{ start: () => consumer(() => {}, { runtime }), subscribeTo: numbers }]);
    expect(await ended).toBe("fulfilled");
  });

  test("what its group holds goes back to a source outside", async () => {
    const runtime = testRuntime();
    const numbers = producer<number>(
      (
        (all) => (demand) =>
          all.splice(0, demand)
      )(range(1, 6)),
      { runtime },
    );
    const never = () => consumer<number>(() => new Promise(() => {}), { runtime });
    const { supervisor: one, wait } = setUp({ runtime }, [
      { start: never, subscribeTo: { to: numbers, maxDemand: 2 }, shutdown: 5 },
    ]);
    await turns();
    const stopped = one.stop();
    await wait(5);
    await stopped;
    // One was in the hands of a callback that never returns.
    expect(await pipeline.with({ runtime })(numbers, take(5), collect())).toEqual(range(2, 6));
  });
});

/** A step that fails at one event, once, and its sinks. */
const chain = (runtime: TestRuntime, got: number[], at: number) => {
  let fails = true;
  const step = () =>
    producerConsumer<number, number>(
      (events) => {
        if (fails && events.includes(at)) {
          fails = false;
          throw boom;
        }
        return events;
      },
      { runtime },
    );
  const sink = () => consumer<number>((events) => void got.push(...events), { runtime });
  return { step, sink };
};
const counted = (runtime: TestRuntime, count: number) =>
  producer<number>(
    (
      (all) => (demand) =>
        all.splice(0, demand)
    )(range(1, count)),
    { runtime },
  );

describe("a failure that ends a stage and its consumers", () => {
  test("8.13 counts once, and is told once", async () => {
    const runtime = testRuntime();
    const got: number[] = [];
    const { step, sink } = chain(runtime, got, 5);
    const sinks = range(1, 2).map(() => ({ start: sink, subscribeTo: "a" }));
    const first = { start: step, subscribeTo: { to: counted(runtime, 9), maxDemand: 1 } };
    const { supervisor: one, reports, wait, states } = setUp({ runtime, maxRestarts: 1 }, [first, ...sinks]);
    await wait();
    await wait();
    expect([states(), one.inspect().restarts, reports]).toEqual([["running", "running", "running"], 1, [["a", boom]]]);
    expect(got.toSorted((a, b) => a - b)).toEqual(range(1, 9).filter((n) => n !== 5));
    await one.stop();
  });

  test("counts again for a child that comes back to a producer which has failed", async () => {
    const runtime = testRuntime();
    const numbers = counted(runtime, 3);
    void numbers.done.catch(() => {});
    const { ended, wait, reports } = setUp({ runtime, maxRestarts: 2 }, [
      { start: idleConsumer, subscribeTo: numbers },
    ]);
    numbers.fail(boom);
    for (const ms of [10, 20, 40]) await wait(ms);
    expect(await ended).toMatchObject({ code: "ERR_RESTARTS", causes: [boom, boom, boom] });
    expect(reports).toEqual([["a", boom]]);
  });

  test("counts again for each that comes back to it", async () => {
    const runtime = testRuntime();
    const numbers = counted(runtime, 3);
    void numbers.done.catch(() => {});
    const child = { start: idleConsumer, subscribeTo: numbers };
    const { ended, wait, reports } = setUp({ runtime, maxRestarts: 2 }, [child, child]);
    numbers.fail(boom);
    await wait();
    // One for both, then one for each.
    expect(((await ended) as RestartError).causes).toEqual([boom, boom, boom]);
    expect(reports).toEqual([["a", boom]]);
  });

  test("while it is drained is that of the drain, once; its consumers are not started again", async () => {
    const runtime = testRuntime();
    const { step } = chain(runtime, [], 3);
    const gate = Promise.withResolvers<void>();
    const starts: number[] = [];
    const sink = ({ attempt }: ChildContext) => {
      starts.push(attempt);
      return consumer<number>(() => gate.promise, { runtime });
    };
    const {
      supervisor: one,
      reports,
      ended,
    } = setUp({ runtime }, [
      { start: step, subscribeTo: { to: counted(runtime, 9), maxDemand: 2 } },
      { start: sink, subscribeTo: { to: "a", maxDemand: 1 } },
    ]);
    // The sink has the first event in hand; the step has emitted the second, and not begun the third.
    await turns();
    const drained = failure(one.drain());
    await turns();
    gate.resolve();
    expect([await drained, await ended, reports, runtime.clock.pending]).toEqual([boom, boom, [], 0]);
    expect(starts).toEqual([1]);
  });

  test("while its source is drained: it is started again, and gets the rest", async () => {
    const runtime = testRuntime();
    const got: number[] = [];
    const lost: LostEvents[] = [];
    const numbers = queue<number>({ runtime, onLastCancel: "continue" });
    for (const n of range(1, 9)) numbers.tryOffer(n);
    const start = failing(runtime, new Set([2]), got);
    const {
      supervisor: one,
      reports,
      wait,
    } = setUp({ runtime, onLost: (each) => void lost.push(each) }, [
      { start: () => numbers },
      { start, subscribeTo: { to: "a", maxDemand: 1 } },
    ]);
    const drained = one.drain();
    await wait();
    await drained;
    expect([got, lost.flatMap(({ events }) => events), reports.length]).toEqual([[1, ...range(3, 9)], [2], 1]);
  });
});

describe("nesting", () => {
  test("a supervisor is a child like any other: its failure is a failure, its stop an end", async () => {
    const starts: number[] = [];
    const inner = ({ attempt }: ChildContext) => {
      starts.push(attempt);
      const start = () => (attempt === 1 ? Promise.reject(boom) : new FakeChild("x"));
      return supervisor([{ start }], { maxRestarts: 0, name: `inner ${attempt}`, runtime });
    };
    const runtime = testRuntime();
    const { wait, reports, supervisor: one } = setUp({ runtime }, [{ start: inner }]);
    await wait();
    expect(starts).toEqual([1, 2]);
    expect(reports).toEqual([["a", expect.objectContaining({ code: "ERR_RESTARTS", causes: [boom] })]]);
    expect(one.inspect()).toMatchObject({
      name: "s",
      kind: "supervisor",
      state: "running",
      children: [{ name: "a", state: "running", restart: "transient", restarts: 1, inspection: { name: "inner 2" } }],
    });
    await one.stop();
    expect(one.inspect().state).toBe("stopped");
  });
});

const nothing = () => null;
describe("bad input", () => {
  const start = nothing;
  test.each<readonly [string, unknown, unknown, string, RegExp]>([
    ["no list", { start }, {}, "ERR_OPTION", /an array of children/],
    ["a function as a child", [start], {}, "ERR_OPTION", /child 1 of supervisor to be \{ start/],
    ["nothing as a child", [undefined], {}, "ERR_OPTION", /child 1 of supervisor/],
    ["no start", [{ name: "x" }], {}, "ERR_OPTION", /x to have start, a function, got undefined/],
    ["a name", [{ start, name: 1 }], {}, "ERR_OPTION", /the name of child 1/],
    [
      "a name twice",
      [
        { start, name: "x" },
        { start, name: "x" },
      ],
      {},
      "ERR_OPTION",
      /names of children to differ, got "x"/,
    ],
    ["restart", [{ start, restart: "always" }], {}, "ERR_OPTION", /restart of child 1 to be one of permanent/],
    ["shutdown", [{ start, shutdown: Number.NaN }], {}, "ERR_RANGE", /shutdown/],
    ["an unknown option of a child", [{ start, strategy: "oneForOne" }], {}, "ERR_OPTION", /child 1 options among/],
    ["subscribeTo", [{ start, subscribeTo: 7 }], {}, "ERR_OPTION", /a producer, a child's name, or \{ to \}, got 7/],
    ["subscribeTo without to", [{ start, subscribeTo: { maxDemand: 1 } }], {}, "ERR_OPTION", /or \{ to \}/],
    [
      "subscribeTo a stranger",
      [{ start, subscribeTo: "x" }],
      {},
      "ERR_OPTION",
      /to name another child \(none\), got "x"/,
    ],
    [
      "subscribeTo itself",
      [
        { start, name: "x", subscribeTo: "x" },
        { start, name: "y" },
      ],
      {},
      "ERR_OPTION",
      /\(y\), got "x"/,
    ],
    ["strategy", [], { strategy: "one_for_one" }, "ERR_OPTION", /oneForOne, restForOne, oneForAll/],
    ["an unknown option", [], { restarts: 1 }, "ERR_OPTION", /supervisor options among strategy/],
    ["options", [], 3, "ERR_OPTION", /the options of supervisor to be an object/],
    ["maxRestarts", [], { maxRestarts: -1 }, "ERR_RANGE", /maxRestarts/],
    ["signal", [], { signal: {} }, "ERR_OPTION", /an AbortSignal/],
    ["runtime", [], { runtime: {} }, "ERR_OPTION", /a runtime\(\)/],
    ["onReport", [], { onReport: 1 }, "ERR_OPTION", /onReport/],
    ["onLost", [], { onLost: 1 }, "ERR_OPTION", /onLost/],
    ["options' name", [], { name: 1 }, "ERR_OPTION", /name/],
  ])("%s is refused at once", (_what, children, options, code, text) => {
    const make = () => supervisor(children as never, options as never);
    expect(codeOf(make)).toBe(code);
    expect(make).toThrow(text);
  });

  test("of stop and drain is refused", async () => {
    const { supervisor: one } = setUp();
    expect(await failure(one.stop({ time: 1 } as never))).toMatchObject({ code: "ERR_OPTION" });
    expect(await failure(one.drain({ timeout: -1 }))).toMatchObject({ code: "ERR_RANGE" });
    await one.stop();
  });
});
