import { describe, expect, test } from "vitest";
import { delayOf } from "../../../src/base/retry.ts";

describe("delayOf", () => {
  test.each([
    [{ delay: 10 }, 1, 10],
    [{ delay: 10 }, 3, 40],
    [{ delay: 10, factor: 3 }, 3, 90],
    [{ delay: 10, maxDelay: 25 }, 3, 25],
    [{ delay: 10, factor: 0 }, 1, 10],
    [{ delay: 10, factor: 0 }, 2, 0],
  ])("%j behind attempt %d is %d", (retry, attempt, expected) => {
    expect(delayOf({ attempts: 9, jitter: "none", ...retry }, attempt, 0.5)).toBe(expected);
    expect(delayOf({ attempts: 9, ...retry }, attempt, 0.5)).toBe(expected / 2);
  });

  test.each([
    [{ delay: 0 }, 0],
    [{}, 0],
    [{ delay: 1 }, Number.MAX_SAFE_INTEGER],
    [{ delay: 1, maxDelay: 50 }, 50],
  ])("8.13 %j behind two thousand attempts is a number: %d", (retry, expected) => {
    expect(delayOf({ attempts: 2001, jitter: "none", ...retry }, 2000, 0.5)).toBe(expected);
  });
});
