import { describe, expect, test } from "vitest";
import { consumer, map, mapAsync, pipeline, producer, type Step } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

/** A consumer that fails behind its first batches. */
const failing = (runtime: ReturnType<typeof testRuntime>, seen: number[]) => {
  const sink = consumer<number>(
    (batch) => {
      seen.push(...batch);
      if (seen.length > 100) throw new Error("full");
    },
    { runtime },
  );
  sink.done.catch(() => {});
  return sink;
};

describe("events that a pipeline's own stage holds when its consumer fails", () => {
  test.each([
    ["map", map((n: number) => n)],
    ["mapAsync", mapAsync((n: number) => Promise.resolve(n))],
  ] as readonly (readonly [string, Step<number, number>])[])(
    "4.9 behind %s they are told to the source's onDiscard",
    async (_name, step) => {
      const runtime = testRuntime();
      const [seen, told]: [number[], number[]] = [[], []];
      const source = producer<number>(() => {}, {
        runtime,
        onLastCancel: "continue",
        onDiscard: ({ events }) => void told.push(...(events as number[])),
      });
      const running = pipeline(source, step, failing(runtime, seen));
      running.done.catch(() => {});
      source.push(range(1, 1000));
      await turns();
      await source.stop();
      expect([...seen, ...told].toSorted((a, b) => a - b)).toEqual(range(1, 1000));
    },
  );
});
