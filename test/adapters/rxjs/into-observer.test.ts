import { Subject } from "rxjs";
import { describe, expect, test } from "vitest";
import { fromObservable, intoObserver, type ObserverLike } from "../../../adapters/rxjs/index.ts";
import { fromIterable, pipeline, producer, type Reason, type StageOptions } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { generations } from "./generations.ts";
import { listener } from "./support.ts";

/** A producer by hand with an observer behind it, and all that is said. */
function into(observer: ObserverLike<number>, options: StageOptions = {}) {
  const runtime = testRuntime();
  const left: Reason[] = [];
  const reports: unknown[] = [];
  const source = producer<number, object, number, number, number>(
    { handleDemand: () => {}, handleCancel: (reason) => void left.push(reason) },
    { runtime, name: "source" },
  );
  const stage = intoObserver(observer, { runtime, onReport: (error) => void reports.push(error), ...options });
  const outcome: unknown[] = [];
  stage.subscribe(source);
  return { runtime, source, stage, left, reports, outcome };
}
const fails = (message: string) => (): never => {
  throw new Error(message);
};
const code = (text: string): unknown => expect.objectContaining({ code: text });

describe.each(generations)("intoObserver of $name", (g) => {
  test("I27 a subject: values, and the end", async () => {
    const subject = g.subject<number>();
    const log: unknown[] = [];
    g.listen(subject, listener(log));
    const { source, stage } = into(subject);
    await turns();
    source.push([1, 2]);
    source.push([3]);
    source.complete();
    await stage.done;
    expect(log).toEqual([1, 2, 3, "complete"]);
  });

  test("7.2 an error, by identity, behind the values; it is carried on", async () => {
    const subject = g.subject<number>();
    const log: unknown[] = [];
    g.listen(subject, listener(log));
    const { source, stage, reports } = into(subject);
    await turns();
    const error = new Error("E");
    source.push([1]);
    source.fail(error);
    await turns();
    expect([log, stage.state, reports]).toEqual([[1, ["error", error]], "failed", []]);
    await expect(stage.done).rejects.toBe(error);
  });

  test.each(["complete", "error"] as const)("7.3 a subject that says %s meanwhile: the rest goes back", async (how) => {
    const subject = g.subject<number>();
    const log: unknown[] = [];
    const { source, stage, left } = into(subject);
    g.listen<number>(subject, {
      next: (value) => {
        log.push(value);
        if (value !== 2) return;
        if (how === "complete") subject.complete();
        else subject.error("E");
      },
      complete: () => void log.push("complete"),
      error: (error) => void log.push(error),
    });
    await turns();
    source.push([1, 2, 3, 4]);
    source.push([5]);
    await turns();
    expect([log, stage.state, left.length]).toEqual([[1, 2, how === "complete" ? "complete" : "E"], "completed", 1]);
    expect(source.bufferedCount).toBe(3);
  });

  test("L07 a subject between two pipelines", async () => {
    const subject = g.subject<number>();
    const runtime = testRuntime();
    const back = fromObservable<number>(subject, { overflow: "throw", runtime });
    const seen: number[] = [];
    const { done } = pipeline(
      back,
      intoObserver((value: number) => void seen.push(value), { runtime }),
    );
    await turns();
    await pipeline(fromIterable(range(0, 999), { runtime }), intoObserver<number>(subject, { runtime })).done;
    await done;
    expect(seen).toEqual(range(0, 999));
  });
});

describe("intoObserver", () => {
  test("I27 partial observers and bare functions", async () => {
    const log: unknown[] = [];
    for (const observer of [
      (value: number) => void log.push(["function", value]),
      { next: (value: number) => void log.push(["next", value]) },
      { complete: () => void log.push("complete") },
      { error: () => void log.push("error") },
    ]) {
      const { source, stage } = into(observer);
      await turns();
      source.push([1]);
      source.complete();
      await stage.done;
    }
    expect(log).toEqual([["function", 1], ["next", 1], "complete"]);
  });

  test("I27 an error without a handler is left to done", async () => {
    const { source, stage } = into(() => {});
    const done = stage.done.catch((error: unknown) => [error]);
    await turns();
    source.fail("E");
    expect(await done).toEqual(["E"]);
  });

  test("3.3 it asks when the observer has returned, whatever that has started", async () => {
    const runtime = testRuntime();
    const demands: number[] = [];
    let next = 0;
    const source = producer(
      (demand: number) => {
        demands.push(demand);
        return range((next += demand) - demand, next - 1);
      },
      { runtime },
    );
    let started = 0;
    const stage = intoObserver<number>(
      () => {
        started += 1;
        if (started === 7) void stage.stop();
        return new Promise(() => {}) as never;
      },
      { runtime },
    );
    stage.subscribe(source, { maxDemand: 4, minDemand: 2 });
    await stage.done;
    expect([started >= 7, demands.slice(0, 3)]).toEqual([true, [4, 2, 2]]);
  });

  test("7.2 a stop, of the consumer or of its source, completes the observer", async () => {
    for (const which of ["stage", "source"] as const) {
      const log: unknown[] = [];
      const made = into(listener<number>(log));
      await turns();
      made.source.push([1]);
      await turns();
      await made[which].stop();
      await turns();
      expect(log).toEqual([1, "complete"]);
    }
  });

  test("J02 an abort is an error, by identity, and leaves the source", async () => {
    const kill = new AbortController();
    const log: unknown[] = [];
    const { source, stage, left } = into(listener<number>(log), { signal: kill.signal });
    await turns();
    source.push([1]);
    await turns();
    kill.abort("why");
    await turns();
    expect([log, stage.state, left]).toEqual([[1, ["error", "why"]], "failed", [{ type: "failure", error: "why" }]]);
  });

  test("J06 aborted inside next: nothing comes any more, the rest of the batch goes back", async () => {
    const kill = new AbortController();
    const log: unknown[] = [];
    const observer = listener<number>(log);
    const { source, left } = into(
      {
        ...observer,
        next: (value) => {
          log.push(value);
          if (value === 2) kill.abort("now");
        },
      },
      { signal: kill.signal },
    );
    await turns();
    source.push([1, 2, 3, 4]);
    source.push([5]);
    await turns();
    expect([log, left.length, source.bufferedCount]).toEqual([[1, 2, ["error", "now"]], 1, 3]);
  });

  test("J01 aborted before: the observer hears that, and nothing else", async () => {
    const log: unknown[] = [];
    const stage = intoObserver(listener<number>(log), { runtime: testRuntime(), signal: AbortSignal.abort("early") });
    await turns();
    expect([log, stage.state]).toEqual([[["error", "early"]], "failed"]);
  });

  test("F-41 a next that throws fails the consumer with that event, those behind it go back; the observer hears no more", async () => {
    const log: unknown[] = [];
    const { source, stage, left } = into({
      ...listener<number>(log),
      next: (value) => {
        log.push(value);
        if (value === 2) throw new Error("observer");
      },
    });
    const done = stage.done.catch((error: unknown) => error);
    await turns();
    source.push([1, 2, 3]);
    source.push([4]);
    const error = await done;
    await turns();
    expect(error).toEqual(new Error("observer"));
    expect(stage.failure).toMatchObject({ error, callback: "next", events: [2] });
    expect([log, left.length, source.bufferedCount]).toEqual([[1, 2], 1, 2]);
  });

  test("7.3 what complete or error throws is reported", async () => {
    const ends = into({ complete: fails("complete") });
    await turns();
    ends.source.complete();
    await turns();
    expect([ends.stage.state, ends.reports]).toEqual(["completed", [new Error("complete")]]);
    const breaks = into({ error: fails("error") });
    await turns();
    breaks.source.fail("E");
    await turns();
    expect([breaks.stage.state, breaks.reports]).toEqual(["failed", [new Error("error")]]);
  });

  test("7.3 a Subject of RxJS 7 that was unsubscribed takes nothing", async () => {
    const subject = new Subject<number>();
    subject.unsubscribe();
    const { source, stage } = into(subject);
    await turns();
    source.push([1, 2]);
    await turns();
    expect([stage.state, source.bufferedCount]).toEqual(["completed", 2]);
  });

  test("1.3 what is no observer is refused at once", () => {
    for (const nothing of [null, undefined, 5, "next", {}, []])
      expect(() => intoObserver(nothing as never)).toThrow(code("ERR_NOT_SOURCE"));
    expect(() => intoObserver({ next: 5 } as never)).toThrow(code("ERR_OPTION"));
    expect(() => intoObserver(() => {}, { overflow: "throw" } as never)).toThrow(code("ERR_OPTION"));
    expect(() => intoObserver(() => {}, { signal: {} as never })).toThrow(code("ERR_OPTION"));
  });
});
