import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { crawl } from "../../examples/crawler/crawl.ts";
import type { Page } from "../../examples/crawler/page.ts";
import { crawl as plain } from "../../examples/crawler/plain/crawl.ts";
import { Folder, root } from "./support.ts";

/** Three hosts whose pages lead to each other: a tree of `count` pages, with cycles back, and some that misbehave. */
class Web implements AsyncDisposable {
  readonly #count: number;
  readonly #servers: Server[] = [];
  readonly #busy = new Set<string>();
  #open = [0, 0, 0];
  /** How often each page was asked for. */
  readonly asked = new Map<string, number>();
  /** Requests under way at most: of all hosts, and of one. */
  most = 0;
  mostOfOne = 0;

  constructor(count: number) {
    this.#count = count;
    for (const host of [0, 1, 2])
      this.#servers.push(createServer((request, response) => this.#answer(host, request, response)));
  }

  async listen(): Promise<void> {
    for (const server of this.#servers) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
  }

  at(page: number | string): string {
    const host = typeof page === "number" ? page % 3 : 0;
    return `http://127.0.0.1:${((this.#servers[host] as Server).address() as AddressInfo).port}/${page}`;
  }

  #answer(host: number, { url = "/" }: IncomingMessage, response: ServerResponse): void {
    if (url === "/robots.txt") {
      response.end(host === 0 ? "User-agent: *\nDisallow: /private\n" : "");
      return;
    }
    const name = url.slice(1);
    this.asked.set(name, (this.asked.get(name) ?? 0) + 1);
    const open = this.#open;
    open[host] = (open[host] ?? 0) + 1;
    this.most = Math.max(
      this.most,
      open.reduce((sum, n) => sum + n),
    );
    this.mostOfOne = Math.max(this.mostOfOne, ...open);
    response.once("close", () => (open[host] = (open[host] ?? 0) - 1));
    setImmediate(() => this.#page(name, response));
  }

  #page(name: string, response: ServerResponse): void {
    const n = Number(name);
    if (name === "moved") response.writeHead(302, { location: this.at(1) }).end();
    else if (name === "round") response.writeHead(302, { location: "/round" }).end();
    else if (name === "broken") response.writeHead(503).end();
    else if (name === "endless") {
      const more = (): void => {
        if (!response.destroyed) response.write("x".repeat(10_000), () => setImmediate(more));
      };
      more();
    } else if (Number.isNaN(n)) response.writeHead(404).end();
    else if (n % 10 === 4 && !this.#busy.has(name)) {
      this.#busy.add(name);
      response.writeHead(503).end();
    } else {
      const next = [2 * n + 1, 2 * n + 2, Math.floor(n / 2)].filter((page) => page < this.#count);
      response.end(next.map((page) => `<a href="${this.at(page)}#top">${page}</a>`).join(""));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    await Promise.all(this.#servers.map(async (server) => once(server, "close")));
  }
}

const pagesOf = (out: string): Page[] =>
  fs.existsSync(out)
    ? fs
        .readFileSync(out, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Page)
    : [];
const makes = { headrace: crawl, plain };

describe.each(Object.keys(makes))("crawler, %s", { timeout: 60_000 }, (name) => {
  const make = makes[name as keyof typeof makes];

  test("CR-1 every page once, eight at a time and one of a host; it ends by itself", async () => {
    using folder = new Folder();
    await using web = new Web(150);
    await web.listen();
    const out = path.join(folder.path, "out.ndjson");
    let told = 0;
    await make({ seeds: [web.at(0)], out, interval: 1, onPage: () => (told += 1) });
    const urls = pagesOf(out).map(({ url }) => url);
    const all = Array.from({ length: 150 }, (_, page) => web.at(page));
    expect(urls.toSorted()).toEqual(all.toSorted());
    expect([told, web.mostOfOne]).toEqual([150, 1]);
    expect(web.most).toBeGreaterThan(1);
    // Once, or once more where it was busy.
    expect(Array.from(web.asked).filter(([page, times]) => times !== (Number(page) % 10 === 4 ? 2 : 1))).toEqual([]);
  });

  test("CR-2 redirects, circles, endless bodies, robots.txt, and pages that are not there", async () => {
    using folder = new Folder();
    await using web = new Web(2);
    await web.listen();
    const out = path.join(folder.path, "out.ndjson");
    const seeds = ["moved", "round", "endless", "private", "none", "broken"].map((page) => web.at(page));
    const told: Page[] = [];
    await make({ seeds, out, interval: 1, onPage: (page) => told.push(page) });
    const status = new Map(pagesOf(out).map((page) => [new URL(page.url).pathname, page.status]));
    expect(Object.fromEntries(status)).toEqual({
      "/moved": 302,
      "/round": 302,
      "/endless": 200,
      "/private": 0,
      "/none": 404,
      "/1": 200,
      "/0": 200,
    });
    expect([web.asked.get("private"), web.asked.get("broken")]).toEqual([undefined, 3]);
    expect(told.find(({ url }) => url.endsWith("broken"))).toMatchObject({ status: -1 });
  });

  test("CR-3 killed at ten moments it goes on, and fetches nothing twice that it has", async () => {
    using folder = new Folder();
    await using web = new Web(300);
    await web.listen();
    const out = path.join(folder.path, "out.ndjson");
    const program = ["--conditions=@headrace/source", path.join(root, "examples/crawler/main.ts")];
    const flags = ["--interval", "1", ...(name === "plain" ? ["--plain"] : [])];
    for (let kill = 1; kill <= 10; kill += 1) {
      const had = pagesOf(out).map(({ url }) => new URL(url).pathname.slice(1));
      const before = new Map(web.asked);
      const child = spawn(process.execPath, [...program, out, web.at(0), ...flags], { stdio: "ignore" });
      const closed = once(child, "close");
      while (child.exitCode === null && pagesOf(out).length < kill * 25) await setTimeout(1);
      child.kill("SIGKILL");
      await closed;
      expect(had.filter((page) => web.asked.get(page) !== before.get(page))).toEqual([]);
    }
    await make({ seeds: [web.at(0)], out, interval: 1, onPage: () => {} });
    const urls = pagesOf(out).map(({ url }) => url);
    expect(urls.toSorted()).toEqual(Array.from({ length: 300 }, (_, page) => web.at(page)).toSorted());
  });
});
