import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ERRORS } from "../../src/base/error-table.ts";
import * as core from "../../src/index.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8");
const lines = (file: string): number => read(file).split("\n").length - 1;
const list = (folder: string, ending: string): string[] =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending) && !/^(?:node_modules|api)\//.test(file))
    .map((file) => path.posix.join(folder, file.split(path.sep).join("/")))
    .toSorted();

const docs = list("docs", ".md");
const entries = ["src/index.ts", ...list("adapters", "/index.ts")];
const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", ...docs];
const sources = [...list("src", ".ts"), ...list("adapters", ".ts")];

/** Rules of the protocol: number and text. */
const rules = Array.from(
  read("docs/protocol.md").matchAll(/^<a id="rule-[\d.]+"><\/a>\*\*(\d+\.\d+)\*\* ([^]*?)(?:\n\n|\n$(?![^]))/gm),
  ([, number, text]) => [number as string, text as string] as const,
);
const numbers = rules.map(([number]) => number);

/** The rules a text cites: "rule 1.2", "rules 1.2, 3.x and 4.1", "rules 7.1 to 7.3". */
function cited(text: string): string[] {
  const flat = text.replaceAll(/\n\s*\*? */g, " ");
  return Array.from(flat.matchAll(/\brules? (\d+\.(?:\d+|x)(?:(?:,| and| or| to|, and) \d+\.(?:\d+|x))*)/gi)).flatMap(
    ([, found]) => (found as string).match(/\d+\.(?:\d+|x)/g) ?? [],
  );
}
const exists = (rule: string): boolean =>
  rule.endsWith("x") ? numbers.some((number) => number.startsWith(rule.slice(0, -1))) : numbers.includes(rule);

/** The name of a heading in an address. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
const anchors = (text: string): string[] =>
  Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading]) => anchor(heading as string));

/** Links of a page to this repository that lead nowhere. */
function broken(page: string, text: string): string[] {
  const targets = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target as string);
  return targets.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [file = "", heading] = target.split("#");
    const full = file === "" ? page : path.posix.join(path.posix.dirname(page), file);
    if (!fs.existsSync(path.join(root, full))) return true;
    return heading !== undefined && !anchors(read(full)).includes(heading);
  });
}

describe("docs/protocol.md", () => {
  test("numbers its rules without a gap, under their chapters", () => {
    const perChapter = [1, 2, 3, 4, 5, 6, 7, 8].map(
      (chapter) => numbers.filter((n) => n.startsWith(`${chapter}.`)).length,
    );
    const expected = perChapter.flatMap((count, i) => Array.from({ length: count }, (_, k) => `${i + 1}.${k + 1}`));
    expect(numbers).toEqual(expected);
    expect(Math.min(...perChapter)).toBeGreaterThan(0);
    const chapters = Array.from(read("docs/protocol.md").matchAll(/^## (\d)\. /gm), ([, chapter]) => chapter);
    expect(chapters).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  test("has an anchor at each rule, for the texts of errors", () => {
    const named = Array.from(read("docs/protocol.md").matchAll(/<a id="rule-([\d.]+)">/g), ([, number]) => number);
    expect(named).toEqual(numbers);
  });

  test.each(rules)("%s says MUST or MAY", (_, text) => {
    expect(text).toMatch(/\b(?:MUST|MAY)\b/);
  });
});

/** The rules that the tests of a file begin with. A test that is skipped or to be written does not count. */
const tested = (text: string): string[] =>
  Array.from(text.matchAll(/(?:\btest|\))\(\s*["'`](\d+\.\d+) /g), ([, number]) => number as string);

describe("test/protocol", () => {
  const files = list("test/protocol", ".test.ts");
  const chapters = Array.from(read("docs/protocol.md").matchAll(/^## (\d\..*)$/gm), ([, title]) => title as string);

  test("has one file for each chapter of docs/protocol.md, in the chapter's name", () => {
    const titles = files.flatMap((file) =>
      Array.from(read(file).matchAll(/^describe\("([^"]*)"/gm), ([, title]) => title as string),
    );
    expect(titles.toSorted()).toEqual(chapters);
    expect(files).toHaveLength(chapters.length);
  });

  test.each(chapters)("has a test for each rule of chapter %s, and for no other, in its file", (chapter) => {
    const file = files.find((one) => read(one).includes(`describe("${chapter}"`)) ?? "";
    const own = numbers.filter((number) => number.startsWith(chapter.slice(0, 2)));
    expect([...new Set(tested(read(file)))]).toEqual(own);
  });

  test("skipped tests and numbers within titles do not count", () => {
    const text = `test("1.1 a", f); test.each([1])("1.2 b", f); test.skip("1.3 c", f); test.todo("1.4 d"); test("see 1.5 e", f);
      test.each<number>([2])(
        "1.6 f", f);`;
    expect(tested(text)).toEqual(["1.1", "1.2", "1.6"]);
  });
});

describe("rule numbers", () => {
  test.each([...sources, ...pages])("exist that %s cites", (file) => {
    expect(cited(read(file)).filter((rule) => !exists(rule))).toEqual([]);
  });

  test("are found in texts of all kinds", () => {
    const text = "rules 1.2, 3.x and\n * 4.1; rule 9.9. Rules 7.1 to 7.3 of docs, version 1.5";
    expect(cited(text)).toEqual(["1.2", "3.x", "4.1", "9.9", "7.1", "7.3"]);
    expect(["1.2", "3.x", "9.9", "80.x", "1.x"].map((rule) => exists(rule))).toEqual([true, true, false, false, true]);
    expect(sources.flatMap((file) => cited(read(file))).length).toBeGreaterThan(20);
  });
});

describe("docs/errors.md", () => {
  const sections = new Map(
    Array.from(
      read("docs/errors.md").matchAll(/^## (ERR_\w+)\n([^]*?)(?=^## |$(?![^]))/gm),
      ([, code, text]) => [code as string, text as string] as const,
    ),
  );

  test("has a section for each code, in the order of the table, and no other", () => {
    expect([...sections.keys()]).toEqual(Object.keys(ERRORS));
    expect(Array.from(read("docs/errors.md").matchAll(/^## /gm))).toHaveLength(sections.size);
  });

  test.each(Object.entries(ERRORS))("%s has the family, rule and outcome of the table", (code, row) => {
    const said = Array.from(
      (sections.get(code) ?? "").matchAll(/^- (Family|Rule|In flight): (.*)$/gm),
      ([, name, text]) => [name, text] as const,
    );
    const [[, family], ...others] = said as [readonly [string, string], ...(readonly [string, string])[]];
    expect(family.split(",")[0]).toBe(row.family);
    expect(others).toEqual([
      ["Rule", row.rule],
      ["In flight", row.inFlight],
    ]);
    expect(exists(row.rule)).toBe(true);
    const own = (sections.get(code) ?? "").replaceAll(/^(?:- .*)?\n/gm, "");
    expect(own.length).toBeGreaterThan(60);
  });

  test("says of each that is a RangeError that it is one", () => {
    const ranges = Object.keys(ERRORS).filter((code) => sections.get(code)?.includes("a RangeError"));
    const subscription = core
      .consumer(() => {})
      .subscribe(
        core.producer(() => {}),
        { demand: "manual" },
      );
    const thrown = [
      () => subscription.ask(-1),
      () => core.producer(() => {}, { bufferSize: -1 }),
      () => core.producer({} as never),
      () => core.producer(() => {}, { name: 1 } as never),
    ].map((run) => {
      try {
        run();
      } catch (error) {
        return [(error as core.ArgumentError).code, error instanceof RangeError];
      }
      return [];
    });
    expect(ranges).toEqual(["ERR_RANGE", "ERR_ASK"]);
    expect(thrown).toEqual([
      ["ERR_ASK", true],
      ["ERR_RANGE", true],
      ["ERR_BEHAVIOUR", false],
      ["ERR_OPTION", false],
    ]);
  });
});

describe("pages", () => {
  test.each([["README.md", 150], ["docs/architecture.md", 150], ...docs.map((file): [string, number] => [file, 400])])(
    "%s has at most %i lines",
    (file, most) => {
      expect(lines(file)).toBeLessThanOrEqual(most);
    },
  );

  test.each(pages)("%s has links that lead somewhere", (page) => {
    expect(broken(page, read(page))).toEqual([]);
  });

  test("wrong links are noticed", () => {
    const text =
      "[a](README.md) [b](docs/none.md) [c](#here) [d](README.md#install) [e](README.md#none) [f](https://x.y)";
    expect(broken("CHANGELOG.md", text)).toEqual(["docs/none.md", "#here", "README.md#none"]);
  });

  test("the map of the README leads to every page of docs", () => {
    expect(docs.filter((file) => !read("README.md").includes(`](${file})`))).toEqual([]);
  });

  test("docs/architecture.md has a line for each room, and for no other", () => {
    const page = read("docs/architecture.md");
    const rooms = sources.map((file) => {
      const [area, room, ...rest] = file.split("/");
      return rest.length > 0 ? `${area}/${room}/` : file;
    });
    const mapped = Array.from(
      page.matchAll(/^\| (`(?:src|adapters)\/[^|]*) \|/gm),
      ([, cell]) => cell as string,
    ).flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name]) => name as string));
    // The entry itself is what all the rooms are for.
    expect(mapped.toSorted()).toEqual([...new Set(rooms)].filter((room) => room !== "src/index.ts").toSorted());
  });

  test("pictures can be read in light and dark, and by those who do not see them", () => {
    const lacking = list("docs/pictures", ".svg").filter((picture) => {
      const svg = read(picture);
      const described = /<title[^>]*>[^<]+<\/title>[^]*<desc[^>]*>[^<]+<\/desc>/.test(svg);
      return !(described && svg.includes("prefers-color-scheme: dark"));
    });
    expect(lacking).toEqual([]);
  });

  test("docs/decisions.md counts its decisions", () => {
    const found = Array.from(read("docs/decisions.md").matchAll(/^## D-(\d{3}) /gm), ([, number]) => Number(number));
    expect(found).toEqual(found.map((_, i) => i + 1));
    expect(found.length).toBeGreaterThan(0);
  });

  test.each(pages)("%s names no adapter that does not exist", (page) => {
    const text = read(page).replaceAll(/^```[^]*?^```$/gm, "");
    const names = Array.from(text.matchAll(/`(?:from|to|into|through)(?:[A-Z][a-z]+)+\b/g), ([name]) => name.slice(1));
    const known = new Set(
      entries.flatMap((entry) =>
        Array.from(read(entry).matchAll(/\b(?:from|to|into|through)[A-Z]\w+/g), ([name]) => name),
      ),
    );
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  test.each(pages)("%s names no npm script that does not exist", (page) => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const names = Array.from(read(page).matchAll(/npm run (?:-s )?([\w:]+)/g), ([, name]) => name as string);
    expect(names.filter((name) => !(name in scripts))).toEqual([]);
  });
});
