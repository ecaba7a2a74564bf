import { beforeEach, describe, expect, test } from "vitest";
import {
  type Consumer,
  consumer,
  type Discarded,
  fromIterable,
  producer,
  producerConsumer,
  type Stage,
  type StageOptions,
} from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

// Made anew for each test: one that was told once is not reported again.
let boom: Error;
let second: Error;
beforeEach(() => {
  boom = new Error("boom");
  second = new Error("second");
});
const never = (): Promise<never> => new Promise(() => {});

/** What the stages of a test report, and a runtime for them. */
function scene() {
  const reports: string[] = [];
  const runtime = testRuntime();
  const options = (name: string): StageOptions => ({
    name,
    runtime,
    onReport: (error: unknown, { phase }: { readonly phase: string }) =>
      void reports.push(`${name} ${phase}: ${say(error)}`),
  });
  return { reports, runtime, options };
}
/** A callback that fails its stage and then throws something else. */
const failTwice = async (...args: readonly unknown[]): Promise<void> => {
  (args.at(-1) as { fail(error: unknown): void }).fail(boom);
  throw second;
};

const ended = (stage: Stage): Promise<string> =>
  stage.done.then(
    () => "well",
    (error: unknown) => say(error),
  );
/** The errors of this file in a word. */
const say = (value: unknown): string => (value instanceof Error ? value.message : JSON.stringify(value));

/** A callback that fails its stage and then never returns. */
const failsForever = (...args: readonly unknown[]): Promise<never> => {
  (args.at(-1) as { fail(error: unknown): void }).fail(boom);
  return never();
};

describe("F-01 a callback that ends its stage and returns a promise which rejects later", () => {
  test.each(["handleEvents", "handleDemand"])("F-01 %s: its promise is not waited for", async (callback) => {
    const { reports, options } = scene();
    const stage =
      callback === "handleEvents"
        ? consumer<number>({ handleEvents: failsForever }, options("c"))
        : producer<number>({ handleDemand: failsForever }, options("p"));
    const end = ended(stage);
    if ("subscribe" in stage) stage.subscribe(fromIterable([1, 2]));
    else {
      const reader = consumer<number>(() => {}, options("c"));
      reader.done.catch(() => {});
      reader.subscribe(stage);
    }
    await turns();
    if (stage.state === "running" && "fail" in stage) stage.fail(second);
    expect([stage.state, await end, reports]).toEqual(["failed", "boom", []]);
  });

  test.each([
    ["init", () => {}],
    ["handleSubscribe", (c: Consumer<number>) => void c.subscribe(producer<number>(() => {}))],
    ["handleCancel", (c: Consumer<number>) => c.subscribe(producer<number>(() => {})).cancel()],
    ["handleEnd", (c: Consumer<number>) => void c.subscribe(fromIterable<number>([]))],
  ] as readonly (readonly [string, (c: Consumer<number>) => void])[])(
    "F-01 %s: the second failure is reported",
    async (callback, begin) => {
      const { reports, options } = scene();
      const c = consumer<number>({ handleEvents: () => {}, [callback]: failTwice }, options("c"));
      const end = ended(c);
      begin(c);
      expect([await end, reports]).toEqual(["boom", [`c ${callback}: second`]]);
    },
  );

  test.each(["call", "info"] as const)(
    "F-01 the function of %s: the caller hears the end, onReport the rest",
    async (how) => {
      const { reports, options } = scene();
      const c = consumer<number>(() => {}, options("c"));
      const end = ended(c);
      const called = c[how](async (stage) => {
        stage.fail(boom);
        throw second;
      });
      await expect(called).rejects.toMatchObject({ code: "ERR_ENDED" });
      expect([await end, reports]).toEqual(["boom", ["c call: second"]]);
    },
  );
});

describe("F-02 a failure whose carrier does not come to it, for its handleCancel", () => {
  test.each([
    ["is cut short by a stop", never, (c: { stop(options: object): unknown }) => void c.stop({ timeout: 1 })],
    ["is aborted", never, (_c: unknown, abort: AbortController) => abort.abort(second)],
    ["rejects", () => Promise.reject(second), () => {}],
    [
      "throws",
      () => {
        throw second;
      },
      () => {},
    ],
    ["fails the stage", (_r: unknown, _s: unknown, stage: { fail(e: unknown): void }) => stage.fail(second), () => {}],
  ] as const)("F-02 %s, is reported", async (_how, handleCancel, end) => {
    const { reports, options, runtime } = scene();
    const abort = new AbortController();
    const p = producer<number>(() => {}, options("p"));
    const c = consumer<number>({ handleEvents: () => {}, handleCancel }, { ...options("c"), signal: abort.signal });
    c.done.catch(() => {});
    c.subscribe(p);
    await turns();
    p.fail(boom);
    await turns();
    end(c, abort);
    runtime.clock.advance(1);
    await turns();
    expect(reports).toEqual(["p done: boom"]);
  });
});

test.each([undefined, null, 0, "", false])("F-03 a failure with %j is told like any other", async (value) => {
  const { reports, options, runtime } = scene();
  const p = producer<number>(() => {}, options("p"));
  const c = consumer<number>({ handleEvents: () => {}, handleCancel: never }, options("c"));
  c.subscribe(p);
  await turns();
  p.fail(value);
  await turns();
  const stopped = c.stop({ timeout: 0 });
  runtime.clock.advance(0);
  await stopped;
  expect(reports).toEqual([`p done: ${say(value)}`]);
  expect(p.state).toBe("failed");
});

test("F-04 events that are accepted while a consumer leaves its links one by one come back", async () => {
  const { options } = scene();
  const lost: number[] = [];
  const retry = producer<number>(() => {}, {
    ...options("retry"),
    onDiscard: ({ events }) => void lost.push(...events),
  });
  const main = producer<number>(() => {}, {
    ...options("main"),
    onDiscard: ({ events }) => void retry.push(events),
  });
  const kill = new AbortController();
  const worker = consumer<number>(never, { ...options("worker"), signal: kill.signal });
  worker.done.catch(() => {});
  worker.subscribe(retry, { cancel: "temporary" });
  worker.subscribe(main, { cancel: "temporary", maxDemand: 4, minDemand: 3 });
  await turns();
  main.push([1, 2, 3]);
  await turns();
  await main.stop();
  kill.abort();
  await turns();
  await retry.stop();
  expect(lost).toEqual([2, 3]);
});

test("F-06 a failure that waits for the buffer is not carried by the abort that comes before it", async () => {
  const { options } = scene();
  const kill = new AbortController();
  const p = producer<number>(() => {}, { ...options("p"), signal: kill.signal, onDiscard: () => {} });
  consumer<number>(() => {}).subscribe(p, { demand: "manual", cancel: "temporary" });
  p.push([1]);
  p.fail(boom, { after: "buffer" });
  await turns();
  const unhandled: unknown[] = [];
  const listen = (error: unknown): void => void unhandled.push(error);
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", listen);
  kill.abort(second);
  await turns();
  process.off("unhandledRejection", listen);
  for (const other of others) process.on("unhandledRejection", other);
  expect([p.state, unhandled]).toEqual(["failed", [boom]]);
});

/** A producer whose handleDemand waits until it is told to give up, and then throws what it was told, or returns events. */
function poll(onSignal: (signal: AbortSignal) => readonly number[] | never, more: object = {}) {
  const { reports, options } = scene();
  const discarded: Discarded[] = [];
  const stage = producer<number>(
    (_demand, { signal }) =>
      new Promise<readonly number[]>((resolve, reject) => {
        signal.addEventListener("abort", () => {
          try {
            resolve(onSignal(signal));
          } catch (error) {
            reject(error);
          }
        });
      }),
    { ...options("poll"), onDiscard: (what) => void discarded.push(what), ...more },
  );
  return { stage, reports, discarded };
}

const throwing = (signal: AbortSignal): never => {
  throw signal.reason;
};

describe("F-12 stage.signal", () => {
  test("F-12 of a producer aborts when the loop over it is left: it stops", async () => {
    const { stage, reports } = poll(throwing, { onLastCancel: "stop" });
    const loop = stage[Symbol.asyncIterator]();
    void loop.next();
    await turns();
    await loop.return?.();
    await stage.done;
    expect([stage.state, reports]).toEqual(["stopped", []]);
  });

  test("F-12 of a producer aborts at stop, before its turn, and what it then returns still goes out", async () => {
    const { stage, reports, discarded } = poll(() => [1, 2]);
    const got: number[] = [];
    consumer<number>((events) => void got.push(...events)).subscribe(stage);
    await turns();
    await stage.stop();
    await turns();
    expect([got, reports, discarded, stage.state]).toEqual([[1, 2], [], [], "stopped"]);
  });

  test("F-12 an AbortError counts as returning nothing, another rejection fails the stage", async () => {
    const calm = poll(() => {
      throw new DOMException("enough", "AbortError");
    });
    consumer<number>(() => {}).subscribe(calm.stage);
    const broken = poll(() => {
      throw boom;
    });
    const last = consumer<number>(() => {});
    last.done.catch(() => {});
    last.subscribe(broken.stage);
    await turns();
    await Promise.all([calm.stage.stop(), broken.stage.stop()]);
    expect([calm.stage.state, calm.reports, broken.stage.state]).toEqual(["stopped", [], "failed"]);
  });

  test("F-12 of a consumer does not abort at a stop: what runs may end well", async () => {
    const { options } = scene();
    const gate = Promise.withResolvers<void>();
    let aborted: boolean | undefined;
    const c = consumer<number>(async (_events, _subscription, { signal }) => {
      await gate.promise;
      aborted = signal.aborted;
    }, options("c"));
    const source = producer<number>(() => [1]);
    c.subscribe(source, { maxDemand: 1 });
    await turns();
    const stopped = c.stop();
    gate.resolve();
    await stopped;
    expect([aborted, c.state]).toEqual([false, "stopped"]);
  });

  test.each([
    [
      "it fails",
      (stage: { call(fn: (self: { fail(e: unknown): void }) => void): unknown }, fail: () => void) => (
        void stage, fail()
      ),
    ],
    ["its time to stop has run out", (stage: { stop(options: object): unknown }) => void stage.stop({ timeout: 0 })],
  ])("F-12 of a consumer aborts when %s", async (_how, end) => {
    const { options, runtime } = scene();
    let signal!: AbortSignal;
    let fail!: () => void;
    const c = consumer<number>((_events, _subscription, stage) => {
      ({ signal } = stage);
      fail = () => stage.fail(boom);
      return never();
    }, options("c"));
    c.done.catch(() => {});
    c.subscribe(fromIterable([1]));
    await turns();
    end(c, fail);
    runtime.clock.advance(0);
    expect(signal.aborted).toBe(true);
  });

  test("F-12 of a producerConsumer aborts when its last consumer has gone", async () => {
    const { options } = scene();
    let signal!: AbortSignal;
    const pc = producerConsumer<number, number>(
      {
        handleEvents: () => [],
        terminate: (_reason, stage) => {
          ({ signal } = stage);
          return never();
        },
      },
      { ...options("pc"), onLastCancel: "stop" },
    );
    const loop = pc[Symbol.asyncIterator]();
    void loop.next();
    await turns();
    await loop.return?.();
    await turns();
    expect(signal.aborted).toBe(true);
  });
});

test.each([
  ["stop({ timeout })", (stage: { stop(options: object): unknown }) => void stage.stop({ timeout: 0 }), "stop"],
  ["an abort", (_stage: unknown, abort: AbortController) => abort.abort(boom), "abort"],
] as const)("F-13 what handleDemand returns after %s is told", async (_how, end, cause) => {
  const { options, runtime } = scene();
  const abort = new AbortController();
  const gate = Promise.withResolvers<readonly string[]>();
  const discarded: Discarded[] = [];
  const polls = producer<string>(() => gate.promise, {
    ...options("polls"),
    signal: abort.signal,
    onDiscard: (what) => void discarded.push(what),
  });
  const c = consumer<string>(() => {});
  c.done.catch(() => {});
  c.subscribe(polls);
  await turns();
  end(polls, abort);
  runtime.clock.advance(0);
  await turns();
  gate.resolve(["a", "b"]);
  await turns();
  expect(discarded).toEqual([{ events: ["a", "b"], cause, stage: "polls" }]);
});

const failing = (): never => {
  throw boom;
};

const take = async (source: Parameters<ReturnType<typeof consumer<number>>["subscribe"]>[0]): Promise<number[]> => {
  const got: number[] = [];
  const good = consumer<number>((events) => void got.push(...events));
  good.subscribe(source);
  await good.done;
  return got;
};

describe("F-14 a source that has completed", () => {
  test.each([1500, 100, 8])("F-14 takes back what a failing consumer had not started: %i events", async (n) => {
    const { options } = scene();
    const source = fromIterable(Array(n).keys(), { ...options("source"), onLastCancel: "continue" });
    const bad = consumer<number>(failing);
    bad.subscribe(source, { maxDemand: 10 });
    await bad.done.catch(() => {});
    await turns();
    expect(source.state).toBe(n > 10 ? "running" : "ending");
    const got = await take(source);
    // The batch in hand alone is lost: five events.
    expect(got).toEqual(Array.from({ length: n - 5 }, (_, i) => i + 5));
    await source.done;
    expect(source.state).toBe("completed");
  });

  test("F-14 is ending until every consumer has said that it has started all", async () => {
    const { options } = scene();
    const gate = Promise.withResolvers<void>();
    const source = fromIterable([1, 2], { ...options("source"), onLastCancel: "continue" });
    const slow = consumer<number>(() => gate.promise);
    slow.subscribe(source);
    await turns();
    expect(source.state).toBe("ending");
    gate.resolve();
    await source.done;
    expect(source.state).toBe("completed");
  });

  test("F-14 has run terminate before it waits, and stop ends the wait and tells what came back", async () => {
    const { options } = scene();
    const log: string[] = [];
    const discarded: Discarded[] = [];
    const source = producer<number>(
      { handleDemand: () => {}, terminate: ({ type }) => void log.push(type) },
      { ...options("source"), onDiscard: (what) => void discarded.push(what) },
    );
    const gate = Promise.withResolvers<void>();
    const bad = consumer<number>(() => gate.promise.then(failing));
    bad.subscribe(source, { maxDemand: 2, minDemand: 1 });
    await turns();
    source.push([1, 2]);
    source.complete();
    await turns();
    gate.resolve();
    await bad.done.catch(() => {});
    await turns();
    expect([source.state, source.bufferedCount, log, discarded]).toEqual(["ending", 1, ["complete"], []]);
    await source.stop();
    await source.done;
    expect([source.state, discarded]).toEqual(["completed", [{ events: [2], cause: "stop", stage: "source" }]]);
  });

  test("F-14 an abort ends the wait, too", async () => {
    const { options } = scene();
    const abort = new AbortController();
    const source = fromIterable([1], { ...options("source"), onLastCancel: "continue", signal: abort.signal });
    consumer<number>(never).subscribe(source);
    await turns();
    expect(source.state).toBe("ending");
    abort.abort(boom);
    await source.done;
    expect(source.state).toBe("completed");
  });

  test("F-14 gives a loop that comes meanwhile what another one gave back, then its end", async () => {
    const { options } = scene();
    const source = fromIterable([1, 2, 3], { ...options("source"), onLastCancel: "continue" });
    const first = source.events({ maxDemand: 10 });
    expect(await first.next()).toEqual({ done: false, value: 1 });
    const rest: number[] = [];
    const another = (async () => {
      for await (const n of source) rest.push(n);
    })();
    await turns();
    expect([source.state, rest]).toEqual(["ending", []]);
    await first.return?.();
    await another;
    await source.done;
    expect([rest, source.state]).toEqual([[2, 3], "completed"]);
  });

  test("F-14 stops with its last consumer where that is its habit, and tells what came back", async () => {
    const { options } = scene();
    const discarded: Discarded[] = [];
    const source = fromIterable([1, 2, 3, 4], { ...options("source"), onDiscard: (what) => void discarded.push(what) });
    const bad = consumer<number>(failing);
    bad.subscribe(source, { maxDemand: 4, minDemand: 2 });
    await source.done;
    await bad.done.catch(() => {});
    await turns();
    expect(discarded).toEqual([{ events: [3, 4], cause: "stop", stage: "source" }]);
  });
});

test("F-35 what the last consumer cancels with reaches terminate, through the stages between, and they count as stopped", async () => {
  const { options, reports } = scene();
  const why = { not: "an error" };
  const reasons: unknown[] = [];
  const terminate = (reason: unknown): void => void reasons.push(reason);
  const source = producer<number>(
    { handleDemand: () => {}, terminate },
    { ...options("source"), onLastCancel: "stop" },
  );
  const between = producerConsumer<number, number>(
    { handleEvents: (events) => events, terminate },
    { ...options("between"), onLastCancel: "stop" },
  );
  between.subscribe(source);
  const last = consumer<number>(() => {});
  last.done.catch(() => {});
  const subscription = last.subscribe(between);
  await turns();
  subscription.cancel(why);
  await Promise.all([source.done, between.done]);
  expect(reasons).toEqual([
    { type: "stop", reason: why },
    { type: "stop", reason: why },
  ]);
  expect([source.state, between.state, reports]).toEqual(["stopped", "stopped", []]);
});
