import { execFileSync } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../../..");

/** Imports a module in a process of its own, whose input is a pipe: what was opened by that, and which of its own streams. */
function opened(specifier: string): unknown {
  const code = `
    const asked = [];
    for (const name of ["stdin", "stdout", "stderr"]) {
      const own = Object.getOwnPropertyDescriptor(process, name);
      Object.defineProperty(process, name, { ...own, get() { asked.push(name); return own.get.call(process); } });
    }
    const before = process.getActiveResourcesInfo();
    await import(${JSON.stringify(specifier)});
    const told = JSON.stringify({ asked, resources: process.getActiveResourcesInfo().slice(before.length) });
    console.log(told);`;
  const options = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", code];
  return JSON.parse(execFileSync(process.execPath, options, { input: "", encoding: "utf8" }));
}

const adapters = ["events", "node", "reactive-streams", "rxjs", "web"].map((name) => `adapters/${name}/index.ts`);
const entries = [
  "src/index.ts",
  "src/adapter/index.ts",
  "src/conformance/index.ts",
  "src/supervise/index.ts",
  ...adapters,
];

describe("importing", () => {
  test.each(entries)("F-36 %s opens nothing", (file) => {
    expect(opened(path.join(root, file))).toEqual({ asked: [], resources: [] });
  });

  test("F-36 the module node:process does, which is why no entry imports it", () => {
    expect(opened("node:process")).toMatchObject({ asked: expect.arrayContaining(["stdin"]) });
  });
});
