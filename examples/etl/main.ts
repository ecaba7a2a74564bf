// Makes a file of orders for each customer of a CSV.
//
//   npx node --conditions=@headrace/source examples/etl/main.ts ORDERS.csv FOLDER SERVICE [--plain]
import { createReadStream, mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { isTTY, progress } from "@clack/prompts";
import { forEach, lines, pipeline, reduce } from "headrace";
import { etl } from "./etl.ts";
import { etl as plain } from "./plain/etl.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { plain: { type: "boolean", default: false } },
});
const [csv, out, service] = positionals;
if (csv === undefined || out === undefined || service === undefined)
  throw new Error("expected ORDERS.csv FOLDER SERVICE [--plain]");
mkdirSync(out, { recursive: true });

const count =
  (await pipeline(
    createReadStream(csv),
    lines(),
    reduce((sum: number) => sum + 1, 0),
  )) - 1;
const bar = isTTY(process.stdout) ? progress({ max: count }) : undefined;
bar?.start(`${count} orders`);
const job = { csv, out, service, onProgress: () => bar?.advance() };
const { customers, orders, byRegion, bad } = await (values.plain ? plain(job) : etl(job));
bar?.stop(`${orders} orders of ${customers} customers`);
console.log(`${orders} orders of ${customers} customers, ${bad.length} left out`);
const regions = Object.entries(byRegion).toSorted(([a], [b]) => (a < b ? -1 : 1));
await pipeline(
  regions,
  forEach(([region, amount]) => console.log(`${region}\t${amount.toFixed(2)}`)),
);
for (const { line, reason } of bad.toSorted((a, b) => a.line - b.line)) console.error(`${csv}:${line}\t${reason}`);
