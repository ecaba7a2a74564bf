// Packs the package, lays it out as an installed dependency in a temporary folder, and runs test/built against it on
// every Node, Bun or Deno given as an argument (none: the Node that runs this). The last line is `N passed, N failed`.
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.dirname(import.meta.dirname);
const files = process.argv.slice(2).map((file) => path.resolve(file));
if (files.length === 0) files.push(process.execPath);

/** How a runtime is told to run the tests, and how its report counts them. Deno's count is that of the steps of its suites. */
const runtimes = {
  node: {
    args: ["--test", "--test-reporter=tap", "test/built/*.test.mjs"],
    passed: /^# pass (\d+)$/m,
    failed: /^# fail (\d+)$/m,
  },
  bun: { args: ["test", "--timeout", "120000", "./test/built"], passed: /^ *(\d+) pass$/m, failed: /^ *(\d+) fail$/m },
  deno: {
    args: ["test", "--allow-all", "--no-check", "--no-lock", "test/built/"],
    passed: /\| \d+ passed \((\d+) steps\)/,
    failed: /\| (\d+) failed/,
  },
};

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "headrace-built-"));
let passed = 0;
let failed = 0;
try {
  layOut();
  for (const file of files) run(file);
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
  // Deno takes packages from the folder of a project.
  fs.writeFileSync(path.join(dir, "package.json"), "{}");
  fs.cpSync(path.join(root, "test/built"), path.join(dir, "test/built"), { recursive: true });
}

function run(file) {
  const { args, ...counts } = runtimes[path.basename(file)] ?? runtimes.node;
  const version = execFileSync(file, ["--version"], { encoding: "utf8" }).split("\n")[0].replace(/ \(.*/, "").trim();
  const { stdout, stderr, status } = spawnSync(file, args, {
    cwd: dir,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    // Set by a `node --test` or by npm around this one; a child that sees them reports to its parent instead.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: "", NO_COLOR: "1" },
  });
  const report = `${stdout}\n${stderr}`;
  const pass = Number(counts.passed.exec(report)?.[1] ?? 0);
  const fail = Number(counts.failed.exec(report)?.[1] ?? 0);
  const name = file.endsWith("bun") ? `bun ${version}` : version;
  console.log(`${name}: ${pass} passed, ${fail} failed`);
  passed += pass;
  failed += fail;
  if (status === 0 && pass > 0) return;
  console.log(stdout, stderr);
  if (pass + fail === 0) console.log(`${name}: no test ran`);
  if (fail === 0) failed += 1;
}
