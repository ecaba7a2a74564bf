// The short form for continuous integration: what headrace costs in CPU time, as a multiple of a floor measured in turn
// with it, against the multiples kept for this major version of Node.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "./harness.mjs";

const KEPT = fileURLToPath(new URL("kept.json", import.meta.url));
const LOSS = 1.25;
const [, major] = /^v(\d+)/.exec(process.version);

/** Of one case of a scenario: the floor, and the rows that are held to what was kept. */
const checks = [
  {
    name: "linear",
    group: "numbers",
    floor: "floor: arrays of 1000",
    rows: ["headrace, stages", "headrace, pipeline", "headrace, maxDemand 1"],
  },
  { name: "compete", group: "four consumers", floor: "floor: plain loop", rows: ["headrace"] },
  { name: "broadcast", group: "four consumers", floor: "floor: plain loop", rows: ["headrace"] },
  { name: "partition", group: "uniform", floor: "floor: plain loop", rows: ["headrace"] },
  { name: "merge", group: "four sources", floor: "floor: plain loop", rows: ["headrace"] },
  { name: "iterable", group: "generator", floor: "floor: for of", rows: ["headrace"] },
  { name: "iterable", group: "async generator", floor: "floor: for await", rows: ["headrace"] },
  {
    name: "async",
    group: "resolves at once",
    floor: "floor: await in a loop",
    rows: ["headrace", "headrace, 1000 keys"],
  },
];

/**
 * Multiples of the floor, `{ "linear numbers headrace, stages": 2.5, … }`, of the checks that `only` names. `of` says which of
 * the runs of a row count: the median, or for a check the cheapest, since what a machine does besides makes a row dearer, never
 * cheaper.
 */
async function measured(runs, { only = () => true, of = medians } = {}) {
  const found = {};
  for (const { name, group, floor, rows } of checks) {
    const wanted = rows.filter((row) => only(`${name} ${group} ${row}`));
    if (wanted.length === 0) continue;
    const scenario = await import(`./scenarios/${name}.mjs`);
    const mine = (one) => one.case === group && (one.row === floor || wanted.includes(one.row));
    const got = await run(name, scenario, { runs, only: mine });
    const cpu = (row) => got.find((one) => one.row === row).clean.cpu;
    for (const row of wanted) found[`${name} ${group} ${row}`] = of(cpu(row), cpu(floor));
  }
  return found;
}

const medians = (row, floor) => row.median / floor.median;
const kindest = (row, floor) => row.low / floor.median;

/** False if a second look confirms that something has become dearer by more than `LOSS`. */
export async function check() {
  const kept = JSON.parse(readFileSync(KEPT, "utf8"))[major];
  if (kept === undefined) {
    console.log(`nothing is kept for Node ${major}: npm run bench -- --check --keep`);
    return true;
  }
  const dearer = (found) => Object.keys(found).filter((name) => found[name] > LOSS * kept[name]);
  const first = await measured(2, { of: kindest });
  for (const [name, multiple] of Object.entries(first))
    console.log(`${name.padEnd(50)} ${multiple.toFixed(2).padStart(8)} × its floor, kept ${kept[name]}`);
  const suspects = dearer(first);
  if (suspects.length === 0) return true;
  console.log(`\nonce more: ${suspects.join("; ")}`);
  const second = await measured(2, { only: (name) => suspects.includes(name), of: kindest });
  const lost = dearer(second);
  for (const name of suspects)
    console.log(
      `${name.padEnd(50)} ${second[name].toFixed(2).padStart(8)} × its floor${lost.includes(name) ? ": a loss" : ""}`,
    );
  return lost.length === 0;
}

/** Keeps what this version of Node gives: the dearest of several looks, so that what is told is no accident. */
export async function keep() {
  const looks = [];
  for (let i = 0; i < 3; i += 1) looks.push(await measured(2));
  const all = JSON.parse(readFileSync(KEPT, "utf8"));
  all[major] = Object.fromEntries(
    Object.keys(looks[0]).map((name) => {
      const multiple = Math.max(...looks.map((look) => look[name]));
      return [name, Math.round(multiple * 100) / 100];
    }),
  );
  writeFileSync(KEPT, `${JSON.stringify(all, undefined, 2)}\n`);
  console.log(all[major]);
  return true;
}
