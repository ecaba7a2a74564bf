import type {
  Producer,
  Reason,
  ResolvedSubscribeOptions,
  SubscribeArguments,
  SubscribeOptions,
} from "../../src/index.ts";
import { type PortSource, errorOf, isFailure, Port, requireOptions, requireType } from "../../src/adapter/index.ts";
import { InstalledClass } from "./installed.ts";
import { offered } from "./interop.ts";
import type {
  AnyObservableClass,
  InstalledObservable,
  MadeObservable,
  ObservableClass,
  SubscribableLike,
  SubscriberLike,
} from "./like.ts";

export interface ToObservableOptions<in out Out, out Result extends SubscribableLike<unknown>>
  extends SubscribeOptions {
  /** The class to make, RxJS 9's `ColdObservable` say. @default the installed RxJS's */
  readonly Observable: ObservableClass<Out, Result>;
}

/** A subscriber of RxJS 7 says `closed`, any other `active`. */
const isOver = (subscriber: SubscriberLike<never>): boolean => subscriber.closed ?? subscriber.active === false;

/** Hands events to an observer; a batch's ask follows its last event. */
class ObserverPort extends Port {
  readonly #subscriber: SubscriberLike<unknown>;
  /** The message in hand, and how many of its events the observer has seen. */
  #message: readonly unknown[] = [];
  #at = 0;

  constructor(producer: PortSource, options: ResolvedSubscribeOptions, subscriber: SubscriberLike<unknown>) {
    super("toObservable", producer, options);
    this.#subscriber = subscriber;
  }

  start(): void {
    this.open();
    this.request(this.window.open());
  }

  override turn(): void {
    const message = this.arrived.shift();
    if (message !== undefined) this.#handOver(message);
    if (this.arrived.size > 0) this.wake();
    else if (this.reason) this.#finish();
  }

  /** Events not seen go back, the message in hand first. */
  override leave(reason: Reason): void {
    super.leave(reason, this.#message.slice(this.#at));
    this.#message = [];
  }

  #handOver(message: readonly unknown[]): void {
    const subscriber = this.#subscriber;
    const { most } = this.window;
    const { length } = message;
    this.#message = message;
    for (let from = 0; from < length && !isOver(subscriber); from += most) {
      const to = Math.min(length, from + most);
      this.pending -= to - from;
      const ask = this.window.handOver(to - from);
      for (let i = from; i < to && !isOver(subscriber); i += 1) {
        this.#at = i + 1;
        subscriber.next(message[i]);
      }
      this.request(ask);
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
 * Makes an Observable of a producer: of the installed RxJS, or of the given class.
 *
 * **Shape** one value per event. Each subscription is one to the producer; the dispatcher decides whether they compete
 * or share. Observables of the platform, RxJS 9's default, share one among concurrent listeners.
 * **Units** `maxDemand` and `minDemand` in events.
 * **Backpressures** as far as the observer is synchronous: the next ask follows its return.
 * **Completes** when the producer completes or is stopped, **fails** with it. **Cancels** on unsubscribe or abort: the
 * rest goes back.
 *
 * @throws ArgumentError `ERR_NOT_PRODUCER`, `ERR_OPTION`, `ERR_RANGE`; the producer's refusal is the Observable's
 * error.
 *
 * **Source** rules 7.1 to 7.4.
 *
 * @example
 * toObservable(fromIterable([1, 2, 3])).subscribe((n) => console.log(n));
 */
export function toObservable<Out, SO extends object, Result extends SubscribableLike<unknown>>(
  producer: Producer<Out, SO>,
  options: ToObservableOptions<Out, Result> & SO,
): MadeObservable<Result, Out>;
export function toObservable<Out, SO extends object>(
  producer: Producer<Out, SO>,
  ...options: SubscribeArguments<SO>
): InstalledObservable<Out>;
export function toObservable(
  producer: unknown,
  options: SubscribeOptions & { readonly Observable?: AnyObservableClass } = {},
): unknown {
  const source = producer as PortSource;
  requireOptions("toObservable", options);
  const { Observable: Class = InstalledClass, ...rest } = options;
  const resolved = Port.options(source, rest);
  requireType("Observable", Class, "function");
  const made = new Class((subscriber: SubscriberLike<unknown>) => {
    // RxJS 9 subscribes with an aborted signal, and then calls no teardown.
    if (isOver(subscriber)) return undefined;
    const port = new ObserverPort(source, resolved, subscriber);
    const leave = (): void => port.leave({ type: "cancel" });
    subscriber.addTeardown?.(leave);
    port.start();
    return leave;
  });
  return offered(made);
}
