import { describe, expect, test, vi } from "vitest";
import { Deque } from "../../../src/base/deque.ts";
import { hashKey } from "../../../src/base/hash.ts";
import {
  CallbackError,
  broadcastDispatcher,
  consumer,
  demandDispatcher,
  fifoScheduler,
  fromIterable,
  partitionDispatcher,
  producer,
  producerConsumer,
} from "../../../src/index.ts";
import { ASK, CALL, EVENTS, Mailbox } from "../../../src/stage/mailbox.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
const zero = (): number => 0;
const make = (options: object) => () => producer<number>(() => {}, options);

describe("options", () => {
  test.each([
    ["a signal", { signal: 5 }],
    ["a runtime", { runtime: {} }],
    ["a dispatcher", { dispatcher: {} }],
    ["a name", { name: 5 }],
    ["onReport", { onReport: "log" }],
    ["onDiscard", { onDiscard: true }],
  ])("1.1 %s of another kind is refused", (_what, options) => {
    expect(make(options)).toThrow(code("ERR_OPTION"));
  });

  test.each([
    ["bufferSize", -1],
    ["bufferSize", 1.5],
    ["defaultMaxDemand", 0],
    ["defaultMaxDemand", Number.POSITIVE_INFINITY],
  ])("1.1 %s %d is out of range", (name, value) => {
    expect(make({ [name]: value })).toThrow(code("ERR_RANGE"));
  });

  test("1.1 a dispatcher serves one producer", () => {
    const dispatcher = demandDispatcher();
    producer(() => {}, { dispatcher });
    expect(make({ dispatcher })).toThrow(code("ERR_OPTION"));
  });

  test.each([null, 5, "partition 0"])("1.1 subscribe options %j are refused", (options) => {
    const source = producer<number>(() => {});
    expect(() => consumer<number>(() => {}).subscribe(source, options as never)).toThrow(code("ERR_OPTION"));
    expect(() => source.events(options as never)).toThrow(code("ERR_OPTION"));
  });

  test.each([
    [{ partitions: "3", by: zero }, "ERR_PARTITION"],
    [{ partitions: [], by: zero }, "ERR_PARTITION"],
    [{ partitions: [{}], by: zero }, "ERR_PARTITION"],
    [{ partitions: ["a", "a"], by: zero }, "ERR_PARTITION"],
    [{ partitions: 0, by: zero }, "ERR_RANGE"],
    [{ partitions: 2 }, "ERR_OPTION"],
    [{ partitions: 2, by: zero, hash: zero }, "ERR_OPTION"],
    [{ partitions: 2, by: 5 }, "ERR_OPTION"],
    [{ partitions: 2, by: zero, maxQueued: 0 }, "ERR_RANGE"],
  ])("1.1 partitionDispatcher(%j) is refused", (options, expected) => {
    expect(() => partitionDispatcher(options as never)).toThrow(code(expected));
  });

  test("1.1 a broadcast refuses a selector that is no function, and a start after nobody", () => {
    const shared = fromIterable([1], { dispatcher: broadcastDispatcher() });
    expect(() => consumer<number>(() => {}).subscribe(shared, { selector: "odd" } as never)).toThrow(
      code("ERR_OPTION"),
    );
    expect(() => broadcastDispatcher({ startAfter: 0 })).toThrow(code("ERR_RANGE"));
  });
});

describe("partition keys", () => {
  test("4.5 the same key gives the same number, whatever it is made of", () => {
    expect([hashKey("a"), hashKey(1), hashKey(1.5), hashKey(10n), hashKey(true), hashKey(false)]).toEqual([
      hashKey("a"),
      hashKey(1),
      hashKey(1.5),
      hashKey(10n),
      hashKey(true),
      hashKey(false),
    ]);
    expect(hashKey(-0)).toBe(hashKey(0));
    expect(new Set(["a", "b", 1, 2, 1.5, Number.NaN, 7n].map((key) => hashKey(key))).size).toBe(7);
    expect(hashKey("mill")).toBe(hashKey(["m", "ill"].join("")));
  });

  test.each([undefined, null, {}, Symbol("a")])(
    "4.5 %s is no key: it fails the producer with its batch",
    async (key) => {
      expect(hashKey(key)).toBeNaN();
      const runtime = testRuntime();
      const dispatcher = partitionDispatcher({ partitions: 2, by: () => key as never });
      const source = producer<number, { partition: number }>(() => {}, { runtime, dispatcher });
      consumer<number>(() => {}, { runtime }).subscribe(source, { partition: 0, cancel: "temporary" });
      await turns();
      source.push([1, 2]);
      await expect(source.done).rejects.toMatchObject({ code: "ERR_PARTITION_KEY", events: [1, 2], event: 1 });
    },
  );

  const another = new CallbackError({ code: "ERR_CALLBACK", expected: "another", got: 1 }, ["another's"]);
  test.each([
    ["an error", new Error("no user")],
    ["an error of headrace's, and frozen", Object.freeze(another)],
  ])("4.5 by that throws %s: it is the cause, and the event is told", async (_what, cause) => {
    const runtime = testRuntime();
    const dispatcher = partitionDispatcher({
      partitions: 2,
      by: (n: number) => {
        if (n === 2) throw cause;
        return n;
      },
    });
    const source = producer<number, { partition: number }>(() => {}, { runtime, dispatcher });
    consumer<number>(() => {}, { runtime }).subscribe(source, { partition: 0, cancel: "temporary" });
    await turns();
    source.push([1, 2]);
    await expect(source.done).rejects.toBe(cause);
    expect(source.failure).toMatchObject({ stage: source.name, callback: "by", event: 2, events: [1, 2] });
  });

  test("4.5 a name that is none of the partitions fails the producer", async () => {
    const runtime = testRuntime();
    const dispatcher = partitionDispatcher({ partitions: ["a"], hash: () => "b" as never });
    const source = producer<number, { partition: "a" }>(() => {}, { runtime, dispatcher });
    consumer<number>(() => {}, { runtime }).subscribe(source, { partition: "a", cancel: "temporary" });
    await turns();
    source.push([1]);
    await expect(source.done).rejects.toMatchObject({ code: "ERR_PARTITION_KEY", events: [1] });
  });
});

describe("the queues inside", () => {
  test("a deque grows from both ends and keeps its order", () => {
    const deque = new Deque<number>(2);
    for (const n of [3, 4, 5]) deque.push(n);
    for (const n of [2, 1, 0]) deque.unshift(n);
    expect([deque.at(0), deque.at(5), deque.at(6)]).toEqual([0, 5, undefined]);
    expect(Array.from({ length: 7 }, () => deque.shift())).toEqual([0, 1, 2, 3, 4, 5, undefined]);
  });

  test("a mailbox grows from both ends, and gives up what is asked for in order", () => {
    const box = new Mailbox();
    expect(box.size).toBe(0);
    for (let i = 0; i < 12; i += 1) box.push(i % 2 ? ASK : EVENTS, "target", i);
    for (let i = 1; i <= 8; i += 1) box.unshift(CALL, "first", -i);
    expect(box.extract(EVENTS, "target")).toEqual([0, 2, 4, 6, 8, 10]);
    const left: unknown[] = [];
    for (; box.size > 0; box.drop()) left.push(box.payload);
    expect(left).toEqual([-8, -7, -6, -5, -4, -3, -2, -1, 1, 3, 5, 7, 9, 11]);
  });

  test("a ready queue counts what is in it", () => {
    const ready = fifoScheduler();
    const task = { run: () => {} };
    ready.add(task);
    expect([ready.size, ready.take(), ready.size, ready.take()]).toEqual([1, task, 0, undefined]);
  });
});

const terminate = (): never => {
  throw new Error("clean-up");
};

/** Stops a consumer whose clean-up fails. */
function failing(onReport?: (error: unknown) => unknown): Promise<void> {
  const options = { name: "sink", runtime: testRuntime(), onReport: onReport as never };
  return consumer<number>({ handleEvents: () => {}, terminate }, options).stop();
}

describe("reports", () => {
  test("6.4 without onReport an error in clean-up goes to the console, once", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    await failing();
    expect(log.mock.calls).toEqual([["headrace: terminate of sink failed:", new Error("clean-up")]]);
    log.mockRestore();
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("second");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("second");
      },
    ],
  ])("6.4 an onReport that %s is told of on the console, with what it was told", async (_how, onReport) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    await failing(onReport);
    await turns();
    expect(log.mock.calls).toEqual([
      ["headrace: onReport of sink failed:", new Error("second"), new Error("clean-up")],
    ]);
    log.mockRestore();
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("no room");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("no room");
      },
    ],
  ])("6.4 an onDiscard that %s is reported", async (_how, onDiscard) => {
    const reports: unknown[] = [];
    const source = producer<number>(() => {}, {
      runtime: testRuntime(),
      onDiscard: (): undefined => onDiscard() as unknown as undefined,
      onReport: (error, { phase }) => void reports.push([phase, error]),
    });
    source.push([1]);
    await source.stop();
    await turns();
    expect(reports).toEqual([["onDiscard", new Error("no room")]]);
  });
});

describe("F-17 a source in a mode that it has no way to leave", () => {
  test("F-17 demandMode is an option of stages whose handle can change it", async () => {
    const accumulate = { demandMode: "accumulate" } as object;
    expect(() => fromIterable([1], accumulate)).toThrow(code("ERR_OPTION"));
    const runtime = testRuntime();
    const left = [1, 2];
    const held = producer<number>({ handleDemand: () => left.splice(0) }, { runtime, demandMode: "accumulate" });
    const got: number[] = [];
    const reader = consumer<number>((events) => void got.push(...events), { runtime });
    reader.subscribe(held);
    await turns();
    expect(got).toEqual([]);
    held.demandMode = "forward";
    await turns();
    expect(got).toEqual([1, 2]);
    await held.stop();
    await reader.stop();
  });
});

describe("handles", () => {
  test("demandMode is checked, and set again changes nothing", async () => {
    const source = producer<number>(() => {}, { runtime: testRuntime() });
    expect(() => Object.assign(source, { demandMode: "later" })).toThrow(code("ERR_OPTION"));
    source.demandMode = "forward";
    source.demandMode = "accumulate";
    expect([source.demandMode, source.demand, source.bufferedCount]).toEqual(["accumulate", 0, 0]);
    await source.stop();
  });

  test("a loop that throws into its iterator leaves with that error", async () => {
    const source = fromIterable([1, 2, 3], { runtime: testRuntime() });
    const loop = source.events();
    expect(await loop.next()).toEqual({ done: false, value: 1 });
    await expect(loop.throw?.(new Error("body"))).rejects.toThrow("body");
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  test("the subscription of a loop asks by itself", async () => {
    const runtime = testRuntime();
    const seen: unknown[] = [];
    const source = producer<number>(
      {
        handleDemand: () => {},
        handleSubscribe: (_role, subscription) => {
          for (const ask of [() => subscription.ask(1), () => subscription.resubscribe()])
            try {
              ask();
            } catch (error) {
              seen.push((error as { code: string }).code);
            }
          seen.push(subscription.state, subscription.consumer.name);
        },
      },
      { runtime },
    );
    const loop = source.batches({ maxDemand: 2 });
    void loop.next();
    await turns();
    expect(seen).toEqual(["ERR_ASK_AUTOMATIC", "ERR_ASK_AUTOMATIC", "active", "iterator"]);
    await loop.return?.();
  });

  test("a producerConsumer takes the smallest default of its sources, unless it has its own", () => {
    const sources = [16, 4, undefined].map((defaultMaxDemand) => producer<number>(() => {}, { defaultMaxDemand }));
    const middle = producerConsumer((events: readonly number[]) => events);
    expect(middle.defaultMaxDemand).toBeUndefined();
    for (const source of sources) middle.subscribe(source);
    expect([middle.defaultMaxDemand, middle.subscriptions.length]).toEqual([4, 3]);
    const own = producerConsumer((events: readonly number[]) => events, { defaultMaxDemand: 7 });
    expect(own.defaultMaxDemand).toBe(7);
  });

  test("`await using` stops a stage and tells its failure", async () => {
    const seen: string[] = [];
    {
      await using sink = consumer<number>(() => {}, { runtime: testRuntime() });
      seen.push(sink.state);
      sink.done.then(() => seen.push("done"), String);
    }
    expect(seen).toEqual(["running", "done"]);
  });
});
