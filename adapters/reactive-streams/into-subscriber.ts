import type { Consumer, Reason, StageOptions, SubscribeOptions, Subscription as Link } from "../../src/index.ts";
import {
  addDemand,
  errorOf,
  isFailure,
  refuse,
  sink,
  type SinkBehaviour,
  type SinkContext,
  words,
} from "../../src/adapter/index.ts";
import { checkSubscriber, demandOf, thrownBy } from "./core.ts";
import type { Subscriber, Subscription } from "./like.ts";

/** Asks for the Subscriber's requests, and hands events on one by one. */
class SubscriberSink<In> implements SinkBehaviour<In>, Subscription {
  #subscriber: Subscriber<In> | undefined;
  readonly #signal: AbortSignal | undefined;
  #context!: SinkContext;
  #subscribed = false;
  #link: Link | undefined;
  /** Requested and not delivered. */
  #due = 0;
  /** The Subscriber hears nothing more. */
  #done = false;
  /** An invalid request is to fail the stage. */
  #broken = false;

  constructor(subscriber: Subscriber<In>, signal: AbortSignal | undefined) {
    this.#subscriber = subscriber;
    this.#signal = signal;
  }

  /** The Subscriber's requests are the only demand, and it has one producer at a time. */
  readonly admit = (options: SubscribeOptions, links: readonly unknown[]): SubscribeOptions => {
    if (links.length > 0) refuse("ERR_DUPLICATE", "", words("a second one of a Subscriber"));
    return { ...options, demand: "manual" };
  };

  readonly handleSubscribe = (_role: unknown, link: Link, context: SinkContext): void => {
    const first = !this.#subscribed;
    this.#subscribed = true;
    this.#context = context;
    this.#link = link;
    if (!first) {
      // The Subscriber knows one subscription: its open requests go to the next source.
      if (this.#due > 0) link.ask(this.#due);
      return;
    }
    this.#call("onSubscribe", [], (subscriber) =>
      subscriber.onSubscribe({ request: this.request, cancel: this.cancel }),
    );
  };

  readonly handleCancel = (_reason: Reason, link: Link): void => {
    if (this.#link === link) this.#link = undefined;
  };

  readonly handleEvents = (events: readonly In[], link: Link, stage: SinkContext): void => {
    const { length } = events;
    let at = 0;
    while (at < length && !this.#done && !this.#broken && !this.#aborted) {
      const event = events[at] as In;
      at += 1;
      this.#due -= 1;
      this.#call("onNext", [event], (subscriber) => subscriber.onNext(event));
    }
    if (at < length) stage.giveBack(link, events.slice(at));
  };

  readonly handleEnd = (): void => this.#call("onComplete", [], (subscriber) => subscriber.onComplete(), true);

  readonly terminate = (reason: Reason): void => {
    if (!this.#subscribed || this.#done) this.#forget();
    else if (isFailure(reason)) this.#call("onError", [], (subscriber) => subscriber.onError(errorOf(reason)), true);
    else this.#call("onComplete", [], (subscriber) => subscriber.onComplete(), true);
  };

  readonly request = (count: number): void => {
    if (this.#done || this.#broken) return;
    try {
      const demand = demandOf(count);
      this.#due = addDemand(this.#due, demand);
      this.#link?.ask(demand);
    } catch (error) {
      this.#broken = true;
      this.#context.fail(error);
    }
  };

  readonly cancel = (): void => {
    if (this.#done) return;
    this.#forget();
    this.#context.complete();
  };

  get #aborted(): boolean {
    return this.#signal?.aborted ?? false;
  }

  #forget(): void {
    this.#done = true;
    this.#subscriber = undefined;
    this.#link = undefined;
  }

  /** A Subscriber must not throw: the stage fails, and the Subscriber hears nothing more. */
  #call(method: string, events: readonly unknown[], call: (subscriber: Subscriber<In>) => void, last = false): void {
    const subscriber = this.#subscriber;
    if (subscriber === undefined) return;
    if (last) this.#forget();
    try {
      call(subscriber);
    } catch (cause) {
      this.#forget();
      this.#context.fail(thrownBy(method, this.#context.name, cause, events));
    }
  }
}

/**
 * Makes a consumer of a Reactive Streams Subscriber.
 *
 * **Shape** one `onNext` per event; `onSubscribe` once it has subscribed. One producer at a time.
 * **Units** events, as requested; subscriptions are manual.
 * **Backpressures** exactly: only requests are asked for.
 * **Completes** with `onComplete` at a good end or a stop; **fails** with `onError`. **Cancels** its source, and
 * completes, when the Subscriber cancels: the rest goes back.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Subscriber; `ERR_OPTION`; `ERR_DUPLICATE`, by `subscribe`: it has a
 * producer already. An invalid request fails the consumer with `ERR_ASK`, told by `onError`. A Subscriber that throws
 * fails it by identity, and hears nothing more; events behind the failing one go back.
 *
 * **Source** rules 7.2 and 7.3; Reactive Streams 1.1 to 1.10 and 3.1 to 3.17.
 *
 * @example
 * import type { Subscriber } from "headrace/reactive-streams";
 *
 * const printer: Subscriber<string> = {
 *   onSubscribe: (subscription) => subscription.request(2),
 *   onNext: (letter) => console.log(letter), // a, b
 *   onError: () => {},
 *   onComplete: () => {},
 * };
 * intoSubscriber(printer).subscribe(fromIterable(["a", "b"]));
 */
export function intoSubscriber<In>(subscriber: Subscriber<In>, options: StageOptions = {}): Consumer<In> {
  checkSubscriber(subscriber);
  return sink(new SubscriberSink<In>(subscriber, options.signal), options);
}
