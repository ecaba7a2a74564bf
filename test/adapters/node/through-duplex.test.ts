import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import type { DuplexOptions } from "node:stream";
import { createBrotliCompress, createBrotliDecompress, createGunzip, createGzip, gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { fromReadable, intoWritable, throughDuplex } from "../../../adapters/node/index.ts";
import { collect, consumer, fromIterable, map, partitionDispatcher, pipeline } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { counted, implementations, listeners, probe, upstream, watch } from "./support.ts";

const expectCode = (run: () => unknown, code: string) => expect(run).toThrow(expect.objectContaining({ code }));
type Hook = { done?: (error?: Error | null) => void };

const cut = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
const joinedUp = async (done: Promise<Buffer[]>): Promise<Buffer> => Buffer.concat(await done);

describe.each(implementations)("through a Duplex of %s", (_name, { Duplex, PassThrough, Transform }) => {
  let runtime: TestRuntime;
  let reports: [error: unknown, phase: string][];
  const onReport = (error: unknown, { phase }: { readonly phase: string }) => void reports.push([error, phase]);
  beforeEach(() => {
    runtime = testRuntime();
    reports = [];
  });

  test("D01 all goes in and comes out, in order, within the marks", async () => {
    const duplex = new PassThrough({ objectMode: true, highWaterMark: 4 });
    const stage = throughDuplex<number, number>(duplex, { runtime, onReport });
    const up = counted(runtime, 100);
    const seen: number[] = [];
    const most = { readable: 0, writable: 0 };
    const sink = consumer<number>(
      (events) => {
        seen.push(...events);
        most.readable = Math.max(most.readable, duplex.readableLength);
        most.writable = Math.max(most.writable, duplex.writableLength);
      },
      { runtime },
    );
    sink.subscribe(stage, { maxDemand: 10, minDemand: 5 });
    stage.subscribe(up.stage, { maxDemand: 10, minDemand: 5 });
    await sink.done;
    expect(seen).toEqual(range(1, 100));
    expect([most.readable <= 4, most.writable <= 4]).toEqual([true, true]);
    expect(up.demands.slice(0, 3)).toEqual([10, 5, 5]);
    expect([stage.kind, stage.state, duplex.destroyed, duplex.closed]).toEqual([
      "producerConsumer",
      "completed",
      true,
      true,
    ]);
    expect([up.ends, reports]).toEqual([[], []]);
  });

  test("D02 when nobody asks any more the marks and the window are all that is taken", async () => {
    const duplex = new PassThrough({ objectMode: true, highWaterMark: 2 });
    const stage = throughDuplex<number, number>(duplex, { runtime });
    const up = counted(runtime, 100);
    stage.subscribe(up.stage, { maxDemand: 4, minDemand: 2 });
    const it = probe(stage, runtime);
    it.subscription.ask(3);
    await turns(12);
    const asked = up.demands.reduce((sum, n) => sum + n, 0);
    expect(it.seen).toEqual([1, 2, 3]);
    expect([duplex.readableLength, duplex.writableLength]).toEqual([2, 2]);
    expect(asked).toBeLessThanOrEqual(3 + 2 + 2 + 4);
    await turns(12);
    expect(up.demands.reduce((sum, n) => sum + n, 0)).toBe(asked);
    it.subscription.ask(1000);
    await turns(60);
    expect(it.seen).toEqual(range(1, 100));
    expect(it.outcome).toBe("completed");
  });

  test("D03 a readable side that ends first ends the stage; the sources are left, the writable side is ended", async () => {
    const hook: Hook = {};
    const written: unknown[] = [];
    const duplex = new Duplex({
      objectMode: true,
      read() {},
      write(event, _encoding, callback) {
        written.push(event);
        callback();
      },
      final: (callback) => void (hook.done = callback),
    });
    const stage = throughDuplex<string, number>(duplex, { runtime, onReport });
    const up = upstream<string>(runtime);
    stage.subscribe(up.stage);
    const it = probe(stage, runtime);
    it.subscription.ask(5);
    await turns();
    up.stage.push(["in"]);
    duplex.push(1);
    duplex.push(null);
    await turns();
    expect([it.seen, it.outcome, written]).toEqual([[1], "completed", ["in"]]);
    expect(up.ends).toEqual([{ type: "stop" }]);
    expect([stage.state, duplex.writableEnded, duplex.destroyed]).toEqual(["completed", true, false]);
    expectCode(() => stage.subscribe(up.stage), "ERR_ENDED");
    hook.done?.();
    await turns();
    expect([duplex.destroyed, listeners(duplex), reports]).toEqual([true, {}, []]);
  });

  test("D03 allowHalfOpen: false ends its own writable side: nobody has done wrong", async () => {
    const duplex = new Duplex({
      allowHalfOpen: false,
      objectMode: true,
      read() {},
      write: (_event, _encoding, callback) => callback(),
    });
    const stage = throughDuplex<number, number>(duplex, { runtime, onReport });
    const up = upstream<number>(runtime);
    stage.subscribe(up.stage);
    const it = probe(stage, runtime);
    it.subscription.ask(1);
    await turns();
    duplex.push(null);
    await turns();
    expect([it.outcome, up.ends, duplex.destroyed]).toEqual(["completed", [{ type: "stop" }], true]);
    expect([listeners(duplex)["error"], reports]).toEqual([undefined, []]);
  });

  test("D05 a writable side that finishes first leaves the readable side to its own end", async () => {
    const duplex = new Duplex({ objectMode: true, read() {}, write: (_event, _encoding, callback) => callback() });
    const stage = throughDuplex<number, number>(duplex, { runtime, onReport });
    const end = watch(stage.done);
    stage.subscribe(fromIterable([1, 2], { runtime }));
    const it = probe(stage, runtime);
    it.subscription.ask(5);
    await turns();
    expect([duplex.writableFinished, it.outcome, stage.state]).toEqual([true, undefined, "running"]);
    duplex.push(7);
    await turns();
    expect(it.seen).toEqual([7]);
    duplex.push(null);
    await turns();
    expect([it.outcome, end.outcome, duplex.closed, listeners(duplex)]).toEqual(["completed", "completed", true, {}]);
    expect(reports).toEqual([]);
  });

  test.each(["goes on", "waits for ever"])(
    "D06 a Transform that ends itself at the first chunk and %s",
    async (then) => {
      const duplex = new Transform({
        objectMode: true,
        highWaterMark: 1,
        transform(event: number, _encoding, callback) {
          if (event === 1) {
            this.push(event);
            this.push(null);
          }
          if (then === "goes on") callback();
        },
      });
      const stage = throughDuplex<number, number>(duplex, { runtime, onReport });
      const up = upstream<number>(runtime, (demand) => range(1, demand));
      stage.subscribe(up.stage, { maxDemand: 4 });
      const it = probe(stage, runtime);
      it.subscription.ask(10);
      await turns(8);
      expect([it.seen, it.outcome]).toEqual([[1], "completed"]);
      expect(up.ends).toEqual([{ type: "stop" }]);
      expect(duplex.destroyed).toBe(then === "goes on");
      expect(reports).toEqual([]);
    },
  );

  test("D13 bytes in and objects out, and back: demand counts what each side counts", async () => {
    const parse = new Transform({
      readableObjectMode: true,
      transform(chunk: Buffer, _encoding, callback) {
        for (const word of chunk.toString().split(" ")) this.push({ word });
        callback();
      },
    });
    const print = new Transform({
      writableObjectMode: true,
      transform: ({ word }: { word: string }, _encoding, callback) => callback(null, `${word};`),
    });
    const words = throughDuplex<string, { word: string }>(parse, { runtime });
    const bytes = throughDuplex<{ word: string }, Buffer>(print, { runtime });
    expect([words.defaultMaxDemand, bytes.defaultMaxDemand]).toEqual([undefined, 16]);
    const up = upstream<string>(runtime);
    words.subscribe(up.stage, { maxDemand: 2, minDemand: 1 });
    const it = probe(words, runtime);
    it.subscription.ask(2);
    await turns();
    up.stage.push(["a b", "c"]);
    await turns();
    expect([it.seen, up.demands]).toEqual([
      [{ word: "a" }, { word: "b" }],
      [2, 1, 1],
    ]);
    await it.stop();
    const texts = await pipeline(fromIterable([{ word: "a" }, { word: "b" }], { runtime }), bytes, collect()).done;
    expect(Buffer.concat(texts).toString()).toBe("a;b;");
  });

  test("D14 a Duplex with no readable side has nothing to give: the stage ends, and its sources are left", async () => {
    const written: unknown[] = [];
    const options: DuplexOptions & { readable: boolean } = {
      readable: false,
      objectMode: true,
      write(event, _encoding, callback) {
        written.push(event);
        callback();
      },
    };
    const duplex = new Duplex(options);
    const stage = throughDuplex<number, number>(duplex, { runtime, onReport });
    const up = upstream<number>(runtime);
    stage.subscribe(up.stage);
    const it = probe(stage, runtime);
    await turns();
    expect([it.outcome, up.ends, written]).toEqual(["completed", [{ type: "stop" }], []]);
    expect([duplex.destroyed, listeners(duplex), reports]).toEqual([true, {}, []]);
  });

  test("D14 one with no writable side is read; its sources are left", async () => {
    const options: DuplexOptions & { writable: boolean } = { writable: false, objectMode: true, read() {} };
    const duplex = new Duplex(options);
    const stage = throughDuplex<number, number>(duplex, { runtime, onReport });
    const up = upstream<number>(runtime);
    stage.subscribe(up.stage);
    const it = probe(stage, runtime);
    it.subscription.ask(5);
    await turns();
    expect([up.ends, it.outcome]).toEqual([[{ type: "stop" }], undefined]);
    for (const event of [1, 2, null]) duplex.push(event);
    await turns();
    expect([it.seen, it.outcome, listeners(duplex), reports]).toEqual([[1, 2], "completed", {}, []]);
  });

  test("text goes out in the encoding that was set, and in by its default", async () => {
    const duplex = new PassThrough();
    duplex.setEncoding("utf8");
    const bytes = Buffer.from("€€");
    const stage = throughDuplex<Uint8Array | string, string>(duplex, { runtime });
    const texts = await pipeline(fromIterable([...cut(bytes, 2), "ü"], { runtime }), stage, collect()).done;
    expect(texts.join("")).toBe("€€ü");
    expect(texts.every((text) => typeof text === "string")).toBe(true);
  });

  test("end: false leaves the writable side open", async () => {
    const duplex = new PassThrough({ objectMode: true });
    const before = listeners(duplex);
    const stage = throughDuplex<number, number>(duplex, { runtime, onReport, end: false });
    const it = probe(stage, runtime);
    it.subscription.ask(5);
    stage.subscribe(fromIterable([1, 2], { runtime }));
    await turns();
    expect([it.seen, duplex.writableEnded, it.outcome]).toEqual([[1, 2], false, undefined]);
    duplex.end(3);
    await turns();
    expect([it.seen, it.outcome, listeners(duplex), reports]).toEqual([[1, 2, 3], "completed", before, []]);
  });

  test("destroyOnCancel: false leaves the Duplex to its owner, with what was not passed on", async () => {
    const duplex = new PassThrough({ objectMode: true });
    const before = listeners(duplex);
    const stage = throughDuplex<number, number>(duplex, { runtime, onReport, destroyOnCancel: false });
    const up = upstream<number>(runtime);
    stage.subscribe(up.stage);
    const it = probe(stage, runtime);
    it.subscription.ask(2);
    await turns();
    up.stage.push([1, 2, 3]);
    await turns();
    it.subscription.cancel();
    await turns();
    expect([it.seen, up.ends, stage.state]).toEqual([[1, 2], [{ type: "stop" }], "stopped"]);
    expect([duplex.destroyed, duplex.writableEnded, listeners(duplex)]).toEqual([false, false, before]);
    expect([duplex.read(), reports]).toEqual([3, []]);
  });

  test("A33 a Duplex that is read already is refused; its writable side alone is free", async () => {
    const options = { runtime, destroyOnCancel: false };
    const duplex = new PassThrough({ objectMode: true });
    const stage = throughDuplex<number, number>(duplex, { ...options, name: "through" });
    const before = listeners(duplex);
    expectCode(() => throughDuplex(duplex, options), "ERR_NOT_SOURCE");
    expectCode(() => fromReadable(duplex, options), "ERR_NOT_SOURCE");
    expect(listeners(duplex)).toEqual(before);
    await stage.stop();
    const source = fromReadable<number>(duplex, options);
    expectCode(() => throughDuplex(duplex, options), "ERR_NOT_SOURCE");
    await source.stop();
    const again = throughDuplex<number, number>(duplex, options);
    expect(again.inspect().stages.map(({ name }) => name)).toEqual([again.name, `${again.name} input`]);
    await again.stop();
    const other = new PassThrough({ objectMode: true });
    const both = [fromReadable<number>(other, options), intoWritable<number>(other, { runtime })] as const;
    both[1].subscribe(fromIterable([1, 2], { runtime }));
    const it = probe(both[0], runtime);
    it.subscription.ask(5);
    await turns();
    expect([it.seen, it.outcome]).toEqual([[1, 2], "completed"]);
  });

  test("it stands in a pipeline, and takes a dispatcher", async () => {
    const twice = new Transform({
      objectMode: true,
      transform: (n: number, _encoding, callback) => callback(null, n * 2),
    });
    const stage = throughDuplex<number, number>(twice, { runtime });
    const numbers = fromIterable(range(1, 5), { runtime });
    expect(
      await pipeline(
        numbers,
        stage,
        map((n) => n + 1),
        collect(),
      ).done,
    ).toEqual([3, 5, 7, 9, 11]);
    const split = throughDuplex(new PassThrough({ objectMode: true }), {
      runtime,
      name: "split",
      dispatcher: partitionDispatcher({ partitions: 2, hash: (n: number) => n % 2 }),
    });
    split.subscribe(fromIterable(range(1, 6), { runtime }));
    const odd = probe(split as never, runtime, { partition: 1 } as never);
    const even = probe(split as never, runtime, { partition: 0 } as never);
    for (const { subscription } of [odd, even]) subscription.ask(10);
    await turns(8);
    expect([odd.seen, even.seen, odd.outcome]).toEqual([[1, 3, 5], [2, 4, 6], "completed"]);
    expect(split.name).toBe("split");
  });

  test("what is no Duplex, and options that are none, are refused at once, without a listener", () => {
    const duplex = new PassThrough();
    const before = listeners(duplex);
    for (const nothing of [
      undefined,
      {},
      new (class extends PassThrough {
        override write = undefined as never;
      })(),
    ])
      expectCode(() => throughDuplex(nothing as never), "ERR_NOT_SOURCE");
    expectCode(() => throughDuplex(duplex, { end: 1 as never }), "ERR_OPTION");
    expectCode(() => throughDuplex(duplex, { destroyOnCancel: 1 as never }), "ERR_OPTION");
    expectCode(() => throughDuplex(duplex, { onStop: "end" } as never), "ERR_OPTION");
    expect(listeners(duplex)).toEqual(before);
    duplex.resume();
    expectCode(() => throughDuplex(duplex), "ERR_NOT_SOURCE");
  });
});

describe("Node's own transforms", () => {
  const text = Buffer.from(range(1, 20_000).join(" "));

  test("gzip and gunzip, brotli and back", async () => {
    const packed = await joinedUp(
      pipeline(fromIterable(cut(text, 1000)), throughDuplex<Buffer, Buffer>(createGzip()), collect()).done,
    );
    expect(gunzipSync(packed).equals(text)).toBe(true);
    expect(packed.length).toBeLessThan(text.length);
    const back = pipeline(
      fromIterable(cut(packed, 7)),
      throughDuplex<Buffer, Buffer>(createGunzip()),
      throughDuplex<Buffer, Buffer>(createBrotliCompress()),
      throughDuplex<Buffer, Buffer>(createBrotliDecompress()),
      collect(),
    );
    expect((await joinedUp(back.done)).equals(text)).toBe(true);
  });

  test("a stream that is no gzip fails once, with zlib's error", async () => {
    const reports: unknown[] = [];
    const gunzip = createGunzip();
    const stage = throughDuplex<Buffer, Buffer>(gunzip, { onReport: (error) => void reports.push(error) });
    const done = pipeline(fromIterable([Buffer.from("no gzip at all")]), stage, collect()).done;
    await expect(done).rejects.toMatchObject({ code: "Z_DATA_ERROR" });
    await turns();
    expect([reports, gunzip.destroyed, listeners(gunzip)["error"]]).toEqual([[], true, undefined]);
  });

  test("a cut off gzip fails at its end", async () => {
    const packed = await joinedUp(
      pipeline(fromIterable([text]), throughDuplex<Buffer, Buffer>(createGzip()), collect()).done,
    );
    const gunzip = throughDuplex<Buffer, Buffer>(createGunzip());
    const done = pipeline(fromIterable([packed.subarray(0, -20)]), gunzip, collect()).done;
    await expect(done).rejects.toMatchObject({ code: "Z_BUF_ERROR" });
  });

  test("ciphers and hashes", async () => {
    const key = Buffer.alloc(32, 1);
    const iv = Buffer.alloc(16, 2);
    const plain = pipeline(
      fromIterable(cut(text, 333)),
      throughDuplex<Buffer, Buffer>(createCipheriv("aes-256-cbc", key, iv)),
      throughDuplex<Buffer, Buffer>(createDecipheriv("aes-256-cbc", key, iv)),
      collect(),
    );
    expect((await joinedUp(plain.done)).equals(text)).toBe(true);
    const hash = throughDuplex<Buffer, Buffer>(createHash("sha256"));
    const digest = await joinedUp(pipeline(fromIterable(cut(text, 999)), hash, collect()).done);
    expect(digest.equals(createHash("sha256").update(text).digest())).toBe(true);
    const wrong = throughDuplex<Buffer, Buffer>(createDecipheriv("aes-256-cbc", key, iv));
    await expect(pipeline(fromIterable([Buffer.alloc(17)]), wrong, collect()).done).rejects.toMatchObject({
      code: "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH",
    });
  });
});
