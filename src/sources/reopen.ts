import { Port, type PortSource } from "../adapter/index.ts";
import { source } from "../adapter/source.ts";
import { argumentError, callbackError } from "../base/errors.ts";
import { errorOf, isFailure } from "../base/reason.ts";
import { checkRetry, delayOf } from "../base/retry.ts";
import { isThenable } from "../base/thenable.ts";
import type { SourceBehaviour, SourceContext } from "../contract/adapter.ts";
import type { NoOptions, SubscribeOptionsOf } from "../contract/dispatcher.ts";
import type { ProducerOptions } from "../contract/options.ts";
import type { Reason } from "../contract/reason.ts";
import type { Retry } from "../contract/retry.ts";
import type { Opened, Source } from "../contract/source.ts";
import type { Producer, Subscription } from "../contract/stage.ts";
import { closeLate } from "./close-late.ts";
import { Emitted } from "./emitted.ts";
import { isProducer, type OpenOptions, opened } from "./open.ts";
import { MOST } from "./several.ts";

export type ReopenOptions<Out, SO extends object = NoOptions> = ProducerOptions<Out, SO>;

/** The source that is open. */
class Opening extends Port {
  readonly #onTurn: () => void;
  /** Asked for and not given. **Units** events. */
  outstanding = 0;

  constructor(name: string, producer: PortSource, onTurn: () => void) {
    super(name, producer, Port.options(producer, {}, { demand: "manual" }));
    this.#onTurn = onTurn;
  }

  more(count: number): void {
    if (count <= 0 || this.ended) return;
    this.outstanding += count;
    this.request(count);
  }

  override turn(): void {
    this.#onTurn();
  }
}

class Reopen<Out> implements SourceBehaviour<Out> {
  readonly #fn: (attempt: number) => unknown;
  readonly #retry: Retry;
  readonly #options: OpenOptions;
  #stage!: SourceContext<Out>;
  #port: Opening | undefined;
  readonly #emitted = new Emitted<Opening, Out>();
  #returned: readonly Out[] = [];
  #window = 0;
  #attempt = 0;
  /** The function's promise is pending. */
  #opening = false;
  /** The failure behind which the timer waits. */
  #failure: { readonly error: unknown } | undefined;
  #timer: unknown;
  #draining = false;
  #over = false;

  constructor(fn: (attempt: number) => unknown, retry: Retry, options: OpenOptions) {
    this.#fn = fn;
    this.#retry = retry;
    this.#options = options;
  }

  begin(stage: SourceContext<Out>): void {
    this.#stage = stage;
  }

  handleSubscribe(_role: unknown, { options }: Subscription): void {
    this.#window += options.maxDemand;
  }

  handleCancel(_reason: Reason, { options }: Subscription, stage: SourceContext<Out>): void {
    this.#window -= options.maxDemand;
    stage.askAgain();
  }

  handleDemand(): void {
    this.#pump();
  }

  /** The source that is open is drained, too, if it would end with this one; another is left. */
  handleEnd(): "later" | undefined {
    this.#draining = true;
    this.#clear();
    if (this.#failure) this.#stage.report(this.#failure.error, "reopen");
    const port = this.#port;
    if (port === undefined) return undefined;
    const { "~drain": drain } = port.producer as { readonly "~drain"?: (port: Port) => boolean };
    if (!port.ended && !drain?.call(port.producer, port)) port.cancel();
    return "later";
  }

  terminate(): void {
    this.#over = true;
    this.#clear();
    this.#port?.leave({ type: "cancel" }, this.#returned);
    this.#port = undefined;
  }

  /** What a consumer had not begun goes back to the source that is open, if it came from there. */
  putBack(events: readonly unknown[]): readonly unknown[] {
    const parts = this.#emitted.takeBack(events as readonly Out[]);
    const [part, ...others] = parts ?? [];
    if (part === undefined || others.length > 0 || part[0] !== this.#port) return events;
    this.#returned = [...part[1], ...this.#returned];
    return [];
  }

  #pump(): void {
    if (this.#over) return;
    const { demand } = this.#stage;
    if (this.#port) this.#port.more(Math.min(demand, MOST) - this.#port.outstanding);
    else if (demand > 0 && !this.#opening && this.#timer === undefined && !this.#draining) this.#open();
  }

  #open(): void {
    this.#attempt += 1;
    this.#failure = undefined;
    let given: unknown;
    try {
      given = this.#fn(this.#attempt);
    } catch (error) {
      this.#threw(error);
      return;
    }
    if (!isThenable(given)) {
      this.#attach(given);
      return;
    }
    this.#opening = true;
    Promise.resolve(given).then(
      (value) => this.#opened(value),
      (error: unknown) => {
        this.#opening = false;
        if (this.#over || this.#draining) this.#stage.report(error, "reopen");
        else this.#threw(error);
      },
    );
  }

  #opened(value: unknown): void {
    this.#opening = false;
    if (this.#over || this.#draining) this.#close(value);
    else this.#attach(value);
  }

  #attach(given: unknown): void {
    const stage = this.#stage;
    try {
      const { runtime, onReport, onDiscard } = this.#options;
      const named = {
        name: `${stage.name} attempt ${this.#attempt}`,
        runtime,
        onReport,
        onDiscard,
      };
      const producer = opened(given as Source<Out>, named) as unknown as PortSource;
      const port = new Opening(stage.name, producer, () => this.#turn(port));
      port.open();
      this.#port = port;
    } catch (error) {
      // Another attempt would bring the like.
      this.#broken(callbackError({ stage: stage.name, callback: "reopen" }, error, []));
      return;
    }
    this.#pump();
  }

  /** Something has arrived, or the source has ended. */
  #turn(port: Opening): void {
    if (this.#port !== port) return;
    const stage = this.#stage;
    for (let batch = port.arrived.shift(); batch; batch = port.arrived.shift()) {
      port.pending -= batch.length;
      port.outstanding -= batch.length;
      const events = batch as readonly Out[];
      // An event is a success: the next failure is a first one.
      this.#attempt = 1;
      this.#emitted.add(port, events, this.#window);
      if (!stage.answer(events)) stage.discard(events);
    }
    const { reason } = port;
    if (reason === undefined) {
      this.#pump();
      return;
    }
    port.told();
    this.#port = undefined;
    if (!isFailure(reason)) stage.complete();
    else this.#failed(errorOf(reason), errorOf(reason));
  }

  #threw(error: unknown): void {
    this.#failed(error, callbackError({ stage: this.#stage.name, callback: "reopen" }, error, []));
  }

  /** `error` decides on the next attempt; the stage fails with `failure`. */
  #failed(error: unknown, failure: unknown): void {
    const { attempts, when } = this.#retry;
    let again = false;
    try {
      again = this.#attempt < attempts && (when?.(error, this.#attempt) ?? true);
    } catch (second) {
      this.#broken(callbackError({ stage: this.#stage.name, callback: "when" }, second, []));
      return;
    }
    if (!again || this.#draining) {
      this.#broken(failure);
      return;
    }
    this.#failure = { error };
    this.#timer = this.#stage.runtime.clock.setTimer(this.#onTimer, delayOf(this.#retry, this.#attempt, Math.random()));
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#pump();
  };

  #broken(failure: unknown): void {
    this.#stage.fail(failure, { after: "buffer" });
  }

  /** A source that is opened too late is left at once. */
  #close(given: unknown): void {
    const { name } = this.#stage;
    const report = (error: unknown): void => this.#stage.report(error, "reopen");
    try {
      if (isProducer(given)) {
        const port = new Opening(name, given, () => {});
        port.open();
        port.leave({ type: "cancel" });
      } else if (typeof (given as AsyncIterable<unknown> | undefined)?.[Symbol.asyncIterator] === "function")
        void closeLate(given as AsyncIterable<unknown>, report);
    } catch (error) {
      report(error);
    }
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#stage.runtime.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Makes a producer of a source that is opened again when it has failed: a socket, a subscription of a broker, a long response.
 *
 * **Shape** the events of the source that `open` returns, or a promise of one; then of the next. `open` gets the number of the
 * attempt, from 1; an event is a success, behind which a failure is the first again.
 * **Units** `attempts` from 1, those without an event in between; `delay` and `maxDelay` in milliseconds, between a failure and
 * the next attempt.
 * **Backpressures** nothing is opened before events are wanted; the open source is asked for what is wanted.
 * **Completes** when a source completes; at `drain` with the open one, which is drained if it ends with this one. **Cancels** the
 * open source when its last consumer leaves: what that had not begun goes back to it, if it came from there and from the one
 * consumer there was, else to `onDiscard`. A wait is over at once; a source that is opened too late is left.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no function, no retry, or no such option. When no attempt is left, or `when`
 * says so, it fails with what the last one failed with, behind the events before; with `ERR_NOT_SOURCE` when `open` returns no
 * source.
 *
 * **Source** rules 7.1 to 7.3.
 *
 * @example
 * async function* read(attempt: number) {
 *   yield `line ${attempt}`;
 *   if (attempt === 1) throw new Error("connection lost");
 * }
 * const all = reopen(read, { attempts: 3, delay: 1 });
 * console.log(await pipeline(all, collect())); // [ 'line 1', 'line 2' ]
 */
export function reopen<Out, SO extends object = NoOptions>(
  open: (attempt: number) => Opened<Out>,
  retry: Retry,
  options: ReopenOptions<Out, SO> = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  if (typeof open !== "function") throw argumentError("ERR_OPTION", "reopen to take a function", open);
  checkRetry(retry, "reopen(open, …)");
  return source<Out, SO>(new Reopen<Out>(open, retry, options as OpenOptions), options, { name: "reopen" });
}
