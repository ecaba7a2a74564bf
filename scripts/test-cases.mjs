// Runs the adapters' cases from the sources, test/adapters and test/conformance, on every Node given as an argument (none:
// the one that runs this). The last line is `N passed, N failed`.
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.dirname(import.meta.dirname);
const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
const folders = ["test/adapters/", "test/conformance/"];
const nodes = process.argv.slice(2).map((file) => path.resolve(file));
if (nodes.length === 0) nodes.push(process.execPath);

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "headrace-cases-"));
let passed = 0;
let failed = 0;
try {
  for (const node of nodes) run(node);
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0) process.exit(1);

function run(node) {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  const report = path.join(dir, `${version}.json`);
  const options = ["--coverage.enabled=false", "--reporter=json", `--outputFile.json=${report}`];
  const started = performance.now();
  const { stdout, stderr, status } = spawnSync(node, [vitest, "run", ...folders, ...options], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    // What a test starts by the name `node` is this one.
    env: { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`, NODE_OPTIONS: "" },
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  const { numPassedTests, numFailedTests, testResults } = fs.existsSync(report)
    ? JSON.parse(fs.readFileSync(report, "utf8"))
    : { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  console.log(`${version}: ${numPassedTests} passed, ${numFailedTests} failed (${seconds} s)`);
  passed += numPassedTests;
  failed += numFailedTests;
  if (status === 0 && numPassedTests > 0) return;
  for (const { name, message, assertionResults } of testResults) {
    if (message) console.log(`${name}: ${message}`);
    for (const test of assertionResults)
      if (test.status === "failed") console.log(`${name}: ${test.fullName}\n${test.failureMessages.join("\n")}\n`);
  }
  console.log(stdout, stderr);
  if (numPassedTests + numFailedTests === 0) console.log(`${version}: no test ran`);
  // A file that does not load, or an error outside the tests.
  if (numFailedTests === 0) failed += 1;
}
