// Follows the logs of a folder, and keeps totals by user in SQLite. SIGTERM and SIGINT finish what was read; after a SIGKILL the next
// run goes on, and each line counts once.
//
//   npx node --conditions=@headrace/source examples/log-ingest/main.ts FOLDER DATABASE [--once] [--plain]
import { parseArgs } from "node:util";
import { ingest } from "./ingest.ts";
import { follow } from "./logs.ts";
import { ingest as plain } from "./plain/ingest.ts";
import { Store } from "./store.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { once: { type: "boolean", default: false }, plain: { type: "boolean", default: false } },
});
const [folder, database] = positionals;
if (folder === undefined || database === undefined) throw new Error("expected FOLDER DATABASE [--once] [--plain]");

const controller = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => controller.abort());
using store = new Store(database);
const stretches = follow(folder, { once: values.once, signal: controller.signal });
await (values.plain ? plain : ingest)(stretches, store);
for (const { user, requests, bytes } of store.totals()) console.log(`${user}\t${requests}\t${bytes}`);
for (const { file, line, text } of store.dead()) console.error(`${file}:${line}\t${text.slice(0, 60)}`);
