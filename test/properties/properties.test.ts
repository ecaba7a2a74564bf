import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Graph } from "./graph.ts";

// Long runs: HEADRACE_RUNS=100000. A failing seed is printed; HEADRACE_SEED=n runs that graph alone.
const runs = Number(process.env["HEADRACE_RUNS"] ?? 1000);
const only = process.env["HEADRACE_SEED"];
const batch = 250;

// Buffers overflow on purpose here.
beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

const seeds = only === undefined ? fc.integer({ min: 1, max: 2 ** 31 - 1 }) : fc.constant(Number(only));

test.each(Array.from({ length: Math.ceil(runs / batch) }, (_, i) => i))(
  "random graphs keep their books, batch %i",
  { timeout: 120_000 },
  async (index) => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        expect(await new Graph(seed).run(), `HEADRACE_SEED=${seed}`).toEqual([]);
      }),
      { numRuns: Math.min(batch, runs - index * batch), endOnFailure: true, ...(only ? {} : { seed: index + 1 }) },
    );
  },
);

async function trace(): Promise<string> {
  const graph = new Graph(4711);
  await graph.run();
  return JSON.stringify(graph.ledger.stages);
}

test("the same seed gives the same graph", async () => {
  expect(await trace()).toBe(await trace());
});
