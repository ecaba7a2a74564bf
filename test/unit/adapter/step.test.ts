import { describe, expect, test } from "vitest";
import { makeSink, makeStep, sink, transform } from "../../../src/adapter/index.ts";
import { collect, pipeline } from "../../../src/index.ts";
import { testRuntime } from "../../support/runtime.ts";

const same = () =>
  makeStep<number, number>("same", ({ name, runtime, signal, onReport, onDiscard }) =>
    transform({ handleEvents: (events) => [...events] }, { name, runtime, signal, onReport, onDiscard }),
  );
const count = () =>
  makeSink<number, number>("count", ({ name, runtime, signal, onReport, index }) => {
    let seen = 100 * index;
    const consumer = sink<number>(
      { handleEvents: (events) => void (seen += events.length) },
      { name, runtime, signal, onReport },
    );
    return { consumer, result: () => seen };
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
});
