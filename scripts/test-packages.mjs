// Runs test/packages, streams of other makes, from the sources, on every Node given as an argument (none: the one that runs
// this). What they need is installed first. The last line is `N passed, N failed`.
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const root = path.dirname(import.meta.dirname);
const folder = path.join(root, "test/packages");
const nodes = process.argv.slice(2).map((file) => path.resolve(file));
if (nodes.length === 0) nodes.push(process.execPath);

let passed = 0;
let failed = 0;
if (!fs.existsSync(path.join(folder, "node_modules"))) {
  const { status } = spawnSync("npm ci", { shell: true, cwd: folder, stdio: ["ignore", 2, 2] });
  if (status !== 0) failed += 1;
}
if (failed === 0) for (const node of nodes) run(node);
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0) process.exit(1);

function run(node) {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  const options = ["--disable-warning=ExperimentalWarning", "--test", "--test-reporter=tap", "--test-timeout=60000"];
  const { stdout, stderr, status } = spawnSync(node, [...options, "*.test.mjs"], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    // Set by a `node --test` or by npm around this one; a child that sees them reports to its parent instead.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: "" },
  });
  const pass = Number(/^# pass (\d+)$/m.exec(stdout)?.[1] ?? 0);
  const fail = Number(/^# fail (\d+)$/m.exec(stdout)?.[1] ?? 0);
  console.log(`${version}: ${pass} passed, ${fail} failed`);
  passed += pass;
  failed += fail;
  if (status === 0 && pass > 0) return;
  console.log(stdout, stderr);
  if (pass + fail === 0) console.log(`${version}: no test ran`);
  if (fail === 0) failed += 1;
}
