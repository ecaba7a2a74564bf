// Crawls from some pages on, politely.
//
//   npx node --conditions=@headrace/source examples/crawler/main.ts OUT.ndjson URL… [--interval MS] [--plain]
import { parseArgs } from "node:util";
import { isTTY, spinner } from "@clack/prompts";
import { crawl } from "./crawl.ts";
import { crawl as plain } from "./plain/crawl.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { interval: { type: "string", default: "1000" }, plain: { type: "boolean", default: false } },
});
const [out, ...seeds] = positionals;
if (out === undefined || seeds.length === 0) throw new Error("expected OUT.ndjson URL… [--interval MS] [--plain]");
const shown = isTTY(process.stdout) ? spinner() : undefined;
let pages = 0;
let errors = 0;
shown?.start("crawling");
await (values.plain ? plain : crawl)({
  seeds,
  out,
  interval: Number(values.interval),
  onPage(page) {
    pages += 1;
    if (page.error !== undefined) errors += 1;
    shown?.message(`${pages} pages, ${page.url}`);
  },
});
shown?.stop(`${pages} pages`);
console.log(`${pages} pages, ${errors} of them not read`);
