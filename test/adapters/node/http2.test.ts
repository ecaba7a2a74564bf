import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { finished, pipeline as nodePipeline, Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { fromReadable, intoWritable } from "../../../adapters/node/index.ts";
import { fromIterable, pipeline } from "../../../src/index.ts";

const CHUNK = 65_536;
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(CHUNK);
}

/** A server on loopback, and a client of it. */
async function connected(onServer: (server: http2.Http2Server) => void): Promise<http2.ClientHttp2Session> {
  const server = http2.createServer();
  onServer(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on("error", () => {});
  closers.push(
    () => server.close(),
    () => client.destroy(),
  );
  return client;
}

/** Lets a connection on loopback come to rest: nothing is taken for a hundred turns. */
async function atRest(taken: () => number): Promise<number> {
  for (let still = 0, last = -1; still < 100; still += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    await turn();
    if (taken() !== last || last === 0) still = 0;
    last = taken();
  }
  return taken();
}

describe("a response of HTTP/2's compatible API", () => {
  test.each(["headrace", "stream.pipeline"])("F-32 is held by a client that does not read: %s", async (who) => {
    let made = 0;
    function* chunks(): Generator<Buffer> {
      for (; made < 1000 * CHUNK; made += CHUNK) yield Buffer.alloc(CHUNK);
    }
    const client = await connected((server) =>
      server.on("request", (_, response) => {
        if (who === "headrace")
          pipeline(fromIterable(chunks(), { defaultMaxDemand: 4 }), intoWritable(response, { onReport: () => {} }))
            .done //
            .catch(() => {});
        else nodePipeline(Readable.from(chunks()), response, () => {});
      }),
    );
    client
      .request()
      .on("error", () => {})
      .pause();
    expect(await atRest(() => made)).toBeLessThan(1_000_000);
  });

  test("F-32 is finished, and the client has all of it", async () => {
    const ends: unknown[] = [];
    const client = await connected((server) =>
      server.on("request", (_, response) => {
        const events = Array.from({ length: 100 }, () => Buffer.alloc(CHUNK));
        pipeline(fromIterable(events), intoWritable(response)).done.then(
          () => ends.push("done"),
          (error) => ends.push(error),
        );
      }),
    );
    const request = client.request();
    let got = 0;
    request.on("data", (chunk: Buffer) => (got += chunk.length));
    await once(request, "close");
    await turn();
    expect([got, ends]).toEqual([100 * CHUNK, ["done"]]);
  });

  test("F-32 whose client leaves fails its sink", async () => {
    const end = Promise.withResolvers<unknown>();
    const client = await connected((server) =>
      server.on("request", (_, response) => {
        pipeline(
          fromIterable(endless(), { defaultMaxDemand: 4 }),
          intoWritable(response, { onReport: () => {} }),
        ).done.then(() => end.resolve("done"), end.resolve);
      }),
    );
    const request = client.request().on("error", () => {});
    await once(request, "data");
    request.close(http2.constants.NGHTTP2_CANCEL);
    expect(await end.promise).toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  });
});

describe("a stream of HTTP/2", () => {
  test("F-33 that echoes ends as stream.finished says, and the client has all of it", async () => {
    const said: unknown[] = [];
    const told: unknown[] = [];
    const client = await connected((server) =>
      server.on("stream", (stream) => {
        stream.respond();
        finished(stream, { readable: false }, (error) => said.push(error?.code ?? "ok"));
        pipeline(fromReadable(stream), intoWritable(stream)).done.then(
          () => told.push("ok"),
          (error: { code?: string }) => told.push(error.code),
        );
      }),
    );
    for (let n = 0; n < 20; n += 1) {
      const request = client.request({ ":method": "POST" });
      request.end(Buffer.alloc(300_000));
      let got = 0;
      request.on("data", (chunk: Buffer) => (got += chunk.length));
      // oxlint-disable-next-line no-await-in-loop -- one request after the other
      await once(request, "close");
      expect(got).toBe(300_000);
    }
    await atRest(() => 1);
    expect(told).toEqual(said);
    expect(told).toEqual(Array.from({ length: 20 }, () => "ok"));
  });
});
