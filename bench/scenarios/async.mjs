import { add, scatter } from "./work.mjs";

const CONCURRENCY = 16;
const KEYS = 1000;
/** Keys that come in no order, so that events of one key meet. */
const key = (n) => scatter(n) % KEYS;
const expected = (events) => (events * (events + 1)) / 2;
function* prepare(events) {
  for (let n = 0; n < events; n += 1) yield n;
}
/** Real timers of 1 to 5 ms. */
const slow = (n) => new Promise((resolve) => setTimeout(resolve, 1 + ((scatter(n) >>> 8) % 5), n + 1));
const work = (handler) => ({ handler, concurrency: CONCURRENCY, key, add });

export const title = "a generator's numbers, an async function of each, 16 calls at a time, and the sum of the results";
export const cases = {
  "resolves at once": { work: work(async (n) => n + 1), prepare, expected, size: 200_000 },
  "1 to 5 ms": { work: work(slow), prepare, expected, size: 20_000, warm: 0 },
};
const theirs = ["p-map", "p-queue", "fastq", "fastq, callbacks", "rxjs 7, unbounded", "node map", "effect, ordered"];
const compare = (group, metrics) => [
  { case: group, ours: "headrace", theirs, least: 1, metrics },
  { case: group, ours: "headrace, ordered: false", theirs: [...theirs, "effect, unordered"], least: 1, metrics },
  { case: group, ours: "headrace, 1000 keys", theirs, least: 0.8, metrics },
];
export const targets = [...compare("resolves at once"), ...compare("1 to 5 ms", ["wall"])];
