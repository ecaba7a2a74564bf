import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  balance,
  broadcast,
  collect,
  failureOf,
  filter,
  flatMap,
  forEach,
  fromIterable,
  map,
  partitionBy,
  pipeline,
  reduce,
  scan,
  skip,
  take,
  takeWhile,
  tap,
  throughGenerator,
} from "headrace";

describe("pipelines", { timeout: 60_000 }, () => {
  test("B-30 every per-event step, in one stage", async () => {
    const seen = [];
    const { done } = pipeline(
      fromIterable([1, 2, 3, 4, 5, 6, 7, 8, 9]),
      map((n) => n * 2),
      filter((n) => n > 2),
      tap((n) => seen.push(n)),
      flatMap((n) => [n, -n]),
      skip(1),
      scan((sum, n) => sum + n, 0),
      takeWhile((n) => n < 10),
      take(7),
      collect(),
    );
    assert.deepEqual(await done, [-4, 2, -4, 4, -4, 6, -4]);
    assert.deepEqual(seen, [4, 6, 8, 10]);
  });

  test("B-31 stages between, a generator among them", async () => {
    const twice = throughGenerator(async function* (input) {
      for await (const n of input) yield* [n, n];
    });
    const { done } = pipeline(
      fromIterable([1, 2, 3]),
      twice,
      balance(),
      reduce((sum, n) => sum + n, 0),
    );
    assert.equal(await done, 12);
  });

  test("B-32 several consumers behind broadcast and partitionBy", async () => {
    const news = pipeline(fromIterable(["a", "b"]), broadcast({ startAfter: 2 }));
    const both = [0, 1].map(() => pipeline(news, collect()).done);
    assert.deepEqual(await Promise.all(both), [
      ["a", "b"],
      ["a", "b"],
    ]);
    const parts = pipeline(
      fromIterable([1, 2, 3, 4]),
      partitionBy((n) => n, { partitions: 2 }),
    );
    const seen = await Promise.all(
      [0, 1].map(async (partition) => {
        const own = [];
        for await (const n of parts.events({ partition })) own.push(n);
        return own;
      }),
    );
    assert.deepEqual(
      seen.flat().toSorted((a, b) => a - b),
      [1, 2, 3, 4],
    );
  });

  test("B-33 a step that throws tells where", async () => {
    const boom = new Error("boom");
    const { done } = pipeline(
      fromIterable([1]),
      map(() => {
        throw boom;
      }),
      forEach(() => {}),
    );
    await assert.rejects(done, (error) => error === boom);
    const { step, index, event } = failureOf(boom) ?? {};
    assert.deepEqual([step, index, event], ["map", 0, 1]);
  });
});
