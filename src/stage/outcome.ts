import { argumentError, words } from "../base/errors.ts";
import { errorOf, ignore, isFailure } from "../base/reason.ts";
import type { Reason } from "../contract/reason.ts";
import type { Discarded, StageOptions } from "../contract/options.ts";
import type { StageState } from "../contract/states.ts";

const whenRejected = (answer: unknown, then: (error: unknown) => void): void => {
  if (answer instanceof Promise) answer.catch(then);
};
const tell = (name: string, second: unknown, error: unknown): void =>
  console.error(`headrace: onReport of ${name} failed:`, second, error);

/** Errors that somebody has heard of: one that runs through a graph by many ways is not reported at the end of each. */
const heard = new WeakSet<object>();
export const hear = (error: unknown): void => {
  if (Object(error) === error) heard.add(error as object);
};

export interface OutcomeOptions {
  readonly name: string;
  readonly onReport: StageOptions["onReport"];
  readonly onDiscard: ((discarded: Discarded) => void) | undefined;
  /** Offered what will reach nobody, and answers what it could not take back. */
  readonly putBack?: ((events: readonly unknown[]) => readonly unknown[]) | undefined;
}

/** How a stage ends, for everyone outside: `done`, the signal, and where errors and events go that nobody else gets. */
export class Outcome {
  readonly #options: OutcomeOptions;
  /** How the stage ends or has ended; the first one decides. */
  reason: Reason | undefined;
  /** Somebody else carries a failure on, so `done` need not be observed. */
  carried = false;
  /** The end is complete: `done` is settled. */
  settled = false;
  /** Who were to carry the failure on and have not said that they did not. */
  #heirs = 0;
  #done: PromiseWithResolvers<void> | undefined;
  #controller: AbortController | undefined;
  #ended = false;
  #warned = false;
  readonly #waiting: (() => void)[] = [];

  constructor(options: OutcomeOptions) {
    this.#options = options;
  }

  /** What has become of a stage whose end is complete. */
  get state(): StageState {
    const reason = this.reason as Reason;
    if (isFailure(reason)) return "failed";
    return reason.type === "complete" ? "completed" : "stopped";
  }

  get onReport(): StageOptions["onReport"] {
    return this.#options.onReport;
  }

  get failed(): boolean {
    return !!this.reason && isFailure(this.reason);
  }

  get done(): Promise<void> {
    if (!this.#done) {
      this.#done = Promise.withResolvers<void>();
      if (this.settled) this.#settleDone(this.#done);
    }
    return this.#done.promise;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended) this.end();
    return this.#controller.signal;
  }

  /** What the stage failed with, or the value of its stop. */
  get error(): unknown {
    return this.reason && errorOf(this.reason);
  }

  /** The stage has left its links. */
  end(): void {
    this.#ended = true;
    this.#controller?.abort(this.error);
  }

  /** Somebody carries a failure on. If he does not come to it he calls what this answers: the last one's word is a report. */
  carry(): () => void {
    this.carried = true;
    this.#heirs += 1;
    return () => {
      this.#heirs -= 1;
      // Who has asked for `done` hears of it there.
      if (this.#heirs === 0 && !this.#done && !heard.has(this.error as object)) this.report(this.error, "done");
    };
  }

  /** Calls `then` when the end is complete, at once if it is. */
  whenSettled(then: () => void): void {
    if (this.settled) then();
    else this.#waiting.push(then);
  }

  settle(): void {
    if (this.settled) return;
    this.settled = true;
    for (const then of this.#waiting.splice(0)) then();
    if (this.#done) this.#settleDone(this.#done);
    // Nobody has looked at done: a failure that nothing carries on must still reach someone.
    else if (!this.carried && this.failed) void this.done;
  }

  /** What fails second or in clean-up. */
  report(error: unknown, phase: string): void {
    const { name, onReport } = this.#options;
    hear(error);
    try {
      if (onReport) {
        const answer: unknown = onReport(error, { stage: name, phase });
        whenRejected(answer, (second) => tell(name, second, error));
      } else console.error(`headrace: ${phase} of ${name} failed:`, error);
    } catch (second) {
      tell(name, second, error);
    }
  }

  /** Accepted events that nobody will get. `quiet`: without the warning, where it is what was asked for. */
  discard(lost: readonly unknown[], cause: Discarded["cause"], quiet = false): void {
    if (lost.length === 0) return;
    const { name, onDiscard, putBack } = this.#options;
    const events = putBack && cause !== "overflow" ? putBack(lost) : lost;
    if (events.length === 0) return;
    if (onDiscard) {
      try {
        const answer: unknown = onDiscard({ events, cause });
        whenRejected(answer, (error) => this.report(error, "onDiscard"));
      } catch (error) {
        this.report(error, "onDiscard");
      }
    } else if (!quiet && !this.#warned) {
      this.#warned = true;
      console.warn(`headrace: ${name} discarded ${events.length} events (${cause}), see onDiscard`);
    }
  }

  /** The error of who asks something of a stage that is past it. */
  endedError(state: StageState): Error {
    return argumentError("ERR_ENDED", "", words(`${this.#options.name}, which is ${state}`), this.error);
  }

  #settleDone({ resolve, reject, promise }: PromiseWithResolvers<void>): void {
    if (!this.failed) resolve();
    else {
      if (this.carried) promise.catch(ignore);
      hear(this.error);
      reject(this.error);
    }
  }
}
