import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo, Server } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { bridge } from "../../examples/api-bridge/bridge.ts";
import type { Handler } from "../../examples/api-bridge/http.ts";
import { bridge as plain } from "../../examples/api-bridge/plain/bridge.ts";
import { Service } from "../../examples/api-bridge/service.ts";

/** A response: its text so far, and its end. */
interface Client {
  readonly body: Readable;
  text(): string;
  /** Its newest piece. */
  newest(): string;
  leave(): void;
}
interface Way {
  readonly serve: (handler: Handler) => Server;
  readonly get: (port: number, path: string) => Promise<Client>;
}

function reading(body: Readable, leave: () => void): Client {
  const pieces: string[] = [];
  body.setEncoding("utf8");
  body.on("data", (piece: string) => pieces.push(piece));
  body.on("error", () => {});
  return { body, leave, text: () => pieces.join(""), newest: () => pieces.at(-1) ?? "" };
}
const ways: Readonly<Record<string, Way>> = {
  "HTTP/1": {
    serve: (handler) => http.createServer(handler),
    get: async (port, path) => {
      const request = http.get({ host: "127.0.0.1", port, path, agent: false });
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      return reading(response, () => request.destroy());
    },
  },
  "HTTP/2": {
    serve: (handler) => http2.createServer(handler),
    get: async (port, path) => {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      session.on("error", () => {});
      const stream = session.request({ ":path": path });
      stream.on("close", () => session.close());
      await once(stream, "response");
      return reading(stream, () => stream.close(http2.constants.NGHTTP2_CANCEL));
    },
  },
};

/** Turns of the event loop until something holds; the test's limit is for what never does. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(1);
}
/** Until a count has stood still for a hundred turns. */
async function standsStill(count: () => number): Promise<number> {
  for (let still = 0, last = count(); still < 100; still += 1) {
    await setTimeout(1);
    if (count() !== last) [still, last] = [0, count()];
  }
  return count();
}
const ids = (text: string): number[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { readonly id: number }).id);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const symbols = (text: string): string[] =>
  Array.from(text.matchAll(/"symbol":"([^"]*)"/g), ([, symbol]) => symbol ?? "");

const both = { headrace: bridge, plain };
const cases = Object.keys(both).flatMap((make) => Object.keys(ways).map((way) => [make, way] as const));

describe.each(cases)("api-bridge, %s over %s", { timeout: 30_000 }, (make, way) => {
  const { serve, get } = ways[way] as Way;

  async function started(heartbeat?: number) {
    const service = new Service();
    const server = serve(both[make as keyof typeof both](service, heartbeat)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return {
      service,
      get: (path: string) => get(port, path),
      [Symbol.dispose]: () => void server.close(),
    };
  }

  test("AB-1 orders arrive in order, each once", async () => {
    using on = await started();
    const client = await on.get("/orders?count=300");
    await once(client.body, "end");
    expect(ids(client.text())).toEqual(upTo(300));
    expect(on.service.read).toBe(300);
  });

  test("AB-2 a client that does not read holds the service back, and then gets the rest", async () => {
    using on = await started();
    const client = await on.get("/orders?count=4000");
    client.body.pause();
    const read = await standsStill(() => on.service.read);
    // What the sockets hold, some megabytes of the 32.
    expect(read).toBeLessThan(3000);
    client.body.resume();
    await once(client.body, "end");
    expect(ids(client.text())).toEqual(upTo(4000));
  });

  test("AB-3 a client that goes away stops the reading", async () => {
    using on = await started();
    const client = await on.get("/orders?count=1000000");
    await until(() => on.service.read > 20);
    client.leave();
    await standsStill(() => on.service.read);
    expect(on.service.read).toBeLessThan(1_000_000);
  });

  test("AB-4 every client hears of a price; one that leaves is forgotten, the others hear on", async () => {
    using on = await started();
    const [one, other] = await Promise.all([on.get("/prices"), on.get("/prices")]);
    await until(() => on.service.listeners === 2);
    on.service.tell({ symbol: "MILL", at: 1 });
    await until(() => symbols(one.text()).length + symbols(other.text()).length === 2);
    one.leave();
    await until(() => on.service.listeners === 1);
    on.service.tell({ symbol: "RACE", at: 2 });
    await until(() => symbols(other.text()).length === 2);
    expect([symbols(one.text()), symbols(other.text())]).toEqual([["MILL"], ["MILL", "RACE"]]);
    on.service.close();
    await once(other.body, "end");
    expect(on.service.listeners).toBe(0);
  });

  test("AB-5 a client that is too slow misses old prices, and hears of the newest", async () => {
    using on = await started();
    const [slow, quick] = await Promise.all([on.get("/prices"), on.get("/prices")]);
    slow.body.pause();
    await until(() => on.service.listeners === 2);
    const long = "x".repeat(60_000);
    for (let at = 1; at <= 600; at += 1) {
      on.service.tell({ symbol: `${long}${at}`, at });
      await until(() => quick.newest().endsWith(`"at":${at}}\n\n`));
    }
    slow.body.resume();
    on.service.close();
    await Promise.all([once(slow.body, "end"), once(quick.body, "end")]);
    expect(symbols(quick.text())).toHaveLength(600);
    const missed = 600 - symbols(slow.text()).length;
    expect(missed).toBeGreaterThan(0);
    expect(symbols(slow.text()).at(-1)).toBe(`${long}600`);
  });

  test("AB-6 silence has a heartbeat", async () => {
    using on = await started(5);
    const client = await on.get("/prices");
    await until(() => client.text().split(": still here\n\n").length > 3);
    expect(client.text().replaceAll(": still here\n\n", "")).toBe("");
    client.leave();
    await until(() => on.service.listeners === 0);
  });

  test("AB-7 what is not there is 404", async () => {
    using on = await started();
    const client = await on.get("/nothing");
    await once(client.body, "end");
    expect(client.text()).toBe("");
  });
});
