import { failureOf } from "../../../src/base/failure.ts";
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  type BroadcastSubscribeOptions,
  broadcastDispatcher,
  type DispatcherLink,
  producer,
} from "../../../src/index.ts";
import { codeOf, FakeLink, Quiet, RawConsumer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

const letters = (text: string): string[] => text.split("");
type Links = [FakeLink<string>, FakeLink<string>, FakeLink<string>];

/** A dispatcher with a subscribed link for each of the given names. */
const setup = (names: string, startAfter?: number) => {
  const d = broadcastDispatcher(startAfter === undefined ? {} : { startAfter });
  const links = letters(names).map((name) => new FakeLink<string>(name));
  const subscribe = (link: DispatcherLink, options: BroadcastSubscribeOptions<string> = {}): void =>
    d.subscribe(link, options as BroadcastSubscribeOptions<unknown>);
  for (const link of links) subscribe(link);
  const [a, b, c] = links as Links;
  return { d, a, b, c, subscribe };
};
const asks = async (raw: RawConsumer<string>, count: number): Promise<void> => {
  raw.ask(count);
  await turns();
};
/** A producer that only pushes, for raw consumers. */
const stage = () => {
  const runtime = testRuntime();
  const source = new Quiet<string>();
  const p = producer(source, { runtime, dispatcher: broadcastDispatcher() });
  const join = (name: string): RawConsumer<string> => new RawConsumer<string>(name).attach(p);
  return { source, p, join };
};

describe("broadcastDispatcher", () => {
  test("GS-134 subscribes and cancels", () => {
    const { d, a } = setup("a");
    expect([d.wanted, d.queued]).toEqual([0, 0]);
    d.cancel(a);
    expect([d.wanted, d.queued]).toEqual([0, 0]);
  });

  // GenStage remembers the 10 as "requested"; here that is the stage's "owed".
  test("GS-135 subscribes, asks, and cancels", () => {
    const { d, a } = setup("a");
    d.ask(a, 10);
    expect(d.wanted).toBe(10);
    d.cancel(a);
    expect(d.wanted).toBe(0);
    expect(d.dispatch(letters("abc"))).toBe(0);
    expect([d.wanted, a.take()]).toEqual([0, []]);
  });

  test("GS-135 end to end: what is owed serves the next consumer", async () => {
    const { source, p, join } = stage();
    const first = join("first");
    await asks(first, 10);
    first.leave();
    await turns();
    const second = join("second");
    await asks(second, 10);
    expect(source.demands).toEqual([10]);
    p.push(letters("abcdefghij"));
    expect(second.batches).toEqual([letters("abcdefghij")]);
    await asks(second, 4);
    expect(source.demands).toEqual([10, 4]);
  });

  test("GS-137 multiple subscriptions with late demand", () => {
    const { d, a, b } = setup("ab");
    d.ask(a, 10);
    expect(d.wanted).toBe(0);
    d.cancel(b);
    expect(d.wanted).toBe(10);
    d.ask(a, 10);
    expect(d.wanted).toBe(20);
  });

  test("GS-137 end to end: the cancel releases the demand, once", async () => {
    const { source, join } = stage();
    const first = join("first");
    const second = join("second");
    await asks(first, 10);
    expect(source.demands).toEqual([]);
    second.leave();
    await turns();
    expect(source.demands).toEqual([10]);
    await asks(first, 10);
    expect(source.demands).toEqual([10, 10]);
  });

  test("GS-138 subscribes, asks and dispatches to multiple consumers", () => {
    const { d, a, b, subscribe } = setup("ab");
    d.ask(a, 3);
    expect(d.wanted).toBe(0);
    d.ask(b, 2);
    expect(d.wanted).toBe(2);
    expect(d.dispatch(["a", "b"])).toBe(2);
    expect([a.take(), b.take(), d.wanted]).toEqual([[["a", "b"]], [["a", "b"]], 0]);
    d.ask(b, 2);
    expect(d.wanted).toBe(1);
    expect(d.dispatch(["c", "d"])).toBe(1);
    expect([a.take(), b.take(), d.wanted]).toEqual([[["c"]], [["c"]], 0]);
    expect(d.dispatch(["d"])).toBe(0);
    expect([a.take(), b.take(), d.wanted]).toEqual([[], [], 0]);
    d.ask(a, 1);
    expect(d.wanted).toBe(1);
    const c = new FakeLink<string>("c");
    subscribe(c);
    expect(d.wanted).toBe(0);
    expect(d.dispatch(["d", "e"])).toBe(0);
    d.ask(a, 2);
    expect(d.wanted).toBe(0);
    d.ask(b, 2);
    expect(d.wanted).toBe(0);
    d.ask(c, 3);
    // GenStage passes 2 on, for 1 was requested before: here that is for the stage to know.
    expect(d.wanted).toBe(3);
    expect(d.dispatch(["d", "e", "f"])).toBe(3);
    expect([a.take(), b.take(), c.take()]).toEqual([[["d", "e", "f"]], [["d", "e", "f"]], [["d", "e", "f"]]]);
    expect(d.wanted).toBe(0);
  });

  test("GS-138 end to end: what the buffer holds and what is owed is not asked for again", async () => {
    const { source, p, join } = stage();
    const a = join("a");
    const b = join("b");
    await asks(a, 3);
    await asks(b, 2);
    expect(source.demands).toEqual([2]);
    p.push(["a", "b"]);
    await asks(b, 2);
    expect(source.demands).toEqual([2, 1]);
    p.push(["c", "d"]);
    expect(p.bufferedCount).toBe(1);
    const c = join("c");
    await turns();
    await asks(a, 3);
    await asks(b, 2);
    expect(c.batches).toEqual([]);
    await asks(c, 3);
    // 3 are wanted: "d" is there, 2 more are asked for.
    expect(source.demands).toEqual([2, 1, 2]);
    p.push(["e", "f"]);
    for (const raw of [a, b]) expect(raw.batches).toEqual([["a", "b"], ["c"], ["d"], ["e", "f"]]);
    expect(c.batches).toEqual([["d"], ["e", "f"]]);
  });

  test("GS-139 subscribes, asks, dispatches, and repeats", () => {
    const { d, a, subscribe } = setup("a");
    d.ask(a, 10);
    expect(d.dispatch(letters("abc"))).toBe(3);
    expect([a.take(), d.wanted]).toEqual([[letters("abc")], 7]);
    const b = new FakeLink<string>("b");
    subscribe(b);
    expect(d.wanted).toBe(0);
    d.ask(b, 20);
    expect(d.wanted).toBe(7);
    expect(d.dispatch(letters("defghij"))).toBe(7);
    expect([a.take(), b.take(), d.wanted]).toEqual([[letters("defghij")], [letters("defghij")], 0]);
    d.ask(a, 30);
    expect(d.wanted).toBe(13);
  });

  test("GS-139 end to end: a late subscriber's ask does not ask the producer again", async () => {
    const { source, p, join } = stage();
    const a = join("a");
    await asks(a, 10);
    p.push(letters("abc"));
    const b = join("b");
    await asks(b, 20);
    expect(source.demands).toEqual([10]);
    p.push(letters("defghij"));
    expect([a.batches, b.batches]).toEqual([[letters("abc"), letters("defghij")], [letters("defghij")]]);
  });

  test("GS-141 cancels a blocking subscriber while there is demand already", () => {
    const { d, a, subscribe } = setup("a");
    d.ask(a, 10);
    const b = new FakeLink<string>("b");
    subscribe(b);
    expect(d.wanted).toBe(0);
    d.ask(a, 5);
    expect(d.wanted).toBe(0);
    d.cancel(b);
    expect(d.wanted).toBe(15);
  });

  test("GS-141 end to end: only what is not owed yet is asked for", async () => {
    const { source, join } = stage();
    const a = join("a");
    await asks(a, 10);
    const b = join("b");
    await asks(a, 5);
    expect(source.demands).toEqual([10]);
    b.leave();
    await turns();
    expect(source.demands).toEqual([10, 5]);
  });

  // GenStage posts an ask for the events that were passed over; here they count at once.
  test("GS-142 subscribing with a selector function", () => {
    const { d, subscribe } = setup("");
    const a = new FakeLink<string>("a");
    const b = new FakeLink<string>("b");
    subscribe(a, { selector: (key) => key.startsWith("pre") });
    subscribe(b, { selector: (key) => key.startsWith("pref") });
    d.ask(b, 4);
    expect(d.wanted).toBe(0);
    d.ask(a, 4);
    expect(d.wanted).toBe(4);
    const events = ["pref-1234", "pref-5678", "pre0000", "foo0000"];
    expect(d.dispatch(events)).toBe(4);
    expect([a.take(), b.take()]).toEqual([[events.slice(0, 3)], [events.slice(0, 2)]]);
    // a has 1 left and b 2.
    expect(d.wanted).toBe(1);
    d.cancel(a);
    expect(d.wanted).toBe(2);
  });

  test("GS-142 nothing is delivered where the selector matches nothing", () => {
    const { d, a, subscribe } = setup("a");
    const none = new FakeLink<string>("none");
    subscribe(none, { selector: () => false });
    d.ask(a, 3);
    d.ask(none, 1);
    expect(d.dispatch(["x", "y"])).toBe(1);
    expect([a.take(), none.take(), d.wanted]).toEqual([[["x"]], [], 1]);
  });

  test("GS-142 end to end: events passed over are asked for again", async () => {
    const { source, p } = stage();
    const raw = new RawConsumer<string>().attach(p, { selector: (key: string) => key.startsWith("pre") }).ask(4);
    await turns();
    p.push(["pre1", "foo", "bar", "pre2"]);
    await turns();
    expect(raw.batches).toEqual([["pre1", "pre2"]]);
    expect([source.demands, p.demand]).toEqual([[4, 2], 2]);
  });

  test("GS-143 holds no info", async () => {
    const { p, join } = stage();
    const a = join("a");
    join("b");
    await asks(a, 3);
    expect(await p.info(() => "hello")).toBe("hello");
    expect([p.demand, a.batches]).toEqual([0, []]);
  });

  test("BD-10 wanted follows the slowest of many", () => {
    const { d, a, b, c } = setup("abc");
    const seen: number[] = [];
    for (const [link, count] of [
      [a, 5],
      [b, 2],
      [c, 9],
      [b, 1],
      [b, 7],
      [a, 1],
    ] as const) {
      d.ask(link, count);
      seen.push(d.wanted);
    }
    expect(seen).toEqual([0, 0, 2, 3, 5, 6]);
    expect(d.dispatch(letters("abcd"))).toBe(4);
    expect(d.wanted).toBe(2);
    d.cancel(a);
    expect(d.wanted).toBe(5);
    d.cancel(c);
    expect(d.wanted).toBe(6);
  });

  test("BD-10 an ask of Infinity never holds the others", () => {
    const { d, a, b } = setup("ab");
    d.ask(a, Number.POSITIVE_INFINITY);
    expect(d.wanted).toBe(0);
    d.ask(b, 2);
    expect(d.wanted).toBe(2);
    expect(d.dispatch(letters("abc"))).toBe(2);
    d.ask(b, Number.POSITIVE_INFINITY);
    expect(d.wanted).toBe(Number.POSITIVE_INFINITY);
    expect(d.dispatch(letters("cde"))).toBe(3);
    expect([a.take(), b.take()]).toEqual([
      [["a", "b"], letters("cde")],
      [["a", "b"], letters("cde")],
    ]);
  });

  test("BD-11 startAfter holds everything until enough are subscribed at the same time", () => {
    const { d, a, b, subscribe } = setup("ab", 3);
    d.ask(a, 4);
    d.ask(b, 4);
    expect([d.wanted, d.dispatch(["x"])]).toEqual([0, 0]);
    d.cancel(b);
    const c = new FakeLink<string>("c");
    subscribe(c);
    d.ask(c, 4);
    expect(d.wanted).toBe(0);
    const e = new FakeLink<string>("e");
    subscribe(e);
    d.ask(e, 2);
    expect(d.wanted).toBe(2);
    // Once it has started it goes on with fewer.
    d.cancel(e);
    d.cancel(c);
    expect(d.wanted).toBe(4);
  });

  test("BD-03 a duplicate is refused, the third like the second", () => {
    const { d, a, subscribe } = setup("a");
    const again = (): void => subscribe(new FakeLink<string>("again", [], a.consumer));
    expect([codeOf(again), codeOf(again)]).toEqual(["ERR_DUPLICATE", "ERR_DUPLICATE"]);
    d.ask(a, 1);
    expect([d.wanted, d.dispatch(["x"]), a.take()]).toEqual([1, 1, [["x"]]]);
    d.cancel(a);
    expect(codeOf(again)).toBeUndefined();
  });

  test("BD-02 a selector that throws ends its own link alone", () => {
    const { d, a, subscribe } = setup("a");
    const oops = new Error("oops");
    const bad = new FakeLink<string>("bad");
    subscribe(bad, {
      selector: () => {
        throw oops;
      },
    });
    d.ask(a, 3);
    d.ask(bad, 1);
    expect(d.dispatch(["x", "y"])).toBe(1);
    expect([a.take(), bad.take()]).toEqual([[["x"]], []]);
    expect(bad.failures).toEqual([oops]);
    expect(failureOf(oops)).toMatchObject({ stage: "bad", callback: "selector", events: ["x"] });
    // Forgotten: it holds no one any more.
    expect(d.wanted).toBe(2);
  });

  test("BD-07 what comes back is dropped, for the others have it", () => {
    const { d, a, b } = setup("ab");
    d.ask(a, 2);
    d.ask(b, 2);
    d.dispatch(["x", "y"]);
    d.cancel(a);
    d.giveBack(a, ["y"]);
    d.ask(b, 2);
    expect([d.queued, d.wanted, b.take()]).toEqual([0, 2, [["x", "y"]]]);
  });

  test("4.4 inspect names who holds the others", () => {
    const { d, a, b } = setup("ab");
    expect(d.inspect?.()).toEqual({ type: "broadcast", heldBy: ["a", "b"] });
    d.ask(a, 1);
    expect(d.inspect?.()).toEqual({ type: "broadcast", heldBy: ["b"] });
    d.ask(b, 1);
    expect(d.inspect?.()).toEqual({ type: "broadcast", heldBy: [] });
  });

  test.each([0, -1, 1.5, Number.NaN])("BD-11 startAfter %s is refused", (startAfter) => {
    expect(codeOf(() => broadcastDispatcher({ startAfter }))).toBe("ERR_RANGE");
  });

  test("BD-02 options that are none are refused", () => {
    const { subscribe } = setup("");
    expect(codeOf(() => broadcastDispatcher({ start: 1 } as object))).toBe("ERR_OPTION");
    expect(() => subscribe(new FakeLink("x"), { selector: 1 } as object)).toThrow(
      "expected selector to be a function, got 1",
    );
    expect(codeOf(() => subscribe(new FakeLink("x"), { selector: 1 } as object))).toBe("ERR_OPTION");
    expect(() => broadcastDispatcher({ startAfter: 0 })).toThrow(ArgumentError);
  });
});
