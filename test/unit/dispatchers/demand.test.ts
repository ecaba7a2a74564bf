import { describe, expect, test } from "vitest";
import { demandDispatcher, producer } from "../../../src/index.ts";
import { FakeLink, type Log, Quiet, RawConsumer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

/** A dispatcher with links of the given names. `log` holds their deliveries in order. */
const setup = (names: string, spread: "fill" | "even" = "fill") => {
  const log: Log = [];
  const d = demandDispatcher({ spread });
  const links = names.split("").map((name) => new FakeLink<unknown>(name, log));
  for (const link of links) d.subscribe(link, {});
  const [a, b, c] = links as [FakeLink<unknown>, FakeLink<unknown>, FakeLink<unknown>];
  return { d, a, b, c, log };
};
const letters = (text: string): string[] => text.split("");
/** A producer that only pushes, behind raw consumers. */
const stage = () => {
  const runtime = testRuntime();
  const source = new Quiet<number>();
  return { source, p: producer(source, { runtime }) };
};

describe("demandDispatcher", () => {
  test("GS-125 subscribes and cancels", () => {
    const { d, a } = setup("a");
    expect([d.wanted, d.queued]).toEqual([0, 0]);
    d.cancel(a);
    expect([d.wanted, d.queued]).toEqual([0, 0]);
  });

  // GenStage keeps the demand of consumers that left as "pending"; here what is asked for already is the stage's "owed".
  test("GS-126 subscribes, asks and cancels", () => {
    const { d, a, log } = setup("a");
    d.ask(a, 10);
    expect(d.wanted).toBe(10);
    d.cancel(a);
    expect(d.wanted).toBe(0);
    const again = new FakeLink<unknown>("again", log);
    d.subscribe(again, {});
    expect(d.wanted).toBe(0);
    d.ask(again, 5);
    expect(d.wanted).toBe(5);
    d.cancel(again);
    expect(d.wanted).toBe(0);
    expect(d.dispatch(letters("abc"))).toBe(0);
    expect(d.dispatch([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toBe(0);
    expect([d.wanted, d.queued, log]).toEqual([0, 0, []]);
  });

  test("GS-126 end to end: what is owed is not asked for twice", async () => {
    const { source, p } = stage();
    const first = new RawConsumer<number>().attach(p).ask(10);
    await turns();
    first.leave();
    await turns();
    const second = new RawConsumer<number>().attach(p).ask(5);
    await turns();
    expect(source.demands).toEqual([10]);
    second.leave();
    await turns();
    p.push([1, 2, 3]);
    expect([p.bufferedCount, p.demand]).toEqual([3, 0]);
    const third = new RawConsumer<number>().attach(p).ask(11);
    await turns();
    // 3 come from the buffer, 7 of the first 10 are still owed: 1 more is asked for.
    expect(third.batches).toEqual([[1, 2, 3]]);
    expect(source.demands).toEqual([10, 1]);
  });

  test("GS-127 subscribes twice, asks twice and cancels one", () => {
    const { d, a, b } = setup("ab");
    d.ask(a, 3);
    expect(d.wanted).toBe(3);
    d.ask(b, 3);
    expect(d.wanted).toBe(6);
    d.cancel(a);
    expect(d.wanted).toBe(3);
    expect(d.dispatch(letters("abcde"))).toBe(3);
    expect([a.take(), b.take(), d.wanted]).toEqual([[], [letters("abc")], 0]);
  });

  test("GS-127 end to end: the demand of the one that left is used up first", async () => {
    const { source, p } = stage();
    const first = new RawConsumer<number>("first").attach(p).ask(3);
    const second = new RawConsumer<number>("second").attach(p).ask(3);
    await turns();
    expect(source.demands).toEqual([3, 3]);
    first.leave();
    await turns();
    p.push([1, 2, 3, 4, 5]);
    expect(second.batches).toEqual([[1, 2, 3]]);
    expect(p.bufferedCount).toBe(2);
    // 1 is owed, 2 are buffered: an ask of 4 passes 1 on.
    second.ask(4);
    await turns();
    expect(second.batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(source.demands).toEqual([3, 3, 1]);
  });

  const asks = [
    ["a", 4, 4],
    ["b", 2, 6],
    ["c", 3, 9],
    ["c", 2, 11],
    ["b", 4, 15],
  ] as const;
  const orders = [
    { count: 3, order: [["a", 4], ["c", 3], ["b", 2]] }, // biome-ignore format: one line each
    { count: 4, order: [["c", 5], ["a", 4], ["b", 2]] }, // biome-ignore format: one line each
    { count: 5, order: [["b", 6], ["c", 5], ["a", 4]] }, // biome-ignore format: one line each
  ];
  test.each(orders)("GS-129 subscribes, $count asks of several consumers", ({ count, order }) => {
    const { d, a, b, c, log } = setup("abc");
    const links = { a, b, c };
    for (const [name, n, wanted] of asks.slice(0, count)) {
      d.ask(links[name], n);
      expect(d.wanted).toBe(wanted);
    }
    // The order in which they stand is the order in which one batch fills them.
    const events = Array.from({ length: d.wanted + 1 }, (_, i) => i);
    expect(d.dispatch(events)).toBe(events.length - 1);
    expect(log.map(([name, batch]) => [name, (batch as unknown[]).length])).toEqual(order);
    expect(log.flatMap(([, batch]) => batch as unknown[])).toEqual(events.slice(0, -1));
    expect(d.wanted).toBe(0);
  });

  test("GS-130 subscribes, asks and dispatches to multiple consumers", () => {
    const { d, a, b, log } = setup("ab");
    d.ask(a, 3);
    d.ask(b, 2);
    expect(d.dispatch(letters("abcde"))).toBe(5);
    expect(log.splice(0)).toEqual([
      ["a", ["a", "b", "c"]],
      ["b", ["d", "e"]],
    ]);
    expect(d.wanted).toBe(0);
    expect(d.dispatch(letters("abc"))).toBe(0);
    expect(log).toEqual([]);

    d.ask(a, 3);
    d.ask(b, 3);
    expect(d.dispatch(["a", "b"])).toBe(2);
    expect(log.splice(0)).toEqual([["a", ["a", "b"]]]);
    expect(d.dispatch(["c", "d"])).toBe(2);
    expect(log.splice(0)).toEqual([["b", ["c", "d"]]]);
    expect(d.wanted).toBe(2);
    expect(d.dispatch(["e", "f", "g"])).toBe(2);
    expect(log.splice(0)).toEqual([
      ["a", ["e"]],
      ["b", ["f"]],
    ]);
    expect(d.wanted).toBe(0);
  });

  test("DD-06 equal consumers take turns from batch to batch", () => {
    const { d, a, b, c, log } = setup("abc");
    for (const link of [a, b, c]) d.ask(link, 2);
    for (const n of [1, 2, 3, 4, 5, 6]) d.dispatch([n]);
    expect(log.map(([name]) => name).join("")).toBe("abcabc");
  });

  test("4.3 an ask of Infinity is never used up, and its consumer comes first", () => {
    const { d, a, b, log } = setup("ab");
    d.ask(a, 2);
    d.ask(b, Number.POSITIVE_INFINITY);
    expect(d.wanted).toBe(Number.POSITIVE_INFINITY);
    expect(d.dispatch([1, 2, 3])).toBe(3);
    expect(log).toEqual([["b", [1, 2, 3]]]);
    expect(d.wanted).toBe(Number.POSITIVE_INFINITY);
    d.cancel(b);
    expect(d.wanted).toBe(2);
  });

  test("4.3 an ask of a link that has gone changes nothing", () => {
    const { d, a, b } = setup("ab");
    d.cancel(a);
    d.ask(a, 5);
    expect(d.wanted).toBe(0);
    d.cancel(a);
    d.ask(b, 1);
    expect(d.wanted).toBe(1);
  });
});

describe("demandDispatcher, what comes back", () => {
  test("goes to whoever has demand, before everything else", () => {
    const { d, a, b } = setup("ab");
    d.ask(a, 5);
    d.ask(b, 3);
    d.dispatch([1, 2, 3]);
    expect(a.take()).toEqual([[1, 2, 3]]);
    d.cancel(a);
    expect(d.wanted).toBe(3);
    d.giveBack(a, [2, 3]);
    expect(b.take()).toEqual([[2, 3]]);
    expect([d.wanted, d.queued]).toEqual([1, 0]);
  });

  test("waits while nobody has demand, and is counted", () => {
    const { d, a, b } = setup("ab");
    d.ask(a, 5);
    d.dispatch([1, 2, 3, 4, 5]);
    d.cancel(a);
    d.giveBack(a, [3, 4, 5]);
    d.giveBack(a, [1, 2]);
    expect([d.wanted, d.queued, b.take()]).toEqual([0, 5, []]);
    d.ask(b, 3);
    expect(b.take().flat()).toEqual([1, 2, 3]);
    expect([d.wanted, d.queued]).toEqual([0, 2]);
    d.ask(b, 3);
    expect(b.take().flat()).toEqual([4, 5]);
    expect([d.wanted, d.queued]).toEqual([1, 0]);
  });

  test("is handed over when the stage ends", () => {
    const { d, a } = setup("a");
    d.cancel(a);
    d.giveBack(a, [1, 2]);
    expect(d.clear?.()).toEqual([1, 2]);
    expect(d.queued).toBe(0);
  });

  test("holds whoever waits for the events kept until they have gone out", () => {
    const { d, a, b } = setup("ab");
    const sent: string[] = [];
    d.whenSent?.(() => sent.push("nothing kept"));
    d.cancel(a);
    d.giveBack(a, [1, 2]);
    d.whenSent?.(() => sent.push("two kept"));
    expect(sent).toEqual(["nothing kept"]);
    d.ask(b, 1);
    expect(sent).toEqual(["nothing kept"]);
    d.ask(b, 1);
    expect(sent).toEqual(["nothing kept", "two kept"]);
  });
});

describe("demandDispatcher, even", () => {
  test("deals a batch out in rounds, the neediest first", () => {
    const { d, a, b, c, log } = setup("abc", "even");
    d.ask(a, 4);
    d.ask(b, 6);
    d.ask(c, 1);
    expect(d.dispatch([1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe(9);
    // Shares of 3: b and a take theirs, c takes its 1; of the 2 left b and a take 1 each.
    expect(log).toEqual([
      ["b", [1, 2, 3]],
      ["a", [4, 5, 6]],
      ["c", [7]],
      ["b", [8]],
      ["a", [9]],
    ]);
    expect(d.wanted).toBe(2);
  });

  test("gives nothing to consumers without demand", () => {
    const { d, b, log } = setup("abc", "even");
    d.ask(b, 4);
    expect(d.dispatch([1, 2, 3])).toBe(3);
    expect(log).toEqual([["b", [1, 2, 3]]]);
  });

  test("deals with consumers that asked for Infinity", () => {
    const { d, a, b, log } = setup("ab", "even");
    d.ask(a, Number.POSITIVE_INFINITY);
    d.ask(b, Number.POSITIVE_INFINITY);
    expect(d.dispatch([1, 2, 3, 4])).toBe(4);
    expect(log).toEqual([
      ["a", [1, 2]],
      ["b", [3, 4]],
    ]);
  });
});
