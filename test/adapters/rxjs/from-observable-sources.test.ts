import {
  from,
  Observable,
  observable as observableKey,
  type InteropObservable,
  of,
  range as numbers,
  Subject,
  type Subscriber,
} from "rxjs";
import { describe, expect, test } from "vitest";
import { fromObservable } from "../../../adapters/rxjs/index.ts";
import { broadcastDispatcher, consumer, partitionDispatcher, type Reason } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { bridge, Hand, Tap } from "./support.ts";

const complete: Reason = { type: "complete" };
const failed = (error: unknown): Reason => ({ type: "failure", error });

const interop = (key: PropertyKey): InteropObservable<number> =>
  ({ [key]: () => from([1, 2]) }) as unknown as InteropObservable<number>;
const consumed = async (source: InteropObservable<number>): Promise<unknown> => {
  const stage = fromObservable(source, { overflow: "throw", runtime: testRuntime() });
  const hand = new Hand<number>().attach(stage).ask(5);
  await turns();
  return [hand.received, hand.ends];
};

describe("sources of all kinds", () => {
  test("I15 a source that goes on after it was left is not heard", async () => {
    const observers: Subscriber<number>[] = [];
    let left = 0;
    const foreign = {
      [observableKey]: () => ({
        subscribe(observer: Subscriber<number>) {
          observers.push(observer);
          return { unsubscribe: () => void (left += 1) };
        },
      }),
    };
    const { stage, reports } = bridge(foreign as unknown as Observable<number>);
    const hand = new Hand<number>().attach(stage).ask(10);
    await turns();
    for (const observer of observers) observer.next(1);
    await turns();
    hand.cancel();
    await turns();
    for (const observer of observers) for (const value of [2, 3, 4]) observer.next(value);
    await turns();
    expect([hand.received, hand.ends, left, reports, stage.state]).toEqual([[1], [], 1, [], "stopped"]);
  });

  test("I17 a subscribe function that throws fails the stage, after the subscription", async () => {
    const error = new Error("subscribe");
    const { stage } = bridge(
      new Observable<number>((subscriber) => {
        subscriber.next(1);
        throw error;
      }),
    );
    const hand = new Hand<number>().attach(stage);
    expect(hand.early).toEqual([]);
    hand.ask(5);
    await turns();
    expect([hand.early, hand.received, hand.ends]).toEqual([[], [1], [failed(error)]]);
  });

  test.each([
    ["completed", complete],
    ["failed", failed("E")],
  ])("I18 a Subject that has %s already", async (how, reason) => {
    const subject = new Subject<number>();
    if (how === "completed") subject.complete();
    else subject.error("E");
    const { stage } = bridge(subject);
    const hand = new Hand<number>().attach(stage);
    await turns();
    expect([hand.early, hand.received, hand.ends]).toEqual([[], [], [reason]]);
  });

  test("I21 an object with nothing but the key @@observable", async () => {
    expect(await consumed(interop("@@observable"))).toEqual([[1, 2], [complete]]);
  });

  test("I21 an object with nothing but Symbol.observable, however late that was added", async () => {
    const key = Symbol("observable");
    Object.defineProperty(Symbol, "observable", { value: key, configurable: true });
    try {
      expect(await consumed(interop(key))).toEqual([[1, 2], [complete]]);
    } finally {
      Reflect.deleteProperty(Symbol, "observable");
    }
  });

  test("I21 an object that can do no more than subscribe", async () => {
    const bare = { subscribe: (observer: Subscriber<number>) => of(1, 2).subscribe(observer) };
    expect(await consumed(bare as unknown as InteropObservable<number>)).toEqual([[1, 2], [complete]]);
  });

  test.each([null, undefined, 7, "text", {}, () => {}])("I21 %o is none, and is refused at once", (nothing) => {
    expect(() => fromObservable(nothing as never, { overflow: "throw" })).toThrow(
      expect.objectContaining({ code: "ERR_NOT_SOURCE" }),
    );
  });

  test("I22 a cold source runs once per producer, and once behind a broadcast", async () => {
    const tap = new Tap<number>((subscriber) => {
      for (const value of [1, 2, 3]) subscriber.next(value);
      subscriber.complete();
    });
    const runtime = testRuntime();
    const apart = [1, 2].map(() => fromObservable(tap.observable, { overflow: "throw", runtime }));
    const hands = apart.map((stage) => new Hand<number>().attach(stage).ask(5));
    await turns();
    expect(hands.map(({ received }) => received)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect([tap.subscribers.length, tap.torn]).toEqual([2, 2]);
    const shared = fromObservable(tap.observable, { overflow: "throw", runtime, dispatcher: broadcastDispatcher() });
    const both = [1, 2].map(() => new Hand<number>().attach(shared as never).ask(5));
    await turns();
    expect(both.map(({ received, ends }) => [received, ends])).toEqual([
      [[1, 2, 3], [complete]],
      [[1, 2, 3], [complete]],
    ]);
    expect(tap.subscribers.length).toBe(3);
  });

  test("I22 a partitioned one deals its values out", async () => {
    const stage = fromObservable(numbers(0, 9), {
      overflow: "throw",
      runtime: testRuntime(),
      dispatcher: partitionDispatcher({ partitions: 3, hash: (n: number) => n % 3 }),
    });
    const seen: number[][] = [[], [], []];
    const consumers = seen.map((log, partition) => {
      const c = consumer<number>((events) => void log.push(...events), { runtime: testRuntime() });
      c.subscribe(stage, { partition });
      return c;
    });
    await Promise.all(consumers.map(({ done }) => done));
    expect(seen).toEqual([
      [0, 3, 6],
      [1, 4, 7],
      [2, 5, 8],
    ]);
  });
});
