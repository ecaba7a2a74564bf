import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const { peerDependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
  peerDependencies: Record<string, string>;
};

function sources(folder: string): string[] {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
    .map((file) => path.posix.join(folder, file.split(path.sep).join("/")))
    .toSorted();
}

/** Blanks comments, so that an example in a docstring is no import; strings are matched to be stepped over. */
function withoutComments(text: string): string {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return text.replace(token, (found) => (found.startsWith("/") ? " " : found));
}

/** What a module names after `from`, in a bare `import "…"` and in `import(…)`, types included. */
function specifiers(text: string): string[] {
  const code = withoutComments(text);
  const found: string[] = [];
  for (const [, name] of code.matchAll(/^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']/gm))
    found.push(name!);
  for (const [, name] of code.matchAll(/^\s*import\s*["']([^"']+)["']/gm)) found.push(name!);
  for (const [, argument] of code.matchAll(/\b(?:import|require)\s*\(\s*([^)]*?)\s*\)/g)) {
    found.push(/^["']([^"']+)["']$/.exec(argument!)?.[1] ?? `a computed name (${argument})`);
  }
  return found;
}

/** The reason why `file` may not import `name`, or nothing. */
function violation(file: string, name: string): string | undefined {
  const [area, adapter] = file.split("/");
  if (!name.startsWith(".")) {
    if (area === "src") return "src/ imports no package and no node: module";
    if (name === "headrace" || name.startsWith("headrace/")) return "adapters import the core by its path in src/";
    if (name.startsWith("node:") || name in peerDependencies) return undefined;
    return "adapters import node: modules and the peer dependencies only";
  }
  if (!name.endsWith(".ts")) return "a relative import ends with .ts";
  const target = path.posix.join(path.posix.dirname(file), name);
  if (target.startsWith("src/")) return undefined;
  if (area === "src") return "src/ imports nothing from outside src/";
  if (target.startsWith(`adapters/${adapter}/`)) return undefined;
  return "an adapter imports nothing but its own files and src/";
}

function violations(file: string, text: string): string[] {
  return specifiers(text).flatMap((name) => {
    const reason = violation(file, name);
    return reason === undefined ? [] : [`${file} imports ${name}: ${reason}`];
  });
}

describe("the rules of imports", () => {
  test.each([...sources("src"), ...sources("adapters")])("hold in %s", (file) => {
    expect(violations(file, fs.readFileSync(path.join(root, file), "utf8"))).toEqual([]);
  });

  test("are checked in the core and in every exported adapter", () => {
    expect(sources("src")).toContain("src/index.ts");
    expect(sources("adapters")).toEqual(expect.arrayContaining(["adapters/node/index.ts", "adapters/rxjs/index.ts"]));
  });

  test.each([
    ["src/stage.ts", `import { Observable } from "rxjs";`],
    ["src/stage.ts", `import type { Readable } from "node:stream";`],
    ["src/stage.ts", `import fs from 'fs';`],
    ["src/stage.ts", `import "node:process";`],
    ["src/stage.ts", `const { x } = await import("node:os");`],
    ["src/stage.ts", "const y = await import(`node:${name}`);"],
    ["src/stage.ts", `type R = import("node:stream").Readable;`],
    ["src/stage.ts", `import { fromReadable } from "../adapters/node/index.ts";`],
    ["src/stage.ts", `import { version } from "../package.json";`],
    ["src/stage.ts", `import { half } from "./demand";`],
    ["src/stage.ts", `import { half } from "./demand.js";`],
    ["src/steps/map.ts", `export {\n  a,\n  b,\n} from "../../adapters/rxjs/index.ts";`],
    ["adapters/node/index.ts", `import { toObservable } from "../rxjs/index.ts";`],
    ["adapters/node/index.ts", `export * from "../rxjs/peer.ts";`],
    ["adapters/node/index.ts", `import { producer } from "headrace";`],
    ["adapters/node/index.ts", `import { producer } from "../../dist/src/index.js";`],
    ["adapters/node/index.ts", `import { map } from "lodash";`],
    ["adapters/node/index.ts", `/* reason */ import { half } from "./half";`],
  ])("are broken by %s with %s", (file, text) => {
    expect(violations(file, text)).toHaveLength(1);
  });

  test.each([
    ["src/stage.ts", `import { half } from "./demand.ts";`],
    ["src/steps/map.ts", `export type { Demand } from "../demand.ts";`],
    ["src/stage.ts", `/**\n * @example\n * import { Readable } from "node:stream";\n */\nexport const a = "from 'x'";`],
    ["src/stage.ts", `// import "node:fs"\nconst address = "http://x"; // see import("rxjs")`],
    ["adapters/rxjs/index.ts", `import { Observable } from "rxjs";\nimport { producer } from "../../src/index.ts";`],
    ["adapters/node/from.ts", `import type { Readable } from "node:stream";\nimport { Peer } from "./peer.ts";`],
  ])("allow %s with %s", (file, text) => {
    expect(violations(file, text)).toEqual([]);
  });
});
