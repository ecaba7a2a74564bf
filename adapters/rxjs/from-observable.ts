import { defaultDispatcher } from "../../src/dispatchers/demand.ts";
import { makeStage, producerFaces } from "../../src/stage/make-stage.ts";
import type { NoOptions } from "../../src/contract/dispatcher.ts";
import { argumentError } from "../../src/base/errors.ts";
import type { EmittingContext } from "../../src/stage/faces.ts";
import type {
  Overflow,
  Producer,
  ProducerContext,
  ProducerOptions,
  Reason,
  Role,
  SubscribeOptionsOf,
} from "../../src/index.ts";
import { Inflow } from "./inflow.ts";
import type { ObservableLike } from "./like.ts";
import { isSubscribable, subscribableOf } from "./receiver.ts";

export interface FromObservableOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /**
   * What happens to values that come while nobody asks and `bufferSize` events are held: `"throw"` fails the producer
   * behind them, the others drop. An Observable knows no demand, so there is no default.
   */
  readonly overflow: Overflow;
}

/** Subscribes when the first consumer has, and passes on what comes. */
class ObservableSource<Out> {
  readonly #source: ObservableLike<Out>;
  readonly #bufferSize: number;
  readonly #overflow: Overflow;
  readonly #signal: AbortSignal | undefined;
  #inflow: Inflow<Out> | undefined;

  constructor(
    source: ObservableLike<Out>,
    { bufferSize = 10_000, overflow, signal }: Pick<FromObservableOptions<never>, "bufferSize" | "overflow" | "signal">,
  ) {
    this.#source = source;
    this.#signal = signal;
    this.#bufferSize = bufferSize;
    this.#overflow = overflow;
  }

  readonly handleDemand = (): void => {};

  readonly handleSubscribe = (_role: Role, _subscription: unknown, context: ProducerContext<Out>): void => {
    if (this.#inflow) return;
    const stage = context as unknown as EmittingContext;
    const inflow = new Inflow<Out>(stage, this.#bufferSize, this.#overflow);
    this.#inflow = inflow;
    // Outside the run that this is part of: a source that emits on subscribe can then be held by working off the queue.
    stage["~core"].runtime.clock.microtask(() => {
      if (!inflow.closed) inflow.listen(subscribableOf(this.#source));
    });
  };

  readonly terminate = (reason: Reason): void => this.#inflow?.end(reason, this.#signal?.aborted === true);
}

/**
 * Makes a producer of an Observable: of RxJS 7 or 9, of the platform, or of whoever offers one under the interop key. It emits whether or not anybody asks, so an overflow policy is
 * required: `{ overflow: "throw" | "drop-oldest" | "drop-newest", bufferSize }`.
 *
 * **Shape** one event per value, in order. One subscription, made when the first consumer has subscribed.
 * **Units** `bufferSize` in events, 10 000 unless given; `Infinity` is the way to say "without bound".
 * **Backpressures** a synchronous source is held while its consumers work off what they have; only what comes while
 * nobody asks is buffered, and only beyond `bufferSize` the policy applies.
 * **Completes** and fails with the Observable, behind the events that came before. **Cancels** when the last consumer has
 * left: it unsubscribes, or aborts the signal that it subscribed with.
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
  if (!isSubscribable(subscribableOf(source))) throw argumentError("ERR_NOT_SOURCE", "an Observable", source);
  if ((options as Partial<typeof options> | undefined)?.overflow === undefined)
    throw argumentError("ERR_OPTION", "overflow to be one of throw, drop-oldest, drop-newest", undefined);
  const behaviour = new ObservableSource(source, options);
  return makeStage(producerFaces, "producer", behaviour, options, {
    onLastCancel: "stop",
    dispatcher: defaultDispatcher,
  }) as Producer<Out, SubscribeOptionsOf<SO, Out>>;
}
