import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  balance,
  failureOf,
  collect,
  filter,
  flatMap,
  forEach,
  map,
  type Pipeline,
  pipeline,
  producer,
  producerConsumer,
  scan,
  skip,
  take,
  takeWhile,
  tap,
} from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";

/** A step, and what it means: a generator over the events. */
interface Modelled {
  readonly title: string;
  readonly step: () => unknown;
  readonly model: (events: Iterable<number>) => Generator<number>;
}

const even = (n: number): boolean => n % 2 === 0;
const fail = (n: number, bad: number): number => {
  if (n === bad) throw new Error("bad");
  return n + 1;
};
const each = (fn: (n: number) => Iterable<number>): Modelled["model"] =>
  function* (events) {
    for (const n of events) yield* fn(n);
  };

const step: fc.Arbitrary<Modelled> = fc.oneof(
  fc.constant({ title: "map", step: () => map((n: number) => n + 1), model: each((n) => [n + 1]) }),
  fc.constant({ title: "filter", step: () => filter(even), model: each((n) => (even(n) ? [n] : [])) }),
  fc.constant({ title: "tap", step: () => tap(() => {}), model: each((n) => [n]) }),
  fc.nat(3).map((k) => ({
    title: `flatMap ${k}`,
    step: () => flatMap((n: number) => range(n, n + k - 1)),
    model: each((n) => range(n, n + k - 1)),
  })),
  fc.nat(40).map((k) => ({
    title: `map that fails at ${k}`,
    step: () => map((n: number) => fail(n, k)),
    model: each((n) => [fail(n, k)]),
  })),
  fc.nat(30).map((k) => ({
    title: `take ${k}`,
    step: () => take(k),
    *model(events: Iterable<number>): Generator<number> {
      let left = k;
      if (left === 0) return;
      for (const n of events) {
        yield n;
        left -= 1;
        if (left === 0) return;
      }
    },
  })),
  fc.nat(10).map((k) => ({
    title: `skip ${k}`,
    step: () => skip(k),
    *model(events: Iterable<number>): Generator<number> {
      let left = k;
      for (const n of events)
        if (left > 0) left -= 1;
        else yield n;
    },
  })),
  fc.nat(60).map((k) => ({
    title: `takeWhile below ${k}`,
    step: () => takeWhile((n: number) => n < k),
    *model(events: Iterable<number>): Generator<number> {
      for (const n of events)
        if (n < k) yield n;
        else return;
    },
  })),
  fc.constant({
    title: "scan",
    step: () => scan((sum: number, n: number) => sum + n, 0),
    *model(events: Iterable<number>): Generator<number> {
      let sum = 0;
      for (const n of events) yield (sum += n);
    },
  }),
);

/** What a chain of generators gives, and what it fails with. */
function expected(events: Iterable<number>, steps: readonly Modelled[]): { out: number[]; failed: boolean } {
  const out: number[] = [];
  let chain: Iterable<number> = events;
  for (const { model } of steps) chain = model(chain);
  try {
    for (const n of chain) out.push(n);
    return { out, failed: false };
  } catch {
    return { out, failed: true };
  }
}

const cut = fc.constantFrom<"no" | "balance" | "stage">("no", "no", "no", "balance", "stage");
const fails = ({ title }: Modelled): boolean => title.startsWith("map that");
/** A stage of the user's own discards its buffer when its source fails, so it stands only where nothing does. */
const steps = fc
  .array(fc.tuple(step, cut), { maxLength: 6 })
  .filter((list) => !list.some(([modelled]) => fails(modelled)) || list.every(([, where]) => where !== "stage"));
const scenario = fc.record({
  steps,
  events: fc.nat(60),
  maxDemand: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(),
  slow: fc.boolean(),
});

const compose = pipeline as unknown as (...parts: readonly unknown[]) => Pipeline<number[]>;
const runs = Number(process.env["HEADRACE_RUNS"] ?? 1000);
const seed = Number(process.env["HEADRACE_SEED"] ?? Date.now() % 2 ** 31);

describe("pipelines of random steps", () => {
  test(`8.1 give what the same generators give, wherever they are cut (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ steps: list, events, maxDemand, seed: schedule, slow }) => {
        const runtime = testRuntime({ seed: schedule });
        let next = 1;
        let asked = 0;
        const source = producer(
          {
            handleDemand: (demand: number, stage) => {
              asked += demand;
              const from = next;
              next = Math.min(events + 1, from + demand);
              if (next > events) stage.complete();
              return range(from, next - 1);
            },
          },
          { runtime, defaultMaxDemand: maxDemand, onLastCancel: "stop", onReport: () => {} },
        );
        const parts = list.flatMap(([modelled, where]) => {
          if (where === "balance") return [modelled.step(), balance()];
          if (where === "no") return [modelled.step()];
          return [modelled.step(), producerConsumer((batch: readonly number[]) => batch.slice(), { runtime })];
        });
        const seen: number[] = [];
        const sink = slow
          ? forEach((n: number) => Promise.resolve().then(() => seen.push(n)))
          : forEach((n: number) => seen.push(n));
        const running = compose(source, ...parts, sink);
        const error = (await running.done.then(undefined, (thrown: unknown) => thrown)) as Error | undefined;
        const model = expected(
          range(1, events),
          list.map(([modelled]) => modelled),
        );
        expect(seen).toEqual(model.out);
        expect(error instanceof Error).toBe(model.failed);
        const where = failureOf(error);
        expect((parts[where?.index ?? -1] as { name: string } | undefined)?.name).toBe(where?.step);
        // The source is released, and was not asked for more than the first take lets through.
        await source.done;
        const [name, most] = list[0]?.[0].title.split(" ") ?? [];
        expect(asked).toBeLessThanOrEqual(name === "take" ? Number(most) : Number.POSITIVE_INFINITY);
        await turns(1);
        expect(runtime.clock.pending).toBe(0);
      }),
      { numRuns: runs, seed, verbose: 1 },
    );
  });

  test("8.2 collect and reduce see the same", async () => {
    const runtime = testRuntime();
    const source = producer((): number[] => [], { runtime });
    const running = compose(source, collect());
    await turns();
    source.push([1, 2]);
    source.complete();
    expect(await running.done).toEqual([1, 2]);
  });
});
