import { add, scatter, sumTo } from "./work.mjs";

const KEYS = 1000;
const TABLE = 2 ** 16;

/** Keys of a table, so that finding one costs next to nothing. */
const keyed = (pick) => {
  const keys = Uint16Array.from({ length: TABLE }, (_, i) => pick((scatter(i) % TABLE) / TABLE));
  return (n) => keys[n % TABLE];
};
/** The k-th key is k times rarer than the first. */
const zipf = () => {
  const weights = Array.from({ length: KEYS }, (_, key) => 1 / (key + 1));
  const total = weights.reduce(add, 0);
  let sum = 0;
  const upTo = weights.map((weight) => (sum += weight) / total);
  return (share) => Math.min(KEYS - 1, upTo.findIndex((bound) => share < bound) >>> 0);
};
/** Libraries that open a group for each key get one of four keys, so that all share events out among four. */
const work = (key) => ({ key, group: (n) => key(n) % 4, add });

export const title = "the events of 1000 keys, shared out among four consumers by key";
export const cases = {
  uniform: { work: work(keyed((share) => Math.floor(share * KEYS))), expected: sumTo },
  zipf: { work: work(keyed(zipf())), expected: sumTo },
};
const compare = (group) => [
  { case: group, ours: "headrace", theirs: ["effect groupByKey", "node writes"], least: 4 },
  { case: group, ours: "headrace", theirs: "rxjs 7, unbounded", least: 2 },
];
export const targets = [...compare("uniform"), ...compare("zipf")];
