// What it takes to look at one page: robots.txt, redirects, bodies that are huge or never end. Both makes use it.
import fs from "node:fs";

export interface Page {
  readonly url: string;
  /** 0 where it was not asked for, -1 where there was no answer. */
  readonly status: number;
  /** Pages that it leads to, a redirect's target among them. */
  readonly links: readonly string[];
  readonly error?: string;
}
export interface Crawl {
  readonly seeds: readonly string[];
  /** NDJSON, a line for each page. What is there is not fetched again. */
  readonly out: string;
  /** Milliseconds between two visits of a host. */
  readonly interval: number;
  readonly onPage: (page: Page) => void;
}

export const VISITS = 8;
export const ATTEMPTS = 3;
export const DELAY = 20;
export const TIMEOUT = 5000;
const MOST = 200_000;

/** An answer that another attempt may better. */
export class Unavailable extends Error {}

export const hostOf = (url: string): string => new URL(url).host;
export const lineOf = (page: Page): string => `${JSON.stringify(page)}\n`;
export const failed = (url: string, error: unknown): Page => ({ url, status: -1, links: [], error: String(error) });

/** An address without its fragment; nothing for what is no page. */
function pageAt(href: string, base: string): string | undefined {
  if (!URL.canParse(href, base)) return undefined;
  const url = new URL(href, base);
  url.hash = "";
  return /^https?:$/.test(url.protocol) ? url.href : undefined;
}

/** Up to so many bytes; the rest is left, also where it would never end. */
async function beginning(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of answer.body ?? []) {
    parts.push(part);
    length += part.length;
    if (length >= MOST) break;
  }
  return Buffer.concat(parts).toString("utf8", 0, MOST);
}

const rules = new Map<string, Promise<readonly string[]>>();

/** Paths that a host does not want to be visited. */
function forbidden(url: URL): Promise<readonly string[]> {
  const { origin } = url;
  const known =
    rules.get(origin) ??
    fetch(`${origin}/robots.txt`)
      .then(async (answer) => (answer.ok ? await beginning(answer) : ""))
      .then((text) => Array.from(text.matchAll(/^disallow:\s*(\S+)/gim), ([, path]) => path as string))
      .catch(() => []);
  rules.set(origin, known);
  return known;
}

/** Looks at one page. Throws `Unavailable` where it is worth another attempt. */
export async function visit(url: string, signal: AbortSignal): Promise<Page> {
  const { pathname } = new URL(url);
  if ((await forbidden(new URL(url))).some((path) => pathname.startsWith(path)))
    return { url, status: 0, links: [], error: "robots.txt" };
  const answer = await fetch(url, { signal, redirect: "manual" });
  const { status } = answer;
  if (status === 429 || status >= 500) {
    await answer.body?.cancel();
    throw new Unavailable(`${status} for ${url}`);
  }
  const location = answer.headers.get("location");
  const text = await beginning(answer);
  const hrefs =
    location === null ? Array.from(text.matchAll(/href="([^"]*)"/g), ([, href]) => href as string) : [location];
  return { url, status, links: hrefs.flatMap((href) => pageAt(href, url) ?? []) };
}

/** What an earlier run has written: pages, and those that they lead to. A line that was cut off is taken out of the file. */
export function resumed({ out, seeds }: Crawl): { readonly done: Set<string>; readonly waiting: readonly string[] } {
  const text = fs.existsSync(out) ? fs.readFileSync(out, "utf8") : "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) fs.truncateSync(out, Buffer.byteLength(whole));
  const pages = whole.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Page]));
  const done = new Set(pages.map(({ url }) => url));
  const waiting = new Set([...seeds, ...pages.flatMap(({ links }) => links)]);
  return { done, waiting: Array.from(waiting).filter((url) => !done.has(url)) };
}
