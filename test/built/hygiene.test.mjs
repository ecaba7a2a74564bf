// What adapters leave behind, and what differs between versions of Node.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { run as runProgram, well } from "./run.mjs";

const common = `
  import { Duplex, PassThrough, Readable, Transform, Writable } from "node:stream";
  import { createGunzip, createGzip } from "node:zlib";
  import { collect, consumer, fromIterable, pipeline, producer } from "headrace";
  import { fromReadable, intoWritable, throughDuplex, toReadable } from "headrace/node";
  const turns = async (n = 8) => { for (let i = 0; i < n; i += 1) await new Promise(setImmediate); };
  const numbers = (count) => Array.from({ length: count }, (_, i) => i);
  const sink = (options) => new Writable({ objectMode: true, write: (_event, _encoding, done) => done(), ...options });`;

const run = (program, flags) => runProgram(`${common}\n${program}`, flags);

describe("headrace/node", { timeout: 240_000 }, () => {
  test("D01 gzip and gunzip", async () => {
    const told = await run(`
      const text = Buffer.from(numbers(100_000).join(" "));
      const parts = await pipeline(
        fromIterable([text]), throughDuplex(createGzip()), throughDuplex(createGunzip()), collect()).done;
      console.log(Buffer.concat(parts).equals(text));`);
    assert.deepEqual(told, well("true\n"));
  });

  test("D07 one error of a Duplex, one end", async () => {
    const told = await run(`
      const duplex = new PassThrough({ objectMode: true });
      const stage = throughDuplex(duplex, { onReport: (error) => console.log("report", error) });
      stage.subscribe(producer(() => []));
      duplex.on("error", ({ message }) => console.log("event", message));
      const done = pipeline(stage, collect()).done.catch(({ message }) => console.log("done", message));
      await turns();
      duplex.destroy(new Error("mine"));
      await done;`);
    assert.deepEqual(told, well("event mine\ndone mine\n"));
  });

  test("C03 a high-water mark of 0, with a sink that answers at once or later", async () => {
    const told = await run(`
      for (const write of [(_e, _c, done) => done(), (_e, _c, done) => setImmediate(done)]) {
        const seen = [];
        const writable = sink({ highWaterMark: 0, write: (e, c, done) => { seen.push(e); write(e, c, done); } });
        await pipeline(fromIterable(numbers(5)), intoWritable(writable)).done;
        console.log(seen.join());
      }`);
    assert.deepEqual(told, well("0,1,2,3,4\n0,1,2,3,4\n"));
  });

  test("L09 the default marks, whatever they are", async () => {
    const told = await run(`
      const bytes = Buffer.alloc(1_000_000, "0123456789");
      const source = fromReadable(toReadable(fromIterable([bytes]), { objectMode: false }));
      console.log(Buffer.concat(await pipeline(source, throughDuplex(new PassThrough()), collect()).done).equals(bytes));`);
    assert.deepEqual(told, well("true\n"));
  });

  test("J09 an abort listener that throws is not ours, and hinders nothing", async () => {
    const told = await run(`
      process.on("uncaughtException", ({ message }) => console.log("uncaught", message));
      const controller = new AbortController();
      controller.signal.addEventListener("abort", () => { throw new Error("theirs"); });
      const readable = new Readable({ objectMode: true, read() {} });
      readable.on("error", () => {});
      const source = fromReadable(readable, { signal: controller.signal });
      const done = pipeline(source, collect()).done.catch((reason) => console.log("done", reason));
      await turns();
      controller.abort("enough");
      await done;
      await turns();
      console.log(readable.destroyed);`);
    assert.equal(told.stderr, "");
    assert.deepEqual(told.stdout.trim().split("\n").toSorted(), ["done enough", "true", "uncaught theirs"]);
  });

  const kept = globalThis.Deno !== undefined && "Deno's AbortSignal.timeout keeps its process alive";
  test("J11 a timeout is the reason, and keeps no process alive", { skip: kept }, async () => {
    const told = await run(`
      const idle = () => new Readable({ objectMode: true, read() {} }).on("error", () => {});
      consumer(() => {}).subscribe(fromReadable(idle(), { signal: AbortSignal.timeout(3_600_000) }));
      const hold = setInterval(() => {}, 1000);
      const source = fromReadable(idle(), { signal: AbortSignal.timeout(1) });
      await pipeline(source, collect()).done.catch(({ name }) => console.log(name));
      clearInterval(hold);
      process.on("exit", () => console.log("bye"));`);
    assert.deepEqual(told, well("TimeoutError\nbye\n"));
  });

  test("K05 no end leaves a rejection that nobody handles, or a warning", async () => {
    const told = await run(
      `
      process.on("warning", (warning) => console.log("warning", warning.name, warning.message));
      const error = new Error("mine");
      const ends = [
        (stream) => stream.destroy(),
        (stream) => stream.destroy(error),
        (stream, stage) => stage.stop(),
        (stream, stage, up) => up.complete(),
        (stream, stage, up) => up.fail(error),
        (stream, stage, up) => up.stop(),
      ];
      const kinds = [
        (stream) => throughDuplex(stream),
        (stream) => fromReadable(stream),
        (stream) => intoWritable(stream),
      ];
      for (const end of ends)
        for (const kind of kinds)
          for (let i = 0; i < 20; i += 1) {
            const stream = new PassThrough({ objectMode: true });
            stream.on("error", () => {});
            const stage = kind(stream);
            const up = producer(() => []);
            for (const one of [stage, up]) one.done.catch(() => {});
            stage.subscribe?.(up);
            if (stage.batches) stage.batches().next().catch(() => {});
            await turns(2);
            end(stream, stage, up);
            await turns(2);
          }
      await turns();
      console.log("all");`,
      ["--unhandled-rejections=strict"],
    );
    assert.deepEqual(told, well("all\n"));
  });

  test("K06 a consumer that has left can be collected, though its source lives on", async () => {
    const told = await run(
      `
      const source = fromReadable(new Readable({ objectMode: true, read() {} }), { onLastCancel: "continue" });
      const left = async () => {
        const stage = consumer(() => {});
        const subscription = stage.subscribe(source);
        await turns();
        subscription.cancel();
        await stage.done;
        return new WeakRef(stage);
      };
      const ref = await left();
      for (let i = 0; i < 10 && ref.deref(); i += 1) { await turns(); gc(); }
      console.log(ref.deref(), source.state);`,
      ["--expose-gc"],
    );
    assert.deepEqual(told, well("undefined running\n"));
  });

  test("K07 idle links keep no process alive; a socket does", async () => {
    const idle = await run(`
      const duplex = new PassThrough({ objectMode: true });
      consumer(() => {}).subscribe(fromReadable(new Readable({ objectMode: true, read() {} })));
      const through = throughDuplex(duplex);
      through.subscribe(producer(() => []));
      intoWritable(sink()).subscribe(through);
      toReadable(producer(() => [])).resume();
      process.on("exit", () => console.log("bye"));`);
    assert.deepEqual(idle, well("bye\n"));
    const held = await run(`
      import { connect, createServer } from "node:net";
      const server = createServer((socket) => setTimeout(() => socket.end("data"), 50).unref());
      server.listen(0, "127.0.0.1", () => {
        server.unref();
        const socket = connect(server.address().port, "127.0.0.1");
        consumer((chunks) => console.log(String(chunks[0]))).subscribe(fromReadable(socket));
      });`);
    assert.deepEqual(held, well("data\n"));
  });

  test("K10 no global is left behind", async () => {
    const told = await run(`
      const names = () => Object.getOwnPropertyNames(globalThis).length + Object.getOwnPropertySymbols(globalThis).length;
      const before = names();
      await import("headrace/rxjs");
      await import("headrace/web");
      await pipeline(fromReadable(Readable.from([1])), throughDuplex(new PassThrough({ objectMode: true })), collect()).done;
      console.log(names() - before);`);
    assert.deepEqual(told, well("0\n"));
  });

  test("K11 a million events through each pair leave the heap as it was", async () => {
    const told = await run(
      `
      const window = { maxDemand: 100, minDemand: 50 };
      const heap = () => { gc(); gc(); return process.memoryUsage().heapUsed / 2 ** 20; };
      const pairs = {
        "Readable to Writable": (source) => source,
        "through a Transform": (source) => {
          const stage = throughDuplex(new PassThrough({ objectMode: true }));
          stage.subscribe(source, window);
          return stage;
        },
        "toReadable and back": (source) => fromReadable(toReadable(source)),
      };
      for (const [name, pair] of Object.entries(pairs)) {
        let next = 0;
        let from = 0;
        let most = 0;
        const readable = new Readable({
          objectMode: true,
          read() { this.push(next === 1_000_000 ? null : { n: next++ }); },
        });
        const writable = sink({
          write(event, _encoding, done) {
            if (event.n === 200_000) from = heap();
            else if (event.n % 200_000 === 199_999) most = Math.max(most, heap());
            done();
          },
        });
        const output = intoWritable(writable);
        output.subscribe(pair(fromReadable(readable)), window);
        await output.done;
        console.log(name, next, most - from < 10 ? "flat" : most - from);
      }`,
      ["--expose-gc"],
    );
    const names = ["Readable to Writable", "through a Transform", "toReadable and back"];
    assert.deepEqual(told, well(names.map((name) => `${name} 1000000 flat\n`).join("")));
  });
});
