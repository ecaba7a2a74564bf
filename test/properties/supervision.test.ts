import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { graph } from "./supervision/graph.ts";
import { perEvent } from "./supervision/per-event.ts";

// Long runs: HEADRACE_RUNS=100000. A failing seed is printed; HEADRACE_SEED=n runs that life alone.
const runs = Number(process.env["HEADRACE_RUNS"] ?? 400);
const only = process.env["HEADRACE_SEED"];
const batch = 200;
const batches = Array.from({ length: Math.ceil(runs / batch) }, (_, i) => i);
const seeds = only === undefined ? fc.integer({ min: 1, max: 2 ** 31 - 1 }) : fc.constant(Number(only));

const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);
beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  process.on("unhandledRejection", onUnhandled);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.off("unhandledRejection", onUnhandled);
});

const check = async (life: (seed: number) => Promise<string[]>, index: number): Promise<void> => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      expect(await life(seed), `HEADRACE_SEED=${seed}`).toEqual([]);
      expect(unhandled, `HEADRACE_SEED=${seed}`).toEqual([]);
    }),
    { numRuns: Math.min(batch, runs - index * batch), endOnFailure: true, ...(only ? {} : { seed: index + 1 }) },
  );
};

describe("8.13 every event is handled, told lost, or still there; every failure reaches someone; nothing is left", () => {
  test.each(batches)("in lives of a consumerSupervisor, batch %i", { timeout: 120_000 }, (index) =>
    check(perEvent, index),
  );

  test.each(batches)("in lives of a supervisor, batch %i", { timeout: 120_000 }, (index) => check(graph, index));
});
