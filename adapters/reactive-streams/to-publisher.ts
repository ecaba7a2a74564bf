import type { Producer, Reason, ResolvedSubscribeOptions, SubscribeOptions } from "../../src/index.ts";
import {
  type PortSource,
  errorOf,
  failure,
  isFailure,
  type NoOptions,
  Port,
  refuse,
  words,
} from "../../src/adapter/index.ts";
import { checkSubscriber, demandOf, thrownBy } from "./core.ts";
import type { Publisher, Subscriber, Subscription } from "./like.ts";

/** `data`, and the options of the producer's dispatcher. */
export type ToPublisherOptions = Pick<SubscribeOptions, "data">;
export type ToPublisherArguments<SO extends object> = {} extends SO
  ? [options?: ToPublisherOptions & SO]
  : [options: ToPublisherOptions & SO];

/** Asks as the Subscriber requests, and hands over in turns, never inside a request. */
class SubscriberPort extends Port implements Subscription {
  #subscriber: Subscriber<unknown> | undefined;
  /** The message in hand, and how many of its events the Subscriber has seen. */
  #message: readonly unknown[] = [];
  #at = 0;
  /** The error of an invalid request, to be told in a turn of its own. */
  #broken: Reason | undefined;

  constructor(producer: PortSource, options: ResolvedSubscribeOptions, subscriber: Subscriber<unknown>) {
    super("toPublisher", producer, options);
    this.#subscriber = subscriber;
  }

  start(): void {
    let refused: Reason | undefined;
    try {
      this.open();
    } catch (error) {
      refused = failure(error);
    }
    const subscription: Subscription = { request: this.onRequest, cancel: this.onCancel };
    this.#call("onSubscribe", [], (subscriber) => subscriber.onSubscribe(subscription));
    if (refused && this.#subscriber) this.#finish(refused);
  }

  readonly onRequest = (count: number): void => {
    if (this.#subscriber === undefined || this.#broken) return;
    try {
      this.request(demandOf(count));
    } catch (error) {
      this.#broken = failure(error);
      this.#giveBack(this.#broken);
      this.wake();
    }
  };

  readonly onCancel = (): void => {
    if (this.#subscriber === undefined) return;
    this.#subscriber = undefined;
    this.#giveBack({ type: "cancel" });
  };

  override turn(): void {
    if (this.#broken) {
      this.#finish(this.#broken);
      return;
    }
    const message = this.arrived.shift();
    if (message !== undefined) this.#handOver(message);
    if (this.#subscriber === undefined) return;
    if (this.arrived.size > 0) this.wake();
    else if (this.reason && !this.#broken) {
      const { reason } = this;
      this.told();
      this.#finish(reason);
    }
  }

  #handOver(message: readonly unknown[]): void {
    this.#message = message;
    this.#at = 0;
    while (this.#at < this.#message.length) {
      const event = this.#message[this.#at];
      this.#at += 1;
      this.pending -= 1;
      this.#call("onNext", [event], (subscriber) => subscriber.onNext(event));
    }
    this.#message = [];
  }

  /** Events not seen go back, the message in hand first. */
  #giveBack(reason: Reason): void {
    const rest = this.#message.slice(this.#at);
    this.#message = [];
    this.leave(reason, rest);
  }

  #finish(reason: Reason): void {
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    try {
      if (isFailure(reason)) subscriber?.onError(errorOf(reason));
      else subscriber?.onComplete();
    } catch (cause) {
      this.#tell(isFailure(reason) ? "onError" : "onComplete", cause, []);
    }
  }

  /** A Subscriber must not throw: its subscription counts as cancelled. */
  #call(method: string, events: readonly unknown[], call: (subscriber: Subscriber<unknown>) => void): void {
    if (this.#subscriber === undefined) return;
    try {
      call(this.#subscriber);
    } catch (cause) {
      this.onCancel();
      this.#tell(method, cause, events);
    }
  }

  #tell(method: string, cause: unknown, events: readonly unknown[]): void {
    this.report(thrownBy(method, "a Subscriber", cause, events), method);
  }
}

/**
 * Makes a Reactive Streams Publisher of a producer.
 *
 * **Shape** one `onNext` per event. Each Subscriber has a subscription; the dispatcher decides whether they compete or
 * share.
 * **Units** events, as requested; `Number.MAX_SAFE_INTEGER` and more mean without bound.
 * **Backpressures** exactly: a request is an ask, and nothing comes before it has returned.
 * **Completes** when the producer completes or is stopped, **fails** with it. **Cancels** with the Subscription: the
 * rest goes back.
 *
 * @throws ArgumentError `ERR_NOT_PRODUCER`, `ERR_OPTION`. `subscribe` throws `ERR_NOT_SOURCE` without a Subscriber and
 * `ERR_DUPLICATE` for a known one. The producer's refusal comes by `onError`, behind `onSubscribe`, as does `ERR_ASK`
 * after an invalid request. A Subscriber that throws counts as cancelled: its error goes to the producer's `onReport`.
 *
 * **Source** rules 7.1 to 7.3; Reactive Streams 1.1 to 1.11 and 3.1 to 3.17.
 *
 * @example
 * toPublisher(fromIterable([1, 2, 3])).subscribe({
 *   onSubscribe: (subscription) => subscription.request(2),
 *   onNext: (n) => console.log(n), // 1, 2
 *   onError: () => {},
 *   onComplete: () => {},
 * });
 */
export function toPublisher<Out, SO extends object = NoOptions>(
  producer: Producer<Out, SO>,
  ...[options]: ToPublisherArguments<SO>
): Publisher<Out> {
  const given: object = options ?? {};
  for (const name of ["maxDemand", "minDemand", "demand", "cancel"])
    if (name in given) refuse("ERR_OPTION", "no options of demand: the Subscriber says how much", name);
  const resolved = Port.options(producer, given, { maxDemand: 1000, demand: "manual" });
  const known = new WeakSet<object>();
  return {
    subscribe: (subscriber: Subscriber<Out>): void => {
      checkSubscriber(subscriber);
      if (known.has(subscriber)) refuse("ERR_DUPLICATE", "", words("the same Subscriber again"));
      known.add(subscriber);
      new SubscriberPort(producer, resolved, subscriber as Subscriber<unknown>).start();
    },
  };
}
