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
  /** Offered events that will reach no consumer. Returns those it could not take back. */
  readonly putBack?: ((events: readonly unknown[]) => readonly unknown[]) | undefined;
}

/** A stage's end, as others see it: `done`, the signal, and the destination of undelivered events. */
export class Outcome {
  readonly report: Report;
  readonly #options: OutcomeOptions;
  /** The reason of the first end, which decides. */
  reason: Reason | undefined;
  /** It stopped because its last consumer left: it has not failed, whatever that one's reason. */
  left = false;
  failure: Failure | undefined;
  /** Where the failure came from: called if this stage does not pass it on. */
  readonly #from: (() => void)[] = [];
  #withdrawn = false;
  /** Called when `done` is first read. */
  onAwaited: (() => void) | undefined;
  /** Events discarded so far. */
  dropped = 0;
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

  /** The state after the end. */
  get state(): StageState {
    if (this.failed) return "failed";
    return this.reason?.type === "complete" ? "completed" : "stopped";
  }

  get onDiscard(): OutcomeOptions["onDiscard"] {
    return this.#options.onDiscard;
  }

  get failed(): boolean {
    return this.reason !== undefined && !this.left && isFailure(this.reason);
  }

  get done(): Promise<void> {
    if (!this.#done) {
      this.#done = Promise.withResolvers<void>();
      this.onAwaited?.();
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

  /** The failure, or the value of the stop. */
  get error(): unknown {
    return this.reason && errorOf(this.reason);
  }

  /** The failure's identity, for marking it as told. */
  get #told(): unknown {
    return this.failure ?? this.error;
  }

  /** Whether this end covers an error: it is the failure, or the signal asked for it. */
  isKnown(error: unknown): boolean {
    if (this.failed && this.error === error) return true;
    return this.#aborted !== undefined && (error === this.#controller?.signal.reason || isAbortError(error));
  }

  /** Aborts the signal: waiting has no point any more. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }

  /** The end begins. */
  begin(reason: Reason, abort: boolean, left: boolean): void {
    this.reason = reason;
    this.left = left;
    if (!this.failed) return;
    if (abort) {
      this.report.passedOn = true; // M34
      markReported(this.error);
    } else this.failure ??= claimFailure(this.error, this.#options.name, "fail");
  }

  /** Registers a consumer that is to pass the failure on. The returned function says that it has not. */
  carrier(): () => void {
    this.#claim();
    // Anyone who read `done` hears of it there.
    return this.report.carrier(
      this.#told,
      this.error,
      () => this.#done !== undefined,
      () => this.withdraw(),
    );
  }

  /** The failure has come from another stage, which is to hear of it if this one does not pass it on. */
  passesOnFor(onNotPassedOn: (() => void) | undefined): void {
    if (onNotPassedOn === undefined) return;
    if (this.#withdrawn) onNotPassedOn();
    else this.#from.push(onNotPassedOn);
  }

  /** The failure is not passed on. False if it began here: then it is this stage that has to tell. */
  withdraw(): boolean {
    if (!this.#withdrawn && this.#from.length === 0) return false;
    this.#withdrawn = true;
    for (const tell of this.#from.splice(0)) tell();
    return true;
  }

  /** Whether the failure has come from another stage. */
  get carried(): boolean {
    return this.#withdrawn || this.#from.length > 0;
  }

  /** Calls `then` when the end is complete, at once if it is. */
  whenSettled(then: () => void): void {
    if (this.settled) then();
    else this.#waiting.push(then);
  }

  /** `unseen`: an emitting stage that has had no consumer. Its failure then waits for the first one. */
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

  /** Makes an unhandled rejection of a failure, once over all stages that it reached. */
  #giveUp(): void {
    if (isFirst(this.#told)) void this.done;
  }

  #claim(): void {
    if (this.#unclaimed) claim(this.#unclaimed);
    this.#unclaimed = undefined;
  }

  /** Discards accepted events that no consumer gets. `quiet`: without the warning, where that was asked for. */
  discard(lost: readonly unknown[], cause: Discarded["cause"], quiet = false): void {
    if (lost.length === 0) return;
    const { name, onDiscard, putBack } = this.#options;
    const events = putBack && cause !== "overflow" ? putBack(lost) : lost;
    if (events.length === 0) return;
    this.dropped += events.length;
    if (onDiscard) this.report.guard(() => onDiscard({ events, cause, stage: name }), "onDiscard");
    else if (!quiet && !this.#warned) {
      this.#warned = true;
      console.warn(`headrace: ${name} discarded ${events.length} events (${cause}), see onDiscard`);
    }
  }

  /** Events meant for one consumer alone, which it has lost by the policy that it named. */
  lag(events: readonly unknown[], consumer: string): void {
    const { name, onDiscard } = this.#options;
    this.dropped += events.length;
    if (onDiscard) this.report.guard(() => onDiscard({ events, cause: "lag", stage: name, consumer }), "onDiscard");
  }

  /** The error of a request to an ended stage. */
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
