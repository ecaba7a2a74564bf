import { refuseUnknown, requireInteger, requireMillis, requireOneOf, requireType } from "../base/check.ts";
import { argumentError, describe, RestartError, words } from "../base/errors.ts";
import { delayOf } from "../base/retry.ts";
import type { Runtime } from "../contract/runtime.ts";

/** The wait before a child is started again. */
export interface Backoff {
  /** Before the first restart. **Units** milliseconds, from 0. @default 100 */
  readonly delay?: number | undefined;
  /** By which it grows with each failure in a row. @default 2 */
  readonly factor?: number | undefined;
  /** **Units** milliseconds. @default 10000 */
  readonly maxDelay?: number | undefined;
  /** `"full"`: a random part of the delay, so that children do not come back together. @default "full" */
  readonly jitter?: "full" | "none" | undefined;
}

/** How often, and how soon, children are started again. */
export interface RestartOptions {
  /** Restarts within `within`; one more ends the supervisor with `ERR_RESTARTS`. **Units** from 0, or Infinity. @default 3 */
  readonly maxRestarts?: number | undefined;
  /** **Units** milliseconds, from 0. @default 5000 */
  readonly within?: number | undefined;
  readonly backoff?: Backoff | undefined;
}

export const restartNames: readonly string[] = ["maxRestarts", "within", "backoff"];

export function checkRestarts({ maxRestarts, within, backoff }: RestartOptions): void {
  requireInteger("maxRestarts", maxRestarts, 0, Number.POSITIVE_INFINITY);
  if (within === Number.POSITIVE_INFINITY) {
    const got = words("Infinity: none would be forgotten, and a child that has run for long would count as failing");
    throw argumentError("ERR_RANGE", "within to be the milliseconds after which restarts are forgotten", got);
  }
  requireMillis("within", within);
  if (backoff === undefined) return;
  refuseUnknown("backoff", backoff, ["delay", "factor", "maxDelay", "jitter"]);
  requireMillis("delay", backoff.delay);
  requireMillis("factor", backoff.factor);
  requireMillis("maxDelay", backoff.maxDelay);
  requireOneOf("jitter", backoff.jitter, ["full", "none"]);
}

/** Checks a child's time to end. */
export function checkShutdown(shutdown: unknown): void {
  if (shutdown === undefined) return;
  requireType("shutdown", shutdown ?? null, "number");
  if (!((shutdown as number) >= 0))
    throw argumentError("ERR_RANGE", "shutdown to be milliseconds, 0 for at once, or Infinity", shutdown);
}

/** The time a child has to end that names none. **Units** milliseconds. */
export const SHUTDOWN = 5000;

function shown(cause: unknown): string {
  try {
    return describe(cause);
  } catch {
    return "a value that cannot be shown";
  }
}

/** Counts the restarts of a supervisor, and says when they are too many. */
export class Restarts {
  readonly #max: number;
  readonly #within: number;
  readonly #backoff: Backoff;
  readonly #runtime: Runtime;
  readonly #name: string;
  #counted: { readonly at: number; readonly cause: unknown }[] = [];

  constructor({ maxRestarts = 3, within = 5000, backoff = {} }: RestartOptions, runtime: Runtime, name: string) {
    const { delay = 100, factor = 2, maxDelay = 10_000, jitter = "full" } = backoff;
    this.#max = maxRestarts;
    this.#within = within;
    this.#backoff = { delay, factor, maxDelay, jitter };
    this.#runtime = runtime;
    this.#name = name;
  }

  /** Restarts that count now. */
  get recent(): number {
    this.#forget();
    return this.#counted.length;
  }

  /** Counts a restart. Returns the error of one too many. */
  count(cause: unknown): RestartError | undefined {
    if (this.#max === Number.POSITIVE_INFINITY) return undefined;
    this.#counted.push({ at: this.#runtime.clock.now(), cause });
    this.#forget();
    const causes = this.#counted.map((each) => each.cause);
    if (causes.length <= this.#max) return undefined;
    const expected = `at most ${this.#max} restarts of ${this.#name} within ${this.#within} ms`;
    const advice = "see causes; a larger maxRestarts or backoff gives a failing child more time";
    return new RestartError(
      "ERR_RESTARTS",
      expected,
      words(`${causes.length}, the last for ${shown(cause)}`),
      causes,
      advice,
    );
  }

  /** Whether a run that began then was too short to count as a success. */
  wasShort(began: number): boolean {
    return this.#runtime.clock.now() - began <= this.#within;
  }

  /** The wait behind so many failures in a row. **Units** milliseconds. */
  delay(inRow: number): number {
    return delayOf({ attempts: inRow + 1, ...this.#backoff }, inRow, this.#runtime.random());
  }

  #forget(): void {
    const since = this.#runtime.clock.now() - this.#within;
    const kept = this.#counted.findIndex(({ at }) => at >= since);
    if (kept !== 0) this.#counted = kept < 0 ? [] : this.#counted.slice(kept);
  }
}
