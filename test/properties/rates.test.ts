import { expect, test } from "vitest";
import {
  consumer,
  failureOf,
  forEach,
  mapAsync,
  pipeline,
  type Producer,
  producer,
  type Rate,
  rateLimit,
  rateLimiter,
  type RateLimiter,
} from "../../src/index.ts";
import { range, type TestRuntime, testRuntime, turns, VirtualClock } from "../support/runtime.ts";
import { Random } from "./random.ts";

const COUNT = 40;
const runs = Math.min(100_000, Number(process.env["HEADRACE_RUNS"] ?? 1000));
const keyOf = (n: number): number => n % 3;

/** A source that is pushed to at random times, or gives all it is asked for. */
function someSource(random: Random, runtime: TestRuntime, outside: VirtualClock): Producer<number> {
  if (random.chance(50)) {
    let next = 0;
    const handleDemand = (demand: number): number[] =>
      range(next, Math.min(COUNT, (next += demand)) - 1).slice(0, demand);
    return producer<number>({ handleDemand }, { runtime });
  }
  const source = producer<number>({ handleDemand: () => {} }, { runtime });
  for (const n of range(0, COUNT - 1)) outside.setTimer(() => source.push([n]), random.below(300));
  return source;
}

/** The times at which something happened, and the pipelines in which it does. */
interface Scenario {
  readonly runtime: TestRuntime;
  readonly outside: VirtualClock;
  readonly random: Random;
  readonly at: [time: number, n: number][];
  readonly note: (n: number) => void;
}

/** Notes what a step emits: by a consumer that asks now and then, and is never busy. */
function emitted(scenario: Scenario, rate: Rate | RateLimiter, keyed: boolean): void {
  const { random, runtime, outside, note } = scenario;
  const options = keyed ? { ...(rate as Rate), key: keyOf, maxQueued: random.between(1, 20) } : rate;
  const limited = pipeline(someSource(random, runtime, outside), rateLimit<number>(options));
  const sink = consumer((events: readonly number[]) => events.forEach(note), { runtime });
  if (random.chance(40)) {
    sink.subscribe(limited, random.chance(50) ? {} : { maxDemand: 10 });
    return;
  }
  const subscription = sink.subscribe(limited, { demand: "manual", maxDemand: 5 });
  for (const _ of range(1, 60)) outside.setTimer(() => subscription.ask(random.between(1, 3)), random.below(500));
}

/** Notes every attempt of a function that often fails. */
function attempted(scenario: Scenario, rate: Rate | RateLimiter): void {
  const { random, runtime, outside, note } = scenario;
  const fn = async (n: number): Promise<number> => {
    note(n);
    if (random.chance(50))
      await new Promise<void>((resolve) => {
        outside.setTimer(resolve, random.below(20));
      });
    if (random.chance(30)) throw new Error("again");
    return n;
  };
  const options = {
    rate,
    concurrency: random.between(1, 8),
    retry: { attempts: 4, delay: random.below(10), jitter: "none" },
    onFailure: "skip",
    ...(random.chance(40) && { key: keyOf }),
    ...(random.chance(30) && { timeout: 15 }),
  } as const;
  const source = someSource(random, runtime, outside);
  const { done } = random.chance(50)
    ? pipeline.with({ onReport: () => {} })(
        source,
        mapAsync(fn, options),
        forEach(() => {}),
      )
    : pipeline.with({ onReport: () => {} })(source, forEach(fn, options));
  done.catch((error: unknown) => expect(failureOf(error)).toBeUndefined());
}

/** From timer to timer: what one of them sets going happens at its time. */
async function advance(clock: VirtualClock, ms: number): Promise<void> {
  const until = clock.now() + ms;
  for (let { due } = clock; due !== undefined && due <= until; { due } = clock) {
    clock.advance(due - clock.now());
    // oxlint-disable-next-line no-await-in-loop -- one behind the other
    await turns(1);
  }
  clock.advance(until - clock.now());
}

/** The first stretch of an interval that holds more than it may. */
function tooMany(times: readonly number[], { events, interval }: Rate): string {
  const sorted = times.toSorted((a, b) => a - b);
  const bad = sorted.findIndex((time, i) => i >= events && time - (sorted[i - events] as number) < interval);
  return bad < 0 ? "" : `${events + 1} in ${(sorted[bad] as number) - (sorted[bad - events] as number)} of ${interval}`;
}

const kinds = ["emitted", "keyed", "attempts", "shared", "shared emitted"] as const;

async function run(seed: number): Promise<string> {
  const random = new Random(seed);
  const runtime = testRuntime({ seed });
  const outside = new VirtualClock();
  const rate = { events: random.between(1, 5), interval: random.between(3, 50) };
  const at: [number, number][] = [];
  const note = (n: number): void => void at.push([runtime.clock.now(), n]);
  const scenario: Scenario = { runtime, outside, random, at, note };
  const kind = random.pick(kinds);
  const limiter = rateLimiter(rate);
  if (kind === "emitted") emitted(scenario, random.chance(50) ? rate : limiter, false);
  else if (kind === "keyed") emitted(scenario, rate, true);
  else if (kind === "attempts") attempted(scenario, random.chance(50) ? rate : limiter);
  else
    for (const _ of range(1, 3))
      if (kind === "shared" && random.chance(50)) attempted(scenario, limiter);
      else emitted(scenario, limiter, false);
  for (let i = 0; i < 150; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- time goes on
    await turns(1);
    const ms = random.below(9);
    outside.advance(ms);
    // Not in step, and at times between two milliseconds.
    // oxlint-disable-next-line no-await-in-loop -- time goes on
    await advance(runtime.clock, random.chance(30) ? ms + 0.25 : ms);
  }
  const lists = kind === "keyed" ? range(0, 2).map((key) => at.filter(([, n]) => keyOf(n) === key)) : [at];
  const faults = lists
    .map((list) =>
      tooMany(
        list.map(([time]) => time),
        rate,
      ),
    )
    .filter((fault) => fault !== "");
  if (at.length === 0) faults.push("nothing happened");
  return faults.length > 0 ? `seed ${seed}, ${kind}: ${faults.join(", ")}` : "";
}

test("8.8 no stretch of an interval holds more than `events`: of what a step emits, of attempts, of three pipelines", {
  timeout: 0,
}, async () => {
  for (let seed = 1; seed <= runs; seed += 1) expect(await run(seed)).toBe("");
});
