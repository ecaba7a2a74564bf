import type { Failure } from "../contract/failure.ts";
import { argumentError, words } from "../base/errors.ts";
import { claimFailure } from "../base/failure.ts";
import { errorOf, ignore, isFailure } from "../base/reason.ts";
import type { Discarded, StageOptions } from "../contract/options.ts";
import type { Reason } from "../contract/reason.ts";
import type { StageState } from "../contract/states.ts";
import { isFirst, markReported, Report } from "./report.ts";
import { claim, keepUnclaimed, type Unclaimed } from "./unclaimed.ts";

export interface OutcomeOptions {
  readonly name: string;
  readonly onReport: StageOptions["onReport"];
  readonly onDiscard: ((discarded: Discarded) => void) | undefined;
  /** Offered what will reach no one. Returns what it could not take back. */
  readonly putBack?: ((events: readonly unknown[]) => readonly unknown[]) | undefined;
}

/** How a stage ends, for everyone outside: `done`, the signal, and where events go that no consumer gets. */
export class Outcome {
  readonly report: Report;
  readonly #options: OutcomeOptions;
  /** How the stage ends or has ended; the first end decides. */
  reason: Reason | undefined;
  /** It stopped because its last consumer had gone: whatever that one's reason was, it has not failed. */
  left = false;
  failure: Failure | undefined;
  /** The end is complete: `done` is settled. */
  settled = false;
  #done: PromiseWithResolvers<void> | undefined;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #warned = false;
  /** The failure, while it waits for a first consumer. */
  #unclaimed: Unclaimed | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(options: OutcomeOptions) {
    this.#options = options;
    this.report = new Report(options.name, options.onReport);
  }

  /** What has become of a stage whose end is complete. */
  get state(): StageState {
    if (this.failed) return "failed";
    return this.reason?.type === "complete" ? "completed" : "stopped";
  }

  get failed(): boolean {
    return this.reason !== undefined && !this.left && isFailure(this.reason);
  }

  get done(): Promise<void> {
    if (!this.#done) {
      this.#done = Promise.withResolvers<void>();
      if (this.settled) this.#settleDone(this.#done);
      this.#claim();
    }
    return this.#done.promise;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort(this.#aborted.reason);
    return this.#controller.signal;
  }

  /** Whether the signal has aborted. */
  get aborted(): boolean {
    return this.#aborted !== undefined;
  }

  /** What the stage failed with, or the value of its stop. */
  get error(): unknown {
    return this.reason && errorOf(this.reason);
  }

  /** What the failure is known by: who hears of it marks it. */
  get #told(): unknown {
    return this.failure ?? this.error;
  }

  /** Whether this end is told by an error that rejects so: it failed with it, or its signal says that it should give up. */
  isKnown(error: unknown): boolean {
    if (this.failed && this.error === error) return true;
    return this.#aborted !== undefined && (error === this.#controller?.signal.reason || isAbortError(error));
  }

  /** The signal tells whoever waits that there is no point in going on. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }

  /** The end has begun, in this way. */
  begin(reason: Reason, abort: boolean, left: boolean): void {
    this.reason = reason;
    this.left = left;
    if (!this.failed) return;
    if (abort) {
      this.report.passedOn = true; // M34
      markReported(this.error);
    } else this.failure ??= claimFailure(this.error, this.#options.name, "fail");
  }

  /** A consumer that is to pass the failure on. The returned function says that it has not. */
  carrier(): () => void {
    this.#claim();
    // Who has asked for `done` hears of it there.
    return this.report.carrier(this.#told, this.error, () => this.#done !== undefined);
  }

  /** Calls `then` when the end is complete, at once if it is. */
  whenSettled(then: () => void): void {
    if (this.settled) then();
    else this.#waiting.push(then);
  }

  /** `unseen`: the stage emits and has had no consumer. Its failure then waits for the first one. */
  settle(unseen: boolean): void {
    if (this.settled) return;
    this.settled = true;
    for (const then of this.#waiting.splice(0)) then();
    if (this.#done) this.#settleDone(this.#done);
    // A failure that nothing passes on must still reach someone.
    else if (!this.report.passedOn && this.failed) {
      // M35
      if (!unseen) this.#giveUp();
      else {
        this.#unclaimed = { error: this.error, stage: this.#options.name, giveUp: () => this.#giveUp() };
        keepUnclaimed(this.#unclaimed);
      }
    }
  }

  /** Makes an unhandled rejection of a failure, for one of all the stages that it has come to. */
  #giveUp(): void {
    if (isFirst(this.#told)) void this.done;
  }

  #claim(): void {
    if (this.#unclaimed) claim(this.#unclaimed);
    this.#unclaimed = undefined;
  }

  /** Accepted events that no consumer gets. `quiet`: without the warning, where it is what was asked for. */
  discard(lost: readonly unknown[], cause: Discarded["cause"], quiet = false): void {
    if (lost.length === 0) return;
    const { name, onDiscard, putBack } = this.#options;
    const events = putBack && cause !== "overflow" ? putBack(lost) : lost;
    if (events.length === 0) return;
    if (onDiscard) this.report.guard(() => onDiscard({ events, cause, stage: name }), "onDiscard");
    else if (!quiet && !this.#warned) {
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
      if (this.report.passedOn) promise.catch(ignore);
      markReported(this.#told);
      reject(this.error);
    }
  }
}

const isAbortError = (error: unknown): boolean => {
  try {
    return (error as { readonly name?: unknown } | null | undefined)?.name === "AbortError";
  } catch {
    return false;
  }
};
