/*
 * Whoever attaches and cancels leaves nothing behind: no memory that is never freed, and no listener.
 */
import path from "node:path";
import { describe, expect, test } from "vitest";
import { root, run } from "../examples/support.ts";
import { drains } from "./leak-drains.ts";
import { springs } from "./leak-springs.ts";

const child = path.join(root, "test/faults/leak-child.ts");
const node = ["--expose-gc", "--conditions=@headrace/source", child];
/** Rounds, and the bytes of each that may look held by chance: far below the size of a stage. */
interface Measure {
  readonly rounds: number;
  readonly limit: number;
}
const FULL: Measure = { rounds: 10_000, limit: 100 };
/** Of pairs of which either side has had its full measure. `npm run test:long` gives it to them, too. */
const SHORT: Measure = process.env["HEADRACE_RUNS"] === undefined ? { rounds: 200, limit: 500 } : FULL;

interface Measured {
  readonly drain: string;
  readonly bytes: number;
  readonly listeners: number;
}

async function measured({ rounds, limit }: Measure, ...pairs: readonly string[]): Promise<Measured[]> {
  const args = [...node, String(rounds), String(limit), ...pairs];
  const { code, stdout, stderr } = await run(process.execPath, args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Measured);
}

/** What was measured and is a leak. */
const leaks = (all: readonly Measured[], { limit }: Measure): Measured[] =>
  all.filter(({ bytes, listeners }) => bytes > limit || listeners !== 0);

describe("attached and cancelled, over and over", { timeout: 600_000 }, () => {
  test("F-30 no adapter leaves anything behind on a producer that stays", async () => {
    const all = await measured(FULL, "a producer that stays");
    expect(all.map(({ drain }) => drain)).toEqual(Object.keys(drains));
    expect(leaks(all, FULL)).toEqual([]);
  });

  test.each(Object.keys(springs))("F-31 %s is left as it was", async (spring) => {
    expect(leaks(await measured(FULL, spring, "consumer"), FULL)).toEqual([]);
  });

  test.each(Object.keys(springs))("F-32 %s and whatever its events go into", async (spring) => {
    const all = await measured(SHORT, spring);
    expect(all.map(({ drain }) => drain)).toEqual(Object.keys(drains));
    expect(leaks(all, SHORT)).toEqual([]);
  });

  test("F-33 a leak is noticed, of memory and of listeners", async () => {
    const [found] = await measured(SHORT, "fromReadable", "a leak");
    expect(found?.bytes).toBeGreaterThan(2 * SHORT.limit);
    // What looks like a leak is measured five times.
    expect(found?.listeners).toBe(5 * SHORT.rounds);
  });
});
