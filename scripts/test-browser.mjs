// Runs test/browser in Chromium, on the built package. The last line is `N passed, N failed`.
//
//   --built   do not build before
//   --find    only say where Chromium is; ends with 1 if there is none
//
// CHROMIUM_PATH names another Chromium or Chrome. Where there is none the test is left out, which is no failure unless
// HEADRACE_BROWSER=required.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const FOLDERS = ["/usr/bin", "/usr/local/bin", "/snap/bin", ...(process.env.PATH ?? "").split(path.delimiter)];
const report = "reports/browser.json";
const options = process.argv.slice(2);

process.chdir(path.dirname(import.meta.dirname));
fs.rmSync(report, { force: true });
const chromium = find();
if (options.includes("--find")) {
  console.log(chromium ?? "no Chromium");
  process.exit(chromium ? 0 : 1);
}
if (chromium === undefined) leaveOut(`no Chromium (${NAMES.join(", ")}, or CHROMIUM_PATH)`);
if (!fs.existsSync("test/browser/node_modules/playwright-core") && !succeeds("npm ci", { cwd: "test/browser" }))
  leaveOut("what drives it could not be installed (npm ci in test/browser)");
if (!options.includes("--built") && !succeeds("npm run -s build")) process.exit(1);
run();

function find() {
  const { CHROMIUM_PATH } = process.env;
  if (CHROMIUM_PATH) return executable(CHROMIUM_PATH) ? CHROMIUM_PATH : undefined;
  const files = FOLDERS.filter(Boolean).flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  return files.find((file) => executable(file));
}

function executable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

function succeeds(command, settings) {
  return spawnSync(command, { shell: true, stdio: ["ignore", 2, 2], ...settings }).status === 0;
}

function leaveOut(why) {
  const required = process.env.HEADRACE_BROWSER === "required";
  console.log(`${required ? "cannot run" : "left out:"} the browser test: ${why}`);
  console.log(`\n0 passed, ${required ? 1 : 0} failed`);
  process.exit(required ? 1 : 0);
}

function run() {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--test", "--test-reporter=tap", "test/browser/*.test.mjs"],
    {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      // Set by a `node --test` around this one; a child that sees it reports to its parent instead.
      env: { ...process.env, CHROMIUM_PATH: chromium, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: "" },
    },
  );
  const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1] ?? 0);
  let failed = Number(/^# fail (\d+)$/m.exec(stdout)?.[1] ?? 0);
  const well = status === 0 && passed > 0;
  if (!well) {
    console.log(stdout, stderr);
    if (passed + failed === 0) console.log("no test ran");
    failed ||= 1;
  }
  fs.mkdirSync(path.dirname(report), { recursive: true });
  fs.writeFileSync(report, JSON.stringify({ passed, failed }));
  console.log(`${chromium}\n\n${passed} passed, ${failed} failed`);
  process.exitCode = well ? 0 : 1;
}
