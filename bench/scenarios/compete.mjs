import { add, sumTo } from "./work.mjs";

export const title = "four consumers share one source, each event goes to one of them";
export const cases = { "four consumers": { work: { add }, expected: sumTo } };
export const targets = [
  {
    case: "four consumers",
    ours: "headrace",
    theirs: ["async iterator, shared", "effect queue", "web reader, shared", "p-queue", "fastq"],
    least: 12,
  },
];
