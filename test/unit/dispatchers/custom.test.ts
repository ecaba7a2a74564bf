import { describe, expect, test } from "vitest";
import {
  type Discarded,
  type Dispatcher,
  type DispatcherLink,
  producer,
  producerConsumer,
} from "../../../src/index.ts";
import { RawConsumer, RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { boom, say, sayReason } from "../stage/rig.ts";

/** Gives everything to its newest link. A method named in `broken` throws; `answer` takes the place of what dispatch answers. */
class Simple implements Dispatcher<number> {
  readonly links: DispatcherLink[] = [];
  readonly kept: number[] = [];
  readonly broken = new Set<string>();
  answer: number | undefined;
  refuses = false;
  /** Delivered on top of what was asked for. */
  extra: readonly number[] = [];
  wanted = 0;

  get queued(): number {
    return this.kept.length;
  }
  readonly subscribe = (link: DispatcherLink): void => {
    this.may("subscribe");
    this.links.push(link);
  };
  readonly ask = (_link: DispatcherLink, count: number): void => {
    this.may("ask");
    this.wanted += count;
    if (this.kept.length > 0) this.dispatch(this.kept.splice(0));
  };
  readonly cancel = (link: DispatcherLink): void => {
    this.may("cancel");
    this.links.splice(this.links.indexOf(link), 1);
    this.wanted = 0;
  };
  readonly giveBack = (_link: DispatcherLink, events: readonly number[]): void => {
    this.may("giveBack");
    this.kept.push(...events);
  };
  readonly dispatch = (events: readonly number[]): number => {
    this.may("dispatch");
    const taken = this.refuses ? 0 : Math.min(events.length, this.wanted);
    this.wanted -= taken;
    if (taken > 0) this.links.at(-1)?.deliver([...events.slice(0, taken), ...this.extra]);
    return this.answer ?? taken;
  };
  protected may(method: string): void {
    if (this.broken.has(method)) throw boom;
  }
}

/** A producer over a dispatcher, and how it has ended. */
function source(dispatcher: Dispatcher<number>) {
  const discarded: Discarded[] = [];
  const reports: string[] = [];
  const demands: number[] = [];
  const stage = producer<number>((demand) => void demands.push(demand), {
    runtime: testRuntime(),
    name: "source",
    dispatcher,
    onDiscard: (discarded_) => void discarded.push(discarded_),
    onReport: (error, { phase }) => void reports.push(`${phase}: ${say(error)}`),
  });
  const end = { done: "pending", error: undefined as unknown };
  stage.done.then(
    () => (end.done = "fulfilled"),
    (error: unknown) => {
      end.done = `rejected ${say(error)}`;
      end.error = error;
    },
  );
  return { stage, end, discarded, reports, demands };
}

describe("a dispatcher that throws", () => {
  test("4.1 in subscribe: it goes to who subscribes, and the stage lives", async () => {
    const dispatcher = new Simple();
    const { stage, end } = source(dispatcher);
    dispatcher.broken.add("subscribe");
    expect(() => new RawConsumer<number>().attach(stage)).toThrow(boom);
    await turns();
    expect([stage.state, end.done, stage.inspect().links]).toEqual(["running", "pending", []]);
  });

  test.each([
    ["ask", (raw: RawConsumer<number>) => raw.ask(1)],
    ["cancel", (raw: RawConsumer<number>) => raw.leave()],
    ["giveBack", (raw: RawConsumer<number>) => raw.leave({ type: "cancel" }, [7])],
  ] as const)("4.1 in %s: it fails the stage", async (method, say_) => {
    const dispatcher = new Simple();
    const { stage, end } = source(dispatcher);
    const bystander = new RawConsumer<number>().attach(stage);
    const raw = new RawConsumer<number>().attach(stage);
    dispatcher.broken.add(method);
    say_(raw);
    await turns();
    expect([stage.state, end.done, bystander.ends.map(sayReason)]).toEqual([
      "failed",
      "rejected boom",
      ["failure boom"],
    ]);
    expect(end.error).toBe(boom);
    expect(stage.failure).toMatchObject({ stage: "source", callback: "dispatcher", events: [] });
  });

  test("4.1 in cancel while a subscription is replaced: it fails the stage", async () => {
    const runtime = testRuntime();
    const dispatcher = new Simple();
    const { stage, end } = source(dispatcher);
    const middle = producerConsumer<number, number>((events) => events, { runtime });
    const subscription = middle.subscribe(stage, { cancel: "temporary" });
    await turns();
    dispatcher.broken.add("cancel");
    subscription.resubscribe();
    await turns();
    expect([end.done, middle.state]).toEqual(["rejected boom", "running"]);
  });

  test("4.1 in dispatch: it fails the stage with the batch in hand, and push answers false", async () => {
    const dispatcher = new Simple();
    const { stage, end, discarded } = source(dispatcher);
    const raw = new RawConsumer<number>().attach(stage).ask(5);
    await turns();
    dispatcher.broken.add("dispatch");
    expect(stage.push([1, 2])).toBe(false);
    await turns();
    expect([end.done, raw.ends.map(sayReason), discarded]).toEqual(["rejected boom", ["failure boom"], []]);
    expect(stage.failure).toMatchObject({ error: boom, stage: "source", callback: "dispatch", events: [1, 2] });
  });

  test("4.1 in dispatch of what was buffered: the same", async () => {
    const dispatcher = new Simple();
    const { stage, end } = source(dispatcher);
    const raw = new RawConsumer<number>().attach(stage);
    stage.push([1, 2, 3]);
    dispatcher.broken.add("dispatch");
    raw.ask(2);
    await turns();
    expect([end.done, stage.failure]).toMatchObject(["rejected boom", { callback: "dispatch", events: [1, 2] }]);
  });

  test("4.1 in dispatch of what a callback returned: the same", async () => {
    const dispatcher = new Simple();
    const stage = producer<number>(() => [1, 2], { runtime: testRuntime(), dispatcher });
    stage.done.catch(() => {});
    const raw = new RawConsumer<number>().attach(stage);
    dispatcher.broken.add("dispatch");
    raw.ask(2);
    await turns();
    expect(raw.ends).toEqual([{ type: "failure", error: boom }]);
    expect(stage.failure).toMatchObject({ callback: "dispatch", events: [1, 2] });
  });

  /** It keeps what comes back and has all a dispatcher can have. */
  class Complete extends Simple {
    readonly whenSent = (then: () => void): void => {
      this.may("whenSent");
      then();
    };
    readonly clear = (): readonly number[] => {
      this.may("clear");
      return this.kept.splice(0);
    };
  }

  test("4.1 in whenSent: it fails the stage, and the info is rejected", async () => {
    const dispatcher = new Complete();
    const { stage, end } = source(dispatcher);
    new RawConsumer<number>().attach(stage).leave({ type: "cancel" }, [1]);
    await turns();
    dispatcher.broken.add("whenSent");
    const info = stage.info(() => "info").catch((error: unknown) => say(error));
    await turns();
    expect([end.done, stage.state]).toEqual(["rejected boom", "failed"]);
    expect(await info).toBe("ERR_ENDED of boom");
  });

  test("4.1 in clear: it is reported, and the stage ends all the same", async () => {
    const dispatcher = new Complete();
    const { stage, end, reports } = source(dispatcher);
    const raw = new RawConsumer<number>().attach(stage);
    dispatcher.broken.add("clear");
    void stage.stop();
    await turns();
    expect([end.done, stage.state, raw.ends, reports]).toEqual([
      "fulfilled",
      "stopped",
      [{ type: "stop", reason: undefined }],
      ["dispatcher: boom"],
    ]);
  });

  test("4.1 in cancel while the stage ends: it is reported", async () => {
    const dispatcher = new Simple();
    const { stage, end, reports } = source(dispatcher);
    const raw = new RawConsumer<number>().attach(stage);
    dispatcher.broken.add("cancel");
    await stage.stop();
    await turns();
    expect([end.done, raw.ends, reports]).toEqual([
      "fulfilled",
      [{ type: "stop", reason: undefined }],
      ["dispatcher: boom"],
    ]);
  });

  test("4.1 after the end, when events come back: it is reported", async () => {
    const dispatcher = new Simple();
    const { stage, end, reports } = source(dispatcher);
    const raw = new RawConsumer<number>().attach(stage);
    await stage.stop();
    dispatcher.broken.add("giveBack");
    raw.leave({ type: "stop" }, [7]);
    await turns();
    expect([end.done, reports]).toEqual(["fulfilled", ["dispatcher: boom"]]);
  });
});

describe("a dispatcher that miscounts", () => {
  test.each([-1, 3, 0.5, Number.NaN])(
    "4.1 answers dispatch of 2 events with %s: it fails the stage",
    async (answer) => {
      const dispatcher = new Simple();
      dispatcher.answer = answer;
      const { stage, end } = source(dispatcher);
      new RawConsumer<number>().attach(stage).ask(5);
      await turns();
      expect(stage.push([1, 2])).toBe(false);
      await turns();
      expect(end.error).toMatchObject({
        code: "ERR_DISPATCHER",
        name: "ProtocolError",
        message: `expected a dispatcher to return a count from 0 to 2 from dispatch, got ${answer} (docs/protocol.md#rule-4.1)`,
      });
    },
  );

  test("3.1 delivers more than was asked for: nothing of it goes out, and it fails the stage", async () => {
    const dispatcher = new Simple();
    dispatcher.extra = [8, 9];
    const { stage, end } = source(dispatcher);
    const raw = new RawConsumer<number>("sink").attach(stage).ask(1);
    await turns();
    stage.push([1, 2]);
    await turns();
    expect([raw.batches, end.error]).toMatchObject([
      [],
      {
        code: "ERR_DISPATCHER",
        message:
          "expected a dispatcher to deliver at most the 1 events that sink asked for, got 3 (docs/protocol.md#rule-4.1)",
      },
    ]);
  });

  test("4.1 takes nothing though it wants: the events stay, and nothing spins", async () => {
    const dispatcher = new Simple();
    const { stage, end } = source(dispatcher);
    const raw = new RawConsumer<number>().attach(stage);
    stage.push([1, 2]);
    dispatcher.answer = 0;
    dispatcher.refuses = true;
    raw.ask(5);
    await turns();
    expect([stage.bufferedCount, end.done, raw.batches]).toEqual([2, "pending", []]);
  });
});

describe("a dispatcher that keeps events and cannot tell when they have gone", () => {
  test("4.10 infos and drained() wait until it keeps nothing", async () => {
    const dispatcher = new Simple();
    const { stage } = source(dispatcher);
    const [gone, raw] = [new RawConsumer<number>().attach(stage), new RawConsumer<number>().attach(stage)];
    gone.leave({ type: "cancel" }, [1, 2]);
    await turns();
    const log: string[] = [];
    void stage.info(() => void log.push("info"));
    void stage.flushed().then(() => log.push("drained"));
    await turns();
    expect([log, stage.bufferedCount, stage.inspect().stages[0]?.dispatcher]).toEqual([[], 2, { type: "custom" }]);
    raw.ask(2);
    await turns();
    expect([raw.batches, log.toSorted(), stage.bufferedCount]).toEqual([[[1, 2]], ["drained", "info"], 0]);
  });

  test("4.2 without clear, what it keeps when the stage ends is nobody's, and drained() rejects", async () => {
    const dispatcher = new Simple();
    const { stage, discarded } = source(dispatcher);
    new RawConsumer<number>().attach(stage).leave({ type: "cancel" }, [1]);
    await turns();
    const info = stage.info(() => "info");
    await turns();
    const drained = stage.flushed();
    void stage.stop();
    await expect(info).rejects.toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    await expect(stage.flushed()).rejects.toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    await drained;
    expect(discarded).toEqual([]);
  });
});

test("3.9 a message that is no array ends the link alone", async () => {
  const raw = new RawProducer<number>();
  const stage = producerConsumer<number, number>((events) => events, { runtime: testRuntime() });
  const subscription = stage.subscribe(raw.producer, { cancel: "temporary" });
  await turns();
  raw.port.events("abc" as never);
  await turns();
  expect(raw.ends).toMatchObject([{ reason: { type: "failure", error: { code: "ERR_MESSAGE" } }, unstarted: [] }]);
  expect([subscription.state, stage.state]).toEqual(["ended", "running"]);
});
