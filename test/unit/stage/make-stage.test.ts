import { describe, expect, test } from "vitest";
import {
  broadcastDispatcher,
  consumer,
  demandDispatcher,
  fromIterable,
  partitionDispatcher,
  producer,
  producerConsumer,
  runtime,
} from "../../../src/index.ts";
import { RawConsumer, RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import type { Inside } from "./rig.ts";

const none = (): void => {};
const refused = (code: string, text?: string) =>
  expect.objectContaining({
    code,
    ...(text === undefined ? {} : { message: expect.stringContaining(text) as string }),
  });
const makers: Readonly<Record<string, (behaviour: unknown, options?: unknown) => unknown>> = {
  producer: (behaviour, options) => producer(behaviour as never, options as never),
  producerConsumer: (behaviour, options) => producerConsumer(behaviour as never, options as never),
  consumer: (behaviour, options) => consumer(behaviour as never, options as never),
};
const kinds = Object.keys(makers);

describe.each(kinds)("making a %s", (kind) => {
  const make = makers[kind] as (
    behaviour: unknown,
    options?: unknown,
  ) => { readonly name: string; readonly state: string };

  test.each([undefined, null, 7, "x", {}, [], { handleDemand: 7, handleEvents: 7 }])(
    "1.2 %o is no behaviour",
    (behaviour) => {
      expect(() => make(behaviour)).toThrow(
        refused("ERR_BEHAVIOUR", `expected a ${kind} to be a function or an object with`),
      );
    },
  );

  test.each(["init", "handleEnd", "handleSubscribe", "handleCancel", "terminate"])(
    "1.2 %s must be a function",
    (name) => {
      const behaviour = { handleDemand: none, handleEvents: none, [name]: 7 };
      expect(() => make(behaviour)).toThrow(refused("ERR_OPTION", `expected ${name} to be a function, got 7`));
    },
  );

  test.each([
    ["name", 7],
    ["onReport", "x"],
    ["signal", {}],
    ["signal", null],
    ["signal", "x"],
    ["runtime", {}],
    ["runtime", null],
    ["runtime", runtime],
  ])("1.1 the option %s cannot be %o", (name, value) => {
    expect(() => make(none, { [name]: value })).toThrow(refused("ERR_OPTION", `expected ${name} to be `));
  });

  test.each([7, "x"])("1.1 %o are no options", (options) => {
    expect(() => make(none, options)).toThrow(refused("ERR_OPTION", `expected the options of ${kind} to be an object`));
  });

  test("1.1 an option that nobody knows is refused", () => {
    expect(() => make(none, { nmae: "x" })).toThrow(
      refused("ERR_OPTION", `expected ${kind} options among name, signal`),
    );
  });

  test("1.1 options that are undefined are not there", async () => {
    const stage = make(none, { name: undefined, signal: undefined, runtime: undefined, onReport: undefined });
    expect(stage.name).toMatch(new RegExp(`^${kind}#\\d+$`));
    expect(stage.state).toBe("running");
  });

  test("6.9 the context knows the name of its stage, and has nothing to await", async () => {
    const stage = (
      makers[kind] as (
        behaviour: unknown,
        options: unknown,
      ) => { call(fn: (stage: Inside) => unknown): Promise<unknown> }
    )(none, { name: "mine", runtime: testRuntime() });
    const seen = await stage.call((inside) => [inside.name, "done" in inside, "then" in inside]);
    expect(seen).toEqual(["mine", false, false]);
  });
});

describe.each(["producer", "producerConsumer"])("the options of a %s", (kind) => {
  const make = makers[kind] as (behaviour: unknown, options?: unknown) => unknown;

  test.each([
    ["onDiscard", 7, "ERR_OPTION"],
    ["bufferSize", -1, "ERR_RANGE"],
    ["bufferSize", 1.5, "ERR_RANGE"],
    ["bufferSize", "10", "ERR_OPTION"],
    ["bufferSize", Number.NaN, "ERR_RANGE"],
    ["defaultMaxDemand", 0, "ERR_RANGE"],
    ["defaultMaxDemand", Number.POSITIVE_INFINITY, "ERR_RANGE"],
    ["overflow", "drop", "ERR_OPTION"],
    ["demandMode", "backward", "ERR_OPTION"],
    ["onLastCancel", "fail", "ERR_OPTION"],
    ["dispatcher", {}, "ERR_OPTION"],
    ["dispatcher", null, "ERR_OPTION"],
    ["dispatcher", demandDispatcher, "ERR_OPTION"],
  ])("1.1 %s cannot be %o", (name, value, code) => {
    expect(() => make(none, { [name]: value })).toThrow(refused(code, `expected ${name} to be `));
  });

  test("1.1 bufferSize may be Infinity", () => {
    expect(() => make(none, { bufferSize: Number.POSITIVE_INFINITY })).not.toThrow();
  });

  test.each([demandDispatcher(), broadcastDispatcher(), partitionDispatcher({ partitions: 1, by: String })])(
    "1.1 a dispatcher is for one producer",
    (dispatcher) => {
      make(none, { dispatcher });
      expect(() => make(none, { dispatcher })).toThrow(refused("ERR_OPTION", "a free dispatcher"));
    },
  );

  test("1.1 a stage that was refused for another reason has not taken its dispatcher", () => {
    const dispatcher = demandDispatcher();
    expect(() => make(none, { dispatcher, bufferSize: -1 })).toThrow(refused("ERR_RANGE"));
    expect(() => make(none, { dispatcher })).not.toThrow();
  });
});

describe("what a consumer has not", () => {
  test.each(["bufferSize", "dispatcher", "overflow", "onDiscard", "onLastCancel", "demandMode", "defaultMaxDemand"])(
    "1.1 %s",
    (name) => {
      expect(() => consumer(none, { [name]: undefined })).toThrow(refused("ERR_OPTION", `got "${name}"`));
    },
  );
});

const source = (defaultMaxDemand?: number) =>
  producer<number>(none, { runtime: testRuntime(), ...(defaultMaxDemand === undefined ? {} : { defaultMaxDemand }) });
const middle = (options: object = {}) =>
  producerConsumer<number, number>((events) => events, { runtime: testRuntime(), ...options });

const ask = (from: ReturnType<typeof source>): unknown => {
  const sink = consumer<number>(none, { runtime: testRuntime() });
  const { maxDemand, minDemand } = sink.subscribe(from).options;
  return [maxDemand, minDemand];
};

describe("the maxDemand of a subscriber that gives none", () => {
  test("3.5 is 1000, or what the producer names", () => {
    expect([ask(source()), ask(source(16)), ask(source(1))]).toEqual([
      [1000, 500],
      [16, 8],
      [1, 0],
    ]);
  });

  test("3.5 of a producerConsumer is its own, or the smallest of its sources'", () => {
    const [alone, one, several, own] = [middle(), middle(), middle(), middle({ defaultMaxDemand: 5 })];
    one.subscribe(source());
    several.subscribe(source(64));
    several.subscribe(source(16));
    several.subscribe(source());
    own.subscribe(source(2));
    expect([alone, one, several, own].map((stage) => [stage.defaultMaxDemand, ask(stage)])).toEqual([
      [undefined, [1000, 500]],
      [undefined, [1000, 500]],
      [16, [16, 8]],
      [5, [5, 2]],
    ]);
  });

  test("3.5 goes through a chain, and a source that has gone counts no more", async () => {
    const [first, second] = [middle(), middle()];
    const subscription = first.subscribe(source(8), { cancel: "temporary" });
    second.subscribe(first, { cancel: "temporary" });
    expect([first.defaultMaxDemand, second.defaultMaxDemand]).toEqual([8, 8]);
    subscription.cancel();
    await turns();
    expect(first.defaultMaxDemand).toBe(undefined);
  });

  test("3.5 of fromIterable can be named, too", () => {
    expect(fromIterable([1], { defaultMaxDemand: 3 }).defaultMaxDemand).toBe(3);
  });
});

describe("subscribing", () => {
  test.each([null, 7, "x"])("1.1 %o are no subscribe options", (options) => {
    const sink = consumer<number>(none, { runtime: testRuntime() });
    const raw = new RawProducer<number>();
    expect(() => sink.subscribe(raw.producer, options as never)).toThrow(
      refused("ERR_OPTION", "the options of subscribe to be an object"),
    );
    expect(() => producer<number>(none).events(options as never)).toThrow(refused("ERR_OPTION"));
    expect([sink.subscriptions, raw.port]).toEqual([[], undefined]);
  });

  test.each([
    ["maxDemand", "5", "ERR_OPTION"],
    ["maxDemand", Number.POSITIVE_INFINITY, "ERR_RANGE"],
    ["minDemand", 1000, "ERR_RANGE"],
    ["minDemand", -1, "ERR_RANGE"],
    ["cancel", "never", "ERR_OPTION"],
    ["demand", "automatic ", "ERR_OPTION"],
  ])("1.1 %s cannot be %o", (name, value, code) => {
    const sink = consumer<number>(none, { runtime: testRuntime() });
    expect(() => sink.subscribe(new RawProducer<number>().producer, { [name]: value })).toThrow(refused(code));
  });

  test("3.3 an automatic subscription asks by itself, a manual one is asked", async () => {
    const sink = consumer<number>(none, { runtime: testRuntime() });
    const [automatic, manual] = [new RawProducer<number>(), new RawProducer<number>()];
    const first = sink.subscribe(automatic.producer, { maxDemand: 4 });
    const second = sink.subscribe(manual.producer, { demand: "manual" });
    await turns();
    expect(() => first.ask(1)).toThrow(refused("ERR_ASK_AUTOMATIC", "got an automatic one"));
    second.ask(0);
    second.ask(3);
    expect(() => second.ask(-1)).toThrow(refused("ERR_ASK"));
    expect([automatic.asks, manual.asks, first.pending, second.pending]).toEqual([[4], [3], 4, 3]);
    first.cancel();
    await turns();
    // On an ended subscription an ask of any kind means nothing.
    first.ask(1);
    expect(automatic.asks).toEqual([4]);
  });

  test("a subscription names both its ends", () => {
    const sink = consumer<number>(none, { runtime: testRuntime(), name: "sink" });
    const raw = new RawProducer<number>();
    const subscription = sink.subscribe(raw.producer, { data: "mine" });
    expect([subscription.producer, subscription.consumer, subscription.options.data]).toEqual([raw, sink, "mine"]);
    expect([raw.port.name, raw.port.subscription]).toEqual(["sink", subscription]);
    expect(new RawConsumer<number>().batches).toEqual([]);
  });
});
