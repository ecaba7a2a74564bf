import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

/** What figures depend on: the machine, and the version of everything compared. */
export function machine(runs) {
  const { dependencies } = read("package.json");
  const versions = Object.keys(dependencies).map(
    (name) => `${name} ${read(`node_modules/${name}/package.json`).version}`,
  );
  return {
    machine: `${cpus()[0].model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version} (V8 ${process.versions.v8})`,
    versions: [`headrace ${read("../package.json").version}`, ...versions].join(", "),
    date: new Date().toISOString().slice(0, 10),
    runs,
  };
}
