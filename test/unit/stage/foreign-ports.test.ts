import { describe, expect, test } from "vitest";
import {
  type ConsumerPort,
  consumer,
  type Discarded,
  OverflowError,
  producer,
  producerConsumer,
} from "../../../src/index.ts";
import { RawConsumer, RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

const fault = new Error("the peer's fault");
const failing = (): never => {
  throw fault;
};

describe("F-08 a peer whose port throws", () => {
  test("F-08 end, of a producer's: the stage ends, the others are told, and it is reported", async () => {
    const reports: unknown[] = [];
    const runtime = testRuntime();
    const sink = consumer<number>(() => {}, { runtime, onReport: (error) => void reports.push(error) });
    const other = new RawProducer<number>();
    sink.subscribe({ "~attach": () => ({ ask: () => {}, end: failing }) } as never);
    sink.subscribe(other.producer);
    await turns();
    await sink.stop();
    expect([sink.state, reports, other.ends]).toEqual([
      "stopped",
      [fault],
      [{ reason: { type: "stop", reason: undefined }, unstarted: [] }],
    ]);
  });

  test("F-08 end, of a consumer's: the stage ends, the others are told, and a failure that it was to pass on is reported", async () => {
    const reports: unknown[] = [];
    const boom = new Error("boom");
    const stage = producer<number>(() => {}, { runtime: testRuntime(), onReport: (error) => void reports.push(error) });
    const port: ConsumerPort<number> = {
      name: "bad",
      consumer: {},
      carries: true,
      subscription: {} as never,
      events: () => {},
      end: failing,
    };
    stage["~attach"](port, {} as never);
    const other = new RawConsumer<number>().attach(stage);
    await turns();
    stage.fail(boom);
    await turns();
    expect([stage.state, other.ends, reports]).toEqual(["failed", [{ type: "failure", error: boom }], [boom, fault]]);
  });

  test("F-08 ask: the subscription ends with it, and fails its stage as its cancel mode says", async () => {
    const runtime = testRuntime();
    const ends: unknown[] = [];
    const source = { "~attach": () => ({ ask: failing, end: (end: unknown) => void ends.push(end) }) } as never;
    const strict = consumer<number>(() => {}, { runtime });
    const error = strict.done.catch((reason: unknown) => reason);
    strict.subscribe(source);
    const tolerant = consumer<number>(() => {}, { runtime });
    const subscription = tolerant.subscribe(source, { cancel: "temporary" });
    await turns();
    expect([await error, strict.state, subscription.state, tolerant.state]).toEqual([
      fault,
      "failed",
      "ended",
      "running",
    ]);
    expect(ends).toHaveLength(2);
  });

  test("F-08 events: its subscription alone ends with it", async () => {
    const stage = producer<number>(() => {}, { runtime: testRuntime() });
    const ends: unknown[] = [];
    const bad: ConsumerPort<number> = {
      name: "bad",
      consumer: {},
      carries: true,
      subscription: { state: "active", pending: 0, options: {} } as never,
      events: failing,
      end: ({ reason }) => void ends.push(reason),
    };
    stage["~attach"](bad, {} as never).ask(1);
    await turns();
    const good = new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    stage.push([1, 2]);
    await turns();
    expect([ends, good.batches, stage.state]).toEqual([[{ type: "failure", error: fault }], [[2]], "running"]);
  });
});

const make = (overflow: string) => () =>
  producerConsumer<number, number>((events) => events, { overflow: overflow as never });

describe("4.6 overflow", () => {
  test('"fail" fails at once: push returns false, the rest is in the error, the buffer is discarded', async () => {
    const discarded: Discarded[] = [];
    const stage = producer<number>(() => {}, {
      runtime: testRuntime(),
      name: "client",
      bufferSize: 2,
      overflow: "fail",
      onDiscard: (what) => void discarded.push(what),
    });
    const failed = stage.done.catch((reason: unknown) => reason);
    const raw = new RawConsumer<number>().attach(stage);
    await turns();
    expect(stage.push([1, 2, 3, 4])).toBe(false);
    await turns();
    expect(raw.ends).toMatchObject([{ type: "failure", error: { code: "ERR_OVERFLOW", rejected: [3, 4] } }]);
    expect(discarded).toEqual([{ events: [1, 2], cause: "failure", stage: "client" }]);
    expect(await failed).toBeInstanceOf(OverflowError);
  });

  test("F-54 a producerConsumer that should drop is refused, with the way out", () => {
    expect(make("drop-oldest")).toThrow(/throw or fail: buffer\(\) drops, got "drop-oldest"/);
    expect(make("drop-newest")).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(make("fail")().kind).toBe("producerConsumer");
  });
});
