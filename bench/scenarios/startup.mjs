import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "../statistics.mjs";

const STARTS = 7;
const cwd = fileURLToPath(new URL("..", import.meta.url));

export const title = "from the start of the process until a library is imported, and until its first result is there";
export const cases = { "a pipeline of three steps": {} };
export const plot = "first";
export const columns = ["imported", "importCpu", "first", "firstCpu"];
export const polluted = false;
export const inFull = true;

/** Seconds since the process began; the first start fills the caches, and is not measured. */
export async function measure([imports, first]) {
  const mark = "marks.push(performance.now() / 1000, Object.values(process.cpuUsage()).reduce((a, b) => a + b) / 1e6);";
  const code = `${imports}\nconst marks = [];\n${mark}\n${first}\n${mark}\nconsole.log(JSON.stringify(marks));`;
  const all = [];
  for (let i = 0; i <= STARTS; i += 1) {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      cwd,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    if (i > 0) all.push(JSON.parse(stdout));
  }
  const of = (i) => median(all.map((marks) => marks[i]).toSorted((a, b) => a - b));
  return { imported: of(0), importCpu: of(1), first: of(2), firstCpu: of(3) };
}

export const targets = [
  {
    case: "a pipeline of three steps",
    ours: "headrace",
    theirs: "rxjs 7",
    above: "floor: bare node",
    metrics: ["imported", "importCpu"],
    least: 2,
  },
];
