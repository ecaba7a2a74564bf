// What benchmarks with contestants of several kinds share: contestants take turns, each run in a process of its own, and
// medians are compared.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Runs each contestant once a round, the order turned round each time; `args(contestant)` is its command line. */
export function inTurns(contestants, runs, args) {
  const measured = contestants.map(() => []);
  for (let round = 0; round < runs; round += 1) {
    const order = contestants.map((_, i) => (round % 2 === 0 ? i : contestants.length - 1 - i));
    for (const i of order) measured[i].push(inProcess(args(contestants[i])));
  }
  return measured;
}

/** What a process prints as JSON. */
function inProcess(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")}\n${stderr}`);
  return JSON.parse(stdout);
}

/** What `run` takes. **Units** seconds of wall time and of CPU time. */
export async function timed(run) {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const result = await run();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { result, seconds, cpu: (user + system) / 1e6 };
}

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** How far runs of one contestant are apart: the middle half, as a share of the median. */
export function spread(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return (at(0.75) - at(0.25)) / median(numbers);
}

export function machine(...packages) {
  const version = (name) =>
    JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
  const versions = packages.map((name) => `${name} ${version(name)}`);
  return [`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}`, ...versions].join(", ");
}
