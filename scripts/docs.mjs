// Writes docs/api, the reference of every entry of the package, out of the docstrings.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const root = path.dirname(import.meta.dirname);
// The generator has a folder of its own, so that docs/ holds pages only.
const generator = path.join(import.meta.dirname, "docs");
const { exports } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
const entries = Object.values(exports).flatMap((entry) => entry["@headrace/source"] ?? []);

// TypeScript 7 has no interface for programs, so that typedoc comes with a TypeScript of its own.
if (!fs.existsSync(path.join(generator, "node_modules/typedoc"))) run("npm", ["ci"]);
fs.rmSync(path.join(root, "docs/api"), { recursive: true, force: true });
run(process.execPath, ["node_modules/typedoc/bin/typedoc", ...entries.map((file) => path.join(root, file))]);

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: generator, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
