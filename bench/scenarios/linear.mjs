import { doubledAndKept, numbers, objects } from "./work.mjs";

export const title = "a source, double, keep what 3 divides, sum: four steps";
export const cases = {
  numbers: { work: numbers, expected: doubledAndKept },
  objects: { work: objects, expected: doubledAndKept },
};

const compare = (group) => [
  { case: group, ours: "headrace, stages", theirs: "rxjs 7", least: 2 },
  { case: group, ours: "headrace, stages", theirs: "effect", least: 1.1 },
  { case: group, ours: "headrace, stages", theirs: "node transforms", least: 12 },
  { case: group, ours: "headrace, pipeline", theirs: "rxjs 7", least: 3, polluted: 2 },
  { case: group, ours: "headrace, pipeline", theirs: "effect", least: 1.5, polluted: 1.6 },
  { case: group, ours: "headrace, pipeline, compiled", theirs: "rxjs 7", least: 3, polluted: 4 },
  { case: group, ours: "headrace, pipeline, compiled", theirs: "effect", least: 1.5, polluted: 3 },
  { case: group, ours: "headrace, maxDemand 1", theirs: "async generators", least: 1.2 },
  { case: group, ours: "headrace, maxDemand 1", theirs: "node transforms", least: 0.7 },
];
export const targets = [...compare("numbers"), ...compare("objects")];
