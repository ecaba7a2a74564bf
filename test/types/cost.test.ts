import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

/** Type instantiations that the compiler counts for a program of one file; the same in every run. */
function instantiations(file: string): number {
  const flags = [
    "--ignoreConfig",
    "--noEmit",
    "--singleThreaded",
    "--extendedDiagnostics",
    "--strict",
    "--skipLibCheck",
  ];
  const target = ["--module", "nodenext", "--target", "es2023", "--lib", "es2024,esnext.disposable,dom", "--types", ""];
  const own = ["--customConditions", "@headrace/source", "--allowImportingTsExtensions"];
  const { stdout } = spawnSync("tsc", [...flags, ...target, ...own, path.join("test/types/cost", file)], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, PATH: `${path.join(root, "node_modules/.bin")}${path.delimiter}${process.env["PATH"]}` },
  });
  expect(stdout).not.toMatch(/error TS/);
  const count = /^Instantiations:\s+(\d+)/m.exec(stdout)?.[1];
  if (count === undefined) throw new Error(`no count in ${stdout}`);
  return Number(count);
}

/** Instantiations that a pipeline of 16 steps may cost above a program that imports the package. */
const BUDGET = 2000;

test(`a pipeline of 16 steps costs the compiler at most ${BUDGET} instantiations`, () => {
  const cost = instantiations("sixteen.ts") - instantiations("empty.ts");
  expect(cost).toBeLessThanOrEqual(BUDGET);
  // A pipeline that is not checked at all would cost nothing.
  expect(cost).toBeGreaterThan(BUDGET / 4);
});
