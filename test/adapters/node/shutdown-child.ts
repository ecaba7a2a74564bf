// Programs that end on a signal: node shutdown-child.ts PROGRAM. Each says "ready" when it can be sent one.
import { createServer } from "node:http";
import { forEach, pipeline, queue } from "headrace";
import { type Drainable, shutdownOn } from "headrace/node";
import { supervisor } from "headrace/supervise";

const signals = ["SIGTERM", "SIGINT"] as const;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const ready = (): void => say("ready");
/** Keeps the process alive, as a socket would. */
const hold = (): void => void setInterval(() => {}, 1000);
const listeners = (): void => say(`listeners ${signals.map((signal) => process.listenerCount(signal)).join()}`);

/** Says what it is asked, and drains when it is let. */
function talking(name: string, drain: () => Promise<unknown>): Drainable {
  return {
    drain: () => {
      say(`drain ${name}`);
      return drain();
    },
    stop: (options) => say(`stop ${name} ${options?.timeout}`),
  };
}
const never = (): Promise<never> => new Promise(() => {});

const untilAborted = ({ signal }: { readonly signal: AbortSignal }) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));

const programs: Readonly<Record<string, () => void>> = {
  async drains() {
    const jobs = queue<string>();
    const signalled = new Promise((resolve) => process.once("SIGTERM", () => setImmediate(resolve)));
    const first = pipeline(
      jobs,
      forEach(async (job) => {
        if (job === "a") ready();
        // Begun when the signal comes.
        await signalled;
        say(`done ${job}`);
      }),
    );
    shutdownOn(signals, [jobs, first, talking("second", async () => {})]);
    const held = setInterval(() => {}, 1000);
    process.on("exit", listeners);
    for (const job of ["a", "b"]) await jobs.offer(job);
    await first;
    clearInterval(held);
  },
  async supervised() {
    const all = supervisor([{ start: untilAborted }]);
    shutdownOn("SIGINT", all);
    hold();
    ready();
    await all.done;
    say(all.state);
    process.exit();
  },
  "by itself": () => {
    const server = createServer().listen(0, () => ready());
    shutdownOn(
      signals,
      talking("one", async () => void server.close()),
      { timeout: Number.POSITIVE_INFINITY },
    );
    process.on("exit", (code) => say(`exit ${code}`));
  },
  "lives on": () => {
    shutdownOn(
      signals,
      talking("one", async () => {}),
      { timeout: 50 },
    );
    hold();
    ready();
  },
  late: () => {
    const running = pipeline([1], forEach(never));
    shutdownOn(signals, [running, talking("second", async () => {})], { timeout: 50 });
    hold();
    ready();
  },
  deaf: () => {
    // It does not keep the time it is given.
    shutdownOn(signals, [talking("first", never), talking("second", never)], { timeout: 50 });
    hold();
    ready();
  },
  twice: () => {
    shutdownOn(signals, [talking("first", never), talking("second", never)], { timeout: 60_000 });
    hold();
    ready();
  },
  fails: () => {
    const broken = talking("first", () => Promise.reject(new Error("broken")));
    shutdownOn(signals, [broken, talking("second", async () => {})], {
      onReport: (error, { stage, phase }) => say(`${stage} ${phase} ${String(error)}`),
    });
    const held = setInterval(() => {}, 1000);
    process.once("SIGTERM", () => clearInterval(held));
    ready();
  },
  disposed: () => {
    const shutdown = shutdownOn(signals, talking("one", never));
    listeners();
    shutdown[Symbol.dispose]();
    shutdown[Symbol.dispose]();
    listeners();
    hold();
    ready();
  },
};
programs[process.argv[2] as string]?.();
