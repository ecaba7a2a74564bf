import zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { throughTransformStream } from "../../../adapters/web/index.ts";
import { collect, fromIterable, pipeline } from "../../../src/index.ts";
import { turns } from "../../support/runtime.ts";
import { reporting } from "./support.ts";

const text = "a mill and its race ".repeat(5000);
const packed = zlib.gzipSync(text);

/** Unpacks, and gives what became of it, and what was reported besides. */
async function unpack(pieces: readonly Uint8Array[]): Promise<{ outcome: unknown; reports: readonly unknown[] }> {
  const { reports, onReport } = reporting();
  const unpacking = throughTransformStream<BufferSource, Uint8Array>(new DecompressionStream("gzip"), { onReport });
  const outcome: unknown = await pipeline(
    fromIterable(pieces as Uint8Array<ArrayBuffer>[]),
    unpacking,
    collect(),
  ).done.then(
    (chunks) => Buffer.concat(chunks).toString(),
    (error: unknown) => error,
  );
  await new Promise((resolve) => setImmediate(resolve));
  await turns(60);
  return { outcome, reports };
}

describe("a DecompressionStream", () => {
  test("7.2 unpacks", async () => {
    expect(await unpack([packed])).toEqual({ outcome: text, reports: [] });
  });

  test.each([
    ["that is cut off", [packed.subarray(0, -30)]],
    ["that is none", [Buffer.from("not gzip at all, not gzip at all")]],
    ["that is none, of several pieces", [Buffer.from("not gzip at all"), Buffer.from("not"), Buffer.from("not")]],
    ["with something behind it", [packed, Buffer.from("rubbish")]],
  ])("F-40 fails once with an input %s", async (_, pieces) => {
    const { outcome, reports } = await unpack(pieces);
    expect(outcome).toBeInstanceOf(TypeError);
    expect(reports).toEqual([]);
  });
});

/** A pair of a readable side that fails, and a writable side whose `close` is refused behind that. */
test.each([
  ["ERR_INVALID_STATE", 0],
  [undefined, 1],
] as const)("F-40 a close that a failed transform refuses is no second failure: code %s", async (code, told) => {
  const { reports, onReport } = reporting();
  const close = Promise.withResolvers<void>();
  const writer = {
    closed: new Promise<void>(() => {}),
    ready: Promise.resolve(),
    desiredSize: 1,
    write: () => Promise.resolve(),
    close: () => close.promise,
    abort: () => Promise.resolve(),
    releaseLock: () => {},
  };
  let fail!: (error: unknown) => void;
  const readable = new ReadableStream<number>({ start: (controller) => (fail = (error) => controller.error(error)) });
  const writable = { locked: false, getWriter: () => writer } as unknown as WritableStream<number>;
  const stage = throughTransformStream<number, number>({ readable, writable }, { onReport });
  const { done } = pipeline(fromIterable([1]), stage, collect());
  const outcome = done.catch((error: unknown) => error);
  await turns();
  const boom = new Error("boom");
  fail(boom);
  expect(await outcome).toBe(boom);
  close.reject(Object.assign(new TypeError("closed"), { code }));
  await turns();
  expect(reports.length).toBe(told);
});
