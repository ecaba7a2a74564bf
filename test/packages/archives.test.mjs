// Archives: tar-stream on streamx, archiver on readable-stream 4.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import zlib from "node:zlib";
import { TarArchive, ZipArchive } from "archiver";
import tar from "tar-stream";
import { fromReadable, intoWritable, throughDuplex } from "../../adapters/node/index.ts";
import { collect, fromIterable, pipeline } from "../../src/index.ts";
import { disk, turns } from "./support.mjs";

const files = Array.from({ length: 30 }, (_, n) => [`${n}.txt`, `${n} a mill and its race\n`.repeat(n * 100)]);

function packed() {
  const pack = tar.pack();
  for (const [name, text] of files) pack.entry({ name }, text);
  pack.finalize();
  return pack;
}

function extracting() {
  const found = [];
  const extract = tar.extract();
  extract.on("entry", ({ name }, stream, next) => {
    void (async () => {
      const chunks = await pipeline(fromReadable(stream), collect()).done;
      found.push([name, Buffer.concat(chunks).toString()]);
      next();
    })();
  });
  return { extract, found };
}

describe("tar-stream", () => {
  test("F-31 a pack through gzip and back into an extract, entry by entry", async () => {
    const { extract, found } = extracting();
    await pipeline(
      fromReadable(packed()),
      throughDuplex(zlib.createGzip()),
      throughDuplex(zlib.createGunzip()),
      intoWritable(extract),
    ).done;
    assert.deepEqual(found, files);
  });

  test("F-31 a pack that is not read is held", async () => {
    const pack = tar.pack();
    let written = 0;
    const write = () =>
      pack.entry({ name: String(written) }, Buffer.alloc(65_536), (error) => {
        written += 1;
        if (!error && !pack.destroyed && written < 500) write();
      });
    write();
    const batches = fromReadable(pack).batches({ maxDemand: 2 });
    await batches.next();
    await turns();
    assert.ok(written < 20, `${written} written`);
    await batches.return();
  });

  test("F-31 a broken archive fails its stage, by identity", async () => {
    const errors = [];
    const extract = tar.extract().on("error", (error) => errors.push(error));
    const end = pipeline(fromIterable([Buffer.alloc(1024, "x")]), intoWritable(extract)).done;
    await assert.rejects(end, (error) => error === errors[0]);
  });

  test("F-31 a source that fails destroys the extract with its error", async () => {
    const [error, errors] = [disk(), []];
    const extract = tar.extract().on("error", (got) => errors.push(got));
    const failing = (function* fail() {
      yield packed().read() ?? Buffer.alloc(0);
      throw error;
    })();
    await assert.rejects(pipeline(fromIterable(failing), intoWritable(extract)).done, (got) => got === error);
    await turns();
    assert.deepEqual(errors, [error]);
  });
});

test("F-31 archiver gives an archive", async () => {
  const archive = new TarArchive();
  for (const [name, text] of files) archive.append(text, { name });
  const { extract, found } = extracting();
  const end = pipeline(fromReadable(archive), intoWritable(extract)).done;
  await archive.finalize();
  await end;
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries(files));
  const zip = new ZipArchive();
  zip.append("a mill", { name: "a" });
  void zip.finalize();
  const bytes = Buffer.concat(await pipeline(fromReadable(zip), collect()).done);
  assert.equal(bytes.readUInt32LE(0), 0x04034b50);
});
