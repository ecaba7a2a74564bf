import { spawn } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { shutdownOn } from "../../../adapters/node/index.ts";
import { forEach, pipeline } from "../../../src/index.ts";
import { root } from "../../examples/support.ts";
import { codeOf } from "../../support/stages.ts";

const child = path.join(import.meta.dirname, "shutdown-child.ts");

interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: readonly string[];
  readonly stderr: string;
}

/** Runs a program of the child. Each signal is sent when the line before it has been said. */
function ran(program: string, ...steps: readonly (readonly [said: string, signal: NodeJS.Signals])[]): Promise<Ran> {
  const options = ["--disable-warning=ExperimentalWarning", "--conditions=@headrace/source"];
  return new Promise((resolve, reject) => {
    const run = spawn(process.execPath, [...options, child, program], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    const left = [...steps];
    let stdout = "";
    let stderr = "";
    let seen = 0;
    run.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      for (const line of stdout
        .slice(0, stdout.lastIndexOf("\n") + 1)
        .split("\n")
        .slice(seen, -1)) {
        seen += 1;
        if (line !== left[0]?.[0]) continue;
        const [[, signal]] = left.splice(0, 1) as [readonly [string, NodeJS.Signals]];
        run.kill(signal);
      }
    });
    run.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    run.on("error", reject);
    run.on("close", (code, signal) => resolve({ code, signal, said: stdout.trimEnd().split("\n"), stderr }));
  });
}

describe("shutdownOn", { timeout: 60_000 }, () => {
  test("drains in the order given, and the program goes on to its own end, with 0", async () => {
    const { code, said, stderr } = await ran("drains", ["ready", "SIGTERM"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(said).toEqual(["ready", "done a", "done b", "drain second", "listeners 0,0"]);
  });

  test("drains a supervisor", async () => {
    expect(await ran("supervised", ["ready", "SIGINT"])).toEqual({
      code: 0,
      signal: null,
      said: ["ready", "completed"],
      stderr: "",
    });
  });

  test("lets the process end by itself when all has drained", async () => {
    const { code, said } = await ran("by itself", ["ready", "SIGINT"]);
    expect([code, said]).toEqual([0, ["ready", "drain one", "exit 0"]]);
  });

  test("ends a process that something else keeps alive when the time is over, with 0", async () => {
    const { code, said } = await ran("lives on", ["ready", "SIGTERM"]);
    expect([code, said]).toEqual([0, ["ready", "drain one"]]);
  });

  test("ends with 1 when the time is over before all has drained, and says what it waits for", async () => {
    const { code, said, stderr } = await ran("late", ["ready", "SIGTERM"]);
    expect([code, said.slice(0, 1)]).toEqual([1, ["ready"]]);
    expect(stderr).toMatch(
      /headrace: drain of shutdownOn failed: TimeoutError: expected .* to drain within \d+ ms.* forEach/,
    );
  });

  test("ends with 1 when something does not keep the time it is given, and asks all to stop", async () => {
    const { code, said } = await ran("deaf", ["ready", "SIGTERM"]);
    expect([code, said]).toEqual([1, ["ready", "drain first", "stop first 0", "stop second 0"]]);
  });

  test.each([
    ["SIGTERM", "SIGINT", 130],
    ["SIGINT", "SIGTERM", 143],
    ["SIGTERM", "SIGTERM", 143],
  ] as const)("a second signal stops all at once: %s, then %s ends with %i", async (first, second, expected) => {
    const { code, said } = await ran("twice", ["ready", first], ["drain first", second]);
    expect([code, said]).toEqual([expected, ["ready", "drain first", "stop first 0", "stop second 0"]]);
  });

  test("goes on behind a failure, which is reported, and ends with 1", async () => {
    const { code, said } = await ran("fails", ["ready", "SIGTERM"]);
    expect([code, said]).toEqual([1, ["ready", "drain first", "shutdownOn drain Error: broken", "drain second"]]);
  });

  test("disposed, it leaves no listener: a signal does what it does by itself", async () => {
    const { signal, said } = await ran("disposed", ["ready", "SIGTERM"]);
    expect([signal, said]).toEqual(["SIGTERM", ["listeners 1,1", "listeners 0,0", "ready"]]);
  });

  const running = pipeline(
    [],
    forEach(() => {}),
  );
  test.each<readonly [string, () => unknown, string, RegExp]>([
    ["no signal", () => shutdownOn([], running), "ERR_OPTION", /to get a signal/],
    ["an unknown signal", () => shutdownOn("SIGNAL" as never, running), "ERR_OPTION", /as "SIGTERM" or \[/],
    ["a number", () => shutdownOn(15 as never, running), "ERR_OPTION", /got 15/],
    ["SIGKILL", () => shutdownOn("SIGKILL", running), "ERR_OPTION", /signals that a process hears, got SIGKILL, which/],
    ["nothing to drain", () => shutdownOn("SIGTERM", []), "ERR_OPTION", /what it is to drain/],
    ["undefined", () => shutdownOn("SIGTERM", [undefined as never]), "ERR_OPTION", /a pipeline, a stage or a super/],
    [
      "a promise",
      () => shutdownOn("SIGTERM", running.done as never),
      "ERR_OPTION",
      /a pipeline, a stage or a supervisor/,
    ],
    ["an unknown option", () => shutdownOn("SIGTERM", running, { limit: 1 } as never), "ERR_OPTION", /options among/],
    ["a lone number", () => shutdownOn("SIGTERM", running, 50 as never), "ERR_OPTION", /write \{ timeout: 50 \}/],
    ["a timeout", () => shutdownOn("SIGTERM", running, { timeout: -1 }), "ERR_RANGE", /timeout/],
    ["a word as timeout", () => shutdownOn("SIGTERM", running, { timeout: "1s" as never }), "ERR_OPTION", /timeout/],
    ["onReport", () => shutdownOn("SIGTERM", running, { onReport: 1 as never }), "ERR_OPTION", /onReport/],
  ])("refuses %s, and listens to nothing", (_what, call, code, text) => {
    const before = process.listenerCount("SIGTERM");
    expect(codeOf(call)).toBe(code);
    expect(call).toThrow(text);
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});
