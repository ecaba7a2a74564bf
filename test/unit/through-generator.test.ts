import { describe, expect, test } from "vitest";
import {
  balance,
  collect,
  consumer,
  forEach,
  fromIterable,
  map,
  pipeline,
  producer,
  type Runtime,
  take,
  throughGenerator,
} from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";

async function* twice(input: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const n of input) {
    yield n;
    yield n * 10;
  }
}

function manual(runtime: Runtime) {
  return producer((): number[] => [], { runtime });
}

describe("throughGenerator", () => {
  test("7.2 what it yields goes on, in order, and its end is the stage's", async () => {
    const runtime = testRuntime();
    const { done } = pipeline(fromIterable([1, 2], { runtime }), throughGenerator(twice, { runtime }), collect());
    expect(await done).toEqual([1, 10, 2, 20]);
  });

  test("7.1 a thousand events through it and back, in the order they came", async () => {
    const runtime = testRuntime();
    const same = throughGenerator((input: AsyncIterable<number>) => input, { runtime });
    expect(await pipeline(fromIterable(range(1, 1234), { runtime }), same, collect()).done).toEqual(range(1, 1234));
  });

  test("F01 the function runs when the first event is asked for, and on for each one", async () => {
    const runtime = testRuntime();
    const log: string[] = [];
    const noted = throughGenerator(
      async function* (input: AsyncIterable<number>) {
        log.push("begin");
        for await (const n of input) {
          log.push(`in ${n}`);
          yield n;
        }
      },
      { runtime },
    );
    noted.subscribe(fromIterable(range(1, 5), { runtime }));
    await turns();
    expect(log).toEqual([]);
    const slow = consumer(() => {}, { runtime });
    const subscription = slow.subscribe(noted, { demand: "manual" });
    subscription.ask(2);
    await turns(8);
    expect(log).toEqual(["begin", "in 1", "in 2"]);
    await slow.stop();
    await noted.done;
  });

  test("5.6 a generator that returns early gives back what it has not taken", async () => {
    const runtime = testRuntime();
    const source = manual(runtime);
    const two = throughGenerator(
      async function* (input: AsyncIterable<number>) {
        let count = 0;
        for await (const n of input) {
          yield n;
          count += 1;
          if (count === 2) return;
        }
      },
      { runtime },
    );
    const first = pipeline(source, two, collect());
    await turns();
    source.push(range(1, 6));
    expect(await first.done).toEqual([1, 2]);
    expect(await pipeline(source, take(4), collect()).done).toEqual([3, 4, 5, 6]);
    await source.stop();
  });

  test("7.3 a consumer that leaves closes the generator and releases the source", async () => {
    const runtime = testRuntime();
    const log: string[] = [];
    const source = fromIterable(range(1, 10_000), { runtime });
    const noted = throughGenerator(
      async function* (input: AsyncIterable<number>) {
        try {
          yield* input;
        } finally {
          log.push("closed");
        }
      },
      { runtime },
    );
    expect(await pipeline(source, noted, take(3), collect()).done).toEqual([1, 2, 3]);
    await Promise.all([noted.done, source.done]);
    expect([log, noted.state, source.state]).toEqual([["closed"], "stopped", "stopped"]);
  });

  test("F05 what the generator throws is the stage's, behind what it yielded", async () => {
    const runtime = testRuntime();
    const boom = new Error("boom");
    const source = manual(runtime);
    const seen: number[] = [];
    const failing = throughGenerator(
      async function* (input: AsyncIterable<number>) {
        for await (const n of input) {
          if (n === 3) throw boom;
          yield n;
        }
      },
      { runtime },
    );
    const running = pipeline(
      source,
      failing,
      forEach((n) => void seen.push(n)),
    );
    await turns();
    source.push([1, 2, 3, 4]);
    await expect(running.done).rejects.toBe(boom);
    expect(seen).toEqual([1, 2]);
    await turns();
    expect(await pipeline(source, take(1), collect()).done).toEqual([4]);
    await source.stop();
  });

  test("7.2 the failure of the source fails the stage by identity, and the generator's loop hears of it", async () => {
    const runtime = testRuntime();
    const log: unknown[] = [];
    const source = manual(runtime);
    const noted = throughGenerator(
      async function* (input: AsyncIterable<number>) {
        try {
          yield* input;
        } catch (error) {
          log.push(error);
        }
      },
      { runtime },
    );
    const running = pipeline(source, noted, collect());
    await turns();
    source.fail("gone");
    await expect(running.done).rejects.toBe("gone");
    await turns();
    expect(log).toEqual(["gone"]);
  });

  test("J02 an abort ends both sides with its reason, and gives back the rest of the batch", async () => {
    const runtime = testRuntime();
    const controller = new AbortController();
    const source = manual(runtime);
    const stuck = throughGenerator(
      async function* (input: AsyncIterable<number>) {
        for await (const n of input) {
          yield n;
          await new Promise(() => {});
        }
      },
      { runtime, signal: controller.signal },
    );
    const running = pipeline(source, stuck, collect());
    await turns();
    source.push([1, 2, 3]);
    await turns(8);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(running.done).rejects.toBe(reason);
    expect(await pipeline(source, take(2), collect()).done).toEqual([2, 3]);
    await source.stop();
  });

  test("a function that answers with a synchronous iterable, and one that never looks at its input", async () => {
    const runtime = testRuntime();
    const source = producer((): number[] => [], { runtime, onLastCancel: "stop" });
    const letters = throughGenerator(() => ["a", "b"], { runtime });
    expect(await pipeline(source, letters, collect()).done).toEqual(["a", "b"]);
    await source.done;
    expect(source.state).toBe("stopped");
  });

  test("F26 what it answers is not iterable", async () => {
    const runtime = testRuntime();
    const wrong = throughGenerator((() => 7) as unknown as () => number[], { runtime });
    const running = pipeline(fromIterable([1], { runtime }), wrong, collect());
    await expect(running.done).rejects.toMatchObject({ code: "ERR_NOT_SOURCE" });
  });

  test.each([[undefined], [null], [{}]])("1.1 %o is refused", (wrong) => {
    expect(() => throughGenerator(wrong as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
  });

  test("one stage to who looks: name, subscriptions, inspect, stop, call", async () => {
    const runtime = testRuntime();
    const source = manual(runtime);
    const stage = throughGenerator(twice, { runtime, name: "twice" });
    const subscription = stage.subscribe(source);
    expect([stage.name, stage.kind, stage.state]).toEqual(["twice", "producerConsumer", "running"]);
    expect(stage.subscriptions).toEqual([subscription]);
    expect(subscription.consumer).toBe(stage);
    expect(stage.inspect().stages.map(({ name }) => name)).toEqual(["twice", "twice input", source.name]);
    expect(await stage.call(({ name }) => name)).toBe("twice");
    expect(await stage.call((self) => [self.demand, self.push([])])).toEqual([0, true]);
    await stage.stop();
    await turns();
    expect([stage.state, subscription.state, source.state]).toEqual(["stopped", "ended", "running"]);
    await source.stop();
  });

  test("several consumers compete for what it yields", async () => {
    const runtime = testRuntime();
    const shared = pipeline(
      fromIterable(range(1, 50), { runtime }),
      throughGenerator((input: AsyncIterable<number>) => input, { runtime }),
      map((n) => n),
      balance(),
    );
    const parts = await Promise.all([1, 2].map(() => pipeline(shared, collect()).done));
    expect(parts.flat().toSorted((a, b) => a - b)).toEqual(range(1, 50));
  });
});

test("7.2 a failure of the source that the generator passes on is told once", async () => {
  const runtime = testRuntime();
  const reports: unknown[] = [];
  const error = new Error("of the source");
  const stage = throughGenerator(
    async function* (events: AsyncIterable<number>) {
      for await (const n of events) yield n;
    },
    { runtime, onReport: (what) => void reports.push(what) },
  );
  const source = producer<number>(() => {}, { runtime });
  stage.subscribe(source);
  const c = consumer<number>(() => {}, { runtime });
  c.subscribe(stage);
  await turns();
  source.fail(error);
  await expect(c.done).rejects.toBe(error);
  await turns();
  expect(reports).toEqual([]);
});
