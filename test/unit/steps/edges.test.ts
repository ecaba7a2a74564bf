import { describe, expect, test } from "vitest";
import { collect, flatMap, forEach, fromIterable, map, pipeline, take, takeWhile } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { counted, failureFrom } from "./support.ts";

const boom = (): Error => new Error("boom");
const numbers = (to: number) => fromIterable(range(1, to), { runtime: testRuntime() });

describe("flatMap over an iterable that is no array", () => {
  test("fails with what the iterable throws", async () => {
    const error = boom();
    const running = pipeline(
      numbers(3),
      flatMap(function* (n: number) {
        yield n;
        if (n === 2) throw error;
      }),
      collect(),
    );
    expect(await failureFrom(running.done)).toBe(error);
    expect([running.failure?.step, running.failure?.event]).toEqual(["flatMap", 2]);
  });

  test("leaves a later step's failure to that step", async () => {
    const error = boom();
    const running = pipeline(
      numbers(3),
      flatMap((n: number) => new Set([n, -n])),
      map((n: number) => {
        if (n === -2) throw error;
        return n;
      }),
      collect(),
    );
    expect(await failureFrom(running.done)).toBe(error);
    expect([running.failure?.step, running.failure?.event]).toEqual(["map", -2]);
  });

  test("is left, and closed, when a later step has had enough", async () => {
    let closed = 0;
    const running = pipeline(
      numbers(3),
      flatMap(function* (n: number) {
        try {
          yield* [n, n * 10, n * 100];
        } finally {
          closed += 1;
        }
      }),
      takeWhile((n: number) => n < 200),
      take(5),
      collect(),
    );
    expect([await running.done, closed]).toEqual([[1, 10, 100, 2, 20], 2]);
  });
});

describe("take", () => {
  test("of none lets nothing through", async () => {
    expect(await pipeline(numbers(3), take(0), collect()).done).toEqual([]);
  });
});

describe("forEach with options", () => {
  test("reports an onDiscard that throws", async () => {
    const source = counted(5);
    const error = boom();
    const running = pipeline(
      source.source,
      forEach(() => new Promise<never>(() => {}), {
        concurrency: 2,
        onDiscard: () => {
          throw error;
        },
      }),
    );
    await turns(8);
    const stopped = running.stop({ timeout: 5 });
    await turns(4);
    source.runtime.clock.advance(5);
    await stopped;
    expect(source.reported).toEqual([error]);
  });
});
