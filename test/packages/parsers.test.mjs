// Parsers and formatters, most of them on Node's own streams.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import busboy from "busboy";
import { parse } from "csv-parse";
import { stringify } from "csv-stringify";
import split2 from "split2";
import { fromReadable, intoWritable, throughDuplex } from "../../adapters/node/index.ts";
import { collect, fromIterable, map, pipeline, take } from "../../src/index.ts";
import { joined, turns } from "./support.mjs";

const rows = Array.from({ length: 5000 }, (_, n) => [String(n), `row ${n}`]);
const csv = rows.map((row) => `${row.join(",")}\n`).join("");
const pieces = Array.from({ length: Math.ceil(csv.length / 1000) }, (_, n) => csv.slice(n * 1000, n * 1000 + 1000));

describe("split2", () => {
  test("F-31 gives lines", async () => {
    const lines = await pipeline(fromIterable(pieces), throughDuplex(split2()), collect()).done;
    assert.deepEqual(lines, csv.trimEnd().split("\n"));
  });

  test("F-31 is left after the first line, and its source with it", async () => {
    const endless = (function* repeat() {
      for (;;) yield* pieces;
    })();
    const source = fromIterable(endless);
    const splitter = split2();
    assert.deepEqual(await pipeline(source, throughDuplex(splitter), take(1), collect()).done, ["0,row 0"]);
    await turns();
    assert.deepEqual([splitter.destroyed, source.state], [true, "stopped"]);
  });
});

describe("csv-parse and csv-stringify", () => {
  test("F-31 there and back", async () => {
    const there = pipeline(fromIterable(pieces), throughDuplex(parse()));
    assert.deepEqual(await pipeline(there, collect()).done, rows);
    const back = pipeline(fromIterable(rows), throughDuplex(stringify()));
    assert.equal(joined(await pipeline(back, collect()).done), csv);
  });

  test("F-31 a row that is none fails the stage once", async () => {
    const reports = [];
    const parser = throughDuplex(parse(), { onReport: (error) => reports.push(error) });
    const end = pipeline(fromIterable(["a,b\nc\n"]), parser, collect()).done;
    await assert.rejects(end, { code: "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH" });
    await turns();
    assert.deepEqual(reports, []);
  });
});

test("F-31 busboy takes a form, and its files are read one by one", async () => {
  const boundary = "mill";
  const part = (name, text) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}"\r\n\r\n${text}\r\n`;
  const big = "x".repeat(300_000);
  const body = `${part("a", "race")}${part("b", big)}--${boundary}--\r\n`;
  const form = busboy({ headers: { "content-type": `multipart/form-data; boundary=${boundary}` } });
  const files = [];
  form.on("file", (name, stream) => {
    files.push(
      pipeline(fromReadable(stream), map(String), collect()).done.then((chunks) => [name, chunks.join("").length]),
    );
  });
  const chunks = Array.from({ length: Math.ceil(body.length / 4096) }, (_, n) => body.slice(n * 4096, n * 4096 + 4096));
  await pipeline(fromIterable(chunks), intoWritable(form)).done;
  assert.deepEqual(await Promise.all(files), [
    ["a", 4],
    ["b", 300_000],
  ]);
});
