import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { fromReadable } from "../../../adapters/node/index.ts";
import { consumer } from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { codeOf, implementations, listeners, probe, warnings, watch } from "./support.ts";

describe.each(implementations)("the end of a Readable of %s", (name, { Duplex, PassThrough, pipeline, Readable }) => {
  let runtime: TestRuntime;
  let reports: [error: unknown, phase: string][];
  const onReport = (error: unknown, { phase }: { readonly phase: string }) => void reports.push([error, phase]);
  beforeEach(() => {
    runtime = testRuntime();
    reports = [];
  });

  const idle = (options: ConstructorParameters<typeof Readable>[0] = {}) =>
    new Readable({ objectMode: true, read() {}, ...options });
  const pushed = (readable: InstanceType<typeof Readable>, ...events: unknown[]) => {
    for (const event of events) readable.push(event);
    return readable;
  };

  test("A13 ended but not destroyed", async () => {
    const readable = pushed(idle({ autoDestroy: false }), null);
    readable.resume();
    await turns();
    readable.pause();
    expect(readable.readableEnded).toBe(true);
    const it = probe(fromReadable(readable, { runtime }), runtime);
    await turns();
    expect(it.outcome).toBe("completed");
    expect(readable.destroyed).toBe(false);
  });

  test("A14 already destroyed, no error", async () => {
    const readable = idle();
    readable.destroy();
    await turns();
    const it = probe(fromReadable(readable, { runtime }), runtime);
    await turns();
    expect(codeOf(it.outcome)).toBe("ERR_STREAM_PREMATURE_CLOSE");
    expect(it.outcomes).toBe(1);
    expect(listeners(readable)).toEqual({});
  });

  test("A15 destroyed this tick", async () => {
    const readable = idle();
    readable.destroy();
    let closed = false;
    readable.on("close", () => {
      closed = true;
    });
    let closedBefore: boolean | undefined;
    const source = fromReadable(readable, { runtime });
    const it = probe(source, runtime);
    source.done.catch(() => {
      closedBefore = closed;
    });
    await turns();
    expect(codeOf(it.outcome)).toBe("ERR_STREAM_PREMATURE_CLOSE");
    expect(it.outcomes).toBe(1);
    expect(closedBefore).toBe(true);
  });

  test("A15 destroyed this tick with an error", async () => {
    const readable = idle();
    const error = new Error("gone");
    readable.destroy(error);
    const it = probe(fromReadable(readable, { runtime }), runtime);
    await turns();
    expect(it.outcome).toEqual({ error });
  });

  test("A17 destroyed with buffered data", async () => {
    const readable = pushed(idle(), 1, 2);
    let ended = false;
    readable.on("end", () => {
      ended = true;
    });
    const it = probe(fromReadable(readable, { runtime }), runtime);
    await turns();
    readable.destroy();
    it.subscription.ask(2);
    await turns();
    expect(it.seen).toEqual([]);
    expect(codeOf(it.outcome)).toBe("ERR_STREAM_PREMATURE_CLOSE");
    expect(ended).toBe(false);
  });

  test("A18 an error after the end was pushed", async () => {
    const readable = pushed(idle(), 1, null);
    const it = probe(fromReadable(readable, { runtime }), runtime);
    const error = new Error("too late");
    readable.destroy(error);
    await turns();
    expect(it.outcome).toEqual({ error });
    expect(it.seen).toEqual([]);
  });

  test("A19 destroyed after its end stays a clean end", async () => {
    const readable = pushed(idle(), 1, null);
    readable.on("end", () => readable.destroy());
    const it = probe(fromReadable(readable, { runtime }), runtime);
    it.subscription.ask(1);
    await turns();
    expect(it.seen).toEqual([1]);
    expect(it.outcome).toBe("completed");
    expect(readable.readableAborted).toBe(false);
  });

  test("A21 a close of somebody's making before the last data", async () => {
    const readable = pushed(idle(), 1, 2, null);
    const it = probe(fromReadable(readable, { runtime }), runtime);
    await turns();
    readable.emit("close");
    await turns();
    expect(it.outcome).toBeUndefined();
    it.subscription.ask(2);
    await turns();
    expect(it.seen).toEqual([1, 2]);
    expect(it.outcome).toBe("completed");
  });

  test("A21 closed with everything read is an end, with an end event or without", async () => {
    const readable = idle({ autoDestroy: false });
    const it = probe(fromReadable(readable, { runtime }), runtime);
    it.subscription.ask(2);
    await turns();
    pushed(readable, 1);
    await turns();
    readable.push(null);
    readable.destroy();
    await turns();
    expect(it.seen).toEqual([1]);
    expect(it.outcome).toBe("completed");
  });

  test("A22 a destroyed stream that never emits close", async () => {
    const readable = idle({ emitClose: false });
    readable.destroy();
    await turns();
    const it = probe(fromReadable(readable, { runtime }), runtime);
    await turns();
    expect(codeOf(it.outcome)).toBe("ERR_STREAM_PREMATURE_CLOSE");
  });

  test("A22 one that is destroyed meanwhile is noticed at the next ask", async () => {
    const readable = idle({ emitClose: false });
    const it = probe(fromReadable(readable, { runtime }), runtime);
    await turns();
    readable.destroy();
    await turns();
    it.subscription.ask(1);
    await turns();
    expect(codeOf(it.outcome)).toBe("ERR_STREAM_PREMATURE_CLOSE");
  });

  test("A23 a slow destroy is waited for", async () => {
    const hook: { done?: (error?: Error | null) => void } = {};
    const readable = idle({
      destroy(_error, callback) {
        hook.done = callback;
      },
    });
    readable.destroy();
    const it = probe(fromReadable(readable, { runtime }), runtime);
    await turns();
    expect(it.outcome).toBeUndefined();
    hook.done?.();
    await turns();
    expect(codeOf(it.outcome)).toBe("ERR_STREAM_PREMATURE_CLOSE");
    expect(it.outcomes).toBe(1);
  });

  test("A25 destroy replaces the error", async () => {
    const error = new Error("from the hook");
    const readable = idle({ destroy: (_error, callback) => callback(error) });
    const it = probe(fromReadable(readable, { runtime, onReport }), runtime);
    await turns();
    readable.destroy();
    await turns();
    expect(it.outcome).toEqual({ error });
    expect(it.outcomes).toBe(1);
    expect(reports).toEqual([]);
  });

  test("A26 a second destroy with another error changes nothing", async () => {
    const hook: { done?: (error?: Error | null) => void } = {};
    const first = new Error("first");
    const readable = idle({
      destroy(_error, callback) {
        hook.done = callback;
      },
    });
    const it = probe(fromReadable(readable, { runtime, onReport }), runtime);
    await turns();
    readable.destroy(first);
    readable.destroy(new Error("second"));
    hook.done?.(first);
    await turns();
    expect(it.outcome).toEqual({ error: first });
    expect(it.outcomes).toBe(1);
    expect(reports).toEqual([]);
  });

  test.each(["throws", "destroys"])("A27 the first read %s", async (how) => {
    const error = new Error("no");
    const readable = idle({
      read() {
        if (how === "throws") throw error;
        this.destroy(error);
      },
    });
    const source = fromReadable(readable, { runtime });
    const it = probe(source, runtime);
    const asking = () => it.subscription.ask(1);
    expect(asking).not.toThrow();
    await turns();
    expect(it.outcome).toEqual({ error });
    expect(source.state).toBe("failed");
  });

  test("an error comes behind the events that were read", async () => {
    const error = new Error("third");
    let reads = 0;
    const readable = idle({
      highWaterMark: 1,
      read() {
        reads += 1;
        if (reads > 2) throw error;
        this.push(reads);
      },
    });
    const it = probe(fromReadable(readable, { runtime }), runtime);
    it.subscription.ask(10);
    await turns();
    expect(it.seen).toEqual([1, 2]);
    expect(it.outcome).toEqual({ error });
  });

  test.each([undefined, null, 0, "", false])("a falsy error (%j) is an error", async (error) => {
    const readable = idle();
    const it = probe(fromReadable(readable, { runtime }), runtime);
    await turns();
    readable.emit("error", error);
    await turns();
    expect(it.outcome).toEqual({ error });
    expect(readable.destroyed).toBe(true);
  });

  test("A29 cancel destroys", async () => {
    const calls = { reads: 0, errors: 0 };
    const readable = idle({
      highWaterMark: 0,
      read() {
        calls.reads += 1;
        setImmediate(() => this.push(calls.reads));
      },
    });
    let closed = false;
    readable.on("close", () => {
      closed = true;
    });
    readable.on("error", () => {
      calls.errors += 1;
    });
    const source = fromReadable<number>(readable, { runtime });
    const it = probe(source, runtime);
    it.subscription.ask(10);
    while (it.seen.length < 3) await turns(1);
    it.subscription.cancel();
    await turns(1);
    const { reads } = calls;
    expect([readable.destroyed, closed]).toEqual([true, true]);
    await turns();
    expect(it.seen).toEqual([1, 2, 3]);
    expect(calls).toEqual({ reads, errors: 0 });
    expect(source.state).toBe("stopped");
    expect(listeners(readable)).toMatchObject({ close: 1, error: 1 });
    expect(readable.listenerCount("readable") + readable.listenerCount("end")).toBe(0);
  });

  test("A29 a reason destroys with it", async () => {
    const error = new Error("enough");
    const readable = idle();
    const heard: unknown[] = [];
    readable.on("error", (value) => heard.push(value));
    const source = fromReadable(readable, { runtime, onReport });
    const end = watch(source.done);
    await source.stop({ reason: error });
    await turns();
    expect(heard).toEqual([error]);
    expect(end.outcome).toEqual({ error });
    expect(reports).toEqual([]);
  });

  test("A29 the producer stays when others go on, or when it is told to", async () => {
    const readable = idle();
    const source = fromReadable<number>(readable, { runtime, onLastCancel: "continue" });
    const first = probe(source, runtime);
    first.subscription.ask(5);
    await turns();
    await first.stop();
    await turns();
    expect([source.state, readable.destroyed]).toEqual(["running", false]);
    pushed(readable, 1, 2);
    const second = probe(source, runtime);
    second.subscription.ask(5);
    await turns();
    expect(second.seen).toEqual([1, 2]);
  });

  test("A30 an error in clean-up goes to the report, whoever listens", async () => {
    const error = new Error("cannot close");
    const readable = idle({ destroy: (_error, callback) => callback(error) });
    const source = fromReadable(readable, { runtime, onReport });
    const it = probe(source, runtime);
    await turns();
    it.subscription.cancel();
    await turns();
    expect(reports).toEqual([[error, "terminate"]]);
    expect(source.state).toBe("stopped");
    expect(listeners(readable)).toEqual({});
  });

  test("A30 so does one in the clean-up after the end", async () => {
    const error = new Error("cannot close");
    const readable = pushed(idle({ destroy: (_error, callback) => callback(error) }), null);
    const it = probe(fromReadable(readable, { runtime, onReport }), runtime);
    await turns();
    expect(it.outcome).toBe("completed");
    expect(reports).toEqual([[error, "terminate"]]);
    expect(listeners(readable)).toEqual({});
  });

  test("4.9 what cannot be put back into a Readable that has ended is warned of, if nobody takes it", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    try {
      const readable = Readable.from([1, 2, 3, 4]);
      const source = fromReadable<number>(readable, {
        runtime,
        destroyOnCancel: false,
        onLastCancel: "continue",
        name: "mine",
      });
      const raw = new RawConsumer<number>().attach(source);
      raw.ask(4);
      await turns(20);
      raw.leave({ type: "cancel" }, [2, 3, 4]);
      await turns();
      expect([readable.readableEnded, source.state]).toEqual([true, "completed"]);
      expect(warn.mock.calls).toEqual([["headrace: mine discarded 3 events (stop), see onDiscard"]]);
    } finally {
      warn.mockRestore();
    }
  });

  test("A31 opt-out of destroy: the rest is there for somebody else", async () => {
    const readable = Readable.from(range(1, 5));
    const before = listeners(readable);
    const source = fromReadable<number>(readable, { runtime, destroyOnCancel: false });
    const seen: number[] = [];
    for await (const event of source) {
      seen.push(event);
      if (seen.length === 2) break;
    }
    await source.done;
    await turns();
    expect(seen).toEqual([1, 2]);
    expect([readable.destroyed, readable.readableFlowing === true]).toEqual([false, false]);
    expect(listeners(readable)).toEqual(before);
    expect(await readable.toArray()).toEqual([3, 4, 5]);
  });

  test.each(["goes back", "is discarded, to the user"])("A31 what a consumer had not started %s", async (where) => {
    const readable = pushed(idle(), 1, 2, 3, null);
    const discarded: unknown[] = [];
    const onDiscard = (what: unknown) => void discarded.push(what);
    const source = fromReadable<number>(readable, { runtime, destroyOnCancel: false, onDiscard });
    const stage = consumer<number>(
      {
        async handleEvents(_events, _subscription, self) {
          // The Readable ends meanwhile: nothing can be put back any more.
          if (where !== "goes back") await turns(2);
          self.complete();
        },
      },
      { runtime },
    );
    stage.subscribe(source, { maxDemand: 4, minDemand: 3 });
    await turns(8);
    const back = where === "goes back";
    expect(readable.readableEnded).toBe(!back);
    expect(discarded).toEqual(back ? [] : [{ events: [2, 3], cause: "stop", stage: source.name }]);
    expect(await readable.toArray()).toEqual(back ? [2, 3] : []);
  });

  test("A42 a response that is cut off", async () => {
    const server = createServer((_request, response) => void response.write("hello"));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const request = get({ port, host: "127.0.0.1", agent: false });
    request.on("error", () => {});
    const response = await new Promise<IncomingMessage>((resolve) => void request.on("response", resolve));
    // readable-stream has no HTTP: its part is to carry the failure on.
    const through = new PassThrough();
    const native = name === "node:stream";
    if (!native) pipeline(response, through, () => {});
    const it = probe(fromReadable<Buffer>(native ? response : through, { runtime }), runtime);
    it.subscription.ask(10);
    while (it.seen.length === 0) await turns(1);
    request.destroy(new Error("cut"));
    while (it.outcome === undefined) await turns(1);
    expect(it.seen.map(String)).toEqual(["hello"]);
    expect(codeOf(it.outcome)).toBe("ECONNRESET");
    expect([response.destroyed, request.socket?.destroyed]).toEqual([true, true]);
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });

  test("the other half of a Duplex is not ours", async () => {
    const written: string[] = [];
    const duplex = new Duplex({
      read() {},
      write(chunk, _encoding, callback) {
        written.push(String(chunk));
        callback();
      },
    });
    duplex.push(null);
    const it = probe(fromReadable<Buffer>(duplex, { runtime }), runtime);
    await turns();
    expect(it.outcome).toBe("completed");
    expect(duplex.destroyed).toBe(false);
    expect(duplex.listenerCount("error")).toBe(0);
    duplex.end("still open");
    await turns();
    expect(written).toEqual(["still open"]);
  });

  test("a signal that aborts destroys with its reason", async () => {
    const controller = new AbortController();
    const readable = idle();
    const it = probe(fromReadable(readable, { runtime, signal: controller.signal }), runtime);
    await turns();
    const reason = new Error("time is up");
    controller.abort(reason);
    await turns();
    expect(it.outcome).toEqual({ error: reason });
    expect([readable.destroyed, readable.errored]).toEqual([true, reason]);
  });

  test("K01 after an end, an error or a cancel no listener is left", async () => {
    for (const finish of [
      (readable: InstanceType<typeof Readable>) => void readable.push(null),
      (readable: InstanceType<typeof Readable>) => void readable.destroy(new Error("no")),
      (readable: InstanceType<typeof Readable>) => void readable.destroy(),
    ]) {
      const readable = idle();
      const it = probe(fromReadable(readable, { runtime }), runtime);
      it.subscription.ask(1);
      await turns();
      finish(readable);
      await turns();
      expect(it.outcome).toBeDefined();
      expect(listeners(readable)).toEqual({});
    }
  });

  test("K02 a hundred rounds on one stream that stays open give no warning", async () => {
    const heard = warnings();
    const readable = idle();
    for (let round = 0; round < 100; round += 1) {
      const source = fromReadable<number>(readable, { runtime, destroyOnCancel: false });
      const it = probe(source, runtime);
      it.subscription.ask(1);
      await turns(1);
      pushed(readable, round);
      await turns(1);
      expect(it.seen).toEqual([round]);
      await it.stop();
      await source.done;
    }
    expect(listeners(readable)).toEqual({});
    heard.stop();
    expect(heard.seen).toEqual([]);
  });
});
