import { Observable, type Observer, type Subscriber } from "rxjs";
import { fromObservable } from "../../../adapters/rxjs/index.ts";
import type { ConsumerPort, Overflow, Producer, ProducerPort, Reason, Subscription } from "../../../src/index.ts";
import { type TestRuntime, testRuntime } from "../../support/runtime.ts";

/** A runtime and a producer over an Observable, with everything it says. */
export interface Bridge<T> {
  readonly runtime: TestRuntime;
  readonly stage: Producer<T>;
  readonly reports: unknown[];
  /** What was discarded, burst by burst. */
  readonly discarded: (readonly [cause: string, events: readonly T[]])[];
}
export interface BridgeOptions {
  readonly overflow?: Overflow;
  readonly bufferSize?: number;
  readonly onLastCancel?: "stop" | "continue";
  readonly signal?: AbortSignal;
}

export function bridge<T>(source: Observable<T>, options: BridgeOptions = {}): Bridge<T> {
  const runtime = testRuntime();
  const reports: unknown[] = [];
  const discarded: (readonly [string, readonly T[]])[] = [];
  const stage = fromObservable(source, {
    overflow: "throw",
    runtime,
    onReport: (error) => void reports.push(error),
    onDiscard: ({ events, cause }) => void discarded.push([cause, events]),
    ...options,
  });
  return { runtime, stage, reports, discarded };
}

/** Consumes by hand what a producer delivers. */
export class Hand<T> implements ConsumerPort<T> {
  readonly name = "hand";
  readonly consumer: object = this;
  readonly carries = true;
  readonly subscription = { state: "active", pending: 0, options: {} } as Subscription;
  readonly received: T[] = [];
  readonly ends: Reason[] = [];
  /** What came before the link stood. */
  readonly early: unknown[] = [];
  each: (event: T) => void = () => {};
  #port: ProducerPort | undefined;
  #cancelled = false;

  attach(producer: Producer<T>): this {
    this.#port = producer["~attach"](this, {} as never);
    return this;
  }
  ask(count: number): this {
    this.#port?.ask(count);
    return this;
  }
  cancel(): this {
    this.#cancelled = true;
    this.#port?.end({ reason: { type: "cancel" } });
    return this;
  }
  readonly events = (batch: readonly T[]): void => {
    if (this.#port === undefined) this.early.push(batch);
    for (const event of batch) {
      this.received.push(event);
      this.each(event);
    }
  };
  readonly end = ({ reason }: { readonly reason: Reason }): void => {
    if (this.#port === undefined) this.early.push(reason);
    this.ends.push(reason);
    if (reason.type === "complete" && !this.#cancelled) this.#port?.end({ reason });
  };
}

/** An Observable by hand: who subscribed, who left, and a way to talk to each. */
export class Tap<T> {
  readonly subscribers: Subscriber<T>[] = [];
  torn = 0;
  readonly observable: Observable<T>;

  constructor(onSubscribe: (subscriber: Subscriber<T>) => void = () => {}) {
    this.observable = new Observable<T>((subscriber) => {
      this.subscribers.push(subscriber);
      subscriber.add(() => {
        this.torn += 1;
      });
      onSubscribe(subscriber);
    });
  }
  next(...values: readonly T[]): this {
    for (const value of values) for (const subscriber of this.subscribers) subscriber.next(value);
    return this;
  }
  complete(): void {
    for (const subscriber of this.subscribers) subscriber.complete();
  }
  error(error: unknown): void {
    for (const subscriber of this.subscribers) subscriber.error(error);
  }
}

/** An observer that writes down what it is told. */
export function listener<T>(log: unknown[]): Observer<T> {
  return {
    next: (value) => void log.push(value),
    error: (error: unknown) => void log.push(["error", error]),
    complete: () => void log.push("complete"),
  };
}
