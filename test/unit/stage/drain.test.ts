import { describe, expect, test } from "vitest";
import {
  consumer,
  type Discarded,
  fromIterable,
  producer,
  producerConsumer,
  TimeoutError,
  throughGenerator,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

/** A source that has no end, and nothing more for now behind eight events. */
function counting(runtime: ReturnType<typeof testRuntime>) {
  const state = { taken: 0, closed: 0, discarded: [] as Discarded[] };
  const source = producer<number>(
    {
      handleDemand(demand) {
        const from = state.taken + 1;
        state.taken = Math.min(8, state.taken + demand);
        return range(from, state.taken);
      },
      terminate: () => void (state.closed += 1),
    },
    {
      runtime,
      name: "source",
      onLastCancel: "stop",
      onDiscard: (what: Discarded): void => void state.discarded.push(what),
    },
  );
  return { state, source };
}

describe("drain()", () => {
  test("of a consumer: what was taken in is handled, handleEnd runs, the source has closed", async () => {
    const runtime = testRuntime();
    const { state, source } = counting(runtime);
    const handled: number[] = [];
    let ends = 0;
    const gate = Promise.withResolvers<void>();
    const sink = consumer<number>(
      {
        async handleEvents(events) {
          await gate.promise;
          handled.push(...events);
        },
        handleEnd: () => void (ends += 1),
      },
      { runtime },
    );
    sink.subscribe(source, { maxDemand: 10 });
    await turns();
    const drained = sink.drain();
    gate.resolve();
    await drained;
    expect(handled).toEqual(range(1, state.taken));
    expect([ends, state.closed, state.discarded, sink.state, source.state]).toEqual([
      1,
      1,
      [],
      "completed",
      "completed",
    ]);
  });

  test("goes up through producerConsumers, and leaves a source that others use, or that goes on without", async () => {
    const runtime = testRuntime();
    const { state, source } = counting(runtime);
    const shared = producer<number>({ handleDemand: () => {} }, { runtime });
    const ends: string[] = [];
    const middle = producerConsumer<number, number>(
      { handleEvents: (events) => events, handleEnd: () => void ends.push("middle") },
      { runtime, onLastCancel: "stop" },
    );
    middle.subscribe(source, { maxDemand: 6 });
    const handled: number[] = [];
    const sink = consumer<number>(
      { handleEvents: (events) => void handled.push(...events), handleEnd: () => void ends.push("sink") },
      { runtime },
    );
    sink.subscribe(middle, { maxDemand: 4 });
    const second = sink.subscribe(shared, { maxDemand: 2, cancel: "temporary" });
    await turns();
    shared.push([100]);
    await sink.drain();
    expect([ends, sink.state, middle.state, source.state]).toEqual([
      ["middle", "sink"],
      "completed",
      "completed",
      "completed",
    ]);
    expect([second.state, shared.state, state.discarded]).toEqual(["ended", "running", []]);
    expect(handled).toEqual([...range(1, 8), 100]);
    await shared.stop();
  });

  test("of a producer: no demand is served any more, what is held goes out, handleEnd's events behind it", async () => {
    const runtime = testRuntime();
    const demands: number[] = [];
    const source = producer<number>(
      { handleDemand: (demand) => void demands.push(demand), handleEnd: () => [9] },
      { runtime },
    );
    source.push([1, 2]);
    const drained = source.drain();
    expect(() => source.push([3])).toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    const got: number[] = [];
    consumer<number>((events) => void got.push(...events), { runtime }).subscribe(source);
    await drained;
    expect([got, demands, source.state]).toEqual([[1, 2, 9], [], "completed"]);
  });

  test("lets a producer's callback end, and does not abort its signal; its events still go out", async () => {
    const runtime = testRuntime();
    const gate = Promise.withResolvers<number[]>();
    let signal!: AbortSignal;
    const source = producer<number>(
      (_demand, stage) => {
        ({ signal } = stage);
        return gate.promise;
      },
      { runtime },
    );
    const got: number[] = [];
    consumer<number>((events) => void got.push(...events), { runtime }).subscribe(source);
    await turns();
    const drained = source.drain();
    await turns();
    expect(signal.aborted).toBe(false);
    gate.resolve([1, 2]);
    await drained;
    expect(got).toEqual([1, 2]);
  });

  test("whose time runs out stops the stage, and rejects; done is as after stop", async () => {
    const runtime = testRuntime();
    const discarded: Discarded[] = [];
    const source = producer<number>(() => {}, {
      runtime,
      name: "source",
      onDiscard: (what) => void discarded.push(what),
    });
    source.push([1]);
    const drained = source.drain({ timeout: 20 }).catch((error: unknown) => error);
    runtime.clock.advance(19);
    await turns();
    expect(source.state).toBe("ending");
    runtime.clock.advance(1);
    const error = await drained;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: "ERR_DRAIN_TIMEOUT" });
    expect((error as Error).message).toContain("source to drain within 20 ms");
    await source.done;
    expect([source.state, discarded]).toEqual(["stopped", [{ events: [1], cause: "stop", stage: "source" }]]);
    expect(runtime.clock.pending).toBe(0);
  });

  test("rejects with what the stage fails with meanwhile, and that is told once", async () => {
    const boom = new Error("boom");
    const runtime = testRuntime();
    const gate = Promise.withResolvers<void>();
    const sink = consumer<number>(() => gate.promise, { runtime });
    sink.subscribe(fromIterable([1], { runtime }));
    await turns();
    const drained = sink.drain();
    gate.reject(boom);
    await expect(drained).rejects.toBe(boom);
  });

  test("of a generator's stage runs it to its end", async () => {
    const runtime = testRuntime();
    const { source } = counting(runtime);
    const pairs = throughGenerator<number, string>(
      async function* (numbers) {
        let count = 0;
        for await (const _ of numbers) count += 1;
        yield `${count > 0}`;
      },
      { runtime },
    );
    pairs.subscribe(source, { maxDemand: 4 });
    const got: string[] = [];
    const sink = consumer<string>((events) => void got.push(...events), { runtime });
    sink.subscribe(pairs);
    await turns();
    await sink.drain();
    expect([got, source.state, pairs.state]).toEqual([["true"], "completed", "completed"]);
  });

  test("twice is once, and after the end it resolves at once", async () => {
    const runtime = testRuntime();
    const source = fromIterable([1], { runtime });
    const sink = consumer<number>(() => {}, { runtime });
    sink.subscribe(source);
    await Promise.all([sink.drain(), sink.drain()]);
    await sink.drain();
    expect(sink.state).toBe("completed");
  });

  test("of a consumer without a source completes it", async () => {
    const sink = consumer<number>(() => {}, { runtime: testRuntime() });
    await sink.drain();
    expect(sink.state).toBe("completed");
    expect(() => sink.subscribe(fromIterable([1]))).toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
  });

  test.each([
    [{ timeout: -1 }, "ERR_RANGE"],
    [{ timeout: "1" }, "ERR_OPTION"],
    [{ within: 1 }, "ERR_OPTION"],
    [null, "ERR_OPTION"],
  ])("1.1 %j is refused", (options, code) => {
    const stage = consumer<number>(() => {});
    expect(() => stage.drain(options as never)).toThrow(expect.objectContaining({ code }));
    expect(stage.state).toBe("running");
  });
});
