import { Window } from "./demand.ts";
import { Deque } from "./deque.ts";
import { argumentError, ProtocolError, words } from "./errors.ts";
import { subscribeOptions } from "./options.ts";
import { type ConsumerPort, type End, errorOf, isFailure, type ProducerPort, type Reason } from "./protocol.ts";
import type { Runtime, Task } from "./runtime.ts";
import type {
  Named,
  ResolvedSubscribeOptions,
  Stage,
  SubscribeOptions,
  Subscription,
  SubscriptionState,
} from "./types.ts";

type Result = IteratorResult<unknown, undefined>;
type Source = Stage & {
  readonly defaultMaxDemand?: number | undefined;
  readonly "~attach": (port: ConsumerPort<never>, options: object) => ProducerPort;
};

const over: Result = { done: true, value: undefined };

/** Iterates over a producer: `"events"` one by one, `"batches"` as they are handed over. */
export function iterate(
  producer: Source,
  runtime: Runtime,
  options: SubscribeOptions,
  grain: "events" | "batches",
): AsyncIterableIterator<unknown> {
  return new Iteration(producer, runtime, subscribeOptions(options, producer.defaultMaxDemand), grain === "events");
}

/**
 * A consumer's end of a link that hands events over when it is pulled. It subscribes on the first pull; the ask that a
 * batch carries is sent when the element after the batch is pulled, so a loop that stops has asked for nothing in vain.
 */
class Iteration implements AsyncIterableIterator<unknown>, ConsumerPort<unknown>, Subscription, Task {
  readonly name = "iterator";
  readonly carries = true;
  readonly producer: Source;
  readonly options: ResolvedSubscribeOptions;
  readonly #runtime: Runtime;
  readonly #single: boolean;
  readonly #window: Window;
  readonly #arrived = new Deque<readonly unknown[]>(4);
  readonly #pulls = new Deque<PromiseWithResolvers<Result>>(4);
  state: SubscriptionState = "pending";
  #port: ProducerPort | undefined;
  #expected = 0;
  #handedOver = 0;
  /** The batch being handed over event by event, and the ask it carries. */
  #batch: readonly unknown[] = [];
  #at = 0;
  #ask = 0;
  #reason: Reason | undefined;
  #scheduled = false;

  constructor(producer: Source, runtime: Runtime, options: ResolvedSubscribeOptions, single: boolean) {
    this.producer = producer;
    this.options = options;
    this.#runtime = runtime;
    this.#single = single;
    this.#window = new Window(options.maxDemand, options.minDemand);
  }

  get subscription(): Subscription {
    return this;
  }

  get consumer(): Named {
    return this;
  }

  get pending(): number {
    return this.#handedOver;
  }

  ask(): void {
    if (this.state !== "ended") throw argumentError("ERR_ASK_AUTOMATIC", "", words("an iterator's"));
  }

  cancel(reason?: unknown): void {
    this.#leave({ type: "cancel", reason });
  }

  resubscribe(): Subscription {
    throw argumentError("ERR_ASK_AUTOMATIC", "", words("an iterator's"));
  }

  events(batch: readonly unknown[]): void {
    if (this.state === "ended" || batch.length === 0) return;
    this.#expected -= batch.length;
    if (this.#expected < 0) {
      const due = batch.length + this.#expected;
      const error = new ProtocolError("ERR_OVERDELIVERY", String(due), words(String(batch.length)));
      this.#expected = 0;
      if (due > 0) this.#arrived.push(batch.slice(0, due));
      this.#port?.end({ reason: { type: "failure", error }, unstarted: batch.slice(due) });
      this.end({ reason: { type: "failure", error } });
    } else this.#arrived.push(batch);
    if (this.#pulls.size > 0) this.#wake();
  }

  end({ reason }: End): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.#reason = reason;
    if (this.#pulls.size > 0) this.#wake();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#pulls.size === 0 && this.#ready() && !this.#runtime.exhausted()) return this.#step();
    const pull = Promise.withResolvers<Result>();
    this.#pulls.push(pull);
    if (this.#port === undefined && this.#reason === undefined) this.#open();
    if (this.#ready()) this.#wake();
    return pull.promise;
  }

  return(): Promise<Result> {
    this.#leave({ type: "cancel" });
    return Promise.resolve(over);
  }

  throw(error: unknown): Promise<Result> {
    this.#leave({ type: "cancel", reason: error });
    return Promise.reject(error);
  }

  /** Pulled elements are handed over in the runtime's turns, so that a loop keeps to its budget. */
  run(): void {
    this.#scheduled = false;
    while (this.#pulls.size > 0 && this.#ready()) {
      const pull = this.#pulls.shift() as PromiseWithResolvers<Result>;
      pull.resolve(this.#step());
    }
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#runtime.schedule(this);
  }

  #open(): void {
    try {
      this.#port = this.producer["~attach"](this, this.options);
    } catch (error) {
      this.state = "ended";
      this.#reason ??= { type: "failure", error };
      return;
    }
    if (this.state === "ended") return;
    this.state = "active";
    this.#request(this.#window.open());
  }

  #request(count: number): void {
    this.#expected += count;
    this.#handedOver += count;
    this.#port?.ask(count);
  }

  /** Whether an element can be handed over: an event, or the end. */
  #ready(): boolean {
    if (this.#at < this.#batch.length) return true;
    if (this.#ask > 0) {
      const ask = this.#ask;
      this.#ask = 0;
      if (this.state === "active") this.#request(ask);
    }
    return this.#arrived.size > 0 || this.#reason !== undefined;
  }

  #step(): Promise<Result> {
    if (this.#at >= this.#batch.length) {
      const next = this.#arrived.shift();
      if (next === undefined) return this.#finish();
      this.#cut(next);
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
    const count = Math.min(message.length, this.#window.max - this.#window.min);
    this.#batch = count === message.length ? message : message.slice(0, count);
    if (count < message.length) this.#arrived.unshift(message.slice(count));
    if (this.#runtime.strict) Object.freeze(this.#batch);
    this.#at = 0;
    this.#handedOver -= count;
    this.#ask = this.#window.handOver(count);
  }

  #finish(): Promise<Result> {
    const reason = this.#reason as Reason;
    // An error is told once; after it the iteration is over.
    this.#reason = { type: "complete" };
    return failed(reason, this.options) ? Promise.reject(errorOf(reason)) : Promise.resolve(over);
  }

  /** The loop has ended early: what it has not seen goes back. */
  #leave(reason: Reason): void {
    const unstarted: (readonly unknown[])[] = [this.#batch.slice(this.#at)];
    for (let batch = this.#arrived.shift(); batch; batch = this.#arrived.shift()) unstarted.push(batch);
    this.#batch = [];
    this.#at = 0;
    this.#ask = 0;
    this.#reason = { type: "complete" };
    this.state = "ended";
    this.#port?.end({ reason, unstarted: unstarted.flat(1) });
    if (this.#pulls.size > 0) this.#wake();
  }
}

const failed = (reason: Reason, { cancel }: ResolvedSubscribeOptions): boolean =>
  isFailure(reason) && cancel !== "temporary";
