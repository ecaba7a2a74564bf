import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

interface Timer {
  readonly fn: () => void;
  readonly ms: number;
  unrefs: number;
  cleared: boolean;
}
const timers: Timer[] = [];
let core: typeof import("../../../src/index.ts");
let adapter: typeof import("../../../src/adapter/index.ts");
let unhandled: unknown[];
const listen = (error: unknown): void => void unhandled.push(error);
let others: readonly NodeJS.UnhandledRejectionListener[];

// The platform's clock is taken when the package is imported.
beforeEach(async () => {
  timers.length = 0;
  unhandled = [];
  vi.resetModules();
  vi.stubGlobal("setTimeout", (fn: () => void, ms: number) => {
    const timer = { fn, ms, unrefs: 0, cleared: false, unref: () => (timer.unrefs += 1) };
    timers.push(timer);
    return timer;
  });
  vi.stubGlobal("clearTimeout", (timer: Timer | undefined) => {
    if (timer) timer.cleared = true;
  });
  core = await import("../../../src/index.ts");
  adapter = await import("../../../src/adapter/index.ts");
  vi.unstubAllGlobals();
  others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", listen);
});
afterEach(() => {
  process.off("unhandledRejection", listen);
  for (const other of others) process.on("unhandledRejection", other);
});
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
};
const failed = (): ReturnType<typeof core.producer<number>> => {
  const stage = core.producer<number>(() => {}, { name: "early" });
  stage.fail(boom);
  return stage;
};
const boom = new Error("boom");

describe("F-34 a failure before the first consumer", () => {
  test("F-34 waits for it, 30 seconds at most, and keeps no process alive", async () => {
    failed();
    await turns();
    expect(unhandled).toEqual([]);
    expect(timers).toMatchObject([{ ms: 30_000, unrefs: 1, cleared: false }]);
    timers[0]?.fn();
    await turns();
    expect(unhandled).toEqual([boom]);
  });

  test.each([
    ["a pipeline", (s: ReturnType<typeof failed>) => core.pipeline(s, core.collect()).done],
    ["a loop", async (s: ReturnType<typeof failed>) => s.events().next()],
    [
      "a consumer",
      (s: ReturnType<typeof failed>) => {
        const c = core.consumer<number>(() => {});
        c.subscribe(s);
        return c.done;
      },
    ],
    ["done", (s: ReturnType<typeof failed>) => s.done],
  ])("F-34 is heard by %s that comes later, and by no one else", async (_who, hear) => {
    const stage = failed();
    await turns();
    await expect(hear(stage)).rejects.toBe(boom);
    await turns();
    expect([unhandled, timers[0]?.cleared]).toEqual([[], true]);
  });

  test("F-34 goes on waiting when only a temporary consumer has come", async () => {
    const stage = failed();
    await turns();
    core.consumer<number>(() => {}).subscribe(stage, { cancel: "temporary" });
    await turns();
    expect(timers).toMatchObject([{ cleared: false }]);
  });

  test("F-34 of a chain waits at its last producer", async () => {
    const source = core.producer<number>(() => {});
    const last = core.pipeline(
      source,
      core.map((n) => n),
    );
    source.fail(boom);
    await turns();
    expect(unhandled).toEqual([]);
    await expect(core.pipeline(last, core.collect()).done).rejects.toBe(boom);
    await turns();
    expect(unhandled).toEqual([]);
  });

  test("F-34 can be watched by a platform that is about to end", async () => {
    const seen: (readonly string[])[] = [];
    adapter.watchUnclaimed((failures) => void seen.push(failures.map(({ stage }) => stage)));
    const stage = failed();
    await turns();
    stage.done.catch(() => {});
    await turns();
    expect(seen).toEqual([["early"], []]);
  });

  test("F-34 after a consumer has been there is told at once", async () => {
    const stage = core.producer<number>(() => {});
    core.consumer<number>(() => {}).subscribe(stage, { cancel: "temporary" });
    await turns();
    stage.fail(boom);
    await turns();
    expect([unhandled, timers]).toEqual([[boom], []]);
  });
});
