import { describe, expect, test } from "vitest";
import { all, ofPage, ofSource, type Outcome, outcomes, pages, read, type Snippet, sources } from "./snippets.ts";

const snippets = all();
const cases = [
  "const n: number = 'one';\nconsole.log(n); // one",
  "console.log(1); // 2",
  "await new Promise(() => {});",
  "void Promise.reject(new Error('lost'));",
  "throw new Error('thrown');",
  "setTimeout(() => console.log('late'), 5); // late\nfor (const n of [1, 2]) console.log(n); // 1, 2",
].map((code) => ofPage("page.md", `# Page\n\n\`\`\`ts\n${code}\n\`\`\`\n`, true)[0] as Snippet);
const results = outcomes([...snippets, ...cases]);

/** What a reader would find wrong. */
function faults(snippet: Snippet, { types, printed, failures }: Outcome): string[] {
  const wrong: string[] = [];
  for (const [line, expected] of snippet.expected) {
    const got = (printed[line] ?? []).join(", ");
    if (got !== expected) wrong.push(`line ${line}: expected ${expected}, got ${got}`);
  }
  return [...types, ...failures, ...wrong];
}

const count = (files: readonly string[], part: RegExp): number =>
  files.reduce((sum, file) => sum + (read(file).match(part)?.length ?? 0), 0);

describe("snippets of the docs", () => {
  test.each(snippets.map((snippet, i) => [snippet.at, i] as const))(
    "%s compiles, runs and prints what it says",
    (_, i) => {
      expect(faults(snippets[i] as Snippet, results[i] as Outcome)).toEqual([]);
    },
  );

  test("are all of a kind: only ts blocks are code, and each console.log says what it prints", () => {
    for (const page of pages) {
      const text = read(page);
      const kinds = Array.from(text.matchAll(/^```([^\n]+)\n[^]*?^```$/gm), ([, kind]) => kind);
      expect([page, kinds.filter((kind) => kind !== "ts")]).toEqual([page, []]);
      for (const { at, code, expected } of ofPage(page, text, true))
        expect([at, code.split("console.log(").length - 1]).toEqual([at, expected.size]);
    }
  });

  test("show their imports where a page begins", () => {
    for (const page of pages) {
      const [first] = ofPage(page, read(page), false);
      expect([page, first?.prelude ?? ""]).toEqual([page, ""]);
    }
  });

  test("are all found: every @example and every ts block", () => {
    const examples = count(sources, /^ *\* @example/gm);
    expect(examples).toBeGreaterThan(0);
    expect(snippets).toHaveLength(examples + count(pages, /^```ts/gm));
  });
});

describe("the test of snippets", () => {
  const found = cases.map((snippet, i) => faults(snippet, results[snippets.length + i] as Outcome));

  test("notices a wrong type", () => {
    expect(found[0]).toEqual(["line 1: error TS2322: Type 'string' is not assignable to type 'number'."]);
  });
  test("notices another output", () => {
    expect(found[1]).toEqual(["line 1: expected 2, got 1"]);
  });
  test("notices what never ends", () => {
    expect(found[2]).toEqual(["never ends: nothing is left that could go on"]);
  });
  test("notices a rejection nobody handles", () => {
    expect(found[3]).toEqual([expect.stringContaining("rejected Error: lost")]);
  });
  test("notices an error", () => {
    expect(found[4]).toEqual([expect.stringContaining("threw Error: thrown")]);
  });
  test("waits until a snippet has ended", () => {
    expect(found[5]).toEqual([]);
  });

  test("reads the lines and the code of an example", () => {
    const text =
      "x\n/**\n * Does.\n *\n * @example\n * const a = 1;\n *\n * console.log(a); // 1\n */\nfunction f() {}\n";
    const [example, ...rest] = ofSource("a.ts", text);
    expect(rest).toEqual([]);
    expect(example).toMatchObject({ at: "a.ts:6", code: "const a = 1;\n\nconsole.log(a); // 1\n", prelude: "" });
    expect([...(example as Snippet).expected]).toEqual([[3, "1"]]);
  });

  test("imports what an example leaves out, and nothing else", () => {
    const text = '/**\n * @example\n * consumer(() => {}).subscribe(fromIterable(fs.readdirSync(".")));\n */\n';
    expect(ofSource("a.ts", text)[0]?.prelude).toBe(
      'import { consumer, fromIterable } from "headrace"; import fs from "node:fs";',
    );
  });
});
