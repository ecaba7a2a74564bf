import { describe, expect, test } from "vitest";
import {
  type BroadcastOptions,
  broadcastDispatcher,
  consumer,
  partitionDispatcher,
  type PartitionSubscribeOptions,
  producer,
} from "../../../src/index.ts";
import { RawProducer } from "../../support/stages.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { sayReason } from "./rig.ts";

/** A consumer that notes its batches and the ends of its subscriptions. */
function follower(runtime = testRuntime()) {
  const batches: (readonly number[])[] = [];
  const cancelled: string[] = [];
  const stage = consumer<number>(
    {
      handleEvents: (events) => void batches.push(events),
      handleCancel: (reason) => void cancelled.push(sayReason(reason)),
    },
    { runtime },
  );
  return { stage, batches, cancelled };
}
const partitioned = (runtime = testRuntime()) =>
  producer<number, PartitionSubscribeOptions<number>>(() => {}, {
    runtime,
    dispatcher: partitionDispatcher({ partitions: 2, hash: (event: number) => (event % 2 === 0 ? 0 : 1) }),
  });
const refused = (code: string) => expect.objectContaining({ code });

describe("resubscribe on a partition", () => {
  test("1.9 takes the partition over, and its demand starts anew", async () => {
    const runtime = testRuntime();
    const source = partitioned(runtime);
    const { stage, batches, cancelled } = follower(runtime);
    const first = stage.subscribe(source, { partition: 1, maxDemand: 2 });
    await turns();
    const second = first.resubscribe({ maxDemand: 4, minDemand: 0 });
    await turns();
    expect([first.state, second.state, second.options]).toEqual([
      "ended",
      "active",
      { partition: 1, maxDemand: 4, minDemand: 0, cancel: "permanent", demand: "automatic" },
    ]);
    source.push([1, 2, 3, 5, 7, 9]);
    await turns();
    expect([batches, cancelled]).toEqual([[[1, 3, 5], [7], [9]], ["cancel resubscribe"]]);
    expect(source.inspect().links.map(({ maxDemand, demand }) => [maxDemand, demand])).toEqual([[4, 3]]);
  });

  test("1.9 can go to another partition, which leaves the old one free", async () => {
    const runtime = testRuntime();
    const source = partitioned(runtime);
    const { stage, batches } = follower(runtime);
    const first = stage.subscribe(source, { partition: 1 });
    first.resubscribe({ partition: 0 } as never);
    const other = follower(runtime);
    other.stage.subscribe(source, { partition: 1 });
    await turns();
    source.push([1, 2, 3, 4]);
    await turns();
    expect([batches, other.batches]).toEqual([[[2, 4]], [[1, 3]]]);
  });

  test.each([
    ["taken", { partition: 0 }, "ERR_PARTITION_TAKEN"],
    ["unknown", { partition: 9 }, "ERR_PARTITION"],
    ["wrong in another way", { maxDemand: 0 }, "ERR_RANGE"],
  ] as const)(
    "1.9 one that is %s is refused, and the old subscription goes on with all it asked for",
    async (_how, options, code) => {
      const runtime = testRuntime();
      const source = partitioned(runtime);
      const [mine, other] = [follower(runtime), follower(runtime)];
      const subscription = mine.stage.subscribe(source, { partition: 1, maxDemand: 3, minDemand: 2 });
      other.stage.subscribe(source, { partition: 0 });
      await turns();
      const demand = source.demand;
      expect(() => subscription.resubscribe(options as never)).toThrow(refused(code));
      await turns();
      expect([subscription.state, subscription.pending, source.demand]).toEqual(["active", 3, demand]);
      expect(mine.stage.subscriptions).toEqual([subscription]);
      source.push([1, 2, 3]);
      await turns();
      expect([mine.batches, mine.cancelled, other.batches]).toEqual([[[1], [3]], [], [[2]]]);
    },
  );

  test("1.9 one whose old subscription has asked for nothing is refused just so", async () => {
    const runtime = testRuntime();
    const source = partitioned(runtime);
    const { stage, batches } = follower(runtime);
    const subscription = stage.subscribe(source, { partition: 1, demand: "manual" });
    await turns();
    expect(() => subscription.resubscribe({ partition: 2 } as never)).toThrow(refused("ERR_PARTITION"));
    subscription.ask(1);
    await turns();
    source.push([1, 3]);
    await turns();
    expect([batches, subscription.state]).toEqual([[[1]], "active"]);
  });
});

describe("resubscribe on a broadcast", () => {
  test("1.9 is no duplicate, and holds nobody up", async () => {
    const runtime = testRuntime();
    const source = producer<number, BroadcastOptions>(() => {}, { runtime, dispatcher: broadcastDispatcher() });
    const [mine, other] = [follower(runtime), follower(runtime)];
    const first = mine.stage.subscribe(source, { maxDemand: 10 });
    other.stage.subscribe(source, { maxDemand: 10 });
    await turns();
    const second = first.resubscribe({ maxDemand: 5 });
    await turns();
    source.push(range(1, 5));
    await turns();
    expect([first.state, second.state, mine.batches.flat(), other.batches.flat()]).toEqual([
      "ended",
      "active",
      range(1, 5),
      range(1, 5),
    ]);
  });

  test("1.9 with a selector that is no function is refused, and the old one goes on", async () => {
    const runtime = testRuntime();
    const source = producer<number, BroadcastOptions>(() => {}, { runtime, dispatcher: broadcastDispatcher() });
    const { stage, batches } = follower(runtime);
    const first = stage.subscribe(source, { maxDemand: 10, selector: (n: number) => n > 1 });
    await turns();
    expect(() => first.resubscribe({ selector: 7 } as never)).toThrow(refused("ERR_OPTION"));
    source.push([1, 2, 3]);
    await turns();
    expect([first.state, batches]).toEqual(["active", [[2, 3]]]);
  });
});

describe("resubscribe", () => {
  test("1.9 handles what had come on the old link, and asks on the new one", async () => {
    const runtime = testRuntime();
    const raw = new RawProducer<number>();
    const { stage, batches, cancelled } = follower(runtime);
    const first = stage.subscribe(raw.producer, { maxDemand: 4, minDemand: 2 });
    await turns();
    const old = raw.port;
    old.events([1, 2, 3]);
    const second = first.resubscribe();
    old.events([4]);
    await turns();
    expect(batches).toEqual([[1, 2], [3]]);
    expect(raw.ends).toEqual([{ reason: { type: "cancel", reason: "resubscribe" }, unstarted: [4] }]);
    expect([raw.asks, cancelled]).toEqual([[4, 2, 4], ["cancel resubscribe"]]);
    expect([first.pending, second.pending]).toEqual([3, 4]);
  });

  test("1.10 of a stage that has ended is refused", async () => {
    const { stage } = follower();
    const raw = new RawProducer<number>();
    const subscription = stage.subscribe(raw.producer);
    await stage.stop();
    expect(() => subscription.resubscribe()).toThrow(refused("ERR_ENDED"));
    expect(raw.ends).toHaveLength(1);
  });

  test("1.5 to a producer that was stopped meanwhile is refused, and the end comes on the old one", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime });
    const { stage, cancelled } = follower(runtime);
    const subscription = stage.subscribe(source, { cancel: "temporary" });
    await turns();
    await source.stop();
    expect(() => subscription.resubscribe()).toThrow(refused("ERR_STOPPED"));
    await turns();
    expect([cancelled, subscription.state, stage.state]).toEqual([["stop"], "ended", "running"]);
    expect(() => subscription.resubscribe()).toThrow(refused("ERR_STOPPED"));
  });

  test("4.8 what the consumer had not started comes to it again, in order", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime });
    const gate = Promise.withResolvers<void>();
    const seen: number[] = [];
    const stage = consumer<number>(
      async (events) => {
        seen.push(...events);
        await gate.promise;
      },
      { runtime },
    );
    stage.subscribe(source, { maxDemand: 3, minDemand: 2 });
    await turns();
    source.push([1, 2, 3, 4]);
    await turns();
    stage.subscriptions[0]?.resubscribe({ maxDemand: 2 });
    source.push([5]);
    gate.resolve();
    await turns(8);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });
});
