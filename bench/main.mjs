// npm run bench -- [scenario…] [--json] [--plot] [--runs N] [--polluted] [--only TEXT] [--from FILE]
// npm run bench -- --check [--keep]
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { check, keep } from "./check.mjs";
import { run } from "./harness.mjs";
import { machine } from "./machine.mjs";
import { draw } from "./page.mjs";
import { asText, tables } from "./tables.mjs";

export const scenarios =
  "linear compete broadcast partition merge deep async steps node-bytes node-objects observable iterable fairness memory startup size".split(
    " ",
  );

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    plot: { type: "boolean", default: false },
    polluted: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    runs: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    from: { type: "string" },
  },
});
const wrong = positionals.find((name) => !scenarios.includes(name));
if (wrong !== undefined) {
  console.error(`expected scenarios among ${scenarios.join(", ")}, got ${wrong}`);
  process.exit(1);
}
if (values.check) process.exit((await (values.keep ? keep() : check())) ? 0 : 1);

const earlier = values.from === undefined ? undefined : JSON.parse(readFileSync(values.from, "utf8"));
const names = positionals.length > 0 ? positionals : earlier === undefined ? scenarios : Object.keys(earlier.scenarios);
const report = { ...(earlier ?? machine(values.runs)), scenarios: {} };
const say = values.json ? () => {} : console.log;
say(`${report.machine}\n${report.versions}\n${report.date}, medians of ${report.runs} runs in turn, a process each\n`);
for (const name of names) {
  const scenario = await import(`./scenarios/${name}.mjs`);
  const only = ({ row }) => row.includes(values.only);
  const runs = Number(values.runs);
  const rows = earlier?.scenarios[name] ?? (await run(name, scenario, { runs, polluted: values.polluted, only }));
  report.scenarios[name] = rows;
  say(`── ${name}: ${scenario.title}\n`);
  for (const table of tables(scenario, rows)) say(asText(table));
  if (values.plot) draw(name, scenario, rows, report);
}
if (values.json) console.log(JSON.stringify(report));
