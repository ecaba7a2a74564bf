import { describe, expect, test } from "vitest";
import { collect, type Discarded, pipeline, type QueueOptions, queue, take } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { failureFrom } from "../steps/support.ts";

function made(options: QueueOptions<number> = {}) {
  const told: Discarded[] = [];
  const events = queue<number>({
    runtime: testRuntime(),
    onDiscard: (discarded) => void told.push(discarded),
    onReport: () => {},
    ...options,
  });
  const loop = events.events({ maxDemand: 1 })[Symbol.asyncIterator]();
  return { events, told, loop };
}
/** What has become of promises. */
function watched(promises: readonly Promise<boolean>[]): unknown[] {
  const fates: unknown[] = promises.map(() => "waits");
  for (const [i, promise] of promises.entries())
    promise.then(
      (taken) => (fates[i] = taken),
      (error: unknown) => (fates[i] = (error as { readonly code?: unknown }).code ?? error),
    );
  return fates;
}

describe("queue", () => {
  test("takes events while there is room, and lets those who wait in first come, first served", async () => {
    const { events, loop } = made({ size: 2 });
    const fates = watched(range(0, 4).map((n) => events.offer(n)));
    await turns();
    expect(fates).toEqual([true, true, "waits", "waits", "waits"]);
    expect([events.tryOffer(9), events.bufferedCount]).toEqual([false, 2]);
    expect((await loop.next()).value).toBe(0);
    await turns();
    expect(fates).toEqual([true, true, true, "waits", "waits"]);
    expect(events.tryOffer(9)).toBe(false);
    for (const n of range(1, 4)) expect((await loop.next()).value).toBe(n);
    await turns();
    expect([fates, events.bufferedCount]).toEqual([[true, true, true, true, true], 0]);
    expect([events.tryOffer(5), events.tryOffer(6), (await loop.next()).value]).toEqual([true, true, 5]);
  });

  test("holds its size besides what has been asked for, and gives one stretch as one batch", async () => {
    const events = queue<number>({ size: 1, runtime: testRuntime() });
    const batches = events.batches({ maxDemand: 10, minDemand: 0 })[Symbol.asyncIterator]();
    const first = batches.next();
    await turns();
    const fates = watched(range(1, 12).map((n) => events.offer(n)));
    expect(await first).toEqual({ done: false, value: range(1, 10) });
    await turns();
    expect(fates).toEqual([...Array.from({ length: 11 }, () => true), "waits"]);
    expect((await batches.next()).value).toEqual([11, 12]);
    const idle = batches.next();
    await turns();
    const { offer, tryOffer, complete } = events;
    void offer(13);
    expect(await idle).toEqual({ done: false, value: [13] });
    tryOffer(14);
    complete();
    complete();
    expect((await batches.next()).value).toEqual([14]);
    expect((await batches.next()).done).toBe(true);
    expect(events.state).toBe("completed");
  });

  test("complete() lets in those who wait; an offer after it is told, and resolves with false", async () => {
    const { events, told, loop } = made({ size: 1 });
    const fates = watched([events.offer(1), events.offer(2), events.offer(3)]);
    events.complete();
    const late = events.offer(4);
    expect([await late, events.tryOffer(5)]).toEqual([false, false]);
    const got: unknown[] = [];
    for (let next = await loop.next(); !next.done; next = await loop.next()) got.push(next.value);
    expect([got, fates]).toEqual([
      [1, 2, 3],
      [true, true, true],
    ]);
    expect(told).toMatchObject([{ events: [4], cause: "stop" }]);
    expect([await events.offer(6), events.tryOffer(7), told.length]).toEqual([false, false, 2]);
  });

  test("drain() delivers what is held, and tells those who wait", async () => {
    const { events, told, loop } = made({ size: 1 });
    const fates = watched([events.offer(1), events.offer(2)]);
    const drained = events.drain();
    await turns();
    expect(fates).toEqual([true, false]);
    expect(await events.offer(3)).toBe(false);
    expect((await loop.next()).value).toBe(1);
    expect((await loop.next()).done).toBe(true);
    await drained;
    expect(told.map((one) => one.events)).toEqual([[2], [3]]);
  });

  test("a stop rejects those who wait, and tells what is held", async () => {
    const { events, told } = made({ size: 1 });
    const fates = watched([events.offer(1), events.offer(2)]);
    await events.stop();
    await turns();
    expect(fates).toEqual([true, "ERR_ENDED"]);
    expect(told).toMatchObject([{ events: [1], cause: "stop" }]);
    expect(await failureFrom(events.offer(3))).toMatchObject({ code: "ERR_ENDED", name: "ArgumentError" });
    expect(() => events.tryOffer(3)).toThrow(
      /expected a running stage, got queue#\d+, which has ended: make a new one/,
    );
    expect(told).toHaveLength(1);
  });

  test("fails at once, or behind what it holds", async () => {
    const bad = new Error("bad");
    for (const after of [undefined, "buffer" as const]) {
      const { events, told, loop } = made({ size: 2 });
      const fates = watched([events.offer(1), events.offer(2), events.offer(3)]);
      await turns();
      events.fail(bad, after && { after });
      events.fail(new Error("second"), { after: "buffer" });
      const got: unknown[] = [];
      if (after) for (let i = 0; i < 2; i += 1) got.push((await loop.next()).value);
      expect(got).toEqual(after ? [1, 2] : []);
      expect(await failureFrom(loop.next())).toBe(bad);
      expect(told.flatMap((one) => one.events)).toEqual(after ? [] : [1, 2]);
      expect(fates).toEqual([true, true, "ERR_ENDED"]);
      expect(((await failureFrom(events.offer(4))) as Error).cause).toBe(bad);
    }
  });

  test("an abort tells what is held, and what was offered in the same stretch", async () => {
    const controller = new AbortController();
    const { events, told, loop } = made({ signal: controller.signal });
    const waits = loop.next();
    await turns();
    expect(events.tryOffer(1)).toBe(true);
    const gone = new Error("gone");
    controller.abort(gone);
    expect(await failureFrom(waits)).toBe(gone);
    expect(told).toMatchObject([{ events: [1], cause: "abort" }]);
  });

  test("an offer waits no longer than its signal says", async () => {
    const { events, loop } = made({ size: 1 });
    const [own, other] = [new AbortController(), new AbortController()];
    const gone = new Error("gone");
    const fates = watched([
      events.offer(1, { signal: own.signal }),
      events.offer(2, { signal: own.signal }),
      events.offer(3, { signal: other.signal }),
    ]);
    own.abort(gone);
    await turns();
    expect(fates).toEqual([true, gone, "waits"]);
    expect(await failureFrom(events.offer(4, { signal: own.signal }))).toBe(gone);
    events.complete();
    expect([(await loop.next()).value, (await loop.next()).value, (await loop.next()).done]).toEqual([1, 3, true]);
    expect(fates[2]).toBe(true);
    expect(() => events.offer(1, { signal: 3 as never })).toThrow(/expected signal to be an AbortSignal/);
    expect(() => events.offer(1, { timeout: 3 } as never)).toThrow(/expected offer options among signal/);
  });

  test("asks anew for those who stay when a consumer leaves", async () => {
    const { events, told } = made({ size: 1, onLastCancel: "continue" });
    const first = events.events({ maxDemand: 5 })[Symbol.asyncIterator]();
    const waits = first.next();
    await turns();
    await first.return?.();
    await waits;
    await turns();
    expect([events.tryOffer(1), events.tryOffer(2)]).toEqual([true, false]);
    const second = events.events({ maxDemand: 2 })[Symbol.asyncIterator]();
    expect((await second.next()).value).toBe(1);
    const next = second.next();
    await turns();
    expect(events.tryOffer(3)).toBe(true);
    expect([(await next).value, told]).toEqual([3, []]);
  });

  test("stops with its last consumer, unless it is to go on", async () => {
    const { events, told } = made();
    for (const n of range(1, 4)) events.tryOffer(n);
    expect(await pipeline(events, take(2), collect())).toEqual([1, 2]);
    await turns();
    expect(events.state).toBe("stopped");
    expect(told.flatMap((one) => one.events)).toEqual([3, 4]);
    const kept = made({ onLastCancel: "continue" });
    for (const n of range(1, 4)) kept.events.tryOffer(n);
    kept.events.complete();
    expect(await pipeline(kept.events, take(2), collect())).toEqual([1, 2]);
    expect(await pipeline(kept.events, collect())).toEqual([3, 4]);
  });

  test("refuses what is no option", () => {
    for (const options of [{ size: 0 }, { size: "1" }, { sise: 1 }, { overflow: "throw" }, null])
      expect(() => queue(options as never)).toThrow(/expected/);
    expect(() => queue({ sise: 1 } as never)).toThrow(/size/);
  });
});
