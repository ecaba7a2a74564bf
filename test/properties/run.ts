// Runs the random graphs without a test runner: node --conditions=@headrace/source test/properties/run.ts RUNS [FIRST_SEED]
import { Graph } from "./graph.ts";

const runs = Number(process.argv[2] ?? 1000);
const first = Number(process.argv[3] ?? 1);
console.warn = () => {};
process.on("unhandledRejection", (error) => {
  console.log("unhandled rejection", error);
  process.exit(1);
});
for (let seed = first; seed < first + runs; seed += 1) {
  const faults = await new Graph(seed).run();
  if (faults.length > 0) {
    console.log(`seed ${seed}:\n  ${faults.slice(0, 8).join("\n  ")}`);
    process.exit(1);
  }
}
console.log(`${runs} runs from seed ${first}`);
