import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { channel } from "../../examples/notify-channel/channel.ts";
import type { Channel, Message } from "../../examples/notify-channel/message.ts";
import { channel as plain } from "../../examples/notify-channel/plain/channel.ts";
import { serverOf } from "../../examples/notify-channel/server.ts";

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(1);
}

const news = (text: string): Message => ({ topic: "news", text });

class Client {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on("message", (data: Buffer) => this.messages.push(...(JSON.parse(data.toString()) as Message[])));
    this.socket.on("close", (code, reason) => (this.closed = { code, reason: String(reason) }));
    this.socket.on("error", () => {});
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }
}

const makes: Readonly<Record<string, (interval: number) => Channel>> = { headrace: channel, plain };
const HOUR = 3_600_000;

describe.each(Object.keys(makes))("notify-channel, %s", { timeout: 60_000 }, (name) => {
  class Running implements AsyncDisposable {
    readonly told: Channel;
    readonly server: Server;

    constructor(interval: number) {
      this.told = (makes[name] as (interval: number) => Channel)(interval);
      this.server = serverOf(this.told).listen(0, "127.0.0.1");
    }

    get address(): string {
      return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    }

    async client(query = ""): Promise<Client> {
      const client = new Client(`ws://${this.address}/?${query}`);
      await once(client.socket, "open");
      return client;
    }

    async post(body: string): Promise<number> {
      const answer = await fetch(`http://${this.address}/`, { method: "POST", body });
      await answer.text();
      return answer.status;
    }

    async [Symbol.asyncDispose](): Promise<void> {
      await this.told.close();
      this.server.closeAllConnections();
      this.server.close();
    }
  }
  async function started(interval: number): Promise<Running> {
    const on = new Running(interval);
    await once(on.server, "listening");
    return on;
  }
  /** Posts, waiting for room, and for someone to have heard. */
  async function tell({ told }: Running, hears: Client, text: string): Promise<void> {
    while (!told.post(news(text))) await setTimeout(1);
    await until(() => hears.messages.at(-1)?.text === text);
  }

  test("NC-1 each client hears of its own topics, in order", async () => {
    await using on = await started(1);
    const [all, ticks, both] = await Promise.all([
      on.client(),
      on.client("topic=ticks"),
      on.client("topic=news&topic=other"),
    ]);
    await until(() => on.told.size() === 3 && ticks.messages.length > 0);
    for (const text of ["a", "b", "c"])
      expect(await on.post(JSON.stringify({ topic: text === "b" ? "none" : "news", text }))).toBe(204);
    await until(() => both.messages.length === 2 && all.texts.includes("c"));
    expect(both.texts).toEqual(["a", "c"]);
    expect(all.texts.filter((text) => !text.startsWith("tick"))).toEqual(["a", "b", "c"]);
    expect(new Set(ticks.messages.map(({ topic }) => topic))).toEqual(new Set(["ticks"]));
    const numbers = ticks.texts.map((text) => Number(text.slice(5)));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  test("NC-2 a client that stalls misses old messages and holds no one up", async () => {
    await using on = await started(HOUR);
    const [quick, stalled] = await Promise.all([on.client(), on.client()]);
    await until(() => on.told.size() === 2);
    stalled.socket.pause();
    const long = "x".repeat(50_000);
    const texts = Array.from({ length: 600 }, (_, i) => `${i} ${long}`);
    for (const text of texts) await tell(on, quick, text);
    expect(quick.texts).toEqual(texts);
    stalled.socket.resume();
    await until(() => stalled.messages.at(-1)?.text === texts.at(-1));
    const missed = texts.length - stalled.messages.length;
    expect(missed).toBeGreaterThan(0);
    // What it has heard is in order, and the last hundred are among it.
    expect(texts.filter((text) => stalled.texts.includes(text))).toEqual(stalled.texts);
    expect(stalled.texts.slice(-100)).toEqual(texts.slice(-100));
  });

  test("NC-3 or it is cut off, and told why", async () => {
    await using on = await started(HOUR);
    const [quick, stalled] = await Promise.all([on.client(), on.client("policy=cancel")]);
    await until(() => on.told.size() === 2);
    stalled.socket.pause();
    const long = "x".repeat(50_000);
    for (let i = 0; i < 600; i += 1) await tell(on, quick, `${i} ${long}`);
    stalled.socket.resume();
    await until(() => stalled.closed !== undefined);
    expect(stalled.closed).toEqual({ code: 1013, reason: "too slow" });
    expect([quick.messages.length, stalled.messages.length < 600]).toEqual([600, true]);
  });

  test("NC-4 two thousand clients come and go, and leave nothing behind", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    await using on = await started(1);
    const held = async (): Promise<number> => {
      await until(() => on.told.size() === 0);
      for (let i = 0; i < 5; i += 1) {
        await setTimeout(5);
        gc();
      }
      return process.memoryUsage().heapUsed;
    };
    async function comeAndGo(count: number): Promise<void> {
      for (let i = 0; i < count; i += 50) {
        const clients = await Promise.all(
          Array.from({ length: 50 }, (_, k) => on.client(`topic=${k % 2 ? "ticks" : "news"}`)),
        );
        for (const [k, { socket }] of clients.entries())
          if (k % 3 === 0) socket.terminate();
          else socket.close();
        await Promise.all(clients.map(async (client) => until(() => client.closed !== undefined)));
      }
    }
    await comeAndGo(500);
    const before = await held();
    await comeAndGo(1500);
    const bytes = ((await held()) - before) / 1500;
    expect(on.told.size()).toBe(0);
    // Far below what a stage takes.
    expect(bytes).toBeLessThan(1000);
  });

  test("NC-5 an end of the channel is told; what is no message is refused", async () => {
    await using on = await started(HOUR);
    const client = await on.client();
    await until(() => on.told.size() === 1);
    expect([await on.post("no JSON"), await on.post('{"topic":1}'), await on.post("x".repeat(100_000))]).toEqual([
      400, 400, 400,
    ]);
    await on.told.close();
    await until(() => client.closed !== undefined);
    expect([client.closed?.code, on.told.post(news("late"))]).toEqual([1005, false]);
  });
});
