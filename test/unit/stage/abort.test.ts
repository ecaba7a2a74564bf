import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { consumer, fromIterable, producer, producerConsumer, type Stage } from "../../../src/index.ts";
import { RawConsumer, RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { boom, type Inside, Rig, say, sayReason } from "./rig.ts";

const kinds = ["producer", "producerConsumer", "consumer"] as const;

describe.each(kinds)("a %s whose signal", (kind) => {
  test("5.4 has aborted before it was made ends before anything else", async () => {
    const log: string[] = [];
    const note = (what: string) => (): void => void log.push(what);
    const behaviour = {
      init: note("init"),
      handleDemand: note("handleDemand"),
      handleEvents: note("handleEvents"),
      terminate: note("terminate"),
    };
    const signal = AbortSignal.abort(boom);
    const options = { runtime: testRuntime(), signal };
    const makers: Record<typeof kind, () => Stage> = {
      producer: () => producer(behaviour, options),
      producerConsumer: () => producerConsumer<number, never>(behaviour, options),
      consumer: () => consumer(behaviour, options),
    };
    const stage = makers[kind]();
    expect(stage.state).toBe("ending");
    await turns();
    expect([log, stage.state]).toEqual([["terminate"], "failed"]);
    await expect(stage.done).rejects.toBe(boom);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test.each(["answers", "fails"] as const)("5.4 aborts while a promise is pending which later %s", async (how) => {
    const rig = new Rig(kind);
    const gate = Promise.withResolvers<never>();
    rig.scripts.push(() => gate.promise);
    await turns();
    if (kind === "producer") rig.sink.ask(1);
    else {
      if (kind === "producerConsumer") rig.sink.ask(1);
      await turns();
      rig.source.port.events([1]);
    }
    await turns();
    rig.abort.abort(boom);
    await turns();
    expect([rig.done, rig.stage.state]).toEqual(["rejected boom", "failed"]);
    if (how === "answers") gate.resolve(["late"] as never);
    else gate.reject(new Error("late"));
    const { out, discarded, last } = await rig.seen();
    // What handleDemand returns was taken from somewhere: it is told.
    const told = kind === "producer" && how === "answers" ? [["abort", "late"]] : [];
    expect([out, discarded, last]).toEqual([[], told, ["failure boom"]]);
    const callback = kind === "producer" ? "handleDemand" : "handleEvents";
    expect(rig.reports).toEqual(how === "fails" ? [`${callback}: late`] : []);
  });

  test("5.4 aborts with a value that is no error ends it with that value", async () => {
    const rig = new Rig(kind);
    await turns();
    rig.abort.abort("enough");
    await turns();
    expect([rig.done, rig.last.map(sayReason)]).toEqual(["rejected enough", ["failure enough"]]);
  });

  test("5.4 aborts without a reason ends it with the platform's AbortError", async () => {
    const rig = new Rig(kind);
    await turns();
    rig.abort.abort();
    await turns();
    expect(rig.done).toBe("rejected AbortError");
  });

  test.each(["stop", "complete", "fail", "abort"] as const)("J07 is let go of after %s", async (how) => {
    const rig = new Rig(kind);
    const { signal } = rig.abort;
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    if (how === "stop") void rig.stage.stop();
    else if (how === "abort") rig.abort.abort(boom);
    else void rig.stage.call((stage) => (how === "fail" ? stage.fail(boom) : stage.complete())).catch(() => {});
    await turns();
    expect([getEventListeners(signal, "abort"), rig.last.length]).toEqual([[], 1]);
  });

  test("5.1 aborts after the end changes nothing", async () => {
    const rig = new Rig(kind);
    await rig.stage.stop();
    rig.abort.abort(boom);
    await turns();
    expect([rig.done, rig.stage.state, rig.last.map(sayReason)]).toEqual(["fulfilled", "stopped", ["stop"]]);
  });
});

describe("a signal that aborts", () => {
  test("J01 before it is attached leaves an iterable untouched", async () => {
    let asked = 0;
    const iterable = {
      [Symbol.iterator]: () => {
        asked += 1;
        return [1][Symbol.iterator]();
      },
    };
    const source = fromIterable(iterable, { runtime: testRuntime(), signal: AbortSignal.abort(boom) });
    const raw = new RawConsumer<number>().attach(source);
    raw.ask(1);
    await turns();
    expect([asked, raw.batches, raw.ends.map(sayReason)]).toEqual([0, [], ["failure boom"]]);
  });

  test("J06 inside a callback lets that batch be the last one", async () => {
    const rig = new Rig("consumer");
    rig.scripts.push(() => rig.abort.abort(boom));
    await turns();
    rig.source.port.events([1, 2, 3, 4]);
    const { handled, back } = await rig.seen();
    expect([handled, back]).toEqual([[[1, 2]], [["failure boom", 3, 4]]]);
  });

  test("6.10 before the first turn of its stage runs no init, but terminate", async () => {
    const log: string[] = [];
    const controller = new AbortController();
    const stage = producer<number>(
      { init: () => void log.push("init"), handleDemand: () => {}, terminate: () => void log.push("terminate") },
      { runtime: testRuntime(), signal: controller.signal },
    );
    expect(stage.state).toBe("starting");
    controller.abort(boom);
    await turns();
    expect([log, stage.state]).toEqual([["terminate"], "failed"]);
  });

  test("5.4 while init is pending ends the stage without it", async () => {
    const log: string[] = [];
    const controller = new AbortController();
    const source = new RawProducer<number>();
    const stage = consumer<number>(
      { init: () => new Promise(() => {}), handleEvents: () => {}, terminate: () => void log.push("terminate") },
      { runtime: testRuntime(), signal: controller.signal },
    );
    const subscription = stage.subscribe(source.producer);
    await turns();
    expect([source.asks, subscription.state]).toEqual([[], "pending"]);
    controller.abort(boom);
    await turns();
    expect(log).toEqual(["terminate"]);
    expect(source.ends.map(({ reason }) => sayReason(reason))).toEqual(["failure boom"]);
    expect(subscription.state).toBe("ended");
  });
});

describe("the signal that callbacks get", () => {
  test.each([
    ["stop()", "AbortError", (stage: Inside) => stage.stop()],
    ["stop(boom)", "boom", (stage: Inside) => stage.stop(boom)],
    ["complete()", "AbortError", (stage: Inside) => stage.complete()],
    ["fail(boom)", "boom", (stage: Inside) => stage.fail(boom)],
  ] as const)("5.5 aborts after %s", async (_how, reason, end) => {
    const rig = new Rig("consumer");
    let signal!: AbortSignal;
    rig.scripts.push((stage) => {
      ({ signal } = stage);
      end(stage);
      expect(signal.aborted).toBe(false);
    });
    await turns();
    rig.source.port.events([1]);
    await rig.seen();
    expect([signal.aborted, say(signal.reason)]).toEqual([true, reason]);
  });

  test("5.5 is aborted when it is looked at after the end", async () => {
    const rig = new Rig("producer");
    const stage = await rig.stage.call((self) => ({ self }));
    await rig.stage.stop({ reason: boom });
    await turns();
    expect([stage.self.signal.aborted, stage.self.signal.reason]).toEqual([true, boom]);
  });

  test("5.5 tells a pending callback that nobody waits for it", async () => {
    const rig = new Rig("consumer");
    const told = Promise.withResolvers<unknown>();
    rig.scripts.push(
      ({ signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => {
            told.resolve(signal.reason);
            resolve();
          });
        }),
    );
    await turns();
    rig.source.port.events([1]);
    await turns();
    rig.abort.abort(boom);
    expect(await told.promise).toBe(boom);
  });
});
