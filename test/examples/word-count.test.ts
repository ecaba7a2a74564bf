import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { count, expected, Folder, parsed, root, run, shell, WHITE_SPACE, wordCount } from "./support.ts";

const CHUNK = 64 * 1024;

/** The program counts a file as the walk over its text does. */
async function checkCount(content: string | Uint8Array): Promise<void> {
  using folder = new Folder();
  const { code, stdout, stderr } = await wordCount([folder.file("text", content), "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(parsed(stdout)).toEqual(expected(Buffer.from(content).toString("utf8")));
}

/** One line on standard error says what is wrong, and that is all. */
async function checkRefused(args: readonly string[], message: string): Promise<void> {
  expect(await wordCount(args)).toEqual({ code: 1, stdout: "", stderr: `word-count: ${message}\n` });
}

/** A text in which chunk after chunk ends with the first two of three pieces, and the third begins the next one. */
function chunks(cuts: readonly (readonly (string | Uint8Array)[])[]): Buffer {
  const parts: Uint8Array[] = [];
  let rest = 0;
  for (const cut of cuts) {
    const [before, end, next] = cut.map((piece) => Buffer.from(piece as string)) as [Buffer, Buffer, Buffer];
    parts.push(Buffer.alloc(CHUNK - rest - before.length - end.length, "a "), before, end, next);
    rest = next.length;
  }
  return Buffer.concat(parts);
}

/** Numbers from 0 to below `n`, the same ones in every run. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

describe("counts", { timeout: 60_000 }, () => {
  test("WC-1 the walk over the text that everything is compared with", () => {
    expect(count(" a b\ta\n")).toEqual(
      new Map([
        ["a", 2],
        ["b", 1],
      ]),
    );
    expect(WHITE_SPACE.map((code) => String.fromCodePoint(code)).every((space) => /^\s$/u.test(space))).toBe(true);
    const spaces = Array.from({ length: 0x110000 }, (_, code) => code).filter((code) =>
      /\s/u.test(String.fromCodePoint(code)),
    );
    expect(spaces).toEqual(WHITE_SPACE);
  });

  test("WC-2 the bundled text", async () => {
    const { code, stdout, stderr } = await wordCount(["--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const text = fs.readFileSync(path.join(root, "examples/data/mill.txt"), "utf8");
    expect(parsed(stdout)).toEqual(expected(text));
    expect(parsed(stdout)).toMatchObject({ words: 197, total: 439 });
  });

  test("WC-3 every kind of Unicode white space separates, alone and in runs", async () => {
    const spaces = WHITE_SPACE.map((code) => String.fromCodePoint(code));
    await checkCount(spaces.map((space, i) => `left${i}${space}right${space}${space}${i}`).join("") + spaces.join(""));
  });

  test("WC-4 what only looks like white space belongs to the word", async () => {
    // Zero width space, Mongolian vowel separator, next line, word joiner, braille blank.
    await checkCount("a\u200bb c\u180ed e\u0085f g\u2060h i\u2800j");
  });

  test("WC-5 a byte order mark at the start is white space", async () => {
    using folder = new Folder();
    const { stdout } = await wordCount([folder.file("text", "\ufeffword word"), "--json"]);
    expect(JSON.parse(stdout)).toEqual({ words: 1, total: 2, counts: { word: 2 } });
  });

  test("WC-6 a word is one word across the boundary of two chunks", async () => {
    // The end of the n-th chunk falls after n characters of "boundary", from none to all.
    await checkCount(
      chunks(Array.from({ length: 9 }, (_, cut) => [" ", "boundary".slice(0, cut), "boundary".slice(cut)])),
    );
    await checkCount(
      chunks([
        ["", "x ", "y"],
        ["", " x", " y"],
        ["", "\u3000", "z"],
      ]),
    );
  });

  test("WC-7 a character of several bytes is one across the boundary of two chunks", async () => {
    const cuts = ["é", "水", "🌊", "\u2028", "\u3000"].flatMap((character) => {
      const bytes = Buffer.from(character);
      return Array.from({ length: bytes.length - 1 }, (_, at) => [
        " xy",
        bytes.subarray(0, at + 1),
        Buffer.concat([bytes.subarray(at + 1), Buffer.from(`z ${character} `)]),
      ]);
    });
    expect(cuts.length).toBe(10);
    await checkCount(chunks(cuts));
  });

  test("WC-8 a word of 300 000 characters is one word", async () => {
    await checkCount(`short ${"水é".repeat(150_000)} short`);
    await checkCount("w".repeat(300_000));
  });

  test("WC-9 bad bytes become U+FFFD, wherever they are", async () => {
    const bad = [[0xff], [0xc3], [0xe6, 0xb0], [0xf0, 0x9f, 0x8c], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0x80, 0x80]];
    const bytes = bad.flatMap((sequence) => [0x61, ...sequence, 0x62, 0x20, ...sequence, 0x20]);
    await checkCount(Uint8Array.from(bytes));
    // A character that the end of the file, or of a chunk, cuts off.
    await checkCount(Buffer.concat([Buffer.from("end "), Buffer.from([0xe6, 0xb0])]));
    await checkCount(Buffer.concat([Buffer.alloc(CHUNK - 1, "a "), Buffer.from([0xf0]), Buffer.from(" b")]));
  });

  test("WC-10 nothing, and nothing but white space, are no words", async () => {
    await checkCount("");
    await checkCount(" \n\t\u3000".repeat(CHUNK));
  });

  test("WC-11 names of Object's own and numbers are words like any other", async () => {
    const words = [
      "__proto__",
      "constructor",
      "toString",
      "hasOwnProperty",
      "valueOf",
      "length",
      "10",
      "9",
      "-1",
      "1e3",
    ];
    await checkCount(words.flatMap((word, i) => Array.from({ length: i + 1 }, () => word)).join(" "));
  });

  test("WC-12 quotes, control characters and backslashes come through JSON", async () => {
    await checkCount('" \\ "a\\nb" \u0000 \u001b[31m </script> \u007f');
  });

  test("WC-13 words of one case, or of other code points, are not the same word", async () => {
    await checkCount("Mill mill MILL caf\u00e9 cafe\u0301 ß ss");
  });

  test("WC-14 random texts, with bad bytes among them", async () => {
    const next = random(1);
    const pieces = ["a", "bc", "水", "🌊", "é", " ", "\n", "\u3000", "\u2028", "\u00a0"].map((s) => Buffer.from(s));
    pieces.push(Buffer.from([0xff]), Buffer.from([0xe6]), Buffer.from([0xf0, 0x9f]));
    await checkCount(Buffer.concat(Array.from({ length: 200_000 }, () => pieces[next(pieces.length)] as Buffer)));
  });
});

describe("input and output", { timeout: 60_000 }, () => {
  test("WC-20 - is standard input, in whatever pieces it comes", async () => {
    const text = "über Wasser 水 🌊 über\n";
    const bytes = Buffer.from(text);
    const { code, stdout, stderr } = await wordCount(["-", "--json"], {
      input: Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(parsed(stdout)).toEqual(expected(text));
  });

  test("WC-21 standard input from a file, and an empty one", async () => {
    using folder = new Folder();
    const text = "one two two ".repeat(50_000);
    folder.file("text", text);
    const { stdout } = await shell("word_count - --json <text", { cwd: folder.path });
    expect(parsed(stdout)).toEqual(expected(text));
    expect(await wordCount(["--json", "-"])).toEqual({
      code: 0,
      stdout: '{"words":0,"total":0,"counts":{}}\n',
      stderr: "",
    });
  });

  test("WC-22 a path is relative to the current folder", async () => {
    using folder = new Folder();
    folder.file("text", "here");
    const { code, stdout } = await wordCount(["text", "--json"], { cwd: folder.path });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"words":1,"total":1,"counts":{"here":1}}\n' });
  });

  test("WC-23 npm start takes a path relative to where it was typed", async () => {
    using folder = new Folder();
    folder.file("text", "typed here here");
    const { code, stdout } = await run("npm", ["--prefix", root, "-s", "start", "--", "text", "--json"], {
      cwd: folder.path,
      env: { INIT_CWD: "" },
    });
    expect({ code, counts: parsed(stdout) }).toEqual({ code: 0, counts: expected("typed here here") });
  });

  test("WC-24 --json prints one object on one line, wherever the option stands", async () => {
    using folder = new Folder();
    const file = folder.file("text", "a");
    const answer = { code: 0, stdout: '{"words":1,"total":1,"counts":{"a":1}}\n', stderr: "" };
    expect(await wordCount([file, "--json"])).toEqual(answer);
    expect(await wordCount(["--json", file])).toEqual(answer);
    expect(await wordCount(["--json", "--", file])).toEqual(answer);
  });

  test("WC-25 the table: the most frequent first, then by word, with their shares", async () => {
    using folder = new Folder();
    const { code, stdout, stderr } = await wordCount([folder.file("text", "b a c b mill mill b ab")]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "5 different words, 8 in all",
      "",
      "word    count   share",
      "b           3  37.50%",
      "mill        2  25.00%",
      "a           1  12.50%",
      "ab          1  12.50%",
      "c           1  12.50%",
      "",
    ]);
  });

  test("WC-26 the table shows 20 words, cuts long ones, and no control character reaches the terminal", async () => {
    using folder = new Folder();
    const words = Array.from({ length: 30 }, (_, i) => `w${i} `.repeat(i + 1)).join("");
    const long = `${"x".repeat(50)} `.repeat(100);
    const { stdout } = await wordCount([folder.file("text", `${words} ${long} ${"\u001b[2J\u0007 ".repeat(101)}`)]);
    const lines = stdout.split("\n");
    expect(lines.length).toBe(24);
    expect(lines[0]).toBe("32 different words, 666 in all");
    expect(lines[3]).toBe(`${"\u{fffd}[2J\u{fffd}".padEnd(40)}      101  15.17%`);
    expect(lines[4]).toBe(`${"x".repeat(39)}…      100  15.02%`);
    expect(lines[5]?.startsWith("w29 ")).toBe(true);
    expect(lines[22]?.startsWith("w12 ")).toBe(true);
  });

  test("WC-27 a text without words has a first line and no table", async () => {
    expect(await wordCount(["-"])).toEqual({ code: 0, stdout: "0 different words, 0 in all\n", stderr: "" });
  });

  test("WC-28 a reader that has seen enough ends it quietly", async () => {
    using folder = new Folder();
    // Far more than a pipe holds, so that a write meets the closed end.
    folder.file("text", Array.from({ length: 300_000 }, (_, i) => `word${i}`).join(" "));
    const ended = '{ word_count text --json; echo "exit $?" >&2; }';
    const cwd = folder.path;
    expect(await shell(`${ended} | head -c 9`, { cwd })).toEqual({ code: 0, stdout: '{"words":', stderr: "exit 0\n" });
    expect(await shell(`${ended} | true`, { cwd })).toEqual({ code: 0, stdout: "", stderr: "exit 0\n" });
    expect(await shell("word_count | head -1")).toEqual({
      code: 0,
      stdout: "197 different words, 439 in all\n",
      stderr: "",
    });
  });
});

describe("errors", { timeout: 60_000 }, () => {
  test("WC-30 a missing file", () => checkRefused(["no such.txt"], "cannot read no such.txt: no such file"));
  test("WC-31 a folder", () => checkRefused([root], `cannot read ${root}: it is a directory`));

  test("WC-32 a path below a file", async () => {
    const { code, stdout, stderr } = await wordCount(["package.json/text"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^word-count: cannot read package\.json\/text: ENOTDIR[^\n]*\n$/);
  });

  test("WC-33 a file that may not be read", async () => {
    using folder = new Folder();
    const file = folder.file("text", "secret");
    fs.chmodSync(file, 0o000);
    // The superuser may read every file.
    if (process.getuid?.() === 0) return;
    await checkRefused([file], `cannot read ${file}: permission denied`);
  });

  test("WC-34 an unknown option", async () => {
    const { code, stdout, stderr } = await wordCount(["--nope"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^word-count: Unknown option '--nope'[^\n]*\n$/);
  });

  test("WC-35 two files", () => checkRefused(["a", "b"], "expected one file, got 2"));

  test("WC-36 a name of two lines is told in one", () =>
    checkRefused(["two\nlines"], "cannot read two lines: no such file"));

  test("WC-37 an error is the same with --json: nothing on standard output", () =>
    checkRefused(["missing", "--json"], "cannot read missing: no such file"));

  test("WC-38 an output that cannot be written is an error", async () => {
    // The device that is always full: Linux has it.
    if (!fs.existsSync("/dev/full")) return;
    const { code, stderr } = await shell("word_count >/dev/full");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^word-count: ENOSPC[^\n]*\n$/);
  });
});

describe("progress", { timeout: 60_000 }, () => {
  test("WC-40 none where standard error is no terminal", async () => {
    using folder = new Folder();
    const { code, stderr } = await wordCount([folder.file("text", "word ".repeat(200_000))]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("WC-41 on a terminal: a line that is written over, and cleared before the table", async () => {
    using folder = new Folder();
    const file = folder.file("out", "");
    // `script` (util-linux) gives the program a terminal; without it there is none to try this on.
    const { stdout: version } = await run("sh", ["-c", "script --version 2>&1 || true"]);
    if (!version.includes("util-linux")) return;
    const command = `"$NODE" --conditions=@headrace/source "$EXAMPLE" >'${file}'`;
    const { stdout } = await shell(`script -qec '${command.replaceAll("'", "'\\''")}' /dev/null`);
    expect(stdout.replaceAll("\u001b", "ESC")).toMatch(/^(\r\d+\.\d MB, \d+ words)+\rESC\[K$/);
    expect(fs.readFileSync(file, "utf8").startsWith("197 different words, 439 in all\n")).toBe(true);
  });
});
