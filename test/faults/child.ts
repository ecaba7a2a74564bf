// Runs the word count on the platform's own clock, with one call that fails: node child.ts CALL [HOW]
import { describeCall, Faults, type How } from "./faults.ts";
import { wordCount } from "./graphs.ts";

const [fails, how = "throw"] = process.argv.slice(2);
const faults = new Faults((call) => describeCall(call) === fails, how as How);
const { result } = wordCount(faults, {
  signal: new AbortController().signal,
  onReport: (_error, { stage, phase }) => console.log(`reported: ${phase} of ${stage}`),
});
await result;
console.log("counted");
