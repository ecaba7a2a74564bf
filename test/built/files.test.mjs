// The files of the package: each one that is read takes time at the start of a program.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = path.dirname(fileURLToPath(import.meta.resolve("headrace/package.json")));
const { exports } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
const entries = Object.entries(exports).flatMap(([name, { default: file }]) => (file ? [[name, file]] : []));

/** An entry and all that it imports of the package. */
function filesOf(entry) {
  const files = new Set([path.join(root, entry)]);
  for (const file of files)
    for (const [, to] of fs.readFileSync(file, "utf8").matchAll(/^(?:import|export)[^;]* from "(\.[^"]+)";$/gm))
      files.add(path.resolve(path.dirname(file), to));
  return files;
}

describe("files", () => {
  test("B-100 a map of each file leads to sources in the package", () => {
    const all = entries.flatMap(([, file]) => Array.from(filesOf(file)));
    assert.ok(all.length > entries.length);
    for (const file of all) {
      const code = fs.readFileSync(file, "utf8");
      // One that only passes names on has nothing to map.
      if (/^((import|export) .*;\s*)+$/.test(code)) continue;
      assert.match(code, /\n\/\/# sourceMappingURL=\S+\s*$/);
      const { sources } = JSON.parse(fs.readFileSync(`${file}.map`, "utf8"));
      for (const source of sources) assert.ok(fs.existsSync(path.resolve(path.dirname(file), source)), source);
    }
  });

  for (const [name, file] of entries)
    test(`B-101 ${name} is at most four files`, () => {
      const { size } = filesOf(file);
      assert.ok(size >= 2 && size <= 4, `${size} files`);
    });
});
