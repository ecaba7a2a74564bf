// Builds the package, installs what the benchmarks compare it with, and runs them with the arguments given.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

process.chdir(path.dirname(import.meta.dirname));
run("npm run -s build");
if (!installed("bench")) run("npm ci", { cwd: "bench" });
// What is measured is the built package, by its public name.
if (!fs.existsSync("bench/node_modules/headrace")) fs.symlinkSync("../..", "bench/node_modules/headrace", "junction");
process.exitCode =
  spawnSync(process.execPath, ["bench/main.mjs", ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1;

/** Whether what its lock names was installed after the lock was last changed. */
function installed(folder) {
  const [lock, done] = ["package-lock.json", "node_modules/.package-lock.json"].map((name) =>
    fs.statSync(path.join(folder, name), { throwIfNoEntry: false }),
  );
  return done !== undefined && done.mtimeMs >= lock.mtimeMs;
}

function run(command, options) {
  const { status } = spawnSync(command, { shell: true, stdio: ["ignore", 2, 2], ...options });
  if (status !== 0) process.exit(status ?? 1);
}
