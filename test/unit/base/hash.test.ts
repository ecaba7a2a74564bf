import { describe, expect, test } from "vitest";
import { hashKey, partitionOf } from "../../../src/base/hash.ts";
import { partitionDispatcher, producer } from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

describe("hashKey", () => {
  // Other machines and other versions must send a key to the same partition: these numbers never change.
  test.each([
    ["", 2872998923],
    ["a", 444641715],
    ["headrace", 4044987217],
    ["ünï🙂", 2395537560],
    [0, 0],
    [-0, 0],
    [1, 1364076727],
    [-1, 2180083513],
    [2 ** 31 - 1, 4190899880],
    [2 ** 31, 1961913383],
    [0.5, 579616613],
    [Number.NaN, 3540062841],
    [Number.POSITIVE_INFINITY, 3097715827],
    [10n, 3713741236],
    [2n ** 70n, 4002402638],
    [true, 1364076727],
    [false, 0],
  ] as const)("4.5 of %o is the same on every machine", (key, hash) => {
    expect(hashKey(key)).toBe(hash);
  });

  test.each([1, 2, 3, 4, 7, 1000, 65_536])(
    "4.5 of %i partitions, a key has the one of its hash's remainder",
    (count) => {
      for (const key of ["", "a", "ünï🙂", 0, 1, -1, 2 ** 31, 0.5, Number.NaN, 10n, true, ...range(2, 500)])
        expect(partitionOf(key, count)).toBe(hashKey(key) % count);
    },
  );

  test("4.5 a number from 2^31 on is hashed as its text, as is a bigint", () => {
    expect([hashKey(2 ** 31), hashKey(10n)]).toEqual([hashKey("2147483648"), hashKey("10")]);
  });

  test("4.5 spreads similar keys evenly", () => {
    const counts = [0, 0, 0, 0];
    for (const n of range(1, 4000)) {
      const at = hashKey(`user-${n}`) % 4;
      counts[at] = (counts[at] ?? 0) + 1;
    }
    expect(counts).toEqual([1031, 973, 998, 998]);
  });

  test.each([undefined, null, {}, [], Symbol("key"), () => {}])("4.5 %o is no key", (key) => {
    expect(hashKey(key)).toBeNaN();
    expect(partitionOf(key, 4)).toBe(-1);
  });

  test("4.5 by that answers with no key fails the producer, with the batch", async () => {
    const source = producer<unknown, { readonly partition: number }>(() => {}, {
      runtime: testRuntime(),
      dispatcher: partitionDispatcher({ partitions: 1, by: (event: unknown) => event as string }),
    });
    const done = source.done.catch((error: unknown) => error);
    new RawConsumer<unknown>().attach(source, { partition: 0 }).ask(5);
    await turns();
    expect(source.push(["a", null])).toBe(false);
    const error = await done;
    expect(error).toMatchObject({ code: "ERR_PARTITION_KEY", events: ["a", null], event: null });
    expect((error as Error).message).toBe(
      "expected a key: string, number, bigint or boolean, got null (docs/protocol.md#rule-4.5)",
    );
  });
});
