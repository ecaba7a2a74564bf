// What is measured within one process: the time of a run, or of as many as it takes.

/** At least so many seconds are measured, behind so many to warm up. */
const MEASURED = 0.25;
const WARM = 0.06;

/** What `run` takes. **Units** seconds of wall time and of CPU time, helper threads such as the collector's included. */
export async function timed(run) {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const result = await run();
  const wall = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { result, wall, cpu: (user + system) / 1e6 };
}

/**
 * Seconds per event, by wall time and by CPU time. Runs grow until one takes long enough, or are of the case's own
 * size; three more warm up, and what is measured is as many as take `MEASURED` seconds. Every result is checked. `per`
 * says how many an event counts for; `rss` is the most memory that the process has held, in bytes.
 */
export async function throughput(run, { work, expected, prepare, size, most = 2e7, warm = 3, per = 1 }) {
  const once = async (events) => {
    const input = await prepare?.(events);
    const { result, wall, cpu } = await timed(() => run(events, work, input));
    const right = expected(events, work);
    if (result !== right) throw new Error(`expected ${right}, got ${result}`);
    return { wall, cpu };
  };
  let events = size ?? 1000;
  if (size === undefined) while ((await once(events)).wall < WARM && events < most) events = Math.min(most, 2 * events);
  for (let i = 0; i < warm; i += 1) await once(events);
  let [wall, cpu, total] = [0, 0, 0];
  while (wall < MEASURED) {
    const one = await once(events);
    wall += one.wall;
    cpu += one.cpu;
    total += events;
  }
  const rss = process.resourceUsage().maxRSS * 1024;
  return { wall: wall / total / per, cpu: cpu / total / per, rss };
}
