/*
 * Every callback of a graph fails once, by a throw and by a rejection: the graph always ends, the error arrives where it
 * should and nowhere else, and nothing is left behind.
 */
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { CallbackError, type Failure, failureOf, type Stage } from "../../src/index.ts";
import { testRuntime, turns } from "../support/runtime.ts";
import { type Call, describeCall, Faults, type How } from "./faults.ts";
import { type Build, type Graph, graphs, isSubscriber } from "./graphs.ts";

/** More turns than the longest graph needs. */
const LIMIT = 60;

interface Ending {
  /** By name: "well", or how it failed. */
  readonly outcomes: Readonly<Record<string, unknown>>;
  readonly reports: readonly string[];
  readonly sources: readonly string[];
  /** How often each stage was told of its end. */
  readonly terminated: Readonly<Record<string, number>>;
  /** Distinct errors that the promises were rejected with. */
  readonly errors: number;
  readonly listeners: number;
  readonly timers: number;
}

interface Run {
  readonly faults: Faults;
  readonly graph: Graph;
  readonly ending: Ending;
}

async function run(build: Build, seed: number | undefined, at?: number, how?: How, thrown?: unknown): Promise<Run> {
  const faults = new Faults((_call, n) => n === at, how, thrown);
  const runtime = testRuntime(seed === undefined ? {} : { seed });
  const { signal } = new AbortController();
  const reports: string[] = [];
  const graph = build(faults, {
    runtime,
    signal,
    onReport: (error, { stage, phase }) =>
      void reports.push(`${phase} of ${stage}: ${error === faults.error ? "the error" : String(error)}`),
  });
  const outcomes: Record<string, unknown> = {};
  const errors = new Set<unknown>();
  const watch = (name: string, done: Promise<unknown>, failureFor: (reason: unknown) => Failure | undefined): void => {
    outcomes[name] = "pending";
    const well = (): void => void (outcomes[name] = "well");
    done.then(well, (reason: unknown) => {
      errors.add(reason);
      outcomes[name] = told(reason, failureFor(reason), faults);
    });
  };
  for (const stage of graph.stages) watch(stage.name, stage.done, () => stage.failure);
  if (graph.result) watch("result", graph.result, failureOf);
  for (let turn = 0; turn < LIMIT && Object.values(outcomes).includes("pending"); turn += 1) {
    await turns(1);
    tend(graph);
  }
  await turns();
  const terminated: Record<string, number> = {};
  for (const { stage, callback } of faults.calls)
    if (callback === "terminate") terminated[stage] = (terminated[stage] ?? 0) + 1;
  return {
    faults,
    graph,
    ending: {
      outcomes,
      reports,
      sources: faults.sources.map((source) => source()),
      terminated,
      errors: errors.size,
      listeners: getEventListeners(signal, "abort").length,
      timers: runtime.clock.pending,
    },
  };
}

const over = (stage: Stage): boolean => ["completed", "stopped", "failed"].includes(stage.state);

/**
 * What the owner of a graph has to see to: a stage whose only subscription was refused waits for another one, and a
 * partition without a consumer does too.
 */
function tend({ stages, partitioned }: Graph): void {
  for (const stage of stages)
    if (isSubscriber(stage) && stage.state === "running" && stage.subscriptions.length === 0) void stage.stop();
  if (partitioned && !over(partitioned.producer) && partitioned.consumers.some(over)) void partitioned.producer.stop();
}

/** How a stage failed: with which value, and where that was thrown as its record says. */
function told(error: unknown, failure: Failure | undefined, { error: injected }: Faults): unknown {
  const wrapped = error instanceof CallbackError && error.code === "ERR_CALLBACK" && error.cause === injected;
  if (error !== injected && !wrapped) return error;
  const where = failure?.error === error ? `${failure?.callback} of ${failure?.stage}` : "no record";
  return `${wrapped ? "wrapped" : "the error"}, ${where}`;
}

/** What the foreign side of a source fails with is not wrapped, and it is its stage that is failed with it. */
const FOREIGN: ReadonlySet<string> = new Set(["step", "next", "read"]);

/** What a stage that fails because of a call is told of it. */
function expectedFailure({ stage, callback, peer }: Call, error: unknown): string {
  // Not the package's, and so without a record.
  if (callback === "reduce") return "the error, no record";
  const primitive = Object(error) !== error;
  // A selector is the subscriber's.
  const where = `${callback} of ${callback === "selector" ? peer : stage}`;
  if (!FOREIGN.has(callback)) return `${primitive ? "wrapped" : "the error"}, ${where}`;
  return `the error, ${primitive ? "no record" : `fail of ${stage}`}`;
}

/** A stage and all that depend on it. */
function withConsumers(graph: Graph, name: string): Set<string> {
  const all = new Set([name]);
  for (const producer of all) for (const consumer of graph.consumers[producer] ?? []) all.add(consumer);
  return all;
}

const REPORTED = new Map([
  ["terminate", "terminate"],
  ["onDiscard", "onDiscard"],
  ["close", "terminate"],
  ["return", "terminate"],
  ["destroy", "terminate"],
]);

/** What has to come of a call that failed. */
function expectedEnding({ faults, graph }: Run, call: Call, clean: Ending): Ending {
  const { stage, callback, peer = "", part } = call;
  const consumer = peer === "toObservable" ? "result" : peer;
  let reports: string[] = [];
  let failing = new Set<string>();
  const as = expectedFailure(call, faults.error);
  const phase = REPORTED.get(callback);
  if (phase !== undefined) reports = [`${phase} of ${stage}: the error`];
  else if (callback === "handleSubscribe" && part === "consumer") reports = [`handleSubscribe of ${stage}: the error`];
  else if (callback === "handleSubscribe" || callback === "selector") failing = withConsumers(graph, consumer);
  else {
    failing = withConsumers(graph, stage);
    // Whoever has left is not concerned.
    if (callback === "handleCancel" && part === "producer") failing.delete(consumer);
  }
  const { leaves } = graph;
  const left = faults.calls.find((c) => c.stage === leaves && c.callback === "terminate")?.reason?.type === "stop";
  if (leaves !== undefined && left) failing.delete(leaves);
  const outcomes = Object.fromEntries(
    Object.keys(clean.outcomes).map((name) => [name, failing.has(name) ? as : "well"]),
  );
  return { ...clean, outcomes, reports, errors: failing.size > 0 ? 1 : 0 };
}

const seeds = [undefined, 1, 2];

describe.each(Object.entries(graphs))("%s", (_name, build) => {
  test("F-1 ends well when nothing fails", async () => {
    for (const seed of seeds) {
      const { faults, graph, ending } = await run(build, seed);
      expect(graph.check()).toEqual(graph.expected);
      const names = [...graph.stages.map(({ name }) => name), ...(graph.result ? ["result"] : [])];
      const stages = new Set(faults.calls.filter(({ callback }) => callback === "init").map(({ stage }) => stage));
      expect(ending).toEqual({
        outcomes: Object.fromEntries(names.map((name) => [name, "well"])),
        reports: [],
        sources: faults.sources.map(() => "released"),
        terminated: Object.fromEntries([...stages].map((name) => [name, 1])),
        errors: 0,
        listeners: 0,
        timers: 0,
      });
    }
  });

  test.each([
    ["throw", "an error"],
    ["reject", "an error"],
    ["throw", "a primitive"],
    ["reject", "a primitive"],
  ] as const)("F-2 ends as it should when any one call fails: %s %s", async (how, what) => {
    const actual: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const seed of seeds) {
      const clean = await run(build, seed);
      const { calls } = clean.faults;
      for (const [at, call] of calls.entries()) {
        if (!Faults.can(call, how)) continue;
        const failed = await run(build, seed, at + 1, how, what === "a primitive" ? what : new Error("injected"));
        const { ending, faults } = failed;
        const title = `seed ${seed}, call ${at + 1}: ${describeCall(call)}`;
        // A source that nobody asked is not opened.
        const sources = ending.sources.map((source) => (source === "untouched" ? "released" : source));
        actual[title] = { call: faults.calls[at], ...ending, sources };
        expected[title] = { call, ...expectedEnding(failed, call, clean.ending) };
      }
    }
    expect(actual).toEqual(expected);
  });
});
