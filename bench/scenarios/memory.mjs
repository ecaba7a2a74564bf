import { timed } from "../measure.mjs";
import { add, pause, sumTo } from "./work.mjs";

const EVENTS = 10_000_000;

/** Busy ten times as long as the source is with a thousand events (it takes 5 to 10 ns each), then lets others go on. */
function slow() {
  let seen = 0;
  return () => {
    seen += 1;
    if (seen % 1000 !== 0) return undefined;
    const end = performance.now() + 0.1;
    while (performance.now() < end);
    return pause();
  };
}

export const title = "ten million events into a consumer ten times as slow: the most memory held, above the start";
export const cases = { "ten million": { work: { add, slow } } };
export const columns = ["rss", "wall", "cpu"];
export const mostRuns = 1;
export const plot = "rss";
export const polluted = false;

export async function measure(run, { work }) {
  const before = process.memoryUsage.rss();
  const { result, wall, cpu } = await timed(() => run(EVENTS, work));
  if (result !== sumTo(EVENTS)) throw new Error(`expected ${sumTo(EVENTS)}, got ${result}`);
  const rss = process.resourceUsage().maxRSS * 1024 - before;
  return { rss, wall: wall / EVENTS, cpu: cpu / EVENTS };
}

export const targets = ["headrace, stages", "headrace, forEach"].map((row) => ({
  case: "ten million",
  ours: row,
  metrics: ["rss"],
  most: 30e6,
}));
