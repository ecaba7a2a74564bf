import { describe, expect, test } from "vitest";
import {
  broadcastDispatcher,
  consumer,
  demandDispatcher,
  failureOf,
  fromIterable,
  partitionDispatcher,
  pipeline,
  producer,
} from "../../../src/index.ts";
import { FakeLink, RawConsumer } from "../../support/stages.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

const textOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
};
const nothing = (): void => {};
const lag = (options: unknown) => () =>
  consumer(nothing).subscribe(fromIterable([1], { dispatcher: broadcastDispatcher() }), { lag: options as never });
const parted = (options: unknown) => () => partitionDispatcher(options as never);

describe("what a dispatcher says of a wrong option names it", () => {
  test.each<readonly [RegExp, () => unknown]>([
    [/expected lag options among max, policy, got "size"/, lag({ max: 1, size: 1 })],
    [/expected max to be a whole number from 1/, lag({ max: 0 })],
    [
      /expected policy to be one of hold, drop-oldest, drop-newest, cancel, got "drop"/,
      lag({ max: 1, policy: "drop" }),
    ],
    [/expected broadcastDispatcher options among startAfter/, () => broadcastDispatcher({ after: 1 } as never)],
    [/expected startAfter to be a whole number from 1/, () => broadcastDispatcher({ startAfter: 0 })],
    [/expected demandDispatcher options among spread/, () => demandDispatcher({ even: true } as never)],
    [/expected spread to be one of fill, even/, () => demandDispatcher({ spread: "odd" as never })],
    [/partitionDispatcher options among partitions, maxQueued, by, hash/, parted({ partitions: 2, key: nothing })],
    [/expected by to be a function/, parted({ partitions: 2, by: "id" })],
    [/expected hash to be a function/, parted({ partitions: 2, hash: 7 })],
    [/expected exactly one of by and hash/, parted({ partitions: 2 })],
    [
      /expected maxQueued to be a whole number from 1 to Infinity/,
      parted({ partitions: 2, by: nothing, maxQueued: 0 }),
    ],
    [/expected partitions to be a whole number from 1 to 65536/, parted({ partitions: 0, by: nothing })],
    [/expected partitions to be a count or a list of different names/, parted({ partitions: [], by: nothing })],
  ])("1.1 %s", (text, run) => {
    expect(textOf(run)).toMatch(text);
  });

  test("1.6 1.7 a consumer that has its place already is named, and so is a taken partition", () => {
    const broadcast = broadcastDispatcher();
    const link = new FakeLink<unknown>("ann");
    broadcast.subscribe(link, {});
    expect(textOf(() => broadcast.subscribe(link, {}))).toMatch(/^expected one subscription per consumer, got ann:/);
    const partition = partitionDispatcher<number, 2>({ partitions: 2, by: (n) => n });
    partition.subscribe(link, { partition: 1 });
    expect(textOf(() => partition.subscribe(new FakeLink("bob"), { partition: 1 }))).toMatch(
      /^expected a free partition, got 1:/,
    );
  });

  test.each([
    ["by", "a key: string, number, bigint or boolean"],
    ["hash", "hash to return one of 0, 1 or undefined"],
  ])("4.5 a key that %s does not give is told, with the callback and the event", async (name, expected) => {
    const source = fromIterable([7], {
      runtime: testRuntime(),
      dispatcher: partitionDispatcher({ partitions: 2, [name]: () => ({}) } as never),
    });
    source.done.catch(nothing);
    const raw = new RawConsumer<number>().attach(source, { partition: 0 }).ask(1);
    await turns();
    const [end] = raw.ends as unknown as { readonly error: Error }[];
    expect(end?.error.message).toContain(`expected ${expected}`);
    expect(failureOf(end?.error)).toMatchObject({ callback: name, event: 7 });
  });

  test.each(["by", "hash"])("4.5 where %s throws, its name is in the record", async (name) => {
    const boom = new Error("boom");
    const throws = (): never => {
      throw boom;
    };
    const source = fromIterable([7], {
      runtime: testRuntime(),
      dispatcher: partitionDispatcher({ partitions: 2, [name]: throws } as never),
    });
    source.done.catch(nothing);
    new RawConsumer<number>().attach(source, { partition: 0 }).ask(1);
    await turns();
    expect(failureOf(boom)).toMatchObject({ callback: name, event: 7 });
  });
});

describe("who holds a broadcast", () => {
  test("6.10 the consumers that have not asked, where there are others and nothing is wanted", async () => {
    const source = producer<number, object>(nothing, {
      runtime: testRuntime(),
      dispatcher: broadcastDispatcher() as never,
    });
    const heldBy = () => source.inspect().stages[0]?.dispatcher?.heldBy;
    const one = new RawConsumer<number>("one").attach(source);
    await turns();
    expect(heldBy()).toEqual([]);
    const two = new RawConsumer<number>("two").attach(source);
    two.ask(3);
    await turns();
    expect(heldBy()).toEqual(["one"]);
    one.ask(1);
    await turns();
    expect(heldBy()).toEqual([]);
    source.push([1]);
    await turns();
    expect(heldBy()).toEqual(["one"]);
  });
});

describe("the demand dispatcher's books", () => {
  test("4.3 what a consumer gives back is offered again, as far as it is wanted, and once", () => {
    const dispatcher = demandDispatcher();
    const [a, b] = [new FakeLink<number>("a"), new FakeLink<number>("b")];
    for (const link of [a, b]) dispatcher.subscribe(link, {});
    dispatcher.ask(a, 5);
    expect(dispatcher.dispatch(range(1, 5))).toBe(5);
    dispatcher.ask(b, 2);
    dispatcher.cancel(a);
    dispatcher.giveBack(a, range(1, 5));
    expect([b.take(), dispatcher.queued, dispatcher.wanted]).toEqual([[[1, 2]], 3, 0]);
    dispatcher.ask(b, 1);
    expect([b.take(), dispatcher.queued]).toEqual([[[3]], 2]);
    dispatcher.ask(b, 9);
    expect([b.take(), dispatcher.queued, dispatcher.wanted]).toEqual([[[4, 5]], 0, 7]);
    dispatcher.giveBack(a, []);
    expect(dispatcher.clear?.()).toEqual([]);
  });

  test("4.3 equals are served in turn, and one that has left is not", () => {
    const dispatcher = demandDispatcher();
    const [a, b, c] = ["a", "b", "c"].map((name) => new FakeLink<number>(name)) as [
      FakeLink<number>,
      FakeLink<number>,
      FakeLink<number>,
    ];
    for (const link of [a, b, c]) {
      dispatcher.subscribe(link, {});
      dispatcher.ask(link, 2);
    }
    dispatcher.dispatch([1, 2]);
    expect([a.take(), b.take()]).toEqual([[[1, 2]], []]);
    dispatcher.cancel(b);
    dispatcher.ask(a, 2);
    dispatcher.dispatch([3, 4, 5]);
    expect([c.take(), a.take(), b.take()]).toEqual([[[3, 4]], [[5]], []]);
    expect(dispatcher.wanted).toBe(1);
  });

  test("4.3 dealt evenly, one that leaves within a round gets no more", () => {
    const dispatcher = demandDispatcher({ spread: "even" });
    const log: string[] = [];
    const link = (name: string, then: () => void = nothing) => ({
      name,
      consumer: {},
      fail: nothing,
      deliver: (events: readonly unknown[]) => {
        log.push(`${name} ${events.join("")}`);
        then();
      },
    });
    const b = link("b");
    const a = link("a", () => dispatcher.cancel(b));
    for (const one of [a, b]) {
      dispatcher.subscribe(one, {});
      dispatcher.ask(one, 4);
    }
    expect(dispatcher.dispatch([1, 2, 3, 4])).toBe(4);
    expect(log).toEqual(["a 12", "a 34"]);
    expect(dispatcher.wanted).toBe(0);
  });
});

test("8.5 a pipeline hears of a key that is none, too", async () => {
  const { partitionBy, collect } = await import("../../../src/index.ts");
  const running = pipeline(
    [1],
    partitionBy(
      (n) => (n > 0 ? (undefined as never) : n),
      { partitions: 2 },
      (events) => pipeline(events, collect()),
    ),
  );
  const error: unknown = await running.done.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "ERR_PARTITION_KEY", event: 1 });
});
