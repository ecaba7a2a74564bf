// Builds the package, installs what the benchmarks compare it with, and runs them with the arguments given.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

process.chdir(path.dirname(import.meta.dirname));
run("npm run -s build");
if (!fs.existsSync("bench/node_modules")) run("npm ci", { cwd: "bench" });
// What is measured is the built package, by its public name.
if (!fs.existsSync("bench/node_modules/headrace")) fs.symlinkSync("../..", "bench/node_modules/headrace", "junction");
process.exitCode =
  spawnSync(process.execPath, ["bench/main.mjs", ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1;

function run(command, options) {
  const { status } = spawnSync(command, { shell: true, stdio: ["ignore", 2, 2], ...options });
  if (status !== 0) process.exit(status ?? 1);
}
