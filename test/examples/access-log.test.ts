import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Folder, type Outcome, root, run } from "./support.ts";

const accessLog = (...args: readonly string[]): Promise<Outcome> =>
  run(process.execPath, ["--conditions=@headrace/source", path.join(root, "examples/access-log.ts"), ...args]);

const clientOf = (n: number): string => `10.0.${n % 7}.${n % 13}`;
const line = (n: number): string =>
  `${clientOf(n)} - - [23/Nov/2026:10:00:00 +0000] "GET /page/${n} HTTP/1.1" 200 ${n}`;
const row = (n: number): string => `${clientOf(n)}\t23/Nov/2026:10:00:00 +0000\t200\t${n}\tGET /page/${n} HTTP/1.1`;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** The rows of each file that was written. */
const written = (folder: string): string[][] =>
  [0, 1, 2, 3].map((i) =>
    fs
      .readFileSync(path.join(folder, `clients-${i}.tsv`), "utf8")
      .split("\n")
      .filter((text) => text !== ""),
  );

describe("access-log", { timeout: 60_000 }, () => {
  test("AL-1 every request is written once, those of a client into one file, in order", async () => {
    using folder = new Folder();
    const lines = numbers(20_000).map(line);
    const log = folder.file("log.gz", gzipSync(lines.join("\n")));
    const out = path.join(folder.path, "out");
    const { code, stdout, stderr } = await accessLog(log, out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const files = written(out);
    expect(files.flat().toSorted()).toEqual(numbers(20_000).map(row).toSorted());
    const clients = files.map((rows) => new Set(rows.map((text) => text.split("\t")[0])));
    expect(clients.reduce((sum, { size }) => sum + size, 0)).toBe(7 * 13);
    for (const rows of files) {
      const order = rows.map((text) => Number(text.split("\t")[3]));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
    const told = files.map((rows, i) => `${path.join(out, `clients-${i}.tsv`)}\t${rows.length} requests\n`);
    expect(stdout).toBe(`${told.join("")}0 lines skipped\n`);
  });

  test("AL-2 lines that are no requests are counted; several gzips in one file are one", async () => {
    using folder = new Folder();
    const log = folder.file(
      "log.gz",
      Buffer.concat([gzipSync(`${line(1)}\nno request\n\n`), gzipSync(`${line(2)}\n`)]),
    );
    const { code, stdout } = await accessLog(log, folder.path);
    expect([code, stdout.endsWith("\n2 lines skipped\n")]).toEqual([0, true]);
    expect(written(folder.path).flat().toSorted()).toEqual([row(1), row(2)]);
  });

  test("AL-3 what is no gzip, and no file, is one line on standard error", async () => {
    using folder = new Folder();
    const plain = await accessLog(folder.file("log", line(1)), folder.path);
    expect(plain).toEqual({ code: 1, stdout: "", stderr: "access-log: incorrect header check\n" });
    const missing = await accessLog(path.join(folder.path, "none.gz"), folder.path);
    expect([missing.code, missing.stderr.startsWith("access-log: ENOENT")]).toEqual([1, true]);
    const nothing = await accessLog();
    expect(nothing).toEqual({ code: 1, stdout: "", stderr: "access-log: expected LOG.gz [DIRECTORY]\n" });
  });
});
