import { describe, expect, test } from "vitest";
import { consumer, producer, type Stage } from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { boom, Rig, say, sayReason } from "./rig.ts";

const ended = expect.objectContaining({ code: "ERR_ENDED" });
/** What has become of a promise by now. */
const watch = (promise: Promise<unknown>): { was: string } => {
  const seen = { was: "pending" };
  promise.then(
    (value) => (seen.was = `fulfilled ${say(value)}`),
    (error: unknown) => (seen.was = `rejected ${say(error)}`),
  );
  return seen;
};
const endings = {
  stop: (rig: Rig) => void rig.stage.stop(),
  fail: (rig: Rig) => rig.emits.fail(boom),
  abort: (rig: Rig) => rig.abort.abort(boom),
  complete: (rig: Rig) => rig.emits.complete(),
} as const;
const ways = Object.keys(endings) as (keyof typeof endings)[];
/** How the error names the failure that came before it. */
const because = (how: keyof typeof endings): string =>
  how === "fail" || how === "abort" ? "ERR_ENDED of boom" : "ERR_ENDED";

describe.each(["producer", "producerConsumer"] as const)("a %s that has ended", (kind) => {
  test.each(ways)("5.1 by %s: call and info reject, push throws, drained fulfils", async (how) => {
    const rig = new Rig(kind);
    await turns();
    endings[how](rig);
    await turns();
    expect(rig.done).not.toBe("pending");
    let ran = 0;
    const run = (): number => (ran += 1);
    await expect(rig.stage.call(run)).rejects.toThrow(ended);
    await expect(rig.stage.info(run)).rejects.toThrow(ended);
    expect(() => rig.emits.push(["late"])).toThrow(ended);
    await rig.emits.flushed();
    expect([ran, rig.sink.batches, rig.reports]).toEqual([0, [], []]);
  });

  test("5.1 its errors say what has become of it, and why", async () => {
    const rig = new Rig(kind);
    rig.emits.fail(boom);
    await turns();
    const error: unknown = await rig.stage.call(() => {}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      message: `expected a running stage, got ${rig.stage.name}, which is failed: make a new one, for an ended one does not start again (docs/protocol.md#rule-5.1)`,
      cause: boom,
    });
  });

  test("5.1 complete() does nothing, fail() is reported", async () => {
    const rig = new Rig(kind);
    await rig.stage.stop();
    rig.emits.complete();
    rig.emits.fail(boom, { after: "buffer" });
    rig.emits.fail(boom);
    await turns();
    expect([rig.stage.state, rig.reports]).toEqual(["stopped", ["fail: boom", "fail: boom"]]);
  });

  test("5.1 its demand mode can be set, and means nothing", async () => {
    const rig = new Rig(kind);
    await rig.stage.stop();
    rig.emits.demandMode = "accumulate";
    await turns();
    expect([rig.emits.demandMode, rig.stage.state, rig.emits.demand, rig.emits.bufferedCount]).toEqual([
      "accumulate",
      "stopped",
      0,
      0,
    ]);
  });
});

describe("a stage that is ending", () => {
  test.each(ways)("5.1 by %s: calls that wait are rejected unless they came before", async (how) => {
    const rig = new Rig("producer");
    await turns();
    const before = watch(rig.stage.call(() => "before"));
    endings[how](rig);
    const behind = watch(rig.stage.call(() => "behind"));
    const info = watch(rig.stage.info(() => "info"));
    await turns();
    // What is a message takes its turn; a failure and an abort do not wait for one.
    const atOnce = how === "fail" || how === "abort";
    const late = `rejected ${because(how)}`;
    expect([before.was, behind.was, info.was]).toEqual(
      atOnce
        ? [late, late, late]
        : how === "stop"
          ? ["fulfilled before", late, late]
          : ["fulfilled before", "fulfilled behind", "fulfilled info"],
    );
  });

  test.each<[string, string, (rig: Rig) => void]>([
    ["stop with a timeout", "rejected ERR_ENDED", (rig: Rig) => void rig.stage.stop({ timeout: 1 })],
    ["abort", "rejected ERR_ENDED of boom", (rig: Rig) => rig.abort.abort(boom)],
  ])("5.1 a call whose promise is pending is rejected by %s", async (_how, rejected, end) => {
    const rig = new Rig("consumer");
    const gate = Promise.withResolvers<string>();
    const call = watch(rig.stage.call(() => gate.promise));
    await turns();
    end(rig);
    rig.runtime.clock.advance(1);
    await turns();
    expect(call.was).toBe(rejected);
    gate.resolve("late");
    await turns();
    expect([call.was, rig.reports]).toEqual([rejected, []]);
  });

  test("5.1 a call whose promise is pending holds up the failure of a source", async () => {
    const rig = new Rig("consumer");
    const gate = Promise.withResolvers<string>();
    const call = watch(rig.stage.call(() => gate.promise));
    await turns();
    rig.source.port.end({ reason: { type: "failure", error: boom } });
    await turns();
    expect([call.was, rig.done]).toEqual(["pending", "pending"]);
    gate.resolve("value");
    await turns();
    expect([call.was, rig.done]).toEqual(["fulfilled value", "rejected boom"]);
  });

  test("6.1 what a call throws goes to its caller, the stage lives", async () => {
    const rig = new Rig("producer");
    await expect(
      rig.stage.call(() => {
        throw boom;
      }),
    ).rejects.toBe(boom);
    await expect(rig.stage.info(() => Promise.reject(boom))).rejects.toBe(boom);
    await expect(rig.stage.call(async () => 7)).resolves.toBe(7);
    expect(rig.stage.state).toBe("running");
  });

  test("1.2 call and info take functions only, and say so at once", () => {
    const rig = new Rig("consumer");
    const refused = expect.objectContaining({ code: "ERR_BEHAVIOUR" });
    expect(() => rig.stage.call(7 as never)).toThrow(refused);
    expect(() => rig.stage.info(undefined as never)).toThrow(refused);
  });

  test("5.1 push from outside is over with complete(), the callbacks' is not", async () => {
    const rig = new Rig("producer", { handleEnd: (stage) => void stage.push?.(["last"]) });
    await turns();
    rig.sink.ask(5);
    await turns();
    rig.emits.complete();
    expect(() => rig.emits.push(["late"])).toThrow(ended);
    await turns();
    expect(rig.sink.batches).toEqual([["last"]]);
  });

  test("2.1 push takes arrays only, whatever state the stage is in", async () => {
    const rig = new Rig("producer");
    const refused = expect.objectContaining({ code: "ERR_EVENTS" });
    expect(() => rig.emits.push("abc" as never)).toThrow(refused);
    expect(() => rig.emits.push(new Set(["a"]) as never)).toThrow(refused);
    await rig.stage.stop();
    expect(() => rig.emits.push(undefined as never)).toThrow(refused);
  });

  test("a context that somebody kept of a consumer cannot push", async () => {
    const rig = new Rig("consumer");
    let kept!: Stage & { readonly push?: unknown };
    await rig.stage.call((stage) => {
      kept = stage as never;
    });
    expect(kept.push).toBe(undefined);
  });
});

describe("flushed()", () => {
  test("4.10 fulfils at once when nothing is held", async () => {
    const rig = new Rig("producer");
    await rig.emits.flushed();
    expect(rig.stage.state).toBe("running");
  });

  test("4.10 fulfils when what is held has gone out, also what came meanwhile", async () => {
    const rig = new Rig("producer");
    await turns();
    expect(rig.emits.push(["a", "b"])).toBe(false);
    const first = watch(rig.emits.flushed());
    rig.sink.ask(1);
    await turns();
    expect(first.was).toBe("pending");
    rig.emits.push(["c"]);
    rig.sink.ask(1);
    await turns();
    expect([first.was, rig.emits.bufferedCount]).toEqual(["pending", 1]);
    const second = watch(rig.emits.flushed());
    rig.sink.ask(1);
    await turns();
    expect([first.was, second.was, rig.sink.batches.flat()]).toEqual([
      "fulfilled undefined",
      "fulfilled undefined",
      ["a", "b", "c"],
    ]);
  });

  test.each(["stop", "fail", "abort"] as const)(
    "5.1 rejects when the stage ends with events left, by %s",
    async (how) => {
      const rig = new Rig("producer");
      await turns();
      rig.emits.push(["a"]);
      const drained = watch(rig.emits.flushed());
      endings[how](rig);
      await turns();
      expect(drained.was).toBe(`rejected ${because(how)}`);
    },
  );

  test("5.9 fulfils when a completing stage has delivered what it held", async () => {
    const rig = new Rig("producer");
    await turns();
    rig.emits.push(["a"]);
    rig.emits.complete();
    const drained = watch(rig.emits.flushed());
    await turns();
    expect(drained.was).toBe("pending");
    rig.sink.ask(1);
    await turns();
    expect([drained.was, rig.stage.state]).toEqual(["fulfilled undefined", "completed"]);
  });

  test("5.9 waits for a consumer still to come", async () => {
    const runtime = testRuntime();
    const stage = producer<number>(() => {}, { runtime });
    stage.push([1, 2]);
    stage.complete();
    const drained = watch(stage.flushed());
    await turns();
    expect([drained.was, stage.state, stage.bufferedCount]).toEqual(["pending", "ending", 2]);
    const seen: number[] = [];
    consumer<number>((events) => void seen.push(...events), { runtime }).subscribe(stage);
    await turns();
    expect([drained.was, stage.state, seen]).toEqual(["fulfilled undefined", "completed", [1, 2]]);
  });

  test("5.1 fulfils when the last event has gone out in the very turn in which the stage fails", async () => {
    const rig = new Rig("producer");
    await turns();
    rig.emits.push(["a"]);
    const drained = watch(rig.emits.flushed());
    rig.scripts.push(() => {
      throw boom;
    });
    rig.sink.ask(2);
    await turns();
    expect([drained.was, rig.sink.batches, rig.stage.state]).toEqual(["fulfilled undefined", [["a"]], "failed"]);
  });

  test("5.1 while terminate is pending there is nothing to wait for: what was held has been discarded", async () => {
    const rig = new Rig("producer", { terminate: () => new Promise(() => {}) });
    await turns();
    rig.emits.push(["a"]);
    void rig.stage.stop();
    await turns();
    expect([rig.stage.state, rig.discarded]).toEqual([
      "ending",
      [{ events: ["a"], cause: "stop", stage: rig.stage.name }],
    ]);
    await rig.emits.flushed();
    expect(rig.emits.bufferedCount).toBe(0);
  });
});

describe("subscribing to a stage that has ended", () => {
  test.each([
    ["completed", "complete", (rig: Rig) => rig.emits.complete()],
    ["failed", "failure boom", (rig: Rig) => rig.emits.fail(boom)],
    ["was stopped with a failure", "stop boom", (rig: Rig) => void rig.stage.stop({ reason: boom })],
  ] satisfies [string, string, (rig: Rig) => void][])(
    "1.5 one that %s: its outcome comes on the subscription",
    async (_how, reason, end) => {
      const rig = new Rig("producer");
      end(rig);
      await turns();
      const raw = new RawConsumer<string>().attach(rig.emits);
      expect(raw.ends.map(sayReason)).toEqual([reason]);
      // Nothing that is said to it any more has an effect.
      raw.ask(1);
      raw.leave();
      await turns();
      expect([raw.batches, raw.ends.length]).toEqual([[], 1]);
    },
  );

  test("1.5 one that was stopped throws, also while terminate is pending", async () => {
    const rig = new Rig("producer", { terminate: () => new Promise(() => {}) });
    await turns();
    void rig.stage.stop();
    await turns();
    expect(() => new RawConsumer<string>().attach(rig.emits)).toThrow(expect.objectContaining({ code: "ERR_STOPPED" }));
  });

  test("1.5 one that completes later than its consumers come delivers to them first", async () => {
    const rig = new Rig("producer");
    await turns();
    rig.emits.push(["a"]);
    rig.emits.complete();
    await turns();
    const raw = new RawConsumer<string>().attach(rig.emits).ask(3);
    await turns();
    expect([raw.batches, raw.ends]).toEqual([[["a"]], [{ type: "complete" }]]);
  });

  test("1.10 and an ending stage cannot subscribe itself", async () => {
    const rig = new Rig("consumer");
    const source = producer<number>(() => {}, { runtime: rig.runtime });
    await rig.stage.stop();
    const stage = rig.stage as ReturnType<typeof consumer<number>>;
    expect(() => stage.subscribe(source)).toThrow(ended);
    expect([source.inspect().links, stage.subscriptions]).toEqual([[], []]);
  });

  test("1.10 nor one that has called complete() in a callback", async () => {
    const rig = new Rig("consumer");
    const source = producer<number>(() => {}, { runtime: rig.runtime });
    const stage = rig.stage as ReturnType<typeof consumer<number>>;
    const refused = watch(
      stage.call((self) => {
        self.complete();
        stage.subscribe(source);
      }),
    );
    await turns();
    expect(refused.was).toBe("rejected ERR_ENDED");
    expect(source.inspect().links).toEqual([]);
  });
});
