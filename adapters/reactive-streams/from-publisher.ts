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

/** Requests what is asked for; what comes in one stretch is one batch. */
class PublisherSource<Out> implements SourceBehaviour<Out>, Subscriber<Out> {
  readonly #publisher: Publisher<Out>;
  #stage!: SourceContext<Out>;
  #collector!: Collector<Out>;
  #subscribed = false;
  #subscription: Subscription | undefined;
  /** Asked for before there is a subscription. */
  #wanted = 0;
  /** Requested and not come. */
  #due = 0;
  /** What the stage ends with: a Publisher that says so again has nothing new to say. */
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
    // A second one is turned away, and so is one that comes too late.
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

  /** The Publisher has broken the protocol: it is left, and the stage fails behind what came before. */
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
 * **Shape** one event per `onNext`, `null` and `undefined` included, in order. What comes in one stretch is one batch.
 * **Units** demand in events: what is asked for is requested, 10 000 at a time at most.
 * **Backpressures** exactly: nothing is requested that was not asked for, and nothing is buffered.
 * **Completes** and fails with the Publisher, behind the events that came before. It is subscribed to when the first consumer
 * has subscribed. **Cancels** its subscription when the last consumer has left, or at `stop`.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Publisher; `ERR_OPTION`, `ERR_RANGE`: wrong options. The stage fails with a
 * `ProtocolError` when more comes than was requested, with what `subscribe` or `request` throws, and with a TypeError when
 * `onSubscribe` is given no Subscription, which it throws, too. A second failure, and what `cancel` throws, go to `onReport`.
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
