import { describe, expect, test } from "vitest";
import {
  collect,
  consumer,
  failureOf,
  forEach,
  fromIterable,
  map,
  pipeline,
  producer,
  producerConsumer,
  reduce,
} from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

const boom = (): Error => new Error("boom");
const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

const collectOne = async () => pipeline(fromIterable([1], { runtime: testRuntime() }), collect());

/** A pipeline whose source has failed. */
const failed = async () => {
  const error = boom();
  const source = producer<number>(() => {}, { runtime: testRuntime() });
  const running = pipeline(source, collect());
  await turns();
  source.fail(error);
  return { running, error };
};

describe("F-51 a pipeline that is awaited", () => {
  test("F-51 waits for its end, and gives the sink's result", async () => {
    const runtime = testRuntime();
    const seen: number[] = [];
    const nothing = await pipeline(
      fromIterable([1, 2, 3], { runtime }),
      forEach((n: number) => void seen.push(n)),
    );
    const sum = await pipeline(
      fromIterable([1, 2, 3], { runtime }),
      reduce((a: number, b: number) => a + b, 0),
    );
    expect([nothing, seen, sum]).toEqual([undefined, [1, 2, 3], 6]);
  });

  test("F-51 rejects with what was thrown, and says where that was", async () => {
    const error = boom();
    const running = pipeline(
      fromIterable([1, 2], { runtime: testRuntime() }),
      map((n: number) => {
        if (n === 2) throw error;
        return n;
      }),
      collect(),
    );
    await expect(running).rejects.toBe(error);
    expect(running.failure).toBe(failureOf(error));
    expect(running.failure).toMatchObject({ error, step: "map", event: 2 });
  });

  test("F-51 is waited for by the async function that returns it", async () => {
    expect(await collectOne()).toEqual([1]);
  });

  test("F-51 has no failure while it runs, nor when it has ended well or was stopped", async () => {
    const runtime = testRuntime();
    const running = pipeline(
      producer<number>(() => {}, { runtime }),
      collect(),
    );
    expect(running.failure).toBeUndefined();
    await running.stop();
    expect([running.failure, await running]).toEqual([undefined, []]);
  });
});

describe("drain of a pipeline", () => {
  test("5.13 takes nothing more in, and gives the result of what was taken in", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, onLastCancel: "stop" });
    const pairs = producerConsumer<number, number>(
      { handleEvents: (events) => events.map((n) => n * 2), handleEnd: () => [0] },
      { runtime },
    );
    const running = pipeline(source, pairs, collect());
    await turns();
    source.push([1, 2]);
    const drained = running.drain({ timeout: 10 });
    await turns();
    expect(() => source.push([3])).toThrow(code("ERR_ENDED"));
    expect([await drained, source.state, pairs.state]).toEqual([[2, 4, 0], "completed", "completed"]);
    expect(runtime.clock.pending).toBe(0);
  });

  test("5.13 leaves a source that others consume, which keeps what it holds", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, onLastCancel: "continue" });
    const running = pipeline(source, collect());
    await turns();
    source.push([1]);
    expect(await running.drain({ timeout: 10 })).toEqual([1]);
    source.push([2]);
    expect([source.state, source.bufferedCount]).toEqual(["running", 1]);
    await source.stop();
  });

  test("5.13 rejects when the time has run out, and all that the pipeline made has ended then", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime, onLastCancel: "stop" });
    const stuck = producerConsumer<number, number>(
      { handleEvents: () => new Promise<number[]>(() => {}) },
      { runtime },
    );
    const running = pipeline(source, stuck, collect());
    await turns();
    source.push([1]);
    await turns();
    const drained = running.drain({ timeout: 10 });
    drained.catch(() => {});
    await turns();
    runtime.clock.advance(10);
    await expect(drained).rejects.toThrow(code("ERR_DRAIN_TIMEOUT"));
    await expect(drained).rejects.toThrow(`${stuck.name} has been in handleEvents for 10 ms`);
    expect(await running).toEqual([]);
    expect(runtime.clock.pending).toBe(0);
  });

  test("5.13 rejects with the failure of a pipeline that fails meanwhile", async () => {
    const runtime = testRuntime();
    const error = boom();
    const source = producer<number>(() => {}, { runtime, onLastCancel: "stop" });
    const failing = consumer<number>(() => Promise.reject(error), { runtime });
    const running = pipeline(source, failing);
    await turns();
    source.push([1]);
    await expect(running.drain()).rejects.toBe(error);
  });
});

describe("a pipeline that is disposed of", () => {
  test("rejects with a failure that was not heard of", async () => {
    const { running, error } = await failed();
    await expect(running[Symbol.asyncDispose]()).rejects.toBe(error);
  });

  test("does not reject with one that was", async () => {
    const { running, error } = await failed();
    await expect(running).rejects.toBe(error);
    await expect(running[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });
});
