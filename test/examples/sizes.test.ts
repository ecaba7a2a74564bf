import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./support.ts";

interface Size {
  readonly name: string;
  readonly headrace: number;
  readonly plain: number;
  readonly ratio: number;
}
const { sizes, tokens } = (await import(path.join(root, "scripts/example-sizes.mjs"))) as {
  readonly sizes: () => readonly Size[];
  readonly tokens: (text: string) => number;
};

describe("the applications beside the same by hand", () => {
  test("tokens are counted without comments and layout", () => {
    expect(tokens("const a = 1; // one\n/* two */")).toBe(5);
    expect(tokens("`a ${b} c`+f(/x[/]y/g, 'it\\'s', a?.b ?? 1.5)")).toBe(14);
  });

  test("take at most 0.65 of the tokens over all, and none above 0.8", () => {
    const all = sizes();
    expect(all.map(({ name }) => name)).toEqual(["api-bridge", "crawler", "etl", "log-ingest", "notify-channel"]);
    expect(all.filter(({ ratio }) => ratio > 0.8)).toEqual([]);
    const sum = (of: (one: Size) => number): number => all.reduce((total, one) => total + of(one), 0);
    expect(sum(({ headrace }) => headrace) / sum(({ plain }) => plain)).toBeLessThanOrEqual(0.65);
  });

  test.each(sizes())("$name says so in its README", ({ name, headrace, plain }) => {
    const page = fs.readFileSync(path.join(root, "examples", name, "README.md"), "utf8");
    expect(page).toContain(`| tokens of code (\`node scripts/example-sizes.mjs\`) | ${headrace} | ${plain} |`);
  });
});
