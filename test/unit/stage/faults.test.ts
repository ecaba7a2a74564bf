import { describe, expect, test } from "vitest";
import {
  broadcastDispatcher,
  consumer,
  demandDispatcher,
  fromIterable,
  partitionDispatcher,
  producer,
  producerConsumer,
} from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { say, sayReason } from "./rig.ts";

/** What cannot even be looked at. */
const revoked = (): never => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy as never;
};

describe("6.1 a callback that answers with a revoked proxy", () => {
  test("6.1 fails a consumer, once", async () => {
    const reports: unknown[] = [];
    const runtime = testRuntime();
    const source = producer((demand) => Array.from({ length: demand }, () => 1), { runtime });
    const sink = consumer((_events: readonly number[]) => revoked(), {
      runtime,
      onReport: (error) => void reports.push(error),
    });
    sink.subscribe(source, { maxDemand: 1 });
    const done = sink.done.catch(say);
    await turns();
    expect([await done, sink.state, reports]).toEqual(["TypeError", "failed", []]);
  });

  test("6.1 fails a producer, once", async () => {
    const reports: unknown[] = [];
    const stage = producer<number>(() => revoked(), {
      runtime: testRuntime(),
      onReport: (error) => void reports.push(error),
    });
    stage.done.catch(() => {});
    const raw = new RawConsumer<number>().attach(stage);
    raw.ask(1);
    await turns();
    expect([raw.ends.map(sayReason), stage.state, reports]).toEqual([["failure TypeError"], "failed", []]);
  });
});

describe("5.1 a failure that waits for the buffer and comes behind a good end", () => {
  test.each(["outside", "inside"])("5.1 is reported: complete() from %s", async (where) => {
    const { stage, reports } = held();
    const raw = new RawConsumer<number>().attach(stage);
    const both = (self: Pick<typeof stage, "complete" | "fail">): void => {
      self.complete();
      self.fail("early", { after: "buffer" });
    };
    if (where === "outside") both(stage);
    else void stage.call(both);
    await turns();
    stage.fail("late", { after: "buffer" });
    raw.ask(2);
    await turns();
    expect([raw.batches, raw.ends, reports]).toEqual([[[1]], [{ type: "complete" }], ["early", "late"]]);
  });

  test("5.1 stands where handleEnd says so", async () => {
    const runtime = testRuntime();
    const stage = producer<number>(
      { handleDemand() {}, handleEnd: (self) => self.fail("no", { after: "buffer" }) },
      { runtime },
    );
    stage.done.catch(() => {});
    const raw = new RawConsumer<number>().attach(stage);
    stage.push([1]);
    stage.complete();
    await turns();
    raw.ask(2);
    await turns();
    expect([raw.batches, raw.ends]).toEqual([[[1]], [{ type: "failure", error: "no" }]]);
  });
});

function held() {
  const reports: unknown[] = [];
  const stage = producer<number>(() => {}, {
    runtime: testRuntime(),
    onReport: (error) => void reports.push(error),
  });
  stage.push([1]);
  return { stage, reports };
}

describe("1.1 what nobody reads is refused", () => {
  test.each([
    ["a demand dispatcher", undefined, { maxdemand: 1 }],
    ["a demand dispatcher that is asked for a partition", undefined, { partition: 1 }],
    ["a broadcast", broadcastDispatcher(), { selectr: () => true }],
    ["a partition", partitionDispatcher({ partitions: 1, hash: () => 0 }), { partition: 0, mindemand: 1 }],
  ])("1.1 a subscribe option: %s", (_what, dispatcher, options) => {
    const source = numbers(dispatcher);
    expect(codeOf(() => sinkOf().subscribe(source, options as never))).toBe("ERR_OPTION");
    expect(source.inspect().links).toEqual([]);
  });

  test("1.1 a subscribe option in a loop", async () => {
    const next = numbers()
      .events({ maxdemand: 1 } as never)
      .next();
    expect(await next.catch((error: { code: string }) => error.code)).toBe("ERR_OPTION");
  });

  test("1.1 but not by a dispatcher that does not name its own", async () => {
    const dispatcher = demandDispatcher() as { options?: unknown };
    delete dispatcher.options;
    const custom = sinkOf().subscribe(numbers(dispatcher), { weight: 2 } as never);
    expect(custom.state).toBe("pending");
  });

  test.each([
    ["producer", () => producer(() => {}, null as never)],
    ["producerConsumer", () => producerConsumer((events: readonly number[]) => events, null as never)],
    ["consumer", () => consumer(() => {}, null as never)],
    ["fromIterable", () => fromIterable([], null as never)],
  ])("1.1 options that are null: %s", (_what, make) => {
    expect(codeOf(make)).toBe("ERR_OPTION");
  });
});

function codeOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as { code: string }).code;
  }
}
function sinkOf() {
  return consumer(() => {});
}
function numbers(dispatcher?: unknown) {
  return producer(() => {}, { dispatcher: dispatcher as never });
}
