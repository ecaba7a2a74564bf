import { expect, test } from "vitest";
import type { Inspection } from "../../../src/index.ts";
import { explain } from "../../../src/stage/explain.ts";
import { Watch } from "../../../src/stage/stall.ts";

type Stage = Inspection["stages"][number];
type Link = Inspection["links"][number];

const stage: Stage = {
  id: 0,
  name: "held",
  kind: "producerConsumer",
  state: "running",
  messages: 0,
  input: 1,
  calls: 3,
  waited: 0,
  dropped: 1,
  received: 2,
  emitted: 2,
  buffered: 0,
  queued: 0,
  waiting: [],
};
const link: Link = {
  producer: 0,
  consumer: 1,
  consumerName: "sink",
  state: "active",
  demand: 0,
  pending: 0,
  maxDemand: 1,
  minDemand: 0,
};

/** How often a watch with a patience of 10 tells of these looks, taken every 10 milliseconds. */
function told(looks: readonly Partial<Stage>[], links: readonly Link[] = []): number {
  let count = 0;
  let at = 0;
  const watch = new Watch(
    () => ({ time: at * 10, stages: [{ ...stage, ...looks[at] }], links }),
    10,
    () => (count += 1),
  );
  for (; at < looks.length; at += 1) expect(watch.again()).toBe(true);
  return count;
}
const two = (a: keyof Stage, b: keyof Stage): Partial<Stage>[] => [1, 2, 3, 4].map((n) => ({ [a]: n, [b]: n }));
const still = (look: Partial<Stage>): Partial<Stage>[] => [look, look, look];

test("onStall tells of events that are held in any place, and do not move", () => {
  const none = { input: 0, buffered: 0, queued: 0 };
  expect(told(still({ ...none, input: 1 }))).toBe(1);
  expect(told(still({ ...none, buffered: 1 }))).toBe(1);
  expect(told(still({ ...none, queued: 1 }))).toBe(1);
  expect(told(still({ ...none, input: 1, queued: 1 }))).toBe(1);
  expect(told(still(none))).toBe(0);
});

test.each<readonly [string, Partial<Stage>]>([
  ["a callback is pending", { busy: "handleEvents" }],
  ["it has calls of its own under way", { working: true }],
  ["messages wait for their turns", { messages: 1 }],
  ["it owes events to its demand", { waiting: [{ for: "push", on: "handleDemand", since: 0 }] }],
])("onStall is not told of a stage that holds events while %s", (_what, look) => {
  expect(told(still(look))).toBe(0);
});

test("onStall is told of a stage that holds events and waits for a consumer to ask", () => {
  expect(told(still({ waiting: [{ for: "demand", on: "sink", since: 0 }] }))).toBe(1);
});

test.each<keyof Stage>(["calls", "emitted", "received", "dropped"])("onStall counts %s as movement", (counter) => {
  const steps = [1, 2, 3, 4].map((n) => ({ [counter]: n }));
  expect(told(steps)).toBe(0);
  // What grows together does not cancel out.
  expect(told(steps.map((step) => ({ dropped: step[counter] ?? 0, calls: 9, ...step })))).toBe(0);
});

test("onStall counts what grows in two counters at once as movement", () => {
  for (const other of ["emitted", "received", "dropped"] as const) expect(told(two("calls", other))).toBe(0);
  expect(told(two("received", "dropped"))).toBe(0);
});

test("onStall leaves a loop that does not ask alone, but not one that has asked, nor a stage", () => {
  const loop = { ...link, consumer: undefined };
  expect(told(still({}), [loop])).toBe(0);
  expect(told(still({}), [{ ...loop, demand: 1 }])).toBe(1);
  expect(told(still({}), [link])).toBe(1);
  expect(told(still({}), [link, loop])).toBe(0);
});

test("explain() has a sentence for each thing that a stage waits for", () => {
  const waiting: Stage["waiting"] = [
    { for: "callback", on: "handleEnd", since: 100 },
    { for: "events", on: "source", since: 200 },
    { for: "demand", on: "sink", since: 300 },
    { for: "push", on: "demandMode", since: 400 },
  ];
  expect(explain({ time: 1000, stages: [{ ...stage, input: 0, waiting }], links: [] }).split("\n")).toEqual([
    "held has been in handleEnd for 900 ms",
    "held has been waiting for events of source for 800 ms",
    "sink has not asked held for 700 ms",
    "held has not given what demandMode was asked for for 600 ms",
  ]);
});
