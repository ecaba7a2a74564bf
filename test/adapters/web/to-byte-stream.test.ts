import { describe, expect, test } from "vitest";
import { toReadableStream } from "../../../adapters/web/index.ts";
import { fromIterable } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { bytes, endOf, upstream } from "./support.ts";

const stringOf = (view: ArrayBufferView | undefined): string =>
  view === undefined ? "none" : Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("latin1");
const textOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const streamOf = (...events: readonly ArrayBufferView[]) =>
  toReadableStream(fromIterable(events, { runtime: testRuntime() }), { type: "bytes" });

/** Reads into views of so many bytes until the end, and answers with what was read each time. */
async function intoViews(stream: ReadableStream, size: number): Promise<string[]> {
  const reader = stream.getReader({ mode: "byob" });
  const read: string[] = [];
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(size));
    if (done) return [...read, `end ${value?.byteLength}`];
    read.push(stringOf(value));
  }
}

describe("a byte stream of a producer", () => {
  test("7.1 gives chunks as they come to a default reader, and leaves the events whole", async () => {
    const events = [textOf("mill"), textOf(""), Buffer.from("race"), new DataView(textOf("!").buffer)];
    const chunks: string[] = [];
    for await (const chunk of streamOf(...events)) chunks.push(stringOf(chunk));
    expect(chunks).toEqual(["mill", "race", "!"]);
    expect(events.map((event) => stringOf(event))).toEqual(["mill", "", "race", "!"]);
  });

  test.each([
    [3, ["mil", "l", "rac", "e"]],
    [4, ["mill", "race"]],
    [100, ["mill", "race"]],
  ])("H14 fills views of %i bytes", async (size, read) => {
    expect(await intoViews(streamOf(textOf("mill"), textOf("race")), size)).toEqual([...read, "end 0"]);
  });

  test("H14 fills views of wider elements", async () => {
    const reader = streamOf(bytes(3), bytes(5)).getReader({ mode: "byob" });
    const first = await reader.read(new Uint16Array(2));
    const second = await reader.read(new Uint16Array(9));
    const read = [first, second].map(({ value }) => Array.from(Buffer.from(stringOf(value), "latin1")));
    // The third byte waits for the one that makes an element of it.
    expect(read).toEqual([
      [0, 1],
      [2, 0, 1, 2, 3, 4],
    ]);
  });

  test("H15 the end with a view pending", async () => {
    const up = upstream<Uint8Array>(testRuntime());
    const reader = toReadableStream(up.stage, { type: "bytes" }).getReader({ mode: "byob" });
    const pending = reader.read(new Uint8Array(8));
    await turns();
    up.stage.complete();
    expect(await pending).toEqual({ done: true, value: new Uint8Array(0) });
    expect(endOf(reader)).toEqual({});
  });

  test("H21 a failure with a view pending", async () => {
    const up = upstream<Uint8Array>(testRuntime());
    const reader = toReadableStream(up.stage, { type: "bytes" }).getReader({ mode: "byob" });
    const pending = reader.read(new Uint8Array(8));
    await turns();
    up.stage.fail("E");
    await expect(pending).rejects.toBe("E");
  });

  test("H19 asks for one event at a time, and for none unread", async () => {
    const up = upstream<Uint8Array>(testRuntime(), () => [bytes(10)]);
    const stream = toReadableStream(up.stage, { type: "bytes" });
    await turns();
    expect(up.demands).toEqual([]);
    const reader = stream.getReader({ mode: "byob" });
    for (let i = 0; i < 5; i += 1) await reader.read(new Uint8Array(4));
    // 4, 4, 2 of the first, 4 and 4 of the second.
    expect(up.demands).toEqual([1, 1]);
  });

  test("H19 the high-water mark counts bytes", async () => {
    const up = upstream<Uint8Array>(testRuntime(), () => [bytes(10)]);
    const stream = toReadableStream(up.stage, { type: "bytes", highWaterMark: 25 });
    await turns();
    expect(up.demands).toEqual([1, 1, 1]);
    await stream.cancel();
  });

  test("5.6 what is left of an event goes back, with those behind it", async () => {
    const runtime = testRuntime();
    const source = fromIterable([textOf("mill"), textOf("race")], { runtime, onLastCancel: "continue" });
    const reader = toReadableStream(source, { type: "bytes", maxDemand: 2 }).getReader({ mode: "byob" });
    expect(stringOf((await reader.read(new Uint8Array(3))).value)).toBe("mil");
    await reader.cancel();
    const rest: string[] = [];
    for await (const event of source) rest.push(stringOf(event));
    expect(rest).toEqual(["l", "race"]);
  });

  test.each(["text", 5, null, new ArrayBuffer(3)])(
    "7.1 an event that is no view of bytes fails it: %s",
    async (event) => {
      const up = upstream<never>(testRuntime(), () => [event as never]);
      const reader = toReadableStream(up.stage, { type: "bytes" }).getReader();
      await expect(reader.read()).rejects.toThrow(TypeError);
      await turns();
      expect(up.ends).toEqual([{ type: "cancel", reason: expect.any(TypeError) }]);
    },
  );

  test("7.1 is a body that fetch takes", async () => {
    expect(await new Response(streamOf(textOf("a mill "), textOf("and its race"))).text()).toBe("a mill and its race");
  });
});

test("H14 an end in the middle of a wider element is the reader's to hear of, and nobody else's", async () => {
  const reports: unknown[] = [];
  const source = fromIterable([new Uint8Array(3)], {
    runtime: testRuntime(),
    onReport: (error) => reports.push(error),
  });
  const reader = toReadableStream(source, { type: "bytes" }).getReader({ mode: "byob" });
  expect((await reader.read(new Uint16Array(2))).value).toHaveLength(1);
  await expect(reader.read(new Uint16Array(2))).rejects.toThrow(TypeError);
  await turns();
  expect([source.state, reports]).toEqual(["completed", []]);
});
