import { add, sumTo } from "./work.mjs";

const STAGES = 20;
const work = (stages) => ({ stages, inc: (n) => n + 1, add });
const expected = (events, { stages }) => sumTo(events) + events * (stages - 2);

export const title = "a source, 18 times plus one, sum: twenty stages; and four, to compare";
export const cases = {
  "20 stages": { work: work(STAGES), expected },
  "4 stages": { work: work(4), expected },
};
/** Per event and stage: the cost of twenty against that of four. */
const perStage = (row) => ({
  case: "20 stages",
  ours: row,
  theirs: row,
  theirCase: "4 stages",
  times: STAGES / 4,
  least: 1 / 1.3,
  what: "per stage, of 4 stages",
});
export const targets = [
  {
    case: "20 stages",
    ours: "headrace, stages",
    theirs: ["effect", "ix, async", "node transforms", "streamx", "web streams", "async generators"],
    least: 3,
  },
  perStage("headrace, stages"),
  perStage("headrace, pipeline"),
];
