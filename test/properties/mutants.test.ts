import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

test("the random graphs notice each mutant of the core", { timeout: 600_000 }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/mutants.mjs"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const lines = stdout.trim().split("\n");
  expect(stderr).toBe("");
  expect(lines.filter((line) => !line.startsWith("killed "))).toEqual([
    `${lines.length - 1} of ${lines.length - 1} mutants killed`,
  ]);
  // The last line is the sum.
  expect(lines.length).toBeGreaterThan(40);
  expect(status).toBe(0);
});
