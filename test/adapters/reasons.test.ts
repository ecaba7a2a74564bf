import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { fromReadable, throughDuplex, toReadable } from "../../adapters/node/index.ts";
import { fromReadableStream, throughTransformStream, toReadableStream } from "../../adapters/web/index.ts";
import { map, pipeline, type Producer } from "../../src/index.ts";
import { turns } from "../support/runtime.ts";

const why = new Error("why");
/** It waits for turns of streams besides those of stages. */
const settle = (): Promise<void> => turns(60);

/** A source of either kind that never ends, and what it was cancelled or destroyed with. */
const origins: readonly (readonly [string, () => { readonly source: Producer<unknown>; readonly told: unknown[] }])[] =
  [
    [
      "fromReadable",
      () => {
        const told: unknown[] = [];
        const readable = new Readable({
          objectMode: true,
          read() {
            this.push(1);
          },
          destroy(error, callback) {
            told.push(error);
            callback(error);
          },
        });
        return { source: fromReadable(readable, { onReport: () => {} }), told };
      },
    ],
    [
      "fromReadableStream",
      () => {
        const told: unknown[] = [];
        const stream = new ReadableStream({
          pull: (controller) => controller.enqueue(1),
          cancel: (reason) => void told.push(reason),
        });
        return { source: fromReadableStream<unknown>(stream, { onReport: () => {} }), told };
      },
    ],
  ];

const middles: readonly (readonly [string, (source: Producer<unknown>) => Producer<unknown>])[] = [
  ["nothing", (source) => source],
  [
    "a step",
    (source) =>
      pipeline(
        source,
        map((event: unknown) => event),
      ),
  ],
  [
    "throughDuplex",
    (source) =>
      pipeline(source, throughDuplex<unknown, unknown>(new PassThrough({ objectMode: true }), { onReport: () => {} })),
  ],
  [
    "throughTransformStream",
    (source) =>
      pipeline(source, throughTransformStream<unknown, unknown>(new TransformStream(), { onReport: () => {} })),
  ],
];

describe.each(origins)("the reason of who leaves reaches the source of %s", (_, origin) => {
  describe.each(middles)("behind %s", (__, middle) => {
    test("F-35 destroy(error) of a Readable", async () => {
      const { source, told } = origin();
      const out = toReadable(middle(source)).on("error", () => {});
      out.once("data", () => {});
      await settle();
      out.destroy(why);
      await settle();
      expect(told).toEqual([why]);
      expect(told[0]).toBe(why);
    });

    test("F-35 cancel(reason) of a ReadableStream, a value of any kind", async () => {
      const { source, told } = origin();
      const reader = toReadableStream(middle(source)).getReader();
      await reader.read();
      await reader.cancel("why").catch(() => {});
      await settle();
      expect(told).toEqual(["why"]);
    });

    test("F-35 a pipeTo that fails", async () => {
      const { source, told } = origin();
      const writable = new WritableStream({
        write() {
          throw why;
        },
      });
      await expect((toReadableStream(middle(source)) as ReadableStream).pipeTo(writable)).rejects.toBe(why);
      await settle();
      expect(told[0]).toBe(why);
    });
  });
});
