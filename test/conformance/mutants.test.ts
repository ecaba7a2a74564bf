import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Adapter, runConformance, type Verdict } from "../../src/conformance/index.ts";
import { sourcesOf } from "./foreign.ts";
import { intoQueue, type SinkFault, type ThroughFault, throughQueue } from "./queue-others.ts";
import { fromQueue, refusesQueue, type SourceFault } from "./queue-source.ts";

const sourceOf = (fault?: SourceFault): Adapter => ({
  name: "queue source",
  ...sourcesOf((tally, options) => fromQueue(tally, options, fault).producer),
  refuses: (foreign) => refusesQueue(foreign, fault),
  patience: 100,
});
const sinkOf = (fault?: SinkFault): Adapter => ({
  name: "queue sink",
  sink: (probe, options) => intoQueue(probe, options, fault),
  patience: 100,
});
const throughOf = (fault?: ThroughFault): Adapter => ({
  name: "queue transform",
  through: (probe, options) => throughQueue(probe, options, fault),
  patience: 100,
});

const sourceMutants: readonly [SourceFault, rule: string][] = [
  ["loses the last event", "RS-1.2"],
  ["swaps two events", "4.7a"],
  ["doubles an event", "4.7a"],
  ["forgets the end", "RS-1.2"],
  ["ends before the last event", "RS-1.2"],
  ["ends only on the next ask", "7.2a"],
  ["forgets the release", "7.3b"],
  ["releases twice", "7.3b"],
  ["swallows the error", "7.2b"],
  ["wraps the error", "7.2b"],
  ["takes falsy errors for success", "RS-1.4e"],
  ["lets the failure overtake", "7.2c"],
  ["delivers one too many", "RS-1.1a"],
  ["delivers after a cancel", "RS-3.6"],
  ["ignores demand", "7.1b"],
  ["reads ahead", "7.1a"],
  ["leaks on abort", "5.4c"],
  ["ignores the signal", "5.4b"],
  ["resolves done early", "5.9a"],
  ["stops before the release", "5.4d"],
  ["forgets asks of the same stretch", "3.4a"],
  ["ignores an ask inside an event", "RS-3.2"],
  ["takes Infinity for nothing", "RS-3.17a"],
  ["throws from a second cancel", "RS-3.7"],
  ["loses what is given back", "5.6a"],
  ["takes one more than it delivers", "5.6d"],
  ["forgets what it has not pushed when it is left", "5.6f"],
  ["takes wrong asks", "3.2a"],
  ["lets a failed release go unhandled", "7.3c"],
  ["lets a failed release go unhandled, too", "7.3c"],
  ["swallows a failed release", "7.3c"],
  ["takes unknown options", "1.1a"],
  ["takes anything for a source", "1.3a"],
  ["waits inside a callback", "7.1c"],
];

const sinkMutants: readonly [SinkFault, rule: string][] = [
  ["loses the last event", "4.7b"],
  ["swaps two events", "4.7b"],
  ["doubles an event", "4.7b"],
  ["forgets the end", "7.2e"],
  ["ends twice", "7.2e"],
  ["ends before the last event", "4.7b"],
  ["does not wait for events", "RS-2.1a"],
  ["takes events into a list of its own", "RS-2.1a"],
  ["does not wait for the end", "7.2d"],
  ["swallows the failure of its source", "7.2f"],
  ["wraps the failure of its source", "7.2f"],
  ["swallows the failure of the foreign sink", "7.3d"],
  ["wraps the failure of the foreign sink", "7.3d"],
  ["swallows the failure of the end", "7.2g"],
  ["leaks on abort", "5.4f"],
  ["leaves the foreign sink open at a stop", "5.4e"],
  ["keeps the rest of a batch when the foreign sink fails", "5.6e"],
  ["never confirms the end of its source", "5.9b"],
  ["confirms the end of its source too early", "5.9b"],
  ["takes unknown options", "1.1b"],
];

const throughMutants: readonly [ThroughFault, rule: string][] = [
  ["loses the last event", "RS-4.1/3.7a"],
  ["doubles an event", "RS-4.1/4.7a"],
  ["swaps two events", "RS-4.1/4.7a"],
  ["forgets the flush", "7.2h"],
  ["swallows the failure of the transform", "7.2k"],
  ["wraps the failure of the transform", "7.2k"],
  ["keeps its source after an early end", "7.3e"],
  ["ignores an early end", "7.3e"],
  ["swallows the failure of its source", "RS-4.2a"],
  ["takes all it can get", "3.11a"],
  ["keeps its source without consumers", "5.10a"],
  ["takes unknown options", "1.1c"],
];

const of = (verdicts: readonly Verdict[], outcome: Verdict["outcome"]): string[] =>
  verdicts.filter((verdict) => verdict.outcome === outcome).map(({ rule }) => rule);

// Mutants leave rejections behind, which is what they are for.
const others = process.listeners("unhandledRejection");
const ignore = (): void => {};
beforeAll(() => {
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", ignore);
});
afterAll(() => {
  process.removeListener("unhandledRejection", ignore);
  for (const listener of others) process.on("unhandledRejection", listener);
});

describe("what is right", () => {
  test.each([
    ["source", sourceOf()],
    ["sink", sinkOf()],
    ["sink that throws", sinkOf("throws what the foreign sink fails with")],
    ["transform", throughOf()],
  ])("a %s passes every rule that applies", async (_, adapter) => {
    const verdicts = await runConformance(adapter);
    expect(verdicts.filter(({ outcome }) => outcome === "fail")).toEqual([]);
    expect(of(verdicts, "pass").length).toBeGreaterThan(14);
  });
});

describe("a source that", () => {
  test.each(sourceMutants)("%s fails %s", async (fault, rule) => {
    expect(of(await runConformance(sourceOf(fault)), "fail")).toContain(rule);
  });
});

describe("a sink that", () => {
  test.each(sinkMutants)("%s fails %s", async (fault, rule) => {
    expect(of(await runConformance(sinkOf(fault)), "fail")).toContain(rule);
  });
});

// What small batches do not show.
test.each([
  ["sink", sinkOf("keeps the rest of a batch when the foreign sink fails"), "5.6e"],
  ["source", sourceOf("forgets what it has not pushed when it is left"), "5.6f"],
])("F-41 only a large demand notices a %s that loses the rest of a batch", async (_, adapter, rule) => {
  expect(of(await runConformance(adapter), "fail")).toEqual([rule]);
});

test("F-14 only its last word shows a sink that never confirms the end of its source", async () => {
  expect(of(await runConformance(sinkOf("never confirms the end of its source")), "fail")).toEqual(["5.9b"]);
});

describe("a transform that", () => {
  test.each(throughMutants)("%s fails %s", async (fault, rule) => {
    expect(of(await runConformance(throughOf(fault)), "fail")).toContain(rule);
  });
});
