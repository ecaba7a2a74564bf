import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

export const title = "a bundle of one pipeline of three steps, minified by esbuild";
export const cases = { "a pipeline of three steps": {} };
export const columns = ["brotli", "minified"];
export const mostRuns = 1;
export const plot = "brotli";
export const polluted = false;
export const targets = [];

export async function measure([imports, first]) {
  const { outputFiles } = await build({
    stdin: { contents: `${imports}\n${first}`, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["node:*"],
    logLevel: "silent",
  });
  const [{ contents }] = outputFiles;
  return { minified: contents.length, brotli: brotliCompressSync(contents).length };
}
