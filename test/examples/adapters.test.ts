import { EventEmitter } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { buffer } from "../../examples/adapters/buffer.ts";
import { fromClient, type MessageClient } from "../../examples/adapters/messages.ts";
import { type Inserted, intoStore, type Store } from "../../examples/adapters/store.ts";
import { conformance, type SinkProbe } from "../../src/conformance/index.ts";
import { consumer, fromIterable, producer } from "../../src/index.ts";
import { sourcesOf, type Tally } from "../conformance/foreign.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { codeOf, RawConsumer } from "../support/stages.ts";
import { root } from "./support.ts";

/** Brings one message a turn of the event loop, unless it is paused. */
class Client extends EventEmitter {
  readonly #tally: Tally;
  paused = false;
  #waiting = false;

  constructor(tally: Tally) {
    super();
    this.#tally = tally;
  }
  override on(event: string, listener: (...values: unknown[]) => void): this {
    this.#go();
    return super.on(event, listener);
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
    this.#go();
  }
  close(): void {
    this.paused = true;
    this.#tally.release();
  }
  #go(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    setImmediate(this.#step);
  }
  readonly #step = (): void => {
    this.#waiting = false;
    const { plan, more } = this.#tally;
    if (this.paused || plan.silent || this.listenerCount("end") === 0) return;
    if (more) this.emit("message", this.#tally.take());
    else if (plan.failure) this.emit("error", plan.failure.error);
    else this.emit("end");
    if (more) this.#go();
  };
}
const client = (tally: Tally): MessageClient<unknown> => new Client(tally) as unknown as MessageClient<unknown>;

conformance(
  {
    name: "fromClient",
    ...sourcesOf((tally, options) => fromClient(client(tally), options)),
    refuses: (foreign) => fromClient(foreign as never),
    // An emitter's "error" is any value, but its end comes in a turn of its own: only while it is not paused.
    capabilities: { endsUnasked: false },
  },
  { test },
);

/** Stores row by row. */
function storeOf(probe: SinkProbe): Store<unknown> {
  return {
    async insert(rows, signal): Promise<Inserted> {
      let stored = 0;
      try {
        for (; stored < rows.length && !signal.aborted; stored += 1) {
          // oxlint-disable-next-line no-await-in-loop -- one row after the other
          await probe.event(rows[stored]);
        }
      } catch (error) {
        return { stored, failure: { error } };
      }
      return { stored };
    },
    commit: async () => probe.end(),
    abandon: (error) => probe.fail(error),
  };
}

for (const batchSize of [undefined, 1, 7])
  conformance(
    {
      name: `intoStore, ${batchSize ?? "all"} at once`,
      sink: (probe, options) => ({ consumer: intoStore(storeOf(probe), { ...options, batchSize }) }),
      refuses: (foreign) => intoStore(foreign as never),
      // What the store fails with becomes the cause of an error that holds the row.
      capabilities: { failsByIdentity: false },
    },
    { test },
  );

conformance(
  {
    name: "buffer",
    through: (probe, options) => {
      const { name, runtime, signal, onDiscard, onReport, ...more } = options;
      const known = { name, runtime, signal, onDiscard, onReport };
      void probe;
      return { stage: buffer<unknown>({ size: 10_000, policy: "drop-oldest", ...known, ...more }) };
    },
    capabilities: { capacity: Number.POSITIVE_INFINITY, fails: false, flushes: false, endsEarly: false },
  },
  { test },
);

describe("fromClient", () => {
  test("pauses the client while no one wants its messages, and leaves it open where it is to", async () => {
    const emitter = Object.assign(new EventEmitter(), {
      calls: [] as string[],
      pause: () => void emitter.calls.push("pause"),
      resume: () => void emitter.calls.push("resume"),
      close: () => void emitter.calls.push("close"),
    });
    const stage = fromClient<number>(emitter as never, { runtime: testRuntime(), keepOpen: true });
    const c = new RawConsumer<number>().attach(stage).ask(2);
    await turns();
    for (const n of [1, 2]) emitter.emit("message", n);
    await turns();
    c.ask(1);
    await turns();
    c.leave();
    await turns();
    expect([c.batches.flat(), emitter.calls]).toEqual([
      [1, 2],
      ["pause", "resume", "pause"],
    ]);
    expect(["message", "error", "end"].map((name) => emitter.listenerCount(name))).toEqual([0, 0, 0]);
  });
});

describe("intoStore", () => {
  test.each([5, 499, 500, 1203])(
    "F-41 a store that fails at row %i loses that row alone, and tells of it",
    async (bad) => {
      const runtime = testRuntime();
      const stored: number[] = [];
      const store: Store<number> = {
        async insert(rows): Promise<Inserted> {
          const at = rows.indexOf(bad);
          stored.push(...(at < 0 ? rows : rows.slice(0, at)));
          return at < 0 ? { stored: rows.length } : { stored: at, failure: { error: "full" } };
        },
        commit: async () => {},
        abandon: () => {},
      };
      const rows = fromIterable(range(0, 1999), { runtime, onLastCancel: "continue" });
      const sink = intoStore(store, { runtime });
      sink.subscribe(rows);
      await expect(sink.done).rejects.toMatchObject({ code: "ERR_CALLBACK", cause: "full", events: [bad] });
      const next: number[] = [];
      const rest = consumer<number>((events) => void next.push(...events), { runtime });
      rest.subscribe(rows);
      await rest.done;
      expect([stored, next]).toEqual([range(0, bad - 1), range(bad + 1, 1999)]);
    },
  );

  test("what an abort leaves comes back late, when the store has said how far it came", async () => {
    const runtime = testRuntime();
    const { promise, resolve } = Promise.withResolvers<Inserted>();
    const store: Store<number> = { insert: () => promise, commit: async () => {}, abandon: () => {} };
    const rows = fromIterable(range(0, 9), { runtime, onLastCancel: "continue" });
    const controller = new AbortController();
    const sink = intoStore(store, { runtime, signal: controller.signal });
    sink.subscribe(rows, { maxDemand: 4, minDemand: 0 });
    await turns();
    controller.abort("enough");
    await expect(sink.done).rejects.toBe("enough");
    resolve({ stored: 1 });
    await turns();
    const c = new RawConsumer<number>().attach(rows).ask(20);
    await turns();
    expect(c.batches.flat()).toEqual(range(1, 9));
  });
});

describe("buffer", () => {
  test.each([
    ["drop-oldest", [4, 5, 6], [1, 2, 3]],
    ["drop-newest", [1, 2, 3], [4, 5, 6]],
  ] as const)("%s: its source does not wait, and what was dropped is told", async (policy, kept, dropped) => {
    const runtime = testRuntime();
    const lost: unknown[] = [];
    const stage = buffer<number>({ size: 3, policy, runtime, onDiscard: (discarded) => void lost.push(discarded) });
    const source = producer<number>(() => {}, { runtime });
    stage.subscribe(source);
    const c = new RawConsumer<number>().attach(stage);
    await turns();
    source.push([1, 2, 3, 4, 5, 6]);
    source.complete();
    await turns();
    expect([source.state, stage.bufferedCount]).toEqual(["completed", 3]);
    c.ask(10);
    await turns();
    expect([c.batches.flat(), c.ends, lost]).toEqual([
      kept,
      [{ type: "complete" }],
      [{ events: dropped, cause: "overflow", stage: stage.name }],
    ]);
  });

  test.each([
    {},
    { size: 1 },
    { policy: "drop-oldest" },
    { size: 0, policy: "drop-oldest" },
    { size: 1, policy: "throw" },
  ])("refuses %o", (options) => {
    expect(codeOf(() => buffer(options as never))).toMatch(/^ERR_(?:OPTION|RANGE)$/);
  });
});

const folder = path.join(root, "examples/adapters");
test.each(fs.readdirSync(folder))("%s is short, says what it shows, and needs the public entries only", (file) => {
  const text = fs.readFileSync(path.join(folder, file), "utf8");
  expect(text.split("\n").length).toBeLessThanOrEqual(121);
  expect(text).toMatch(/^(?:\/\/ .*\n)*\/\/ .*\bShows /);
  const imported = Array.from(text.matchAll(/from "([^"]+)"/g), ([, name]) => name);
  expect(new Set(imported)).toEqual(new Set(["headrace", "headrace/adapter"]));
});
