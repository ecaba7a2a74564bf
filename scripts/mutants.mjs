// Breaks the core on purpose, one rule at a time, and shows that the random graphs notice. npm run mutants [-- RUNS]
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const runs = process.argv[2] ?? "3000";

/** Each mutant: what is believed, the file, the text and what it becomes. */
const mutants = [
  ["a batch is cut at max - min", "src/demand.ts", "if (outstanding > this.min)", "if (outstanding > this.min + 1)"],
  [
    "an ask fills up to max, no further",
    "src/demand.ts",
    "return this.max - outstanding;",
    "return this.max - outstanding + 1;",
  ],
  ["owed is what was asked of handleDemand", "src/output.ts", "this.pay(length);\n", ""],
  [
    "what cannot be placed returns to the head",
    "src/output.ts",
    "buffer.unshift(batch.slice(sent))",
    "buffer.push(batch.slice(sent))",
  ],
  [
    "events go behind the buffered ones",
    "src/output.ts",
    "if (!this.clear && (this.#buffer.size > 0 || ",
    "if (!this.clear && (",
  ],
  [
    "the buffer drops the oldest from its head",
    "src/push.ts",
    "oldest ? shed(output, rest - room) : events.slice(kept)",
    "events.slice(sent + room)",
  ],
  [
    "unstarted events are given back",
    "src/stage.ts",
    "if (back.length > 0) this.#guard(() => this.output?.dispatcher.giveBack(outlet, back));",
    "",
  ],
  ["the rest of a halted message is given back", "src/stage.ts", "rest.push(this.#message.slice(this.#at));", ""],
  ["what arrives late is given back", "src/link.ts", "(this.late ??= []).push(events)", "this.late ??= []"],
  ["a consumer that left has no demand", "src/dispatchers/demand.ts", "if (at >= 0) this.#entries.splice(at, 1);", ""],
  [
    "a partition's queue goes before new events",
    "src/dispatchers/partition.ts",
    "partition.queue.unshift(events);",
    "partition.queue.push(events);",
  ],
  [
    "a broadcast moves at the slowest",
    "src/dispatchers/broadcast.ts",
    "if (until < least)",
    "if (until > least || least === Number.POSITIVE_INFINITY)",
  ],
  [
    "a completing stage waits for its buffer",
    "src/stage.ts",
    "if (this.#phase >= ENDING || output.held > 0) return;",
    "if (this.#phase >= ENDING) return;",
  ],
  [
    "the last permanent source ends its consumer",
    "src/stage.ts",
    '!this.links.some((other) => other.options.cancel === "permanent")',
    "this.links.length === 1",
  ],
  [
    "an ended stage removes its abort listener",
    "src/stage.ts",
    'this.#options.signal?.removeEventListener("abort", this.#onAbort);',
    "",
  ],
  ["discarded events are reported", "src/stage.ts", "this.outcome.discard(held, this.#cause, quiet);", ""],
];

const base = process.cwd();
let survived = 0;
for (const [belief, file, from, to] of mutants) {
  const dir = mkdtempSync(join(tmpdir(), "headrace-mutant-"));
  try {
    for (const part of ["src", "test/support", "test/properties", "package.json"])
      cpSync(join(base, part), join(dir, part), { recursive: true });
    const path = join(dir, file);
    const text = readFileSync(path, "utf8");
    if (!text.includes(from)) throw new Error(`no such text in ${file}: ${from}`);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
    const { status, stdout, stderr, signal } = spawnSync(
      process.execPath,
      ["--conditions=@headrace/source", "test/properties/run.ts", runs],
      {
        cwd: dir,
        encoding: "utf8",
        timeout: 120_000,
      },
    );
    const killed = status !== 0;
    if (!killed) survived += 1;
    const how = signal ? "hung" : (stdout || stderr).trim().split("\n").slice(0, 2).join(" ").slice(0, 100);
    console.log(`${killed ? "killed  " : "SURVIVED"}  ${belief} (${how})`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
console.log(`${mutants.length - survived} of ${mutants.length} mutants killed`);
process.exitCode = survived > 0 ? 1 : 0;
