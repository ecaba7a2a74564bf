import { describe, expect, test } from "vitest";
import { coupled, makeSink, makeStep, type Setting, sink, source, transform } from "../../../src/adapter/index.ts";
import {
  collect,
  consumer,
  fromIterable,
  pipeline,
  poll,
  producer,
  producerConsumer,
  queue,
  throughGenerator,
  ticks,
} from "../../../src/index.ts";
import { testRuntime } from "../../support/runtime.ts";

const same = () =>
  makeStep<number, number>("same", (setting) => transform({ handleEvents: (events) => [...events] }, setting));
const count = () =>
  makeSink<number, number>("count", (setting) => {
    let seen = 100 * setting.index;
    return {
      consumer: sink<number>({ handleEvents: (events) => void (seen += events.length) }, setting),
      result: () => seen,
    };
  });

describe("a step that is made", () => {
  test("8.8 is a stage of its own in each pipeline, named and timed by it", async () => {
    const runtime = testRuntime();
    const step = same();
    for (let round = 0; round < 2; round += 1) {
      const running = pipeline.with({ name: "own", runtime })([1, 2], step, collect());
      expect(running.inspect().stages.map(({ name }) => name)).toContain("own same");
      expect(await running).toEqual([1, 2]);
    }
  });

  test("8.6 a sink gives its result, and knows its position", async () => {
    expect(await pipeline([1, 2], same(), count())).toBe(102);
  });

  test.each([
    ["no name", () => makeStep(undefined as never, same as never)],
    ["no string as its name", () => makeStep(7 as never, same as never)],
    ["no function", () => makeSink("count", 7 as never)],
  ])("1.1 with %s is refused at once", (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
  });

  test.each<[string, (setting: Setting) => { readonly name: string; stop(): unknown }]>([
    ["producer", (setting) => producer(() => [], setting)],
    ["producerConsumer", (setting) => producerConsumer(() => [], setting)],
    ["consumer", (setting) => consumer(() => {}, setting)],
    ["source", (setting) => source({ handleDemand: () => [] }, setting)],
    ["transform", (setting) => transform({ handleEvents: () => [] }, setting)],
    ["sink", (setting) => sink({ handleEvents: () => {} }, setting)],
    [
      "coupled",
      (setting) => coupled(sink({ handleEvents: () => {} }, setting), source({ handleDemand: () => [] }, setting)),
    ],
    ["fromIterable", (setting) => fromIterable([1], setting)],
    ["throughGenerator", (setting) => throughGenerator((input) => input, setting)],
    ["queue", (setting) => queue(setting)],
    ["poll", (setting) => poll(() => [], setting)],
    ["ticks", (setting) => ticks(1, setting)],
    ["producer, with more", (setting) => producer(() => [], { ...setting, bufferSize: 1 })],
    ["consumer, with more", (setting) => consumer(() => {}, { ...setting, name: "own p" })],
  ])("8.8 hands its setting on whole to %s", async (_maker, make) => {
    const names: string[] = [];
    const probe = makeStep<number, number>("p", (setting) => {
      const stage = make(setting);
      names.push(stage.name);
      void stage.stop();
      return transform<number, number>({ handleEvents: (events) => [...events] }, setting);
    });
    const options = { name: "own", runtime: testRuntime(), onDiscard: () => {}, onReport: () => {} };
    expect(await pipeline.with(options)([1], probe, collect())).toEqual([1]);
    expect(names).toEqual(["own p"]);
  });

  test("1.1 an option of a setting is none by itself", () => {
    expect(() => consumer(() => {}, { onDiscard: () => {} } as object)).toThrow(/consumer options among name, signal/);
    expect(() => producer(() => [], { index: "1" } as object)).toThrow(/got "index"/);
  });
});
