// Runs commands, one a line: each is a process, three at a time. One that fails is started again, twice at most. On SIGTERM or
// SIGINT nothing more is read, and what was read has five seconds to be run.
//
//   npx node --conditions=@headrace/source examples/job-runner.ts [FILE]
//
// FILE has the commands, without quotes; standard input unless it is given. The exit code is 1 if a command was lost.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { filter, lines, pipeline } from "headrace";
import { shutdownOn } from "headrace/node";
import { type ChildContext, consumerSupervisor, type Stoppable } from "headrace/supervise";

const AT_A_TIME = 3;
const ATTEMPTS = 3;
const TIME_TO_END = 5000;

let lost = 0;
function lose(command: string, error: unknown): void {
  lost += 1;
  console.log(`lost\t${command}\t${(error as Error).message}`);
}

/** A process is asked to end by SIGTERM, and when its time is up by SIGKILL, which is what the signal is for. */
function start(command: string, { signal, attempt }: ChildContext): Stoppable {
  const [file = "", ...args] = command.split(/\s+/);
  const child = spawn(file, args, { stdio: ["ignore", "inherit", "inherit"], signal, killSignal: "SIGKILL" });
  const run = async (): Promise<void> => {
    try {
      const [code, killed] = (await once(child, "close")) as [number | null, string | null];
      if (code !== 0) throw new Error(killed === null ? `ended with ${code}` : `ended by ${killed}`);
      console.log(`done\t${command}`);
    } catch (error) {
      if (attempt < ATTEMPTS) throw error;
      // The last attempt counts as an end: it is not started again.
      lose(command, error);
    }
  };
  return { done: run(), stop: () => child.kill("SIGTERM") };
}

const jobs = consumerSupervisor<string>({
  start,
  name: "jobs",
  restart: "transient",
  maxRestarts: Number.POSITIVE_INFINITY,
  backoff: { delay: 50 },
  maxDemand: AT_A_TIME,
  minDemand: 0,
  shutdown: TIME_TO_END,
  onReport: (error, { phase }) => console.error(`${phase} failed, and is started again: ${(error as Error).message}`),
  onLost: ({ event, error }) => lose(event, error),
});

const [file] = process.argv.slice(2);
const running = pipeline(
  file === undefined ? process.stdin : createReadStream(file),
  lines(),
  filter((line) => line.trim() !== ""),
  jobs,
);
const signals = ["SIGTERM", "SIGINT"] as const;
for (const signal of signals) process.once(signal, () => console.error(`ending: ${jobs.count().workers} still run`));
const shutdown = shutdownOn(signals, running, { timeout: TIME_TO_END });
try {
  await running;
} catch (error) {
  console.error(`job-runner: ${(error as Error).message}`);
  process.exitCode = 1;
}
shutdown[Symbol.dispose]();
if (lost > 0) process.exitCode = 1;
