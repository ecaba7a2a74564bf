/*
 * The rules of Reactive Streams that can be asked of one thread, by their numbers: the checks of source-checks.ts for
 * every kind of source, those of consumer-checks.ts for every kind of consumer, and beside them what needs a stage.
 *
 * Where the design decides otherwise, the tests hold its decision:
 *   3.9   ask(0) on a subscription does nothing; what is no demand throws to the caller, and ends the link on the wire
 *   2.5   a consumer may have many producers; only the same port twice is refused (RS-1.10)
 *   2.13  null and undefined are events like any other; a failure with an empty value is a failure
 *   4.2   a failure does not overtake the events sent before it
 *   1.1   a batch counts by its length; a consumer that cancels within one gives the rest back
 *   1.9   a producer that has ended says so while it is attached to; a consumer stage hears of its subscription first
 *   1.11  broadcast is coordinated: all move at the pace of the slowest
 *
 * What is left out, and why:
 *   1.1e 1.3d 2.7 2.8b 2.11       need two threads (a link over a MessagePort does not exist yet)
 *   3.1 (sharing) 3.5 (safety)    mean other threads; what is left of them is in subscription.test.ts
 *   2.12                          the same as 1.10
 *   2.13a                         a producer that answers an attach with nothing is ruled out by its type
 *   3.17e (heap)                  memory is no deterministic figure; that the run is delivered is asked
 *   1.9c                          no producer is exhausted by its consumers; the refusal of a taken place is in sharing.test.ts
 */
import { describe, expect, test } from "vitest";
import { range, turns } from "../support/runtime.ts";
import { complete, failed, ManualConsumer, until } from "./harness.ts";
import { kinds } from "./kinds.ts";
import { sourceChecks } from "./source-checks.ts";

describe.each(kinds)("$name", (kind) => {
  const fitting = sourceChecks.filter(
    ({ endless, eager }) => (!endless || kind.most === Number.POSITIVE_INFINITY) && (!eager || kind.eager),
  );

  test.each(fitting)("RS-$rule $title", async ({ run: checkRule }) => {
    await checkRule(kind.make, kind.many);
  });

  test("RS-0c knows its own limits", () => {
    expect(kind.most).toBeGreaterThanOrEqual(kind.many);
  });

  test.each([
    ["ends", undefined, complete],
    ["fails", { error: "E" }, failed("E")],
  ] as const)("RS-1.5c without an ask it %s as soon as it knows", async (_how, failure, end) => {
    const consumer = new ManualConsumer().attach(kind.make(0, failure));
    await turns();
    expect([consumer.ends, consumer.flaws]).toEqual([kind.eager ? [end] : [], []]);
    consumer.ask(1);
    await until(() => consumer.ends.length > 0, 100);
    expect([consumer.received, consumer.ends, consumer.flaws]).toEqual([[], [end], []]);
  });

  test("RS-1.8a what was not seen when it was cancelled goes to the next consumer", async () => {
    const source = kind.make(20);
    const other = new ManualConsumer().attach(source);
    const consumer = new ManualConsumer().attach(source);
    consumer.each = (event) => void (event === 2 && consumer.cancel());
    consumer.ask(15);
    await until(() => consumer.received.length >= 3, 100);
    await turns();
    expect([consumer.received, consumer.ends, consumer.flaws, other.received]).toEqual([[0, 1, 2], [], [], []]);
    other.ask(30);
    await until(() => other.ends.length > 0, 100);
    expect([other.received, other.ends, other.flaws]).toEqual([range(3, 19), [complete], []]);
    expect([consumer.received, consumer.ends, consumer.flaws]).toEqual([[0, 1, 2], [], []]);
  });

  test("RS-1.8c the last cancel releases it, before any ask or after some", async () => {
    for (const asked of [0, 1]) {
      const source = kind.make(20, undefined, { onLastCancel: "stop" });
      const consumer = new ManualConsumer().attach(source);
      if (asked > 0) consumer.ask(asked);
      await until(() => consumer.received.length >= asked, 100);
      expect(source.state).not.toBe("stopped");
      consumer.cancel();
      await until(() => source.state === "stopped", 100);
      expect([source.state, consumer.received, consumer.ends]).toEqual(["stopped", range(0, asked - 1), []]);
    }
  });

  test("RS-3.14 after the last cancel it goes on where it was, for the next consumer", async () => {
    const source = kind.make(5, undefined, { onLastCancel: "continue" });
    const first = new ManualConsumer().attach(source).ask(2);
    await until(() => first.received.length >= 2, 100);
    first.cancel();
    await turns();
    const second = new ManualConsumer().attach(source).ask(10);
    await until(() => second.ends.length > 0, 100);
    expect([first.received, second.received, second.ends]).toEqual([[0, 1], [2, 3, 4], [complete]]);
    expect([first.flaws, second.flaws]).toEqual([[], []]);
  });
});
