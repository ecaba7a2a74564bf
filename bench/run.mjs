// npm run bench -- linear [--json] [--runs N] [--events N]
// npm run bench -- observable [--json] [--runs N] [--events N]
// npm run bench -- fairness [--json]
// npm run bench -- async [--json] [--runs N] [--events N] [--slow-events N]
// npm run bench -- steps [--json] [--runs N] [PART]…
// npm run bench -- files [--json] [--runs N] [--mb N] [--gzip-mb N]
// Libraries take turns, each run in a process of its own; what is printed is the median.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

const scenarios = {
  linear: [
    { library: "plain loop" },
    { library: "arrays of 1000" },
    { library: "headrace", maxDemand: 1000 },
    { library: "rxjs" },
    { library: "headrace", maxDemand: 10 },
    { library: "node transforms" },
    { library: "headrace", maxDemand: 1 },
    { library: "async generators" },
  ],
  observable: [{ library: "rxjs" }, { library: "headrace" }],
};
/** What is compared below the rows: the faster ones against their measure. */
const ratios = {
  linear: [
    ["headrace (1000) / rxjs", ["headrace", 1000], ["rxjs"]],
    ["headrace (1000) / node transforms", ["headrace", 1000], ["node transforms"]],
    ["headrace (1) / async generators", ["headrace", 1], ["async generators"]],
  ],
  observable: [["headrace / rxjs", ["headrace"], ["rxjs"]]],
};

/** Scenarios that take turns by themselves. */
const apart = ["files", "async", "steps"];
if (apart.includes(process.argv[2])) {
  const args = [new URL(`${process.argv[2]}.mjs`, import.meta.url).pathname, ...process.argv.slice(3)];
  process.exit(spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    runs: { type: "string", default: "5" },
    events: { type: "string" },
  },
});
const scenario = positionals[0] ?? "linear";
if (scenario === "fairness") {
  const args = [new URL("fairness.mjs", import.meta.url).pathname, ...(values.json ? ["--json"] : [])];
  process.exit(spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1);
}
const contestants = scenarios[scenario];
const events = values.events ?? (scenario === "observable" ? "1000000" : "10000000");
if (contestants === undefined) {
  console.error(
    `expected a scenario among ${Object.keys(scenarios).join(", ")}, fairness, ${apart.join(", ")}, got ${scenario}`,
  );
  process.exit(1);
}

const file = new URL(`${scenario}.mjs`, import.meta.url).pathname;
const measured = contestants.map(() => []);
for (let run = 0; run < Number(values.runs); run += 1)
  for (const [i, { library, maxDemand }] of contestants.entries()) {
    const args = [file, library, events, ...(maxDemand === undefined ? [] : [String(maxDemand)])];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    measured[i].push(Number(stdout));
  }
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const rows = contestants.map(({ library, maxDemand = null }, i) => ({
  scenario,
  library,
  maxDemand,
  eventsPerSecond: median(measured[i]),
}));

if (values.json) console.log(JSON.stringify(rows));
else {
  const version = (name) =>
    JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
  console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}, rxjs ${version("rxjs")}`);
  console.log(`${scenario}: ${events} numbers, medians of ${values.runs} runs in turn, a process each\n`);
  const rate = (library, maxDemand = null) =>
    rows.find((row) => row.library === library && row.maxDemand === maxDemand).eventsPerSecond;
  for (const { library, maxDemand, eventsPerSecond } of rows)
    console.log(
      `${(maxDemand === null ? library : `${library}, maxDemand ${maxDemand}`).padEnd(24)} ${(eventsPerSecond / 1e6).toFixed(2).padStart(8)} M/s`,
    );
  console.log();
  for (const [text, ours, theirs] of ratios[scenario])
    console.log(`${text.padEnd(34)} ${(rate(...ours) / rate(...theirs)).toFixed(2)}`);
}
