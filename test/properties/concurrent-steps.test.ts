import { expect, test } from "vitest";
import {
  batch,
  buffer,
  collect,
  type Discarded,
  failureOf,
  forEach,
  mapAsync,
  pipeline,
  producer,
} from "../../src/index.ts";
import { range, testRuntime, turns, VirtualClock } from "../support/runtime.ts";
import { staged } from "../unit/steps/support.ts";
import { Random } from "./random.ts";

const COUNT = 60;
const keyOf = (n: number): number => n % 5;

/** What the user's function does with an attempt. */
type Deed = "at once" | "later" | "throws" | "rejects" | "hangs" | "obeys";

interface Books {
  /** Event by event, where it has come to. */
  readonly handled: number[];
  readonly told: number[];
  readonly dead: number[];
  readonly failed: number[];
  readonly back: number[];
}

/** One run: a random graph with random deeds, ended in a random way. Returns what is wrong. */
async function run(seed: number): Promise<string> {
  const random = new Random(seed);
  const runtime = testRuntime({ seed });
  const { clock } = runtime;
  // The functions' own time: what is left on the runtime's clock is then the steps'.
  const outside = new VirtualClock();
  const books: Books = { handled: [], told: [], dead: [], failed: [], back: [] };
  const reported: unknown[] = [];
  const onReport = (error: unknown) => void reported.push(error);
  const onDiscard = ({ events }: Discarded) => void books.told.push(...(events as readonly number[]).flat(1));
  let [next, taken] = [0, 0];
  const source = producer<number>(
    {
      handleDemand(demand, stage) {
        const events = range(next, Math.min(COUNT, next + demand) - 1);
        next += events.length;
        taken = next;
        if (next === COUNT) stage.complete();
        return events;
      },
    },
    { runtime, onDiscard, onReport },
  );

  const hasTimeout = random.chance(60);
  const attempts = random.pick([1, 1, 2, 3]);
  const keyed = random.chance(50);
  const badness = random.pick([0, 0, 3, 10]);
  const running = new Map<number, number>();
  const begun: number[] = [];
  let [under, most, overlaps] = [0, 0, false];
  const deed = (): Deed => {
    if (random.chance(badness)) return random.pick<Deed>(["throws", "rejects"]);
    if (hasTimeout && random.chance(badness)) return random.pick<Deed>(["hangs", "obeys"]);
    return random.chance(30) ? "at once" : "later";
  };
  const fn = (n: number, { attempt, signal }: { readonly attempt: number; readonly signal: AbortSignal }) => {
    const what = deed();
    if (attempt === 1) begun.push(n);
    if (what === "at once") return n;
    if (what === "throws") throw new Error(`threw at ${n}`);
    under += 1;
    most = Math.max(most, under);
    if (keyed && running.get(keyOf(n)) === 1) overlaps = true;
    running.set(keyOf(n), 1);
    const over = (): void => {
      under -= 1;
      running.set(keyOf(n), 0);
    };
    return new Promise<number>((resolve, reject) => {
      const ms = random.below(20);
      if (what === "obeys" || what === "hangs") {
        // Either ends for its step with its timeout, or with the step.
        signal.addEventListener("abort", () => {
          over();
          if (what === "obeys") reject(signal.reason as Error);
        });
        return;
      }
      let open = true;
      if (hasTimeout)
        signal.addEventListener("abort", () => {
          if (open) over();
          open = false;
        });
      outside.setTimer(() => {
        if (open) over();
        open = false;
        if (what === "later") resolve(n);
        else reject(new Error(`rejected at ${n}`));
      }, ms);
    });
  };
  const concurrency = random.between(1, 6);
  const onFailure = random.pick<"fail" | ((failed: { readonly event: number }) => unknown)>([
    "fail",
    async ({ event }) => {
      await turns(1);
      books.dead.push(event);
    },
  ]);
  const steps = {
    buffer: buffer<number>({ size: random.between(1, 8), overflow: "hold", onDiscard }),
    mapAsync: mapAsync(fn, {
      concurrency,
      ...(keyed && { key: keyOf, maxQueued: random.between(1, 10) }),
      ...(random.chance(50) && { ordered: random.chance(50) }),
      ...(random.chance(50) && { maxHeld: random.between(0, 5) }),
      ...(hasTimeout && { timeout: 30 }),
      ...(random.chance(20) && { rate: { events: 3, interval: 15 } }),
      retry: { attempts, delay: random.below(10), jitter: "none" },
      onFailure,
      onDiscard,
    }),
    batch: batch<number>({ size: random.between(1, 5), ...(random.chance(50) && { within: random.below(20) }) }),
  };
  const sinkFailsAt = random.chance(15) ? random.below(12) : -1;
  let batches = 0;
  const sink = forEach(async (events: readonly number[]) => {
    batches += 1;
    if (batches - 1 === sinkFailsAt) throw new Error("sink");
    if (random.chance(50)) await turns(1);
    books.handled.push(...events);
  });
  const controller = new AbortController();
  const ending = random.pick(["complete", "complete", "stop", "stop in time", "abort", "drain"]);
  const staging = { runtime, onReport, onDiscard, signal: controller.signal };
  const first = staged(steps.buffer, { ...staging, name: "buffer" });
  const middle = staged(steps.mapAsync, { ...staging, name: "mapAsync" });
  const third = staged(steps.batch, { ...staging, name: "batch" });
  const apart = ending === "abort" || ending === "drain";
  if (apart) {
    first.subscribe(source);
    middle.subscribe(first);
    third.subscribe(middle);
  }
  const graph = apart ? pipeline(third, sink) : pipeline(source, steps.buffer, steps.mapAsync, steps.batch, sink);
  let outcome: { readonly error?: unknown } | undefined;
  const done = graph.done.then(
    () => (outcome = {}),
    (error: unknown) => (outcome = { error }),
  );
  const until = random.between(1, 40);
  let stopped: Promise<unknown> | undefined;
  for (let i = 0; i < 400; i += 1) {
    if (outcome && i > until) break;
    await turns(1);
    outside.advance(random.below(8));
    clock.advance(random.below(8));
    if (i !== until || outcome) continue;
    if (ending === "stop") stopped = graph.stop();
    if (ending === "stop in time") stopped = graph.stop({ timeout: random.below(40) });
    if (ending === "abort") controller.abort(new Error("abort"));
    if (ending === "drain") stopped = third.drain().catch(() => {});
  }
  // A stop waits for calls; nothing else does.
  for (let i = 0; i < 40; i += 1) {
    await turns(1);
    outside.advance(20);
    clock.advance(20);
  }
  await Promise.all([done, stopped]);
  await turns(8);
  const { error } = outcome as { readonly error?: unknown };
  if (error !== undefined && (error as Error).message !== "abort")
    books.failed.push(...((failureOf(error)?.events ?? []) as readonly number[]).flat(1));
  // A failure that a stop has overtaken is reported, with its events.
  for (const second of reported)
    if (second !== error) books.failed.push(...((failureOf(second)?.events ?? []) as readonly number[]).flat(1));
  const at = taken;
  // What is still there, or has come back.
  if (source.state === "running" || source.state === "ending")
    books.back.push(...(await pipeline(source, collect()).done));
  const strict = keyed && attempts === 1 && onFailure === "fail" && !hasTimeout;
  const wrong: string[] = [];
  const claim = (holds: boolean, what: string): void => void (holds || wrong.push(what));
  claim(clock.pending === 0, "a timer is left");
  claim(most <= concurrency, `${most} calls at a time`);
  claim(!overlaps, "two calls of one key at a time");
  const all = Object.values(books).flat() as number[];
  claim(String(sorted(all)) === String(range(0, next - 1)), "the books do not balance");
  for (const list of strict ? [books.handled, begun] : [])
    for (const key of range(0, 4)) {
      const ofKey = list.filter((n) => keyOf(n) === key);
      claim(String(ofKey) === String(sorted(ofKey)), `key ${key} is out of order`);
    }
  // A failure is told once: by `done`, or reported, not both.
  claim(error === undefined || !reported.includes(error), "a failure is told twice");
  claim(new Set(reported).size === reported.length, "a report comes twice");
  const story = `${ending}, taken ${at}, error ${(error as Error | undefined)?.message}, ${JSON.stringify(books)}`;
  return wrong.length === 0 ? "" : `${wrong.join(", ")}: ${story}`;
}

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

test.each(range(0, 299))("accepted = handled + told + given back, whatever happens: seed %i", async (seed) => {
  expect(await run(seed)).toBe("");
});
