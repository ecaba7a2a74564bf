// Streams from before Node 0.10: through, JSONStream, highland, and what people wrote by hand.
import assert from "node:assert/strict";
import stream from "node:stream";
import { describe, test } from "node:test";
import highland from "highland";
import JSONStream from "JSONStream";
import through from "through";
import { fromReadable, intoWritable, throughDuplex } from "../../adapters/node/index.ts";
import { collect, fromIterable, pipeline, producer } from "../../src/index.ts";
import { counter, disk, texts, turns, watch } from "./support.mjs";

describe("through", () => {
  test("F-31 passes everything through, and ends", async () => {
    const upper = through(function write(text) {
      this.queue(text.toUpperCase());
    });
    assert.deepEqual(await pipeline(fromIterable(["a", "b"]), throughDuplex(upper), collect()).done, ["A", "B"]);
  });

  test("F-31 is held while its reader is slow", async () => {
    const numbers = counter();
    const stage = throughDuplex(through());
    stage.subscribe(fromIterable(numbers), { maxDemand: 10 });
    const batches = stage.batches({ maxDemand: 2 });
    await batches.next();
    await turns();
    assert.ok(numbers.taken <= 30, `${numbers.taken} taken`);
    await batches.return();
  });

  test("F-31 fails once", async () => {
    const [error, reports] = [disk(), []];
    const failing = through(function write() {
      this.emit("error", error);
    });
    const stage = throughDuplex(failing, { onReport: (second) => reports.push(second) });
    await assert.rejects(pipeline(fromIterable(["a"]), stage, collect()).done, (got) => got === error);
    assert.deepEqual(reports, []);
  });

  test("F-31 is written to, paused and resumed", async () => {
    const seen = [];
    const slow = through(
      (text) => {
        seen.push(text);
        slow.pause();
        setImmediate(() => slow.resume());
      },
      () => slow.queue(null),
    );
    await pipeline(fromIterable(texts(100)), intoWritable(slow)).done;
    assert.deepEqual(seen, texts(100));
  });

  test("F-31 a source that fails destroys it", async () => {
    const [error, closes] = [disk(), []];
    const sink = through().on("close", () => closes.push("close"));
    const source = producer(() => {});
    const end = pipeline(source, intoWritable(sink)).done;
    await turns();
    source.fail(error);
    await assert.rejects(end, (got) => got === error);
    assert.deepEqual(closes, ["close"]);
  });

  test("F-37 one that has ended gives its end", async () => {
    const ended = through();
    ended.resume();
    ended.end();
    assert.deepEqual(await pipeline(fromReadable(ended), collect()).done, []);
  });
});

test("F-31 JSONStream parses what is written to it", async () => {
  const rows = Array.from({ length: 1000 }, (_, id) => ({ id }));
  const text = JSON.stringify({ rows });
  const pieces = Array.from({ length: Math.ceil(text.length / 10) }, (_, n) => text.slice(n * 10, n * 10 + 10));
  const parse = throughDuplex(JSONStream.parse("rows.*"));
  assert.deepEqual(await pipeline(fromIterable(pieces), parse, collect()).done, rows);
  const broken = throughDuplex(JSONStream.parse("*"), { onReport: () => {} });
  await assert.rejects(pipeline(fromIterable(["[1,}"]), broken, collect()).done, /Unexpected RIGHT_BRACE/);
});

describe("highland", () => {
  test("F-31 is read to its end, and held", async () => {
    const numbers = counter(100);
    const source = fromReadable(highland(numbers[Symbol.iterator]()));
    const batches = source.batches({ maxDemand: 4 });
    await batches.next();
    await turns();
    assert.ok(numbers.taken <= 12, `${numbers.taken} taken`);
    let count = 0;
    for await (const batch of batches) count += batch.length;
    assert.ok(count >= 95);
  });

  test("F-31 fails with what it fails with", async () => {
    const error = disk();
    const failing = highland((push) => push(error));
    await assert.rejects(pipeline(fromReadable(failing), collect()).done, (got) => got === error);
  });

  test("F-31 is written to as fast as it is read, and ended", async () => {
    const numbers = counter(100);
    const into = highland();
    const sink = intoWritable(into);
    sink.subscribe(fromIterable(numbers), { maxDemand: 10 });
    await turns();
    assert.equal(numbers.taken, 10);
    const all = await new Promise((resolve) => into.toArray(resolve));
    assert.deepEqual(all, texts(100));
    await sink.done;
  });

  test("F-31 passes everything through", async () => {
    const middle = highland.pipeline(highland.map((text) => text.toUpperCase()));
    assert.deepEqual(await pipeline(fromIterable(["a", "b"]), throughDuplex(middle), collect()).done, ["A", "B"]);
  });
});

describe("a writable by hand", () => {
  /** What Node's own were: `write` returns false when it has enough, and `drain` follows. */
  function byHand({ onEnd = (self) => self.emit("close") } = {}) {
    const self = Object.assign(new stream.Stream(), {
      writable: true,
      written: [],
      write(text) {
        self.written.push(text);
        return self.written.length % 3 !== 0;
      },
      end() {
        self.writable = false;
        onEnd(self);
      },
    });
    return self;
  }

  for (const event of ["close", "finish", "end"])
    test(`F-31 is held back, and done at its ${event}`, async () => {
      const old = byHand({ onEnd: (self) => setImmediate(() => self.emit(event)) });
      const numbers = counter(9);
      const sink = intoWritable(old);
      sink.subscribe(fromIterable(numbers));
      const end = watch(sink.done);
      await turns();
      assert.equal(old.written.length, 3);
      old.emit("drain");
      await turns();
      assert.equal(old.written.length, 6);
      old.emit("drain");
      await turns();
      assert.deepEqual([old.written, end.outcome], [texts(9), { value: undefined }]);
    });

  test("F-31 one without destroy is left by its failure", async () => {
    const error = disk();
    const source = producer(() => {});
    const end = pipeline(source, intoWritable(byHand())).done;
    await turns();
    source.fail(error);
    await assert.rejects(end, (got) => got === error);
  });

  test("F-31 one that was ended elsewhere loses nothing in silence", async () => {
    const old = byHand();
    const source = producer(() => {});
    const sink = intoWritable(old);
    sink.subscribe(source);
    await turns();
    old.writable = false;
    source.push(["a"]);
    await assert.rejects(sink.done, { code: "ERR_STREAM_WRITE_AFTER_END" });
    assert.equal(source.bufferedCount, 1);
  });
});

test("F-31 what is no stream is refused, with the way to adapt it", () => {
  for (const [adapt, value, advice] of [
    [fromReadable, new ReadableStream(), /fromReadableStream/],
    [intoWritable, new WritableStream(), /intoWritableStream/],
    [throughDuplex, new TransformStream(), /throughTransformStream/],
    [fromReadable, [1].values(), /fromIterable/],
    [fromReadable, new stream.Writable(), /a Readable, which has read/],
    [intoWritable, new stream.Readable({ read() {} }), /a Writable, which has write, end/],
    [throughDuplex, new stream.Readable({ read() {} }), /a Duplex, which has both sides/],
    [intoWritable, { write() {}, end() {} }, /on and removeListener/],
  ])
    assert.throws(() => adapt(value), { code: "ERR_NOT_SOURCE", message: advice });
});
