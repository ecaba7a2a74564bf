// The same by hand, with p-queue: one for all visits, and one for each host.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished as closed } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import PQueue from "p-queue";
import { ATTEMPTS, type Crawl, DELAY, failed, hostOf, lineOf, type Page, resumed, TIMEOUT } from "../page.ts";
import { Unavailable, VISITS, visit } from "../page.ts";

export async function crawl(options: Crawl): Promise<void> {
  const { done: known, waiting } = resumed(options);
  const file = createWriteStream(options.out, { flags: "a" });
  const visits = new PQueue({ concurrency: VISITS });
  const hosts = new Map<string, PQueue>();
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<void>();
  file.on("error", fail);
  let left = 0;

  const hostQueue = (host: string): PQueue => {
    let own = hosts.get(host);
    if (own === undefined) {
      own = new PQueue({ concurrency: 1, interval: options.interval, intervalCap: 1, strict: true });
      hosts.set(host, own);
    }
    return own;
  };
  async function patiently(url: string): Promise<Page> {
    for (let attempt = 1; ; attempt += 1)
      try {
        return await visits.add(() => visit(url, AbortSignal.timeout(TIMEOUT)));
      } catch (error) {
        if (!(error instanceof Unavailable) || attempt === ATTEMPTS) throw error;
        await setTimeout(Math.random() * DELAY * 2 ** (attempt - 1));
      }
  }
  const add = (url: string): void => {
    if (known.has(url)) return;
    known.add(url);
    left += 1;
    hostQueue(hostOf(url))
      .add(async () => {
        const page = await patiently(url).catch((error: unknown) => failed(url, error));
        for (const link of page.links) add(link);
        options.onPage(page);
        // The next run tries it again.
        if (page.status >= 0 && !file.write(lineOf(page))) await once(file, "drain");
      })
      .then(() => --left === 0 && end(), fail);
  };
  for (const url of waiting) add(url);
  try {
    if (left > 0) await ended;
  } finally {
    for (const own of [visits, ...hosts.values()]) own.clear();
    file.end();
  }
  await closed(file);
}
