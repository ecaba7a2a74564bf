// What a whole program sees: rejections that nobody handles, and whether it ends by itself.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { run, well } from "./run.mjs";

const failing = `
  import { consumer, fromIterable } from "headrace";
  const stage = consumer(() => { throw new Error("mine"); });
  stage.subscribe(fromIterable([1]));`;

describe("failures", { timeout: 60_000 }, () => {
  test("B-40 one that nobody looks at ends the process", async () => {
    const { code, stdout, stderr } = await run(failing);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /error: mine/i);
  });

  test("B-41 it is one unhandledRejection, with the error", async () => {
    const told = await run(`process.on("unhandledRejection", ({ message }) => console.log(message));
      ${failing}`);
    assert.deepEqual(told, well("mine\n"));
  });

  test("B-42 one that somebody looks at is none", async () => {
    assert.deepEqual(await run(`${failing} stage.done.catch(({ message }) => console.log(message));`), well("mine\n"));
  });

  test("B-43 one that a consumer, a loop or the one who aborted carries on is none", async () => {
    const told = await run(`
      import { consumer, fromIterable, producer } from "headrace";
      const broken = () => producer(() => { throw new Error("mine"); });
      const sink = consumer(() => {});
      sink.subscribe(broken());
      await sink.done.catch(({ message }) => console.log("consumer", message));
      try {
        for await (const n of broken()) console.log(n);
      } catch ({ message }) {
        console.log("loop", message);
      }
      const controller = new AbortController();
      consumer(() => {}, { signal: controller.signal }).subscribe(producer(() => []));
      controller.abort(new Error("enough"));
      console.log("aborted");`);
    assert.deepEqual(told, well("consumer mine\nloop mine\naborted\n"));
  });
});

describe("the end of the process", { timeout: 60_000 }, () => {
  test("B-44 it comes when the work is done", async () => {
    const told = await run(`
      import { consumer, fromIterable } from "headrace";
      let sum = 0;
      const stage = consumer((events) => { for (const n of events) sum += n; });
      stage.subscribe(fromIterable([1, 2, 3]));
      await stage.done;
      console.log(sum);`);
    assert.deepEqual(told, well("6\n"));
  });

  test("B-45 stages that wait for events hold nothing open", async () => {
    const told = await run(`
      import { consumer, producer } from "headrace";
      consumer(() => {}).subscribe(producer(() => []));
      process.on("exit", () => console.log("bye"));`);
    assert.deepEqual(told, well("bye\n"));
  });

  test("B-46 the timeout of a stop that came in time holds nothing open", async () => {
    const told = await run(`
      import { producer } from "headrace";
      await producer(() => []).stop({ timeout: 3_600_000 });
      console.log("stopped");`);
    assert.deepEqual(told, well("stopped\n"));
  });

  test("B-47 importing the entries alone holds nothing open and says nothing", async () => {
    const told = await run(`
      import "headrace";
      import "headrace/node";
      import "headrace/rxjs";`);
    assert.deepEqual(told, well(""));
  });
});
