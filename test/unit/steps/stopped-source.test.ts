import { describe, expect, test } from "vitest";
import {
  batch,
  boundary,
  buffer,
  collect,
  flatMapAsync,
  forEach,
  idle,
  latest,
  map,
  mapAsync,
  pipeline,
  type ProducerConsumer,
  queue,
  rateLimit,
  type Step,
  takeUntil,
  tap,
} from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { Gates } from "./support.ts";

const steps: Record<string, () => Step<number, unknown>> = {
  map: () => map((n) => n),
  tap: () => tap(() => {}),
  boundary: () => boundary({ maxDemand: 4 }),
  buffer: () => buffer({ size: 4, overflow: "hold" }),
  latest: () => latest(),
  idle: () => idle({ after: 100 }),
  takeUntil: () => takeUntil(new AbortController().signal),
  rateLimit: () => rateLimit({ events: 10, interval: 10 }),
  "rateLimit by key": () => rateLimit({ events: 10, interval: 10, key: (n: number) => n }),
  batch: () => batch({ size: 1 }),
  mapAsync: () => mapAsync(async (n) => n),
  "mapAsync by key": () => mapAsync(async (n) => n, { key: (n) => n }),
  flatMapAsync: () => flatMapAsync(async (n) => [n]),
};

describe("a source that is stopped from outside", () => {
  for (const [name, step] of Object.entries(steps)) {
    test(`ends ${name} and what is behind it, as it ends a stage`, async () => {
      const runtime = testRuntime();
      const source = queue<number>({ size: 4, runtime });
      const running = pipeline.with({ runtime })(source, step(), collect());
      const got: unknown[] = [];
      void running.done.then((all) => got.push(...all.flat()));
      void source.offer(1);
      await turns();
      void source.stop();
      await turns();
      expect(got).toEqual([1]);
      expect(running.inspect().stages.map(({ state }) => state)).not.toContain("running");
    });
  }

  test("mapAsync emits what is under way, and a failure there still fails it; the rest goes back", async () => {
    for (const fails of [false, true]) {
      const runtime = testRuntime();
      const gates = new Gates<number>();
      const lost: number[] = [];
      const source = queue<number>({ size: 9, runtime, onDiscard: ({ events }) => void lost.push(...events) });
      const step = mapAsync(gates.call, { concurrency: 2 });
      const running = pipeline.with({ runtime })(source, step, collect());
      const outcome = running.done.then(
        (all) => all,
        (error: unknown) => error,
      );
      for (const n of [1, 2, 3]) source.tryOffer(n);
      await turns();
      void source.stop();
      await turns();
      expect([gates.begun, lost]).toEqual([[1, 2], [3]]);
      gates.open(1);
      const boom = new Error("boom");
      if (fails) gates.fail(2, boom);
      else gates.open(2);
      expect(await outcome).toEqual(fails ? boom : [1, 2]);
    }
  });

  test("a subscription that is cancelled ends the step likewise", async () => {
    const runtime = testRuntime();
    const source = queue<number>({ size: 4, runtime });
    const step = pipeline.with({ runtime })(
      source,
      mapAsync(async (n: number) => n),
    ) as unknown as ProducerConsumer<number, number>;
    const running = pipeline.with({ runtime })(
      step,
      forEach(() => {}),
    );
    await turns();
    step.subscriptions[0]?.cancel();
    await running.done;
    expect(step.state).toBe("stopped");
  });
});
