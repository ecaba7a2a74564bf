import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Folder, type Outcome, root, run } from "./support.ts";

const program = ["--conditions=@headrace/source", path.join(root, "examples/log-ingest/main.ts")];

/** Lines from a number on, of which every hundredth is broken. */
const lines = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => from + i)
    .map((n) => (n % 100 === 7 ? `broken ${n}\n` : `${JSON.stringify({ user: `user-${n % 13}`, bytes: n })}\n`))
    .join("");

/** What the program has to print for lines 1 to `count`, each counted once. */
function totals(count: number): string {
  const all = new Map<string, { requests: number; bytes: number }>();
  for (let n = 1; n <= count; n += 1) {
    if (n % 100 === 7) continue;
    const user = `user-${n % 13}`;
    const { requests, bytes } = all.get(user) ?? { requests: 0, bytes: 0 };
    all.set(user, { requests: requests + 1, bytes: bytes + n });
  }
  return Array.from(all.entries())
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([user, { requests, bytes }]) => `${user}\t${requests}\t${bytes}\n`)
    .join("");
}
const broken = (stderr: string): number => stderr.split("\n").filter((line) => line.includes("\tbroken ")).length;

/** Lines that have been written so far; none before the file is there. */
function written(database: string): number {
  try {
    using db = new DatabaseSync(database, { readOnly: true });
    return (db.prepare("select sum(requests) as n from totals").get()?.["n"] ?? 0) as number;
  } catch {
    return 0;
  }
}
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(1);
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
}

describe.each([
  ["headrace", []],
  ["plain", ["--plain"]],
] as const)("log-ingest, %s", { timeout: 60_000 }, (_, flags) => {
  const whole = (folder: string, database: string): Promise<Outcome> =>
    run(process.execPath, [...program, folder, database, "--once", ...flags]);
  function started(...args: readonly string[]): Running {
    const child = spawn(process.execPath, [...program, ...args, ...flags], {
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += String(chunk)));
    child.stderr.on("data", (chunk: Buffer) => (stderr += String(chunk)));
    return { child, ended: once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr })) };
  }

  test("LI-1 compressed, rotated and growing files: each line once, what is no entry with its place", async () => {
    using folder = new Folder();
    const logs = path.join(folder.path, "logs");
    fs.mkdirSync(logs);
    fs.writeFileSync(path.join(logs, "app.ndjson.2.gz"), gzipSync(lines(1, 1000)));
    fs.writeFileSync(path.join(logs, "app.ndjson.1"), lines(1001, 1000));
    // The last line is not complete: it is left for later.
    fs.writeFileSync(path.join(logs, "app.ndjson"), `${lines(2001, 1000)}{"user":"user-1","by`);
    fs.writeFileSync(path.join(logs, "notes.txt"), "no log");
    const database = path.join(folder.path, "db");
    const { code, stdout, stderr } = await whole(logs, database);
    expect([code, stdout, broken(stderr)]).toEqual([0, totals(3000), 30]);
    expect(stderr).toContain("app.ndjson.1:7\tbroken 1007\n");
    // Once more changes nothing; a line that was completed is read.
    fs.appendFileSync(path.join(logs, "app.ndjson"), `tes":5}\n`);
    const again = await whole(logs, database);
    const other = totals(3000).replace(/^user-1\t(\d+)\t(\d+)/m, (_all, requests: string, bytes: string) =>
      ["user-1", Number(requests) + 1, Number(bytes) + 5].join("\t"),
    );
    expect([again.code, again.stdout]).toEqual([0, other]);
  });

  test("LI-2 files that grow, are renamed and compressed while it runs; a SIGTERM ends it in good order", async () => {
    using folder = new Folder();
    const logs = path.join(folder.path, "logs");
    fs.mkdirSync(logs);
    const file = (name: string): string => path.join(logs, name);
    const database = path.join(folder.path, "db");
    fs.writeFileSync(file("app.ndjson"), lines(1, 500));
    const { child, ended } = started(logs, database);
    await until(() => written(database) >= 495);
    fs.appendFileSync(file("app.ndjson"), lines(501, 500));
    fs.renameSync(file("app.ndjson"), file("app.ndjson.1"));
    fs.writeFileSync(file("app.ndjson"), lines(1001, 500));
    await until(() => written(database) >= 1485);
    fs.writeFileSync(file("app.ndjson.1.gz"), gzipSync(fs.readFileSync(file("app.ndjson.1"))));
    fs.rmSync(file("app.ndjson.1"));
    fs.appendFileSync(file("app.ndjson"), lines(1501, 500));
    await until(() => written(database) >= 1980);
    child.kill("SIGTERM");
    const { code, stdout, stderr } = await ended;
    expect([code, stdout, broken(stderr)]).toEqual([0, totals(2000), 20]);
  });

  test("LI-3 killed at any moment, it goes on, and each line counts once", async () => {
    using folder = new Folder();
    const logs = path.join(folder.path, "logs");
    fs.mkdirSync(logs);
    fs.writeFileSync(path.join(logs, "app.ndjson.1.gz"), gzipSync(lines(1, 20_000)));
    fs.writeFileSync(path.join(logs, "app.ndjson"), lines(20_001, 20_000));
    const database = path.join(folder.path, "db");
    for (const reached of [1, 5000, 15_000, 25_000]) {
      const { child, ended } = started(logs, database);
      await until(() => child.exitCode !== null || written(database) >= reached);
      child.kill("SIGKILL");
      await ended;
    }
    const { code, stdout, stderr } = await whole(logs, database);
    expect([code, stdout, broken(stderr)]).toEqual([0, totals(40_000), 400]);
  });

  test("LI-4 a file that is cut off fails it; what was whole is written, and mended it is read", async () => {
    using folder = new Folder();
    const logs = path.join(folder.path, "logs");
    fs.mkdirSync(logs);
    const packed = gzipSync(lines(1, 5000));
    fs.writeFileSync(path.join(logs, "app.ndjson.1.gz"), packed.subarray(0, packed.length - 100));
    const database = path.join(folder.path, "db");
    const cut = await whole(logs, database);
    expect([cut.code, cut.stderr.includes("unexpected end of file")]).toEqual([1, true]);
    fs.writeFileSync(path.join(logs, "app.ndjson.1.gz"), packed);
    const mended = await whole(logs, database);
    expect([mended.code, mended.stdout]).toEqual([0, totals(5000)]);
  });
});
