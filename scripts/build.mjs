// Builds dist/: the compiler makes modules and their types, and the modules of an entry become one file. An import of a
// hundred small files takes four times as long.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";

/** Files that several entries share, by the rooms that they hold. Each other module goes where it is used. */
const SHARED = {
  core: /\/dist\/src\/(base|contract|runtime|stage|dispatchers)\//,
  adapter: /\/dist\/src\/adapter\//,
  pipeline: /\/dist\/src\/((steps|pipeline|sources)\/|[^/]+$)/,
};

const root = path.dirname(import.meta.dirname);
const dist = path.join(root, "dist");
process.chdir(root);
fs.rmSync(dist, { recursive: true, force: true });
const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
if (status !== 0) process.exit(1);

const { exports } = JSON.parse(fs.readFileSync("package.json", "utf8"));
const entries = Object.values(exports).flatMap((entry) => entry.default ?? []);
const nameOf = (file) => path.relative("dist", file).replace(/\.js$/, "");

const bundle = await rolldown({
  input: Object.fromEntries(entries.map((file) => [nameOf(file), path.resolve(file)])),
  platform: "neutral",
  external: (id) => !id.startsWith(".") && !path.isAbsolute(id),
  treeshake: { moduleSideEffects: false },
  optimization: { inlineConst: true },
  plugins: [{ name: "maps of the compiler", load: (id) => ({ code: read(id), map: read(`${id}.map`) }) }],
});
const read = (file) => fs.readFileSync(file, "utf8");
const { output } = await bundle.generate({
  format: "esm",
  sourcemap: true,
  entryFileNames: "[name].js",
  chunkFileNames: "shared/[name].js",
  comments: { legal: false, annotation: true, jsdoc: false },
  codeSplitting: { groups: Object.entries(SHARED).map(([name, test]) => ({ name, test })) },
});
await bundle.close();

for (const file of fs.readdirSync(dist, { recursive: true, encoding: "utf8" }))
  if (/\.js(\.map)?$/.test(file)) fs.rmSync(path.join(dist, file));
for (const { fileName, code, source } of output) {
  const file = path.join(dist, fileName);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, code ?? source);
}
