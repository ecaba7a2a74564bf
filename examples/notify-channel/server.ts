// A channel on HTTP: a page, messages by POST, and WebSockets.
import { createReadStream } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import path from "node:path";
import { decodeText, pipeline, reduce, takeWhile } from "headrace";
import { fromReadable, intoWritable } from "headrace/node";
import { WebSocketServer } from "ws";
import type { Channel, Message } from "./message.ts";

const PAGE = path.join(import.meta.dirname, "index.html");
const MOST = 10_000;

/** Nothing for what is no message, or is too long. */
async function messageOf(request: IncomingMessage): Promise<Message | undefined> {
  let room = MOST;
  const short = takeWhile((text: string) => (room -= text.length) >= 0);
  const read = reduce((all: string, text: string) => all + text, "");
  try {
    const body = fromReadable<Buffer>(request, { destroyOnCancel: false });
    const { topic, text } = JSON.parse(await pipeline(body, decodeText(), short, read)) as Partial<Message>;
    return room >= 0 && typeof topic === "string" && typeof text === "string" ? { topic, text } : undefined;
  } catch {
    return undefined;
  }
}

export function serverOf(channel: Channel): Server {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "POST") {
      const message = await messageOf(request);
      response.writeHead(message === undefined ? 400 : channel.post(message) ? 204 : 503).end();
    } else {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      await pipeline(createReadStream(PAGE), intoWritable(response));
    }
  }
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, { url }) => {
    const { searchParams } = new URL(url ?? "/", "http://localhost");
    const topics = new Set(searchParams.getAll("topic"));
    socket.on("error", () => socket.terminate());
    channel.join(socket, { topics, policy: searchParams.get("policy") === "cancel" ? "cancel" : "drop-oldest" });
  });
  return server;
}
