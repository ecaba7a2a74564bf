// What wraps streams, on readable-stream 3: duplexify, pumpify, bl, concat-stream.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import stream from "node:stream";
import bl5 from "bl-5";
import { BufferListStream } from "bl";
import concat from "concat-stream";
import duplexify from "duplexify";
import pumpify from "pumpify";
import rs3 from "readable-stream-3";
import { fromReadable, intoWritable, throughDuplex } from "../../adapters/node/index.ts";
import { collect, fromIterable, pipeline } from "../../src/index.ts";
import { check } from "./checks.mjs";
import { disk, joined, texts, turns } from "./support.mjs";

const transforming = (fn) => (chunk, _encoding, callback) => {
  let result;
  try {
    result = fn(chunk);
  } catch (error) {
    callback(error);
    return;
  }
  callback(null, result);
};
const readable = (read, { Readable } = rs3) =>
  new Readable({
    read() {
      const chunk = read();
      if (chunk !== undefined) this.push(chunk);
    },
  });

for (const [name, { Readable, Transform, Writable }] of [
  ["readable-stream 3", rs3],
  ["node:stream", stream],
]) {
  check(`duplexify over ${name}`, {
    readable: (read) => duplexify(null, readable(read, { Readable })),
    writable: (write) =>
      duplexify(new Writable({ write: (chunk, _encoding, callback) => write(chunk, callback) }), null),
    transform: (fn) => {
      const inner = new Transform({ transform: transforming(fn) });
      return duplexify(inner, inner);
    },
  });
  check(`pumpify over ${name}`, {
    transform: (fn) =>
      pumpify(
        new Transform({ transform: transforming(fn) }),
        new Transform({ transform: transforming((chunk) => chunk) }),
      ),
  });
}

describe("duplexify without sides", () => {
  test("F-31 is held until it has its writable side", async () => {
    const written = [];
    const outer = duplexify();
    const end = pipeline(fromIterable(texts(3)), intoWritable(outer)).done;
    await turns();
    outer.setReadable(null);
    outer.setWritable(
      new rs3.Writable({
        write(chunk, _encoding, callback) {
          written.push(String(chunk));
          callback();
        },
      }),
    );
    await end;
    assert.deepEqual(written, texts(3));
  });
});

for (const [name, BufferList] of [
  ["bl 5", bl5],
  ["bl", BufferListStream],
])
  describe(name, () => {
    test("F-31 is read to its end", async () => {
      const list = new BufferList();
      for (const text of texts(50)) list.append(text);
      assert.equal(joined(await pipeline(fromReadable(list), collect()).done), texts(50).join(""));
    });

    test("F-31 is filled", async () => {
      const list = new BufferList();
      await pipeline(fromIterable(texts(5000)), intoWritable(list)).done;
      assert.equal(String(list), texts(5000).join(""));
    });

    test("F-31 a source that fails destroys it", async () => {
      const [error, list] = [disk(), new BufferList()];
      const failing = (function* fail() {
        yield "a";
        throw error;
      })();
      await assert.rejects(pipeline(fromIterable(failing), intoWritable(list)).done, (got) => got === error);
      assert.equal(list.destroyed, true);
    });
  });

test("F-31 concat-stream is filled", async () => {
  let got;
  await pipeline(fromIterable(["a", "b", "c"]), intoWritable(concat((text) => (got = text)))).done;
  assert.equal(String(got), "abc");
});

test("F-31 a pumpify that fails in the middle fails its stage, and leaves the source", async () => {
  const error = disk();
  const first = new rs3.PassThrough();
  const second = new rs3.Transform({ transform: (_chunk, _encoding, callback) => callback(error) });
  const source = fromIterable(texts(5000));
  await assert.rejects(pipeline(source, throughDuplex(pumpify(first, second)), collect()).done);
  await turns();
  assert.equal(source.state, "stopped");
});
