import { Observable, type Subscriber } from "rxjs";
import { Window } from "../../src/demand.ts";
import { argumentError } from "../../src/errors.ts";
import { Intake, type Source } from "../../src/intake.ts";
import type { Producer, ResolvedSubscribeOptions, SubscribeArguments } from "../../src/index.ts";
import { subscribeOptions } from "../../src/options.ts";
import { errorOf, isFailure, type Reason } from "../../src/protocol.ts";

/** Hands events to an observer, batch by batch; a batch's ask goes out when the observer has had all of it. */
class ObserverIntake extends Intake {
  readonly #subscriber: Subscriber<unknown>;
  readonly #window: Window;
  /** The message in hand, and how many of its events the observer has seen. */
  #message: readonly unknown[] = [];
  #at = 0;

  constructor(producer: Source, options: ResolvedSubscribeOptions, subscriber: Subscriber<unknown>) {
    super("toObservable", producer, options);
    this.#subscriber = subscriber;
    this.#window = new Window(options.maxDemand, options.minDemand);
    subscriber.add(() => this.leave({ type: "cancel" }));
  }

  start(): void {
    this.open();
    this.request(this.#window.open());
  }

  override turn(): void {
    const message = this.arrived.shift();
    if (message !== undefined) this.#handOver(message);
    if (this.arrived.size > 0) this.wake();
    else if (this.reason) this.#finish();
  }

  /** What the observer has not seen goes back, the message in hand first. */
  override leave(reason: Reason): void {
    super.leave(reason, this.#message.slice(this.#at));
    this.#message = [];
  }

  #handOver(message: readonly unknown[]): void {
    const { most } = this.#window;
    const { length } = message;
    this.#message = message;
    for (let from = 0; from < length && !this.#subscriber.closed; from += most) {
      const to = Math.min(length, from + most);
      this.pending -= to - from;
      const ask = this.#window.handOver(to - from);
      for (let i = from; i < to && !this.#subscriber.closed; i += 1) {
        this.#at = i + 1;
        this.#subscriber.next(message[i]);
      }
      if (ask > 0) this.request(ask);
    }
    this.#message = [];
  }

  #finish(): void {
    const { reason } = this;
    this.told();
    if (reason && isFailure(reason) && this.options.cancel !== "temporary") this.#subscriber.error(errorOf(reason));
    else this.#subscriber.complete();
  }
}

/**
 * Makes an RxJS Observable of a producer.
 *
 * **Shape** one value per event; each RxJS subscription is a subscription of its own to the producer, so they compete or
 * share as the producer's dispatcher says.
 * **Units** `maxDemand` and `minDemand` in events, as for a consumer.
 * **Backpressures** as far as the observer is synchronous: the next events are asked for when it has returned. What it
 * starts and does not wait for is not held back.
 * **Completes** when the producer has completed or was stopped, **fails** with it. **Cancels** on unsubscribe: what the
 * observer had not seen goes back to the producer.
 *
 * @throws ArgumentError `ERR_NOT_PRODUCER`, `ERR_OPTION`, `ERR_RANGE` at once; what the producer refuses a subscription with is
 * the Observable's error.
 *
 * **Source** rules 7.1 to 7.4.
 *
 * @example
 * toObservable(fromIterable([1, 2, 3])).subscribe((n) => console.log(n));
 */
export function toObservable<Out, SO extends object>(
  producer: Producer<Out, SO>,
  ...options: SubscribeArguments<SO>
): Observable<Out> {
  const source = producer as unknown as Source;
  if (typeof (source as Partial<Source> | null | undefined)?.["~attach"] !== "function")
    throw argumentError("ERR_NOT_PRODUCER", "", producer);
  const resolved = subscribeOptions(options[0] ?? {}, source.defaultMaxDemand);
  return new Observable<Out>((subscriber) => new ObserverIntake(source, resolved, subscriber).start());
}
