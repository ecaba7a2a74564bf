import { describe, expect, test } from "vitest";
import { fromIterable, producerConsumer, type Subscription } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { complete, failed, ManualConsumer, ManualProducer } from "./harness.ts";

const heard = ({ received, ends, flaws }: ManualConsumer): unknown => [received, ends, flaws];

/** Emits each event twice; keeps what is discarded. */
const doubling = (discarded: unknown[] = []) =>
  producerConsumer((events: readonly number[]) => events.flatMap((n) => [n, n]), {
    runtime: testRuntime(),
    onDiscard: (discard) => void discarded.push(discard),
  });
const forwarding = (onLastCancel: "stop" | "continue" = "continue") =>
  producerConsumer((events: readonly number[]) => events, { runtime: testRuntime(), onLastCancel });

describe("failures of the source", () => {
  test("RS-4.2 failures with a value of their own reach the far end unchanged", async () => {
    const error = new Error("E");
    const source = new ManualProducer();
    const stage = producerConsumer((events: readonly number[]) => events, { runtime: testRuntime() });
    stage.subscribe(source.producer);
    const raw = new ManualConsumer().attach(stage);
    await turns();
    source.finish(failed(error));
    await turns();
    expect((raw.ends[0] as { error: unknown }).error).toBe(error);
  });

  test("RS-4.2a pass on at once to a consumer that has not asked", async () => {
    const source = new ManualProducer();
    const stage = forwarding();
    stage.subscribe(source.producer);
    const raw = new ManualConsumer().attach(stage);
    await turns();
    source.finish(failed("E"));
    await turns();
    expect(heard(raw)).toEqual([[], [failed("E")], []]);
    expect([source.ends, source.flaws, stage.state]).toEqual([[], [], "failed"]);
  });

  test("RS-4.2b do not overtake the events sent before, which wait for demand", async () => {
    const source = new ManualProducer();
    const stage = forwarding();
    stage.subscribe(source.producer);
    const raw = new ManualConsumer().attach(stage);
    await turns();
    source.emit(1, 2, 3).emit(4, 5).finish(failed("E"));
    await turns();
    expect(heard(raw)).toEqual([[], [], []]);
    raw.ask(3);
    await turns();
    expect(heard(raw)).toEqual([[1, 2, 3], [], []]);
    raw.ask(2);
    await turns();
    expect(heard(raw)).toEqual([[1, 2, 3, 4, 5], [failed("E")], []]);
  });

  test("RS-4.2b end the stage at once otherwise: what it has made and not delivered is discarded, and told", async () => {
    const discarded: unknown[] = [];
    const source = new ManualProducer();
    const stage = doubling(discarded);
    stage.subscribe(source.producer);
    const raw = new ManualConsumer().attach(stage).ask(1);
    await turns();
    source.emit(7);
    await turns();
    expect([raw.received, stage.bufferedCount]).toEqual([[7], 1]);
    source.finish(failed("E"));
    await turns();
    expect(heard(raw)).toEqual([[7], [failed("E")], []]);
    expect(discarded).toEqual([{ events: [7], cause: "failure", stage: stage.name }]);
  });

  test("RS-4.2c a stage that lives on hears and says nothing more of that source", async () => {
    const source = new ManualProducer();
    const other = new ManualProducer();
    const stage = forwarding();
    const subscription: Subscription = stage.subscribe(source.producer, { cancel: "temporary", maxDemand: 4 });
    stage.subscribe(other.producer, { maxDemand: 4 });
    const raw = new ManualConsumer().attach(stage).ask(100);
    await turns();
    source.emit(1, 2);
    await turns();
    const asks = source.asks.slice();
    source.finish(failed("E"));
    await turns();
    subscription.cancel();
    for (let n = 3; n < 20; n += 1) {
      other.emit(n);
      await turns(1);
    }
    expect([raw.received, raw.ends, stage.state]).toEqual([range(1, 19), [], "running"]);
    expect(source.asks).toEqual(asks);
    expect([source.ends, source.flaws, other.ends]).toEqual([[], [], []]);
  });
});

describe("the last consumer", () => {
  test.each([1, 3])("RS-4.x when it goes (%i), the source is left, once", async (count) => {
    const source = new ManualProducer();
    const stage = forwarding("stop");
    stage.subscribe(source.producer, { maxDemand: 4 });
    const raws = Array.from({ length: count }, () => new ManualConsumer().attach(stage).ask(1));
    await turns();
    for (const [i, raw] of raws.entries()) {
      expect([source.ends, stage.state]).toEqual([[], "running"]);
      raw.cancel();
      await turns();
      expect(source.ends.length).toBe(i === count - 1 ? 1 : 0);
    }
    expect([source.flaws, stage.state, raws.flatMap(({ ends }) => ends)]).toEqual([[], "stopped", []]);
  });

  test("RS-4.x the release travels up, stage by stage", async () => {
    let closed = 0;
    function* numbers() {
      try {
        for (let n = 0; ; n += 1) yield n;
      } finally {
        closed += 1;
      }
    }
    const stages = [forwarding("stop"), forwarding("stop")] as const;
    const source = fromIterable(numbers(), { runtime: testRuntime() });
    stages[0].subscribe(source, { maxDemand: 4 });
    stages[1].subscribe(stages[0], { maxDemand: 4 });
    const raw = new ManualConsumer().attach(stages[1]).ask(2);
    await turns();
    raw.cancel();
    await turns(8);
    expect([raw.received, closed]).toEqual([[0, 1], 1]);
    expect([source.state, stages[0].state, stages[1].state]).toEqual(["stopped", "stopped", "stopped"]);
  });

  test("RS-4.1 with no consumer the stage takes in what it asked for, and no more", async () => {
    const source = new ManualProducer();
    const stage = forwarding();
    stage.subscribe(source.producer, { maxDemand: 4, minDemand: 2 });
    await turns();
    source.emit(1, 2, 3, 4);
    await turns();
    expect([source.asks, stage.bufferedCount]).toEqual([[4], 0]);
    const raw = new ManualConsumer().attach(stage).ask(10);
    await turns();
    expect([raw.received, source.asks]).toEqual([
      [1, 2, 3, 4],
      [4, 2, 2],
    ]);
    source.finish();
    await turns();
    expect(heard(raw)).toEqual([[1, 2, 3, 4], [complete], []]);
  });
});
