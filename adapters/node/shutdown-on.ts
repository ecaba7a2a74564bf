/// <reference lib="esnext.disposable" preserve="true" />
import { constants } from "node:os";
import { refuse, refuseUnknown, reporter, type Reporter, words } from "../../src/adapter/index.ts";
import type { DrainOptions, StageOptions, StopOptions } from "../../src/index.ts";

/** What can be drained: a pipeline, a stage, a supervisor. */
export interface Drainable {
  drain(options?: DrainOptions): PromiseLike<unknown>;
  stop(options?: StopOptions): unknown;
}

export interface ShutdownOptions {
  /** From the first signal until the process is to end. **Units** milliseconds, from 0, or Infinity. @default 10000 */
  readonly timeout?: number | undefined;
  /** Receives what a drain fails with. @default console.error */
  readonly onReport?: StageOptions["onReport"];
}

/** Longer timers of the platform fire at once instead. In milliseconds, some 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1;
const { process } = globalThis;
/** For stages whose time is up, so that they release what they hold and say what they waited for. In milliseconds. */
const MOMENT = 100;
/** Those that no listener can be put on. */
const DEAF: readonly string[] = ["SIGKILL", "SIGSTOP"];

/** Waits for signals, and ends the process in good order. */
class Shutdown implements Disposable {
  readonly #signals: readonly NodeJS.Signals[];
  readonly #running: readonly Drainable[];
  readonly #timeout: number;
  readonly #report: Reporter;
  #begun = false;
  #code = 0;
  #drained = false;

  constructor(signals: readonly NodeJS.Signals[], running: readonly Drainable[], timeout: number, report: Reporter) {
    this.#signals = signals;
    this.#running = running;
    this.#timeout = timeout;
    this.#report = report;
    for (const signal of signals) process.on(signal, this.#onSignal);
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) process.removeListener(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#begun) this.#stopAll(128 + constants.signals[signal]);
    else {
      this.#begun = true;
      void this.#drainAll();
    }
  };

  async #drainAll(): Promise<void> {
    const began = performance.now();
    // While it drains the timer keeps the process alive; then what else keeps it alive has what is left of the time.
    const timer = this.#timeout > LONGEST_TIMER ? undefined : setTimeout(this.#onLate, this.#timeout);
    for (const running of this.#running) {
      // Whole, for errors name it.
      const timeout = Math.max(0, Math.ceil(this.#timeout - (performance.now() - began)));
      try {
        // oxlint-disable-next-line no-await-in-loop -- in the order given
        await running.drain({ timeout });
      } catch (error) {
        this.#code = 1;
        this.#report.tell(error, "drain");
      }
    }
    this.#drained = true;
    this[Symbol.dispose]();
    if (this.#code !== 0) process.exitCode = this.#code;
    if (performance.now() - began >= this.#timeout) process.exit();
    timer?.unref();
  }

  /** What has not drained by now is given up by its own `drain`, which says so. */
  readonly #onLate = (): void => {
    if (this.#drained) process.exit();
    setTimeout(() => this.#stopAll(1), MOMENT);
  };

  /** Asks all to stop at once, and ends the process when they have had a moment for it. */
  #stopAll(code: number): void {
    this[Symbol.dispose]();
    for (const running of this.#running) this.#report.guard(() => running.stop({ timeout: 0 }), "stop");
    setTimeout(() => process.exit(code), MOMENT);
  }
}
const isDrainable = (value: unknown): value is Drainable => {
  const { drain, stop } = Object(value) as Partial<Drainable>;
  return typeof drain === "function" && typeof stop === "function";
};

function checkSignal(signal: unknown): void {
  if (typeof signal !== "string" || !Object.hasOwn(constants.signals, signal))
    refuse("ERR_OPTION", 'shutdownOn to get signals, as "SIGTERM" or ["SIGTERM", "SIGINT"]', signal);
  if (DEAF.includes(signal))
    refuse("ERR_OPTION", "signals that a process hears", words(`${signal}, which ends it at once`));
}

/**
 * Ends the process in good order on a signal: drains what it is given, one after the other.
 *
 * **Shape** the first signal drains `running` in that order, so sources come before what they feed; then the process ends by
 * itself, or is ended when `timeout` is over. A second signal stops all at once.
 * **Units** `timeout` in milliseconds from the first signal, 10 000 by default.
 * **Cancels** the returned object takes the listeners away: `using`, or `[Symbol.dispose]()`.
 *
 * The exit code is 0 (or `process.exitCode`) when all has drained, 1 when something failed or was late, and 128 + n for a second
 * signal with the number n: 143 for SIGTERM, 130 for SIGINT.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no such signal, nothing that can be drained, or no such option.
 *
 * **Source** rule 5.13.
 *
 * @example
 * import { shutdownOn } from "headrace/node";
 *
 * const jobs = queue<string>();
 * const running = pipeline(jobs, forEach(async (job) => console.log(job))); // a
 * using shutdown = shutdownOn(["SIGTERM", "SIGINT"], [jobs, running], { timeout: 5000 });
 * await jobs.offer("a");
 * jobs.complete();
 * await running;
 */
export function shutdownOn(
  signals: NodeJS.Signals | readonly NodeJS.Signals[],
  running: Drainable | readonly Drainable[],
  options: ShutdownOptions = {},
): Disposable {
  const names = (Array.isArray(signals) ? signals : [signals]) as readonly NodeJS.Signals[];
  if (names.length === 0) refuse("ERR_OPTION", "shutdownOn to get a signal", words("none"));
  for (const name of names) checkSignal(name);
  const all = (Array.isArray(running) ? running : [running]) as readonly Drainable[];
  if (all.length === 0) refuse("ERR_OPTION", "shutdownOn to get what it is to drain", words("nothing"));
  for (const one of all)
    if (!isDrainable(one)) refuse("ERR_OPTION", "shutdownOn to drain a pipeline, a stage or a supervisor", one);
  refuseUnknown("shutdownOn", options, ["timeout", "onReport"]);
  const { timeout = 10_000, onReport } = options;
  if (typeof timeout !== "number") refuse("ERR_OPTION", "timeout to be a number", timeout);
  if (!(timeout >= 0)) refuse("ERR_RANGE", "timeout to be 0 or more milliseconds", timeout);
  if (onReport !== undefined && typeof onReport !== "function")
    refuse("ERR_OPTION", "onReport to be a function", onReport);
  return new Shutdown([...new Set(names)], all, timeout, reporter("shutdownOn", onReport));
}
