/** Passes events on as they are requested: any object of this shape. */
export interface Publisher<out T> {
  subscribe(subscriber: Subscriber<T>): void;
}

/** Takes events, after `onSubscribe`; `onError` or `onComplete` comes last. */
export interface Subscriber<in T> {
  onSubscribe(subscription: Subscription): void;
  onNext(event: T): void;
  onError(error: any): void;
  onComplete(): void;
}

/** One Subscriber's claim on one Publisher. */
export interface Subscription {
  /** **Units** events, from 1; `Number.MAX_SAFE_INTEGER` and more, `Infinity` too, mean without bound. */
  request(count: number): void;
  cancel(): void;
}

/** Takes one kind of events and passes another on. */
export interface Processor<in T, out R> extends Subscriber<T>, Publisher<R> {}
