import { refuseUnknown, requireInteger, requireOneOf, requireType } from "../../base/check.ts";
import { callbackError, overflown } from "../../base/errors.ts";
import { requireNeeded } from "../../base/needed.ts";
import type { Counts } from "../../contract/adapter.ts";
import type { Discarded, Fixed } from "../../contract/options.ts";
import type { Subscription } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";
import { type Setting, makeStep } from "../../adapter/step.ts";
import { Holding } from "./holding.ts";

export interface BufferOptions<in Event> {
  /** **Units** events, from 1. */
  readonly size: number;
  /**
   * What becomes of events that do not fit. `"hold"`: none are taken that do not fit. `"drop-oldest"`, `"drop-newest"`: the
   * source never waits, and events are dropped. `"fail"`: the step fails.
   */
  readonly overflow: "hold" | "drop-oldest" | "drop-newest" | "fail";
  /** Hears of dropped events, with the cause `"overflow"`. */
  readonly onDiscard?: ((discarded: Discarded<Event>) => void) | undefined;
}

/** No one asks for more at a time. */
const MOST = 1000;

class BufferStep<In> extends Holding<In> {
  #dropped = 0;
  readonly #options: BufferOptions<In>;
  readonly #setting: Setting;

  constructor(options: BufferOptions<In>, setting: Setting) {
    super();
    this.#options = options;
    this.#setting = setting;
  }

  override take(events: readonly In[], subscription: Subscription): void {
    this.held.push(events, subscription);
    this.#serve();
    const excess = this.held.size - this.#options.size;
    if (excess > 0) this.#overflown(excess);
    this.pump();
  }

  pump(): void {
    if (this.over) return;
    this.#serve();
    this.checkEmpty();
    if (!this.begun || this.asks.closed) return;
    const { size, overflow } = this.#options;
    const room = Math.min(overflow === "hold" ? size - this.held.size : size, MOST) - this.asks.outstanding;
    if (room > 0 && (4 * room >= Math.min(size, MOST) || this.asks.outstanding === 0)) this.asks.ask(room);
  }

  override get counts(): Counts {
    return { dropped: this.#dropped };
  }

  #serve(): void {
    const count = Math.min(this.output.demand, this.held.size);
    if (count > 0) this.output.answer(this.held.take(count));
  }

  #overflown(excess: number): void {
    const { size, overflow } = this.#options;
    const { name, index, onDiscard } = this.#setting;
    const events = overflow === "drop-oldest" ? this.held.take(excess) : this.held.takeNewest(excess);
    if (overflow === "fail") {
      const error = overflown(name, size + excess, events);
      this.input.fail(callbackError({ stage: name, callback: "handleEvents", step: "buffer", index }, error, events));
      return;
    }
    this.#dropped += events.length;
    try {
      const tell = this.#options.onDiscard ?? onDiscard;
      tell?.({ events, cause: "overflow", stage: name });
    } catch (error) {
      this.input.report(error, "onDiscard");
    }
  }
}

/**
 * Holds up to `size` events, so that source and consumer keep a pace of their own.
 *
 * **Shape** one out for one in, in order, but for what is dropped.
 * **Units** `size` in events, from 1.
 * **Backpressures** `overflow: "hold"`: a prefetch; it asks for what there is room for, whatever is wanted behind it. By the
 * other policies the source never waits: at most `size` events are held, and `size` in front of the consumer, unless that
 * says otherwise; what does not fit is dropped, and told to `onDiscard`, or fails the step.
 * **Completes** with its source, behind what it holds; so it does at `drain`, and a failure of the source comes behind that.
 * **Cancels** at a stop, an abort or a failure: all that it holds goes back to the source.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no size or policy, or no such option. OverflowError `ERR_OVERFLOW`: the
 * step fails by its policy; `rejected` has what did not fit.
 *
 * **Source** rules 3.11, 8.8.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3]), buffer({ size: 100, overflow: "drop-oldest" }), collect());
 * console.log(await done); // [ 1, 2, 3 ]
 */
export function buffer<In>(options: BufferOptions<Fixed<In>>): Step<In, In> {
  const needs = { size: "1000", overflow: '"hold"' };
  requireNeeded("buffer", "buffer(…)", options, ["size", "overflow", "onDiscard"], needs);
  requireInteger("size", options.size, 1);
  requireOneOf("overflow", options.overflow, ["hold", "drop-oldest", "drop-newest", "fail"]);
  requireType("onDiscard", options.onDiscard, "function");
  const { size, overflow } = options;
  const window = overflow === "hold" ? undefined : Math.min(size, MOST);
  return makeStep<In, In>("buffer", (setting) =>
    new BufferStep<In>(options, setting).make(setting, { window, onDiscard: options.onDiscard }),
  );
}

/**
 * Keeps the newest event for a consumer that is slower than its source.
 *
 * **Shape** the events that the consumer had the time for. It is `buffer({ size: 1, overflow: "drop-oldest" })`.
 * **Backpressures** never: it holds one event, and one is in front of the consumer.
 *
 * @throws ArgumentError `ERR_OPTION`: no such option.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3]), latest(), collect());
 * console.log((await done).at(-1)); // 3
 */
export function latest<In>(options: Pick<BufferOptions<Fixed<In>>, "onDiscard"> = {}): Step<In, In> {
  refuseUnknown("latest", options, ["onDiscard"]);
  return buffer<In>({ ...options, size: 1, overflow: "drop-oldest" });
}
