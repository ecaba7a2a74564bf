import { requireInteger, requireMillis } from "../../base/check.ts";
import { requireNeeded } from "../../base/needed.ts";
import { Deque } from "../../base/deque.ts";
import { argumentError } from "../../base/errors.ts";
import type { Clock } from "../../contract/runtime.ts";

export interface Rate {
  /** Permits in any stretch of `interval`. **Units** from 1. */
  readonly events: number;
  /** **Units** milliseconds, more than 0. */
  readonly interval: number;
}

/** Permits that several steps, and several pipelines, share. */
export interface RateLimiter {
  readonly "~limiter": true;
}

interface Waiter {
  readonly clock: Clock;
  readonly go: () => void;
}

/** A strict sliding window: between a permit and the one `events` places behind it there is at least one `interval`. */
export class SlidingWindow implements RateLimiter {
  readonly "~limiter" = true;
  readonly #events: number;
  readonly #interval: number;
  /** When the last permits were given, at most `events` of them. */
  readonly #given = new Deque<number>();
  /** First come, first served. */
  #waiting: Waiter[] = [];
  #timer: { readonly clock: Clock; readonly timer: unknown } | undefined;

  constructor({ events, interval }: Rate) {
    this.#events = events;
    this.#interval = interval;
  }

  /** Whether nothing is known that a new one would not know. */
  forgotten(now: number): boolean {
    const last = this.#given.at(this.#given.size - 1);
    return this.#waiting.length === 0 && (last === undefined || now - last >= this.#interval);
  }

  /** Takes a permit if there is one. */
  take(clock: Clock): boolean {
    if (this.#waiting.length > 0 || this.wait(clock.now()) > 0) return false;
    this.#give(clock.now());
    return true;
  }

  /** Milliseconds until the next permit, where no one waits. */
  wait(now: number): number {
    const first = this.#given.size < this.#events ? undefined : this.#given.at(0);
    return first === undefined ? 0 : Math.max(0, first + this.#interval - now);
  }

  /** Calls `go` with the next permit. The returned function withdraws. */
  queue(clock: Clock, go: () => void): () => void {
    const waiter = { clock, go };
    this.#waiting.push(waiter);
    if (this.#waiting.length === 1) this.#arm();
    return () => {
      const first = this.#waiting[0] === waiter;
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      if (first) this.#arm();
    };
  }

  #give(now: number): void {
    if (this.#given.size >= this.#events) this.#given.shift();
    this.#given.push(now);
  }

  #arm(): void {
    if (this.#timer) this.#timer.clock.clearTimer(this.#timer.timer);
    this.#timer = undefined;
    const first = this.#waiting[0];
    if (first === undefined) return;
    const { clock } = first;
    this.#timer = { clock, timer: clock.setTimer(this.#onTimer, this.wait(clock.now())) };
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const now = first.clock.now();
      if (this.wait(now) > 0) break;
      this.#waiting.shift();
      this.#give(now);
      first.go();
    }
    if (this.#timer === undefined) this.#arm();
  };
}

/**
 * Makes permits for several steps, in one pipeline or in many: `rate` of `mapAsync` and `forEach`, and `rateLimit`.
 *
 * **Units** `events` from 1; `interval` in milliseconds, more than 0. In any stretch of `interval` at most `events` permits
 * are given, first come, first served.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: options that are none.
 *
 * **Source** rule 8.8.
 *
 * @example
 * const perHost = rateLimiter({ events: 2, interval: 10 });
 * const ask = async (n: number) => n;
 * const [some, others] = await Promise.all([
 *   pipeline(fromIterable([1, 2]), mapAsync(ask, { rate: perHost }), collect()).done,
 *   pipeline(fromIterable([3, 4]), mapAsync(ask, { rate: perHost }), collect()).done,
 * ]);
 * console.log(some.concat(others).join(" ")); // 1 2 3 4
 */
export function rateLimiter(rate: Rate): RateLimiter {
  checkRate("rateLimiter", rate);
  return new SlidingWindow(rate);
}

export function checkRate(owner: string, rate: Rate, own: readonly string[] = []): void {
  const form = owner === "rate" ? "{ rate: … }" : `${owner}(…)`;
  requireNeeded(owner, form, rate, ["events", "interval", ...own], { events: "100", interval: "1000" });
  const { events, interval } = rate;
  requireInteger("events", events, 1);
  requireMillis("interval", interval);
  if (interval === 0) throw argumentError("ERR_RANGE", "interval to be more than 0 milliseconds", interval);
}

/** The limiter that an option names, or one of the step's own. */
export function limiterOf(rate: Rate | RateLimiter | undefined): SlidingWindow | undefined {
  if (rate === undefined) return undefined;
  if ((rate as Partial<RateLimiter> | null)?.["~limiter"]) return rate as SlidingWindow;
  checkRate("rate", rate as Rate);
  return new SlidingWindow(rate as Rate);
}
