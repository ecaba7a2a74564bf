import { add, sumTo } from "./work.mjs";

const one = { work: { add }, expected: sumTo };

export const title = "a synchronous Observable summed, as it is and through a producer";
export const cases = { "rxjs 7": one, "rxjs 9": one };
export const targets = Object.keys(cases).map((group) => ({
  case: group,
  ours: "headrace",
  theirs: "floor: the Observable itself",
  least: 0.6,
}));
