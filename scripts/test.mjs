// Every check of the project, one after the other; stops at the first that fails.
// The last line is always `N passed, N failed`. HEADRACE_COVERAGE=off leaves the coverage thresholds out.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const report = "reports/vitest.json";
const browserReport = "reports/browser.json";
const coverage = process.env.HEADRACE_COVERAGE === "off" ? "" : " --coverage";

let passed = 0;
let failed = 0;

const steps = [
  { heading: "lint and format", command: "npm run -s lint" },
  { heading: "types of the sources", command: "npm run -s check" },
  {
    heading: "tests",
    command: `npx vitest run${coverage} --reporter=default --reporter=json --outputFile.json=${report}`,
    count: countVitest,
  },
  { heading: "build", command: "npm run -s build" },
  { heading: "types of the built package", command: "npm run -s test:types", count: () => passed++ },
  { heading: "declarations", command: "npx tsc -p tsconfig.dist.json" },
  { heading: "package: exports, types, size", command: "npm run -s pack:check" },
  { heading: "the built package in a browser", command: "node scripts/test-browser.mjs --built", count: countBrowser },
];

function countVitest() {
  if (!fs.existsSync(report)) return;
  const { numPassedTests, numFailedTests } = JSON.parse(fs.readFileSync(report, "utf8"));
  passed += numPassedTests;
  failed += numFailedTests;
}

/** Nothing, if the browser was left out. */
function countBrowser() {
  if (!fs.existsSync(browserReport)) return;
  const counts = JSON.parse(fs.readFileSync(browserReport, "utf8"));
  passed += counts.passed;
  failed += counts.failed;
}

function summary() {
  console.log(`\n${passed} passed, ${failed} failed`);
}

process.chdir(path.dirname(import.meta.dirname));
fs.rmSync("reports", { recursive: true, force: true });
for (const { heading, command, count } of steps) {
  console.log(`\n== ${heading}`);
  const { status } = spawnSync(command, { shell: true, stdio: "inherit" });
  if (status === 0) {
    count?.();
    continue;
  }
  if (count === countVitest || count === countBrowser) count();
  // A step can fail without a failing test: a lint error, a file that does not load, a coverage threshold.
  failed ||= 1;
  console.log(`\n== failed: ${heading} (${command})`);
  summary();
  process.exit(1);
}
summary();
