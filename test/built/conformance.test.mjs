import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromIterable } from "headrace";
import { conformance, runConformance } from "headrace/conformance";

const numbers = (count) => Array.from({ length: count }, (_, i) => i);
const adapter = {
  name: "B-90 fromIterable",
  source: (count, options) => ({ producer: fromIterable(numbers(count), options) }),
  refuses: (foreign) => fromIterable(foreign),
  capabilities: { endsUnasked: false },
};

describe("headrace/conformance", { timeout: 60_000 }, () => {
  conformance(adapter, { test });

  test("B-91 a report without a test runner", async () => {
    const verdicts = await runConformance(adapter);
    const count = (outcome) => verdicts.filter((verdict) => verdict.outcome === outcome).length;
    assert.deepEqual([count("fail"), count("deviation")], [0, 0]);
    assert.ok(count("pass") > 25);
  });

  test("B-92 a fault is found", async () => {
    const source = (count, options) => ({ producer: fromIterable(numbers(count).toReversed(), options) });
    const verdicts = await runConformance({ ...adapter, source });
    const order = verdicts.find(({ rule }) => rule === "4.7a");
    assert.equal(order.outcome, "fail");
    assert.match(order.error.message, /^expected the events to be \[0, 1, /);
  });
});
