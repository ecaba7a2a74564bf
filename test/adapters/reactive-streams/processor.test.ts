import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  intoSubscriber,
  type Processor,
  throughProcessor,
  toPublisher,
} from "../../../adapters/reactive-streams/index.ts";
import {
  collect,
  consumer,
  failureOf,
  fromIterable,
  partitionDispatcher,
  pipeline,
  type ProducerOptions,
  take,
} from "../../../src/index.ts";
import { complete, failed, ManualConsumer, ManualProducer } from "../../reactive-streams/harness.ts";
import { type Kind, kinds, tickingRuntime } from "../../reactive-streams/kinds.ts";
import { sourceChecks } from "../../reactive-streams/source-checks.ts";
import { range, testRuntime, turns, twice } from "../../support/runtime.ts";
import { HandPublisher, Probe, Repeater } from "./support.ts";

async function rig(times = 1, options: ProducerOptions<number> = {}) {
  const reports: unknown[] = [];
  const processor = new Repeater<number>(times);
  const stage = throughProcessor<number, number>(processor, {
    runtime: testRuntime(),
    onReport: (error) => void reports.push(error),
    ...options,
  });
  const source = new ManualProducer();
  stage.subscribe(source.producer);
  const c = new ManualConsumer().attach(stage);
  await turns();
  return { processor, stage, source, c, reports };
}
const heard = ({ received, ends, flaws }: ManualConsumer): unknown => [received, ends, flaws];

describe("RS-4.1 a Processor that passes events on, as a producerConsumer", () => {
  test.each(sourceChecks)("RS-$rule $title", async ({ run: checkRule }) => {
    await checkRule((count, failure) => {
      const runtime = tickingRuntime();
      const stage = throughProcessor<number, number>(new Repeater(), { runtime, onReport: () => {} });
      stage.subscribe((kinds[1] as Kind).make(count, failure));
      return stage;
    }, 2000);
  });
});

describe("throughProcessor", () => {
  test("RS-4.1 its requests are the only demand", async () => {
    const { source, c } = await rig(2);
    expect(source.asks).toEqual([]);
    c.ask(5);
    await turns();
    expect(source.asks).toEqual([3]);
    source.emit(1, 2, 3);
    await turns();
    expect(heard(c)).toEqual([[1, 1, 2, 2, 3], [], []]);
    c.ask(1);
    await turns();
    expect([c.received.at(-1), source.asks, source.flaws]).toEqual([3, [3], []]);
  });

  test("RS-4.1 a completed source lets it flush, at the pace of who asks", async () => {
    const { source, c, stage } = await rig(2);
    c.ask(1);
    await turns();
    source.emit(1).finish();
    await turns();
    expect([heard(c), stage.state]).toEqual([[[1], [], []], "running"]);
    c.ask(1);
    await turns();
    expect([heard(c), stage.state]).toEqual([[[1, 1], [complete], []], "completed"]);
  });

  test("RS-4.2 a failing source fails it by identity, without an ask, and it is told once", async () => {
    const error = new Error("E");
    const { processor, source, c, stage, reports } = await rig();
    source.finish(failed(error));
    await turns();
    expect([heard(c), processor.heard, stage.state, reports]).toEqual([
      [[], [failed(error)], []],
      [{ error }],
      "failed",
      [],
    ]);
    expect(source.flaws).toEqual([]);
  });

  test("RS-4.2 a Processor that fails by itself: the source is left", async () => {
    const { processor, source, c, reports } = await rig();
    processor.downstream?.onError("E");
    await turns();
    expect([c.ends, source.ends.length, source.flaws, reports]).toEqual([[failed("E")], 1, [], []]);
  });

  test("RS-4.2 a Processor that throws: the stage fails with it, what it had not seen goes back", async () => {
    const { processor, source, c } = await rig();
    const error = new Error("E");
    const next = processor.onNext.bind(processor);
    processor.onNext = (event) => {
      if (event === 2) throw error;
      next(event);
    };
    c.ask(5);
    await turns();
    source.emit(1, 2, 3);
    await turns();
    expect(c.ends).toEqual([failed(error)]);
    expect(failureOf(error)).toMatchObject({ callback: "onNext", events: [2] });
    expect(source.ends.map(({ unstarted }) => unstarted)).toEqual([[3]]);
  });

  test("RS-2.6 its last consumer leaves: one cancel all the way up", async () => {
    const { processor, source, c, stage, reports } = await rig();
    c.ask(2);
    await turns();
    source.emit(1);
    await turns();
    c.cancel();
    await turns();
    expect([processor.heard, source.ends.length, source.flaws]).toEqual([["cancel"], 1, []]);
    expect([stage.state, reports, c.received]).toEqual(["stopped", [], [1]]);
  });

  test("RS-3.12 a Processor that has enough leaves its source, and completes", async () => {
    const { processor, source, c, stage } = await rig();
    const next = processor.onNext.bind(processor);
    processor.onNext = (event) => {
      next(event);
      if (event === 2) processor.enough();
    };
    c.ask(5);
    await turns();
    source.emit(1, 2, 3);
    await turns();
    expect([heard(c), stage.state]).toEqual([[[1, 2], [complete], []], "completed"]);
    expect(source.ends.map(({ unstarted }) => unstarted)).toEqual([[3]]);
  });

  test("J02 aborted: both sides are left, with the reason", async () => {
    const kill = new AbortController();
    const { processor, source, c } = await rig(1, { signal: kill.signal });
    kill.abort("enough");
    await turns();
    expect([c.ends, source.ends.length, processor.heard.length > 0]).toEqual([[failed("enough")], 1, true]);
  });

  test("RS-2.5 a second source is refused at once, the first goes on", async () => {
    const { stage, source, c } = await rig();
    expect(() => stage.subscribe(fromIterable([1]))).toThrow(expect.objectContaining({ code: "ERR_DUPLICATE" }));
    c.ask(1);
    await turns();
    source.emit(1);
    await turns();
    expect(heard(c)).toEqual([[1], [], []]);
  });

  test("5.1 its halves have names; a failure while something is held comes behind it", async () => {
    const dispatcher = partitionDispatcher({ partitions: 2, by: (n: number) => n, maxQueued: 5 });
    const processor = new Repeater<number>();
    const reports: unknown[] = [];
    const stage = throughProcessor(processor, {
      name: "through",
      runtime: testRuntime(),
      dispatcher,
      onReport: (error, { stage: who }) => void reports.push([error, who]),
    });
    const source = new ManualProducer();
    expect(stage.subscribe(source.producer).consumer.name).toBe("through");
    const hands = [0, 1].map((partition) => new ManualConsumer().attach(stage, { partition }));
    hands[0]?.ask(2);
    await turns();
    source.emit(1, 2);
    await turns();
    processor.downstream?.onError("E");
    await turns();
    for (const c of hands) c.ask(5);
    await turns();
    expect(hands.flatMap(({ received }) => received).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect([hands.map(({ ends }) => ends), reports]).toEqual([[[failed("E")], [failed("E")]], []]);
  });

  test("8.5 stands in a pipeline", async () => {
    const stage = throughProcessor<number, number>(new Repeater(2));
    expect(await pipeline(fromIterable(range(1, 100)), stage, collect()).done).toEqual(twice(1, 100));
    const some = throughProcessor<number, number>(new Repeater(2));
    expect(await pipeline(fromIterable(range(1, 100)), some, take(3), collect()).done).toEqual([1, 1, 2]);
  });

  test("1.1 what is no Processor is refused", () => {
    const half = new HandPublisher();
    for (const wrong of [null, half, new Probe(), {}])
      expect(() => throughProcessor(wrong as unknown as Processor<number, number>)).toThrow(
        expect.objectContaining({ code: "ERR_NOT_SOURCE" }),
      );
  });
});

describe("intoSubscriber", () => {
  test("RS-2.5 has one producer at a time; the next one is asked for what is still due", async () => {
    const p = new Probe();
    const sink = intoSubscriber(p, { runtime: testRuntime() });
    const [first, second] = [new ManualProducer(), new ManualProducer()];
    const subscription = sink.subscribe(first.producer, { cancel: "temporary" });
    expect(() => sink.subscribe(second.producer)).toThrow(expect.objectContaining({ code: "ERR_DUPLICATE" }));
    await turns();
    p.request(5);
    await turns();
    first.emit(1, 2);
    await turns();
    subscription.cancel();
    await turns();
    sink.subscribe(second.producer);
    await turns();
    expect([first.asks, second.asks, p.subscriptions]).toEqual([[5], [3], 1]);
    second.emit(3, 4, 5);
    await turns();
    second.finish();
    await sink.done;
    expect([p.received, p.ends, p.flaws]).toEqual([range(1, 5), ["complete"], []]);
  });

  test("RS-1.9 requests between two producers are kept for the next", async () => {
    const p = new Probe();
    const sink = intoSubscriber(p, { runtime: testRuntime() });
    const [first, second] = [new ManualProducer(), new ManualProducer()];
    sink.subscribe(first.producer, { cancel: "transient" });
    await turns();
    first.finish();
    await turns();
    p.request(2).request(1);
    sink.subscribe(second.producer);
    await turns();
    expect(second.asks).toEqual([3]);
  });

  test("RS-1.9 a next producer is asked for nothing where nothing is due", async () => {
    const p = new Probe();
    const sink = intoSubscriber(p, { runtime: testRuntime() });
    const [first, second] = [new ManualProducer(), new ManualProducer()];
    sink.subscribe(first.producer, { cancel: "transient" });
    await turns();
    first.finish();
    await turns();
    sink.subscribe(second.producer);
    await turns();
    p.request(1);
    await turns();
    expect([first.asks, second.asks, p.subscriptions, p.ends]).toEqual([[], [1], 1, []]);
  });

  test("RS-1.9 one that is stopped before it has a producer says nothing to its Subscriber", async () => {
    const p = new Probe();
    const sink = intoSubscriber(p, { runtime: testRuntime() });
    await sink.stop();
    expect([p.subscriptions, p.ends, sink.state]).toEqual([0, [], "stopped"]);
  });

  test("3.3 its subscriptions are manual, whatever is asked of them", async () => {
    const sink = intoSubscriber(new Probe(), { runtime: testRuntime() });
    const subscription = sink.subscribe(new ManualProducer().producer, { maxDemand: 5, demand: "automatic" });
    expect(subscription.options.demand).toBe("manual");
  });

  test("J01 aborted before: the Subscriber is not touched; J06 aborted by it: no further event", async () => {
    const before = new Probe();
    const aborted = intoSubscriber(before, { runtime: testRuntime(), signal: AbortSignal.abort("enough") });
    await expect(aborted.done).rejects.toBe("enough");
    expect([before.subscriptions, before.ends]).toEqual([0, []]);
    const kill = new AbortController();
    const p = new Probe();
    const sink = intoSubscriber(p, { runtime: testRuntime(), signal: kill.signal });
    const source = new ManualProducer();
    sink.subscribe(source.producer);
    p.each = () => kill.abort("enough");
    await turns();
    p.request(5);
    source.emit(1, 2);
    await expect(sink.done).rejects.toBe("enough");
    expect([p.received, p.ends, p.flaws]).toEqual([[1], [{ error: "enough" }], []]);
    expect(source.ends.map(({ unstarted }) => unstarted)).toEqual([[2]]);
  });
});

describe("toPublisher", () => {
  test("RS-1.10 RS-2.12 the same Subscriber again is refused; the first subscription goes on", async () => {
    const publisher = toPublisher(fromIterable(range(0, 4), { runtime: testRuntime() }));
    const p = new Probe().to(publisher);
    expect(() => publisher.subscribe(p)).toThrow(expect.objectContaining({ code: "ERR_DUPLICATE" }));
    p.request(2);
    await turns();
    expect([p.received, p.subscriptions, p.flaws]).toEqual([[0, 1], 1, []]);
  });

  test("RS-1.9c a producer that refuses: onSubscribe, then the error, and no throw", async () => {
    const split = fromIterable([1, 2], {
      dispatcher: partitionDispatcher({ partitions: 2, by: (n: number) => n }),
      runtime: testRuntime(),
    });
    const publisher = toPublisher(split, { partition: 1 });
    new Probe().to(publisher);
    const p = new Probe().to(publisher);
    expect([p.subscriptions, p.ends, p.flaws]).toEqual([
      1,
      [{ error: expect.objectContaining({ code: "ERR_PARTITION_TAKEN" }) }],
      [],
    ]);
    p.request(1).cancel();
    await turns();
    expect([p.ends.length, p.flaws]).toEqual([1, []]);
  });

  test("RS-3.13 RS-3.14 behind a cancel the Subscriber is let go, and the source stops", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const stages = range(1, 4).map(() => fromIterable(range(0, 9), { runtime: testRuntime() }));
    const subscriptions: unknown[] = [];
    const left: WeakRef<Probe>[] = [];
    for (const stage of stages) {
      await (async () => {
        const p = new Probe();
        p.onStart = (subscription) => void subscriptions.push(subscription);
        p.to(toPublisher(stage)).request(1);
        await turns();
        expect(p.received).toEqual([0]);
        p.cancel();
        left.push(new WeakRef(p));
      })();
    }
    for (let round = 0; round < 10 && left.some((ref) => ref.deref()); round += 1) {
      await turns();
      collectGarbage();
    }
    expect(stages.map(({ state }) => state)).toEqual(["stopped", "stopped", "stopped", "stopped"]);
    // The engine may keep one for a while, in a frame.
    expect(left.filter((ref) => ref.deref()).length).toBeLessThanOrEqual(1);
    expect(subscriptions).toHaveLength(4);
  });

  test("1.1 what is no producer, and wrong options, are refused", () => {
    for (const wrong of [null, {}, consumer(() => {})])
      expect(() => toPublisher(wrong as never)).toThrow(expect.objectContaining({ code: "ERR_NOT_PRODUCER" }));
    const source = fromIterable([1]);
    for (const options of [{ maxDemand: 5 }, { minDemand: 1 }, { demand: "manual" }, { cancel: "temporary" }])
      expect(() => toPublisher(source, options as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
  });
});
