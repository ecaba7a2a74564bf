import { doubledAndKept, numbers } from "./work.mjs";

function* generator(events) {
  for (let i = 0; i < events; i += 1) yield i;
}
async function* asyncGenerator(events) {
  for (let i = 0; i < events; i += 1) yield i;
}
const array = (events) => Array.from({ length: events }, (_, i) => i);

const of = (prepare, most) => ({ work: numbers, prepare, expected: doubledAndKept, most });

export const title =
  "an array, a generator, an async generator: double, keep what 3 divides, sum; and out, by for await";
export const cases = {
  array: of(array, 1e6),
  generator: of(generator),
  "async generator": of(asyncGenerator),
  "array, out by for await": of(array, 1e6),
};
export const targets = [
  { case: "array", ours: "headrace", theirs: "rxjs 7", least: 2 },
  { case: "array", ours: "headrace", theirs: "effect", least: 1.5 },
  { case: "generator", ours: "headrace", theirs: "rxjs 7", least: 1.5 },
  { case: "generator", ours: "headrace", theirs: "iterator helpers", least: 1.2 },
  { case: "async generator", ours: "headrace", theirs: "floor: for await", least: 0.6 },
];
