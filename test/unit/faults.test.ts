import { describe, expect, test } from "vitest";
import { consumer, producer } from "../../src/index.ts";
import { RawConsumer } from "../genstage/fixtures.ts";
import { testRuntime, turns } from "../support/runtime.ts";
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
    expect([await done, sink.state, reports]).toEqual(["ERR_CALLBACK of TypeError", "failed", []]);
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
    expect([raw.ends.map(sayReason), stage.state, reports]).toEqual([
      ["failure ERR_CALLBACK of TypeError"],
      "failed",
      [],
    ]);
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
