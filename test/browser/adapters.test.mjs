import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, before, describe, test } from "node:test";
import { closeAtTheEnd, openPage, root } from "./page.mjs";

const text = fs.readFileSync(path.join(root, "examples/data/mill.txt"), "utf8");

describe("the adapters in a browser", { timeout: 120_000 }, () => {
  let tab;
  before(async () => {
    tab = await openPage("/test/browser/blank.html");
  });
  closeAtTheEnd();
  afterEach(() => assert.deepEqual(tab.complaints, []));

  test("W-20 the body of a fetch, decoded and counted", async () => {
    const words = await tab.page.evaluate(async () => {
      const { collect, map, pipeline } = await import("headrace");
      const { fromReadableStream } = await import("headrace/web");
      const { body } = await fetch("/examples/data/mill.txt");
      const decoder = new TextDecoder();
      const parts = await pipeline(
        fromReadableStream(body),
        map((chunk) => decoder.decode(chunk, { stream: true })),
        collect(),
      ).done;
      return (parts.join("") + decoder.decode()).split(/\s+/).filter(Boolean).length;
    });
    assert.equal(words, text.split(/\s+/).filter(Boolean).length);
    assert.ok(words > 100);
  });

  test("W-21 a loop that leaves the body of a fetch cancels it", async () => {
    const result = await tab.page.evaluate(async () => {
      const { fromReadableStream } = await import("headrace/web");
      const { body } = await fetch("/examples/data/mill.txt");
      const source = fromReadableStream(body, { byob: 16 });
      let length = 0;
      for await (const view of source) {
        length = view.length;
        break;
      }
      await source.done;
      const { done } = await body.getReader().read();
      return { length, state: source.state, done };
    });
    assert.deepEqual(result, { length: 16, state: "stopped", done: true });
  });

  test("W-22 a producer as the body of a Response, packed and unpacked", async () => {
    const result = await tab.page.evaluate(async () => {
      const { fromIterable, pipeline } = await import("headrace");
      const { throughTransformStream, toReadableStream } = await import("headrace/web");
      const bytes = ["a mill", " and ", "its race"].map((part) => new TextEncoder().encode(part));
      const packed = pipeline(fromIterable(bytes), throughTransformStream(new CompressionStream("gzip")));
      const stream = toReadableStream(packed).pipeThrough(new DecompressionStream("gzip"));
      return new Response(stream).text();
    });
    assert.equal(result, "a mill and its race");
  });

  test("W-23 a WritableStream holds its pipeline back", async () => {
    const result = await tab.page.evaluate(async () => {
      const { fromIterable } = await import("headrace");
      const { intoWritableStream } = await import("headrace/web");
      const written = [];
      let busy = 0;
      let most = 0;
      const stream = new WritableStream({
        async write(chunk) {
          most = Math.max(most, (busy += 1));
          await new Promise((resolve) => requestAnimationFrame(resolve));
          written.push(chunk);
          busy -= 1;
        },
      });
      const sink = intoWritableStream(stream);
      sink.subscribe(fromIterable([1, 2, 3]), { maxDemand: 2 });
      await sink.done;
      return { written, most, state: sink.state };
    });
    assert.deepEqual(result, { written: [1, 2, 3], most: 1, state: "completed" });
  });

  test("W-24 an Observable of clicks, and a producer as an Observable", async () => {
    const result = await tab.page.evaluate(async () => {
      const { fromEvent, lastValueFrom, map, take, toArray } = await import("rxjs");
      const { fromObservable, toObservable } = await import("headrace/rxjs");
      const target = new EventTarget();
      const details = fromEvent(target, "told").pipe(map(({ detail }) => detail));
      const source = fromObservable(details, { overflow: "throw", bufferSize: 10 });
      const taken = lastValueFrom(toObservable(source).pipe(take(3), toArray()));
      await new Promise((resolve) => setTimeout(resolve));
      for (const detail of [1, 2, 3, 4]) target.dispatchEvent(new CustomEvent("told", { detail }));
      return taken;
    });
    assert.deepEqual(result, [1, 2, 3]);
  });
});
