// Whether a busy pipeline leaves the event loop to others: an interval of 10 ms should fire at least 80 % of its ticks
// while a pipeline is saturated, and two pipelines that run at once should get 30 to 70 % of the events each.
// node bench/fairness.mjs [--json]; a case runs in a process of its own: node bench/fairness.mjs CASE ONE|TWO
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { consumer, fromIterable, producer, producerConsumer } from "../dist/src/index.js";

const SECONDS = 3;
const TICK = 10;

/** Starts a saturated pipeline that counts its events until `over` says so; answers when it has ended. */
const pipelines = {
  // The floor: nobody works, so that what is missing is the timer's own.
  idle: (over) =>
    new Promise((resolve) => {
      const timer = setInterval(() => {
        if (!over()) return;
        clearInterval(timer);
        resolve();
      }, 1);
    }),
  "synchronous handlers": (over, count) => {
    const sink = consumer((events) => count(events.length));
    sink.subscribe(doubled(over));
    return sink.done;
  },
  "async handlers": (over, count) => {
    const sink = consumer(async (events) => count(events.length));
    sink.subscribe(doubled(over));
    return sink.done;
  },
  "async handlers, one by one": (over, count) => {
    const sink = consumer(async (events) => count(events.length));
    sink.subscribe(doubled(over), { maxDemand: 1 });
    return sink.done;
  },
  "for await": async (over, count) => {
    for await (const n of doubled(over)) count(n >= 0 ? 1 : 0);
  },
  "an async generator": (over, count) => {
    const sink = consumer((events) => count(events.length));
    sink.subscribe(
      fromIterable(
        (async function* () {
          for (let n = 0; !over(); n += 1) yield n;
        })(),
      ),
    );
    return sink.done;
  },
};

/** Numbers without end, doubled in a stage of their own. */
function doubled(over) {
  const numbers = producer({
    handleDemand(demand, stage) {
      if (over()) {
        stage.complete();
        return undefined;
      }
      const out = new Array(demand);
      for (let i = 0; i < demand; i += 1) out[i] = i;
      return out;
    },
  });
  const stage = producerConsumer((events) => events.map((n) => n * 2));
  stage.subscribe(numbers);
  return stage;
}

/** Runs one pipeline, or two at once; answers what the timer and each of them got. */
async function measure(name, copies) {
  const events = new Array(copies).fill(0);
  let ticks = 0;
  let gap = 0;
  const start = performance.now();
  const end = start + SECONDS * 1000;
  const over = () => performance.now() >= end;
  let last = start;
  const noteGap = () => {
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
  };
  const timer = setInterval(() => {
    ticks += 1;
    noteGap();
  }, TICK);
  await Promise.all(
    events.map((_, i) =>
      pipelines[name](over, (n) => {
        events[i] += n;
      }),
    ),
  );
  clearInterval(timer);
  noteGap();
  const due = Math.floor((performance.now() - start) / TICK);
  return { ticks: ticks / due, longestGap: gap, events };
}

function run(name, copies) {
  const args = [fileURLToPath(import.meta.url), name, copies];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** What a case has to reach: a share of the ticks, and with two pipelines a share of the events. */
function judge(name, copies) {
  const { ticks, longestGap, events } = run(name, copies);
  const total = events.reduce((sum, n) => sum + n, 0);
  const share = copies === "TWO" ? events[0] / total : null;
  const ok = ticks >= 0.8 && (share === null || (share >= 0.3 && share <= 0.7));
  const eventsPerSecond = Math.round(total / SECONDS);
  return { scenario: "fairness", case: name, pipelines: events.length, ticks, longestGap, share, eventsPerSecond, ok };
}

const percent = (share) => `${(share * 100).toFixed(1).padStart(5)} %`;
const row = ({ case: name, pipelines: n, ticks, longestGap, share, eventsPerSecond, ok }) =>
  [
    `${n === 1 ? name : `two of ${name}`}`.padEnd(36),
    `${(eventsPerSecond / 1e6).toFixed(2).padStart(6)} M/s`,
    `  ticks ${percent(ticks)}`,
    `  longest gap ${longestGap.toFixed(0).padStart(4)} ms`,
    share === null ? " ".repeat(17) : `  first ${percent(share)} `,
    ok ? "  ok" : "  short",
  ].join("");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const [name, copies] = positionals;
if (name !== undefined) console.log(JSON.stringify(await measure(name, copies === "TWO" ? 2 : 1)));
else {
  const names = Object.keys(pipelines);
  const cases = [...names.map((n) => [n, "ONE"]), ...names.filter((n) => n !== "idle").map((n) => [n, "TWO"])];
  const rows = [];
  if (!values.json)
    console.log(
      `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}\n` +
        `fairness: a timer of ${TICK} ms beside pipelines that are busy for ${SECONDS} s, a process each\n`,
    );
  for (const [each, how] of cases) {
    const result = judge(each, how);
    rows.push(result);
    if (!values.json) console.log(row(result));
  }
  if (values.json) console.log(JSON.stringify(rows));
}
