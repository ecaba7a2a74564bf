import { lastValueFrom, map, Observable, range as numbers, reduce, Subject, take, toArray } from "rxjs";
import { describe, expect, test } from "vitest";
import { fromObservable, toObservable } from "../../../adapters/rxjs/index.ts";
import { consumer, producerConsumer } from "../../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { listener, Tap } from "./support.ts";

const million = 1_000_000;
const total = (million * (million + 1)) / 2;
const bare = { overflow: "throw", bufferSize: 0 } as const;

/** Doubles what it gets. */
const doubling = (runtime: TestRuntime) =>
  producerConsumer((events: readonly number[]) => events.map((n) => 2 * n), { runtime });

describe("a synchronous source and synchronous consumers need no buffer", () => {
  test.each([1000, 10, 1])("I03 a million values into a consumer (maxDemand %i)", async (maxDemand) => {
    const count = maxDemand === 1 ? 100_000 : million;
    const runtime = testRuntime();
    let sum = 0;
    const c = consumer<number>(
      (events) => {
        for (const n of events) sum += n;
      },
      { runtime },
    );
    c.subscribe(fromObservable(numbers(1, count), { ...bare, runtime }), { maxDemand });
    await c.done;
    expect(sum).toBe((count * (count + 1)) / 2);
  });

  test("I03 a million values through a middle stage into an Observable", async () => {
    const runtime = testRuntime();
    const middle = doubling(runtime);
    middle.subscribe(fromObservable(numbers(1, million), { ...bare, runtime }));
    expect(await lastValueFrom(toObservable(middle).pipe(reduce((sum, n) => sum + n, 0)))).toBe(2 * total);
  });

  test("I03 a million values straight into an Observable", async () => {
    const source = fromObservable(numbers(1, million), { ...bare, runtime: testRuntime() });
    expect(await lastValueFrom(toObservable(source).pipe(reduce((sum, n) => sum + n, 0)))).toBe(total);
  });

  test("I03 two that compete for them", async () => {
    const runtime = testRuntime();
    const source = fromObservable(numbers(1, 10_000), { ...bare, runtime });
    const sums = [0, 0];
    const consumers = sums.map((_, i) => {
      const c = consumer<number>(
        (events) => {
          for (const n of events) sums[i] = (sums[i] ?? 0) + n;
        },
        { runtime },
      );
      c.subscribe(source, { maxDemand: 10 });
      return c;
    });
    await Promise.all(consumers.map(({ done }) => done));
    expect(sums.reduce((a, b) => a + b)).toBe((10_000 * 10_001) / 2);
    expect(Math.min(...sums)).toBeGreaterThan(0);
  });
});

const endless = (emitted: { count: number }) =>
  new Observable<number>((subscriber) => {
    while (!subscriber.closed) {
      emitted.count += 1;
      subscriber.next(emitted.count);
    }
  });

describe("an endless synchronous source", () => {
  test("I03 is stopped by an Observable at the far end that has enough", async () => {
    const emitted = { count: 0 };
    const runtime = testRuntime();
    const source = fromObservable(endless(emitted), { ...bare, runtime, onDiscard: () => {} });
    const taken = await lastValueFrom(toObservable(source, { maxDemand: 10 }).pipe(take(25), toArray()));
    await turns();
    expect([taken, source.state]).toEqual([range(1, 25), "stopped"]);
    expect(emitted.count).toBeLessThan(50);
  });

  test("I03 is stopped through a middle stage that lets go", async () => {
    const emitted = { count: 0 };
    const runtime = testRuntime();
    const source = fromObservable(endless(emitted), { ...bare, runtime, onDiscard: () => {} });
    const middle = producerConsumer((events: readonly number[]) => events.map((n) => 2 * n), {
      runtime,
      onLastCancel: "stop",
      onDiscard: () => {},
    });
    middle.subscribe(source, { maxDemand: 10 });
    const taken = await lastValueFrom(toObservable(middle, { maxDemand: 10 }).pipe(take(25), toArray()));
    await turns();
    expect([taken, middle.state, source.state]).toEqual([range(1, 25).map((n) => 2 * n), "stopped", "stopped"]);
    expect(emitted.count).toBeLessThan(100);
  });

  test("I03 held by a consumer that waits it fails, for nothing can hold a source that does not wait", async () => {
    const emitted = { count: 0 };
    const runtime = testRuntime();
    const source = fromObservable(endless(emitted), { overflow: "throw", bufferSize: 5, runtime });
    const seen: number[] = [];
    const c = consumer<number>(
      async (events) => {
        await turns(1);
        seen.push(...events);
      },
      { runtime },
    );
    c.subscribe(source, { maxDemand: 2, minDemand: 0 });
    await expect(c.done).rejects.toMatchObject({ code: "ERR_OVERFLOW" });
    await turns();
    expect(emitted.count).toBeLessThan(20);
    expect(seen).toEqual(range(1, 7));
  });
});

describe("there and back", () => {
  test("L07 a thousand values, one end", async () => {
    const log: unknown[] = [];
    const source = fromObservable(numbers(0, 1000), { overflow: "throw", runtime: testRuntime() });
    toObservable(source).subscribe(listener(log));
    await turns();
    expect(log).toEqual([...range(0, 999), "complete"]);
  });

  test("L07 an error keeps its identity and its place", async () => {
    const error = new Error("E");
    const subject = new Subject<number>();
    const log: unknown[] = [];
    toObservable(fromObservable(subject, { overflow: "throw", runtime: testRuntime() })).subscribe({
      next: (value) => void log.push(value),
      error: (thrown: unknown) => void log.push(thrown === error),
    });
    await turns();
    for (const value of [1, 2]) subject.next(value);
    subject.error(error);
    await turns();
    expect(log).toEqual([1, 2, true]);
  });

  test.each(["complete", "error", "unsubscribe"])("K01 nothing stays subscribed after %s", async (end) => {
    const tap = new Tap<number>();
    const runtime = testRuntime();
    const middle = producerConsumer((events: readonly number[]) => events, { runtime, onLastCancel: "stop" });
    middle.subscribe(fromObservable(tap.observable, { overflow: "throw", runtime }));
    const log: unknown[] = [];
    const subscription = toObservable(middle).pipe(map(String)).subscribe(listener(log));
    await turns();
    tap.next(1, 2);
    await turns();
    if (end === "complete") tap.complete();
    else if (end === "error") tap.error("E");
    else subscription.unsubscribe();
    await turns();
    const last = { complete: ["complete"], error: [["error", "E"]], unsubscribe: [] }[end];
    expect(log).toEqual(["1", "2", ...(last ?? [])]);
    expect([tap.torn, tap.subscribers.length, subscription.closed, runtime.clock.pending]).toEqual([1, 1, true, 0]);
    expect(middle.state).toBe({ complete: "completed", error: "failed", unsubscribe: "stopped" }[end]);
  });
});
