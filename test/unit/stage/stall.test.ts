import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  batch,
  broadcast,
  collect,
  consumer,
  forEach,
  mapAsync,
  partitionBy,
  pipeline,
  producer,
  producerConsumer,
  type Stall,
} from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";

/** A pipeline whose partition 0 has a consumer that never asks. */
function stuck(runtime = testRuntime()) {
  const parts = pipeline.with({ runtime, name: "parts" })(
    range(1, 5000),
    partitionBy((n) => n, { partitions: 2, maxQueued: 2 }),
  );
  const idle = consumer<number>(() => {}, { runtime, name: "idle" });
  const link = idle.subscribe(parts, { partition: 0, demand: "manual" });
  const through = producerConsumer((events: readonly number[]) => events, { runtime, name: "through" });
  through.subscribe(parts, { partition: 1 });
  const running = pipeline(
    through,
    forEach(() => {}),
  );
  return { runtime, running, link };
}

describe("onStall", () => {
  test("6.10 is told once of a graph that holds events and does not move, and again of the next stall", async () => {
    const { runtime, running, link } = stuck();
    const stalls: Stall[] = [];
    running.onStall({ after: 1000 }, (stall) => void stalls.push(stall));
    await turns();
    runtime.clock.advance(1000);
    expect(stalls).toEqual([]);
    runtime.clock.advance(4000);
    expect(stalls).toHaveLength(1);
    expect(stalls[0]?.time).toBeGreaterThanOrEqual(1000);
    expect(stalls[0]?.text).toContain("parts partitionBy is held back by partition 0");
    expect(stalls[0]?.inspection.stages.length).toBeGreaterThan(3);
    link.ask(1);
    await turns();
    runtime.clock.advance(5000);
    expect(stalls).toHaveLength(2);
    await running.stop();
    expect(runtime.clock.pending).toBe(0);
  });

  test("6.10 the function that it returns ends the watch", async () => {
    const { runtime, running } = stuck();
    const stalls: Stall[] = [];
    const end = running.onStall({ after: 1000 }, (stall) => void stalls.push(stall));
    await turns();
    end();
    runtime.clock.advance(9000);
    expect([stalls, runtime.clock.pending]).toEqual([[], 0]);
    await running.stop();
  });

  test.each<
    readonly [
      string,
      () => {
        readonly running: {
          stop: (options: { timeout: number }) => Promise<void>;
          onStall: ReturnType<typeof stuck>["running"]["onStall"];
        };
        readonly runtime: ReturnType<typeof testRuntime>;
      },
    ]
  >([
    [
      "a callback that is waited for",
      () => {
        const runtime = testRuntime();
        const sink = consumer(() => new Promise(() => {}), { runtime });
        return { runtime, running: pipeline.with({ runtime })(range(1, 5000), sink) };
      },
    ],
    [
      "a call of mapAsync",
      () => {
        const runtime = testRuntime();
        return {
          runtime,
          running: pipeline.with({ runtime })(
            range(1, 5000),
            mapAsync(() => new Promise(() => {})),
            collect(),
          ),
        };
      },
    ],
    [
      "a batch that is not due",
      () => {
        const runtime = testRuntime();
        const source = producer<number>(() => {}, { runtime });
        source.push([1]);
        return {
          runtime,
          running: pipeline.with({ runtime })(source, batch({ size: 5, within: 100_000 }), collect()),
        };
      },
    ],
    [
      "a source that has nothing to give",
      () => {
        const runtime = testRuntime();
        const source = producer<number>(() => {}, { runtime });
        return { runtime, running: pipeline(source, collect()) };
      },
    ],
    [
      "a loop that does not go on",
      () => {
        const runtime = testRuntime();
        const shared = pipeline.with({ runtime })(range(1, 5000), broadcast({ startAfter: 2 }));
        void shared.events({ maxDemand: 1 }).next();
        return { runtime, running: pipeline(shared, collect()) };
      },
    ],
  ])("6.10 is not told of %s", async (_what, make) => {
    const { running, runtime } = make();
    const stalls: Stall[] = [];
    running.onStall({ after: 10 }, (stall) => void stalls.push(stall));
    await turns();
    for (let i = 0; i < 20; i += 1) {
      runtime.clock.advance(10);
      await turns(1);
    }
    expect(stalls).toEqual([]);
    void running.stop({ timeout: 0 });
  });

  test("6.10 a runtime tells of all pipelines that are started on it from then on", async () => {
    const { runtime, running } = stuck();
    const stalls: string[] = [];
    runtime.onStall({ after: 10 }, ({ text }) => void stalls.push(text));
    const source = producer<number>(() => {}, { runtime });
    const later = pipeline(source, collect());
    await turns();
    runtime.clock.advance(100);
    expect(stalls).toEqual([]);
    expect(() => runtime.onStall({ after: 0 }, () => {})).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
    const { running: again } = stuck(runtime);
    await turns();
    runtime.clock.advance(100);
    expect(stalls).toHaveLength(1);
    for (const one of [running, later, again]) await one.stop();
    expect(runtime.clock.pending).toBe(0);
  });

  test("6.10 what the function throws is reported", async () => {
    const { runtime, running } = stuck();
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    running.onStall({ after: 10 }, () => {
      throw new Error("mine");
    });
    await turns();
    runtime.clock.advance(100);
    expect(error).toHaveBeenCalledWith(
      expect.stringContaining("onStall"),
      expect.objectContaining({ message: "mine" }),
    );
    error.mockRestore();
    await running.stop();
  });

  test("6.10 wrong options are refused at once", async () => {
    const running = pipeline([1], collect());
    for (const after of [0, -1, Number.NaN])
      expect(() => running.onStall({ after }, () => {})).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
    for (const options of [{}, { after: "1 s" }, { after: 1, every: 2 }])
      expect(() => running.onStall(options as never, () => {})).toThrow(
        expect.objectContaining({ code: "ERR_OPTION" }),
      );
    expect(() => running.onStall({ after: 1 }, 7 as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    await running;
  });
});

describe("by default", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.useRealTimers();
    vi.resetModules();
  });

  test.each([
    ["development", 1],
    ["production", 0],
  ])("6.10 in %s a stall of ten seconds prints %i lines", async (mode, lines) => {
    vi.stubEnv("NODE_ENV", mode);
    // The clock of the platform is taken when the package is imported.
    vi.resetModules();
    const fresh = await import("../../../src/index.ts");
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const parts = fresh.pipeline.with({ name: "parts" })(
      range(1, 5000),
      fresh.partitionBy((n) => n, { partitions: 2, maxQueued: 2 }),
    );
    const link = fresh.consumer<number>(() => {}).subscribe(parts, { partition: 0, demand: "manual" });
    const through = fresh.producerConsumer((events: readonly number[]) => events);
    through.subscribe(parts, { partition: 1 });
    const running = fresh.pipeline.with({ name: "sums" })(
      through,
      fresh.forEach(() => {}),
    );
    for (let i = 0; i < 12; i += 1) {
      await turns(2);
      vi.advanceTimersByTime(2500);
    }
    const said = warn.mock.calls.map(([text]) => String(text)).filter((text) => text.includes("has not moved for"));
    expect(said).toHaveLength(lines);
    for (const line of said) expect(line).toMatch(/^headrace: sums has not moved for 1\d s: .*partition 0/);
    warn.mockRestore();
    link.cancel();
    await running.stop();
  });
});
