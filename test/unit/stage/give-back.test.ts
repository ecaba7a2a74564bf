import { describe, expect, test } from "vitest";
import { sink, type SinkContext } from "../../../src/adapter/index.ts";
import { consumer, producer, type Subscription } from "../../../src/index.ts";
import { RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

describe("giveBack", () => {
  test("F-14 of the rest of a batch, then of a queue in terminate: the queue goes back by a second end", async () => {
    const source = new RawProducer<number>();
    const queue: number[] = [];
    let link!: Subscription;
    const stage = sink<number>(
      {
        handleEvents(events, subscription, self) {
          link = subscription;
          if (queue.length === 0) queue.push(...events);
          else {
            // The rest of the batch first: what came before it may be given back last.
            self.giveBack(subscription, events.slice(1));
            self.complete();
          }
        },
        terminate: (_reason, self) => self.giveBack(link, queue),
      },
      { runtime: testRuntime() },
    );
    stage.subscribe(source.producer, { maxDemand: 10, minDemand: 8 });
    await turns();
    source.port.events([1, 2]);
    source.port.events([3, 4]);
    source.port.events([5]);
    await turns();
    // `complete` leaves the source before `terminate`.
    expect(source.ends).toEqual([
      { reason: { type: "complete" }, unstarted: [4, 5] },
      { reason: { type: "cancel" }, unstarted: [1, 2] },
    ]);
  });

  test("7.3 in terminate, after a failure: the queue goes back in front of what has arrived since", async () => {
    const source = new RawProducer<number>();
    const boom = new Error("boom");
    const queue: number[] = [];
    let link!: Subscription;
    const stage = sink<number>(
      {
        handleEvents(events, subscription, self) {
          link = subscription;
          queue.push(...events);
          if (queue.length === 4) {
            queue.pop();
            self.giveBack(subscription, [4]);
            self.fail(boom);
          }
        },
        terminate: (_reason, self) => self.giveBack(link, queue),
      },
      { runtime: testRuntime() },
    );
    stage.done.catch(() => {});
    stage.subscribe(source.producer, { maxDemand: 10, minDemand: 8 });
    await turns();
    source.port.events([1, 2]);
    source.port.events([3, 4]);
    source.port.events([5]);
    await turns();
    expect(source.ends).toEqual([{ reason: { type: "failure", error: boom }, unstarted: [1, 2, 3, 4, 5] }]);
  });

  test("F-14 to a source that has completed, as long as its stage has not ended", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime });
    const boom = new Error("boom");
    const queue: number[] = [];
    let link!: Subscription;
    const stage = sink<number>(
      {
        handleEvents(events, subscription) {
          link = subscription;
          queue.push(...events);
        },
        handleEnd: () => Promise.reject(boom),
        terminate: (_reason, self) => self.giveBack(link, queue),
      },
      { runtime },
    );
    stage.done.catch(() => {});
    stage.subscribe(source);
    await turns();
    source.push([1, 2, 3]);
    source.complete();
    await turns();
    expect([stage.state, source.state, source.bufferedCount]).toEqual(["failed", "ending", 3]);
    const got: number[] = [];
    consumer<number>((events) => void got.push(...events), { runtime }).subscribe(source);
    await source.done;
    expect(got).toEqual([1, 2, 3]);
  });
});

describe("F-14 what is given back late", () => {
  type Moment = "handleEvents" | "handleCancel" | "handleEnd" | "terminate" | "terminate, later" | "a call";

  /**
   * A sink that queues what it gets and gives it back at some moment, in front of a source that it leaves (`complete` inside
   * its callback) or that completes. Returns what a second consumer gets of it, and what is told as discarded.
   */
  async function back(moment: Moment, how: "leaves" | "completes", cancel: "permanent" | "temporary") {
    const runtime = testRuntime();
    const lost: unknown[] = [];
    const source = producer<number>(() => {}, { runtime, onDiscard: ({ events }) => void lost.push(...events) });
    const queue: number[] = [];
    let link!: Subscription;
    const give = (self: SinkContext): void => self.giveBack(link, queue.splice(0));
    const at = (here: Moment) => (self: SinkContext) => {
      if (moment === here) give(self);
    };
    let later!: () => void;
    const stage = sink<number>(
      {
        handleEvents(events, subscription, self) {
          link = subscription;
          // One event a batch: the first two are queued.
          if (queue.length < 2) queue.push(...events);
          else {
            self.giveBack(subscription, events);
            at("handleEvents")(self);
            if (how === "leaves") self.complete();
          }
        },
        handleCancel: (_reason, _subscription, self) => at("handleCancel")(self),
        handleEnd: at("handleEnd"),
        terminate: (_reason, self) => {
          at("terminate")(self);
          if (moment !== "terminate, later") return undefined;
          return new Promise<void>((resolve) => {
            later = () => {
              give(self);
              resolve();
            };
          });
        },
      },
      { runtime },
    );
    stage.subscribe(source, { maxDemand: 3, minDemand: 2, cancel });
    await turns();
    source.push(how === "leaves" ? [1, 2, 3, 4, 5] : [1, 2, 3]);
    if (how === "completes") source.complete();
    await turns();
    if (moment === "a call") await stage.call((self) => give(self as SinkContext));
    if (moment === "terminate" && stage.state === "running") await stage.stop();
    later?.();
    await turns();
    const got: number[] = [];
    if (source.state !== "completed") {
      consumer<number>((events) => void got.push(...events), { runtime }).subscribe(source);
      await turns();
    }
    if (how === "leaves") source.complete();
    await source.done;
    return { got, lost };
  }

  test.each(["handleEvents", "handleEnd", "terminate", "terminate, later"] as const)(
    "in %s, by a stage that leaves its source: all of it returns, in order",
    async (moment) => {
      expect(await back(moment, "leaves", "permanent")).toEqual({ got: [1, 2, 3, 4, 5], lost: [] });
    },
  );

  test.each([
    ["handleEvents", "permanent"],
    ["handleCancel", "permanent"],
    ["handleEnd", "permanent"],
    ["terminate", "permanent"],
    ["handleEvents", "temporary"],
    ["handleCancel", "temporary"],
  ] as const)("in %s, to a source that has completed (%s): all of it returns, in order", async (moment, cancel) => {
    expect(await back(moment, "completes", cancel)).toEqual({ got: [1, 2, 3], lost: [] });
  });

  // The rest of the batch holds the source open until the second consumer takes it; the queue comes meanwhile.
  test.each([
    ["terminate, later", "permanent"],
    ["terminate", "temporary"],
    ["a call", "temporary"],
  ] as const)("in %s, behind the last word to a source that has completed (%s)", async (moment, cancel) => {
    expect(await back(moment, "completes", cancel)).toEqual({ got: [1, 2, 3], lost: [] });
  });

  test("to a source whose end is complete: it is told as discarded", async () => {
    const runtime = testRuntime();
    const lost: unknown[] = [];
    const source = producer<number>(() => {}, { runtime, onDiscard: (discarded) => void lost.push(discarded) });
    let link!: Subscription;
    const stage = sink<number>({ handleEvents: (_events, subscription) => void (link = subscription) }, { runtime });
    stage.subscribe(source, { cancel: "temporary" });
    await turns();
    source.push([1, 2]);
    source.complete();
    await source.done;
    await stage.call((self) => self.giveBack(link, [1, 2]));
    expect(lost).toEqual([{ events: [1, 2], cause: "stop", stage: source.name }]);
    await stage.stop();
  });
});

describe("giveBack refuses", () => {
  type Call = (stage: SinkContext, subscription: Subscription, events: readonly number[]) => void | Promise<void>;
  const right = "a subscription of store, and its events, each once";
  const way = "giveBack(subscription, events)";
  const other = new RawProducer<number>();
  const foreign = consumer<number>(() => {}, { runtime: testRuntime(), name: "other" }).subscribe(other.producer);

  /** What a call within `handleEvents` throws, over four events. */
  async function thrownBy(call: Call): Promise<unknown> {
    let thrown: unknown;
    const source = new RawProducer<number>();
    const stage = sink<number>(
      {
        async handleEvents(events, subscription, self) {
          try {
            const called = call(self, subscription, events);
            // Behind an await the batch is known to be in hand.
            if (called) await called;
          } catch (error) {
            thrown = error;
          }
        },
      },
      { runtime: testRuntime(), name: "store" },
    );
    stage.subscribe(source.producer);
    await turns();
    source.port.events([1, 2, 3, 4]);
    await turns();
    return thrown;
  }

  test.each<[string, Call, string, string]>([
    ["a string", (self, link) => self.giveBack(link, "ab" as never), "ERR_EVENTS", 'an array of events, got "ab"'],
    [
      "swapped arguments",
      (self, link, events) => self.giveBack(events as never, link as never),
      "ERR_GIVE_BACK",
      `${right}, got an array of 4: ${way}`,
    ],
    [
      "no subscription",
      (self, _, events) => self.giveBack(undefined as never, events),
      "ERR_GIVE_BACK",
      `${right}, got undefined: ${way}`,
    ],
    [
      "the subscription of another stage",
      (self, _, events) => self.giveBack(foreign, events),
      "ERR_GIVE_BACK",
      `${right}, got one of other: ${way}`,
    ],
    [
      "more events than it was handed",
      (self, link, events) => self.giveBack(link, [...events, 5]),
      "ERR_GIVE_BACK",
      `${right}, got 1 more: ${way}`,
    ],
    [
      "most of a batch a second time",
      (self, link, events) => {
        self.giveBack(link, events.slice(1));
        self.giveBack(link, events.slice(1));
      },
      "ERR_GIVE_BACK",
      `${right}, got 2 more: ${way}`,
    ],
    [
      "some of a batch a second time",
      async (self, link, events) => {
        await turns(1);
        self.giveBack(link, events.slice(2));
        self.giveBack(link, events.slice(2));
      },
      "ERR_GIVE_BACK",
      `${right}, got one twice: ${way}`,
    ],
  ])("G-01 %s", async (_, call, code, text) => {
    const error = await thrownBy(call);
    expect(error).toMatchObject({ code, name: "ArgumentError" });
    expect(String(error)).toContain(`expected ${text}`);
  });

  test("G-02 no events that are equal, nor any without events", async () => {
    expect(
      await thrownBy((self, link, events) => {
        self.giveBack(undefined as never, []);
        self.giveBack(link, [{}, {}]);
        self.giveBack(link, events.slice(3));
      }),
    ).toBeUndefined();
  });

  test("G-03 no equal event of an earlier batch", async () => {
    const source = new RawProducer<string>();
    let batches = 0;
    const stage = sink<string>(
      {
        handleEvents(events, subscription, self) {
          batches += 1;
          if (batches === 1) return;
          self.giveBack(subscription, events);
          self.giveBack(subscription, ["on"]);
          self.complete();
        },
      },
      { runtime: testRuntime() },
    );
    stage.subscribe(source.producer);
    await turns();
    source.port.events(["on"]);
    source.port.events(["on"]);
    await turns();
    expect(source.ends).toEqual([{ reason: { type: "complete" }, unstarted: ["on", "on"] }]);
  });
});

test.each([
  ["throws", false],
  ["rejects", true],
])("G-04 a callback that gives events back and then %s has only the others on record", async (_, waits) => {
  const source = new RawProducer<number>();
  const boom = new Error("boom");
  const stage = sink<number>(
    {
      handleEvents(events, subscription, self) {
        self.giveBack(subscription, events.slice(2));
        if (waits) return Promise.reject(boom);
        throw boom;
      },
    },
    { runtime: testRuntime() },
  );
  stage.done.catch(() => {});
  stage.subscribe(source.producer);
  await turns();
  source.port.events([1, 2, 2, 4]);
  await turns();
  expect(stage.failure).toMatchObject({ error: boom, events: [1, 2] });
  expect(source.ends).toEqual([{ reason: { type: "failure", error: boom }, unstarted: [2, 4] }]);
});
