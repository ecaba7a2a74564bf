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

/**
 * The rooms that each room may import from, types included. Arrows fall: no room imports one that imports it.
 * An adapter is held to the public entries.
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  base: ["contract"],
  runtime: ["base", "contract"],
  stage: ["runtime", "base", "contract"],
  dispatchers: ["base", "contract"],
  adapter: ["dispatchers", "stage", "runtime", "base", "contract"],
  sources: ["adapter", "dispatchers", "stage", "runtime", "base", "contract"],
  steps: ["sources", "adapter", "dispatchers", "stage", "runtime", "base", "contract"],
  compile: ["steps", "base", "contract"],
  pipeline: ["steps", "sources", "adapter", "dispatchers", "stage", "runtime", "base", "contract"],
  constructors: ["sources", "steps", "adapter", "dispatchers", "stage", "runtime", "base", "contract"],
  index: [
    "constructors",
    "pipeline",
    "steps",
    "sources",
    "adapter",
    "dispatchers",
    "stage",
    "runtime",
    "base",
    "contract",
  ],
  supervise: ["index", "adapter", "base", "contract"],
  conformance: ["index", "adapter", "base", "contract"],
};
/** Rooms that are built on the public entries: of `adapter` they import those alone. */
const builtOnEntries: readonly string[] = ["supervise"];
/** What an adapter may import of `src/`. */
const entriesOfCore = ["src/index.ts", "src/adapter/index.ts"];

/** The room of a file of `src/`. */
function roomOf(file: string): string {
  const [, room, ...rest] = file.split("/");
  if (rest.length > 0) return room as string;
  return room === "index.ts" ? "index" : "constructors";
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
  if (area === "src") {
    if (!target.startsWith("src/")) return "src/ imports nothing from outside src/";
    const [from, to] = [roomOf(file), roomOf(target)];
    if (builtOnEntries.includes(from) && to === "adapter" && !entriesOfCore.includes(target))
      return `${from} imports the public entry of ${to} only`;
    if (from === to || rooms[from]?.includes(to)) return undefined;
    return `${from} imports nothing of ${to}`;
  }
  if (target.startsWith("src/"))
    return entriesOfCore.includes(target) ? undefined : "an adapter imports the public entries of src/ only";
  if (target.startsWith(`adapters/${adapter}/`)) return undefined;
  return "an adapter imports nothing but its own files and the public entries of src/";
}

function violations(file: string, text: string): string[] {
  return specifiers(text).flatMap((name) => {
    const reason = violation(file, name);
    return reason === undefined ? [] : [`${file} imports ${name}: ${reason}`];
  });
}

/** Files that import each other in a ring, as a list of rings. */
function rings(files: readonly string[]): readonly (readonly string[])[] {
  const imports = new Map(
    files.map((file) => [
      file,
      specifiers(fs.readFileSync(path.join(root, file), "utf8"))
        .filter((name) => name.startsWith("."))
        .map((name) => path.posix.join(path.posix.dirname(file), name)),
    ]),
  );
  const reached = (from: string): Set<string> => {
    const seen = new Set<string>();
    const open = [from];
    for (let file = open.pop(); file !== undefined; file = open.pop())
      for (const next of imports.get(file) ?? [])
        if (!seen.has(next)) {
          seen.add(next);
          open.push(next);
        }
    return seen;
  };
  const reaches = new Map(files.map((file) => [file, reached(file)]));
  const found = new Map<string, string[]>();
  for (const file of files) {
    if (!reaches.get(file)?.has(file)) continue;
    const ring = files.filter((other) => reaches.get(file)?.has(other) && reaches.get(other)?.has(file));
    found.set(ring.join(" "), ring);
  }
  return [...found.values()];
}

describe("the rules of imports", () => {
  test.each([...sources("src"), ...sources("adapters")])("hold in %s", (file) => {
    expect(violations(file, fs.readFileSync(path.join(root, file), "utf8"))).toEqual([]);
  });

  test.each(sources("adapters"))("leave what is behind a stage alone in %s", (file) => {
    expect(withoutComments(fs.readFileSync(path.join(root, file), "utf8"))).not.toContain("~core");
  });

  test("leave no ring of files, but the one of the state machine", () => {
    const found = rings([...sources("src"), ...sources("adapters")]);
    expect(found).toHaveLength(1);
    expect(found.flat().filter((file) => !file.startsWith("src/stage/"))).toEqual([]);
  });

  test("name every room that there is", () => {
    expect(new Set(sources("src").map(roomOf))).toEqual(new Set(Object.keys(rooms)));
  });

  test("let every arrow between rooms fall", () => {
    const order = Object.keys(rooms);
    for (const [room, others] of Object.entries(rooms))
      for (const other of others) expect(order.indexOf(other), `${room} → ${other}`).toBeLessThan(order.indexOf(room));
  });

  test("are checked in the core and in every exported adapter", () => {
    expect(sources("src")).toContain("src/index.ts");
    expect(sources("adapters")).toEqual(expect.arrayContaining(["adapters/node/index.ts", "adapters/rxjs/index.ts"]));
  });

  test.each([
    ["src/stage/core.ts", `import { Observable } from "rxjs";`],
    ["src/stage/core.ts", `import type { Readable } from "node:stream";`],
    ["src/stage/core.ts", `import fs from 'fs';`],
    ["src/stage/core.ts", `import "node:process";`],
    ["src/stage/core.ts", `const { x } = await import("node:os");`],
    ["src/stage/core.ts", "const y = await import(`node:${name}`);"],
    ["src/stage/core.ts", `type R = import("node:stream").Readable;`],
    ["src/stage/core.ts", `import { fromReadable } from "../../adapters/node/index.ts";`],
    ["src/stage/core.ts", `import { version } from "../../package.json";`],
    ["src/stage/core.ts", `import { half } from "./demand";`],
    ["src/stage/core.ts", `import { half } from "./demand.js";`],
    ["src/steps/per-event/map.ts", `export {\n  a,\n  b,\n} from "../../../adapters/rxjs/index.ts";`],
    ["src/contract/reason.ts", `import type { Core } from "../stage/core.ts";`],
    ["src/dispatchers/demand.ts", `import type { Output } from "../stage/output.ts";`],
    ["src/stage/core.ts", `import type { Step } from "../pipeline/signatures.ts";`],
    ["src/supervise/run.ts", `import { Report } from "../stage/report.ts";`],
    ["src/supervise/run.ts", `import { sink } from "../adapter/sink.ts";`],
    ["src/index.ts", `export { supervisor } from "./supervise/index.ts";`],
    ["adapters/node/from.ts", `import type { Core } from "../../src/stage/core.ts";`],
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
    ["src/stage/core.ts", `import { half } from "./demand.ts";`],
    ["src/steps/per-event/map.ts", `export type { Step } from "../../contract/step.ts";`],
    ["src/supervise/run.ts", `import { sink } from "../adapter/index.ts";`],
    [
      "src/stage/core.ts",
      `/**\n * @example\n * import { Readable } from "node:stream";\n */\nexport const a = "from 'x'";`,
    ],
    ["src/stage/core.ts", `// import "node:fs"\nconst address = "http://x"; // see import("rxjs")`],
    ["adapters/rxjs/index.ts", `import { Observable } from "rxjs";\nimport { producer } from "../../src/index.ts";`],
    ["adapters/node/from.ts", `import type { Readable } from "node:stream";\nimport { Peer } from "./peer.ts";`],
  ])("allow %s with %s", (file, text) => {
    expect(violations(file, text)).toEqual([]);
  });
});
