// A crawl feeds itself: what a page leads to goes into the queue that it came out of, and when nothing is left, it ends.
import { createWriteStream } from "node:fs";
import { map, mapAsync, pipeline, queue, rateLimit, tap } from "headrace";
import { intoWritable } from "headrace/node";
import { ATTEMPTS, type Crawl, DELAY, failed, hostOf, lineOf, type Page, resumed, TIMEOUT } from "./page.ts";
import { Unavailable, VISITS, visit } from "./page.ts";

const MANY = 1_000_000;

export async function crawl(options: Crawl): Promise<void> {
  const { done: known, waiting } = resumed(options);
  const frontier = queue<string>({ size: MANY });
  let left = 0;
  const add = (url: string): void => {
    if (known.has(url)) return;
    known.add(url);
    left += 1;
    frontier.tryOffer(url);
  };
  const finished = (page: Page): void => {
    for (const link of page.links) add(link);
    left -= 1;
    if (left === 0) frontier.complete();
    options.onPage(page);
  };
  for (const url of waiting) add(url);
  if (left === 0) return;
  await pipeline(
    frontier,
    rateLimit({ events: 1, interval: options.interval, key: hostOf, maxQueued: MANY }),
    mapAsync((url: string, { signal }) => visit(url, signal), {
      concurrency: VISITS,
      key: hostOf,
      maxQueued: MANY,
      timeout: TIMEOUT,
      retry: { attempts: ATTEMPTS, delay: DELAY, when: (error) => error instanceof Unavailable },
      // The next run tries it again.
      onFailure: ({ event, error }) => finished(failed(event, error)),
    }),
    tap(finished),
    map(lineOf),
    intoWritable(createWriteStream(options.out, { flags: "a" })),
  );
}
