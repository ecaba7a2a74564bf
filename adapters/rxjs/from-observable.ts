import type { Overflow, Producer, ProducerOptions, Reason, SubscribeOptionsOf } from "../../src/index.ts";
import {
  type NoOptions,
  refuse,
  source as sourceStage,
  type SourceBehaviour,
  type SourceContext,
} from "../../src/adapter/index.ts";
import { isSubscribable, subscribableOf } from "./interop.ts";
import type { ObservableLike } from "./like.ts";
import { Receiver } from "./receiver.ts";

export interface FromObservableOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /**
   * The policy once `bufferSize` unwanted values are held: `"throw"` fails the producer behind them, the others drop.
   */
  readonly overflow: Overflow;
}

/** Subscribes with the first consumer, and passes on values. */
class ObservableSource<Out> implements SourceBehaviour<Out> {
  readonly #source: ObservableLike<Out>;
  readonly #options: Pick<FromObservableOptions<never>, "bufferSize" | "overflow">;
  #receiver!: Receiver<Out>;

  constructor(source: ObservableLike<Out>, options: Pick<FromObservableOptions<never>, "bufferSize" | "overflow">) {
    this.#source = source;
    this.#options = options;
  }

  begin(stage: SourceContext<Out>): void {
    this.#receiver = new Receiver(stage, this.#options);
  }

  handleDemand(): void {}

  handleSubscribe(): void {
    const receiver = this.#receiver;
    receiver.collector.start(() => receiver.listen(subscribableOf(this.#source)));
  }

  terminate(reason: Reason): void {
    this.#receiver.end(reason);
  }
}

/**
 * Makes a producer of an Observable: of RxJS 7 or 9, of the platform, or any with an interop key (`Symbol.observable`,
 * `"@@observable"`). It cannot be asked, so `overflow` is required.
 *
 * **Shape** one event per value. Subscribes once, with the first consumer.
 * **Units** `bufferSize` in events, 10 000 unless given, or `Infinity`.
 * **Backpressures** a source that emits synchronously, while its consumers work synchronously. Unwanted values are
 * buffered; beyond `bufferSize` the policy applies.
 * **Completes** and fails with the Observable, behind earlier events. **Cancels** when the last consumer leaves: it
 * unsubscribes, or aborts its signal.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Observable; `ERR_OPTION`, `ERR_RANGE`: no policy, wrong options. A full
 * buffer fails the stage with an `OverflowError` under `"throw"`.
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
  if (!isSubscribable(subscribableOf(source))) refuse("ERR_NOT_SOURCE", "an Observable", source);
  if ((options as Partial<typeof options> | undefined)?.overflow === undefined)
    refuse("ERR_OPTION", "overflow to be one of throw, drop-oldest, drop-newest", undefined);
  return sourceStage(new ObservableSource(source, options), options, { pushes: true });
}
