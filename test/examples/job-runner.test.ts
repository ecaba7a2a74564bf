import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { times } from "../support/stages.ts";
import { Folder, type Outcome, root, run } from "./support.ts";

const options = ["--conditions=@headrace/source", path.join(root, "examples/job-runner.ts")];
const jobRunner = (...args: readonly string[]): Promise<Outcome> => run(process.execPath, [...options, ...args]);

/** Commands of one word each: programs of a folder, which get what they need by their text. */
function commands(folder: Folder) {
  const program = (name: string, code: string): string => `${process.execPath} ${folder.file(`${name}.mjs`, code)}`;
  return {
    good: program("good", ""),
    bad: program("bad", "process.exit(3);"),
    flaky: program(
      "flaky",
      `import fs from "node:fs";
       const file = ${JSON.stringify(path.join(folder.path, "tried"))};
       if (!fs.existsSync(file)) { fs.writeFileSync(file, ""); process.exit(4); }`,
    ),
    /** Ends when a file is there. */
    waits: program(
      "waits",
      `import { existsSync, watch } from "node:fs";
       const look = () => existsSync(${JSON.stringify(path.join(folder.path, "go"))}) && process.exit();
       watch(${JSON.stringify(folder.path)}, look);
       process.stdout.write("waiting\\n");
       look();`,
    ),
  };
}

describe("job-runner", { timeout: 60_000 }, () => {
  test("JR-1 every command is run; one that fails is started again; one that fails three times is lost", async () => {
    using folder = new Folder();
    const { good, bad, flaky } = commands(folder);
    const file = folder.file("jobs", [good, "", flaky, bad, good].join("\n"));
    const { code, stdout, stderr } = await jobRunner(file);
    expect(code).toBe(1);
    expect(stdout.split("\n").toSorted()).toEqual(
      ["", `done\t${good}`, `done\t${good}`, `done\t${flaky}`, `lost\t${bad}\tended with 3`].toSorted(),
    );
    expect(stderr.split("\n").filter((line) => line.endsWith("started again: ended with 3"))).toHaveLength(2);
    expect(stderr.split("\n").filter((line) => line.endsWith("started again: ended with 4"))).toHaveLength(1);
  });

  test("JR-2 commands that all succeed end with 0; what is no command is lost", async () => {
    using folder = new Folder();
    const { good } = commands(folder);
    expect(await jobRunner(folder.file("jobs", `${good}\n`))).toEqual({
      code: 0,
      stdout: `done\t${good}\n`,
      stderr: "",
    });
    const none = await jobRunner(folder.file("none", "no-such-command\n"));
    expect([none.code, none.stdout]).toEqual([1, "lost\tno-such-command\tspawn no-such-command ENOENT\n"]);
  });

  test("JR-3 on a signal nothing more is read, and what was read is run", async () => {
    using folder = new Folder();
    const { good, waits } = commands(folder);
    const child = spawn(process.execPath, options, { env: { ...process.env, NODE_OPTIONS: "" } });
    child.stdin.on("error", () => {});
    child.stdin.write(`${[waits, waits, waits, good].join("\n")}\n`);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const before = stdout.split("waiting").length;
      stdout += chunk.toString();
      if (before < 4 && stdout.split("waiting").length === 4) child.kill("SIGTERM");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
      if (stderr !== "ending: 3 still run\n") return;
      child.stdin.write(`${good}\n`);
      folder.file("go", "");
    });
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(0);
    const done = stdout.split("\n").filter((line) => line.startsWith("done"));
    expect(done.toSorted()).toEqual([`done\t${good}`, ...times(3, `done\t${waits}`)].toSorted());
  });
});
