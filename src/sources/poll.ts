import { source } from "../adapter/source.ts";
import { requireMillis, requireOptions } from "../base/check.ts";
import { argumentError, CallbackError, callbackError } from "../base/errors.ts";
import { checkRetry, delayOf } from "../base/retry.ts";
import { isThenable } from "../base/thenable.ts";
import type { SourceBehaviour, SourceContext } from "../contract/adapter.ts";
import type { Awaitable, Emits } from "../contract/behaviour.ts";
import type { NoOptions, SubscribeOptionsOf } from "../contract/dispatcher.ts";
import type { ProducerOptions } from "../contract/options.ts";
import type { Reason } from "../contract/reason.ts";
import type { Retry } from "../contract/retry.ts";
import type { Task } from "../contract/runtime.ts";
import type { Producer } from "../contract/stage.ts";

/** What the function of `poll` gets. */
export interface PollContext {
  /** Events that are wanted now; more are held. **Units** events, 1 to 10 000. */
  readonly demand: number;
  /** Aborts when the source is to end without what the call would return. */
  readonly signal: AbortSignal;
}

export interface PollOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /** The wait behind an empty result. **Units** milliseconds, from 0. @default 1000 */
  readonly interval?: number | undefined;
  /** For calls that fail one after the other. @default the first failure is the source's */
  readonly retry?: Retry | undefined;
}

/** No one is asked for more at a time. */
const MOST = 10_000;

type Poll<Out> = (context: PollContext) => Awaitable<Emits<Out>>;

class PollSource<Out> implements SourceBehaviour<Out>, Task {
  readonly #fn: Poll<Out>;
  readonly #interval: number;
  readonly #retry: Retry | undefined;
  #stage!: SourceContext<Out>;
  /** A call is under way, or to be made in a turn. */
  #busy = false;
  #calling = false;
  /** Ends the wait for the pending call. */
  #called: (() => void) | undefined;
  #timer: unknown;
  /** The failure behind which the timer waits. */
  #failure: { readonly error: unknown } | undefined;
  #attempts = 0;
  #draining = false;
  #over = false;

  constructor(fn: Poll<Out>, interval: number, retry: Retry | undefined) {
    this.#fn = fn;
    this.#interval = interval;
    this.#retry = retry;
  }

  begin(stage: SourceContext<Out>): void {
    this.#stage = stage;
  }

  handleDemand(): void {
    this.#next();
  }

  handleCancel(_reason: Reason, _subscription: unknown, stage: SourceContext<Out>): void {
    stage.askAgain();
  }

  /** A call under way is finished; a wait is not. */
  handleEnd(): "later" | undefined {
    this.#draining = true;
    this.#clear();
    // A failure that was to be tried again reaches no one else.
    if (this.#failure) this.#stage.report(this.#failure.error, "poll");
    return this.#calling ? "later" : undefined;
  }

  /** Waits for a call under way: what it returns is told. */
  terminate(): Promise<void> | undefined {
    this.#over = true;
    this.#clear();
    if (!this.#calling) return undefined;
    return new Promise((resolve) => {
      this.#called = resolve;
    });
  }

  /** A turn: the next call. */
  run(): void {
    const stage = this.#stage;
    this.#busy = false;
    const demand = Math.min(stage.demand, MOST);
    if (this.#over || this.#draining || demand === 0) return;
    let result: unknown;
    this.#failure = undefined;
    this.#attempts += 1;
    try {
      result = this.#fn({
        demand,
        get signal() {
          return stage.signal;
        },
      });
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (!isThenable(result)) {
      this.#returned(result);
      return;
    }
    this.#busy = true;
    this.#calling = true;
    Promise.resolve(result).then(this.#onValue, this.#onError);
  }

  readonly #onValue = (value: unknown): void => {
    this.#settled();
    this.#returned(value);
    this.#called?.();
  };

  readonly #onError = (error: unknown): void => {
    this.#settled();
    this.#failed(error);
    this.#called?.();
  };

  #settled(): void {
    this.#busy = false;
    this.#calling = false;
  }

  #returned(result: unknown): void {
    const stage = this.#stage;
    if (result !== undefined && result !== null && !Array.isArray(result)) {
      const expected = `the function of ${stage.name} to return an array of events or nothing`;
      this.#broken(new CallbackError({ code: "ERR_RESULT", expected, got: result }, []));
      return;
    }
    this.#attempts = 0;
    const events = (result ?? []) as readonly Out[];
    if (events.length > 0 && !stage.answer(events)) stage.discard(events);
    if (this.#draining) stage.complete();
    else if (events.length === 0) this.#wait(this.#interval);
    else this.#next();
  }

  #failed(error: unknown): void {
    const stage = this.#stage;
    if (this.#gaveUp(error)) return;
    if (this.#over) {
      stage.report(error, "poll");
      return;
    }
    const retry = this.#retry;
    let again = false;
    try {
      again = retry !== undefined && this.#attempts < retry.attempts && (retry.when?.(error, this.#attempts) ?? true);
    } catch (second) {
      this.#broken(second);
      return;
    }
    if (!again || retry === undefined) this.#broken(error);
    else if (this.#draining) {
      stage.report(error, "poll");
      stage.complete();
    } else {
      this.#failure = { error };
      this.#wait(delayOf(retry, this.#attempts, Math.random()));
    }
  }

  #broken(error: unknown): void {
    const stage = this.#stage;
    if (this.#over) stage.report(error, "poll");
    else stage.fail(callbackError({ stage: stage.name, callback: "poll" }, error, []), { after: "buffer" });
  }

  /** The call was told to give up. */
  #gaveUp(error: unknown): boolean {
    const { signal } = this.#stage;
    if (!signal.aborted) return false;
    if (error === signal.reason) return true;
    return error instanceof Error && error.name === "AbortError";
  }

  #next(): void {
    if (this.#busy || this.#timer !== undefined || this.#over || this.#draining || this.#stage.demand === 0) return;
    this.#busy = true;
    this.#stage.runtime.schedule(this);
  }

  #wait(ms: number): void {
    if (this.#over) return;
    this.#timer = this.#stage.runtime.clock.setTimer(this.#onTimer, ms);
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#next();
  };

  #clear(): void {
    if (this.#timer !== undefined) this.#stage.runtime.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Makes a producer of a function that fetches events: a database, a broker, an API with pages.
 *
 * **Shape** the events of the arrays that `fn` returns, or its promises fulfil with, in order; one call at a time.
 * **Units** `interval` in milliseconds, 1000 by default: the wait behind a call that has returned nothing. Behind one that has
 * there is none.
 * **Backpressures** `fn` is called only while events are wanted, and is told how many. More than that is held.
 * **Completes** never by itself; at `drain` a call under way is finished, and what it returns goes out. **Cancels** when its
 * last consumer leaves, unless `onLastCancel: "continue"`: a wait is over at once, the signal of a call under way aborts, and
 * what it returns all the same goes to `onDiscard`.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no function, or no such option. When `fn` throws or rejects, and `retry` does
 * not say otherwise, the source fails with that, behind the events before; with `ERR_RESULT` when it returns no array.
 *
 * **Source** rules 6.11, 7.1 to 7.3.
 *
 * @example
 * const pages = [["a", "b"], [], ["c"]];
 * const letters = poll(async ({ demand }) => pages.shift()?.slice(0, demand), { interval: 1 });
 * console.log(await pipeline(letters, take(3), collect())); // [ 'a', 'b', 'c' ]
 */
export function poll<Out, SO extends object = NoOptions>(
  fn: (context: PollContext) => Awaitable<Emits<Out>>,
  options: PollOptions<Out, SO> = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  if (typeof fn !== "function") throw argumentError("ERR_OPTION", "poll to take a function", fn);
  requireOptions("poll", options, ["interval"]);
  const { interval = 1000, retry } = options;
  requireMillis("interval", options.interval);
  if (retry !== undefined) checkRetry(retry);
  return source<Out, SO>(new PollSource<Out>(fn, interval, retry), options, {
    name: "poll",
    own: ["interval", "retry"],
  });
}
