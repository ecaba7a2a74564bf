import { describe, expect, test } from "vitest";
import { Collector, type CollectorOptions, source, type SourceContext } from "../../../src/adapter/index.ts";
import { consumer, type Discarded, type Producer, type ProducerOptions, type Reason } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { RawConsumer } from "../../support/stages.ts";

interface Rig {
  readonly stage: Producer<number>;
  readonly collector: Collector<number>;
  readonly context: SourceContext<number>;
  readonly demands: number[];
  readonly released: (Reason | undefined)[];
  readonly discarded: Discarded<number>[];
  readonly reports: (readonly [error: unknown, phase: string])[];
}

/** A source of numbers that the test brings by hand. */
function rig(collect: CollectorOptions = {}, options: Partial<ProducerOptions<number>> = {}): Rig {
  const demands: number[] = [];
  const released: (Reason | undefined)[] = [];
  const discarded: Discarded<number>[] = [];
  const reports: [unknown, string][] = [];
  let made!: { collector: Collector<number>; context: SourceContext<number> };
  const stage = source<number>(
    {
      begin: (context) => {
        const common: CollectorOptions = { release: (reason) => void released.push(reason), ...options };
        made = { context, collector: new Collector(context, { ...common, ...collect }) };
      },
      handleDemand: (demand) => {
        demands.push(demand);
        made.collector.resume();
      },
      handleSubscribe: () => made.collector.start(() => {}),
      terminate: (reason) => made.collector.close(reason),
    },
    {
      runtime: testRuntime(),
      onDiscard: (lost) => void discarded.push(lost),
      onReport: (error, { phase }) => void reports.push([error, phase]),
      ...options,
    },
    { pushes: collect.overflow !== undefined || options.overflow !== undefined },
  );
  // Its consumers are no stages, and carry nothing on.
  stage.done.catch(() => {});
  return { stage, ...made, demands, released, discarded, reports };
}

describe("what was asked for", () => {
  test("7.1 what comes in one stretch is one batch, a turn later", async () => {
    const { stage, collector } = rig();
    const c = new RawConsumer<number>().attach(stage).ask(10);
    await turns();
    for (const n of [1, 2, 3]) collector.add(n);
    expect(c.batches).toEqual([]);
    await turns();
    collector.add(4);
    await turns();
    expect(c.batches).toEqual([[1, 2, 3], [4]]);
  });

  test("7.1 all that is wanted goes out at once", async () => {
    const { stage, collector } = rig();
    const c = new RawConsumer<number>().attach(stage).ask(2);
    await turns();
    collector.add(1);
    collector.add(2);
    expect(c.batches).toEqual([[1, 2]]);
  });

  test.each(["complete", "fail"] as const)("7.2 %s comes behind what was collected", async (end) => {
    const { stage, collector, released } = rig();
    const c = new RawConsumer<number>().attach(stage).ask(10);
    await turns();
    collector.add(1);
    collector[end]("E");
    collector.add(2);
    await turns();
    expect(c.batches.flat()).toEqual([1]);
    expect(c.ends).toEqual([end === "fail" ? { type: "failure", error: "E" } : { type: "complete" }]);
    expect(released).toEqual([undefined]);
  });

  test("4.6 is accepted whatever the buffer holds", async () => {
    const { stage, collector, context } = rig({}, { bufferSize: 0 });
    const c = new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    for (const n of [1, 2, 3]) collector.add(n);
    await turns();
    expect([c.batches.flat(), context.buffered]).toEqual([[1], 2]);
    c.ask(2);
    await turns();
    expect([c.batches.flat(), context.buffered]).toEqual([[1, 2, 3], 0]);
  });

  test("4.9 what is collected when the stage ends is told, and the foreign side is let go with the reason", async () => {
    const { stage, collector, released, discarded } = rig();
    const c = new RawConsumer<number>().attach(stage).ask(10);
    await turns();
    collector.add(1);
    collector.add(2);
    c.leave();
    // The end has its turn behind the batch's: what was collected before it still goes out, and back.
    await turns();
    expect([c.batches.flat(), discarded, collector.closed]).toEqual([
      [],
      [{ events: [1, 2], cause: "stop", stage: stage.name }],
      true,
    ]);
    expect(released).toEqual([{ type: "stop" }]);
    collector.add(3);
    await turns();
    expect(discarded).toHaveLength(1);
  });

  test("4.9 what a stage that has failed does not take any more is told as lost by the failure", async () => {
    const { stage, collector, context, discarded, released } = rig();
    const c = new RawConsumer<number>().attach(stage).ask(10);
    await turns();
    context.fail("E", { after: "buffer" });
    collector.add(1);
    await turns();
    expect([c.batches.flat(), c.ends]).toEqual([[], [{ type: "failure", error: "E" }]]);
    expect([discarded, released.length]).toEqual([[{ events: [1], cause: "failure", stage: stage.name }], 1]);
  });
});

describe("what comes unasked", () => {
  test("7.4 a synchronous foreign side is held while its consumers work off what they have", async () => {
    const { stage, collector, context } = rig({ overflow: "throw" }, { overflow: "throw", bufferSize: 0 });
    const seen: number[] = [];
    const c = consumer<number>((events) => void seen.push(...events), { runtime: context.runtime });
    c.subscribe(stage, { maxDemand: 4 });
    await turns();
    for (const n of range(1, 100)) collector.add(n);
    collector.complete();
    await c.done;
    expect(seen).toEqual(range(1, 100));
  });

  test("4.6 a full buffer fails the stage behind what it holds, and lets go of the foreign side at once", async () => {
    const { stage, collector, released } = rig({ overflow: "throw" }, { overflow: "throw", bufferSize: 2 });
    const c = new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    for (const n of range(1, 5)) collector.add(n);
    expect(released).toMatchObject([{ type: "failure", error: { code: "ERR_OVERFLOW" } }]);
    c.ask(10);
    await turns();
    expect([c.batches.flat(), c.ends]).toMatchObject([
      [1, 2, 3],
      [{ type: "failure", error: { code: "ERR_OVERFLOW" } }],
    ]);
  });

  test("4.6 a failure behind an overflow is reported", async () => {
    const { stage, collector, reports } = rig({ overflow: "throw" }, { overflow: "throw", bufferSize: 2 });
    const c = new RawConsumer<number>().attach(stage);
    await turns();
    for (const n of range(1, 3)) collector.add(n);
    collector.fail("E");
    c.ask(10);
    await turns();
    expect([c.batches.flat(), c.ends, reports]).toMatchObject([
      [1, 2],
      [{ type: "failure", error: { code: "ERR_OVERFLOW" } }],
      [["E", "fail"]],
    ]);
  });

  test("7.1 the brake is on while consumers want no more, and off when they ask again", async () => {
    const calls: string[] = [];
    const brake = { pause: () => void calls.push("pause"), resume: () => void calls.push("resume") };
    const { stage, collector, demands } = rig({ overflow: "throw", brake }, { overflow: "throw" });
    const c = new RawConsumer<number>().attach(stage).ask(2);
    await turns();
    collector.add(1);
    collector.add(2);
    expect([calls, c.batches.flat()]).toEqual([["pause"], [1, 2]]);
    collector.add(3);
    await turns();
    c.ask(1);
    await turns();
    expect([calls, c.batches.flat()]).toEqual([["pause"], [1, 2, 3]]);
    c.ask(5);
    await turns();
    expect([calls, demands.at(-1)]).toEqual([["pause", "resume"], 5]);
  });

  test.each(["pause", "resume"] as const)("6.1 a %s that throws fails the stage", async (which) => {
    const error = new Error("brake");
    const brake = { pause: () => {}, resume: () => {} };
    brake[which] = () => {
      throw error;
    };
    const { stage, collector } = rig({ overflow: "throw", brake }, { overflow: "throw" });
    const c = new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    collector.add(1);
    c.ask(1);
    await turns();
    expect(c.ends).toEqual([{ type: "failure", error }]);
    expect(stage.failure).toEqual({ error, stage: stage.name, callback: which, events: [] });
  });
});

describe("opening and letting go", () => {
  test("7.3 what fails when the foreign side is let go is reported", async () => {
    const error = new Error("release");
    const release = (): void => {
      throw error;
    };
    const { stage, reports } = rig({ release });
    const c = new RawConsumer<number>().attach(stage);
    await turns();
    c.leave();
    await turns();
    expect([stage.state, reports]).toEqual(["stopped", [[error, "release"]]]);
  });

  test("7.2 what fails when it is opened fails the stage", async () => {
    const { stage, collector, released } = rig();
    const c = new RawConsumer<number>().attach(stage);
    collector.open(() => {
      throw new Error("open");
    });
    await turns();
    expect(c.ends).toMatchObject([{ type: "failure", error: { message: "open" } }]);
    // Once for the end, once more for what was opened behind it.
    expect(released).toEqual([undefined, undefined]);
  });

  test("7.3 what ends while it is opened is let go of again behind that, and what it throws then is reported", async () => {
    const { stage, collector, released, reports } = rig();
    const c = new RawConsumer<number>().attach(stage).ask(2);
    await turns();
    collector.open(() => {
      collector.add(1);
      collector.complete();
      throw new Error("late");
    });
    await turns();
    expect([c.batches, c.ends, released]).toEqual([[[1]], [{ type: "complete" }], [undefined, undefined]]);
    expect(reports).toEqual([[new Error("late"), "open"]]);
  });

  test("7.3 a stage that ended before is not opened, nor let go", async () => {
    const { collector, released } = rig({}, { signal: AbortSignal.abort("before") });
    let opened = 0;
    collector.start(() => void (opened += 1));
    await turns();
    expect([opened, released, collector.closed]).toEqual([0, [], true]);
  });
});

describe("lingering", () => {
  test("7.1 the first event goes at once; what follows in the same run of microtasks is one batch", async () => {
    const { stage, collector } = rig({ lingers: true });
    const c = new RawConsumer<number>().attach(stage).ask(100);
    await turns();
    for (const n of range(1, 5)) {
      collector.add(n);
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(c.batches).toEqual([[1]]);
    await turns();
    expect(c.batches).toEqual([[1], [2, 3, 4, 5]]);
  });

  test("7.1 no event waits for company in a later turn of the event loop", async () => {
    const { stage, collector } = rig({ lingers: true });
    const c = new RawConsumer<number>().attach(stage).ask(100);
    for (const n of [1, 2, 3]) {
      await turns(2);
      collector.add(n);
      await Promise.resolve();
      await Promise.resolve();
      expect(c.batches.flat()).toEqual(range(1, n));
    }
  });

  test("7.1 all that is wanted waits for nothing", async () => {
    const { stage, collector } = rig({ lingers: true });
    const c = new RawConsumer<number>().attach(stage).ask(3);
    await turns();
    for (const n of [1, 2, 3]) {
      collector.add(n);
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(c.batches).toEqual([[1], [2, 3]]);
  });
});
