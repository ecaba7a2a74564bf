import { describe, expect, test } from "vitest";
import {
  consumer,
  type DemandMode,
  failureOf,
  mapAsync,
  partitionDispatcher,
  pipeline,
  producer,
  producerConsumer,
  type Runtime,
} from "../../../src/index.ts";
import { Single } from "../../protocol/single.ts";
import { RawConsumer, RawProducer } from "../../support/stages.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { boom, Rig, say } from "./rig.ts";

const noop = (): void => {};

describe("5.4 an end that a callback causes takes effect when it has returned", () => {
  test.each(["fail", "fail, then push"])("5.4 handleDemand: %s", async (how) => {
    const log: string[] = [];
    const stage = producer<number>(
      {
        handleDemand(_demand, self) {
          if (how !== "fail") self.push([1]);
          self.fail(boom);
          if (how !== "fail") self.push([2]);
          log.push("returned");
        },
        terminate: () => void log.push("terminated"),
      },
      { runtime: testRuntime() },
    );
    stage.done.catch(noop);
    new RawConsumer<number>().attach(stage).ask(3);
    await turns();
    expect(log).toEqual(["returned", "terminated"]);
  });

  test("5.4 the batch in which a consumer completes carries no ask", async () => {
    const source = new RawProducer<number>();
    const sink = consumer<number>(
      { handleEvents: (_events, _link, self) => self.complete() },
      { runtime: testRuntime() },
    );
    sink.subscribe(source.producer, { maxDemand: 4, minDemand: 2 });
    await turns();
    source.port.events([1, 2]);
    await turns();
    expect([source.asks, source.ends.length, sink.state]).toEqual([[4], 1, "completed"]);
  });

  test("5.6 a failing batch sends the rest of its message back to its own source, not to a later one", async () => {
    const runtime = testRuntime();
    const [first, second] = [new RawProducer<number>(), new RawProducer<number>()];
    const sink = consumer<number>(() => Promise.reject(boom), { runtime });
    const done = sink.done.catch(say);
    sink.subscribe(first.producer, { maxDemand: 4, minDemand: 2 });
    sink.subscribe(second.producer, { maxDemand: 4, minDemand: 2 });
    await turns();
    first.port.events([1, 2, 3, 4]);
    second.port.events([5]);
    expect(await done).toBe("boom");
    expect([first, second].map(({ ends }) => ends.map(({ unstarted }) => unstarted))).toEqual([[[3, 4]], [[5]]]);
  });
});

describe("6.1 where an error came from", () => {
  test("6.2 a result that is no array fails the stage in the callback that returned it", async () => {
    for (const [kind, callback] of [
      ["producer", "handleDemand"],
      ["producerConsumer", "handleEvents"],
    ] as const) {
      const rig = new Rig(kind);
      rig.scripts.push(() => 7);
      const failed = rig.stage.done.catch((error: unknown) => error);
      rig.sink.ask(1);
      // oxlint-disable-next-line no-await-in-loop -- one kind after the other
      await turns();
      if (kind !== "producer") rig.source.port.events([1]);
      // oxlint-disable-next-line no-await-in-loop -- one kind after the other
      const error = await failed;
      expect(failureOf(error)).toMatchObject({ callback });
      expect(say(error)).toBe("ERR_RESULT");
      expect(error).toMatchObject({ message: expect.stringContaining(`${callback} of `) as string });
    }
  });

  test("6.1 a getter of the dispatcher that throws behind a push fails the stage, and the push returns", async () => {
    let broken = false;
    const breaks = new Single();
    Object.defineProperty(breaks, "wanted", {
      get: () => {
        if (broken) throw boom;
        return 0;
      },
    });
    breaks.dispatch = (events) => {
      broken = true;
      return events.length;
    };
    const stage = producer<number>(noop, { runtime: testRuntime(), dispatcher: breaks });
    const done = stage.done.catch(say);
    expect(stage.push([1])).toBe(true);
    expect([await done, stage.state]).toEqual(["boom", "failed"]);
  });
});

describe("6.11 what comes of a callback after the end", () => {
  test("6.11 an AbortError is no second failure", async () => {
    const rig = new Rig("consumer");
    const gate = Promise.withResolvers<void>();
    rig.scripts.push(() => gate.promise);
    await turns();
    rig.source.port.events([1]);
    await turns();
    rig.abort.abort(boom);
    await turns();
    gate.reject(new DOMException("gave up", "AbortError"));
    await turns();
    expect([rig.done, rig.reports]).toEqual(["rejected boom", []]);
  });

  test("6.11 nor is that of terminate, after a failure", async () => {
    const reports: unknown[] = [];
    const stage = producer<number>(
      {
        handleDemand: noop,
        terminate: async () => {
          throw new DOMException("gave up", "AbortError");
        },
      },
      { runtime: testRuntime(), onReport: (error) => void reports.push(error) },
    );
    const done = stage.done.catch(say);
    stage.fail(boom);
    expect([await done, reports]).toEqual(["boom", []]);
  });

  test("6.11 the signal of a producer that completes aborts behind terminate", async () => {
    const gate = Promise.withResolvers<void>();
    let signal: AbortSignal | undefined;
    const stage = producer<number>(
      {
        handleDemand: noop,
        terminate: (_reason, self) => {
          ({ signal } = self);
          return gate.promise;
        },
      },
      { runtime: testRuntime() },
    );
    stage.complete();
    await turns();
    expect(signal?.aborted).toBe(false);
    gate.resolve();
    await stage.done;
    expect(signal?.aborted).toBe(true);
  });
});

describe("6.3 one callback at a time", () => {
  test("6.3 a call that turns to forward and is pending keeps the logged demand waiting", async () => {
    const demands: number[] = [];
    const stage = producer<number>((demand) => void demands.push(demand), {
      runtime: testRuntime(),
      demandMode: "accumulate",
    });
    new RawConsumer<number>().attach(stage).ask(3);
    await turns();
    const gate = Promise.withResolvers<void>();
    const call = stage.call(() => {
      stage.demandMode = "forward" satisfies DemandMode;
      return gate.promise;
    });
    await turns();
    expect(demands).toEqual([]);
    gate.resolve();
    await call;
    await turns();
    expect(demands).toEqual([3]);
  });

  test("6.4 a stage is in the ready queue once, however many messages wait, and not while a promise is pending", async () => {
    const inner = testRuntime();
    let scheduled = 0;
    const schedule = (task: Parameters<Runtime["schedule"]>[0]): void => {
      scheduled += 1;
      inner.schedule(task);
    };
    const counting = new Proxy<Runtime>(inner, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (name === "schedule") return schedule;
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const gate = Promise.withResolvers<void>();
    const sink = consumer<number>(noop, { runtime: counting });
    const calls = [sink.call(() => gate.promise), sink.call(noop), sink.call(noop)];
    expect(scheduled).toBe(1);
    await turns();
    expect(scheduled).toBe(1);
    void sink.call(noop);
    await turns();
    expect(scheduled).toBe(1);
    gate.resolve();
    await Promise.all(calls);
    await sink.stop();
  });
});

describe("inspect()", () => {
  test("says which stage has calls of its own under way, and of no other", async () => {
    const runtime = testRuntime();
    const gate = Promise.withResolvers<void>();
    const running = pipeline.with({ runtime })(
      range(1, 3),
      mapAsync(() => gate.promise, { concurrency: 1 }),
      consumer<unknown>(noop, { runtime, name: "sink" }),
    );
    await turns();
    const working = () => running.inspect().stages.map((stage) => ("working" in stage ? stage.working : "not there"));
    expect(working().filter((one) => one === true)).toHaveLength(1);
    expect(working().filter((one) => one === "not there")).toHaveLength(running.inspect().stages.length - 1);
    gate.resolve();
    await running;
    expect(working().includes(true)).toBe(false);
  });

  test("counts what a callback returned, and the time that its promises were pending, from any start", async () => {
    const runtime = testRuntime();
    runtime.clock.advance(100);
    const stage = producer<number>(
      () => new Promise((resolve) => void runtime.clock.setTimer(() => resolve([1, 2, 3]), 40)),
      { runtime },
    );
    new RawConsumer<number>().attach(stage).ask(2);
    await turns();
    runtime.clock.advance(40);
    await turns();
    expect(stage.inspect().stages[0]).toMatchObject({ emitted: 3, waited: 40, buffered: 1 });
    await stage.stop();
  });

  test("its subscriptions are a copy", async () => {
    const runtime = testRuntime();
    for (const sink of [
      consumer<number>(noop, { runtime }),
      producerConsumer((events: readonly number[]) => events, { runtime }),
    ]) {
      const link = sink.subscribe(new RawProducer<number>().producer);
      (sink.subscriptions as unknown[]).pop();
      expect(sink.subscriptions).toEqual([link]);
    }
  });
});

describe("4.7 held events", () => {
  test("2.1 a strict runtime freezes what a callback returned, though it does not fit", async () => {
    const result = [1, 2, 3];
    const stage = producer<number>(() => result, { runtime: testRuntime() });
    new RawConsumer<number>().attach(stage).ask(2);
    await turns();
    expect(Object.isFrozen(result)).toBe(true);
    await stage.stop();
  });

  test("4.7 a dispatcher that takes one at a time gets each once and in order, and no empty batch", async () => {
    const offered: (readonly number[])[] = [];
    class OneByOne extends Single {
      override dispatch(events: readonly number[]): number {
        offered.push(events);
        return super.dispatch(events.slice(0, 1));
      }
    }
    const stage = producer<number>(noop, { runtime: testRuntime(), dispatcher: new OneByOne() });
    const raw = new RawConsumer<number>().attach(stage);
    stage.push([1, 2, 3]);
    offered.length = 0;
    raw.ask(5);
    await turns();
    expect(raw.batches).toEqual([[1], [2], [3]]);
    expect(offered).toEqual([[1, 2, 3], [2, 3], [3]]);
    await stage.stop();
  });

  test("3.9 a buffer at its limit still asks, one over it does not", async () => {
    const demands: number[] = [];
    class Takes extends Single {
      override dispatch(): number {
        return 0;
      }
    }
    const stage = producer<number>((demand) => void demands.push(demand), {
      runtime: testRuntime(),
      dispatcher: new Takes(),
      bufferSize: 1,
    });
    new RawConsumer<number>().attach(stage).ask(5);
    await turns();
    stage.push([1]);
    await turns();
    expect(demands).toEqual([5, 1]);
    await stage.stop();
  });

  test("3.12 a logged demand is replayed as far as it is still wanted", async () => {
    const demands: number[] = [];
    const stage = producer<number>((demand) => void demands.push(demand), {
      runtime: testRuntime(),
      demandMode: "accumulate",
    });
    const first = new RawConsumer<number>().attach(stage).ask(3);
    await turns();
    new RawConsumer<number>().attach(stage).ask(2);
    await turns();
    first.leave();
    await turns();
    stage.demandMode = "forward";
    await turns();
    expect(demands).toEqual([2]);
    await stage.stop();
  });
});

test("1.7 a consumer that has left makes room in its partition at once", async () => {
  const stage = producer<number, { partition: number }>(noop, {
    runtime: testRuntime(),
    dispatcher: partitionDispatcher<number, number>({ partitions: 1, hash: () => 0 }),
  });
  const first = new RawConsumer<number>().attach(stage, { partition: 0 });
  await turns();
  first.leave();
  const second = new RawConsumer<number>().attach(stage, { partition: 0 }).ask(1);
  await turns();
  stage.push([1]);
  await turns();
  expect([second.batches, second.ends]).toEqual([[[1]], []]);
  await stage.stop();
});
