import { requireInteger, requireType } from "../../base/check.ts";
import type { Counts } from "../../contract/adapter.ts";
import type { Awaitable } from "../../contract/behaviour.ts";
import type { Fixed } from "../../contract/options.ts";
import type { Reason } from "../../contract/reason.ts";
import type { Subscription } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";
import { checkFunction } from "../per-event/per-event.ts";
import { type Setting, makeStep } from "../../adapter/step.ts";
import type { Attempt } from "./attempt.ts";
import { type CallOptions, checkCallOptions } from "./call-options.ts";
import { Calls } from "./calls.ts";
import type { Host } from "./host.ts";
import { Pair } from "./pair.ts";

export interface MapAsyncOptions<in Event> extends CallOptions<Event> {
  /** Whether results go out in the order of their events. @default true without `key`, false with it */
  readonly ordered?: boolean | undefined;
  /**
   * Results held because an earlier one is missing, or because they are not wanted yet; what waits in front of the consumer
   * counts, too. **Units** events, from 0. @default 4 × concurrency
   */
  readonly maxHeld?: number | undefined;
}

class MapAsync<In, Out> extends Pair<In, Out> implements Host {
  readonly step = "mapAsync";
  readonly index: number;
  readonly stage: string;
  readonly ordered: boolean;
  readonly #concurrency: number;
  readonly #maxHeld: number;
  /** Events begun, and results held, at most. Without keys also what waits to be begun. */
  readonly #most: number;
  /** With keys: events that wait. */
  readonly #maxQueued: number | undefined;
  readonly #calls: Calls<In>;

  constructor(
    fn: (event: In, attempt: Attempt) => unknown,
    options: MapAsyncOptions<In>,
    { name, index }: Setting,
    concurrency: number,
    maxHeld: number,
  ) {
    super();
    this.stage = name;
    this.index = index;
    this.ordered = options.ordered ?? options.key === undefined;
    this.#concurrency = concurrency;
    this.#maxHeld = maxHeld;
    this.#most = concurrency + maxHeld;
    this.#maxQueued = options.key && (options.maxQueued ?? 1000);
    this.#calls = new Calls(fn, options, concurrency, this, () => this.input);
  }

  override get working(): boolean {
    return this.#calls.running > 0;
  }

  override get counts(): Counts {
    return this.#calls.counts;
  }

  take(events: readonly In[], subscription: Subscription): void {
    this.#calls.take(events, subscription);
  }

  get room(): boolean {
    return this.#left > 0;
  }

  get empty(): boolean {
    return this.#calls.empty;
  }

  /** How many more events may be begun. */
  get #left(): number {
    const calls = this.#calls;
    return this.#most - calls.running - calls.held - this.output.buffered - this.#inFront;
  }

  /** Results delivered and perhaps not handled: a consumer with a wider window than this step's asks too late to tell. */
  get #inFront(): number {
    const { window } = this;
    const inFront = Math.max(0, window - this.output.demand);
    return window <= this.#most ? inFront : Math.min(this.#maxHeld, inFront);
  }

  pump(): void {
    this.checkEmpty();
    if (!this.begun || this.over) return;
    const calls = this.#calls;
    const free = this.#concurrency - calls.running;
    if (this.#maxQueued !== undefined && calls.lanes.startable) {
      // Its consumers may have made room. When there is none that could begin, this runs once more.
      if (free > 0 && this.room) calls.go();
      return;
    }
    if (this.asks.closed) return;
    const waiting = calls.lanes.size + this.asks.outstanding;
    if (this.#maxQueued !== undefined) {
      const count = Math.min(free - this.asks.outstanding, this.#maxQueued - waiting, this.#left);
      if (count > 0) this.asks.ask(count);
      return;
    }
    const count = this.#left - waiting;
    // A quarter at a time, unless a call could be made at once.
    if (count > 0 && (free > waiting || 4 * count >= this.#most)) this.asks.ask(count);
  }

  emit(results: readonly unknown[]): void {
    if (!this.output.answer(results as Out[])) this.output.discard(results as Out[]);
  }

  lost(events: readonly unknown[]): void {
    this.output.discard(events as Out[]);
  }

  giveBack(): void {
    for (const [subscription, rest] of this.#calls.takeBack()) this.input.giveBack(subscription, rest);
  }

  override finish(reason: Reason): Promise<void> | undefined {
    const left = this.leftBy !== undefined && this.leftBy.type !== "stop";
    if (reason.type === "failure") this.#calls.abort(reason.error);
    else if (left) this.#calls.abort(undefined);
    else return this.#calls.idle();
    return undefined;
  }

  override gone(): void {
    this.#calls.abort(undefined);
  }
}

/**
 * Passes on what `fn` makes of each event, by a promise: several calls are under way at a time.
 *
 * **Shape** one out for one in, none for an event that `onFailure` has. In order, unless `ordered` is false; with `key` the
 * events of one key are handled one at a time, and in order. What `fn` returns at once costs no promise.
 * **Units** `concurrency` in calls, 16 by default; `maxHeld` in events, 4 × `concurrency` by default; `maxQueued` in events,
 * 1000 by default, with `key` only; `timeout` in milliseconds from the start of each attempt.
 * **Backpressures** it takes nothing before it is asked. Events taken and not handled behind it are never more than
 * `concurrency` + `maxHeld`, with `key` + `maxQueued`: those that wait, that are under way, whose results are held, and whose
 * results wait in front of the consumer, whose window is `maxHeld` (a wider one of its own adds to that). It reads ahead of
 * what is wanted: a `take` behind it may leave `concurrency` calls without use. With `key` it reads on only while a slot is
 * free and no event that waits could begin.
 * **Completes** with its source, behind the last result; a failure of the source, too, comes behind the results before it.
 * At `drain` all that was taken goes out, with its retries. **Cancels** at a stop: events that were not begun go back to the
 * source; calls under way are waited for, and what they give goes to `onDiscard`; their signals abort when the stop's timeout
 * is over. At an abort, and when a consumer has had enough or failed, they abort at once, and their events go to `onDiscard`.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no function, or no such option. When `fn` throws or rejects, and neither
 * `retry` nor `onFailure` says otherwise, the step fails with that, behind the results before it. The signals of the other
 * calls abort, and they are not waited for; events that were not begun go back; `failureOf(error).events` has what was begun
 * and not emitted, in order. TimeoutError `ERR_TIMEOUT`: an attempt took longer than `timeout`; a result that comes late is
 * dropped, a late rejection is reported.
 *
 * **Source** rules 8.2, 8.8.
 *
 * @example
 * const sizes = pipeline(
 *   fromIterable(["a", "bb", "ccc"]),
 *   mapAsync(async (word) => word.length, { concurrency: 2, timeout: 1000, retry: { attempts: 3, delay: 100 } }),
 *   collect(),
 * );
 * console.log(await sizes.done); // [ 1, 2, 3 ]
 */
export function mapAsync<In, Out>(
  fn: (event: In, attempt: Attempt) => Awaitable<Out>,
  options: MapAsyncOptions<Fixed<In>> = {},
): Step<In, Out> {
  checkFunction("mapAsync", fn);
  checkCallOptions("mapAsync", options, ["ordered", "maxHeld"]);
  requireType("ordered", options.ordered, "boolean");
  requireInteger("maxHeld", options.maxHeld, 0);
  const { concurrency = 16, maxHeld = 4 * concurrency } = options;
  return makeStep<In, Out>("mapAsync", (setting) =>
    new MapAsync<In, Out>(fn, options, setting, concurrency, maxHeld).make(setting, {
      window: Math.max(1, maxHeld),
      onDiscard: options.onDiscard,
    }),
  );
}
