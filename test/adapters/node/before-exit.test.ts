import path from "node:path";
import { describe, expect, test } from "vitest";
import { run } from "../../examples/support.ts";

const child = path.join(import.meta.dirname, "exit-child.ts");

/** Runs a program of the child to its own end. */
async function ran(program: string): Promise<{ code: number | null; said: readonly string[]; stderr: string }> {
  const options = ["--expose-gc", "--disable-warning=ExperimentalWarning", "--conditions=@headrace/source"];
  const { code, stdout, stderr } = await run(process.execPath, [...options, child, program]);
  return { code, said: stdout.trimEnd().split("\n"), stderr };
}

describe("F-34 a process whose source failed before its first consumer", { timeout: 60_000 }, () => {
  test("F-34 ends with 1 and the error's stack if none comes", async () => {
    const { code, said, stderr } = await ran("never consumed");
    expect([code, said]).toEqual([1, ["listeners 0", "listeners 1"]]);
    expect(stderr).toMatch(/Error: boom\n\s+at .*exit-child\.ts/);
  });

  test("F-34 ends with 0 if one comes later, and listens no more", async () => {
    expect(await ran("consumed later")).toEqual({
      code: 0,
      said: ["listeners 0", "listeners 1", "caught Error: boom", "listeners 0"],
      stderr: "",
    });
  });

  test("F-34 ends with 1 if one of two is never consumed", async () => {
    const { code, said, stderr } = await ran("two, and one consumed");
    expect([code, said.at(-1)]).toEqual([1, "caught Error: boom"]);
    expect(stderr).toContain("Error: boom");
  });

  test("F-34 is told once if it survives that", async () => {
    expect(await ran("caught and survived")).toEqual({
      code: 0,
      said: ["listeners 0", "listeners 1", "uncaught Error: boom"],
      stderr: "",
    });
  });

  test("F-34 is not watched before a function of headrace/node is called", async () => {
    expect(await ran("no function called")).toEqual({ code: 0, said: ["listeners 0"], stderr: "" });
  });

  test("8.9 tells of a pipeline without a sink that has had no consumer, once, and exits well", async () => {
    const { code, said, stderr } = await ran("no sink");
    expect([code, said]).toEqual([0, ["listeners 1", "listeners 0"]]);
    expect(stderr).toMatch(/^headrace: .*rows.*this pipeline has no sink/);
    expect(stderr.match(/no sink/g)).toHaveLength(1);
  });

  test("8.9 tells of one that is dropped, as soon as that is noticed", async () => {
    const { code, stderr } = await ran("dropped");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^headrace: .*dropped.*this pipeline has no sink/);
  });

  test("F-34 goes on where the failure is caught: a request whose client has gone", async () => {
    expect(await ran("request")).toEqual({ code: 0, said: ["caught aborted", "still alive"], stderr: "" });
  });
});
