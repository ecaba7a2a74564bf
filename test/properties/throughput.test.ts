import { describe, expect, test } from "vitest";
import { forEach, fromIterable, mapAsync, type MapAsyncOptions, pipeline } from "../../src/index.ts";
import { runOn, testRuntime, type VirtualClock } from "../support/runtime.ts";
import { Random } from "./random.ts";

const CALLS = 10_000;
const CONCURRENCY = 16;

interface Measured {
  /** The part of all slots that had a call, until the last one had ended. */
  readonly used: number;
  readonly took: number;
  /** When each call ended, by the clock. */
  readonly ended: ReadonlyMap<number, number>;
  readonly most: number;
}

type Delay = (random: Random, n: number) => number;

const part = (random: Random): number => (random.below(1_000_000) + 1) / 1_000_001;
const key = (n: number): number => n % 1000;
/** Between 1 and 5. */
const uniform: Delay = (random) => 1 + 4 * part(random);
/** On average 1, and now and then ten times as long. */
const exponential: Delay = (random) => -Math.log(part(random));

/** Numbers one at a time, each in a run of the microtask queue of its own. */
async function* slowly(count: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    yield n;
  }
}

/** Runs so many calls on a clock of their own. */
async function measure(delay: Delay, options: MapAsyncOptions<number>, seed: number, alone = false): Promise<Measured> {
  const random = new Random(seed);
  const runtime = testRuntime();
  const { clock } = runtime;
  const ended = new Map<number, number>();
  let [busy, under, most] = [0, 0, 0];
  const fn = (n: number): Promise<number> => {
    const ms = delay(random, n);
    busy += ms;
    under += 1;
    most = Math.max(most, under);
    return work(clock, ms).then(() => {
      under -= 1;
      ended.set(n, clock.now());
      return n;
    });
  };
  const source = fromIterable(alone ? slowly(CALLS) : Array(CALLS).keys(), { runtime });
  const running = pipeline.with({ runtime })(
    source,
    mapAsync(fn, { concurrency: CONCURRENCY, ...options }),
    forEach(() => {}),
  );
  await runOn(clock, running.done);
  await running;
  const took = clock.now();
  return { used: busy / (CONCURRENCY * took), took, ended, most };
}

const work = (clock: VirtualClock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimer(resolve, ms);
  });

describe("8.8 mapAsync keeps its calls under way, over 10,000 of them", () => {
  test.each([
    ["unordered, uniform delays", uniform, { ordered: false }, 0.99],
    ["unordered, exponential delays", exponential, { ordered: false }, 0.99],
    ["ordered, uniform delays", uniform, { ordered: true }, 0.99],
    ["ordered, exponential delays", exponential, { ordered: true }, 0.85],
    ["by key, uniform delays", uniform, { key }, 0.99],
  ] as const)("8.8 %s", { timeout: 60_000 }, async (_title, delay, options, least) => {
    for (const seed of [1, 2]) {
      const { used, most } = await measure(delay, options, seed);
      expect(used, `seed ${seed}`).toBeGreaterThanOrEqual(least);
      expect(most).toBe(CONCURRENCY);
    }
  });

  test("8.8 also behind a source that gives one event at a time", { timeout: 60_000 }, async () => {
    expect((await measure(uniform, { ordered: false }, 3, true)).used).toBeGreaterThanOrEqual(0.99);
    expect((await measure(uniform, {}, 3, true)).used).toBeGreaterThanOrEqual(0.99);
  });

  test("8.8 one slow key of a thousand costs the others less than a tenth", { timeout: 60_000 }, async () => {
    const isSlow = (n: number): boolean => key(n) === 7;
    const others = ({ ended }: Measured): number =>
      Math.max(...[...ended].flatMap(([n, at]) => (isSlow(n) ? [] : [at])));
    const slow: Delay = (random, n) => (isSlow(n) ? 100 : 1) * uniform(random, n);
    const alike = others(await measure(uniform, { key }, 4));
    expect(others(await measure(slow, { key }, 4)) / alike).toBeLessThan(1.1);
  });
});

describe("F-58 lanes", () => {
  const hosts = 8;
  const jobs = 160;

  test.each([
    ["jobs that take as long", () => 20],
    ["jobs of random lengths", uniform],
  ] as const)("F-58 one at a time per host, within 1.1 of the ideal: %s", async (_title, delay) => {
    for (const alone of [false, true]) {
      const random = new Random(5);
      const lengths = Array.from({ length: jobs }, (_, n) => delay(random, n));
      const sums = Array.from({ length: hosts }, (_, host) =>
        lengths.reduce((sum, ms, n) => sum + (n % hosts === host ? ms : 0), 0),
      );
      const runtime = testRuntime();
      const { clock } = runtime;
      const now = new Set<number>();
      let twice = false;
      const job = async (n: number): Promise<void> => {
        const host = n % hosts;
        twice ||= now.has(host);
        now.add(host);
        await work(clock, lengths[n] as number);
        now.delete(host);
      };
      const source = fromIterable(alone ? slowly(jobs) : Array(jobs).keys(), { runtime });
      const running = pipeline.with({ runtime })(source, forEach(job, { key: (n) => n % hosts, concurrency: hosts }));
      await runOn(clock, running.done, alone ? 30 : 2);
      await running;
      expect(twice).toBe(false);
      expect(clock.now()).toBeLessThanOrEqual(1.1 * Math.max(...sums));
    }
  });
});
