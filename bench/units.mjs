// What each metric is, and how it is written. All but `rate` and `share` are better the lower they are.

const scaled = (steps) => (value, unit) => {
  const [factor, prefix] = steps.find(([from]) => Math.abs(value) >= from) ?? steps.at(-1);
  const shown = value / factor;
  return `${shown.toFixed(shown >= 100 ? 0 : shown >= 10 ? 1 : 2)} ${prefix}${unit}`;
};
const large = scaled([
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
]);
const small = scaled([
  [1, ""],
  [1e-3, "m"],
  [1e-6, "µ"],
  [1e-9, "n"],
]);

const own = (metric) => ({ ...metric, plotted: metric.show });
const time = (head, axis) => own({ head, axis, show: (seconds) => small(seconds, "s") });
const bytes = (head) => own({ head, show: (n) => large(n, "B") });
const inverse = (seconds, unit = "") => `${large(1 / seconds, unit)}/s`;

export const metrics = {
  wall: { head: "throughput", show: inverse, plotted: inverse, inverse: true },
  cpu: { head: "CPU each", show: (seconds) => small(seconds, "s"), plotted: inverse },
  rss: bytes("most memory"),
  brotli: bytes("brotli"),
  minified: bytes("minified"),
  imported: time("imported"),
  importCpu: time("CPU time"),
  first: time("first result", "time to the first result"),
  firstCpu: time("CPU time"),
  timer50: time("timer p50"),
  timer99: time("p99", "lateness of the timer, 99th percentile"),
  timerMax: time("max"),
  http50: time("HTTP p50"),
  http99: time("p99"),
  httpMax: time("max"),
  rate: { head: "events", show: (n) => `${large(n, "")}/s` },
  share: { head: "of the first", show: (share) => `${(100 * share).toFixed(0)} %` },
};

/** How far the middle half of the runs is from the median. */
export const spread = ({ median, low, high }) => `±${((50 * (high - low)) / median).toFixed(0)} %`;
