// Clients and sockets, on loopback.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { got } from "got";
import { request } from "undici";
import { createWebSocketStream, WebSocket, WebSocketServer } from "ws";
import { fromReadable, intoWritable, throughDuplex } from "../../adapters/node/index.ts";
import { collect, fromIterable, pipeline } from "../../src/index.ts";
import { joined, texts } from "./support.mjs";

describe("over HTTP", () => {
  let server;
  let url;
  before(async () => {
    server = http.createServer((req, res) => void pipeline(fromReadable(req), intoWritable(res)).done.catch(() => {}));
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  test("F-31 a stream of got's gives back what was written to it", async () => {
    const echo = throughDuplex(got.stream.post(url, { retry: { limit: 0 } }));
    const chunks = await pipeline(fromIterable(texts(2000)), echo, collect()).done;
    assert.equal(joined(chunks), texts(2000).join(""));
  });

  test("F-31 a refused connection of got's fails the stage", async () => {
    const { port } = await closedPort();
    const stream = got.stream(`http://127.0.0.1:${port}`, { retry: { limit: 0 } });
    await assert.rejects(pipeline(fromReadable(stream), collect()).done, { code: "ECONNREFUSED" });
  });

  test("F-31 a body of undici's is read, or left", async () => {
    const text = texts(2000).join("");
    const { body } = await request(url, { method: "POST", body: text });
    assert.equal(joined(await pipeline(fromReadable(body), collect()).done), text);
    const left = await request(url, { method: "POST", body: text });
    const reports = [];
    const source = fromReadable(left.body, { onReport: ({ code }) => reports.push(code) });
    for await (const _ of source) break;
    await source.done;
    // To undici a body that is left was aborted.
    assert.deepEqual([left.body.destroyed, reports], [true, ["UND_ERR_ABORTED"]]);
  });
});

describe("a WebSocket's stream", () => {
  let server;
  /** Both ends of a connection. */
  async function connected() {
    server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const client = createWebSocketStream(new WebSocket(`ws://127.0.0.1:${server.address().port}`));
    const [socket] = await once(server, "connection");
    return [client, createWebSocketStream(socket)];
  }
  after(() => server.close());

  test("F-31 is written to its end, and read to it", async () => {
    const [client, served] = await connected();
    const sent = pipeline(fromIterable(texts(2000)), intoWritable(client)).done;
    assert.equal(joined(await pipeline(fromReadable(served), collect()).done), texts(2000).join(""));
    served.end();
    await sent;
    server.close();
  });

  test("F-31 passes on what comes back", async () => {
    const [client, served] = await connected();
    served.on("data", (chunk) => {
      served.write(chunk);
      if (String(chunk).startsWith("99 ")) served.end();
    });
    const through = throughDuplex(client, { end: false });
    const chunks = await pipeline(fromIterable(texts(100)), through, collect()).done;
    assert.equal(joined(chunks), texts(100).join(""));
  });
});

async function closedPort() {
  const server = http.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address;
}
