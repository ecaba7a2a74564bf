import { describe, expect, test } from "vitest";
import {
  collect,
  type Discarded,
  failureOf,
  flatMap,
  forEach,
  map,
  pipeline,
  rateLimiter,
  mapAsync,
  take,
} from "../../../src/index.ts";
import type { Running } from "../../../src/pipeline/running.ts";
import { range, turns } from "../../support/runtime.ts";
import { counted, failureFrom, Gates } from "./support.ts";

describe("forEach", () => {
  test("without options one at a time; its signal aborts when the pipeline has failed", async () => {
    const source = counted(5);
    const gates = new Gates<number>();
    const { done } = pipeline(
      source.source,
      map((n: number) => n),
      forEach(gates.signalled),
    );
    const failed = failureFrom(done);
    await turns();
    expect(gates.begun).toEqual([0]);
    gates.open(0);
    await turns();
    gates.fail(1, new Error("one"));
    expect(await failed).toMatchObject({ message: "one" });
    expect(gates.signals.get(0)?.aborted).toBe(true);
    expect(gates.most).toBe(1);
  });

  test.each(["abort", "timeout", "failure"] as const)(
    "without options what it has begun is told when it is cut short: %s",
    async (cause) => {
      const source = counted(5);
      const { runtime } = source;
      const gates = new Gates<number>();
      const told: Discarded[] = [];
      const controller = new AbortController();
      const { signal } = controller;
      const onDiscard = (discarded: Discarded): void => void told.push(discarded);
      const running = pipeline.with({ signal, onDiscard, runtime })(
        source.source,
        flatMap((n: number) => [n, n + 100, n + 200]),
        forEach(gates.call),
      );
      const over = running.done.catch(() => {});
      await turns();
      gates.open(0);
      await turns();
      if (cause === "abort") controller.abort();
      else if (cause === "timeout") {
        void running.stop({ timeout: 10 });
        await turns();
        runtime.clock.advance(10);
      } else (running as unknown as Running)["~failWith"](new Error("another branch"), undefined);
      await over;
      expect(told).toEqual([{ events: [100, 200], cause, stage: expect.stringContaining("flatMap+forEach") }]);
      // The others are the source's again.
      const seen: number[] = [];
      await pipeline.with({ runtime })(
        source.source,
        forEach((n: number) => void seen.push(n)),
      );
      expect(seen).toEqual([1, 2, 3, 4]);
    },
  );

  test("with concurrency so many at a time, and as many again taken", async () => {
    const source = counted(40);
    const gates = new Gates<number>();
    let [handled, most] = [0, 0];
    const fn = async (n: number) => {
      most = Math.max(most, source.taken - handled);
      await gates.call(n);
      handled += 1;
    };
    const { done } = pipeline(source.source, forEach(fn, { concurrency: 4 }));
    await turns();
    expect(gates.begun).toEqual([0, 1, 2, 3]);
    for (const n of range(0, 39)) {
      gates.open(n);
      await turns();
    }
    await done;
    expect(gates.most).toBe(4);
    expect(most).toBeLessThanOrEqual(8);
  });

  test("an empty object of options is one at a time", async () => {
    const gates = new Gates<number>();
    const { done } = pipeline(counted(2).source, forEach(gates.call, {}));
    await turns();
    expect(gates.begun).toEqual([0]);
    for (const n of [0, 1]) {
      gates.open(n);
      await turns();
    }
    await done;
  });

  test("F-58 one at a time per key, with all slots in use, on the clock", async () => {
    const source = counted(160);
    const { clock } = source.runtime;
    const order: number[] = [];
    const fn = (n: number) =>
      new Promise<void>((resolve) => {
        order.push(n);
        clock.setTimer(resolve, 20);
      });
    const { done } = pipeline(source.source, forEach(fn, { key: (n) => n % 8, concurrency: 8 }));
    let rounds = 0;
    for (let over = false; !over; rounds += 1) {
      await turns(6);
      clock.advance(20);
      over = await Promise.race([done.then(() => true), turns(6).then(() => false)]);
    }
    // 20 rounds of 20 ms are what a queue a key needs.
    expect(rounds).toBeLessThanOrEqual(21);
    for (const key of range(0, 7))
      expect(order.filter((n) => n % 8 === key)).toEqual(range(0, 19).map((n) => 8 * n + key));
  });

  test("a failure: others abort, the rest goes back, what was begun is in events", async () => {
    const source = counted(40);
    const gates = new Gates<number>();
    const bad = new Error("bad");
    const { done } = pipeline(source.source, forEach(gates.signalled, { concurrency: 4 }));
    const failed = failureFrom(done);
    await turns();
    gates.open(1);
    await turns();
    gates.fail(2, bad);
    expect(await failed).toBe(bad);
    expect(failureOf(bad)).toMatchObject({ step: "forEach", event: 2, events: [0, 2, 3, 4] });
    expect(gates.signals.get(0)?.reason).toBe(bad);
    expect(await pipeline(source.source, take(2), collect()).done).toEqual([5, 6]);
  });

  test("a stop waits, or cuts short by its timeout", async () => {
    const source = counted(40);
    const gates = new Gates<number>();
    const discarded: Discarded[] = [];
    const options = { concurrency: 3, onDiscard: (d: Discarded) => void discarded.push(d) };
    const first = pipeline(source.source, forEach(gates.signalled, options));
    await turns();
    let stopped = false;
    const stop = first.stop().then(() => (stopped = true));
    await turns();
    expect(stopped).toBe(false);
    for (const n of [0, 1, 2]) gates.open(n);
    await stop;
    expect(discarded).toEqual([]);
    const second = pipeline(source.source, forEach(gates.signalled, options));
    await turns();
    expect(gates.begun.slice(3)).toEqual([3, 4, 5]);
    const cut = second.stop({ timeout: 10 });
    await turns();
    expect(gates.signals.get(3)?.aborted).toBe(false);
    source.runtime.clock.advance(10);
    await cut;
    expect(gates.signals.get(3)?.aborted).toBe(true);
    expect(discarded).toMatchObject([{ events: [3, 4, 5], cause: "timeout" }]);
    expect(await pipeline(source.source, take(1), collect()).done).toEqual([6]);
  });

  test("one limiter for several steps", async () => {
    const source = counted(4);
    const { clock } = source.runtime;
    const other = counted(4, source.runtime);
    const limiter = rateLimiter({ events: 2, interval: 100 });
    const at: number[] = [];
    const fn = async (n: number) => {
      at.push(clock.now());
      return n;
    };
    const both = Promise.all([
      pipeline(source.source, forEach(fn, { rate: limiter })).done,
      pipeline(other.source, mapAsync(fn, { rate: limiter }), collect()).done,
    ]);
    for (let i = 0; i < 10; i += 1) {
      await turns(8);
      clock.advance(50);
    }
    await both;
    expect(at).toEqual([0, 0, 100, 100, 200, 200, 300, 300]);
    expect(clock.pending).toBe(0);
  });
});
