// The files scenario: a file is copied, and compressed, by stream.pipeline and by stages, in turn, a process each.
// node bench/files.mjs [--json] [--runs N] [--mb N] [--gzip-mb N]
// node bench/files.mjs run LIBRARY copy|gzip FROM TO; prints the seconds it took and the most memory it held, in MB. A tenth
// of the file goes before, unmeasured.
import { spawnSync } from "node:child_process";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { createGzip } from "node:zlib";

const LIBRARIES = ["stream.pipeline", "headrace"];

if (process.argv[2] === "run") await run(...process.argv.slice(3));
else compare();

async function run(library, what, from, to) {
  const { pipeline: staged } = await import("../dist/src/index.js");
  const { fromReadable, intoWritable, throughDuplex } = await import("../dist/adapters/node/index.js");
  const move = async (bytes) => {
    const transforms = what === "gzip" ? [createGzip()] : [];
    const source = createReadStream(from, { end: bytes - 1 });
    const sink = createWriteStream(to);
    if (library === "headrace")
      await staged(fromReadable(source), ...transforms.map((stream) => throughDuplex(stream)), intoWritable(sink)).done;
    else await pipeline(source, ...transforms, sink);
  };
  const { size } = statSync(from);
  await move(Math.ceil(size / 10));
  const began = performance.now();
  await move(size);
  const seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify({ seconds, rss: process.resourceUsage().maxRSS / 1024 }));
}

function compare() {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      runs: { type: "string", default: "15" },
      mb: { type: "string", default: "1024" },
      "gzip-mb": { type: "string", default: "128" },
    },
  });
  const dir = mkdtempSync(path.join(tmpdir(), "headrace-files-"));
  const leave = () => process.exit(1);
  process.on("SIGINT", leave);
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  const rows = [
    ...measure("copy", Number(values.mb), Number(values.runs), dir),
    ...measure("gzip", Number(values["gzip-mb"]), Number(values.runs), dir),
  ];
  if (values.json) console.log(JSON.stringify(rows));
  else print(rows, values.runs);
}

function measure(what, mb, runs, dir) {
  const from = path.join(dir, `${what}.in`);
  const to = path.join(dir, `${what}.out`);
  fill(from, mb);
  const measured = LIBRARIES.map(() => []);
  // The first round fills the caches, and is not measured. Who comes after whom changes with each.
  for (let round = 0; round <= runs; round += 1)
    for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const library = LIBRARIES[i];
      const args = [process.argv[1], "run", library, what, from, to];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
      rmSync(to);
      if (round > 0) measured[i].push(JSON.parse(stdout));
    }
  rmSync(from);
  return LIBRARIES.map((library, i) => ({
    scenario: `files ${what}`,
    library,
    mb,
    mbPerSecond: mb / median(measured[i].map(({ seconds }) => seconds)),
    peakRssMb: Math.max(...measured[i].map(({ rss }) => rss)),
  }));
}

/** Text that compresses, differently in each megabyte. */
function fill(file, mb) {
  const handle = openSync(file, "w");
  let state = 1;
  for (let i = 0; i < mb; i += 1) {
    const megabyte = Buffer.alloc(2 ** 20, "the water of the race turns the wheel of the mill ");
    for (let at = 0; at < megabyte.length; at += 16) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      megabyte.writeUInt32LE(state, at);
    }
    writeSync(handle, megabyte);
  }
  closeSync(handle);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function print(rows, runs) {
  console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}`);
  console.log(`files: medians of ${runs} runs in turn, a process each; the most memory held in any\n`);
  for (const { scenario, library, mb, mbPerSecond, peakRssMb } of rows)
    console.log(
      `${`${scenario}, ${mb} MB, ${library}`.padEnd(40)} ${mbPerSecond.toFixed(0).padStart(6)} MB/s ${peakRssMb.toFixed(0).padStart(6)} MB`,
    );
  console.log();
  for (const what of ["copy", "gzip"]) {
    const [theirs, ours] = rows.filter(({ scenario }) => scenario === `files ${what}`);
    console.log(`${what}: headrace / stream.pipeline  ${(ours.mbPerSecond / theirs.mbPerSecond).toFixed(2)}`);
  }
}
