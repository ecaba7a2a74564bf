import { beforeEach, describe, expect, test } from "vitest";
import { toReadable } from "../../../adapters/node/index.ts";
import {
  type BroadcastSubscribeOptions,
  broadcastDispatcher,
  consumer,
  fromIterable,
  type Producer,
  type ProducerStage,
  producer,
  producerConsumer,
  type SubscribeOptions,
} from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { say } from "./rig.ts";

type Source = ProducerStage<number, BroadcastSubscribeOptions<number>>;

/** New ones for each test: what has been heard of once is not reported later. */
let first!: Error;
let second!: Error;
beforeEach(() => {
  first = new Error("first");
  second = new Error("second");
});

/** Stages that note what they report: who, where, what. */
function scene() {
  const runtime = testRuntime();
  const reports: string[] = [];
  const options = (name: string) => ({
    name,
    runtime,
    onReport: (error: unknown, { stage, phase }: { readonly stage: string; readonly phase: string }) =>
      void reports.push(`${stage} ${phase}: ${say(error)}`),
  });
  const source = (name = "source"): Source =>
    producer((): number[] => [], { ...options(name), dispatcher: broadcastDispatcher() });
  const through = (from: Source): Producer<number> => {
    const stage = producerConsumer((events: readonly number[]) => events, options("through"));
    stage.subscribe(from);
    return stage;
  };
  /** A consumer whose first callback is pending until it is let go. */
  const busy = async (from: Source, subscribe: SubscribeOptions = {}) => {
    const gate = Promise.withResolvers<void>();
    const stage = consumer((_events: readonly number[]) => gate.promise, options("sink"));
    const done = stage.done.then(() => "well", say);
    const subscription = stage.subscribe(from, subscribe);
    await turns();
    from.push([1]);
    await turns();
    return { stage, gate, done, subscription };
  };
  return { reports, options, source, through, busy };
}

describe("a failure of a source whose only consumer has left in the same stretch", () => {
  test("5.11 is reported: the source has not heard that its consumer left", async () => {
    const { reports, options, source } = scene();
    const from = source();
    const stage = consumer(
      {
        handleEvents: (_events: readonly number[], subscription) => subscription.cancel(),
        handleCancel: () => from.fail(first),
      },
      options("sink"),
    );
    stage.subscribe(from);
    await turns();
    from.push([1]);
    await stage.done;
    expect([from.state, reports]).toEqual(["failed", ["source done: first"]]);
  });

  test("5.11 is reported: a loop is left, and its iterator fails with the next value", async () => {
    const reports: string[] = [];
    const from = fromIterable(
      (async function* () {
        yield 1;
        await Promise.resolve();
        throw first;
      })(),
      { runtime: testRuntime(), onReport: (error, { phase }) => void reports.push(`${phase}: ${say(error)}`) },
    );
    for await (const n of from) {
      expect(n).toBe(1);
      break;
    }
    await turns();
    expect(reports).toEqual(["done: first"]);
  });
});

describe("a failure that crosses another end of the only one to carry it on", () => {
  test("5.11 is reported: the consumer's callback fails", async () => {
    const { reports, source, busy } = scene();
    const from = source();
    const { gate, done } = await busy(from);
    from.fail(first);
    await turns();
    gate.reject(second);
    expect([await done, reports]).toEqual(["second", ["source done: first"]]);
  });

  test("5.11 is reported: another source fails in the same stretch", async () => {
    const { reports, source, busy } = scene();
    const [a, b] = [source("a"), source("b")];
    const { stage, gate, done } = await busy(a);
    stage.subscribe(b);
    a.fail(first);
    b.fail(second);
    gate.resolve();
    expect([await done, reports]).toEqual(["first", ["b done: second"]]);
  });

  test("5.11 is reported once if both fail with the same: one has told it", async () => {
    const { reports, source, busy } = scene();
    const [a, b] = [source("a"), source("b")];
    const { stage, gate, done } = await busy(a);
    stage.subscribe(b);
    a.fail(first);
    b.fail(first);
    gate.resolve();
    expect([await done, reports]).toEqual(["first", []]);
  });

  test("5.11 is reported: the consumer is stopped", async () => {
    const { reports, source, busy } = scene();
    const from = source();
    const { stage, gate, done } = await busy(from);
    void stage.stop();
    from.fail(first);
    gate.resolve();
    expect([await done, reports]).toEqual(["well", ["source done: first"]]);
  });

  test("5.11 is reported: the subscription is cancelled", async () => {
    const { reports, source, busy } = scene();
    const from = source();
    const { gate, subscription } = await busy(from);
    subscription.cancel();
    from.fail(first);
    gate.resolve();
    await turns();
    expect(reports).toEqual(["source done: first"]);
  });

  test("5.11 is reported: the consumer was stopped, and subscribes", async () => {
    const { reports, source, busy } = scene();
    const from = source("late");
    const { stage, gate, done } = await busy(source());
    from.fail(first);
    void stage.stop();
    stage.subscribe(from);
    gate.resolve();
    expect([await done, reports]).toEqual(["well", ["late done: first"]]);
  });

  test("5.11 is not reported where `done` has been asked for", async () => {
    const { reports, source, busy } = scene();
    const from = source();
    const told = from.done.catch(say);
    const { stage, gate, done } = await busy(from);
    void stage.stop();
    from.fail(first);
    gate.resolve();
    expect([await done, await told, reports]).toEqual(["well", "first", []]);
  });

  test("5.11 is not reported for a temporary subscription: `done` rejects unheard", async () => {
    const { reports, source, busy } = scene();
    const from = source();
    const { stage, gate, done } = await busy(from, { cancel: "temporary" });
    void stage.stop();
    from.fail(first);
    const told = from.done.catch(say);
    gate.resolve();
    expect([await done, await told, reports]).toEqual(["well", "first", []]);
  });
});

describe("a failure that several were to carry on", () => {
  test("5.11 is not reported while one of them tells it", async () => {
    const { reports, source, busy } = scene();
    const from = source();
    const one = await busy(from);
    const other = await busy(from);
    void one.stage.stop();
    from.fail(first);
    one.gate.resolve();
    other.gate.resolve();
    expect([await one.done, await other.done, reports]).toEqual(["well", "first", []]);
  });

  test("5.11 is reported once if none does", async () => {
    const { reports, source, busy } = scene();
    const from = source();
    const one = await busy(from);
    const other = await busy(from);
    void one.stage.stop();
    void other.stage.stop();
    from.fail(first);
    one.gate.resolve();
    other.gate.resolve();
    expect([await one.done, await other.done, reports]).toEqual(["well", "well", ["source done: first"]]);
  });
});

describe("a failure that comes by several ways", () => {
  test("5.11 is not reported at the end of one when another has told it", async () => {
    const { reports, source, through } = scene();
    const from = source();
    const loops = [through(from), through(from)].map((stage) => stage.events());
    const [one, other] = loops.map(async (loop) => loop.next()) as [Promise<unknown>, Promise<unknown>];
    await turns();
    from.push([1, 2]);
    await turns();
    expect([await one, await other]).toEqual([
      { done: false, value: 1 },
      { done: false, value: 1 },
    ]);
    from.fail(first);
    await turns();
    expect(await loops[0]?.next()).toEqual({ done: false, value: 2 });
    expect(await loops[0]?.next().catch(say)).toBe("first");
    await loops[1]?.return?.();
    expect(reports).toEqual([]);
  });

  test("5.11 is not reported when it is who aborted that gave it", async () => {
    const { reports, options } = scene();
    const abort = new AbortController();
    const from = producer<number>(() => {}, { ...options("source"), signal: abort.signal });
    const loop = from.events();
    void loop.next();
    await turns();
    from.push([1, 2]);
    await turns();
    abort.abort(first);
    await loop.return?.();
    expect(reports).toEqual([]);
  });
});

describe("a failure that a loop or a Readable has not told yet", () => {
  test("5.11 is reported when the loop is left", async () => {
    const { reports, source } = scene();
    const from = source();
    const loop = from.events();
    const pull = loop.next();
    await turns();
    await ended(from);
    expect(await pull).toEqual({ done: false, value: 1 });
    await loop.return?.();
    await loop.return?.();
    expect(reports).toEqual(["source done: first"]);
  });

  test("5.11 is not reported when the loop has thrown it", async () => {
    const { reports, source } = scene();
    const from = source();
    const loop = from.batches();
    const pull = loop.next();
    await turns();
    await ended(from);
    expect(await pull).toEqual({ done: false, value: [1, 2, 3] });
    expect(await loop.next().catch(say)).toBe("first");
    await loop.return?.();
    expect(reports).toEqual([]);
  });

  test.each([
    ["is destroyed", () => undefined, ["source done: first"]],
    ["is destroyed with another error", () => second, ["source done: first"]],
    ["is destroyed with the same", () => first, []],
  ])("5.11 when the Readable %s", async (_how, error, expected) => {
    const { reports, source } = scene();
    const from = source();
    const readable = toReadable(from as Producer<number>, { highWaterMark: 2 });
    readable.on("error", () => {});
    readable.read();
    await turns();
    from.fail(first);
    readable.destroy(error());
    await turns();
    expect([readable.destroyed, reports]).toEqual([true, expected]);
  });
});

async function ended(from: Source): Promise<void> {
  from.push([1, 2, 3]);
  await turns();
  from.fail(first, { after: "buffer" });
  await turns();
}
