import assert from "node:assert/strict";
import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, test } from "node:test";
import { consumer, fromIterable, producerConsumer } from "headrace";
import { fromReadable, intoWritable, toReadable } from "headrace/node";

const numbers = (count) => Array.from({ length: count }, (_, i) => i + 1);

/** A Writable of objects that keeps what is written, slowly. */
function sink() {
  const seen = [];
  const writable = new Writable({
    objectMode: true,
    highWaterMark: 4,
    write(chunk, _encoding, done) {
      seen.push(chunk);
      setImmediate(() => done());
    },
  });
  return { seen, writable };
}

describe("headrace/node", { timeout: 60_000 }, () => {
  test("B-60 a Readable through a stage into a Writable", async () => {
    const { seen, writable } = sink();
    const double = producerConsumer((events) => events.map((n) => n * 2));
    const output = intoWritable(writable);
    output.subscribe(double, { maxDemand: 8 });
    double.subscribe(fromReadable(Readable.from(numbers(100))));
    await output.done;
    assert.deepEqual([seen, writable.writableFinished], [numbers(100).map((n) => n * 2), true]);
  });

  test("B-61 bytes come through whole", async () => {
    const text = "wasser 水 ".repeat(20_000);
    const bytes = Readable.from([Buffer.from(text)], { objectMode: false });
    let read = "";
    const decoder = new TextDecoder();
    for await (const chunk of fromReadable(bytes)) read += decoder.decode(chunk, { stream: true });
    assert.equal(read + decoder.decode(), text);
  });

  test("B-62 a loop that leaves early destroys the Readable", async () => {
    const readable = Readable.from(numbers(100));
    const seen = [];
    for await (const n of fromReadable(readable).events({ maxDemand: 2 })) {
      seen.push(n);
      if (n === 5) break;
    }
    if (!readable.closed) await once(readable, "close");
    assert.deepEqual([seen, readable.destroyed], [[1, 2, 3, 4, 5], true]);
  });

  test("B-63 a producer as a Readable in a pipeline of Node's", async () => {
    const { seen, writable } = sink();
    await pipeline(toReadable(fromIterable(numbers(50)), { objectMode: true, Readable }), writable);
    assert.deepEqual(seen, numbers(50));
  });

  test("B-64 what a stream fails with arrives as it is", async () => {
    const error = new Error("mine");
    const broken = new Readable({ objectMode: true, read: () => broken.destroy(error) });
    const stage = consumer(() => {});
    stage.subscribe(fromReadable(broken));
    await assert.rejects(stage.done, (told) => told === error);
    const full = new Writable({ objectMode: true, write: (_chunk, _encoding, done) => done(error) });
    const output = intoWritable(full);
    output.subscribe(fromIterable([1]));
    await assert.rejects(output.done, (told) => told === error);
  });
});
