import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import {
  broadcastDispatcher,
  CallbackError,
  type Clock,
  consumer,
  failureOf,
  fromIterable,
  map,
  collect,
  pipeline,
  producer,
  type ProducerContext,
  producerConsumer,
  runtime as makeRuntime,
  type StageContext,
  type Task,
} from "../../src/index.ts";
import { range, testRuntime, turns, VirtualClock } from "../support/runtime.ts";
import { Counter, Forwarder, outcome, Quiet, RawConsumer, RawProducer } from "../support/stages.ts";
import { Single } from "./single.ts";

const nothing = () => {};
const boom = new Error("boom");
const never = () => new Promise<never>(nothing);
const raise = (): never => {
  throw boom;
};
const reporting = () => {
  const reports: [unknown, string][] = [];
  const onReport = (error: unknown, { phase }: { phase: string }) => void reports.push([error, phase]);
  return { reports, options: { runtime: testRuntime(), onReport } };
};

const pushing = (_demand: number, stage: ProducerContext<number>) => {
  stage.push([1]);
  stage.push([2]);
  return [3];
};
/** A clock on which each look takes a while, and what is to run next. */
const slowClock = () => {
  const clock = new VirtualClock();
  const macrotasks: (() => void)[] = [];
  let now = 0;
  const slow: Clock = {
    now: () => (now += 1),
    microtask: (fn) => clock.microtask(fn),
    macrotask: (fn) => void macrotasks.push(fn),
    setTimer: (fn, ms) => clock.setTimer(fn, ms),
    clearTimer: (timer) => clock.clearTimer(timer),
  };
  return { slow, macrotasks };
};
/** Whether the signal of a pending handleDemand has aborted right behind an end, and at last. */
const signals = async (
  end: (p: { stop: () => unknown; fail: (e: unknown) => void; drain: () => unknown }) => unknown,
) => {
  const runtime = testRuntime();
  const gate = Promise.withResolvers<number[]>();
  let inside: StageContext | undefined;
  const handleDemand = (_demand: number, stage: StageContext) => {
    inside = stage;
    return gate.promise;
  };
  const p = producer<number>({ handleDemand }, { runtime, onDiscard: nothing });
  const ended = outcome(p);
  new RawConsumer<number>().attach(p).ask(1);
  await turns();
  const before = inside?.signal.aborted;
  void end(p);
  const aborted = inside?.signal.aborted;
  gate.resolve([1]);
  await ended;
  return [before, aborted, inside?.signal.aborted];
};

describe("6. Callbacks and running", () => {
  test.each<readonly [string, () => unknown]>([
    ["throws", raise],
    ["rejects with", () => Promise.reject(boom)],
  ])("6.1 what a callback %s fails its stage, and done, links and loops reject with it", async (_how, handleDemand) => {
    const runtime = testRuntime();
    const p = producer<number>({ handleDemand: handleDemand as never }, { runtime });
    const ended = outcome(p);
    const loop = p.events();
    const raw = new RawConsumer<number>().attach(p).ask(1);
    await expect(loop.next()).rejects.toBe(boom);
    expect(await ended).toBe(boom);
    expect(raw.ends).toEqual([{ type: "failure", error: boom }]);
  });

  test.each([["text"], [7], [undefined], [null]])(
    "6.1 the primitive %o is wrapped in a CallbackError, as its cause",
    async (value) => {
      const c = consumer<number>(() => Promise.reject(value), { runtime: testRuntime() });
      const ended = outcome(c);
      c.subscribe(fromIterable([1]));
      const error = (await ended) as CallbackError;
      expect([error instanceof CallbackError, error.code, error.cause]).toEqual([true, "ERR_CALLBACK", value]);
    },
  );

  test("6.1 headrace's own errors keep their code", async () => {
    const c = consumer<number>((_events, subscription) => subscription.ask(1), { runtime: testRuntime() });
    const ended = outcome(c);
    c.subscribe(fromIterable([1]));
    expect(await ended).toMatchObject({ code: "ERR_ASK_AUTOMATIC" });
  });

  test("6.1 failure and failureOf tell stage, callback and events, in a pipeline step, index and event", async () => {
    const runtime = testRuntime();
    const error = new Error("own");
    const c = consumer<number>(() => Promise.reject(error), { runtime, name: "c" });
    const ended = outcome(c);
    c.subscribe(fromIterable([1, 2], { runtime }));
    await ended;
    expect(c.failure).toMatchObject({ error, stage: "c", callback: "handleEvents", events: [1, 2] });
    expect(failureOf(error)).toBe(c.failure);
    const other = new Error("other");
    const step = map((n: number) => {
      if (n === 2) throw other;
      return n;
    });
    const { done } = pipeline(
      fromIterable([1, 2, 3], { runtime }),
      map((n) => n),
      step,
      collect(),
    );
    await expect(done).rejects.toBe(other);
    expect(failureOf(other)).toMatchObject({ step: "map", index: 1, event: 2, events: [2] });
  });

  test("6.1 methods and getters of a dispatcher count as callbacks", async () => {
    class Throwing extends Single {
      override dispatch = raise;
    }
    const p = producer(new Quiet<number>(), { runtime: testRuntime(), dispatcher: new Throwing() });
    const ended = outcome(p);
    new RawConsumer<number>().attach(p).ask(1);
    await turns();
    p.push([1]);
    expect([await ended, p.failure?.error]).toEqual([boom, boom]);
    const getter = Object.defineProperty(new Single(), "wanted", { get: raise, set: nothing });
    const other = producer(new Quiet<number>(), { runtime: testRuntime(), dispatcher: getter });
    const otherEnded = outcome(other);
    new RawConsumer<number>().attach(other).ask(1);
    expect(await otherEnded).toBe(boom);
  });

  test("6.1 the function of call or info fails to its caller, a selector ends its subscription", async () => {
    const p = producer(new Quiet<number>(), { runtime: testRuntime(), dispatcher: broadcastDispatcher() });
    await expect(p.call(raise)).rejects.toBe(boom);
    await expect(p.info(raise)).rejects.toBe(boom);
    const raw = new RawConsumer<number>().attach(p, { selector: raise }).ask(1);
    const other = new RawConsumer<number>().attach(p).ask(1);
    await turns();
    p.push([1]);
    await turns();
    expect([raw.ends, other.batches, p.state]).toEqual([[{ type: "failure", error: boom }], [[1]], "running"]);
  });

  test("6.1 terminate, onDiscard and every second failure go to onReport", async () => {
    const { reports, options } = reporting();
    const p = producer<number>({ handleDemand: nothing, terminate: raise }, { ...options, onDiscard: raise });
    p.push([1]);
    await p.stop();
    expect([p.state, reports]).toEqual([
      "stopped",
      expect.arrayContaining([
        [boom, "terminate"],
        [boom, "onDiscard"],
      ]),
    ]);
    const second = reporting();
    const gate = Promise.withResolvers<number[]>();
    const failing = producer<number>({ handleDemand: () => gate.promise }, second.options);
    const ended = outcome(failing);
    new RawConsumer<number>().attach(failing).ask(1);
    await turns();
    const first = new Error("first");
    failing.fail(first);
    gate.reject(boom);
    expect(await ended).toBe(first);
    await turns();
    expect(second.reports).toEqual([[boom, "handleDemand"]]);
  });

  test.each([["text"], [7], [{}], [new Set([1])], ["later"]])("6.2 handleDemand must not return %o", async (result) => {
    const p = producer<number>({ handleDemand: () => result as never }, { runtime: testRuntime() });
    const ended = outcome(p);
    new RawConsumer<number>().attach(p).ask(1);
    expect(await ended).toMatchObject({ code: "ERR_RESULT" });
  });

  test("6.2 nor handleEvents and handleEnd of a stage that emits; other callbacks' results mean nothing", async () => {
    const runtime = testRuntime();
    const through = (behaviour: object) => {
      const t = producerConsumer<number, number>({ handleEvents: (events) => events, ...behaviour }, { runtime });
      const ended = outcome(t);
      t.subscribe(fromIterable([1], { runtime }));
      new RawConsumer<number>().attach(t).ask(9);
      return ended;
    };
    expect(await through({ handleEvents: () => "text" })).toMatchObject({ code: "ERR_RESULT" });
    expect(await through({ handleEnd: () => 7 })).toMatchObject({ code: "ERR_RESULT" });
    expect(await through({ init: () => 7, handleSubscribe: () => 7, handleCancel: () => 7, terminate: () => 7 })).toBe(
      "fulfilled",
    );
    const c = consumer<number>({ handleEvents: () => 7, handleEnd: () => 7 }, { runtime });
    c.subscribe(fromIterable([1], { runtime }));
    expect(await outcome(c)).toBe("fulfilled");
  });

  test("6.3 a stage handles one message at a time, and other stages go on", async () => {
    const runtime = testRuntime();
    const gates: (() => void)[] = [];
    const log: unknown[] = [];
    const slow = consumer<number>(
      (events) => {
        log.push(events);
        return new Promise<void>((resolve) => void gates.push(resolve));
      },
      { runtime },
    );
    const quick = new Forwarder<number>();
    const input = new RawProducer<number>();
    slow.subscribe(input.producer);
    consumer(quick, { runtime }).subscribe(fromIterable([8, 9], { runtime }));
    await turns();
    input.port.events([1]);
    input.port.events([2]);
    void slow.call(() => log.push("call"));
    await turns();
    expect([log, quick.batches]).toEqual([[[1]], [[8, 9]]]);
    gates[0]?.();
    await turns();
    expect(log).toEqual([[1], [2]]);
    gates[1]?.();
    await turns();
    expect(log).toEqual([[1], [2], "call"]);
  });

  test("6.3 a promise is what await waits for, a function with a then included", async () => {
    let settle: (events: number[]) => void = nothing;
    // oxlint-disable-next-line unicorn/no-thenable -- that is what it is
    const thenable = Object.assign(() => {}, { then: (resolve: typeof settle) => void (settle = resolve) });
    const p = producer<number>({ handleDemand: () => thenable as never }, { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p).ask(2);
    await turns();
    expect([raw.batches, p.inspect().stages[0]?.busy]).toEqual([[], "handleDemand"]);
    settle([1, 2]);
    await turns();
    expect([raw.batches, p.state]).toEqual([[[1, 2]], "running"]);
  });

  test("6.4 stages take turns first in, first out, one message a turn; messages are not merged", async () => {
    const runtime = testRuntime();
    const log: string[] = [];
    const [a, b] = ["a", "b"].map((name) => {
      const handleDemand = (demand: number) => void log.push(`${name}${demand}`);
      return producer<number>({ handleDemand }, { runtime });
    });
    const [toA, toB] = [new RawConsumer<number>().attach(a as never), new RawConsumer<number>().attach(b as never)];
    await turns();
    toA.ask(1).ask(2).ask(3);
    toB.ask(4).ask(5);
    await turns();
    expect(log).toEqual(["a1", "b4", "a2", "b5", "a3"]);
  });

  test("6.4 a seeded scheduler may pick any stage that is ready", async () => {
    const orders = new Set<string>();
    for (const seed of range(1, 12)) {
      const runtime = testRuntime({ seed });
      const log: string[] = [];
      for (const name of ["a", "b", "c"])
        consumer({ init: () => void log.push(name), handleEvents: nothing }, { runtime });
      await turns();
      expect(new Set(log)).toEqual(new Set(["a", "b", "c"]));
      orders.add(log.join(""));
    }
    expect(orders.size).toBeGreaterThan(1);
  });

  test("6.5 a turn does not run inside the call that caused it, but in a microtask or in flush()", async () => {
    const runtime = testRuntime();
    const source = new Counter(9);
    const p = producer(source, { runtime });
    const raw = new RawConsumer<number>().attach(p).ask(2);
    expect([source.demands, raw.batches]).toEqual([[], []]);
    runtime.flush();
    expect([source.demands, raw.batches]).toEqual([[2], [[0, 1]]]);
    raw.ask(1);
    expect(source.demands).toEqual([2]);
    await Promise.resolve();
    await Promise.resolve();
    expect(source.demands).toEqual([2, 1]);
  });

  test("6.5 an end caused during a dispatch takes effect behind it", async () => {
    const p = producer(new Quiet<number>(), { runtime: testRuntime(), dispatcher: broadcastDispatcher() });
    const ended = outcome(p);
    const first = new RawConsumer<number>("first");
    const { events } = first;
    Object.assign(first, {
      events: (batch: number[]) => {
        events(batch);
        p.fail(boom);
      },
    });
    first.attach(p).ask(2);
    const second = new RawConsumer<number>("second").attach(p).ask(2);
    await turns();
    p.push([1, 2]);
    expect(await ended).toBe(boom);
    expect([first.batches, second.log]).toEqual([
      [[1, 2]],
      [
        ["events", [1, 2]],
        ["end", { type: "failure", error: boom }],
      ],
    ]);
  });

  test("6.6 a runtime yields a macrotask once it has worked for its budget; flush() does not", async () => {
    const { slow, macrotasks } = slowClock();
    const runtime = makeRuntime({ clock: slow, budget: 5 });
    let ran = 0;
    const task: Task = {
      run() {
        ran += 1;
        if (ran < 5_000) runtime.schedule(task);
      },
    };
    runtime.schedule(task);
    await turns();
    expect([ran > 0, ran < 1_000, macrotasks.length]).toEqual([true, true, 1]);
    const before = ran;
    macrotasks.shift()?.();
    await turns();
    expect([ran > before, ran < 2_000]).toEqual([true, true]);
    runtime.flush();
    expect(ran).toBe(5_000);
  });

  test("6.7 callbacks run in the asynchronous context in which their stage was made", async () => {
    const store = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const note = () => void seen.push(store.getStore());
    const runtime = testRuntime();
    const c = store.run("maker", () =>
      consumer<number>({ init: note, handleEvents: note, terminate: note }, { runtime }),
    );
    store.run("subscriber", () => c.subscribe(fromIterable([1], { runtime })));
    await c.done;
    expect(seen).toEqual(["maker", "maker", "maker"]);
  });

  test("6.8 events that a callback pushes go before its result", async () => {
    const p = producer<number>({ handleDemand: pushing }, { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p).ask(3);
    await turns();
    expect(raw.batches.flat()).toEqual([1, 2, 3]);
  });

  test("6.9 the stage that a callback gets has nothing that can be awaited", async () => {
    const stages = await Promise.all([
      producer(nothing).call((stage) => [stage]),
      producerConsumer(nothing).call((stage) => [stage]),
      consumer(nothing).call((stage) => [stage]),
    ]);
    for (const stage of stages.flat()) {
      for (const name of ["done", "then", "call", "info", "drain", "flushed", "events", "batches"])
        expect(name in stage).toBe(false);
      expect([Symbol.asyncIterator in stage, Symbol.asyncDispose in stage, stage.stop()]).toEqual([
        false,
        false,
        undefined,
      ]);
    }
  });

  test("6.10 init runs before every other callback, and messages wait for it", async () => {
    const runtime = testRuntime();
    const log: unknown[] = [];
    const gate = Promise.withResolvers<void>();
    const p = producer<number>(
      {
        init: () => {
          log.push("init");
          return gate.promise;
        },
        handleSubscribe: () => void log.push("handleSubscribe"),
        handleDemand: (n) => void log.push(n),
      },
      { runtime },
    );
    new RawConsumer<number>().attach(p).ask(2);
    await turns();
    expect([log, p.state]).toEqual([["init"], "running"]);
    gate.resolve();
    await turns();
    expect(log).toEqual(["init", "handleSubscribe", 2]);
  });

  test("6.10 terminate runs once, also if init failed or never ran", async () => {
    const log: unknown[] = [];
    const make = (init: () => void) =>
      consumer<number>(
        { init, handleEvents: nothing, terminate: ({ type }) => void log.push(type) },
        { runtime: testRuntime(), signal },
      );
    let { signal } = new AbortController();
    expect(await outcome(make(raise))).toBe(boom);
    expect(log).toEqual(["failure"]);
    signal = AbortSignal.abort(boom);
    let ran = false;
    expect(await outcome(make(() => void (ran = true)))).toBe(boom);
    expect([ran, log]).toEqual([false, ["failure", "failure"]]);
  });

  test("6.11 stage.signal aborts at a failure and a producer's at stop(), but not at drain(), at the latest when the links end", async () => {
    expect(await signals((p) => p.fail(boom))).toEqual([false, true, true]);
    expect(await signals((p) => p.stop())).toEqual([false, true, true]);
    expect(await signals((p) => p.drain())).toEqual([false, false, true]);
  });

  test("6.11 it aborts when the stage stops with its last consumer, and at a timeout that has run out", async () => {
    const runtime = testRuntime();
    const contexts: StageContext[] = [];
    const handleDemand = (_demand: number, stage: StageContext) => {
      contexts.push(stage);
      return never();
    };
    const p = producer<number>({ handleDemand }, { runtime, onLastCancel: "stop" });
    const raw = new RawConsumer<number>().attach(p).ask(1);
    const handleEvents = (_events: readonly number[], _subscription: unknown, stage: StageContext) => {
      contexts.push(stage);
      return never();
    };
    const c = consumer<number>({ handleEvents }, { runtime });
    c.subscribe(fromIterable([1], { runtime }));
    await turns();
    const aborted = () => contexts.map(({ signal }) => signal.aborted);
    raw.leave();
    const stopped = c.stop({ timeout: 10 });
    await turns();
    // A consumer's does not abort at stop(): its callback may finish.
    expect(aborted()).toEqual([true, false]);
    runtime.clock.advance(10);
    await stopped;
    expect(aborted()).toEqual([true, true]);
  });

  test("6.11 from then on a callback that rejects with signal.reason or an AbortError counts as returning nothing", async () => {
    for (const error of [undefined, new DOMException("enough", "AbortError")]) {
      const { reports, options } = reporting();
      const handleDemand = (_demand: number, { signal }: StageContext) =>
        new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject((error ?? signal.reason) as Error));
        });
      const p = producer<number>({ handleDemand }, options);
      new RawConsumer<number>().attach(p).ask(1);
      await turns();
      await p.stop();
      expect([p.state, reports]).toEqual(["stopped", []]);
    }
  });

  test("6.11 what handleDemand returns after the end goes to onDiscard", async () => {
    const discarded: unknown[] = [];
    const gate = Promise.withResolvers<number[]>();
    const options = {
      runtime: testRuntime(),
      onDiscard: (one: { events: readonly number[] }) => void discarded.push(one.events),
    };
    const p = producer<number>({ handleDemand: () => gate.promise }, options);
    const ended = outcome(p);
    new RawConsumer<number>().attach(p).ask(1);
    await turns();
    p.fail(boom);
    await turns();
    gate.resolve([1, 2]);
    expect(await ended).toBe(boom);
    await turns();
    expect(discarded).toEqual([[1, 2]]);
  });

  test("6.12 giveBack returns events with the end of the link, report calls onReport, runtime has the clock", async () => {
    const { reports, options } = reporting();
    const input = new RawProducer<number>();
    const c = consumer<number>((events, subscription, stage) => {
      stage.giveBack(subscription, events.slice(1));
      stage.report(boom, "my own");
      reports.push([stage.runtime.clock.now(), "now"]);
      subscription.cancel();
    }, options);
    c.subscribe(input.producer, { maxDemand: 3, minDemand: 0, cancel: "temporary" });
    options.runtime.clock.advance(7);
    await turns();
    input.port.events([1, 2, 3]);
    input.port.events([4]);
    await turns();
    expect(reports.slice(0, 2)).toEqual([
      [boom, "my own"],
      [7, "now"],
    ]);
    expect(input.ends[0]?.unstarted?.slice(0, 2)).toEqual([2, 3]);
  });
});
