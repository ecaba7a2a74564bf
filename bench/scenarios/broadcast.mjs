import { add, slowly, sumTo } from "./work.mjs";

const expected = (events) => 4 * sumTo(events);

export const title = "four consumers, each gets every event";
export const cases = {
  "four consumers": { work: { add, slow: undefined }, expected },
  "one of four is slow": { work: { add, slow: slowly }, expected },
};
const bounded = ["node pipe", "effect"];
export const targets = Object.keys(cases).map((group) => ({
  case: group,
  ours: "headrace",
  theirs: bounded,
  least: 8,
}));
