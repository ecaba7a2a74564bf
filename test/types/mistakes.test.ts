import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const file = "test/types/mistakes/mistakes.ts";

/** What the compiler has to say of each mistake: words that must occur in its answer. */
const said: Readonly<Record<string, readonly string[]>> = {
  "a step that does not fit": [
    "'Step<string, string, NoOptions>'",
    "Type 'number' is not assignable to type 'string'.",
  ],
  "an async function in map": ["the function returns a promise: mapAsync(fn)"],
  "an async function in filter": ["Type 'Promise<boolean>' is not assignable to type 'boolean'."],
  "an async function in reduce": ["Type 'Promise<number>' is not assignable to type 'number'."],
  "an async function in tap": ["the function returns a promise: mapAsync(fn)"],
  "a sink in front of a step": ["nothing comes behind a sink: put it last"],
  "an Observable as a source": ["fromObservable(observable, { overflow }) of headrace/rxjs makes a source of it"],
  "an emitter as a source": ["fromEvents(emitter, name, { overflow }) of headrace/events makes a source of it"],
  "a string as a source": ["'string' is not assignable to parameter of type 'SourceNotString<"],
  "a typed array as a source": ["a typed array would be single numbers: put it into an array"],
  "a function as a source": ["a function is no source: call it, or poll(fn)"],
  "a promise as a source": ["a promise is no source: await it"],
  "a response as a source": ["the source is its body"],
  "an operator of RxJS as a step": ["a function is no step: map(fn), or throughOperators(operator) of headrace/rxjs"],
  "a sink that is not called": ["a function is no step: map(fn), or throughOperators(operator) of headrace/rxjs"],
  "a Writable as a sink": ["intoWritable(writable) of headrace/node makes a sink of it, throughDuplex(duplex) a step"],
  "a list of steps": ["compose(list) makes one step of it"],
  "a step behind a partition": ["PartitionSubscribeOptions<number>", "NoOptions"],
  "a pipeline with a sink as a source": ["a pipeline that ends in a sink has no events to give: leave its sink out"],
  "a branch that is async": ["a branch returns the producer or pipeline itself: no async function, no done"],
  "branches that differ": ["either all branches return a producer, or all a pipeline that ends in a sink"],
  "a group without a sink": ["a group's pipeline ends in a sink: forEach, collect, …"],
  "a child that is not returned": ["Type 'void' is not assignable to type 'Child | null'."],
  "a permanent child of an event": ["Type '\"permanent\"' is not assignable to type"],
  "a callback with a parameter of its own": ["Types of parameters 'radix' and 'attempt' are incompatible."],
};

/** The answers of a compiler, by the mistake in whose block they stand. */
function answers(tsc: string): Map<string, string> {
  const flags = [
    "--ignoreConfig",
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--exactOptionalPropertyTypes",
    "--pretty",
    "false",
  ];
  const target = ["--module", "nodenext", "--target", "es2023", "--lib", "es2023,es2024.promise,esnext.disposable,dom"];
  const own = ["--types", "node", "--customConditions", "@headrace/source", "--allowImportingTsExtensions"];
  const old = tsc.includes("oldest") ? flags.filter((flag) => flag !== "--ignoreConfig") : flags;
  const run = spawnSync(process.execPath, [tsc, ...old, ...target, ...own, file], { cwd: root, encoding: "utf8" });
  const lines = fs.readFileSync(path.join(root, file), "utf8").split("\n");
  const blockOf = (line: number): string =>
    lines
      .slice(0, line)
      .findLast((text) => text.startsWith("// # "))
      ?.slice(5) ?? "none";
  const found = new Map<string, string>();
  let block = "none";
  for (const line of run.stdout.split("\n")) {
    const at = /mistakes\.ts\((\d+),\d+\): error/.exec(line)?.[1];
    if (at !== undefined) block = blockOf(Number(at));
    else if (/error TS/.test(line)) block = line;
    found.set(block, `${found.get(block) ?? ""}${line}\n`);
  }
  return found;
}

const oldest = path.join(root, "test/types/oldest/node_modules/typescript/lib/tsc.js");
const compilers: readonly (readonly [string, string])[] = [
  ["TypeScript 7", path.join(root, "node_modules/typescript/bin/tsc")],
  // Installed by CI: npm ci in test/types/oldest.
  ...(fs.existsSync(oldest) || process.env["CI"] ? [["the oldest supported TypeScript", oldest] as const] : []),
];

describe.each(compilers)("the ten commonest mistakes, and ten more, in %s", (_name, tsc) => {
  const found = answers(tsc);

  test("each is an error, and nothing else is", () => {
    expect([...found.keys()].filter((block) => found.get(block)?.trim())).toEqual(Object.keys(said));
  });

  test.each(Object.entries(said))("%s", (mistake, words) => {
    for (const one of words) expect(found.get(mistake)).toContain(one);
  });
});
