import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

export const root = path.resolve(import.meta.dirname, "../..");

/** A piece of code that a reader may copy, and what it says it prints. */
export interface Snippet {
  /** File and line of its first line. */
  readonly at: string;
  readonly code: string;
  /** What readers have in scope without being told: imports of the package, and a few names. */
  readonly prelude: string;
  /** Line of the code, from 1, to what `console.log` prints there in all, joined by ", ". */
  readonly expected: ReadonlyMap<number, string>;
}

export interface Outcome {
  /** The compiler's messages. */
  readonly types: readonly string[];
  /** Line to what was printed there. */
  readonly printed: Readonly<Record<number, readonly string[]>>;
  /** What was thrown, rejected, or never ended. */
  readonly failures: readonly string[];
}

/** Names that docstrings use without saying where they come from. */
const common: Readonly<Record<string, string>> = {
  fs: 'import fs from "node:fs";',
  interval: 'import { interval } from "rxjs";',
  zlib: 'import zlib from "node:zlib";',
  subscription: "const subscription = consumer(() => {}).subscribe(producer(() => {}));",
};

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}
const manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as Manifest;

/** Every entry of the package by the name it is imported under, and what it exports. */
const packages: Readonly<Record<string, object>> = Object.fromEntries(
  await Promise.all(
    Object.entries(manifest.exports).flatMap(([entry, target]) => {
      if (typeof target === "string") return [];
      const source = path.join(root, target["@headrace/source"] as string);
      // An entry without a file is for the package check to find.
      if (!fs.existsSync(source)) return [];
      return [import(source).then((module: object) => [path.posix.join(manifest.name, entry), module] as const)];
    }),
  ),
);

/** What runs need to find in their folder. */
const fixtures: Readonly<Record<string, string>> = { "words.txt": "a mill and its race" };

const uses = (code: string, name: string): boolean => new RegExp(`(?<![.:/\\w"])${name}\\b(?!:)`).test(code);
const declares = (code: string, name: string): boolean =>
  new RegExp(`(?:const|let|function\\*?|class) ${name}\\b|import [^;]*\\b${name}\\b[^;]* from`).test(code);
const lacks = (code: string, name: string): boolean => uses(code, name) && !declares(code, name);

function preludeOf(code: string): string {
  const names = Object.keys(common).filter((name) => lacks(code, name));
  const own = names.map((name) => common[name]).join(" ");
  const imports = Object.entries(packages).flatMap(([from, module]) => {
    const wanted = Object.keys(module).filter((name) => lacks(`${own} ${code}`, name));
    return wanted.length > 0 ? [`import { ${wanted.join(", ")} } from "${from}";`] : [];
  });
  return [...imports, own].join(" ");
}

function snippet(file: string, line: number, code: string, complete: boolean): Snippet {
  const expected = new Map<number, string>();
  for (const [i, text] of code.split("\n").entries()) {
    const comment = /console\.log\(.*\/\/ (.*)$/.exec(text)?.[1];
    if (comment !== undefined) expected.set(i + 1, comment);
  }
  return { at: `${file}:${line}`, code, prelude: complete ? "" : preludeOf(code), expected };
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length;

/** The `ts` blocks of a page; `complete` ones import what they use. */
export function ofPage(file: string, text: string, complete: boolean): Snippet[] {
  const blocks = text.matchAll(/^```ts[^\n]*\n([^]*?)^```$/gm);
  return Array.from(blocks, (block) => snippet(file, lineAt(text, block.index) + 1, block[1] as string, complete));
}

/** The `@example`s of a source file. */
export function ofSource(file: string, text: string): Snippet[] {
  const examples = text.matchAll(/^( *) \* @example\n((?:\1 \*(?: [^@\n].*)?\n)+)/gm);
  return Array.from(examples, ({ index, 2: lines }) =>
    snippet(file, lineAt(text, index) + 1, (lines as string).replace(/^ *\* ?/gm, ""), false),
  );
}

const files = (folder: string, ending: string): string[] =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending) && !/^(?:node_modules|api)\//.test(file))
    .map((file) => path.posix.join(folder, file.split(path.sep).join("/")))
    .toSorted();
export const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8");

export const pages: readonly string[] = ["README.md", ...files("docs", ".md")];
export const sources: readonly string[] = [...files("src", ".ts"), ...files("adapters", ".ts")];

export const all = (): Snippet[] => [
  ...pages.flatMap((file) => ofPage(file, read(file), file === "README.md")),
  ...sources.flatMap((file) => ofSource(file, read(file))),
];

const nameOf = (i: number): string => `snippet-${String(i).padStart(3, "0")}.ts`;

/** Compiles all snippets at once, then runs one after the other in a process of their own. */
export function outcomes(snippets: readonly Snippet[]): Outcome[] {
  fs.mkdirSync(path.join(root, "reports"), { recursive: true });
  const folder = fs.mkdtempSync(path.join(root, "reports", "snippets-"));
  try {
    for (const [i, { prelude, code }] of snippets.entries())
      fs.writeFileSync(path.join(folder, nameOf(i)), `${prelude}\n${code}\nexport {};\n`);
    for (const [name, text] of Object.entries(fixtures)) fs.writeFileSync(path.join(folder, name), text);
    const types = compile(folder, snippets);
    const runs = execute(folder, snippets.length);
    return snippets.map((_, i) => ({
      types: types.get(nameOf(i)) ?? [],
      printed: runs[i]?.printed ?? {},
      failures: runs[i]?.failures ?? ["was not run"],
    }));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function compile(folder: string, snippets: readonly Snippet[]): Map<string, string[]> {
  const options = {
    types: ["node"],
    lib: ["es2023", "es2024.promise", "esnext.disposable", "dom"],
    noEmit: true,
    skipLibCheck: true,
    isolatedDeclarations: false,
    declaration: false,
    declarationMap: false,
    noUnusedLocals: false,
  };
  const config = { extends: "../../tsconfig.base.json", compilerOptions: options, include: ["*.ts"] };
  fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { encoding: "utf8" });
  const found = new Map<string, string[]>();
  for (const line of stdout.split("\n")) {
    const [, file, at, message] = /^(.*?)\((\d+),\d+\): (error .*)$/.exec(line) ?? [];
    if (file === undefined) continue;
    const name = path.basename(file);
    const known = found.get(name) ?? [];
    // An error elsewhere, in the options say, is everybody's.
    if (!/^snippet-\d+\.ts$/.test(name)) for (const i of snippets.keys()) found.set(nameOf(i), [line]);
    else found.set(name, [...known, `line ${Number(at) - 1}: ${message}`]);
  }
  return found;
}

function execute(folder: string, count: number): Omit<Outcome, "types">[] {
  const program = path.join(import.meta.dirname, "run-snippets.mjs");
  const names = Array.from({ length: count }, (_, i) => nameOf(i));
  const args = ["--conditions=@headrace/source", program, ...names];
  const env = { ...process.env, NODE_OPTIONS: "" };
  const { stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", timeout: 60_000, env });
  const results = path.join(folder, "results.json");
  if (!fs.existsSync(results)) throw new Error(stderr);
  return JSON.parse(fs.readFileSync(results, "utf8")) as Omit<Outcome, "types">[];
}
