// Packs the package, lays it out as an installed dependency in a temporary folder, and runs test/built against it on
// every Node given as an argument (none: the one that runs this). The last line is `N passed, N failed`.
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.dirname(import.meta.dirname);
const nodes = process.argv.slice(2).map((file) => path.resolve(file));
if (nodes.length === 0) nodes.push(process.execPath);

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "headrace-built-"));
let passed = 0;
let failed = 0;
try {
  layOut();
  for (const node of nodes) run(node);
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0) process.exit(1);

function layOut() {
  execFileSync("npm", ["pack", "--silent", "--pack-destination", dir], { cwd: root, stdio: ["ignore", "ignore", 2] });
  const tarball = fs.readdirSync(dir).find((name) => name.endsWith(".tgz"));
  const modules = path.join(dir, "node_modules");
  fs.mkdirSync(modules);
  execFileSync("tar", ["-xzf", path.join(dir, tarball), "-C", modules]);
  fs.renameSync(path.join(modules, "package"), path.join(modules, "headrace"));
  const { peerDependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
  for (const peer of Object.keys(peerDependencies)) {
    fs.symlinkSync(path.join(root, "node_modules", peer), path.join(modules, peer), "dir");
  }
  fs.cpSync(path.join(root, "test/built"), path.join(dir, "test/built"), { recursive: true });
}

function run(node) {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  const { stdout, stderr, status } = spawnSync(node, ["--test", "--test-reporter=tap", "test/built/*.test.mjs"], {
    cwd: dir,
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
