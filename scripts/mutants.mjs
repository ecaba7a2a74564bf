// Breaks the core on purpose, one marked line at a time, and shows that the tests notice. npm run mutants [-- RUNS [MARK…]]
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { mutants } from "./mutant-table.mjs";

const [runs = "3000", ...wanted] = process.argv.slice(2);
const base = process.cwd();

/** The files of the sources that have marks, and where each mark stands. */
function marks() {
  const found = new Map();
  for (const entry of readdirSync(join(base, "src"), { recursive: true, encoding: "utf8" })) {
    if (!entry.endsWith(".ts")) continue;
    const lines = readFileSync(join(base, "src", entry), "utf8").split("\n");
    for (const [index, line] of lines.entries()) {
      const [, code, mark] = /^(.*?)\/\/ (M\d+)$/.exec(line) ?? [];
      if (mark === undefined) continue;
      if (found.has(mark)) throw new Error(`${mark} stands twice`);
      // Behind its line, or on a line of its own before it.
      found.set(mark, { file: join("src", entry), index: code.trim() === "" ? index + 1 : index });
    }
  }
  return found;
}

function run(command, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, CI: "true" } });
    let out = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (out += chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, out });
    });
  });
}

const isOurs = (source) => basename(source) !== "node_modules";

/** Whether the tests notice the mutant, and how. */
async function judge({ mark, line, tests }, { file, index }) {
  const dir = mkdtempSync(join(tmpdir(), "headrace-mutant-"));
  try {
    for (const part of ["src", "test", "package.json", "vitest.config.ts"])
      cpSync(join(base, part), join(dir, part), { recursive: true, filter: isOurs });
    symlinkSync(join(base, "node_modules"), join(dir, "node_modules"));
    const lines = readFileSync(join(dir, file), "utf8").split("\n");
    lines[index] = line;
    writeFileSync(join(dir, file), lines.join("\n"));
    const graphs = ["--conditions=@headrace/source", "test/properties/run.ts", runs];
    const cases = [join(base, "node_modules/vitest/vitest.mjs"), "run", "--bail=1", "--coverage.enabled=false"];
    const args = tests ? [...cases, ...tests, "--testTimeout=3000"] : graphs;
    const { status, signal, out } = await run(process.execPath, args, dir);
    // A file that does not load is no test that notices.
    if (/Transform failed|SyntaxError|No test files/.test(out)) throw new Error(`${mark}: ${out.slice(0, 400)}`);
    return { killed: status !== 0, how: signal ? "hung" : `exit ${status}` };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const places = marks();
const unknown = [...places.keys()].filter((mark) => !mutants.some((mutant) => mutant.mark === mark));
if (unknown.length > 0) throw new Error(`marks without a mutant: ${unknown.join(", ")}`);
const queue = mutants.filter(({ mark }) => wanted.length === 0 || wanted.includes(mark));
const { length } = queue;
let survived = 0;

async function work() {
  for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
    const place = places.get(mutant.mark);
    if (!place) throw new Error(`no line is marked ${mutant.mark}`);
    const { killed, how } = await judge(mutant, place);
    if (!killed) survived += 1;
    console.log(`${killed ? "killed  " : "SURVIVED"}  ${mutant.mark} ${mutant.belief} (${how})`);
  }
}
await Promise.all([work(), work()]);
console.log(`${length - survived} of ${length} mutants killed`);
process.exitCode = survived > 0 ? 1 : 0;
