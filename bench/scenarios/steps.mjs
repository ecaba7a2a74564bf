import { linesFile, longLines } from "../fixtures.mjs";
import { add, sumTo } from "./work.mjs";

const SUBSCRIBERS = 1000;
/** Lines of one file, whose chunks have this size; what is counted are the bytes of its lines and of their ends. */
const lines = (highWaterMark) => ({
  work: { file: linesFile.path, highWaterMark },
  prepare: linesFile.make,
  size: linesFile.bytes,
  expected: (bytes) => bytes,
  warm: 0,
  unit: "B",
});
const through = { work: { add }, size: 2_000_000, expected: sumTo };

export const title = "lines of a file, and steps that have no rival elsewhere";
export const cases = {
  "lines, 64 KB chunks": lines(2 ** 16),
  "lines, 256 KB chunks": lines(2 ** 18),
  "a long line": { work: longLines, size: longLines.bytes, expected: longLines.expected, warm: 5, unit: "B" },
  "each alone": through,
  branches: { ...through, work: { add, key: (n) => n % 4, inc: (n) => n + 1 }, expected: (n) => sumTo(n) + n },
  "a broadcast to 1000": {
    work: { subscribers: SUBSCRIBERS },
    size: 20_000,
    warm: 1,
    per: SUBSCRIBERS,
    expected: (events) => sumTo(events),
  },
};
export const columns = ["wall", "cpu", "rss"];

const reads = ["lines, 64 KB chunks", "lines, 256 KB chunks"].flatMap((group) =>
  ["headrace, fromReadable", "headrace, the stream itself"].flatMap((ours) => [
    { case: group, ours, theirs: "node:readline", least: 2 },
    { case: group, ours, theirs: "split2", least: 1.5 },
  ]),
);
const alone = ["batch of 100", "buffer of 1000, hold", "buffer of 1000, drop-oldest", "merge of 2"].map((row) => ({
  case: "each alone",
  ours: `headrace, ${row}`,
  metrics: ["wall"],
  most: 1e-7,
}));
export const targets = [
  ...reads,
  { case: "a long line", ours: "headrace, one line of 64 MB", theirs: "headrace, 64 lines of 1 MB", least: 1 / 1.3 },
  ...alone,
  { case: "branches", ours: "headrace, branches of consumers", theirs: "headrace, consumers by hand", least: 1 / 1.1 },
  {
    case: "branches",
    ours: "headrace, branches of steps",
    theirs: "headrace, stages by hand and steps",
    least: 1 / 1.1,
  },
  ...["headrace, one stalled with lag", "headrace, one stalled, all with lag"].map((ours) => ({
    case: "a broadcast to 1000",
    ours,
    theirs: "headrace, no lag",
    least: 0.8,
  })),
];
