// One run of one row, in a process of its own: node bench/child.mjs SCENARIO CASE ROW FILE clean|polluted
// Prints its figures as JSON.
import { throughput } from "./measure.mjs";

const [name, group, row, file, way] = process.argv.slice(2);
const peer = await import(`./peers/${file}`);
const { cases, measure = throughput } = await import(`./scenarios/${name}.mjs`);
if (way === "polluted") await (await import("./pollute.mjs")).pollute(peer.others);
const figures = await measure(peer[name.replaceAll("-", "_")][group][row], cases[group]);
console.log(JSON.stringify(figures));
process.exit(0);
