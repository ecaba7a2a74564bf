import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { type Compiler, compiler, type CompilerOptions } from "../../../src/compile/index.ts";
import { shapeOf, textOf } from "../../../src/compile/template.ts";
import {
  collect,
  compose,
  filter,
  flatMap,
  forEach,
  intoGroups,
  map,
  partitionBy,
  pipeline,
  reduce,
  runtime,
  scan,
  take,
} from "../../../src/index.ts";
import type { Row } from "../../../src/contract/row.ts";
import { range } from "../../support/runtime.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const add = (sum: number, n: number): number => sum + n;

const above1 = (n: number): boolean => n > 1;

/** A row that maps (m) and tests (t), and passes its results on. */
const rowOf = (shape: string): Row => ({
  calls: Array.from(shape, (letter, index) => {
    const place = { name: "secret", index };
    return { fn: () => "secret", maps: letter === "m", tests: letter === "t", instead: "secret", place };
  }),
  end: { next: () => {} },
  chain: { held: false },
  at: 0,
});

/** The loop that called the function that asks: `loop3` of a compiler, or `loop`. */
function caller(): string | undefined {
  return /\bat (?:eval \()?(loop\d*) /.exec(new Error("here").stack as string)?.[1];
}
/** A map that notes by which loop it was called. */
const noting = (callers: (string | undefined)[]) =>
  map((n: number) => {
    callers.push(caller());
    return n;
  });

/** By which loops the events of several pipelines went, a pipeline for each size. */
async function loops(compile: Compiler, sizes: readonly number[], make = noting): Promise<readonly string[]> {
  const seen: string[] = [];
  for (const size of sizes) {
    const callers: (string | undefined)[] = [];
    // oxlint-disable-next-line no-await-in-loop -- one behind the other
    await pipeline.with({ compile, maxDemand: 10 })(range(1, size), make(callers), collect());
    seen.push(callers.map((name) => name?.replace(/\d+/, "*")).join(" "));
  }
  return seen;
}
const ordinary = (count: number): string => Array.from({ length: count }, () => "loop").join(" ");
const own = (count: number): string => Array.from({ length: count }, () => "loop*").join(" ");

describe("a compiler", () => {
  test("8.12 gives a loop of its own behind `after` events, with the batch that brings more", async () => {
    expect(await loops(compiler({ after: 20 }), [40])).toEqual([`${ordinary(20)} ${own(20)}`]);
    expect(await loops(compiler({ after: 0 }), [3])).toEqual([own(3)]);
  });

  test("8.12 counts the events of all pipelines of the same functions, which then begin with their loop", async () => {
    const compile = compiler({ after: 20 });
    expect(await loops(compile, [10, 10, 10, 5])).toEqual([ordinary(10), ordinary(10), own(10), own(5)]);
  });

  test("8.12 waits for 20 000 events unless told otherwise", () => {
    const come = compiler()["~loops"](rowOf("m"), () => {});
    expect([come(19_999), come(1), come(1)]).toEqual([undefined, undefined, expect.any(Function)]);
  });

  test("8.12 gives closures of the same text the functions that they are, not those of the first", async () => {
    const compile = compiler({ after: 0 });
    const times = (factor: number) =>
      pipeline.with({ compile })(
        [1, 2, 3],
        map((n) => n * factor),
        filter((n) => n !== 2 * factor),
        reduce((sum, n) => sum + n * factor, 0),
      );
    expect([await times(1), await times(10), await times(2)]).toEqual([4, 400, 16]);
  });

  test("8.12 tells rows of the same functions apart by what becomes of results", async () => {
    const compile = compiler({ after: 0 });
    const build = pipeline.with({ compile });
    expect(await build([1, 2], map(above1), collect())).toEqual([false, true]);
    expect(await build([1, 2], filter(above1), collect())).toEqual([2]);
    expect(await build([1, 2], map(above1), map(String), collect())).toEqual(["false", "true"]);
  });

  test("8.12 state of a step and of a fold is that of its pipeline", async () => {
    const compile = compiler({ after: 0 });
    const running = compose(scan(add, 0), reduce(add, 0));
    const both = [1, 2].map(() => pipeline.with({ compile, maxDemand: 2 })(range(1, 5), running));
    expect(await Promise.all(both)).toEqual([35, 35]);
  });

  test("two rows have two loops, even where they look the same: V8 shares what it has seen by text", async () => {
    const compile = compiler({ after: 0 });
    const names = new Set<string | undefined>();
    const build = pipeline.with({ compile });
    await build(
      [1],
      map((n: number) => names.add(`1 ${caller()}`) && n),
      collect(),
    );
    await build(
      [1],
      map((n: number) => names.add(`2 ${caller()}`) && n),
      collect(),
    );
    expect(Array.from(names, (name) => name?.replace(/^\d loop/, "")).every((number) => Number(number) > 0)).toBe(true);
    expect(new Set(Array.from(names, (name) => name?.slice(2))).size).toBe(2);
    expect(textOf("mtF", 1)).not.toBe(textOf("mtF", 2));
  });

  test.each<readonly [string, (compile: Compiler) => unknown]>([
    ["pipeline.with", (compile) => pipeline.with({ compile })],
    ["runtime", (compile) => pipeline.with({ runtime: runtime({ compile }) })],
  ])("is an option of %s", async (_title, make) => {
    const callers: (string | undefined)[] = [];
    const build = make(compiler({ after: 0 })) as typeof pipeline;
    await build(
      [1, 2],
      noting(callers),
      forEach(() => {}),
    );
    expect(callers).toEqual([expect.stringMatching(/^loop\d+$/), expect.stringMatching(/^loop\d+$/)]);
  });

  test("8.9 holds for branches and for groups of its pipeline", async () => {
    const callers: (string | undefined)[] = [];
    const build = pipeline.with({ compile: compiler({ after: 0 }) });
    await build(
      [1, 2],
      partitionBy(
        (n) => n % 2,
        { partitions: 2 },
        (events) => pipeline(events, noting(callers), collect()),
      ),
    );
    await build(
      [1, 2],
      intoGroups(
        (n) => n,
        (events) => pipeline(events, noting(callers), collect()),
      ),
    );
    expect(callers).toHaveLength(4);
    for (const name of callers) expect(name).toMatch(/^loop\d+$/);
  });

  test("makes none where no call stands in front", async () => {
    const made = vi.fn<() => undefined>();
    const compile: Compiler = { "~loops": () => made };
    const build = pipeline.with({ compile });
    await build(
      [1, 2],
      flatMap((n) => [n, n]),
      take(3),
      collect(),
    );
    expect(made).not.toHaveBeenCalled();
    await build([1, 2], collect());
    expect(made).toHaveBeenCalledTimes(1);
  });

  test("forgets all rows behind a thousand, and knows them anew", () => {
    const compile = compiler({ after: 1 });
    const come = (shape: string): unknown => compile["~loops"](rowOf(shape), () => {})(1);
    const shapes = range(1, 1000).map((n) => n.toString(2).padStart(10, "0").replaceAll("0", "m").replaceAll("1", "t"));
    for (const shape of shapes) expect(come(shape)).toBeUndefined();
    expect(come(shapes[0] as string)).toBeInstanceOf(Function);
    expect(come("ttt")).toBeUndefined();
    expect(come(shapes[0] as string)).toBeUndefined();
    expect(come(shapes[0] as string)).toBeInstanceOf(Function);
  });
});

describe("where no code may be made of text", () => {
  test("ERR_COMPILE is reported once, and the ordinary loop goes on", () => {
    const child = path.join(import.meta.dirname, "refused-child.ts");
    const flags = ["--conditions=@headrace/source", "--disallow-code-generation-from-strings"];
    const { reports, results } = JSON.parse(execFileSync(process.execPath, [...flags, child], { encoding: "utf8" }));
    expect(results).toEqual([18, 19, 20]);
    expect(reports).toEqual([
      {
        name: "ArgumentError",
        code: "ERR_COMPILE",
        message: expect.stringContaining("expected compiler() to be allowed to make functions of text"),
        cause: expect.stringContaining("EvalError"),
        stage: "p map+filter+reduce",
        phase: "compile",
      },
    ]);
  });
});

describe("options", () => {
  test.each<readonly [string, unknown, string]>([
    ["an unknown one", { events: 1 }, "ERR_OPTION"],
    ["a number below 0", { after: -1 }, "ERR_RANGE"],
    ["no number", { after: "many" }, "ERR_OPTION"],
  ])("refuse %s", (_title, options, code) => {
    expect(() => compiler(options as CompilerOptions)).toThrow(expect.objectContaining({ code }));
  });

  test("take a compiler() only", () => {
    const wrong = compiler as unknown as Compiler;
    expect(() => pipeline.with({ compile: wrong })).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => runtime({ compile: wrong })).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
  });
});

describe("the text of a loop", () => {
  test("is made of a shape and a number alone: nothing of a user's is in it", () => {
    const row = rowOf("mt");
    expect(shapeOf(row)).toBe("mtN");
    expect(shapeOf({ ...row, calls: [], end: { into: { events: [], count: 0 } } })).toBe("I");
    expect(textOf(shapeOf(row), 1)).not.toContain("secret");
  });

  test("is made in src/compile alone", () => {
    const files = fs
      .readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"));
    const making = files.filter((file) =>
      /\bnew Function\(|\beval\(/.test(fs.readFileSync(path.join(root, "src", file), "utf8")),
    );
    expect(making.map((file) => file.split(path.sep).join("/"))).toEqual(["compile/index.ts"]);
  });
});
