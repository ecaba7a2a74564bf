import { callbackError } from "../../base/errors.ts";
import type { Key } from "../../base/hash.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Task } from "../../contract/runtime.ts";
import type { Counts } from "../../contract/adapter.ts";
import type { StageContext, Subscription } from "../../contract/stage.ts";
import { type Attempt, OneAttempt } from "./attempt.ts";
import { Begun } from "./begun.ts";
import { Call, type Caller } from "./call.ts";
import type { Retry } from "../../contract/retry.ts";
import type { CallOptions } from "./call-options.ts";
import type { Host } from "./host.ts";
import { bySubscription, type Lane, Lanes, type Taken } from "./lanes.ts";
import { limiterOf, type SlidingWindow } from "./rate-limiter.ts";

/**
 * Calls a function for each event, so many at a time and one at a time for each key; what is emitted, and what is
 * asked for, is its host's.
 */
export class Calls<In> implements Task, Caller<In> {
  readonly lanes: Lanes<In> = new Lanes();
  /** Calls that hold a slot. */
  running = 0;
  readonly fn: (event: In, attempt: Attempt) => unknown;
  readonly timeout: number | undefined;
  readonly retry: Retry | undefined;
  readonly limiter: SlidingWindow | undefined;
  readonly onFailure: CallOptions<In>["onFailure"];
  readonly step: string;
  readonly name: string;
  /** Nothing is begun any more. */
  stopping = false;
  readonly #host: Host;
  readonly #stage: () => StageContext;
  readonly #concurrency: number;
  readonly #key: ((event: In) => Key) | undefined;
  readonly #calls = new Begun<In>();
  /** Calls to be used again: no more than were ever begun at a time. */
  readonly #spare: Call<In>[] = [];
  /** Results to emit. */
  #ready: unknown[] = [];
  #seq = 0;
  #scheduled = false;
  /** Events that were passed over. */
  failed = 0;
  /** Calls of the function. */
  count = 0;
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
    this.fn = fn;
    this.timeout = options.timeout;
    this.retry = options.retry;
    this.limiter = limiterOf(options.rate);
    this.onFailure = options.onFailure;
    this.step = host.step;
    this.name = host.stage;
    this.#host = host;
    this.#stage = stage;
    this.#concurrency = concurrency;
    this.#key = options.key;
  }

  get stage(): StageContext {
    return this.#stage();
  }

  /** Results that wait for an earlier one, or for their turn. */
  get held(): number {
    return this.#calls.size - this.running + this.#ready.length;
  }

  get empty(): boolean {
    return this.#calls.size === 0 && this.lanes.size === 0 && this.#ready.length === 0;
  }

  take(events: readonly In[], subscription: Subscription): void {
    const first = this.#seq;
    this.#seq += events.length;
    if (this.#key !== undefined) this.#takeByKey(this.#key, events, subscription, first);
    else {
      let i = 0;
      if (this.lanes.size === 0)
        for (; i < events.length && this.#mayStart; i += 1)
          this.#start(events[i] as In, subscription, first + i, undefined);
      this.lanes.pushAll(events, i, subscription, first);
    }
    this.go();
  }

  #takeByKey(key: (event: In) => Key, events: readonly In[], subscription: Subscription, first: number): void {
    for (let i = 0; i < events.length; i += 1) {
      if (this.#over) {
        this.lanes.pushAll(events, i, subscription, first);
        return;
      }
      const event = events[i] as In;
      let lane: Lane;
      try {
        lane = this.lanes.laneOf(key(event));
      } catch (error) {
        this.#broken(error, event, [event]);
        continue;
      }
      if (!lane.idle || this.lanes.startable || !this.#mayStart)
        this.lanes.push(lane, { event, subscription, seq: first + i, lane });
      else {
        lane.busy = true;
        this.#start(event, subscription, first + i, lane);
      }
    }
  }

  /** Emits, begins what can begin. */
  go(): void {
    this.#flush();
    while (this.#mayStart && this.lanes.startable) this.#startNext();
    this.#flush();
    if (this.#idle && this.#under === 0) this.#idle();
    if (!this.#over) this.#host.pump();
  }

  #startNext(): void {
    const { lanes } = this;
    const { stretch } = lanes;
    if (stretch !== undefined) {
      const { events, subscription, seq, at } = stretch;
      lanes.advance(stretch);
      this.#start(events[at] as In, subscription, seq + at, undefined);
    } else {
      const { event, subscription, seq, lane } = lanes.shift() as Taken<In>;
      this.#start(event, subscription, seq, lane);
    }
  }

  /** A turn behind the stretch in which calls have ended. */
  run(): void {
    this.#scheduled = false;
    this.go();
  }

  get #mayStart(): boolean {
    return this.running < this.#concurrency && !this.stopping && (this.#key === undefined || this.#host.room);
  }

  // ── One event ──────────────────────────────────────────────────────────────────────────────────────────────────

  #start(event: In, subscription: Subscription, seq: number, lane: Lane | undefined): void {
    if (this.limiter !== undefined) {
      this.#begin(event, subscription, seq, lane).begin();
      return;
    }
    const attempt = new OneAttempt(1);
    let result: unknown;
    this.count += 1;
    try {
      result = this.fn(event, attempt);
    } catch (error) {
      this.#begin(event, subscription, seq, lane).threw(attempt, error);
      return;
    }
    if (isThenable(result)) this.#begin(event, subscription, seq, lane).wait(attempt, result);
    else if (this.#calls.size > 0 && this.#host.ordered)
      this.#begin(event, subscription, seq, lane).returned(attempt, result);
    else {
      // Nothing is waited for: no call, no promise.
      this.#ready.push(result);
      if (lane !== undefined) this.lanes.release(lane);
    }
  }

  #begin(event: In, subscription: Subscription, seq: number, lane: Lane | undefined): Call<In> {
    const call = this.#spare.pop() ?? new Call(this);
    call.take(event, subscription, seq, lane);
    this.#calls.add(call);
    this.running += 1;
    return call;
  }

  done(call: Call<In>): void {
    call.ended = true;
    this.running -= 1;
    if (call.lane !== undefined) this.lanes.release(call.lane);
    if (!this.#host.ordered || this.#host.over) this.#out(call);
    else for (let first = this.#calls.oldest; first?.ended; first = this.#calls.oldest) this.#out(first);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.stage.runtime.schedule(this);
  }

  #out(call: Call<In>): void {
    this.#calls.delete(call);
    if (call.gives) this.#ready.push(call.value);
    // An attempt that has timed out may settle late: such a call serves its event only.
    if (this.timeout !== undefined || this.stopping) return;
    call.clear();
    this.#spare.push(call);
  }

  #flush(): void {
    if (this.#ready.length === 0) return;
    const results = this.#ready;
    this.#ready = [];
    this.#host.emit(results);
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The first one is reported, all are counted. */
  skipped(error: unknown): void {
    if (this.failed === 0) this.stage.report(error, this.step);
    this.failed += 1;
  }

  get counts(): Counts {
    return { failed: this.failed, calls: this.count };
  }

  fail(call: Call<In>, error: unknown): void {
    if (this.stopping) {
      // What it was to give reaches no one, and what it failed with someone.
      this.stage.report(error, this.step);
      this.#host.lost([call.event]);
      this.done(call);
      return;
    }
    this.#broken(error, call.event, []);
  }

  /** The step fails. What was begun and has not been emitted is told with the failure, in order. */
  #broken(error: unknown, event: In, besides: readonly In[]): void {
    if (this.#over) return;
    this.#flush();
    const { stage, step, index } = this.#host;
    const begun = this.#calls.all().filter(({ attempts, handedOver }) => attempts > 0 && !handedOver);
    const events = begun
      .toSorted((a, b) => a.seq - b.seq)
      .map((other) => other.event)
      .concat(besides);
    const failure = callbackError({ stage, callback: "handleEvents", step, index, event }, error, events);
    this.#over = true;
    this.stopping = true;
    this.#abandon(failure);
    this.#host.fail(failure);
  }

  /** Returns what has not been begun, by subscription, for its owner to give back. */
  takeBack(): Map<Subscription, In[]> {
    const rest = this.lanes.takeAll();
    for (const call of this.#calls.all()) {
      if (call.attempts > 0) continue;
      this.#drop(call);
      rest.push(call);
    }
    return bySubscription(rest);
  }

  /** A stop waits for the calls under way, if there are any. What waits for another attempt is not given one. */
  idle(): Promise<void> | undefined {
    this.stopping = true;
    for (const call of this.#calls.all()) {
      if (call.ended) this.#out(call);
      if (!call.waits || call.attempts === 0) continue;
      this.#drop(call);
      this.stage.report(call.error, this.step);
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
    for (const { attempts } of this.#calls.all()) if (attempts > 0) count += 1;
    return count;
  }

  #drop(call: Call<In>): void {
    call.withdraw();
    this.#calls.delete(call);
    this.running -= 1;
  }

  /** Waits for nothing any more. What was begun is lost, and told. */
  abort(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.stopping = true;
    const begun = this.#calls.all().filter(({ attempts, ended, handedOver }) => attempts > 0 && !ended && !handedOver);
    const held = this.#calls
      .all()
      .filter(({ ended, gives }) => ended && gives)
      .map(({ value }) => value);
    this.#flush();
    this.#abandon(reason);
    if (held.length > 0) this.#host.emit(held);
    if (begun.length > 0) this.#host.lost(begun.map(({ event }) => event));
  }

  /** Lets go of all that was begun. What waits for its first attempt stays, to be given back. */
  #abandon(reason: unknown): void {
    for (const call of this.#calls.all()) {
      if (call.attempts === 0) continue;
      this.#calls.delete(call);
      if (call.ended) continue;
      this.running -= 1;
      call.abandon(reason);
    }
  }
}
