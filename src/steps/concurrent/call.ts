import type { StageContext, Subscription } from "../../contract/stage.ts";
import { TimeoutError, words } from "../../base/errors.ts";
import { isThenable } from "../../base/thenable.ts";
import { type Attempt, OneAttempt } from "./attempt.ts";
import { delayOf } from "../../base/retry.ts";
import type { Retry } from "../../contract/retry.ts";
import type { CallOptions } from "./call-options.ts";
import type { Lane, Taken } from "./lanes.ts";
import type { SlidingWindow } from "./rate-limiter.ts";

/** Who makes the calls. */
export interface Caller<In> {
  readonly fn: (event: In, attempt: Attempt) => unknown;
  readonly timeout: number | undefined;
  readonly retry: Retry | undefined;
  readonly limiter: SlidingWindow | undefined;
  readonly onFailure: CallOptions<In>["onFailure"];
  /** The name of the step, and that of its stage. */
  readonly step: string;
  readonly name: string;
  readonly stage: StageContext;
  /** Nothing is begun any more. */
  readonly stopping: boolean;
  /** The call has ended: with a result, or with none where `onFailure` says so. */
  done(call: Call<In>): void;
  /** The last attempt has failed, and nothing stands between that and the step. */
  fail(call: Call<In>, error: unknown): void;
  /** The last attempt has failed, and the event is skipped. */
  skipped(error: unknown): void;
  /** Events passed over so far. */
  failed: number;
  /** Calls of the function so far. */
  count: number;
}

/** An event that has been begun: its attempts, and what came of them. */
export class Call<In> implements Taken<In> {
  event!: In;
  subscription!: Subscription;
  seq = 0;
  lane: Lane | undefined = undefined;
  /** 0 while it waits for its first permit. */
  attempts = 0;
  /** It waits for its next attempt. */
  waits = false;
  /** What the last attempt has failed with. */
  error: unknown = undefined;
  /** `onFailure` has the event: whatever comes of it, it is not lost. */
  handedOver = false;
  ended = false;
  /** Whether it has a result to emit. */
  gives = false;
  value: unknown = undefined;
  /** Its place among the calls begun. */
  listed = false;
  before: Call<In> | undefined = undefined;
  behind: Call<In> | undefined = undefined;
  readonly #caller: Caller<In>;
  #attempt: OneAttempt | undefined = undefined;
  /** Ends what it waits for besides: a timeout, a back-off, a permit. */
  #cancel: (() => void) | undefined = undefined;

  readonly #onValue = (value: unknown): void => {
    if (!this.#attempt?.over) this.#succeeded(value);
  };
  readonly #onError = (error: unknown): void => this.#rejected(this.#attempt as OneAttempt, error);

  constructor(caller: Caller<In>) {
    this.#caller = caller;
  }

  /** Takes an event up: its first, or another once the one before has been emitted. */
  take(event: In, subscription: Subscription, seq: number, lane: Lane | undefined): void {
    this.event = event;
    this.subscription = subscription;
    this.seq = seq;
    this.lane = lane;
    this.attempts = 0;
    this.ended = false;
    this.gives = false;
    this.error = undefined;
    this.handedOver = false;
  }

  /** Lets go of what it has been about. */
  clear(): void {
    this.event = undefined as In;
    this.value = undefined;
    this.error = undefined;
    this.#attempt = undefined;
  }

  /** Makes the next attempt once there is a permit for it. */
  begin(): void {
    const { limiter, stage } = this.#caller;
    const { clock } = stage.runtime;
    if (limiter === undefined || limiter.take(clock)) this.#invoke();
    else {
      this.waits = true;
      this.#cancel = limiter.queue(clock, () => {
        this.#cancel = undefined;
        this.#invoke();
      });
    }
  }

  /** Goes on with what an attempt has returned. */
  returned(attempt: OneAttempt, result: unknown): void {
    this.attempts = attempt.attempt;
    if (isThenable(result)) this.wait(attempt, result);
    else this.#succeeded(result);
  }

  /** Goes on with what an attempt has thrown. */
  threw(attempt: OneAttempt, error: unknown): void {
    this.attempts = attempt.attempt;
    this.#attempt = attempt;
    this.#failed(error);
  }

  /** Waits for nothing any more. */
  withdraw(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  abandon(reason: unknown): void {
    this.withdraw();
    this.#attempt?.abort(reason);
  }

  #invoke(): void {
    this.waits = false;
    const attempt = new OneAttempt(this.attempts + 1);
    let result: unknown;
    this.#caller.count += 1;
    try {
      result = this.#caller.fn(this.event, attempt);
    } catch (error) {
      this.threw(attempt, error);
      return;
    }
    this.returned(attempt, result);
  }

  wait(attempt: OneAttempt, promise: PromiseLike<unknown>): void {
    this.attempts = attempt.attempt;
    this.#attempt = attempt;
    const ms = this.#caller.timeout;
    if (ms === undefined) {
      // One attempt at a time, and each has settled before the next one, or the next event: no closures of its own.
      Promise.resolve(promise).then(this.#onValue, this.#onError);
      return;
    }
    this.#after(ms, () => this.#timedOut(attempt, ms));
    Promise.resolve(promise).then(
      (value) => this.#settled(attempt, value),
      (error: unknown) => this.#rejected(attempt, error),
    );
  }

  /** A result that comes late is dropped. */
  #settled(attempt: OneAttempt, value: unknown): void {
    if (attempt.over) return;
    this.withdraw();
    this.#succeeded(value);
  }

  #rejected(attempt: OneAttempt, error: unknown): void {
    if (!attempt.over) {
      this.withdraw();
      this.#failed(error);
    } else if (!attempt.gaveUp(error)) this.#report(error);
  }

  #timedOut(attempt: OneAttempt, ms: number): void {
    const { step, name, retry, onFailure } = this.#caller;
    const first = retry ? "give timeout more" : "read signal in the function to give up with it";
    const missing = [...(retry ? [] : ["retry"]), ...(onFailure ? [] : ["onFailure"])].join(" or ");
    const advice = missing ? `${first}, or add ${missing}` : first;
    const expected = `attempt ${attempt.attempt} of ${step} in ${name} to take at most ${ms} ms`;
    const error = new TimeoutError("ERR_TIMEOUT", expected, words("no result"), advice);
    attempt.abort(error);
    this.#failed(error);
  }

  #succeeded(value: unknown): void {
    this.gives = true;
    this.value = value;
    this.#caller.done(this);
  }

  #failed(error: unknown): void {
    const caller = this.#caller;
    const { retry, onFailure } = caller;
    if (retry !== undefined && this.attempts < retry.attempts && !caller.stopping) {
      let again: boolean;
      try {
        again = retry.when?.(error, this.attempts) ?? true;
      } catch (second) {
        this.#report(error);
        caller.fail(this, second);
        return;
      }
      if (again) {
        this.waits = true;
        this.error = error;
        this.#after(delayOf(retry, this.attempts, Math.random()), () => this.begin());
        return;
      }
    }
    if (onFailure === "skip") {
      caller.skipped(error);
      caller.done(this);
    } else if (typeof onFailure === "function") void this.#handOver(error, onFailure);
    else caller.fail(this, error);
  }

  /** The user's function has the failure, and the event with it. */
  async #handOver(error: unknown, onFailure: (failed: never) => unknown): Promise<void> {
    const attempt = new OneAttempt(this.attempts);
    this.#attempt = attempt;
    this.handedOver = true;
    try {
      await onFailure({ event: this.event, error, attempts: this.attempts } as never);
      this.#caller.failed += 1;
      if (!attempt.over) this.#caller.done(this);
    } catch (second) {
      this.handedOver = false;
      if (attempt.over) this.#report(second);
      else this.#caller.fail(this, second);
    }
  }

  #report(error: unknown): void {
    this.#caller.stage.report(error, this.#caller.step);
  }

  #after(ms: number, then: () => void): void {
    const { clock } = this.#caller.stage.runtime;
    const timer = clock.setTimer(() => {
      this.#cancel = undefined;
      then();
    }, ms);
    this.#cancel = () => clock.clearTimer(timer);
  }
}
