import path from "node:path";
import { describe, expect, test } from "vitest";
import { root, run } from "./support.ts";

const fetchLines = (...args: readonly string[]) =>
  run(process.execPath, ["--conditions=@headrace/source", path.join(root, "examples/fetch-lines.ts"), ...args]);

/** What the example is to say of the first readings: of three stations in turn, from 0 to 29 degrees in turn. */
function said(readings: number): string {
  const all = Array.from({ length: readings }, (_, i) => i);
  return ["Mühle", "水車", "Watermill"]
    .map((station, n) => {
      const own = all.filter((i) => i % 3 === n).map((i) => i % 30);
      const mean = own.reduce((sum, celsius) => sum + celsius, 0) / own.length;
      return `${station}: ${own.length} readings, ${mean.toFixed(1)} °C\n`;
    })
    .join("");
}

describe("examples/fetch-lines.ts", { timeout: 60_000 }, () => {
  test("FL-1 reads the whole body, cut anywhere", async () => {
    expect(await fetchLines()).toEqual({ code: 0, stdout: said(10_000), stderr: "" });
  });

  test.each([3, 25, 5000])("FL-2 leaves the response behind the first %i", async (readings) => {
    expect(await fetchLines(String(readings))).toEqual({ code: 0, stdout: said(readings), stderr: "" });
  });
});
