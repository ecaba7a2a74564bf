import { Deque } from "../base/deque.ts";
import { type Source, Port } from "./standalone-inlet.ts";
import { subscribeOptions } from "./subscribe-options.ts";
import { complete, errorOf, failure, isFailure } from "../base/reason.ts";
import type { Reason } from "../contract/reason.ts";
import type { ResolvedSubscribeOptions, SubscribeOptions } from "../contract/options.ts";

type Result = IteratorResult<unknown, undefined>;

const over: Result = { done: true, value: undefined };

/** Iterates over a producer: `"events"` one by one, `"batches"` as they are handed over. */
export function iterate(
  producer: Source,
  options: SubscribeOptions,
  grain: "events" | "batches",
): AsyncIterableIterator<unknown> {
  return new Iteration(producer, subscribeOptions(options, producer.defaultMaxDemand), grain === "events");
}

/**
 * Hands events over when pulled. It subscribes on the first pull; a batch's ask is sent when the element after it is
 * pulled.
 */
class Iteration extends Port implements AsyncIterableIterator<unknown> {
  readonly #single: boolean;
  readonly #pulls = new Deque<PromiseWithResolvers<Result>>(4);
  /** The batch being handed over event by event, and its ask. */
  #batch: readonly unknown[] = [];
  #at = 0;
  #ask = 0;

  constructor(producer: Source, options: ResolvedSubscribeOptions, single: boolean) {
    super("iterator", producer, options);
    this.#single = single;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#pulls.size === 0 && this.#ready() && !this.runtime.exhausted()) return this.#step();
    const pull = Promise.withResolvers<Result>();
    this.#pulls.push(pull);
    if (!this.opened) this.#begin();
    if (this.#ready()) this.wake();
    return pull.promise;
  }

  return(): Promise<Result> {
    this.leave({ type: "cancel" });
    return Promise.resolve(over);
  }

  throw(error: unknown): Promise<Result> {
    this.leave({ type: "cancel", reason: error });
    return Promise.reject(error);
  }

  /** The loop has ended early: unseen events go back. */
  override leave(reason: Reason): void {
    super.leave(reason, this.#batch.slice(this.#at));
    this.#batch = [];
    this.#ask = 0;
    this.reason = complete;
    if (this.#pulls.size > 0) this.wake();
  }

  /** Hands elements over in the runtime's turns, so that a loop keeps to its budget. */
  override turn(): void {
    while (this.#pulls.size > 0 && this.#ready()) this.#pulls.shift()?.resolve(this.#step());
  }

  #begin(): void {
    try {
      this.open();
    } catch (error) {
      this.reason = failure(error);
    }
    this.request(this.window.open());
  }

  /** Whether an element is ready: an event, or the end. */
  #ready(): boolean {
    if (this.#at < this.#batch.length) return true;
    if (this.#ask > 0) {
      const ask = this.#ask;
      this.#ask = 0;
      this.request(ask);
    }
    return this.arrived.size > 0 || !!this.reason;
  }

  #step(): Promise<Result> {
    if (this.#at >= this.#batch.length) {
      const message = this.arrived.shift();
      if (!message) return this.#finish();
      this.#cut(message);
    }
    if (this.#single) {
      this.#at += 1;
      return Promise.resolve({ done: false, value: this.#batch[this.#at - 1] });
    }
    this.#at = this.#batch.length;
    return Promise.resolve({ done: false, value: this.#batch });
  }

  /** Takes the next batch off a message; the rest of the message stays. */
  #cut(message: readonly unknown[]): void {
    const count = Math.min(message.length, this.window.most);
    this.#batch = count === message.length ? message : message.slice(0, count);
    if (count < message.length) this.arrived.unshift(message.slice(count));
    if (this.runtime.strict) Object.freeze(this.#batch);
    this.#at = 0;
    this.pending -= count;
    this.#ask = this.window.handOver(count);
  }

  #finish(): Promise<Result> {
    const reason = this.reason as Reason;
    // An error is told once; after it the iteration is over.
    this.told();
    this.reason = complete;
    const failed = isFailure(reason) && this.carries;
    return failed ? Promise.reject(errorOf(reason)) : Promise.resolve(over);
  }
}
