import { callbackError, TimeoutError, words } from "../../base/errors.ts";
import type { Key } from "../../base/hash.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Clock, Task } from "../../contract/runtime.ts";
import type { StageContext, Subscription } from "../../contract/stage.ts";
import { type Attempt, OneAttempt } from "./attempt.ts";
import { type CallOptions, delayOf, type Retry } from "./call-options.ts";
import { bySubscription, type Lane, Lanes, type Taken } from "./lanes.ts";
import { limiterOf, type SlidingWindow } from "./rate-limiter.ts";

/** An event that has been begun: its attempts, and what came of them. */
interface Call<In> extends Taken<In> {
  /** 0 while it waits for its first permit. */
  attempts: number;
  attempt: OneAttempt | undefined;
  /** Ends what it waits for besides: a timeout, a back-off, a permit. */
  cancel: (() => void) | undefined;
  /** It waits for its next attempt. */
  waits: boolean;
  /** What the last attempt has failed with. */
  error: unknown;
  /** `onFailure` has the event: whatever comes of it, it is not lost. */
  handedOver: boolean;
  done: boolean;
  /** Whether it has a result to emit. */
  gives: boolean;
  value: unknown;
}

/** The step around the calls. */
export interface Host {
  readonly step: string;
  readonly index: number;
  readonly stage: string;
  readonly ordered: boolean;
  /** Whether results reach no one any more: then their order is of no account. */
  readonly over: boolean;
  /** Whether one more call may be under way, as far as results are concerned. */
  readonly room: boolean;
  /** Results, in the order in which they go out. */
  emit(results: readonly unknown[]): void;
  /** Calls have ended, or results gone out: there may be room. */
  pump(): void;
  fail(error: unknown): void;
  /** Events that were begun and give nothing that anyone gets. */
  lost(events: readonly unknown[]): void;
}

/**
 * Calls a function for each event, so many at a time. Knows keys, timeouts, attempts and rates; what is emitted, and what is
 * asked for, is its host's.
 */
export class Calls<In> implements Task {
  readonly lanes: Lanes<In> = new Lanes();
  /** Calls that hold a slot. */
  running = 0;
  readonly #fn: (event: In, attempt: Attempt) => unknown;
  readonly #host: Host;
  readonly #stage: () => StageContext;
  readonly #concurrency: number;
  readonly #key: ((event: In) => Key) | undefined;
  readonly #timeout: number | undefined;
  readonly #retry: Retry | undefined;
  readonly #limiter: SlidingWindow | undefined;
  readonly #onFailure: CallOptions<In>["onFailure"];
  /** Begun and not emitted, in the order of their beginning. */
  readonly #calls = new Set<Call<In>>();
  /** Results to emit. */
  #ready: unknown[] = [];
  #seq = 0;
  #scheduled = false;
  #skipped = false;
  /** Nothing is begun any more. */
  #stopping = false;
  /** Nothing is waited for any more. */
  #over = false;
  #idle: (() => void) | undefined;

  constructor(
    fn: (event: In, attempt: Attempt) => unknown,
    options: CallOptions<In>,
    concurrency: number,
    host: Host,
    stage: () => StageContext,
  ) {
    this.#fn = fn;
    this.#host = host;
    this.#stage = stage;
    this.#concurrency = concurrency;
    this.#key = options.key;
    this.#timeout = options.timeout;
    this.#retry = options.retry;
    this.#limiter = limiterOf(options.rate);
    this.#onFailure = options.onFailure;
  }

  /** Results that wait for an earlier one, or for their turn. */
  get held(): number {
    return this.#calls.size - this.running + this.#ready.length;
  }

  get empty(): boolean {
    return this.#calls.size === 0 && this.lanes.size === 0 && this.#ready.length === 0;
  }

  get #clock(): Clock {
    return this.#stage().runtime.clock;
  }

  take(events: readonly In[], subscription: Subscription): void {
    const { length } = events;
    const key = this.#key;
    for (let i = 0; i < length; i += 1) {
      const event = events[i] as In;
      const seq = this.#seq++;
      let lane: Lane | undefined;
      if (key !== undefined && !this.#over) {
        try {
          lane = this.lanes.laneOf(key(event));
        } catch (error) {
          this.#broken(error, event, [event]);
          continue;
        }
      } else if (this.#mayStart && this.lanes.size === 0) {
        this.#start(event, subscription, seq, undefined);
        continue;
      }
      this.lanes.push({ event, subscription, seq, lane });
    }
    this.go();
  }

  /** Emits, begins what can begin. */
  go(): void {
    this.#flush();
    while (this.#mayStart && this.lanes.startable) {
      const taken = this.lanes.shift() as Taken<In>;
      this.#start(taken.event, taken.subscription, taken.seq, taken.lane);
    }
    this.#flush();
    if (this.#idle && this.#under === 0) this.#idle();
    if (!this.#over) this.#host.pump();
  }

  /** A turn behind the stretch in which calls have ended. */
  run(): void {
    this.#scheduled = false;
    this.go();
  }

  get #mayStart(): boolean {
    return this.running < this.#concurrency && !this.#stopping && (this.#key === undefined || this.#host.room);
  }

  // ── One event ──────────────────────────────────────────────────────────────────────────────────────────────────

  #start(event: In, subscription: Subscription, seq: number, lane: Lane | undefined): void {
    if (this.#limiter !== undefined) {
      const call = this.#begin(event, subscription, seq, lane);
      this.#permit(call);
      return;
    }
    const attempt = new OneAttempt(1);
    let result: unknown;
    try {
      result = this.#fn(event, attempt);
    } catch (error) {
      const call = this.#begin(event, subscription, seq, lane);
      call.attempts = 1;
      call.attempt = attempt;
      this.#failed(call, error);
      return;
    }
    if (isThenable(result)) {
      const call = this.#begin(event, subscription, seq, lane);
      call.attempts = 1;
      this.#wait(call, attempt, result);
    } else if (this.#calls.size === 0 || !this.#host.ordered) {
      // Nothing is waited for: no call, no promise.
      this.#ready.push(result);
      this.lanes.release(lane);
    } else {
      const call = this.#begin(event, subscription, seq, lane);
      call.attempts = 1;
      this.#succeeded(call, result);
    }
  }

  #begin(event: In, subscription: Subscription, seq: number, lane: Lane | undefined): Call<In> {
    const call: Call<In> = {
      event,
      subscription,
      seq,
      lane,
      attempts: 0,
      attempt: undefined,
      cancel: undefined,
      waits: false,
      error: undefined,
      handedOver: false,
      done: false,
      gives: false,
      value: undefined,
    };
    this.#calls.add(call);
    this.running += 1;
    return call;
  }

  /** Makes the next attempt once there is a permit for it. */
  #permit(call: Call<In>): void {
    const limiter = this.#limiter;
    const clock = this.#clock;
    if (limiter === undefined || limiter.take(clock)) this.#invoke(call);
    else {
      call.waits = true;
      call.cancel = limiter.queue(clock, () => {
        call.cancel = undefined;
        this.#invoke(call);
      });
    }
  }

  #invoke(call: Call<In>): void {
    call.waits = false;
    call.attempts += 1;
    const attempt = new OneAttempt(call.attempts);
    let result: unknown;
    try {
      result = this.#fn(call.event, attempt);
    } catch (error) {
      call.attempt = attempt;
      this.#failed(call, error);
      return;
    }
    if (isThenable(result)) this.#wait(call, attempt, result);
    else this.#succeeded(call, result);
  }

  #wait(call: Call<In>, attempt: OneAttempt, promise: PromiseLike<unknown>): void {
    call.attempt = attempt;
    const ms = this.#timeout;
    if (ms !== undefined) this.#after(call, ms, () => this.#timedOut(call, attempt, ms));
    Promise.resolve(promise).then(
      (value) => this.#settled(call, attempt, value),
      (error: unknown) => {
        if (attempt.over) {
          if (!attempt.gaveUp(error)) this.#stage().report(error, this.#host.step);
          return;
        }
        this.#withdraw(call);
        this.#failed(call, error);
      },
    );
  }

  /** A result that comes late is dropped. */
  #settled(call: Call<In>, attempt: OneAttempt, value: unknown): void {
    if (attempt.over) return;
    this.#withdraw(call);
    this.#succeeded(call, value);
  }

  #timedOut(call: Call<In>, attempt: OneAttempt, ms: number): void {
    const { step, stage } = this.#host;
    const expected = `attempt ${call.attempts} of ${step} in ${stage} to take at most ${ms} ms`;
    const error = new TimeoutError("ERR_TIMEOUT", expected, words("no result"));
    attempt.abort(error);
    this.#failed(call, error);
  }

  #succeeded(call: Call<In>, value: unknown): void {
    call.gives = true;
    call.value = value;
    this.#done(call);
  }

  #failed(call: Call<In>, error: unknown): void {
    const retry = this.#retry;
    if (retry !== undefined && call.attempts < retry.attempts && !this.#stopping) {
      let again: boolean;
      try {
        again = retry.when?.(error, call.attempts) ?? true;
      } catch (second) {
        this.#stage().report(error, this.#host.step);
        this.#fail(call, second);
        return;
      }
      if (again) {
        call.waits = true;
        call.error = error;
        this.#after(call, delayOf(retry, call.attempts, Math.random()), () => this.#permit(call));
        return;
      }
    }
    const onFailure = this.#onFailure;
    if (onFailure === "skip") this.#skip(call, error);
    else if (typeof onFailure === "function") void this.#handOver(call, error, onFailure);
    else this.#fail(call, error);
  }

  #skip(call: Call<In>, error: unknown): void {
    if (!this.#skipped) this.#stage().report(error, this.#host.step);
    this.#skipped = true;
    this.#done(call);
  }

  /** The user's function has the failure, and the event with it. */
  async #handOver(call: Call<In>, error: unknown, onFailure: (failed: never) => unknown): Promise<void> {
    const attempt = new OneAttempt(call.attempts);
    call.attempt = attempt;
    call.handedOver = true;
    try {
      await onFailure({ event: call.event, error, attempts: call.attempts } as never);
      if (!attempt.over) this.#done(call);
    } catch (second) {
      call.handedOver = false;
      if (attempt.over) this.#stage().report(second, this.#host.step);
      else this.#fail(call, second);
    }
  }

  #done(call: Call<In>): void {
    call.done = true;
    this.running -= 1;
    this.lanes.release(call.lane);
    if (!this.#host.ordered || this.#host.over) this.#out(call);
    else
      for (const first of this.#calls) {
        if (!first.done) break;
        this.#out(first);
      }
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#stage().runtime.schedule(this);
  }

  #out(call: Call<In>): void {
    this.#calls.delete(call);
    if (call.gives) this.#ready.push(call.value);
  }

  #flush(): void {
    if (this.#ready.length === 0) return;
    const results = this.#ready;
    this.#ready = [];
    this.#host.emit(results);
  }

  #after(call: Call<In>, ms: number, then: () => void): void {
    const clock = this.#clock;
    const timer = clock.setTimer(() => {
      call.cancel = undefined;
      then();
    }, ms);
    call.cancel = () => clock.clearTimer(timer);
  }

  #withdraw(call: Call<In>): void {
    call.cancel?.();
    call.cancel = undefined;
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  #fail(call: Call<In>, error: unknown): void {
    if (this.#stopping) {
      // What it was to give reaches no one, and what it failed with someone.
      this.#stage().report(error, this.#host.step);
      this.#host.lost([call.event]);
      this.#done(call);
      return;
    }
    this.#broken(error, call.event, []);
  }

  /** The step fails. What was begun and has not been emitted is told with the failure, in order. */
  #broken(error: unknown, event: In, besides: readonly In[]): void {
    if (this.#over) return;
    this.#flush();
    const { stage, step, index } = this.#host;
    const begun = [...this.#calls].filter(({ attempts, handedOver }) => attempts > 0 && !handedOver);
    const events = begun
      .toSorted((a, b) => a.seq - b.seq)
      .map((other) => other.event)
      .concat(besides);
    const failure = callbackError({ stage, callback: "handleEvents", step, index, event }, error, events);
    this.#over = true;
    this.#stopping = true;
    this.#abandon(failure);
    this.#host.fail(failure);
  }

  /** Begins nothing more. Returns what has not been begun, by subscription, for its owner to give back. */
  stop(): Map<Subscription, In[]> {
    this.#stopping = true;
    const rest = this.lanes.takeAll();
    for (const call of this.#calls) {
      if (call.attempts > 0) continue;
      this.#drop(call);
      rest.push(call);
    }
    return bySubscription(rest);
  }

  /** A stop waits for the calls under way, if there are any. What waits for another attempt is not given one. */
  idle(): Promise<void> | undefined {
    this.#stopping = true;
    for (const call of this.#calls) {
      if (call.done) this.#out(call);
      if (!call.waits || call.attempts === 0) continue;
      this.#drop(call);
      this.#stage().report(call.error, this.#host.step);
      this.#host.lost([call.event]);
    }
    this.#flush();
    if (this.#under === 0) return undefined;
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Calls whose function has been called and has not returned. */
  get #under(): number {
    let count = 0;
    for (const { attempts } of this.#calls) if (attempts > 0) count += 1;
    return count;
  }

  #drop(call: Call<In>): void {
    this.#withdraw(call);
    this.#calls.delete(call);
    this.running -= 1;
  }

  /** Waits for nothing any more. What was begun is lost, and told. */
  abort(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopping = true;
    const begun = [...this.#calls].filter(({ attempts, done, handedOver }) => attempts > 0 && !done && !handedOver);
    const held = [...this.#calls].filter(({ done, gives }) => done && gives).map(({ value }) => value);
    this.#flush();
    this.#abandon(reason);
    if (held.length > 0) this.#host.emit(held);
    if (begun.length > 0) this.#host.lost(begun.map(({ event }) => event));
  }

  /** Lets go of all that was begun. What waits for its first attempt stays, to be given back. */
  #abandon(reason: unknown): void {
    for (const call of this.#calls) {
      if (call.attempts === 0) continue;
      this.#withdraw(call);
      this.#calls.delete(call);
      if (!call.done) {
        this.running -= 1;
        call.attempt?.abort(reason);
      }
    }
  }
}
