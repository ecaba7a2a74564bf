import {
  type Producer,
  type ProducerOptions,
  ProtocolError,
  type Reason,
  type SubscribeOptionsOf,
} from "../../src/index.ts";
import {
  addDemand,
  Collector,
  errorOf,
  type NoOptions,
  argumentError,
  refuse,
  source,
  type SourceBehaviour,
  type SourceContext,
  words,
} from "../../src/adapter/index.ts";
import type { Publisher, Subscriber, Subscription } from "./like.ts";

/** Requests the demand; events of one stretch make one batch. */
class PublisherSource<Out> implements SourceBehaviour<Out>, Subscriber<Out> {
  readonly #publisher: Publisher<Out>;
  #stage!: SourceContext<Out>;
  #collector!: Collector<Out>;
  #subscribed = false;
  #subscription: Subscription | undefined;
  /** Asked before there was a subscription. */
  #wanted = 0;
  /** Requested and not arrived. */
  #due = 0;
  /** The stage's failure, which a Publisher may repeat. */
  #error: unknown;

  constructor(publisher: Publisher<Out>) {
    this.#publisher = publisher;
  }

  begin(stage: SourceContext<Out>): void {
    this.#stage = stage;
    this.#collector = new Collector(stage, { release: (reason) => reason && this.#cancel() });
  }

  handleDemand(demand: number): void {
    if (this.#subscription) this.#request(demand);
    else this.#wanted = addDemand(this.#wanted, demand);
  }

  handleSubscribe(): void {
    if (this.#subscribed) return;
    this.#subscribed = true;
    this.#collector.open(() => this.#publisher.subscribe(this));
  }

  terminate(reason: Reason): void {
    this.#error = errorOf(reason);
    this.#collector.close(reason);
  }

  readonly onSubscribe = (subscription: Subscription): void => {
    const given = subscription as Partial<Subscription> | null | undefined;
    if (typeof given?.request !== "function" || typeof given.cancel !== "function") {
      const error = argumentError("ERR_NOT_SOURCE", "a Subscription with request and cancel", subscription);
      this.#fail(error);
      throw error;
    }
    // A second or late subscription is turned away.
    if (this.#subscription !== undefined || this.#collector.closed) {
      this.#leave(subscription);
      return;
    }
    this.#subscription = subscription;
    if (this.#wanted > 0) this.#request(this.#wanted);
  };

  readonly onNext = (event: Out): void => {
    if (this.#collector.closed) return;
    if (this.#due > 0) {
      this.#due -= 1;
      this.#collector.add(event);
    } else {
      this.#fail(new ProtocolError("ERR_OVERDELIVERY", "0", words("1 more")));
      this.#stage.discard([event]);
    }
  };

  readonly onError = (error: unknown): void => {
    if (this.#collector.closed) {
      if (error !== this.#error) this.#stage.report(error, "onError");
      return;
    }
    this.#error = error;
    this.#collector.fail(error);
  };

  readonly onComplete = (): void => this.#collector.complete();

  #request(count: number): void {
    if (this.#collector.closed) return;
    this.#due = addDemand(this.#due, count);
    try {
      this.#subscription?.request(count);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The Publisher broke the protocol: it is left, and the stage fails behind earlier events. */
  #fail(error: unknown): void {
    if (this.#collector.closed) return;
    this.#error = error;
    this.#collector.fail(error);
    this.#cancel();
  }

  #cancel(): void {
    if (this.#subscription) this.#leave(this.#subscription);
  }

  #leave(subscription: Subscription): void {
    try {
      subscription.cancel();
    } catch (error) {
      this.#stage.report(error, "cancel");
    }
  }
}

/**
 * Makes a producer of a Reactive Streams Publisher.
 *
 * **Shape** one event per `onNext`, `null` and `undefined` included. Events of one stretch make one batch.
 * **Units** events, requested at most 10 000 at a time.
 * **Backpressures** exactly: only demand is requested.
 * **Completes** and fails with the Publisher, behind earlier events; subscribes with the first consumer. **Cancels**
 * its subscription when the last consumer leaves, or at `stop`.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Publisher; `ERR_OPTION`, `ERR_RANGE`. The stage fails with a
 * `ProtocolError` when more comes than was requested, with an error of `subscribe` or `request`, and with a TypeError,
 * also thrown, when `onSubscribe` gets no Subscription. A second failure, and errors of `cancel`, go to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; Reactive Streams 2.1 to 2.13.
 *
 * @example
 * const numbers = toPublisher(fromIterable([1, 2, 3]));
 * for await (const n of fromPublisher(numbers)) console.log(n); // 1, 2, 3
 */
export function fromPublisher<Out, SO extends object = NoOptions>(
  publisher: Publisher<Out>,
  options: ProducerOptions<Out, SO> = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  if (typeof (publisher as Partial<Publisher<Out>> | null | undefined)?.subscribe !== "function")
    refuse("ERR_NOT_SOURCE", "a Publisher", publisher);
  return source(new PublisherSource(publisher), options);
}
