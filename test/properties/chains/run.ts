// Runs the random chains without a test runner:
// node --conditions=@headrace/source test/properties/chains/run.ts RUNS [FIRST_SEED] [all]
import { run } from "./chain.ts";

const runs = Number(process.argv[2] ?? 1000);
const first = Number(process.argv[3] ?? 1);
const all = process.argv[4] === "all";
let wrong = 0;
for (let seed = first; seed < first + runs; seed += 1) {
  const fault = await run(seed);
  if (fault === "") continue;
  wrong += 1;
  console.log(`seed ${seed}: ${fault}`);
  if (!all) break;
}
console.log(`${runs} chains from seed ${first}, ${wrong} wrong`);
process.exitCode = wrong > 0 ? 1 : 0;
