import { describe, expect, test } from "vitest";
import type { Subscription } from "../../../src/index.ts";
import { Asks } from "../../../src/steps/concurrent/asks.ts";
import { OneAttempt } from "../../../src/steps/concurrent/attempt.ts";
import { Held } from "../../../src/steps/concurrent/held.ts";
import { SlidingWindow } from "../../../src/steps/concurrent/rate-limiter.ts";

const from = (name: string, asked: number[] = []): Subscription =>
  ({ name, options: { maxDemand: 5 }, ask: (count: number) => void asked.push(count) }) as unknown as Subscription;

describe("Held", () => {
  test("keeps batches in order, with where they came from", () => {
    const held = new Held<number>();
    const [a, b] = [from("a"), from("b")];
    held.push([], a);
    expect([held.size, held.takeNewest(1), held.take(1), held.takeAll().size]).toEqual([0, [], [], 0]);
    held.push([1, 2, 3], a);
    held.push([4, 5], b);
    held.push([6], a);
    expect([held.takeNewest(0), held.take(2), held.takeNewest(1), held.size]).toEqual([[], [1, 2], [6], 3]);
    expect([...held.takeAll()]).toEqual([
      [a, [3]],
      [b, [4, 5]],
    ]);
    expect(held.size).toBe(0);
  });
});

describe("Asks", () => {
  test("share what is asked among the sources, and forget one that has left", () => {
    const asks = new Asks();
    const [first, second]: [number[], number[]] = [[], []];
    const [a, b] = [from("a", first), from("b", second)];
    expect(asks.closed).toBe(true);
    asks.open(a);
    asks.open(b);
    asks.ask(3);
    asks.ask(1);
    asks.arrived(a, 1);
    asks.arrived(from("unknown"), 5);
    expect([asks.outstanding, first, second]).toEqual([3, [2, 1], [1]]);
    asks.close(from("unknown"));
    asks.close(a);
    expect([asks.outstanding, asks.closed]).toEqual([1, false]);
    // No more than its maxDemand.
    asks.ask(100);
    expect([asks.outstanding, second]).toEqual([5, [1, 4]]);
  });
});

describe("an attempt", () => {
  test("that was aborted takes a rejection that says so for nothing", () => {
    const reason = new Error("enough");
    const attempt = new OneAttempt(1);
    expect(attempt.gaveUp(reason)).toBe(false);
    const { signal } = attempt;
    attempt.abort(reason);
    const hostile = new Proxy(new Error("hostile"), {
      get: () => {
        throw new Error("cannot be read");
      },
    });
    expect([attempt.over, signal.reason, attempt.signal]).toEqual([true, reason, signal]);
    expect(
      [reason, new DOMException("", "AbortError"), undefined, new Error("other"), hostile].map((e) =>
        attempt.gaveUp(e),
      ),
    ).toEqual([true, true, false, false, false]);
  });

  test("that is over before its signal is read has one that has aborted", () => {
    const attempt = new OneAttempt(1);
    attempt.abort();
    expect(attempt.signal.aborted).toBe(true);
    expect(attempt.gaveUp(attempt.signal.reason)).toBe(true);
  });
});

describe("a sliding window", () => {
  test("is forgotten when its last permit is an interval old", () => {
    const limiter = new SlidingWindow({ events: 1, interval: 10 });
    const clock = { now: () => 0 } as never;
    expect([limiter.forgotten(0), limiter.take(clock), limiter.take(clock), limiter.forgotten(9)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([limiter.wait(4), limiter.forgotten(10)]).toEqual([6, true]);
  });
});
