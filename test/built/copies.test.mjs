// Two copies of the package in one program, as nested dependencies bring them about.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as first from "headrace";

// A query would give a second copy of the entry alone: what it imports is resolved without.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "headrace-copy-"));
const entry = fileURLToPath(import.meta.resolve("headrace"));
const dist = path.dirname(path.dirname(entry));
fs.cpSync(dist, path.join(folder, "dist"), { recursive: true });
fs.writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
const second = await import(pathToFileURL(path.join(folder, "dist", path.relative(dist, entry))).href);
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** What a function throws. */
function thrownBy(run) {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What a stage of one copy fails with when a callback throws no object: an error would arrive as it is. */
async function failure({ consumer, fromIterable }) {
  const stage = consumer(() => {
    throw "mine"; // oxlint-disable-line no-throw-literal -- what users do, too
  });
  stage.subscribe(fromIterable([1]));
  return stage.done.catch((error) => error);
}

describe("two copies", { timeout: 60_000 }, () => {
  test("B-20 they are two", () => {
    assert.notEqual(first.ArgumentError, second.ArgumentError);
    assert.notEqual(first.producer, second.producer);
  });

  test("B-21 they agree on what is an error of the package, and of which family", async () => {
    for (const [mine, other] of [
      [first, second],
      [second, first],
    ]) {
      const argument = thrownBy(() => mine.producer());
      const overflow = thrownBy(() => mine.producer(() => [], { bufferSize: 0 }).push([1]));
      const callback = await failure(mine);
      const families = ["ArgumentError", "OverflowError", "CallbackError", "ProtocolError"];
      for (const [error, family] of [
        [argument, "ArgumentError"],
        [overflow, "OverflowError"],
        [callback, "CallbackError"],
      ])
        for (const name of families) {
          assert.equal(error instanceof other[name], name === family, `${family} instanceof ${name}`);
          assert.equal(error instanceof mine[name], name === family, `${family} instanceof ${name}`);
        }
    }
    assert.equal(new TypeError("not ours") instanceof first.ArgumentError, false);
    assert.equal(Object.create(null) instanceof second.ArgumentError, false);
  });

  test("B-22 stages of one take events from stages of the other", async () => {
    const seen = [];
    const double = second.producerConsumer((events) => events.map((n) => n * 2));
    const sink = first.consumer((events) => void seen.push(...events));
    sink.subscribe(double);
    double.subscribe(first.fromIterable([1, 2, 3]));
    await sink.done;
    assert.deepEqual(seen, [2, 4, 6]);
  });

  test("B-23 a failure goes from one to the other", async () => {
    const error = new Error("mine");
    const source = first.producer(() => {
      throw error;
    });
    const sink = second.consumer(() => {});
    sink.subscribe(source);
    const told = await sink.done.catch((reason) => reason);
    assert.equal(told, error);
    await assert.rejects(source.done, (reason) => reason === error);
    assert.equal(first.failureOf(error)?.callback, "handleDemand");
    assert.equal(second.failureOf(error), first.failureOf(error));
    assert.equal(sink.failure, source.failure);
  });
});
