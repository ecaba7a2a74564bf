// Programs whose source fails before a consumer has come. node exit-child.ts PROGRAM
import { once } from "node:events";
import http from "node:http";
import { Readable } from "node:stream";
import { fromReadable } from "../../../adapters/node/index.ts";
import { collect, map, pipeline, type Producer, producer } from "../../../src/index.ts";

const boom = new Error("boom");
const count = (): number => process.listenerCount("beforeExit");

/** A source that has failed, and how many listeners of `beforeExit` that has brought. */
async function failed(): Promise<Producer<Buffer>> {
  const before = count();
  const readable = new Readable({ read() {} });
  const source = fromReadable<Buffer>(readable);
  console.log("listeners", count() - before);
  readable.destroy(boom);
  await new Promise((resolve) => readable.once("close", resolve));
  // The stage's end takes a turn of its own.
  await new Promise(setImmediate);
  console.log("listeners", count() - before);
  return source;
}
const consume = async (source: Producer<Buffer>): Promise<void> => {
  await pipeline(source, collect()).done.catch((error: unknown) => console.log("caught", String(error)));
};

const programs: Readonly<Record<string, () => Promise<unknown>>> = {
  "never consumed": failed,
  "consumed later": async () => {
    const before = count();
    await consume(await failed());
    console.log("listeners", count() - before);
  },
  "two, and one consumed": async () => {
    const [, second] = [await failed(), await failed()];
    await consume(second);
  },
  // Whoever survives it is not told again.
  "caught and survived": async () => {
    let left = 1;
    process.on("uncaughtException", (error) => console.log("uncaught", String(error)));
    process.on("beforeExit", () => {
      if (left > 0) setImmediate(() => (left -= 1));
    });
    await failed();
  },
  "no sink": async () => {
    const before = count();
    const source = fromReadable<Buffer>(Readable.from([Buffer.from("a")]));
    const rows = pipeline.with({ name: "rows" })(
      source,
      map((chunk) => chunk.length),
    );
    const others = pipeline(
      [1],
      map((n) => n),
    );
    console.log("listeners", count() - before);
    await pipeline(others, collect());
    // Held here, so that it is not collected before.
    process.once("exit", () => console.log("listeners", rows.state === "running" ? count() - before : "none"));
  },
  dropped: async () => {
    (() => {
      pipeline.with({ name: "dropped" })(
        [1],
        map((n: number) => n),
      );
    })();
    for (let left = 50; left > 0; left -= 1) {
      await new Promise(setImmediate);
      globalThis.gc?.();
    }
  },
  "no function called": async () => {
    producer(() => {}).fail(boom);
    await new Promise(setImmediate);
    console.log("listeners", count());
  },
  // A client goes away while the handler looks something up.
  request: async () => {
    const answer = async (incoming: http.IncomingMessage): Promise<void> => {
      const body = fromReadable<Buffer>(incoming);
      await new Promise((resolve) => incoming.once("close", resolve));
      for (let left = 5; left > 0; left -= 1) await new Promise(setImmediate);
      await pipeline(body, collect()).done.catch((error: Error) => console.log("caught", error.message));
      console.log("still alive");
      server.close();
    };
    const server = http.createServer((incoming) => void answer(incoming));
    await once(server.listen(0), "listening");
    const { port } = server.address() as import("node:net").AddressInfo;
    const client = http.request({ port, method: "POST", headers: { "content-length": 1000 } });
    client.on("error", () => {});
    client.write("abc", () => client.destroy());
  },
};

await programs[process.argv[2] as string]?.();
