import { type InteropObservable, type Observable, type Subscribable, Subscriber } from "rxjs";
import { argumentError } from "../../src/errors.ts";
import type { EmittingContext } from "../../src/handle.ts";
import {
  type NoOptions,
  OverflowError,
  type Overflow,
  type Producer,
  type ProducerContext,
  type ProducerOptions,
  type Role,
  type SubscribeOptionsOf,
  type Task,
} from "../../src/index.ts";
import { make } from "../../src/make.ts";

export interface FromObservableOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /**
   * What happens to values that come while nobody asks and `bufferSize` events are held: `"throw"` fails the producer
   * behind them, the others drop. An Observable knows no demand, so there is no default.
   */
  readonly overflow: Overflow;
}

/** An Observable of RxJS, or anything that subscribes like one or offers one under the interop key. */
export type ObservableLike<Out> = Observable<Out> | Subscribable<Out> | InteropObservable<Out>;

/** Values that a policy drops are dropped, and reported, in bursts of at most this many. */
const BURST = 1024;

/** Receives values whenever they come, collects them into batches within a turn, and pushes those. */
class ObservableSource<Out> implements Task {
  readonly #source: ObservableLike<Out>;
  /** Values to collect when nobody asks. */
  readonly #burst: number;
  #stage: EmittingContext | undefined;
  #subscriber: Subscriber<Out> | undefined;
  #batch: Out[] = [];
  /** Values to collect before they are pushed: what is asked for, or what the buffer holds. */
  #room = 1;
  #over = false;

  constructor(source: ObservableLike<Out>, bufferSize: number, overflow: Overflow) {
    this.#source = source;
    this.#burst = Math.max(overflow === "throw" ? 1 : BURST, bufferSize);
  }

  readonly handleDemand = (): void => {};

  readonly handleSubscribe = (_role: Role, _subscription: unknown, stage: ProducerContext<Out>): void => {
    if (this.#stage) return;
    this.#stage = stage as unknown as EmittingContext;
    // Outside the run that this is part of: a source that emits on subscribe can then be held by working off the queue.
    this.#stage["~core"].runtime.clock.microtask(() => this.#start());
  };

  readonly terminate = (): void => {
    this.#over = true;
    this.#batch = [];
    this.#subscriber?.unsubscribe();
  };

  run(): void {
    this.#send();
  }

  #start(): void {
    if (this.#over) return;
    const subscriber = new Subscriber<Out>({ next: this.#next, error: this.#error, complete: this.#complete });
    this.#subscriber = subscriber;
    try {
      subscriber.add(interop(this.#source).subscribe(subscriber));
    } catch (error) {
      this.#error(error);
    }
  }

  readonly #next = (value: Out): void => {
    if (this.#over) return;
    if (this.#batch.length === 0) this.#begin();
    if (this.#over) return;
    this.#batch.push(value);
    if (this.#batch.length >= this.#room) this.#send();
  };

  readonly #error = (error: unknown): void => {
    this.#send();
    if (this.#over) return;
    this.#over = true;
    this.#stage?.fail(error, { after: "buffer" });
  };

  readonly #complete = (): void => {
    this.#send();
    if (this.#over) return;
    this.#over = true;
    this.#stage?.complete();
  };

  /** A batch begins. If nobody asks, whoever could is given the chance to. */
  #begin(): void {
    const stage = this.#stage as EmittingContext;
    const { runtime } = stage["~core"];
    if (stage.demand === 0) runtime.flush();
    const { demand } = stage;
    this.#room = demand > 0 ? demand : this.#burst;
    if (this.#room > 1) runtime.schedule(this);
  }

  #send(): void {
    const batch = this.#batch;
    if (batch.length === 0 || this.#over) return;
    this.#batch = [];
    try {
      this.#stage?.push(batch);
    } catch (error) {
      this.#over = true;
      // A stage that was completed from inside takes no more: what the Observable still says is for nobody.
      if (error instanceof OverflowError) this.#stage?.fail(error, { after: "buffer" });
      this.#subscriber?.unsubscribe();
    }
  }
}

/**
 * Makes a producer of an RxJS Observable. An Observable emits whether or not anybody asks, so an overflow policy is
 * required: `{ overflow: "throw" | "drop-oldest" | "drop-newest", bufferSize }`.
 *
 * **Shape** one event per value, in order. One RxJS subscription, made when the first consumer has subscribed.
 * **Units** `bufferSize` in events, 10 000 unless given; `Infinity` is the way to say "without bound".
 * **Backpressures** a synchronous source is held while its consumers work off what they have; only what comes while
 * nobody asks is buffered, and only beyond `bufferSize` the policy applies.
 * **Completes** and fails with the Observable, behind the events that came before. **Cancels** (unsubscribes) when the
 * last consumer has left.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Observable; `ERR_OPTION`, `ERR_RANGE`: no overflow policy, wrong options. The
 * stage fails with an `OverflowError` when the policy is `"throw"` and the buffer is full.
 *
 * **Source** rules 7.1 to 7.4.
 *
 * @example
 * const ticks = fromObservable(interval(10), { overflow: "drop-oldest", bufferSize: 100 });
 */
export function fromObservable<Out, SO extends object = NoOptions>(
  source: ObservableLike<Out>,
  options: FromObservableOptions<Out, SO>,
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  if (typeof interop(source)?.subscribe !== "function") throw argumentError("ERR_NOT_SOURCE", "an Observable", source);
  if ((options as Partial<typeof options> | undefined)?.overflow === undefined)
    throw argumentError("ERR_OPTION", "overflow to be one of throw, drop-oldest, drop-newest", undefined);
  const behaviour = new ObservableSource(source, options.bufferSize ?? 10_000, options.overflow);
  return make("producer", behaviour, options, { onLastCancel: "stop" }) as Producer<Out, SubscribeOptionsOf<SO, Out>>;
}

/** What a source offers under the interop key, which may be a symbol or, where there is none, a string; or itself. */
function interop<Out>(source: ObservableLike<Out>): Subscribable<Out> {
  const { observable } = Symbol as { readonly observable?: symbol };
  const offers = source as unknown as Partial<Record<PropertyKey, () => Subscribable<Out>>> | null | undefined;
  const offer = (observable && offers?.[observable]) ?? offers?.["@@observable"];
  return typeof offer === "function" ? offer.call(source) : (source as Subscribable<Out>);
}
