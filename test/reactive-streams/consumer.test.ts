import { describe, expect, test } from "vitest";
import { consumer, fromIterable, producer, producerConsumer, type Reason, type Subscription } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { consumerChecks, type Handlers, type Probe, type ProbeFactory } from "./consumer-checks.ts";
import { complete, failed, ManualConsumer, ManualProducer, type Source, until } from "./harness.ts";
import { tickingRuntime } from "./kinds.ts";

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

/** The two kinds of stage that consume, each with one manual subscription. */
class Behaviour {
  readonly seen: unknown[] = [];
  readonly ends: Reason[] = [];
  readonly #handlers: Handlers;
  constructor(handlers: Handlers = {}) {
    this.#handlers = handlers;
  }
  readonly handleEvents = (events: readonly unknown[]): Promise<undefined> | undefined => {
    const waiting: unknown[] = [];
    for (const event of events) {
      this.seen.push(event);
      waiting.push(this.#handlers.event?.(event));
    }
    return waiting.some((result) => result instanceof Promise) ? Promise.all(waiting).then(() => undefined) : undefined;
  };
  handleCancel(reason: Reason): unknown {
    this.ends.push(reason);
    return this.#handlers.end?.();
  }
}

const probeOf =
  (kind: "consumer" | "producerConsumer"): ProbeFactory =>
  (handlers) => {
    const behaviour = new Behaviour(handlers);
    const runtime = testRuntime();
    const stage =
      kind === "consumer" ? consumer(behaviour, { runtime }) : producerConsumer<unknown, never>(behaviour, { runtime });
    if (kind === "producerConsumer") new ManualConsumer().attach(stage as unknown as Source).ask(1000);
    stage.done.catch(() => {});
    let subscription: Subscription | undefined;
    const probe: Probe = {
      seen: behaviour.seen,
      ends: behaviour.ends,
      connect: (source) => {
        subscription = stage.subscribe(source.producer as never, { demand: "manual" });
      },
      ask: (count) => subscription?.ask(count),
      cancel: () => subscription?.cancel(),
      stop: () => stage.stop(),
    };
    return probe;
  };

describe.each(["consumer", "producerConsumer"] as const)("a %s", (kind) => {
  test.each(consumerChecks)("RS-$rule $title", async ({ run: checkRule }) => {
    await checkRule(probeOf(kind));
  });
});

describe("automatic demand", () => {
  test.each([
    [10, 5],
    [1, 0],
    [1000, 500],
    [10, 8],
  ])("RS-2.1b a window of %i to %i asks when it has sunk to its lower edge", async (maxDemand, minDemand) => {
    const source = new ManualProducer();
    const c = consumer<number>(() => {}, { runtime: testRuntime() });
    const subscription = c.subscribe(source.producer, { maxDemand, minDemand });
    await turns();
    const step = maxDemand - minDemand;
    const asks = [maxDemand];
    for (let round = 0; round < 3; round += 1) {
      expect(source.asks).toEqual(asks);
      expect(subscription.pending).toBe(maxDemand);
      for (let i = 1; i < step; i += 1) source.emit(i);
      await turns();
      expect(source.asks).toEqual(asks);
      source.emit(0);
      await turns();
      asks.push(step);
    }
    expect(source.asks).toEqual(asks);
  });

  test("RS-2.1d a handler that asks first and works afterwards sees the events in order", async () => {
    const seen: number[] = [];
    const c = consumer<number>(
      (events, subscription) => {
        subscription.ask(1);
        seen.push(...events);
      },
      { runtime: testRuntime() },
    );
    c.subscribe(fromIterable(range(0, 99), { runtime: testRuntime() }), { demand: "manual" }).ask(1);
    await c.done;
    expect(seen).toEqual(range(0, 99));
  });

  test("RS-2.2 a synchronous source that is asked without bound lets the event loop turn", async () => {
    const runtime = tickingRuntime();
    let seen = 0;
    const c = consumer<number>((events) => void (seen += events.length), { runtime });
    c.subscribe(fromIterable({ [Symbol.iterator]: () => range(1, 400_000).values() }, { runtime }), {
      maxDemand: 20,
    });
    const turnsSeen: number[] = [];
    while (c.state !== "completed") {
      turnsSeen.push(seen);
      await turns(1);
    }
    expect(seen).toBe(400_000);
    // Each look at the clock takes a tenth of a millisecond and comes after 64 turns at most, each of ten events at most:
    // a budget of five milliseconds is far from all there is to do.
    expect(turnsSeen.length).toBeGreaterThan(10);
    const gaps = turnsSeen.map((at, i) => at - (turnsSeen[i - 1] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(51 * 64 * 10);
  });

  test("RS-2.2 a producer that answers with promises is heard while it is asked without bound", async () => {
    const runtime = tickingRuntime();
    let answered = 0;
    const p = producer(
      {
        async handleDemand(demand: number): Promise<number[]> {
          await Promise.resolve();
          answered += 1;
          if (answered > 500) throw new Error("not heard");
          return times(demand, answered);
        },
      },
      { runtime },
    );
    const raw = new ManualConsumer().attach(p).ask(Number.POSITIVE_INFINITY);
    await turns(1);
    await p.stop();
    expect(raw.ends).toEqual([{ type: "stop", reason: undefined }]);
    expect(raw.flaws).toEqual([]);
  });
});

describe("handlers", () => {
  test("RS-1.3b one handler at a time, also when they wait", async () => {
    let running = 0;
    let most = 0;
    const seen: number[] = [];
    const c = consumer<number>(
      async (events) => {
        running += 1;
        most = Math.max(most, running);
        await turns(1);
        seen.push(...events);
        running -= 1;
      },
      { runtime: testRuntime() },
    );
    c.subscribe(fromIterable(range(0, 9), { runtime: testRuntime() }), { maxDemand: 10, minDemand: 9 });
    await c.done;
    expect([seen, most]).toEqual([range(0, 9), 1]);
  });

  test("RS-1.3c the end waits for a handler that waits", async () => {
    const order: unknown[] = [];
    const source = new ManualProducer();
    const c = consumer<number>(
      {
        handleEvents: async (events) => {
          order.push("begin");
          await turns(2);
          order.push(...events);
        },
        handleCancel: (reason) => void order.push(reason.type),
        terminate: () => void order.push("terminate"),
      },
      { runtime: testRuntime() },
    );
    c.subscribe(source.producer);
    await turns();
    source.emit(7).finish();
    await c.done;
    expect(order).toEqual(["begin", 7, "complete", "terminate"]);
  });

  test("RS-2.10 a handler of the end that throws is caught, and nothing goes back", async () => {
    const error = new Error("in the handler");
    const source = new ManualProducer();
    const c = consumer<number>(
      {
        handleEvents: () => {},
        handleCancel: () => {
          throw error;
        },
      },
      { runtime: testRuntime() },
    );
    c.subscribe(source.producer);
    await turns();
    const done = c.done.catch((thrown: unknown) => thrown);
    source.finish(failed("E"));
    expect(await done).toBe(error);
    expect(c.failure).toMatchObject({ callback: "handleCancel", events: [] });
    expect([source.ends, source.flaws]).toEqual([[], []]);
  });

  test.each(["handleEnd", "handleCancel", "terminate"] as const)(
    "RS-2.13e a %s that throws does not end the stage a second time",
    async (callback) => {
      const error = new Error(callback);
      const reports: unknown[] = [];
      const counts = { handleEnd: 0, handleCancel: 0, terminate: 0 };
      const source = new ManualProducer();
      const run = (name: keyof typeof counts) => () => {
        counts[name] += 1;
        if (name === callback) throw error;
      };
      const c = consumer<number>(
        {
          handleEvents: () => {},
          handleEnd: run("handleEnd"),
          handleCancel: run("handleCancel"),
          terminate: run("terminate"),
        },
        { runtime: testRuntime(), onReport: (reported) => void reports.push(reported) },
      );
      c.subscribe(source.producer);
      await turns();
      const done = c.done.then(
        () => "fulfilled",
        (thrown: unknown) => thrown,
      );
      source.finish();
      expect(await done).toBe(callback === "terminate" ? "fulfilled" : error);
      await turns();
      expect(counts).toEqual({ handleEnd: callback === "handleCancel" ? 0 : 1, handleCancel: 1, terminate: 1 });
      expect(reports).toEqual(callback === "terminate" ? [error] : []);
      const last = callback === "terminate" ? { reason: complete } : { reason: failed(error), unstarted: [] };
      expect([source.ends, source.flaws]).toEqual([[last], []]);
    },
  );

  test("RS-2.13d another consumer of the same source is not touched", async () => {
    const p = fromIterable(range(0, 9), { runtime: testRuntime() });
    const broken = consumer<number>(
      () => {
        throw new Error("broken");
      },
      { runtime: testRuntime() },
    );
    broken.subscribe(p, { maxDemand: 1, minDemand: 0 });
    const good = new ManualConsumer().attach(p);
    await expect(broken.done).rejects.toThrow("broken");
    expect(broken.failure).toMatchObject({ callback: "handleEvents", events: [0] });
    good.ask(20);
    await turns();
    expect([good.received, good.ends, good.flaws]).toEqual([range(1, 9), [complete], []]);
  });
});

/** A batch of ten, of which two are handled. */
const taken = async (end: "complete" | "throw") => {
  const source = new ManualProducer();
  const seen: number[] = [];
  const c = consumer<number>(
    {
      handleEvents(events, _subscription, stage) {
        seen.push(...events);
        if (seen.length < 2) return;
        if (end === "throw") throw new Error("enough");
        stage.complete();
      },
    },
    { runtime: testRuntime() },
  );
  const done = c.done.catch(() => {});
  c.subscribe(source.producer, { maxDemand: 10, minDemand: 9 });
  await turns();
  source.emit(...range(0, 9));
  await turns(1);
  await done;
  await turns();
  return { source, seen };
};

describe("leaving", () => {
  test("RS-2.6 who has enough leaves once, and gives the rest back", async () => {
    const { source, seen } = await taken("complete");
    expect(seen).toEqual([0, 1]);
    expect(source.ends).toEqual([{ reason: complete, unstarted: range(2, 9) }]);
  });

  test("RS-2.6 who crashes leaves once", async () => {
    const { source, seen } = await taken("throw");
    expect(seen).toEqual([0, 1]);
    expect(source.ends).toMatchObject([{ reason: { type: "failure" }, unstarted: range(2, 9) }]);
    expect(source.ends).toHaveLength(1);
  });

  test("RS-2.6 who is stopped leaves once", async () => {
    const source = new ManualProducer();
    const c = consumer<number>(() => {}, { runtime: testRuntime() });
    c.subscribe(source.producer);
    await turns();
    await c.stop();
    await c.stop();
    await turns();
    expect(source.ends).toEqual([{ reason: { type: "stop", reason: undefined }, unstarted: [] }]);
  });

  test("RS-2.5 two subscriptions of one consumer are two links, and both work", async () => {
    const seen: number[] = [];
    const c = consumer<number>((events) => void seen.push(...events), { runtime: testRuntime() });
    const [one, two] = [new ManualProducer(), new ManualProducer()];
    c.subscribe(one.producer);
    c.subscribe(two.producer);
    await turns();
    one.emit(1);
    two.emit(2);
    one.emit(3);
    await turns();
    one.finish();
    await turns();
    two.emit(4);
    await turns();
    expect(seen).toEqual([1, 2, 3, 4]);
    expect([one.flaws, two.flaws, two.ends, c.state]).toEqual([[], [], [], "running"]);
    expect(one.ends).toEqual([{ reason: complete }]);
  });
});

test("RS-1.6 a subscription reports itself ended", async () => {
  for (const reason of [complete, failed("E")]) {
    const source = new ManualProducer();
    const c = consumer<number>(() => {}, { runtime: testRuntime() });
    const subscription = c.subscribe(source.producer, { demand: "manual", cancel: "temporary" });
    await turns();
    expect(subscription.state).toBe("active");
    source.finish(reason);
    await until(() => subscription.state === "ended", 10);
    expect(subscription.state).toBe("ended");
    subscription.ask(1);
    subscription.ask(-1);
    subscription.cancel();
    await turns();
    const last = reason === complete ? [{ reason: complete }] : [];
    expect([source.asks, source.ends, source.flaws]).toEqual([[], last, []]);
  }
});
