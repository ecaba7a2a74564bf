import { describe, expect, test } from "vitest";
import {
  collect,
  failureOf,
  filter,
  first,
  flatMap,
  fromIterable,
  pipeline,
  producer,
  take,
  takeWhile,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { counted, failureFrom } from "./support.ts";

describe("first", () => {
  test("takes one event, and leaves the rest at the source", async () => {
    const source = counted(100);
    expect(await pipeline(source.source, first())).toBe(0);
    expect(source.taken).toBe(1);
    const even = filter((n: number) => n > 4);
    expect(await pipeline(source.source, even, first())).toBe(5);
    expect(source.taken).toBe(6);
    expect(await pipeline(source.source, collect())).toEqual(range(6, 99));
  });

  test("takes the first of several that a step makes of one", async () => {
    const several = flatMap((n: number) => [n, n + 1].values());
    expect(await pipeline(fromIterable([1, 2]), several, first())).toBe(1);
    expect(await pipeline(fromIterable([undefined, 1]), first())).toBe(undefined);
  });

  test("rejects when there is none", async () => {
    const running = pipeline(
      fromIterable<number>([]),
      filter((n) => n > 1),
      first(),
    );
    const error = await failureFrom(running.done);
    expect(error).toMatchObject({ code: "ERR_EMPTY", name: "CallbackError", events: [] });
    expect((error as Error).message).toMatch(
      /^expected an event for step 1 \(first\) of pipeline#\d+ .*, got none: first\(\{/,
    );
    expect(failureOf(error)).toMatchObject({ step: "first", index: 1, callback: "handleEnd" });
    expect(running.failure?.error).toBe(error);
    for (const none of [take<number>(0), takeWhile((n: number) => n > 1)])
      expect(await failureFrom(pipeline(fromIterable([1, 2]), none, first()))).toMatchObject({ code: "ERR_EMPTY" });
  });

  test("gives something else when there is none", async () => {
    expect(await pipeline(fromIterable<number>([]), first({ orElse: 7 }))).toBe(7);
    expect(await pipeline(fromIterable<number>([]), first({ orElse: undefined }))).toBe(undefined);
    expect(await pipeline(fromIterable([1]), first({ orElse: 7 }))).toBe(1);
  });

  test("has no event if it is stopped before one; a failure of the source is its own", async () => {
    const source = producer<number>({ handleDemand: () => {} });
    const running = pipeline(source, first());
    const failed = failureFrom(running.done);
    await turns();
    await running.stop();
    expect(await failed).toMatchObject({ code: "ERR_EMPTY" });
    const quick = pipeline(source, first());
    await quick.stop();
    expect(await failureFrom(quick.done)).toMatchObject({ code: "ERR_EMPTY" });
    const runtime = testRuntime();
    const atOnce = pipeline(fromIterable([1], { runtime }), first());
    const stopped = atOnce.stop({ timeout: 0 });
    runtime.clock.advance(1);
    await stopped;
    expect(await failureFrom(atOnce.done)).toMatchObject({ code: "ERR_EMPTY" });
    const other = pipeline(source, first({ orElse: "none" }));
    await turns();
    await other.stop();
    expect(await other).toBe("none");
    const bad = new Error("bad");
    const third = failureFrom(pipeline(source, first({ orElse: 1 })));
    await turns();
    source.fail(bad);
    expect(await third).toBe(bad);
  });

  test("is new for each pipeline, and refuses what is no option", async () => {
    const sink = first<number>();
    expect(await pipeline(fromIterable([1]), sink)).toBe(1);
    expect(await pipeline(fromIterable([2]), sink)).toBe(2);
    for (const options of [{}, { or: 1 }, null, 5]) expect(() => first(options as never)).toThrow(/expected/);
  });
});
