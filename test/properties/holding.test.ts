import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  batch,
  boundary,
  buffer,
  collect,
  decodeText,
  type Discarded,
  distinct,
  failureOf,
  flatMapAsync,
  forEach,
  idle,
  intoGroups,
  jsonLines,
  latest,
  lines,
  map,
  mapAsync,
  partitionBy,
  type Pipeline,
  pipeline,
  type Producer,
  type ProducerContext,
  producer,
  rateLimit,
  take,
  takeUntil,
} from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";

/** The cells of a table's rows, below its head. */
function rowsOf(file: string, head: string): string[][] {
  const text = readFileSync(`docs/${file}.md`, "utf8");
  const from = text.indexOf(head);
  expect(from).toBeGreaterThanOrEqual(0);
  const all = text.slice(from, text.indexOf("\n\n", from)).split("\n").slice(2);
  return all.map((row) =>
    row
      .slice(1, -1)
      .replaceAll("\\|", "¦")
      .split("|")
      .map((cell) => cell.trim()),
  );
}
/** The names in a first cell, without their arguments. */
const namesIn = (cell = ""): string[] => [...cell.matchAll(/`(\w+)[^`]*`/g)].map(([, name]) => name as string);

const safety = rowsOf("safety", "| step | holds at most |");
const composition = rowsOf("composition", "| step | passes on | ends |").flatMap(([cell]) => namesIn(cell));

/** Of every link that names none of its own. */
const W = 3;
const COUNT = 400;
const KEYS = 5;

interface Case {
  /** In the table of safety.md. */
  readonly row: string;
  readonly title?: string;
  readonly steps: (work: Work) => readonly unknown[];
  /** What that says, the windows in front of the step and behind it included. **Units** events. */
  readonly most: number;
  /** The steps end in a sink of their own. */
  readonly ends?: true;
  readonly text?: true;
  readonly drops?: true;
}
/** The user's function, or sink: it takes its time. */
type Work = (n: number) => Promise<number>;

const byKey = (n: number): number => n % KEYS;
const group = (work: Work) => (events: Producer<number>) => pipeline.with({ maxDemand: 2 })(events, forEach(work));
const number = map((line: unknown) => Number(line));
const pass = async (n: number): Promise<number> => n;
const cases: readonly Case[] = [
  { row: "mapAsync", steps: () => [mapAsync(pass, { concurrency: 2, maxHeld: 3 })], most: 5 },
  {
    row: "mapAsync",
    title: "key",
    steps: () => [mapAsync(pass, { concurrency: 2, maxHeld: 3, key: byKey, maxQueued: 4 })],
    most: 9,
  },
  { row: "forEach", steps: (work) => [forEach(work, { concurrency: 3 })], most: 6, ends: true },
  {
    row: "forEach",
    title: "key",
    steps: (work) => [forEach(work, { key: byKey, concurrency: 3, maxQueued: 4 })],
    most: 7,
    ends: true,
  },
  // One begun for each slot, what waits in front of the consumer, and one more for each.
  { row: "flatMapAsync", steps: () => [flatMapAsync(async (n: number) => [n], { concurrency: 2 })], most: 2 + W + 2 },
  { row: "batch", steps: () => [batch<number>({ size: 4 })], most: 7 + 2 * 4 },
  {
    row: "batch",
    title: "by",
    steps: () => [batch<number>({ size: 4, by: byKey, maxOpen: 2 })],
    most: 10 + 2 * 4,
  },
  { row: "buffer", steps: () => [buffer<number>({ size: 5, overflow: "hold" })], most: 5 + W },
  {
    row: "buffer",
    title: "drop-oldest",
    steps: () => [buffer<number>({ size: 5, overflow: "drop-oldest" })],
    most: 5 + W + 5,
  },
  {
    row: "buffer",
    title: "drop-newest",
    steps: () => [buffer<number>({ size: 5, overflow: "drop-newest" })],
    most: 5 + W + 5,
  },
  { row: "latest", steps: () => [latest<number>()], most: 2, drops: true },
  { row: "rateLimit", steps: () => [rateLimit<number>({ events: 100, interval: 1 })], most: 2 },
  {
    row: "rateLimit",
    title: "key",
    steps: () => [rateLimit<number>({ events: 1, interval: 1, key: byKey, maxQueued: 4 })],
    most: 5,
  },
  { row: "idle", steps: () => [idle<number>({ after: 1e6 })], most: W },
  { row: "takeUntil", steps: () => [takeUntil<number>(new AbortController().signal)], most: W },
  { row: "boundary", steps: () => [boundary<number>({ maxDemand: 4 })], most: 4 + W },
  {
    row: "intoGroups",
    steps: (work) => [intoGroups(byKey, group(work), { maxQueued: 4 })],
    most: 4 + 2 * KEYS,
    ends: true,
  },
  { row: "distinct", steps: () => [distinct((n: number) => n, { max: 5 })], most: W },
  { row: "lines", steps: () => [lines(), number], most: 2 * W, text: true },
  { row: "jsonLines", steps: () => [jsonLines<number>(), number], most: 2 * W, text: true },
  { row: "decodeText", steps: () => [decodeText(), number], most: 2 * W, text: true },
  { row: "map", steps: () => [map((n: number) => n)], most: W },
  { row: "take", steps: () => [take<number>(1000)], most: W },
  {
    row: "partitionBy",
    steps: (work) => [partitionBy(byKey, { partitions: 2, maxQueued: 4 }, group(work))],
    most: 2 * 4 + 2 * 2 + W,
    ends: true,
  },
];

const numberOf = (event: unknown): number => Number(String(event).trim());

/** A graph with a step in front of a sink that is let go on by hand. */
function graphOf({ steps, ends, text, drops }: Case, oneByOne: boolean) {
  const runtime = testRuntime();
  const [handled, told, back]: [number[], number[], number[]] = [[], [], []];
  let [next, most, owed] = [0, 0, 0];
  /** Those that the sink behind the step had begun. */
  const begun = new Set<number>();
  const onDiscard = ({ events, stage }: Discarded): void => {
    const numbers = events.flat(1).map(numberOf);
    told.push(...numbers);
    if (!ends && stage.endsWith("forEach")) for (const n of numbers) begun.add(n);
  };
  const eventOf = (n: number): unknown => (text ? `${n}\n` : n);
  const count = (): void => {
    most = Math.max(most, next - handled.length - told.length);
  };
  const give = (wanted: number): unknown[] => {
    const events = range(next, Math.min(COUNT, next + wanted) - 1).map(eventOf);
    next += events.length;
    // What is dropped as it comes is not held.
    if (!drops) count();
    return events;
  };
  const pushOne = (stage: ProducerContext<unknown[]>): void => {
    if (owed === 0 || next === COUNT) return;
    owed -= 1;
    stage.push(give(1) as never);
    queueMicrotask(() => pushOne(stage));
  };
  const handleDemand = (demand: number, stage: ProducerContext<unknown[]>): unknown[] => {
    if (!oneByOne) return give(demand);
    owed += demand;
    if (owed === demand) pushOne(stage);
    return [];
  };
  const source = producer<never>({ handleDemand: handleDemand as never }, { runtime, onDiscard });
  let waiting: (() => void)[] = [];
  let fails: Error | undefined;
  const work = async (n: number): Promise<number> => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
    if (fails) {
      const error = fails;
      fails = undefined;
      throw error;
    }
    handled.push(...[n].flat(1));
    return n;
  };
  const open = (): void => {
    for (const then of waiting.splice(0)) then();
  };
  const controller = new AbortController();
  const options = { runtime, onDiscard, onReport: () => {}, maxDemand: W, signal: controller.signal };
  const all = [...steps(work), ...(ends ? [] : [forEach(work)])];
  const running = (pipeline.with(options) as unknown as (...parts: readonly unknown[]) => Pipeline<unknown>)(
    source,
    ...all,
  );
  running.done.catch(() => {});
  /** Lets the sink, and the clock, go on. */
  const goOn = async (rounds: number): Promise<void> => {
    for (let i = 0; i < rounds; i += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one behind the other
      await turns(3);
      count();
      open();
      runtime.clock.advance(1);
    }
    await turns(3);
  };
  const rest = async (): Promise<number[]> => {
    const left = pipeline(source, take(COUNT), collect());
    void left.then((events) => void back.push(...(events as readonly unknown[]).map(numberOf)));
    await turns(4);
    await left.stop();
    return back;
  };
  const fail = (error: Error): void => {
    fails = error;
  };
  return { running, handled, told, begun, goOn, rest, fail, controller, taken: () => next, most: () => most };
}

const title = (one: Case): string => `${one.row}${one.title ? ` (${one.title})` : ""}`;
const titled = cases.map((one) => [title(one), one] as const);
const cellsOf = (name: string): readonly string[] => safety.find(([cell]) => namesIn(cell).includes(name)) as string[];

describe("what steps hold", () => {
  test("8.8 every step of composition.md is in the table of safety.md, and in this test or held by another row", () => {
    const known = safety.flatMap(([cell]) => namesIn(cell));
    expect(composition.length).toBeGreaterThan(20);
    expect(composition.filter((name) => !known.includes(name))).toEqual([]);
    expect(["forEach", "intoGroups"].filter((name) => !known.includes(name))).toEqual([]);
    const tested = cases.map(({ row }) => row);
    const rows = safety.map(([cell]) => namesIn(cell));
    expect(rows.filter((names) => !names.some((name) => tested.includes(name)))).toEqual([]);
  });

  describe.each([
    ["whole batches", false],
    ["one event at a time", true],
  ] as const)("8.8 of a source of %s", (_source, oneByOne) => {
    test.each(titled)("8.8 %s: taken - done is never above what the table says", async (_title, one) => {
      const graph = graphOf(one, oneByOne);
      await turns(20);
      await graph.goOn(30);
      expect(graph.handled.length).toBeGreaterThan(0);
      expect(graph.most()).toBeLessThanOrEqual(one.most);
    });

    test.each(
      (["stop", "abort", "failure", "drain"] as const).flatMap((how) =>
        titled.map(([name, one]) => [how, name, one] as const),
      ),
    )("8.8 at %s %s: what is held goes where the table says", async (how, _title, one) => {
      const graph = graphOf(one, oneByOne);
      await graph.goOn(4);
      const [, , atStop = "", , atAbort = ""] = cellsOf(one.row);
      const bad = new Error("bad");
      const told = graph.told.length;
      let ended: Promise<unknown> | undefined;
      if (how === "stop") ended = graph.running.stop();
      else if (how === "drain") ended = graph.running.drain();
      else if (how === "abort") graph.controller.abort(bad);
      else graph.fail(bad);
      await graph.goOn(how === "failure" ? 3 : 40);
      await graph.goOn(40);
      await ended;
      const failed = how === "failure" ? ((failureOf(bad)?.events ?? []).flat(1) as readonly number[]) : [];
      // Those that a callback had in hand at an abort, it has handled.
      const lost = graph.told.slice(told).filter((n) => !graph.begun.has(n));
      const held = [...graph.handled, ...graph.told, ...failed.map(Number)];
      const back = (await graph.rest()).filter((n) => n < graph.taken());
      const all = [...held, ...back].toSorted((a, b) => a - b);
      expect([...new Set(all)]).toEqual(range(0, graph.taken() - 1).filter((n) => all.includes(n)));
      expect(new Set(all).size).toBe(graph.taken());
      const cell = how === "stop" ? atStop : atAbort;
      const allBack = how === "drain" || cell.startsWith("all goes back");
      expect(allBack ? lost : []).toEqual([]);
    });
  });
});
