/*
 * A program whose word count fails ends by itself, and with a code that says so.
 */
import path from "node:path";
import { describe, expect, test } from "vitest";
import { Folder, program, root, run } from "../examples/support.ts";

const source = "--conditions=@headrace/source";
const child = path.join(root, "test/faults/child.ts");

describe("a word count with a call that fails", { timeout: 60_000 }, () => {
  test("F-10 ends with 0 when none does", async () => {
    expect(await run(process.execPath, [source, child])).toEqual({ code: 0, stdout: "counted\n", stderr: "" });
  });

  test.each([
    ["read of source", "throw"],
    ["read of source", "reject"],
    ["init of splitter", "throw"],
    ["handleSubscribe of splitter as producer of counter 1", "throw"],
    ["handleEvents of splitter", "throw"],
    ["handleEvents of splitter", "reject"],
    ["by of splitter", "throw"],
    ["handleCancel of splitter as consumer of source", "throw"],
    ["handleEnd of splitter", "reject"],
    ["init of counter 1", "reject"],
    ["handleSubscribe of counter 0 as producer of toObservable", "throw"],
    ["handleEvents of counter 2", "throw"],
    ["handleEnd of counter 3", "throw"],
    ["reduce of result", "throw"],
  ])("F-11 %s, by a %s: it ends by itself, with 1", async (call, how) => {
    const { code, stdout, stderr } = await run(process.execPath, [source, child, call, how]);
    // 13 is what node ends with when the program still waits for something that nobody will do.
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("Error: injected");
  });

  test.each([
    ["terminate of counter 0", "terminate of counter 0"],
    ["terminate of splitter", "terminate of splitter"],
    ["destroy of source", "terminate of source"],
  ])("F-12 %s: it is reported, and the words are counted", async (call, reported) => {
    const { code, stdout, stderr } = await run(process.execPath, [source, child, call]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").toSorted()).toEqual(["", "counted", `reported: ${reported}`]);
  });
});

/** Loaded before the program: breaks what it is built on. */
const preload = (code: string): readonly string[] => ["--import", `data:text/javascript,${encodeURIComponent(code)}`];

const brokenRead = (at: number): string => `
  import fs from "node:fs";
  const { read } = fs;
  let n = 0;
  fs.read = (...args) => {
    n += 1;
    if (n === ${at}) args.at(-1)(Object.assign(new Error("EIO: injected"), { code: "EIO" }), 0);
    else read(...args);
  };`;
const brokenDecoder = (at: number): string => `
  let n = 0;
  globalThis.TextDecoder = class extends TextDecoder {
    decode(...args) {
      n += 1;
      if (n === ${at}) throw new Error("injected");
      return super.decode(...args);
    }
  };`;
const brokenWord = `
  const { from } = Buffer;
  Buffer.from = (value, ...rest) => {
    if (value === "broken") throw new Error("injected");
    return from(value, ...rest);
  };`;

describe("the example on what fails beneath it", { timeout: 60_000 }, () => {
  // Three chunks: the fourth read finds the end, the fourth use of the decoder is the last one.
  const text = `broken ${"word ".repeat(30_000)}`;

  test.each([
    ["the first read", brokenRead(1)],
    ["the second read", brokenRead(2)],
    ["the last read", brokenRead(4)],
    ["the first chunk", brokenDecoder(1)],
    ["the second chunk", brokenDecoder(2)],
    ["the end of the text", brokenDecoder(4)],
    ["the count of a word", brokenWord],
  ])("F-20 %s: one line on standard error, and 1", async (_what, code) => {
    using folder = new Folder();
    const file = folder.file("text", text);
    const { code: exit, stdout, stderr } = await run(process.execPath, [...preload(code), ...program, file]);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
    expect(stderr).toMatch(/^word-count: [^\n]*injected[^\n]*\n$/);
  });

  test("F-21 nothing broken: the words are counted", async () => {
    using folder = new Folder();
    const args = [...preload(brokenRead(0)), ...program, folder.file("text", text), "--json"];
    expect(await run(process.execPath, args)).toEqual({
      code: 0,
      stdout: '{"words":2,"total":30001,"counts":{"broken":1,"word":30000}}\n',
      stderr: "",
    });
  });
});
