import { source } from "./adapter/source.ts";
import type { SinkBehaviour, SinkContext, SourceBehaviour } from "./contract/adapter.ts";
import type { SubscribeOptionsOf, NoOptions } from "./contract/dispatcher.ts";
import { argumentError } from "./base/errors.ts";
import { sourceOf } from "./sources/from-iterable.ts";
import type { ProducerConsumer, Subscription } from "./contract/stage.ts";
import { coupled } from "./adapter/coupled.ts";
import { sink } from "./adapter/sink.ts";
import type { ProducerOptions } from "./contract/options.ts";
import { errorOf, isFailure, none } from "./base/reason.ts";
import type { Reason } from "./contract/reason.ts";

type Result<In> = IteratorResult<In, undefined>;
type Waiter<In> = PromiseWithResolvers<Result<In>>;

const over = { done: true, value: undefined } as const;

/** The generator's input: batches come in as a consumer's, events are taken one by one. */
class Input<In> implements SinkBehaviour<In>, AsyncIterableIterator<In, undefined> {
  #batch: readonly In[] = none;
  #at = 0;
  #taken: (() => void) | undefined;
  #subscription: Subscription | undefined;
  #stage!: SinkContext;
  /** Calls of `next` that wait. */
  readonly #waiting: Waiter<In>[] = [];
  #reason: Reason | undefined;

  begin(stage: SinkContext): void {
    this.#stage = stage;
  }

  handleEvents(events: readonly In[], subscription: Subscription): Promise<void> | undefined {
    this.#batch = events;
    this.#at = 0;
    this.#subscription = subscription;
    while (this.#waiting.length > 0 && this.#at < events.length)
      this.#waiting.shift()?.resolve({ done: false, value: events[this.#at++] as In });
    if (this.#at === events.length) return undefined;
    return new Promise((resolve) => {
      this.#taken = resolve;
    });
  }

  terminate(reason: Reason): void {
    this.#giveBack();
    this.#end(reason);
  }

  next(): Promise<Result<In>> {
    if (this.#reason) return this.#last(this.#reason);
    if (this.#at < this.#batch.length) {
      const value = this.#batch[this.#at++] as In;
      if (this.#at === this.#batch.length) this.#taken?.();
      return Promise.resolve({ done: false, value });
    }
    const waiter: Waiter<In> = Promise.withResolvers();
    this.#waiting.push(waiter);
    return waiter.promise;
  }

  /** The generator has had enough: untaken events go back. */
  return(): Promise<Result<In>> {
    if (this.#reason === undefined) {
      this.#giveBack();
      this.#stage.complete();
      this.#end({ type: "complete" });
      this.#taken?.();
    }
    return Promise.resolve(over);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #giveBack(): void {
    const rest = this.#batch.slice(this.#at);
    this.#batch = none;
    this.#at = 0;
    if (this.#subscription) this.#stage.giveBack(this.#subscription, rest);
  }

  #end(reason: Reason): void {
    this.#reason ??= reason;
    for (const { resolve } of this.#waiting.splice(0)) resolve(this.#last(reason));
  }

  /** A failure is told once, as a generator does. */
  #last(reason: Reason): Promise<Result<In>> {
    if (!isFailure(reason)) return Promise.resolve(over);
    this.#reason = { type: "complete" };
    return Promise.reject(errorOf(reason));
  }
}

/**
 * Makes a stage of an asynchronous generator function, or of any function from an async iterable to one.
 *
 * **Shape** events in one by one, events out as they are yielded.
 * **Units** events on either side. Input comes in batches of at most maxDemand - minDemand.
 * **Backpressures** the generator advances on demand only.
 * **Completes** when the generator returns: untaken events go back.
 * **Cancels** when the last consumer leaves (`onLastCancel: "stop"` by default): the generator's `return` is called and
 * its source left.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no function, wrong options. An error of the generator, or
 * `ERR_NOT_SOURCE` for a result that is not iterable, fails the stage behind earlier events; a failing source fails it
 * at once, and the generator's loop, too.
 *
 * **Source** rules 7.1 to 7.3.
 *
 * @example
 * const pairs = throughGenerator(async function* (numbers: AsyncIterable<number>) {
 *   let last: number | undefined;
 *   for await (const n of numbers) {
 *     if (last !== undefined) yield [last, n] as const;
 *     last = n;
 *   }
 * });
 * const { done } = pipeline(fromIterable([1, 2, 3]), pairs, map(([a, b]) => a + b), collect());
 * console.log(await done); // [ 3, 5 ]
 */
export function throughGenerator<In, Out, SO extends object = NoOptions>(
  generator: (input: AsyncIterableIterator<In, undefined>) => AsyncIterable<Out> | Iterable<Out>,
  options: ProducerOptions<Out, SO> = {},
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>> {
  if (typeof generator !== "function")
    throw argumentError("ERR_OPTION", "throughGenerator to take a function", generator);
  const input = new Input<In>();
  // The function runs when the first event is asked for.
  const lazily: AsyncIterable<Out> = {
    [Symbol.asyncIterator](): AsyncIterator<Out> {
      const outputs = generator(input) as Partial<AsyncIterable<Out> & Iterable<Out>> | null | undefined;
      // A synchronous iterator's `return` value is taken as it is, as a promise would be.
      const open = (outputs?.[Symbol.asyncIterator] ?? outputs?.[Symbol.iterator]) as
        | (() => AsyncIterator<Out>)
        | undefined;
      if (typeof open !== "function")
        throw argumentError("ERR_NOT_SOURCE", "an iterable or an async iterable", outputs);
      return open.call(outputs);
    },
  };
  const output = source(sourceOf(lazily) as SourceBehaviour<Out>, options);
  const { signal, runtime, onReport } = options;
  return coupled(sink<In>(input, { name: `${output.name} input`, signal, runtime, onReport }), output);
}
