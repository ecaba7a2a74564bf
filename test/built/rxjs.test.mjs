import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { consumer, fromIterable, OverflowError, producerConsumer } from "headrace";
import { fromObservable, toObservable } from "headrace/rxjs";
import { interval, lastValueFrom, map, range, Subject, take, throwError, toArray } from "rxjs";

const nextTurn = () => new Promise((resolve) => setImmediate(() => resolve()));
const numbers = (count) => Array.from({ length: count }, (_, i) => i + 1);

describe("headrace/rxjs", { timeout: 60_000 }, () => {
  test("B-80 an Observable through a stage into an Observable", async () => {
    const double = producerConsumer((events) => events.map((n) => n * 2));
    double.subscribe(fromObservable(range(1, 1000), { overflow: "throw" }));
    const seen = await lastValueFrom(toObservable(double).pipe(toArray()));
    assert.deepEqual(
      seen,
      numbers(1000).map((n) => n * 2),
    );
  });

  test("B-81 a synchronous source of a million values needs no buffer", async () => {
    let sum = 0;
    const stage = consumer((events) => {
      for (const n of events) sum += n;
    });
    stage.subscribe(fromObservable(range(1, 1_000_000), { overflow: "throw", bufferSize: 0 }));
    await stage.done;
    assert.equal(sum, 500_000_500_000);
  });

  test("B-82 what nobody asks for meets the policy, and the failure comes behind what was held", async () => {
    const subject = new Subject();
    const seen = [];
    const stage = consumer((events) => void seen.push(...events));
    const subscription = stage.subscribe(fromObservable(subject, { overflow: "throw", bufferSize: 10 }), {
      demand: "manual",
    });
    subscription.ask(5);
    await nextTurn();
    for (const n of numbers(100)) subject.next(n);
    await nextTurn();
    assert.deepEqual([seen, subject.observed], [numbers(5), false]);
    subscription.ask(100);
    await assert.rejects(stage.done, (told) => told instanceof OverflowError);
    assert.deepEqual(seen, numbers(15));
  });

  test("B-83 unsubscribing releases the source, on both sides", async () => {
    let closed = 0;
    const source = fromIterable(
      (function* () {
        try {
          for (let n = 1; ; n += 1) yield n;
        } finally {
          closed += 1;
        }
      })(),
    );
    assert.deepEqual(await lastValueFrom(toObservable(source).pipe(take(3), toArray())), [1, 2, 3]);
    await source.done;
    assert.equal(closed, 1);
    const ticks = fromObservable(interval(1).pipe(map((n) => n + 1)), { overflow: "drop-oldest" });
    const seen = [];
    for await (const n of ticks) {
      seen.push(n);
      if (n === 2) break;
    }
    await ticks.done;
    assert.deepEqual([seen, ticks.state], [[1, 2], "stopped"]);
  });

  test("B-84 errors arrive as they are, both ways", async () => {
    const error = new Error("mine");
    const source = fromObservable(
      throwError(() => error),
      { overflow: "throw" },
    );
    await assert.rejects(lastValueFrom(toObservable(source)), (told) => told === error);
  });
});
