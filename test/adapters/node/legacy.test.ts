import { EventEmitter } from "node:events";
import { finished, Readable } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { fromReadable } from "../../../adapters/node/index.ts";
import { consumer, OverflowError } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { codeOf, listeners, probe } from "./support.ts";

/** A stream as they were: events, and a pause that somebody may heed. */
class Old extends EventEmitter {
  readonly said: string[] = [];
  readonly readable: boolean = true;
  pause(): void {
    this.said.push("pause");
  }
  resume(): void {
    this.said.push("resume");
  }
}
const boom = new Error("boom");
const emit = (stream: EventEmitter, from: number, to: number): void => {
  for (const event of range(from, to)) stream.emit("data", event);
};

describe("a stream of the old kind", () => {
  let runtime: TestRuntime;
  let reports: unknown[];
  const onReport = (error: unknown) => void reports.push(error);
  beforeEach(() => {
    runtime = testRuntime();
    reports = [];
  });

  test("E01 without destroy it is paused when its last consumer leaves", async () => {
    const old = new Old();
    const source = fromReadable<number>(old, { runtime, onReport });
    const it = probe(source, runtime);
    it.subscription.ask(2);
    await turns();
    emit(old, 1, 1);
    await turns();
    it.subscription.cancel();
    await turns();
    expect([it.seen, old.said, source.state]).toEqual([[1], ["pause", "resume", "pause"], "stopped"]);
    expect([listeners(old), reports]).toEqual([{}, []]);
  });

  test.each([
    [["close", "abort"], "close"],
    [["abort"], "abort"],
    [["destroy", "close"], "destroy"],
  ])("E01 one that has %j is left by %s, and watched for errors until it closes", async (verbs, used) => {
    const old = new Old();
    for (const verb of verbs) Object.assign(old, { [verb]: () => void old.said.push(verb) });
    const source = fromReadable<number>(old, { runtime, onReport });
    await source.stop();
    expect(old.said).toEqual(["pause", "pause", used]);
    old.emit("error", boom);
    expect(reports).toEqual([boom]);
    old.emit("close");
    expect(listeners(old)).toEqual({});
  });

  test("E01 destroyOnCancel: false leaves it paused", async () => {
    const old = Object.assign(new Old(), { close: () => void old.said.push("close") });
    const source = fromReadable<number>(old, { runtime, destroyOnCancel: false });
    await source.stop();
    expect([old.said, listeners(old)]).toEqual([["pause", "pause"], {}]);
  });

  test("E02 without pause what nobody asked for is buffered, up to bufferSize", async () => {
    const old = Object.assign(new EventEmitter(), { readable: true });
    const source = fromReadable<number>(old, { runtime, bufferSize: 99 });
    const it = probe(source, runtime);
    it.subscription.ask(1);
    await turns();
    emit(old, 1, 100);
    await turns();
    expect([it.seen, source.bufferedCount, source.state]).toEqual([[1], 99, "running"]);
    emit(old, 101, 101);
    it.subscription.ask(1000);
    await turns();
    expect([it.seen, codeOf(it.outcome)]).toEqual([range(1, 100), "ERR_OVERFLOW"]);
    expect((it.outcome as { error: OverflowError }).error.rejected).toEqual([101]);
  });

  test("E02 other policies drop", async () => {
    const old = Object.assign(new EventEmitter(), { readable: true });
    const dropped: unknown[] = [];
    const source = fromReadable<number>(old, {
      runtime,
      bufferSize: 2,
      overflow: "drop-oldest",
      onDiscard: ({ events }) => void dropped.push(...events),
    });
    const it = probe(source, runtime);
    await turns();
    emit(old, 1, 5);
    it.subscription.ask(5);
    await turns();
    expect([it.seen, dropped]).toEqual([
      [4, 5],
      [1, 2, 3],
    ]);
  });

  test("E03 what comes after pause is kept in order, and delivered on later asks", async () => {
    const old = new Old();
    const it = probe(fromReadable<number>(old, { runtime }), runtime);
    it.subscription.ask(2);
    await turns();
    emit(old, 1, 2);
    expect(old.said).toEqual(["pause", "resume", "pause"]);
    emit(old, 3, 5);
    await turns();
    expect(it.seen).toEqual([1, 2]);
    for (const count of [1, 2]) {
      it.subscription.ask(count);
      await turns();
    }
    expect(it.seen).toEqual([1, 2, 3, 4, 5]);
    old.emit("end");
    await turns();
    expect([it.outcome, listeners(old)]).toEqual(["completed", {}]);
  });

  test("E05 an error is told by identity, once; a second one is reported", async () => {
    const old = Object.assign(new Old(), { close: () => {} });
    const it = probe(fromReadable<number>(old, { runtime, onReport }), runtime);
    it.subscription.ask(5);
    await turns();
    emit(old, 1, 1);
    old.emit("error", boom);
    await turns();
    expect([it.seen, it.outcome, it.outcomes, reports]).toEqual([[1], { error: boom }, 1, []]);
    const second = new Error("second");
    old.emit("error", second);
    old.emit("close");
    expect([reports, listeners(old)]).toEqual([[second], {}]);
  });

  test.each(["close", "destroy"])("E06 %s before the end is a premature close", async (event) => {
    const old = new Old();
    const it = probe(fromReadable<number>(old, { runtime, onReport }), runtime);
    await turns();
    old.emit(event);
    await turns();
    expect([codeOf(it.outcome), it.outcomes, listeners(old), reports]).toEqual([
      "ERR_STREAM_PREMATURE_CLOSE",
      1,
      {},
      [],
    ]);
  });

  test("E06 after the end it is none", async () => {
    const old = Object.assign(new Old(), { close: () => void old.said.push("close") });
    const it = probe(fromReadable<number>(old, { runtime, onReport }), runtime);
    await turns();
    old.emit("end");
    old.emit("close");
    await turns();
    expect([it.outcome, old.said, reports]).toEqual(["completed", ["pause"], []]);
  });

  test("E07 what Node's finished does not take ends all the same", async () => {
    const old = new Old();
    expect(() => finished(old as never, () => {})).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }));
    const it = probe(fromReadable<number>(old, { runtime }), runtime);
    it.subscription.ask(1);
    await turns();
    old.emit("data", 7);
    old.emit("end");
    await turns();
    expect([it.seen, it.outcome]).toEqual([[7], "completed"]);
  });

  test("7.4 a burst is held while its consumers work off what they have", async () => {
    const old = new Old();
    const source = fromReadable<number>(old, { runtime, bufferSize: 0 });
    let sum = 0;
    const sink = consumer<number>(
      (events) => {
        for (const event of events) sum += event;
      },
      { runtime },
    );
    sink.subscribe(source, { maxDemand: 10 });
    await turns();
    emit(old, 1, 5000);
    old.emit("end");
    await sink.done;
    expect(sum).toBe((5000 * 5001) / 2);
  });

  test("J01 aborted before, it is not listened to", async () => {
    const old = new Old();
    const source = fromReadable(old, { runtime, signal: AbortSignal.abort(boom) });
    await expect(source.done).rejects.toBe(boom);
    expect(listeners(old)).toEqual({});
  });

  test("what resume emits at once is taken", async () => {
    const old = new Old();
    old.resume = () => {
      emit(old, 1, 3);
      old.emit("end");
    };
    const it = probe(fromReadable<number>(old, { runtime }), runtime);
    it.subscription.ask(3);
    await turns();
    expect([it.seen, it.outcome]).toEqual([[1, 2, 3], "completed"]);
  });

  test("wrapped by a Readable it is one", async () => {
    const old = new Old();
    const it = probe(fromReadable<number>(new Readable({ objectMode: true }).wrap(old as never), { runtime }), runtime);
    it.subscription.ask(5);
    await turns();
    emit(old, 1, 2);
    old.emit("end");
    await turns();
    expect([it.seen, it.outcome]).toEqual([[1, 2], "completed"]);
  });

  test.each([new EventEmitter(), { on() {}, pause() {} }, Object.assign(new EventEmitter(), { readable: false })])(
    "%o is none",
    (stream) => {
      expect(() => fromReadable(stream as never)).toThrow(expect.objectContaining({ code: "ERR_NOT_SOURCE" }));
    },
  );

  test("A33 a second producer is refused until the first has ended", async () => {
    const old = new Old();
    const first = fromReadable<number>(old, { runtime });
    expect(() => fromReadable(old, { runtime })).toThrow(
      "expected a Readable that nothing else reads, got one that is read already (",
    );
    await first.stop();
    const it = probe(fromReadable<number>(old, { runtime }), runtime);
    it.subscription.ask(2);
    await turns();
    emit(old, 1, 2);
    await turns();
    expect(it.seen).toEqual([1, 2]);
  });

  test("wrong options are refused at once, without a listener", () => {
    const old = new Old();
    expect(() => fromReadable(old, { destroyOnCancel: 1 as never })).toThrow(
      expect.objectContaining({ code: "ERR_OPTION" }),
    );
    expect(listeners(old)).toEqual({});
  });
});
