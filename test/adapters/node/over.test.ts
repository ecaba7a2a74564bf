import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { fromReadable } from "../../../adapters/node/index.ts";
import { collect, pipeline } from "../../../src/index.ts";
import { turns } from "../../support/runtime.ts";
import { implementations } from "./support.ts";

const boom = new Error("boom");
const read = (stream: object): Promise<unknown[]> =>
  pipeline(fromReadable<unknown>(stream as Readable), collect()).done;

describe.each(implementations)("a Readable of %s that is over", (_, streams) => {
  const make = (options = {}): Readable => new streams.Readable({ read() {}, ...options });

  test("F-37 read to its end by a loop", async () => {
    const readable = streams.Readable.from(["a"]);
    for await (const chunk of readable) expect(chunk).toBe("a");
    expect(await read(readable)).toEqual([]);
  });

  test.each([0, 1, 30])("F-37 that has flowed to its end, %i turns ago", async (ago) => {
    const readable = streams.Readable.from(["a"]).resume();
    await new Promise((resolve) => readable.on("end", resolve));
    await turns(ago);
    expect(await read(readable)).toEqual([]);
  });

  test.each([0, 1, 30])("F-37 that has flowed and failed, %i turns ago", async (ago) => {
    const readable = make()
      .on("error", () => {})
      .on("data", () => {});
    await turns();
    readable.destroy(boom);
    await turns(ago);
    await expect(read(readable)).rejects.toBe(boom);
  });

  test("F-37 that has flowed and was destroyed", async () => {
    const readable = make().resume();
    await turns();
    readable.destroy();
    await expect(read(readable)).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  });

  test("F-37 that another stage has read to its end", async () => {
    const readable = streams.Readable.from(["a"]);
    expect(await read(readable)).toEqual(["a"]);
    expect(await read(readable)).toEqual([]);
  });

  test("1.3 one that flows and has more to give is refused", () => {
    const readable = make();
    readable.push("a");
    readable.resume();
    expect(() => fromReadable(readable)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
  });
});

const old = (says: object): object => Object.assign(new EventEmitter(), { pause() {}, resume() {} }, says);

describe("a stream of the old kind that is over", () => {
  test("F-37 completes if it has ended", async () => {
    expect(await read(old({ readable: false }))).toEqual([]);
    expect(await read(old({ readable: true, ended: true }))).toEqual([]);
  });

  test("F-37 has closed too early if it was destroyed", async () => {
    await expect(read(old({ destroyed: true }))).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  });
});
