import {
  intoSubscriber,
  type Processor,
  type Publisher,
  type Subscriber,
  type Subscription,
  toPublisher,
} from "../../../adapters/reactive-streams/index.ts";
import type { Producer, Runtime } from "../../../src/index.ts";
import type { Failure } from "../../reactive-streams/harness.ts";
import { testRuntime } from "../../support/runtime.ts";

export const complete = "complete";
/** A terminal signal, as a probe notes it. */
export type Terminal = typeof complete | { readonly error: unknown };

/** Subscribes by hand, and watches: whatever a Publisher may not do becomes one of the `flaws`. */
export class Probe<T = number> implements Subscriber<T> {
  readonly received: T[] = [];
  readonly ends: Terminal[] = [];
  readonly flaws: string[] = [];
  subscriptions = 0;
  onStart: (subscription: Subscription) => void = () => {};
  each: (event: T) => void = () => {};
  atEnd: () => void = () => {};
  #subscription: Subscription | undefined;
  #requested = 0;
  /** Requests made before there is a subscription. */
  readonly #early: unknown[] = [];
  #cancelled = false;
  #inside = false;

  to(publisher: Publisher<T>): this {
    publisher.subscribe(this);
    return this;
  }
  request(count: unknown): this {
    if (typeof count === "number" && count > 0) this.#requested += count;
    if (this.#subscription) this.#subscription.request(count as number);
    else this.#early.push(count);
    return this;
  }
  cancel(): this {
    this.#cancelled = true;
    this.#subscription?.cancel();
    return this;
  }
  onSubscribe(subscription: Subscription): void {
    this.subscriptions += 1;
    this.#subscription = subscription;
    this.#signal("onSubscribe", () => {
      this.onStart(subscription);
      for (const count of this.#early.splice(0)) subscription.request(count as number);
    });
  }
  onNext(event: T): void {
    this.received.push(event);
    if (!(this.received.length <= this.#requested)) this.flaws.push("more than was requested");
    this.#signal("onNext", () => this.each(event));
  }
  onError(error: unknown): void {
    this.#signal("onError", this.atEnd);
    this.ends.push({ error });
  }
  onComplete(): void {
    this.#signal("onComplete", this.atEnd);
    this.ends.push(complete);
  }
  #signal(what: string, handle: () => void): void {
    if (this.#subscription === undefined) this.flaws.push(`${what} before the subscription`);
    if (this.#cancelled) this.flaws.push(`${what} after the cancel`);
    if (this.ends.length > 0) this.flaws.push(`${what} after the end`);
    if (this.#inside) this.flaws.push(`${what} inside another signal`);
    this.#inside = true;
    try {
      handle();
    } finally {
      this.#inside = false;
    }
  }
}

/** Publishes by hand, and watches: whatever a Subscriber may not do becomes one of the `flaws`. */
export class HandPublisher<T = number> implements Publisher<T>, Subscription {
  readonly requests: number[] = [];
  readonly flaws: string[] = [];
  subscribes = 0;
  cancels = 0;
  subscriber!: Subscriber<T>;
  onRequest: (count: number) => void = () => {};
  #over = false;
  #inEnd = false;
  /** `late`: `onSubscribe` is left to the test. */
  readonly #late: boolean;

  constructor(late = false) {
    this.#late = late;
  }
  subscribe(subscriber: Subscriber<T>): void {
    this.subscribes += 1;
    this.subscriber = subscriber;
    if (!this.#late) subscriber.onSubscribe(this);
  }
  request(count: number): void {
    this.#watch("a request");
    if (!(count > 0)) this.flaws.push(`a request of ${count}`);
    this.requests.push(count);
    this.onRequest(count);
  }
  cancel(): void {
    this.#watch("a cancel");
    this.cancels += 1;
  }
  next(...events: readonly T[]): this {
    for (const event of events) this.subscriber.onNext(event);
    return this;
  }
  end(failure?: Failure): this {
    this.#over = true;
    this.#inEnd = true;
    if (failure) this.subscriber.onError(failure.error);
    else this.subscriber.onComplete();
    this.#inEnd = false;
    return this;
  }
  #watch(what: string): void {
    if (this.#inEnd) this.flaws.push(`${what} inside the end`);
    else if (this.#over) this.flaws.push(`${what} after the end`);
    if (this.cancels > 0) this.flaws.push(`${what} after the cancel`);
  }
}

/** Numbers from 0 to `count`: emitted inside `request`, or each in a turn of its own. */
export const numbers = (count: number, failure: Failure | undefined, how: "sync" | "async"): Publisher<number> => ({
  subscribe(subscriber) {
    let next = 0;
    let due = 0;
    let busy = false;
    let over = false;
    const finish = (): void => {
      if (over || next < count) return;
      over = true;
      if (failure) subscriber.onError(failure.error);
      else subscriber.onComplete();
    };
    const step = (): void => {
      due -= 1;
      next += 1;
      subscriber.onNext(next - 1);
      finish();
    };
    const later = (): void => {
      if (!over && due > 0) step();
      busy = !over && due > 0;
      if (busy) queueMicrotask(later);
    };
    const emit = (): void => {
      if (busy) return;
      busy = true;
      if (how === "async") {
        queueMicrotask(later);
        return;
      }
      for (;;) {
        if (over || due === 0) break;
        step();
      }
      busy = false;
    };
    subscriber.onSubscribe({
      request: (n) => {
        due += n;
        emit();
      },
      cancel: () => {
        over = true;
      },
    });
    finish();
  },
});

/** A Publisher over a producer, and what its Subscribers were found to do. */
export interface Bridge<T> {
  readonly publisher: Publisher<T>;
  readonly faults: unknown[];
}
interface Engined {
  readonly "~core": { readonly runtime?: Runtime };
}
export type BridgeMaker = <T>(make: (onReport: (error: unknown) => void) => Producer<T>) => Bridge<T>;

/** The two ways from a producer to a foreign Subscriber. */
export const bridges: readonly (readonly [name: string, make: BridgeMaker])[] = [
  [
    "toPublisher",
    (make) => {
      const faults: unknown[] = [];
      return { publisher: toPublisher(make((error) => void faults.push(error))), faults };
    },
  ],
  [
    "intoSubscriber",
    (make) => {
      const faults: unknown[] = [];
      const onReport = (error: unknown): void => void faults.push(error);
      const producer = make(onReport);
      // One clock that does not move for both: else a source without end never lets its consumer have a turn.
      const runtime = (producer as unknown as Partial<Engined>)["~core"]?.runtime ?? testRuntime();
      return {
        faults,
        publisher: {
          subscribe(subscriber) {
            const sink = intoSubscriber(subscriber, { runtime, onReport });
            sink.done.catch(onReport);
            sink.subscribe(producer);
          },
        },
      };
    },
  ],
];

/** Passes each event on `times` times, as it is asked to; holds what was not asked for. */
export class Repeater<T> implements Processor<T, T> {
  readonly #times: number;
  readonly #held: T[] = [];
  readonly heard: unknown[] = [];
  upstream: Subscription | undefined;
  downstream: Subscriber<T> | undefined;
  #due = 0;
  #requested = 0;
  #end: Failure | typeof complete | undefined;
  #over = false;
  #busy = false;

  constructor(times = 1) {
    this.#times = times;
  }
  subscribe(subscriber: Subscriber<T>): void {
    this.downstream = subscriber;
    subscriber.onSubscribe({
      request: (n) => {
        this.#due += n;
        this.#flow();
      },
      cancel: () => {
        this.heard.push("cancel");
        this.#over = true;
        this.upstream?.cancel();
      },
    });
    this.#flow();
  }
  onSubscribe(subscription: Subscription): void {
    this.upstream = subscription;
    if (this.#over) subscription.cancel();
    else this.#flow();
  }
  onNext(event: T): void {
    this.#requested -= 1;
    for (let i = 0; i < this.#times; i += 1) this.#held.push(event);
    this.#flow();
  }
  onError(error: unknown): void {
    this.heard.push({ error });
    this.#end = { error };
    this.#flow();
  }
  onComplete(): void {
    this.heard.push(complete);
    this.#end = complete;
    this.#flow();
  }
  /** Ends from the middle: leaves its source, and completes. */
  enough(): void {
    this.upstream?.cancel();
    this.#held.length = 0;
    this.#end = complete;
    this.#flow();
  }
  #flow(): void {
    if (this.#busy || this.#over || this.downstream === undefined) return;
    this.#busy = true;
    while (!this.#over && this.#due > 0 && this.#held.length > 0) {
      this.#due -= 1;
      this.downstream.onNext(this.#held.shift() as T);
    }
    if (!this.#over && this.#end && (this.#held.length === 0 || this.#end !== complete)) {
      this.#over = true;
      if (this.#end === complete) this.downstream.onComplete();
      else this.downstream.onError(this.#end.error);
    } else if (!this.#over && this.upstream && !this.#end) {
      const want = Math.ceil((this.#due - this.#held.length) / this.#times) - this.#requested;
      if (want > 0) {
        this.#requested += want;
        this.upstream.request(want);
      }
    }
    this.#busy = false;
  }
}
