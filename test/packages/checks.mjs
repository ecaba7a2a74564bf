import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromReadable, intoWritable, throughDuplex } from "../../adapters/node/index.ts";
import { collect, fromIterable, pipeline, producer } from "../../src/index.ts";
import { counter, disk, joined, texts, turns, watch } from "./support.mjs";

const isPremature = { code: "ERR_STREAM_PREMATURE_CLOSE" };
/** More events than a link and the buffers of a Duplex hold together: a window of 1000, and up to six times 64 KiB. */
const MOST = 9000;
const MANY = 10_000;
/** Enough never to end in a test. Not endless: duplexify, once destroyed, reads on from what it wraps until there is nothing. */
const PLENTY = 50_000;

/**
 * The cases that every make of streams passes. `make.readable(read)` makes one that calls `read` for each chunk, null for the
 * end; `make.writable(write)` one that hands each chunk and a callback to `write`; `make.transform(fn)` one that passes on
 * what `fn` returns.
 */
export function check(name, make) {
  describe(name, () => {
    if (make.readable) describe("fromReadable", () => checkReadable(make));
    if (make.writable) describe("intoWritable", () => checkWritable(make));
    if (make.transform) describe("throughDuplex", () => checkDuplex(make));
  });
}

function reading(make, last = PLENTY) {
  const numbers = counter(last);
  const iterator = numbers[Symbol.iterator]();
  return { numbers, stream: make.readable(() => iterator.next().value ?? null) };
}

function checkReadable(make) {
  test("F-31 reads it to its end, in order", async () => {
    const { stream } = reading(make, MANY);
    assert.equal(joined(await pipeline(fromReadable(stream), collect()).done), texts(MANY).join(""));
  });

  test("F-31 holds it back", async () => {
    const { numbers, stream } = reading(make);
    const batches = fromReadable(stream).batches({ maxDemand: 2 });
    await batches.next();
    await turns();
    assert.ok(numbers.taken < MOST, `${numbers.taken} taken`);
    await batches.return();
  });

  test("F-31 fails with what it fails with, behind what it gave", async () => {
    const error = disk();
    let given = 0;
    const stream = make.readable(() => {
      given += 1;
      return given <= 3 ? "a" : undefined;
    });
    const seen = [];
    await assert.rejects(
      (async () => {
        for await (const chunk of fromReadable(stream)) {
          seen.push(chunk);
          if (joined(seen) === "aaa") setImmediate(() => stream.destroy(error));
        }
      })(),
      (got) => got === error,
    );
    assert.equal(joined(seen), "aaa");
  });

  test("F-31 destroyed before its end, it has closed too early", async () => {
    const stream = make.readable(() => undefined);
    const end = pipeline(fromReadable(stream), collect()).done;
    end.catch(() => {});
    await turns();
    stream.destroy();
    const again = pipeline(fromReadable(stream), collect()).done;
    // oxlint-disable-next-line no-await-in-loop -- one outcome after the other
    for (const outcome of [end, again]) await (make.endsDestroyed ? outcome : assert.rejects(outcome, isPremature));
  });

  test("F-31 leaving it early destroys it", async () => {
    const { stream } = reading(make);
    for await (const _ of fromReadable(stream)) break;
    await turns();
    assert.equal(stream.destroyed, true);
  });

  test("F-37 one that has ended gives its end", async () => {
    const { stream } = reading(make, 3);
    await pipeline(fromReadable(stream), collect()).done;
    await turns();
    assert.deepEqual(await pipeline(fromReadable(stream), collect()).done, []);
  });

  test("F-37 one that has flowed to its end gives its end", async () => {
    const { stream } = reading(make, 3);
    const ended = new Promise((resolve) => stream.on("end", resolve));
    stream.on("data", () => {});
    await ended;
    await turns();
    assert.deepEqual(await pipeline(fromReadable(stream), collect()).done, []);
  });

  test("1.3 one that flows is refused", () => {
    const stream = make.readable(() => undefined);
    stream.on("error", () => {}).on("data", () => {});
    assert.throws(() => fromReadable(stream), { code: "ERR_NOT_SOURCE" });
    stream.destroy();
  });
}

function checkWritable(make) {
  test("F-31 writes in order, and is done when it has finished", async () => {
    const written = [];
    let finished = false;
    const stream = make.writable((chunk, callback) => {
      written.push(String(chunk));
      setImmediate(() => callback());
    });
    stream.on("finish", () => (finished = true));
    await pipeline(fromIterable(texts(MANY)), intoWritable(stream)).done;
    assert.deepEqual([written.join(""), finished], [texts(MANY).join(""), true]);
  });

  test("F-31 is held back by it, and goes on", async () => {
    const calls = [];
    const written = [];
    const stream = make.writable((chunk, callback) => {
      written.push(String(chunk));
      calls.push(callback);
    });
    const numbers = counter();
    const sink = intoWritable(stream);
    sink.done.catch(() => {});
    sink.subscribe(fromIterable(numbers), { maxDemand: 1000 });
    await turns();
    const [taken, first] = [numbers.taken, written.length];
    assert.ok(taken < MOST, `${taken} taken`);
    await turns();
    assert.deepEqual([numbers.taken, written.length], [taken, first]);
    // oxlint-disable-next-line no-await-in-loop -- one write after the other
    for (let n = 0; n < MANY; n += 1) {
      calls.shift()?.();
      await Promise.resolve();
      await Promise.resolve();
    }
    await turns();
    assert.ok(numbers.taken > taken, "no drain was noticed");
    await sink.stop({ timeout: 0 });
    stream.destroy();
  });

  test("F-31 fails with what a write fails with", async () => {
    const error = disk();
    const stream = make.writable((_chunk, callback) => callback(error));
    await assert.rejects(pipeline(fromIterable(texts(3)), intoWritable(stream)).done, (got) => got === error);
  });

  test("F-31 a source that fails destroys it", async () => {
    const error = disk();
    const errors = [];
    const stream = make.writable((_chunk, callback) => callback());
    stream.on("error", (got) => errors.push(got));
    const source = producer(() => {});
    const end = pipeline(source, intoWritable(stream)).done;
    source.push(["a"]);
    await turns();
    source.fail(error);
    await assert.rejects(end, (got) => got === error);
    await turns();
    assert.deepEqual([stream.destroyed, errors], [true, [error]]);
  });

  test("F-31 destroyed elsewhere, it has closed too early", async () => {
    const stream = make.writable((_chunk, callback) => callback());
    const sink = intoWritable(stream);
    sink.subscribe(producer(() => {}));
    await turns();
    stream.destroy();
    await assert.rejects(sink.done, make.endsDestroyed ? { code: "ERR_STREAM_WRITE_AFTER_END" } : isPremature);
    const late = intoWritable(stream);
    await assert.rejects(late.done, isPremature);
  });

  test("F-31 ended elsewhere, it fails", async () => {
    const stream = make.writable((_chunk, callback) => callback());
    const sink = intoWritable(stream);
    const source = producer(() => {});
    sink.subscribe(source);
    await turns();
    stream.end();
    await assert.rejects(sink.done, { code: "ERR_STREAM_WRITE_AFTER_END" });
    await assert.rejects(intoWritable(stream).done, { code: /ERR_STREAM_(WRITE_AFTER_END|PREMATURE_CLOSE)/ });
  });

  test("F-31 end: false waits for the writes, and leaves it open", async () => {
    const written = [];
    const stream = make.writable((chunk, callback) => {
      written.push(String(chunk));
      setImmediate(() => callback());
    });
    await pipeline(fromIterable(["a", "b"]), intoWritable(stream, { end: false })).done;
    await pipeline(fromIterable(["c"]), intoWritable(stream)).done;
    assert.equal(written.join(""), "abc");
  });
}

function checkDuplex(make) {
  const upper = (chunk) => String(chunk).toUpperCase();

  test("F-31 passes everything through, in order", async () => {
    const through = throughDuplex(make.transform(upper));
    const letters = texts(MANY).map((text) => `a${text}`);
    assert.equal(
      joined(await pipeline(fromIterable(letters), through, collect()).done),
      letters.join("").toUpperCase(),
    );
  });

  test("F-31 holds its source back", async () => {
    const numbers = counter();
    const through = throughDuplex(make.transform(upper));
    through.subscribe(fromIterable(numbers), { maxDemand: 1000 });
    const batches = through.batches({ maxDemand: 2 });
    await batches.next();
    await turns();
    const { taken } = numbers;
    assert.ok(taken < MOST, `${taken} taken`);
    await turns();
    assert.equal(numbers.taken, taken);
    await batches.return();
  });

  test("F-31 fails with what it fails with, once", async () => {
    const [error, reports] = [disk(), []];
    const stream = make.transform(() => {
      throw error;
    });
    const through = throughDuplex(stream, { onReport: (second) => reports.push(second) });
    await assert.rejects(pipeline(fromIterable(["a"]), through, collect()).done, (got) => got === error);
    await turns();
    assert.deepEqual(reports, []);
  });

  test("F-31 a source that fails destroys it", async () => {
    const [error, stream] = [disk(), make.transform(upper)];
    const source = producer(() => {});
    const end = watch(pipeline(source, throughDuplex(stream), collect()).done);
    source.push(["a"]);
    await turns();
    source.fail(error);
    await turns();
    assert.deepEqual([end.outcome, stream.destroyed], [{ error }, true]);
  });

  test("F-31 leaving it early destroys it, and leaves its source", async () => {
    const numbers = counter();
    const source = fromIterable(numbers);
    const stream = make.transform(upper);
    for await (const _ of pipeline(source, throughDuplex(stream))) break;
    await turns();
    assert.equal(source.state, "stopped");
    assert.equal(stream.destroyed, true);
  });

  test("F-31 an empty input ends it", async () => {
    assert.deepEqual(await pipeline(fromIterable([]), throughDuplex(make.transform(upper)), collect()).done, []);
  });
}
