// Programs given as text, run by the runtime that runs the tests: Node, Bun or Deno.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const folder = import.meta.dirname;
const globals = ["process", "buffer", "timers"].map((name) => `import "node:${name}";`).join("\n");
let count = 0;

/** The arguments for a program, and flags of Node's. */
function argumentsFor(program, flags) {
  if (globalThis.Deno === undefined) return [...flags, "--input-type=module", "--eval", program];
  // It runs modules from files only, does not know Node's globals there, and is strict with rejections anyway.
  count += 1;
  const file = path.join(folder, `program-${process.pid}-${count}.mjs`);
  fs.writeFileSync(file, `${globals}\n${program}`);
  const gc = flags.includes("--expose-gc") ? ["--v8-flags=--expose-gc"] : [];
  return ["run", "--allow-all", "--no-lock", "--quiet", ...gc, file];
}

/** Runs a program in this folder, so that it finds the package. A minute is for what never ends. */
export function run(program, flags = []) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argumentsFor(program, flags), {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
export const well = (stdout) => ({ code: 0, signal: null, stdout, stderr: "" });
