/*
 * Every callback of a graph fails once, by a throw and by a rejection: the graph always ends, the error arrives where it
 * should and nowhere else, and nothing is left behind.
 */
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { CallbackError, type Stage } from "../../src/index.ts";
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

async function run(build: Build, seed: number | undefined, at?: number, how?: How): Promise<Run> {
  const faults = new Faults((_call, n) => n === at, how);
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
  const watch = (name: string, done: Promise<unknown>): void => {
    outcomes[name] = "pending";
    const well = (): void => void (outcomes[name] = "well");
    done.then(well, (error: unknown) => {
      errors.add(error);
      outcomes[name] = told(error, faults);
    });
  };
  for (const stage of graph.stages) watch(stage.name, stage.done);
  if (graph.result) watch("result", graph.result);
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

/** How a stage failed: with the error itself, or with a CallbackError that names the place where it was thrown. */
function told(error: unknown, { error: injected, calls }: Faults): unknown {
  if (error === injected) return "the error";
  if (!(error instanceof CallbackError) || error.code !== "ERR_CALLBACK" || error.cause !== injected) return error;
  return calls.map(placeOf).find((place) => error.message.includes(`${place} `)) ?? error.message;
}

/** What a CallbackError calls the place. */
function placeOf({ stage, callback, peer }: Call): string {
  if (callback === "by" || callback === "hash") return "by or hash";
  return `${callback} of ${callback === "selector" ? peer : stage}`;
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
  const as = ["step", "next", "read", "reduce"].includes(callback) ? "the error" : placeOf(call);
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

  test.each(["throw", "reject"] as const)("F-2 ends as it should when any one call fails: %s", async (how) => {
    const actual: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const seed of seeds) {
      const clean = await run(build, seed);
      const { calls } = clean.faults;
      for (const [at, call] of calls.entries()) {
        if (!Faults.can(call, how)) continue;
        const failed = await run(build, seed, at + 1, how);
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
