import { add, sumTo } from "./work.mjs";

export const title = "four sources into one consumer";
export const cases = {
  "four sources": { work: { add }, expected: (events) => 4 * sumTo(Math.ceil(events / 4)) },
};
export const targets = [
  {
    case: "four sources",
    ours: "headrace",
    theirs: ["effect", "ix, async", "node pipe", "async generators"],
    least: 3,
  },
];
