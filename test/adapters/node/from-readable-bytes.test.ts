import { beforeEach, describe, expect, test } from "vitest";
import { fromReadable } from "../../../adapters/node/index.ts";
import { consumer } from "../../../src/index.ts";
import { type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { implementations, joinsChunks, probe, type Streams } from "./support.ts";

describe.each(implementations)("reading bytes and strings from a Readable of %s", (_, streams) => {
  const { Readable } = streams;
  const joins = joinsChunks(streams);
  let runtime: TestRuntime;
  beforeEach(() => {
    runtime = testRuntime();
  });

  /** Consumes by hand, and keeps the batches. */
  const batched = (readable: InstanceType<Streams["Readable"]>) => {
    const batches: string[][] = [];
    const stage = consumer((events: readonly unknown[]) => void batches.push(events.map(String)), { runtime });
    const subscription = stage.subscribe(fromReadable(readable, { runtime }), { demand: "manual" });
    return { batches, ask: (count: number) => subscription.ask(count) };
  };
  const holding = (...chunks: readonly string[]) => {
    const readable = new Readable({ read() {} });
    for (const chunk of chunks) readable.push(chunk);
    return readable;
  };

  // Here and below, Node 22, 24 and readable-stream: one `read()` gives all bytes there are, and one event holds them.
  // Node 26: it gives the first chunk, and each is an event.
  test("A05 what is buffered goes out for the demand there is, in one batch", async () => {
    const readable = holding("a", "b", "c", "d");
    const { batches, ask } = batched(readable);
    ask(3);
    await turns();
    expect(batches).toEqual(joins ? [["abcd"]] : [["a", "b", "c"]]);
    expect(readable.readableLength).toBe(joins ? 0 : 1);
    ask(5);
    await turns();
    readable.push("e");
    await turns();
    expect(batches.slice(1)).toEqual(joins ? [["e"]] : [["d"], ["e"]]);
    for (const chunk of ["f", "g", null]) readable.push(chunk);
    await turns();
    expect(batches.at(-1)).toEqual(joins ? ["fg"] : ["f", "g"]);
  });

  test("A05 what nobody has asked for stays in the Readable", async () => {
    const readable = holding("a", "b", "c");
    const { batches, ask } = batched(readable);
    ask(1);
    await turns();
    expect(batches).toEqual(joins ? [["abc"]] : [["a"]]);
    readable.push("d");
    await turns();
    expect(batches).toHaveLength(1);
    expect(readable.readableLength).toBe(joins ? 1 : 3);
    for (let left = 3; left > 0; left -= 1) {
      ask(1);
      // oxlint-disable-next-line no-await-in-loop -- one ask at a time
      await turns();
    }
    expect(batches).toEqual(joins ? [["abc"], ["d"]] : [["a"], ["b"], ["c"], ["d"]]);
  });

  test("A05 strings are joined on every version", async () => {
    const readable = holding("a", "b", "c");
    readable.setEncoding("utf8");
    const { batches, ask } = batched(readable);
    ask(2);
    await turns();
    expect(batches).toEqual([["abc"]]);
  });

  test.each([0, 1, 2, 3, 16, 65_536].flatMap((mark) => [true, false].map((always) => [mark, always] as const)))(
    "A05 none that was asked for is missed (highWaterMark %i, always answers at once: %s)",
    async (highWaterMark, always) => {
      const chunks = Array.from("abcdefghij");
      let reads = 0;
      const readable = new Readable({
        highWaterMark,
        read() {
          const answer = () => this.push(chunks.shift() ?? null);
          reads += 1;
          if (always || reads % 2 === 1) answer();
          else setImmediate(answer);
        },
      });
      const it = probe(fromReadable<Buffer>(readable, { runtime }), runtime);
      for (const count of [1, 2, 8]) {
        it.subscription.ask(count);
        // oxlint-disable-next-line no-await-in-loop -- the buffer fills in between
        await turns(40);
      }
      expect([it.seen.map(String).join(""), it.outcome]).toEqual(["abcdefghij", "completed"]);
    },
  );

  test.each(["the first time", "every time"])(
    "A05 a slow loop gets all of one that answers at once %s",
    async (when) => {
      let sent = 0;
      const readable = new Readable({
        read() {
          const answer = () => this.push(sent > 100 ? null : Buffer.alloc(16_384));
          sent += 1;
          if (sent === 1 || when === "every time") answer();
          else setImmediate(answer);
        },
      });
      let bytes = 0;
      for await (const event of fromReadable<Buffer>(readable, { runtime })) {
        bytes += event.length;
        await turns();
      }
      expect(bytes).toBe(100 * 16_384);
    },
  );

  test("A05 a link over bytes holds 16 chunks, one over objects 1000 events", () => {
    const bytes = fromReadable<Buffer>(new Readable({ read() {} }), { runtime });
    const objects = fromReadable<object>(new Readable({ objectMode: true, read() {} }), { runtime });
    expect(bytes.defaultMaxDemand).toBe(16);
    expect(objects.defaultMaxDemand).toBeUndefined();
    expect(fromReadable(new Readable(), { runtime, defaultMaxDemand: 3 }).defaultMaxDemand).toBe(3);
  });

  test("A09 an empty chunk is no end", async () => {
    const chunks = ["", "a", "", "", "b", null];
    const readable = new Readable({
      read() {
        setImmediate(() => this.push(chunks.shift() as string));
      },
    });
    const it = probe(fromReadable<Buffer>(readable, { runtime }), runtime);
    it.subscription.ask(2);
    await turns(20);
    expect(it.seen.map(String)).toEqual(["a", "b"]);
    expect(it.outcome).toBe("completed");
  });

  test("A37 what was put back by unshift comes first, once", async () => {
    const readable = new Readable({ read() {} });
    readable.push("abc");
    const first = readable.read(1) as Buffer;
    readable.unshift(first);
    readable.push("d");
    readable.push(null);
    const it = probe(fromReadable<Buffer>(readable, { runtime }), runtime);
    it.subscription.ask(10);
    await turns();
    expect(it.seen.map(String).join("")).toBe("abcd");
    expect(it.outcome).toBe("completed");
  });

  test("A38 text split over chunks is joined by the encoding that was set", async () => {
    const readable = new Readable({ read() {} });
    readable.setEncoding("utf8");
    const it = probe(fromReadable<string>(readable, { runtime }), runtime);
    it.subscription.ask(5);
    await turns();
    for (const byte of Buffer.from("€")) {
      readable.push(Buffer.of(byte));
      await turns();
    }
    expect(it.seen).toEqual(["€"]);
  });

  test("A38 without an encoding nothing is decoded", async () => {
    const readable = new Readable({ read() {} });
    const it = probe(fromReadable<Buffer>(readable, { runtime }), runtime);
    it.subscription.ask(5);
    await turns();
    for (const byte of Buffer.from("€")) {
      readable.push(Buffer.of(byte));
      await turns();
    }
    expect(it.seen).toEqual(Array.from(Buffer.from("€"), (byte) => Buffer.of(byte)));
  });

  test("A39 text cut off at the end gives one replacement character", async () => {
    const readable = new Readable({ read() {} });
    readable.setEncoding("utf8");
    const it = probe(fromReadable<string>(readable, { runtime }), runtime);
    it.subscription.ask(5);
    await turns();
    readable.push(Buffer.from("€").subarray(0, 2));
    readable.push(null);
    await turns();
    expect(it.seen).toEqual(["�"]);
    expect(it.outcome).toBe("completed");
  });
});
