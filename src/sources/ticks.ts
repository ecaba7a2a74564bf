import { source } from "../adapter/source.ts";
import { requireMillis } from "../base/check.ts";
import { argumentError } from "../base/errors.ts";
import type { SourceBehaviour, SourceContext } from "../contract/adapter.ts";
import type { NoOptions, SubscribeOptionsOf } from "../contract/dispatcher.ts";
import type { ProducerOptions } from "../contract/options.ts";
import type { Reason } from "../contract/reason.ts";
import type { Producer } from "../contract/stage.ts";

class Ticks implements SourceBehaviour<number> {
  readonly #ms: number;
  #stage!: SourceContext<number>;
  #began: number | undefined;
  /** The count of the tick that is waited for. */
  #next = 0;
  #timer: unknown;

  constructor(ms: number) {
    this.#ms = ms;
  }

  handleDemand(_demand: number, stage: SourceContext<number>): void {
    this.#stage = stage;
    this.#began ??= stage.runtime.clock.now();
    if (this.#timer === undefined) this.#arm();
  }

  handleCancel(_reason: Reason, _subscription: unknown, stage: SourceContext<number>): void {
    stage.askAgain();
  }

  terminate(): void {
    if (this.#timer !== undefined) this.#stage.runtime.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** Ticks that fell into a time in which no one asked are over. */
  #arm(): void {
    const { clock } = this.#stage.runtime;
    const began = this.#began as number;
    const now = clock.now();
    this.#next = Math.max(this.#next, Math.floor((now - began) / this.#ms));
    this.#timer = clock.setTimer(this.#onTimer, began + (this.#next + 1) * this.#ms - now);
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    const stage = this.#stage;
    if (stage.demand === 0) return;
    // A timer may be late by whole ticks.
    const passed = Math.floor((stage.runtime.clock.now() - (this.#began as number)) / this.#ms) - 1;
    const tick = Math.max(this.#next, passed);
    this.#next = tick + 1;
    stage.answer([tick]);
    if (stage.demand > 0) this.#arm();
  };
}

/**
 * Counts the intervals of `ms` milliseconds since it was first asked, by the runtime's clock: 0 comes after `ms`, 1 after twice
 * that.
 *
 * **Shape** one number for each interval. One that ends while no one asks is left out: its number never comes.
 * **Units** milliseconds, more than 0.
 * **Backpressures** nothing piles up, and no timer runs while no one asks. `maxDemand` is 1 by default, so that a consumer that
 * takes its time finds the tick that comes after.
 * **Completes** never by itself. **Cancels** when its last consumer leaves, unless `onLastCancel: "continue"`.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no interval, or no such option.
 *
 * **Source** rules 7.1 to 7.3.
 *
 * @example
 * console.log(await pipeline(ticks(1), take(3), map(() => "tick"), collect())); // [ 'tick', 'tick', 'tick' ]
 */
export function ticks<SO extends object = NoOptions>(
  ms: number,
  options: ProducerOptions<number, SO> = {},
): Producer<number, SubscribeOptionsOf<SO, number>> {
  requireMillis("ms", ms ?? null);
  if (ms === 0) throw argumentError("ERR_RANGE", "ms to be more than 0 milliseconds", ms);
  return source<number, SO>(new Ticks(ms), options, { name: "ticks", defaultMaxDemand: 1 });
}
