import { describe, expect, test } from "vitest";
import {
  collect,
  distinct,
  filter,
  flatMap,
  forEach,
  fromIterable,
  map,
  type Pipeline,
  pipeline,
  producerConsumer,
  reduce,
  scan,
  skip,
  tap,
} from "../../../src/index.ts";
import { range, testRuntime } from "../../support/runtime.ts";
import { failureFrom } from "./support.ts";

const build = pipeline as unknown as (...parts: readonly unknown[]) => Pipeline<unknown>;
const EVENTS = 40;
const numbers = () => fromIterable(range(1, EVENTS), { runtime: testRuntime(), onReport: () => {} });

type Fn = (n: number) => unknown;
/** A step that calls `look` for each event, and what it passes on. */
interface Kind {
  readonly name: string;
  readonly step: (look: Fn) => unknown;
  readonly model: () => (n: number) => number | undefined;
}
const kinds: readonly Kind[] = [
  { name: "map", step: (look) => map((n: number) => look(n) ?? n + 1), model: () => (n) => n + 1 },
  {
    name: "filter",
    step: (look) => filter(((n: number) => look(n) ?? n % 3 !== 0) as (n: number) => boolean),
    model: () => (n) => (n % 3 === 0 ? undefined : n),
  },
  { name: "tap", step: (look) => tap(look), model: () => (n) => n },
  {
    name: "scan",
    step: (look) => scan((sum: number, n: number) => (look(n) as number | undefined) ?? sum + n, 0),
    model: () => {
      let sum = 0;
      return (n) => (sum += n);
    },
  },
];
const sinks = ["collect", "reduce", "forEach"] as const;

/** Rows of one to six steps, each kind at each place. */
const rows = range(1, 6).flatMap((count) =>
  kinds.map((_, shift) => Array.from({ length: count }, (_none, i) => kinds[(i * (shift + 1) + shift) % 4] as Kind)),
);

const fails = (): never => {
  throw Object.assign(new Error("boom"), { code: "boom" });
};

interface Seen {
  /** Which function was called with which event, the sink last. */
  readonly calls: (readonly [place: number, n: number])[];
  readonly out: number[];
}

/** What a row does, event by event, up to the call that fails. */
function expected(row: readonly Kind[], failsAt: readonly [number, number] | undefined): Seen {
  const models = row.map(({ model }) => model());
  const seen: Seen = { calls: [], out: [] };
  for (let n = 1; n <= EVENTS; n += 1) {
    let event: number | undefined = n;
    for (const [place, model] of models.entries()) {
      seen.calls.push([place, event]);
      if (failsAt && place === failsAt[0] && seen.calls.length === failsAt[1]) return seen;
      event = model(event);
      if (event === undefined) break;
    }
    if (event === undefined) continue;
    seen.calls.push([row.length, event]);
    if (failsAt && row.length === failsAt[0] && seen.calls.length === failsAt[1]) return seen;
    seen.out.push(event);
  }
  return seen;
}

/** Runs it. `odd` takes the place of one call: the one at a place, so many calls after the start. */
function started(row: readonly Kind[], sink: (typeof sinks)[number], odd?: { at: readonly [number, number]; fn: Fn }) {
  const seen: Seen = { calls: [], out: [] };
  const looking =
    (place: number): Fn =>
    (n) => {
      seen.calls.push([place, n]);
      return odd && place === odd.at[0] && seen.calls.length === odd.at[1] ? odd.fn(n) : undefined;
    };
  const look = looking(row.length);
  const take = (n: number): unknown => {
    const result = look(n);
    if (result === undefined) seen.out.push(n);
    return result;
  };
  const steps = row.map(({ step }, place) => step(looking(place)));
  const ends = {
    collect: [tap(take), collect()],
    reduce: [reduce((count: number, n: number) => (take(n) as number | undefined) ?? count + 1, 0)],
    forEach: [forEach((n: number) => void take(n))],
  };
  return { seen, running: build(numbers(), ...steps, ...ends[sink]) };
}

const titled = rows.map((row) => [row.map(({ name }) => name).join(" "), row] as const);

describe.each(sinks)("a row of calls in front of %s", (sink) => {
  test.each(titled)("8.1 takes an event through all of them before the next: %s", async (_title, row) => {
    const { seen, running } = started(row, sink);
    await running.done;
    expect(seen).toEqual(expected(row, undefined));
  });

  test.each(titled)("8.3 fails with the step, its place and its event, behind what came before: %s", async (_, row) => {
    const { calls } = expected(row, undefined);
    // The fifth call of each step.
    for (const place of row.keys()) {
      const at = calls.flatMap(([own], i) => (own === place ? [i + 1] : []))[4] as number;
      for (const [fn, code] of [
        [fails, "boom"],
        [async () => {}, "ERR_RESULT"],
      ] as const) {
        const { seen, running } = started(row, sink, { at: [place, at], fn });
        const thrown = await failureFrom(running.done);
        const model = expected(row, [place, at]);
        expect(seen).toEqual(model);
        const { step, index, event } = running.failure ?? {};
        expect([step, index, event]).toEqual([row[place]?.name, place, model.calls.at(-1)?.[1]]);
        expect(thrown).toMatchObject({ code });
      }
    }
  });
});

// oxlint-disable-next-line unicorn/no-thenable -- that is what it is about
const unreadable = (): unknown => Object.defineProperty({}, "then", { get: fails });

describe("a result whose then cannot be looked at", () => {
  test.each([0, 1, 2, 3, 4])("8.7 is a promise, since awaiting it would reject, behind %i steps", async (before) => {
    const same = Array.from({ length: before }, () => map((n: number) => n));
    const error = await failureFrom(build([1, 2], ...same, map(unreadable), collect()).done);
    expect(error).toMatchObject({ code: "ERR_RESULT", step: "map", index: before, event: 1 });
  });

  test("8.7 is a promise as a fold's", async () => {
    const error = await failureFrom(build([1, 2], reduce(unreadable as never, 0)).done);
    expect(error).toMatchObject({ code: "ERR_RESULT", step: "reduce", index: 0, event: 1 });
  });
});

test.each([0, 1, 2, 3])("what counts as true lets an event through, behind %i steps", async (before) => {
  const odd = [0, 1, "", "a", null, undefined, Number.NaN, [], {}, false, true];
  const same = Array.from({ length: before }, () => map((value: unknown) => value));
  expect(
    await build(
      odd,
      ...same,
      filter((value) => value as boolean),
      collect(),
    ),
  ).toEqual(odd.filter(Boolean));
});

test("8.3 what came before a failure goes on, however much room there was for more", async () => {
  const seen: number[] = [];
  const error = await failureFrom(
    build(
      build(
        range(1, 9),
        filter((n: number) => n % 2 === 0 || n === 1),
        map((n: number) => (n === 4 ? fails() : n)),
      ),
      forEach((n: number) => void seen.push(n)),
    ).done,
  );
  expect([seen, error]).toEqual([[1, 2], expect.objectContaining({ code: "boom" })]);
});

test("a batch of results is as long as there are results, less or more than there were events", async () => {
  const sizes: number[] = [];
  const counting = () => producerConsumer((events: readonly number[]) => (sizes.push(events.length), events));
  await build(
    range(1, 9),
    filter((n: number) => n > 7),
    counting(),
    flatMap((n: number) => [n, n, n, n]),
    counting(),
    collect(),
  );
  expect(sizes).toEqual([2, 8]);
});

test("skip and distinct keep their places in a row", async () => {
  const row = [skip(2), distinct((n: number) => n % 4, { max: 2 }), skip(1)];
  expect(await build(range(1, 8), ...row, collect())).toEqual([4, 5, 6, 7, 8]);
});

/** The frames of the stack, without what is the runner's. */
function frames(): readonly string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const lines = (new Error("here").stack as string).split("\n").slice(2);
  Error.stackTraceLimit = stackTraceLimit;
  return lines;
}

/** Where each of seven steps and a fold was called from, for one event. */
async function callers(): Promise<readonly (readonly string[])[]> {
  const stacks: (readonly string[])[] = [];
  const look = (): void => void stacks.push(frames().slice(2));
  const parts = [
    map((n: number) => (look(), n)),
    filter(() => (look(), true)),
    tap(() => look()),
    map((n: number) => (look(), n)),
    filter(() => (look(), true)),
  ];
  await build(
    [1],
    ...parts,
    reduce((sum: number) => (look(), sum), 0),
  );
  return stacks;
}

describe("the fast way", () => {
  test("calls every step of a row, and the fold, from one loop: no call for each step on the stack", async () => {
    const depths = (await callers()).map((stack) => stack.length);
    expect(depths).toHaveLength(6);
    expect(new Set(depths).size).toBe(1);
  });

  test("calls the first three steps, and the fold, each from a place of its own in the text", async () => {
    const [first, second, third, fourth, , fold] = (await callers()).map(([caller]) => caller);
    expect(new Set([first, second, third, fourth, fold]).size).toBe(5);
  });
});
