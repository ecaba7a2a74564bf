// Runs random lives without a test runner: node --conditions=@headrace/source test/properties/supervision/run.ts RUNS [FIRST_SEED]
import { graph } from "./graph.ts";
import { perEvent } from "./per-event.ts";

const runs = Number(process.argv[2] ?? 1000);
const first = Number(process.argv[3] ?? 1);
console.warn = () => {};
process.on("unhandledRejection", (error) => {
  console.log("unhandled rejection", error);
  process.exit(1);
});
for (let seed = first; seed < first + runs; seed += 1)
  for (const life of [perEvent, graph]) {
    const faults = await life(seed);
    if (faults.length === 0) continue;
    console.log(`seed ${seed} of ${life.name}:\n  ${faults.slice(0, 8).join("\n  ")}`);
    process.exit(1);
  }
console.log(`${runs} runs from seed ${first}`);
