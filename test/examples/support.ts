import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export const root: string = path.resolve(import.meta.dirname, "../..");
const example = path.join(root, "examples/word-count.ts");
/** The program, as the arguments of node. */
export const program: readonly string[] = ["--conditions=@headrace/source", example];

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
export interface RunOptions {
  readonly cwd?: string;
  /** Written to standard input, one write per piece. */
  readonly input?: Iterable<Uint8Array | string>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end. A child that is killed by a signal answers with the code null. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { cwd = root, input = [], env = {} } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, NODE_OPTIONS: "", ...env } });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
    // A program that ends without reading everything closes its end of the pipe.
    child.stdin.on("error", () => {});
    for (const piece of input) child.stdin.write(piece);
    child.stdin.end();
  });
}

/** Runs the word count. */
export const wordCount = (args: readonly string[] = [], options: RunOptions = {}): Promise<Outcome> =>
  run(process.execPath, [...program, ...args], options);

/** A shell command in which `word-count` stands for the program. */
export const shell = (command: string, options: RunOptions = {}): Promise<Outcome> =>
  run("sh", ["-c", `word_count() { "$NODE" ${program[0]} "$EXAMPLE" "$@"; }\n${command}`], {
    ...options,
    env: { NODE: process.execPath, EXAMPLE: example, ...options.env },
  });

/** A folder that is removed when it goes out of scope. */
export class Folder implements Disposable {
  readonly path: string = fs.mkdtempSync(path.join(os.tmpdir(), "headrace-"));
  file(name: string, content: string | Uint8Array): string {
    const file = path.join(this.path, name);
    fs.writeFileSync(file, content);
    return file;
  }
  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true, force: true });
  }
}

/** Every character that separates words, by code point. */
export const WHITE_SPACE: readonly number[] = [
  0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007,
  0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff,
];
const separators = new Set(WHITE_SPACE);

/** Counts words by a walk over the characters of the whole text. */
export function count(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  let word = "";
  for (const character of `${text} `) {
    if (!separators.has(character.codePointAt(0) as number)) word += character;
    else if (word !== "") {
      counts.set(word, (counts.get(word) ?? 0) + 1);
      word = "";
    }
  }
  return counts;
}

/** What `--json` has to say about a text, with the counts in any order. */
export function expected(text: string): unknown {
  const counts = count(text);
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
  return { words: counts.size, total, counts };
}

/** What `--json` has said. */
export function parsed(stdout: string): unknown {
  const { counts, ...rest } = JSON.parse(stdout) as { readonly counts: Readonly<Record<string, number>> };
  return { ...rest, counts: new Map(Object.entries(counts)) };
}
