import { afterEach, describe, expect, test, vi } from "vitest";
import { consumer, type Discarded, OverflowError, producer, producerConsumer } from "../../src/index.ts";
import { range, testRuntime, turns, twice } from "../support/runtime.ts";
import { Counter, Doubler, Forwarder, type Log, Quiet, RawConsumer } from "../support/stages.ts";

afterEach(() => void vi.restoreAllMocks());

const letters = (text: string): string[] => text.split("");

describe("buffer", () => {
  test("GS-023 stores events when there is no demand", async () => {
    const runtime = testRuntime();
    const source = new Counter(2);
    const sink = new Forwarder<string | number>();
    const p = producer<string | number>(source, { runtime });
    p.push(letters("abc"));
    await p.call((stage) => stage.push(letters("de")));
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([["a", "b", "c", "d"], ["e"], [0, 1, 2], [3, 4, 5, 6]]);
    expect(source.demands).toEqual([3, 4, 4]);
  });

  test("GS-025 warns and keeps the last with drop-oldest", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const runtime = testRuntime();
    const sink = new Forwarder<string>();
    const p = producer(new Quiet<string>(), { runtime, name: "letters", bufferSize: 5, overflow: "drop-oldest" });
    expect(p.push(letters("abcde"))).toBe(false);
    expect(warn).not.toHaveBeenCalled();
    expect(p.push(letters("fgh"))).toBe(false);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.lastCall?.[0]).toMatch(/letters discarded 3 events \(overflow\)/);
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([["d", "e", "f", "g"], ["h"]]);
  });

  // GenStage discards by default; here it is said to who pushes, and nothing is lost.
  test("GS-025 by default what does not fit is rejected", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const runtime = testRuntime();
    const sink = new Forwarder<string>();
    const p = producer(new Quiet<string>(), { runtime, bufferSize: 5 });
    p.push(letters("abc"));
    let rejected: readonly unknown[] = [];
    try {
      p.push(letters("defgh"));
    } catch (error) {
      if (error instanceof OverflowError) rejected = error.rejected;
    }
    expect(rejected).toEqual(["f", "g", "h"]);
    expect(p.bufferedCount).toBe(5);
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([["a", "b", "c", "d"], ["e"]]);
    expect(warn).not.toHaveBeenCalled();
  });

  test("GS-026 may have its limit set to infinity", async () => {
    const runtime = testRuntime();
    const sink = new Forwarder<string>();
    const p = producer(new Quiet<string>(), { runtime, bufferSize: Number.POSITIVE_INFINITY });
    p.push(letters("abcde"));
    p.push(letters("fgh"));
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([letters("abcd"), letters("efgh")]);
  });

  test("GS-027 calls onDiscard with the discarded events when it exceeds its size", async () => {
    const runtime = testRuntime();
    const discarded: Discarded<string>[] = [];
    const sink = new Forwarder<string>();
    const options = {
      bufferSize: 5,
      overflow: "drop-newest",
      onDiscard: (what: Discarded<string>) => void discarded.push(what),
    } as const;
    const p = producer(new Quiet<string>(), { runtime, ...options });
    p.push(letters("abcdefgh"));
    expect(discarded).toEqual([{ events: ["f", "g", "h"], cause: "overflow", stage: p.name }]);
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([letters("abcd"), ["e"]]);
    expect(discarded).toHaveLength(1);
  });

  test("GS-029 onDiscard replaces the warning when events are discarded", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const runtime = testRuntime();
    const sink = new Forwarder<string>();
    const p = producer(new Quiet<string>(), { runtime, bufferSize: 5, overflow: "drop-newest", onDiscard: () => {} });
    p.push(letters("abcdefgh"));
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 5, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([letters("abcde")]);
    expect(warn).not.toHaveBeenCalled();
  });

  test("GS-030 tells how many events are buffered", async () => {
    const runtime = testRuntime();
    const sink = new Forwarder<string>();
    const p = producer(new Quiet<string>(), { runtime, bufferSize: Number.POSITIVE_INFINITY });
    p.push(letters("abcde"));
    expect(p.bufferedCount).toBe(5);
    p.push(letters("fgh"));
    expect(p.bufferedCount).toBe(8);
    consumer(sink, { runtime }).subscribe(p, { maxDemand: 4, minDemand: 0 });
    await turns();
    expect(sink.batches).toEqual([letters("abcd"), letters("efgh")]);
    expect(p.bufferedCount).toBe(0);
  });
});

/** A producer that only pushes, and what it and its consumer see, in one log. */
const quiet = (bufferSize: number) => {
  const runtime = testRuntime();
  const log: Log = [];
  const p = producer<string>({ handleDemand: () => {} }, { runtime, bufferSize });
  const inform = (what: string): void => void p.info(() => log.push(["info", what]));
  return { runtime, log, p, inform };
};

describe("info", () => {
  test("GS-031 is delivered to a consumer", async () => {
    const runtime = testRuntime();
    const log: Log = [];
    const c = consumer(() => {}, { runtime });
    const answers = await Promise.all([
      c.call(() => log.push(["call"])),
      c.info(() => log.push(["info", "sync"])),
      c.info(() => log.push(["info", "async"])),
    ]);
    expect(log).toEqual([["call"], ["info", "sync"], ["info", "async"]]);
    expect(answers).toEqual([1, 2, 3]);
  });

  test("GS-033 waits in a producerConsumer behind the input that waits", async () => {
    const runtime = testRuntime();
    const log: Log = [];
    const p = producer(new Quiet<number>(), { runtime });
    const d = producerConsumer(new Doubler<number>(log), { runtime });
    d.subscribe(p);
    await turns();
    p.push(range(0, 9));
    await turns();
    const informed = ["sync", "async"].map((what) => d.info(() => log.push(["info", what])));
    await turns();
    expect(log).toEqual([["subscribed", "producer"]]);
    const sink = new Forwarder<number>();
    consumer(sink, { runtime }).subscribe(d);
    await Promise.all(informed);
    expect(log).toEqual([
      ["subscribed", "producer"],
      ["subscribed", "consumer"],
      ["handled", range(0, 9)],
      ["info", "sync"],
      ["info", "async"],
    ]);
    expect(sink.batches).toEqual([twice(0, 9)]);
  });

  test("GS-034 is delivered to a producer at once when nothing is buffered", async () => {
    const { log, p, inform } = quiet(10);
    inform("sync");
    inform("async");
    await turns();
    expect(log).toEqual([
      ["info", "sync"],
      ["info", "async"],
    ]);
    expect(p.bufferedCount).toBe(0);
  });

  test.each([
    { id: "GS-035", text: "eventually with an infinite buffer", size: Number.POSITIVE_INFINITY, events: "abc" },
    { id: "GS-037", text: "eventually with a half filled buffer", size: 3, events: "ab" },
    { id: "GS-038", text: "eventually with a filled buffer", size: 3, events: "abc" },
  ])("$id is delivered to a producer $text", async ({ size, events }) => {
    const { runtime, log, p, inform } = quiet(size);
    p.push(letters(events));
    inform("sync");
    await turns();
    expect(log).toEqual([]);
    consumer((batch: readonly string[]) => log.push(["consumed", batch]), { runtime }).subscribe(p);
    await turns();
    // In one turn of the producer the events go out and the info becomes its next message.
    expect(log).toEqual([
      ["consumed", letters(events)],
      ["info", "sync"],
    ]);
    expect(p.bufferedCount).toBe(0);
  });

  test("GS-039 is delivered to a producer eventually with a moving buffer", async () => {
    const { log, p, inform } = quiet(3);
    const raw = new RawConsumer<string>("raw", log).attach(p);
    p.push(letters("abc"));
    inform("sync1");
    raw.ask(2);
    await turns();
    expect(log).toEqual([["events", ["a", "b"]]]);
    p.push(letters("de"));
    inform("sync2");
    await turns();
    raw.ask(1);
    raw.ask(2);
    await turns();
    expect(log.slice(1)).toEqual([
      ["events", ["c"]],
      ["events", ["d", "e"]],
      ["info", "sync1"],
      ["info", "sync2"],
    ]);
  });

  test("GS-041 is delivered to a producer in FIFO order", async () => {
    const { runtime, log, p, inform } = quiet(10);
    const sink = new Forwarder<string>();
    const subscription = consumer(sink, { runtime }).subscribe(p, { demand: "manual" });
    await turns();
    p.push(letters("abc"));
    for (const what of ["d", "e", "f"]) inform(what);
    // An info is a message: it has to have come before the next events are pushed.
    await turns();
    p.push(letters("gh"));
    inform("i");
    await turns();
    expect(log).toEqual([]);
    subscription.ask(5);
    await turns();
    expect(sink.batches).toEqual([
      ["a", "b", "c"],
      ["g", "h"],
    ]);
    expect(log).toEqual(letters("defi").map((what) => ["info", what]));
  });
});
