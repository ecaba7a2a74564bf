import { describe, expect, test } from "vitest";
import {
  broadcastDispatcher,
  consumer,
  failureOf,
  fromIterable,
  type Producer,
  type ProducerStage,
  producer,
  type Reason,
} from "../../src/index.ts";
import { testRuntime, turns } from "../support/runtime.ts";
import { complete, failed, ManualConsumer, ManualProducer } from "./harness.ts";
import { identity } from "./kinds.ts";

/** A producer that answers no demand by itself. */
const quiet = (reports: unknown[] = []): ProducerStage<number> =>
  producer<number, object, number, number, number>(
    { handleDemand: () => {} },
    { runtime: testRuntime(), onReport: (error) => void reports.push(error) },
  );

const heard = ({ received, ends, flaws }: ManualConsumer): unknown => [received, ends, flaws];

describe("a source that fails", () => {
  const error = new Error("E");
  const sources: [string, () => Producer<number>][] = [
    [
      "throws in handleDemand",
      () =>
        producer(
          (): number[] => {
            throw error;
          },
          { runtime: testRuntime() },
        ),
    ],
    [
      "rejects in handleDemand",
      () => producer((): Promise<number[]> => Promise.reject(error), { runtime: testRuntime() }),
    ],
  ];

  test.each(sources)("RS-1.4d %s: one failure with that error, thrown to nobody", async (_how, make) => {
    const raw = new ManualConsumer().attach(make());
    expect(() => raw.ask(1)).not.toThrow();
    await turns();
    raw.ask(1);
    await turns();
    expect(heard(raw)).toEqual([[], [failed(error)], []]);
    expect((raw.ends[0] as { error: unknown }).error).toBe(error);
    expect(failureOf(error)).toMatchObject({ callback: "handleDemand", events: [] });
  });

  test.each(["synchronous", "asynchronous"])(
    "RS-1.4d throws in a %s generator, behind what it yielded",
    async (how) => {
      const source =
        how === "synchronous"
          ? (function* () {
              yield 1;
              throw error;
            })()
          : (async function* () {
              yield await Promise.resolve(1);
              throw error;
            })();
      const raw = new ManualConsumer().attach(fromIterable(source, { runtime: testRuntime() })).ask(5);
      await turns();
      expect(heard(raw)).toEqual([[1], [failed(error)], []]);
      expect((raw.ends[0] as { error: unknown }).error).toBe(error);
    },
  );

  test("RS-1.4b tells every consumer, whether it has asked or not", async () => {
    const source = new ManualProducer();
    const stage = identity(source.producer);
    const one = new ManualConsumer().attach(stage).ask(1);
    const two = new ManualConsumer().attach(stage);
    await turns();
    source.emit(7);
    await turns();
    one.ask(1);
    source.finish(failed(error));
    await turns();
    expect([heard(one), heard(two)]).toEqual([
      [[7], [failed(error)], []],
      [[], [failed(error)], []],
    ]);
  });

  test("RS-1.4c tells every consumer of a broadcast", async () => {
    const source = new ManualProducer();
    const stage = identity(source.producer, { dispatcher: broadcastDispatcher() });
    const raws = [new ManualConsumer().attach(stage), new ManualConsumer().attach(stage)];
    for (const raw of raws) raw.ask(1);
    await turns();
    source.emit(7);
    await turns();
    for (const raw of raws) raw.ask(1);
    source.finish(failed(error));
    await turns();
    expect(raws.map(heard)).toEqual([
      [[7], [failed(error)], []],
      [[7], [failed(error)], []],
    ]);
  });
});

describe("the first end wins", () => {
  test("RS-1.7c fail, then complete", async () => {
    const p = quiet();
    const raw = new ManualConsumer().attach(p).ask(1);
    p.fail("E");
    p.complete();
    expect(() => p.push([1])).toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    await turns();
    expect(heard(raw)).toEqual([[], [failed("E")], []]);
    expect(p.state).toBe("failed");
  });

  test("RS-1.7c complete twice", async () => {
    const p = quiet();
    const raw = new ManualConsumer().attach(p).ask(1);
    p.complete();
    p.complete();
    expect(() => p.push([1])).toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    await turns();
    p.complete();
    await turns();
    expect(heard(raw)).toEqual([[], [complete], []]);
  });

  test("RS-1.7c a failure after the end is reported, and nobody else hears of it", async () => {
    const reports: unknown[] = [];
    const p = quiet(reports);
    const raw = new ManualConsumer().attach(p).ask(1);
    p.complete();
    await turns();
    p.fail("late");
    await turns();
    expect(heard(raw)).toEqual([[], [complete], []]);
    expect([reports, p.state]).toEqual([["late"], "completed"]);
  });

  test("RS-1.7c of two failures the second is reported", async () => {
    const reports: unknown[] = [];
    const p = quiet(reports);
    const raw = new ManualConsumer().attach(p).ask(1);
    p.fail("first");
    p.fail("second");
    await turns();
    expect(heard(raw)).toEqual([[], [failed("first")], []]);
    expect(reports).toEqual(["second"]);
  });

  test.each([{}, { after: "buffer" } as const])(
    "RS-1.7c of two failures inside one callback the second is reported (%o)",
    async (options) => {
      const reports: unknown[] = [];
      const p = quiet(reports);
      const raw = new ManualConsumer().attach(p).ask(1);
      await p
        .call((stage) => {
          stage.fail("first", options);
          stage.fail("second", options);
        })
        .catch(() => {});
      await turns();
      expect(heard(raw)).toEqual([[], [failed("first")], []]);
      expect(reports).toEqual(["second"]);
    },
  );

  test("RS-1.7c a callback that throws after it has failed the stage is reported", async () => {
    const reports: unknown[] = [];
    const thrown = new Error("thrown");
    const p = producer(
      {
        handleDemand(_demand: number, stage): number[] {
          stage.fail("first");
          throw thrown;
        },
      },
      { runtime: testRuntime(), onReport: (error) => void reports.push(error) },
    );
    const raw = new ManualConsumer().attach(p).ask(1);
    await turns();
    expect(heard(raw)).toEqual([[], [failed("first")], []]);
    expect(reports).toEqual([thrown]);
    expect(failureOf(thrown)).toMatchObject({ callback: "handleDemand" });
  });

  test.each(["end first", "cancel first"])("RS-1.7d end and cancel in one stretch, %s", async (order) => {
    const p = quiet();
    const raw = new ManualConsumer().attach(p).ask(1);
    await turns();
    if (order === "end first") p.complete();
    raw.cancel();
    p.complete();
    await turns();
    expect(heard(raw)).toEqual([[], [], []]);
    expect(p.state).toBe("completed");
  });
});

/** Follows a subscription of a stage. */
const follow = () => {
  const log: unknown[] = [];
  const reports: unknown[] = [];
  const stage = consumer<number>(
    {
      handleSubscribe: (role) => void log.push(["subscribed", role]),
      handleEvents: (events) => void log.push(["events", events]),
      handleCancel: (reason: Reason) => void log.push(["ended", reason]),
    },
    { runtime: testRuntime(), onReport: (error) => void reports.push(error) },
  );
  stage.done.catch(() => {});
  return { stage, log, reports };
};

describe("subscribing", () => {
  test.each([null, undefined, {}, 7])("RS-1.9a to %o throws a TypeError, and nothing else happens", async (nobody) => {
    const { stage, log } = follow();
    expect(() => stage.subscribe(nobody as never)).toThrow(TypeError);
    expect(() => stage.subscribe(nobody as never)).toThrow(expect.objectContaining({ code: "ERR_NOT_PRODUCER" }));
    await turns();
    expect([log, stage.subscriptions, stage.state]).toEqual([[], [], "running"]);
  });

  test("RS-1.9b is heard of once and first, from a source that goes on", async () => {
    const { stage, log } = follow();
    stage.subscribe(fromIterable([1], { runtime: testRuntime() }));
    await stage.done;
    expect(log).toEqual([
      ["subscribed", "producer"],
      ["events", [1]],
      ["ended", complete],
    ]);
  });

  test.each([
    ["is empty", complete, (p: ProducerStage<number>) => setImmediate(() => p.complete())],
    ["has completed", complete, (p: ProducerStage<number>) => p.complete()],
    ["has failed", failed("E"), (p: ProducerStage<number>) => p.fail("E")],
  ] as const)("RS-1.9b is heard of once and first, from a source that %s", async (_what, reason, end) => {
    const p = quiet();
    p.done.catch(() => {});
    end(p);
    await Promise.resolve();
    const { stage, log } = follow();
    stage.subscribe(p);
    await turns(8);
    expect(log).toEqual([
      ["subscribed", "producer"],
      ["ended", reason],
    ]);
  });

  test("RS-1.9d a handler of the subscription that throws refuses it: reported, cancelled, not thrown", async () => {
    const error = new Error("no");
    const reports: unknown[] = [];
    const source = new ManualProducer();
    const c = consumer<number>(
      {
        handleSubscribe: () => {
          throw error;
        },
        handleEvents: () => {},
      },
      { runtime: testRuntime(), onReport: (reported) => void reports.push(reported) },
    );
    const subscription = c.subscribe(source.producer);
    await turns();
    expect([subscription.state, source.asks, source.ends, reports, c.state]).toEqual([
      "ended",
      [],
      [{ reason: { type: "cancel" } }],
      [error],
      "running",
    ]);
  });
});
