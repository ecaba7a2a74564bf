// The steps scenario: lines, batch, buffer, merge, branches, and a broadcast with one consumer that stalls for ever.
// node bench/steps.mjs [--json] [--runs N] [PART]…; HEADRACE_BENCH_MB is the size of the file of lines, 1024 unless set.
// node bench/steps.mjs run PART CONTESTANT; prints the seconds of wall time and of CPU time, and the most memory held.
import { closeSync, createReadStream, existsSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { inTurns, machine, median, spread, timed } from "./turns.mjs";

const MB = Number(process.env.HEADRACE_BENCH_MB ?? 1024);
const path = join(tmpdir(), `headrace-lines-${MB}.txt`);
const CHUNK = 2 ** 16;
const LONG = 64;
const EVENTS = 10_000_000;
const SHARED = 10_000_000;
const SUBSCRIBERS = 1000;
const BROADCAST = 20_000;

const core = process.argv[2] === "run" ? await import("../dist/src/index.js") : undefined;

/** Numbers up to a count, in batches as large as what is wanted, or as `most` says. */
function numbers(events, most = Number.POSITIVE_INFINITY) {
  let next = 0;
  const some = (wanted, stage) => {
    const from = next;
    const size = Math.min(wanted, most, events - from);
    const out = new Array(size);
    for (let i = 0; i < size; i += 1) out[i] = from + i;
    next = from + size;
    if (next === events) stage.complete();
    return out;
  };
  return core.producer(some, { onLastCancel: "stop" });
}

const sum = (total, n) => total + n;
const sumOf = (events) => (events * (events - 1)) / 2;

// ── Lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Counts the lines and their length. */
class Counter {
  lines = 0;
  length = 0;
  add = (line) => {
    this.lines += 1;
    this.length += line.length;
  };
}

const readers = {
  // The floor: chunks are read, and no one makes lines of them.
  "no lines": async (file, counter) => {
    for await (const chunk of file) counter.length += chunk.length;
  },
  "node:readline": async (file, counter) => {
    for await (const line of createInterface({ input: file, crlfDelay: Infinity })) counter.add(line);
  },
  split2: async (file, counter) => {
    const { default: split2 } = await import("split2");
    await new Promise((resolve, reject) => {
      file.on("error", reject).pipe(split2()).on("data", counter.add).on("error", reject).on("end", resolve);
    });
  },
  "headrace, fromReadable": async (file, counter) => {
    const { fromReadable } = await import("../dist/adapters/node/index.js");
    await core.pipeline(fromReadable(file), core.lines(), core.forEach(counter.add));
  },
  "headrace, the stream itself": (file, counter) => core.pipeline(file, core.lines(), core.forEach(counter.add)),
};

const readWith = (read, highWaterMark) => async () => {
  const counter = new Counter();
  await read(createReadStream(path, { highWaterMark }), counter);
  const { size } = statSync(path);
  const got = counter.lines + counter.length;
  if (got !== size) throw new Error(`expected lines and their ends to have ${size} bytes, got ${got}`);
};

/** Lines of one file, whose chunks have this size. */
const linesPart = (highWaterMark) => ({
  runs: Object.fromEntries(Object.entries(readers).map(([name, read]) => [name, readWith(read, highWaterMark)])),
  units: () => statSync(path).size / 2 ** 20,
  unit: "MB/s",
  ratios: [
    ["headrace, fromReadable", "node:readline", 2],
    ["headrace, fromReadable", "split2", 1.5],
    ["headrace, the stream itself", "node:readline", 2],
    ["headrace, the stream itself", "split2", 1.5],
  ],
});

/** Megabytes in as many chunks as a file would give, `every` bytes a line; what comes out is looked at. */
const longLines = (every) => async () => {
  const bytes = LONG * 2 ** 20;
  function* chunks() {
    for (let at = 0; at < bytes; at += CHUNK) {
      const chunk = Buffer.alloc(CHUNK, "x");
      if ((at + CHUNK) % every === 0) chunk[CHUNK - 1] = 0x0a;
      yield chunk;
    }
  }
  let length = 0;
  const add = (line) => {
    // Flattens a string that is still in pieces.
    if (line.charCodeAt(line.length - 1) === 0x78) length += line.length;
  };
  await core.pipeline(chunks(), core.lines({ maxLength: Infinity }), core.forEach(add));
  if (length !== bytes - bytes / every) throw new Error(`got ${length} of ${bytes}`);
};

// ── Branches ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const PARTITIONS = 4;
const keyOf = (n) => n % PARTITIONS;
const inc = (n) => n + 1;

function partitioned(events) {
  return core.pipeline(numbers(events), core.partitionBy(keyOf, { partitions: PARTITIONS }));
}

/** A consumer that adds up what it gets, and what it has got. */
function adding() {
  let total = 0;
  const stage = core.consumer((batch) => {
    for (let i = 0; i < batch.length; i += 1) total = sum(total, inc(batch[i]));
  });
  return { stage, total: () => total };
}

const steps = (own) => core.pipeline(own, core.map(inc), core.reduce(sum, 0));

const forms = {
  "consumers by hand": async (events) => {
    const byKey = partitioned(events);
    const all = Array.from({ length: PARTITIONS }, (_, partition) => {
      const { stage, total } = adding();
      stage.subscribe(byKey, { partition });
      return stage.done.then(total);
    });
    return (await Promise.all(all)).reduce(sum, 0);
  },
  "branches of consumers": async (events) => {
    const totals = [];
    const branch = (own) => {
      const { stage, total } = adding();
      totals.push(total);
      return core.pipeline(own, stage);
    };
    await core.pipeline(numbers(events), core.partitionBy(keyOf, { partitions: PARTITIONS }, branch));
    return totals.reduce((all, total) => all + total(), 0);
  },
  "stages by hand, and steps": async (events) => {
    const byKey = partitioned(events);
    const all = Array.from({ length: PARTITIONS }, (_, partition) => {
      const pass = core.producerConsumer((batch) => batch, { onLastCancel: "stop" });
      pass.subscribe(byKey, { partition });
      return steps(pass).done;
    });
    return (await Promise.all(all)).reduce(sum, 0);
  },
  "branches of steps": async (events) => {
    const all = await core.pipeline(numbers(events), core.partitionBy(keyOf, { partitions: PARTITIONS }, steps));
    return all.reduce(sum, 0);
  },
};

const shareOut = (form) => async () => {
  const total = await form(SHARED);
  const expected = sumOf(SHARED) + SHARED;
  if (total !== expected) throw new Error(`expected ${expected}, got ${total}`);
};

// ── Broadcast ────────────────────────────────────────────────────────────────────────────────────────────────────────

const LAG = { max: 1000, policy: "drop-oldest" };

/** `stalled`: one of the subscribers never returns. `lag`: of the stalled one, or of all. */
const tellAll =
  ({ stalled, lag }) =>
  async () => {
    const source = core.pipeline(numbers(BROADCAST, 100), core.broadcast({ startAfter: SUBSCRIBERS }));
    let last = 0;
    const stages = Array.from({ length: SUBSCRIBERS }, (_, i) => {
      const stalls = stalled && i === 0;
      let total = 0;
      const stage = core.consumer((batch) => {
        if (stalls) return new Promise(() => {});
        for (let k = 0; k < batch.length; k += 1) total += batch[k];
        last = batch[batch.length - 1];
        return undefined;
      });
      stage.subscribe(source, lag === "all" || (lag === "stalled" && stalls) ? { lag: LAG } : {});
      return { stage, stalls, total: () => total };
    });
    const others = stages.filter(({ stalls }) => !stalls);
    await Promise.all(others.map(({ stage }) => stage.done));
    for (const { total } of others)
      if (total() !== sumOf(BROADCAST)) throw new Error(`expected ${sumOf(BROADCAST)}, got ${total()}`);
    return last;
  };

// ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const through = (make) => async () => {
  const total = await make();
  if (total !== sumOf(EVENTS)) throw new Error(`expected ${sumOf(EVENTS)}, got ${total}`);
};
const alone = (step) => through(() => core.pipeline(numbers(EVENTS), step(), core.reduce(sum, 0)));

/** What each part runs, its units, and what is compared: at least (or with `atMost` no more than) so many times. */
const parts = {
  // Chunks as a file gives them unless told otherwise, and larger ones, where less of the time goes into reading.
  "lines, 64 KB chunks": linesPart(CHUNK),
  "lines, 256 KB chunks": linesPart(4 * CHUNK),
  "a long line": {
    runs: { "64 lines of 1 MB": longLines(2 ** 20), "one line of 64 MB": longLines(LONG * 2 ** 20) },
    warm: 5,
    units: () => LONG,
    unit: "MB/s",
    ratios: [["one line of 64 MB", "64 lines of 1 MB", 1 / 1.3]],
  },
  "each alone": {
    runs: {
      "batch of 100": through(() =>
        core.pipeline(
          numbers(EVENTS),
          core.batch({ size: 100 }),
          core.reduce((total, batch) => batch.reduce(sum, total), 0),
        ),
      ),
      "buffer of 1000, hold": alone(() => core.buffer({ size: 1000, overflow: "hold" })),
      "buffer of 1000, drop-oldest": alone(() => core.buffer({ size: 1000, overflow: "drop-oldest" })),
      "merge of 2": async () => {
        const total = await core.pipeline(core.merge(numbers(EVENTS / 2), numbers(EVENTS / 2)), core.reduce(sum, 0));
        if (total !== 2 * sumOf(EVENTS / 2)) throw new Error(`expected ${2 * sumOf(EVENTS / 2)}, got ${total}`);
      },
    },
    warm: 1,
    units: () => EVENTS / 1e6,
    unit: "M/s",
    least: 10,
    ratios: [],
  },
  branches: {
    runs: Object.fromEntries(Object.entries(forms).map(([name, form]) => [name, shareOut(form)])),
    warm: 2,
    units: () => SHARED / 1e6,
    unit: "M/s",
    ratios: [
      ["branches of consumers", "consumers by hand", 1 / 1.1],
      ["branches of steps", "stages by hand, and steps", 1 / 1.1],
    ],
  },
  broadcast: {
    runs: {
      "1000, no lag": tellAll({ stalled: false }),
      "1000, one stalled with lag": tellAll({ stalled: true, lag: "stalled" }),
      "1000 with lag, one stalled": tellAll({ stalled: true, lag: "all" }),
    },
    warm: 1,
    units: () => (BROADCAST * SUBSCRIBERS) / 1e6,
    unit: "M/s",
    ratios: [
      ["1000, one stalled with lag", "1000, no lag", 0.8],
      ["1000 with lag, one stalled", "1000, no lag", 0.8],
    ],
  },
};

if (process.argv[2] === "run") await run(...process.argv.slice(3));
else compare();

async function run(part, name) {
  const { runs, warm = 0 } = parts[part];
  for (let i = 0; i < warm; i += 1) await runs[name]();
  const { seconds, cpu } = await timed(runs[name]);
  console.log(JSON.stringify({ seconds, cpu, rss: process.resourceUsage().maxRSS / 1024 }));
  process.exit(0);
}

function compare() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean", default: false }, runs: { type: "string", default: "5" } },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(parts);
  const wrong = names.find((name) => !Object.hasOwn(parts, name));
  if (wrong !== undefined) throw new Error(`expected parts among ${Object.keys(parts).join(", ")}, got ${wrong}`);
  if (names.some((name) => name.startsWith("lines"))) fill();
  const rows = names.flatMap((name) => measure(name, Number(values.runs)));
  if (values.json) console.log(JSON.stringify(rows));
  else print(names, rows, values.runs);
}

function measure(part, runs) {
  const { runs: contestants, units } = parts[part];
  const names = Object.keys(contestants);
  const measured = inTurns(names, runs, (name) => [process.argv[1], "run", part, name]);
  return names.map((name, i) => {
    const wall = measured[i].map(({ seconds }) => seconds);
    const cpu = median(measured[i].map((one) => one.cpu));
    const perSecond = units() / median(wall);
    const peakRssMb = Math.max(...measured[i].map(({ rss }) => rss));
    return { scenario: `steps ${part}`, name, perSecond, perCpuSecond: units() / cpu, spread: spread(wall), peakRssMb };
  });
}

/** Lines of 20 to 180 letters, made once: under its name only when it is whole. */
function fill() {
  if (existsSync(path)) return;
  const made = `${path}.${process.pid}`;
  const handle = openSync(made, "w");
  const letters = "the water of the race turns the wheel of the mill ".repeat(4);
  let state = 1;
  for (let i = 0; i < MB; i += 1) {
    let megabyte = "";
    while (megabyte.length < 2 ** 20) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      megabyte += `${letters.slice(0, 20 + ((state >>> 8) % 160))}\n`;
    }
    writeSync(handle, megabyte);
  }
  closeSync(handle);
  renameSync(made, path);
}

function print(names, rows, runs) {
  console.log(machine("split2"));
  console.log(`steps: medians of ${runs} runs in turn, a process each; by wall time and by CPU time\n`);
  for (const part of names) {
    const { unit, ratios, least } = parts[part];
    const own = rows.filter(({ scenario }) => scenario === `steps ${part}`);
    const rowOf = (name) => own.find((row) => row.name === name);
    console.log(part);
    for (const { name, perSecond, perCpuSecond, spread: apart, peakRssMb } of own)
      console.log(
        `  ${name.padEnd(30)} ${perSecond.toFixed(1).padStart(8)} ${unit}   CPU ${perCpuSecond.toFixed(1).padStart(8)} ${unit}` +
          `   ±${(50 * apart).toFixed(0).padStart(3)} %   ${peakRssMb.toFixed(0).padStart(5)} MB${verdict(least, perSecond)}`,
      );
    for (const [ours, theirs, target] of ratios) {
      const ratio = (by) => rowOf(ours)[by] / rowOf(theirs)[by];
      const text = `${ours} / ${theirs}`.padEnd(58);
      const [wall, cpu] = [ratio("perSecond"), ratio("perCpuSecond")];
      console.log(`  ${text} ${wall.toFixed(2)}, CPU ${cpu.toFixed(2)}${verdict(target, wall)}`);
    }
    console.log();
  }
}

function verdict(target, got) {
  if (target === undefined) return "";
  return `   at least ${target.toFixed(2)}: ${got >= target ? "ok" : "short"}`;
}
