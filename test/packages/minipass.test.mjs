// minipass, and tar, which is made of it.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { Minipass } from "minipass";
import * as tar from "tar";
import { fromReadable, intoWritable, throughDuplex } from "../../adapters/node/index.ts";
import { collect, fromIterable, pipeline, producer } from "../../src/index.ts";
import { counter, disk, joined, texts, turns } from "./support.mjs";

const isPremature = { code: "ERR_STREAM_PREMATURE_CLOSE" };

describe("minipass", () => {
  test("F-31 is read to its end, object by object", async () => {
    const stream = new Minipass({ objectMode: true });
    for (const n of [0, 1, 2]) stream.write(n);
    stream.end();
    assert.deepEqual(await pipeline(fromReadable(stream), collect()).done, [0, 1, 2]);
  });

  test("F-31 is read while it is written", async () => {
    const stream = new Minipass();
    const end = pipeline(fromReadable(stream), collect()).done;
    for (const text of texts(20)) {
      stream.write(text);
      // oxlint-disable-next-line no-await-in-loop -- one write after the other
      await turns(1);
    }
    stream.end();
    assert.equal(joined(await end), texts(20).join(""));
  });

  test("F-31 is not read without demand", async () => {
    const stream = new Minipass({ objectMode: true });
    const batches = fromReadable(stream).batches({ maxDemand: 1 });
    for (const n of [0, 1, 2]) assert.equal(stream.write(n), false);
    assert.deepEqual((await batches.next()).value, [0]);
    await turns();
    assert.equal(stream.read(), 1);
    await batches.return();
    assert.equal(stream.destroyed, true);
  });

  test("F-31 F-37 its end and its error are given, also afterwards", async () => {
    const error = disk();
    const ended = new Minipass().end();
    assert.deepEqual(await pipeline(fromReadable(ended), collect()).done, []);
    const flowed = new Minipass();
    flowed.on("data", () => {});
    flowed.end("a");
    assert.deepEqual(await pipeline(fromReadable(flowed), collect()).done, []);
    const failed = new Minipass().on("error", () => {});
    failed.destroy(error);
    await assert.rejects(pipeline(fromReadable(failed), collect()).done, (got) => got === error);
  });

  test("F-31 fails with what it fails with", async () => {
    const [error, stream] = [disk(), new Minipass()];
    const end = pipeline(fromReadable(stream), collect()).done;
    end.catch(() => {});
    await turns();
    stream.destroy(error);
    await assert.rejects(end, (got) => got === error);
  });

  test("F-31 destroyed without an error it has closed too early", async () => {
    const stream = new Minipass();
    const end = pipeline(fromReadable(stream), collect()).done;
    end.catch(() => {});
    await turns();
    stream.destroy();
    await assert.rejects(end, isPremature);
  });

  test("F-31 one that flows is refused", () => {
    const stream = new Minipass();
    stream.resume();
    assert.throws(() => fromReadable(stream), { code: "ERR_NOT_SOURCE" });
  });

  test("F-31 is written to as fast as it is read", async () => {
    const stream = new Minipass({ objectMode: true });
    const numbers = counter(300);
    const sink = intoWritable(stream);
    sink.subscribe(fromIterable(numbers), { maxDemand: 10 });
    await turns();
    assert.equal(numbers.taken, 10);
    assert.equal(joined(await stream.collect()), texts(300).join(""));
    await sink.done;
  });

  test("F-31 a source that fails destroys it", async () => {
    const [error, stream, errors] = [disk(), new Minipass(), []];
    stream.on("error", (got) => errors.push(got));
    const source = producer(() => {});
    const end = pipeline(source, intoWritable(stream)).done;
    await turns();
    source.fail(error);
    await assert.rejects(end, (got) => got === error);
    assert.deepEqual([stream.destroyed, errors], [true, [error]]);
  });

  test("F-31 ended or destroyed elsewhere it fails its stage", async () => {
    for (const [how, code] of [
      ["end", "ERR_STREAM_WRITE_AFTER_END"],
      ["destroy", "ERR_STREAM_PREMATURE_CLOSE"],
    ]) {
      const stream = new Minipass();
      stream.resume();
      const sink = intoWritable(stream);
      sink.subscribe(producer(() => {}));
      // oxlint-disable-next-line no-await-in-loop -- one case after the other
      await turns();
      stream[how]();
      // oxlint-disable-next-line no-await-in-loop -- one case after the other
      await assert.rejects(sink.done, { code });
    }
  });

  test("F-31 passes everything through", async () => {
    const through = throughDuplex(new Minipass({ objectMode: true }));
    assert.equal(joined(await pipeline(fromIterable(texts(500)), through, collect()).done), texts(500).join(""));
  });
});

test("F-31 tar is written by a pack and read by a parser", async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "headrace-tar-"));
  try {
    fs.writeFileSync(path.join(dir, "a.txt"), "a mill".repeat(50_000));
    const names = [];
    const parser = new tar.Parser({
      onReadEntry(entry) {
        names.push([entry.path, entry.size]);
        entry.resume();
      },
    });
    await pipeline(fromReadable(tar.create({ cwd: dir }, ["a.txt"])), intoWritable(parser)).done;
    assert.deepEqual(names, [["a.txt", 300_000]]);
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});
