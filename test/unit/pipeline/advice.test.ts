import { Transform, Writable } from "node:stream";
import { map as operator } from "rxjs";
import { expect, test } from "vitest";
import { collect, fromIterable, pipeline } from "../../../src/index.ts";

test.each([
  ["a Writable", new Writable(), "got an object (Writable): intoWritable from headrace/node makes a sink of it"],
  ["a Transform", new Transform(), "got an object (Transform): throughDuplex from headrace/node makes a step of it"],
  [
    "a WritableStream",
    new WritableStream(),
    "got an object (WritableStream): intoWritableStream from headrace/web makes a sink of it",
  ],
  [
    "a TransformStream",
    new TransformStream(),
    "got an object (TransformStream): throughTransformStream from headrace/web makes a step of it",
  ],
  ["an operator", operator((n: number) => n), "throughOperators from headrace/rxjs an operator"],
  ["a step that was not called", collect, "got function collect: map(fn) takes a function"],
  ["something else", 5, "last, a sink, got 5 (docs"],
])("8.6 %s as a step is refused, and the way out named", (_what, step, text) => {
  const source = fromIterable([1]);
  expect(() => (pipeline as (...parts: readonly unknown[]) => unknown)(source, step)).toThrow(text);
});

test("8.6 so is a value that cannot be looked at", () => {
  const hostile = new Proxy(
    {},
    {
      has: () => {
        throw new Error("hostile");
      },
    },
  );
  expect(() => (pipeline as (...parts: readonly unknown[]) => unknown)(fromIterable([1]), hostile)).toThrow("a step");
});
