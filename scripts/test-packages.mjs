// Runs test/packages, streams and observables of other makes, from the sources, on every Node given as an argument (none: the
// one that runs this). The packages are installed first. The last line is `N passed, N failed`.
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const root = path.dirname(import.meta.dirname);
const folders = ["test/packages", "test/packages/observables"].map((folder) => path.join(root, folder));
const nodes = process.argv.slice(2).map((file) => path.resolve(file));
if (nodes.length === 0) nodes.push(process.execPath);

let passed = 0;
let failed = 0;
for (const folder of folders)
  if (!fs.existsSync(path.join(folder, "node_modules"))) {
    const { status } = spawnSync("npm ci", { shell: true, cwd: folder, stdio: ["ignore", 2, 2] });
    if (status !== 0) failed += 1;
  }
if (failed === 0) for (const node of nodes) for (const folder of folders) run(node, folder);
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0) process.exit(1);

function run(node, folder) {
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
  console.log(`${version}, ${path.relative(root, folder)}: ${pass} passed, ${fail} failed`);
  passed += pass;
  failed += fail;
  if (status === 0 && pass > 0) return;
  console.log(stdout, stderr);
  if (pass + fail === 0) console.log(`${version}: no test ran`);
  if (fail === 0) failed += 1;
}
