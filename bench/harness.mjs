// Contestants take turns, each run in a process of its own.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { rowsOf } from "./peers/index.mjs";
import { summary } from "./statistics.mjs";

const CHILD = fileURLToPath(new URL("child.mjs", import.meta.url));

/**
 * The rows of a scenario, `{ case, row, clean, polluted }`: of each metric the median and the spread. A round runs
 * every row once, both ways one behind the other; the next round goes backwards.
 */
export async function run(name, scenario, { runs, polluted = false, only = () => true }) {
  const rows = (await rowsOf(name, Object.keys(scenario.cases))).filter(only);
  const ways = polluted && scenario.polluted !== false ? ["clean", "polluted"] : ["clean"];
  const turns = rows.flatMap((row) => ways.map((way) => ({ row, way, got: [] })));
  for (let round = 0; round < Math.min(runs, scenario.mostRuns ?? runs); round += 1)
    for (const { row, way, got } of round % 2 === 0 ? turns : turns.toReversed())
      got.push(inProcess([CHILD, name, row.case, row.row, row.file, way]));
  const figures = (row, way) => {
    const { got } = turns.find((turn) => turn.row === row && turn.way === way);
    return Object.fromEntries(Object.keys(got[0]).map((metric) => [metric, summary(got.map((one) => one[metric]))]));
  };
  return rows.map((row) => ({
    case: row.case,
    row: row.row,
    ...Object.fromEntries(ways.map((way) => [way, figures(row, way)])),
  }));
}

/** What a process prints as JSON. */
function inProcess(args) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.slice(1).join(" ")}: ${signal ?? status}\n${stderr}`);
  return JSON.parse(stdout);
}
