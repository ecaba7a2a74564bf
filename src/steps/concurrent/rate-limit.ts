import { requireInteger, requireType } from "../../base/check.ts";
import { argumentError, callbackError } from "../../base/errors.ts";
import { Heap, type Placed } from "../../base/heap.ts";
import { Deque } from "../../base/deque.ts";
import type { Key } from "../../base/hash.ts";
import type { Fixed } from "../../contract/options.ts";
import type { Subscription } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";
import { type Setting, makeStep } from "../../adapter/step.ts";
import { Holding } from "./holding.ts";
import { bySubscription, type Taken } from "./lanes.ts";
import { Pair } from "./pair.ts";
import { checkRate, limiterOf, type Rate, type RateLimiter, SlidingWindow } from "./rate-limiter.ts";

export interface RateLimitOptions<in Event> extends Rate {
  /** Each key has a rate of its own. */
  readonly key?: ((event: Event) => Key) | undefined;
  /** With `key`: events that wait for their key. **Units** events, from 1. @default 1000 */
  readonly maxQueued?: number | undefined;
}

/** All events share one rate. */
class RateLimit<In> extends Holding<In> {
  readonly #limiter: SlidingWindow;
  #withdraw: (() => void) | undefined;

  constructor(limiter: SlidingWindow) {
    super();
    this.#limiter = limiter;
  }

  pump(): void {
    if (this.over) return;
    const { clock } = this.input.runtime;
    while (this.output.demand > 0 && this.held.size > 0 && this.#withdraw === undefined) {
      if (this.#limiter.take(clock)) this.output.answer(this.held.take(1));
      else this.#withdraw = this.#limiter.queue(clock, this.#onPermit);
    }
    this.checkEmpty();
    const wanted = this.begun && !this.asks.closed && this.output.demand > 0;
    if (wanted && this.held.size + this.asks.outstanding === 0) this.asks.ask(1);
  }

  override giveBack(): void {
    this.#withdraw?.();
    this.#withdraw = undefined;
    super.giveBack();
  }

  readonly #onPermit = (): void => {
    this.#withdraw = undefined;
    this.output.answer(this.held.take(1));
    this.pump();
  };
}

/** The events of one key that wait. */
class Lane<In> implements Placed {
  at = -1;
  /** When its next event may go, by the clock. */
  readyAt = -0;
  readonly limiter: SlidingWindow;
  readonly queue = new Deque<Taken<In>>(2);

  constructor(rate: Rate) {
    this.limiter = new SlidingWindow(rate);
  }
}

/** Each key has a rate of its own. */
class KeyedRateLimit<In> extends Pair<In, In> {
  readonly #options: RateLimitOptions<In>;
  readonly #setting: Setting;
  readonly #maxQueued: number;
  readonly #lanes = new Map<Key, Lane<In>>();
  /** Lanes with events, the one that may go first in front. */
  readonly #waiting = new Heap<Lane<In>>((a, b) => a.readyAt < b.readyAt);
  #held = 0;
  #seq = 0;
  #sweepAt = 64;
  #timer: unknown;

  constructor(options: RateLimitOptions<In>, setting: Setting) {
    super();
    this.#options = options;
    this.#setting = setting;
    this.#maxQueued = options.maxQueued ?? 1000;
  }

  override get working(): boolean {
    return this.#timer !== undefined;
  }

  get empty(): boolean {
    return this.#held === 0;
  }

  take(events: readonly In[], subscription: Subscription): void {
    const now = this.input.runtime.clock.now();
    for (const [i, event] of events.entries()) {
      let lane: Lane<In>;
      try {
        lane = this.#laneOf((this.#options.key as (event: In) => Key)(event), now);
      } catch (cause) {
        this.input.giveBack(subscription, events.slice(i + 1));
        const { name, index } = this.#setting;
        const where = { stage: name, callback: "handleEvents", step: "rateLimit", index, event };
        this.input.fail(callbackError(where, cause, [event]));
        return;
      }
      lane.queue.push({ event, subscription, seq: this.#seq++, lane: undefined });
      this.#held += 1;
      if (lane.queue.size > 1) continue;
      lane.readyAt = now + lane.limiter.wait(now);
      this.#waiting.raise(lane);
    }
    this.pump();
  }

  pump(): void {
    if (this.over) return;
    const { clock } = this.input.runtime;
    this.#clear();
    while (this.output.demand > 0) {
      const lane = this.#waiting.first;
      if (lane === undefined || !lane.limiter.take(clock)) break;
      const { event } = lane.queue.shift() as Taken<In>;
      this.#held -= 1;
      const now = clock.now();
      lane.readyAt = now + lane.limiter.wait(now);
      if (lane.queue.size > 0) this.#waiting.lower(lane);
      else this.#waiting.remove(lane);
      this.output.answer([event]);
    }
    this.checkEmpty();
    if (this.output.demand === 0) return;
    const first = this.#waiting.first;
    if (first) this.#timer = clock.setTimer(this.#onTimer, Math.max(0, first.readyAt - clock.now()));
    if (
      this.begun &&
      !this.asks.closed &&
      this.#held + this.asks.outstanding < this.#maxQueued &&
      this.asks.outstanding === 0
    )
      this.asks.ask(1);
  }

  override unmake(events: readonly In[]): readonly In[] {
    return events;
  }

  giveBack(): void {
    this.#clear();
    const all: Taken<In>[] = [];
    for (const { queue } of this.#lanes.values())
      for (let taken = queue.shift(); taken; taken = queue.shift()) all.push(taken);
    this.#lanes.clear();
    this.#held = 0;
    for (const [subscription, rest] of bySubscription(all)) this.input.giveBack(subscription, rest);
  }

  #laneOf(key: Key, now: number): Lane<In> {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      this.#sweep(now);
      lane = new Lane(this.#options);
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** Forgets keys that have had no event for an interval, now and then. */
  #sweep(now: number): void {
    if (this.#lanes.size < this.#sweepAt) return;
    for (const [key, { queue, limiter }] of this.#lanes)
      if (queue.size === 0 && limiter.forgotten(now)) this.#lanes.delete(key);
    this.#sweepAt = Math.max(64, 2 * this.#lanes.size);
  }

  #clear(): void {
    if (this.#timer !== undefined) this.input.runtime.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.pump();
  };
}

/**
 * Delays events, so that in any stretch of `interval` at most `events` go out. It drops none.
 *
 * **Shape** one out for one in, in order; with `key` in the order of each key.
 * **Units** `events` from 1, `interval` in milliseconds, more than 0; `maxQueued` in events, 1000 by default, with `key` only.
 * **Backpressures** it asks for one event at a time, and the consumer's window is 1, so that what goes out goes on at that rate;
 * it holds one event. With `key` it reads on while what it holds has to wait, up to `maxQueued` events.
 * **Completes** with its source, behind what it holds; so it does at `drain`, at its rate. **Cancels** at a stop, an abort or a
 * failure: what it holds goes back to the source.
 *
 * Where calls matter, and not events, give `rate` to `mapAsync` or `forEach`: there each attempt takes a permit.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no rate, or no such option. When `key` throws, the step fails with that.
 *
 * **Source** rule 8.8.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3]), rateLimit({ events: 2, interval: 10 }), collect());
 * console.log(await done); // [ 1, 2, 3 ]
 */
export function rateLimit<In>(rate: RateLimitOptions<Fixed<In>> | RateLimiter): Step<In, In> {
  const options = rate as RateLimitOptions<In> & Partial<RateLimiter>;
  if (!options?.["~limiter"]) {
    checkRate("rateLimit", options, ["key", "maxQueued"]);
    requireType("key", options.key, "function");
    requireInteger("maxQueued", options.maxQueued, 1);
    if (options.maxQueued !== undefined && options.key === undefined)
      throw argumentError("ERR_OPTION", "maxQueued together with key", options.maxQueued);
  }
  return makeStep<In, In>("rateLimit", (setting) => {
    const step = options.key
      ? new KeyedRateLimit<In>(options, setting)
      : new RateLimit<In>(options["~limiter"] ? (limiterOf(options) as SlidingWindow) : new SlidingWindow(options));
    return step.make(setting, { window: 1 });
  });
}
