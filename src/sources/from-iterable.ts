import { defaultDispatcher } from "../dispatchers/demand.ts";
import { makeStage } from "../stage/make-stage.ts";
import type { SubscribeOptionsOf, NoOptions } from "../contract/dispatcher.ts";
import { argumentError, describe } from "../base/errors.ts";
import { type EmittingContext, SourceHandle, PlainContext } from "../stage/faces.ts";
import type { ProducerOptions } from "../contract/options.ts";
import type { Task } from "../contract/runtime.ts";
import type { Producer, ProducerContext } from "../contract/stage.ts";

/** As in a loop: an iterator answers with objects. */
function checked<Out>(result: IteratorResult<Out>): IteratorResult<Out> {
  if (Object(result) !== result)
    throw new TypeError(`expected an iterator's next to answer with an object, got ${describe(result)}`);
  return result;
}

/** Answers demand from a synchronous iterator, at once. */
class IteratorSource<Out> {
  readonly #iterable: Iterable<Out>;
  #iterator: Iterator<Out> | undefined;
  #over = false;

  constructor(iterable: Iterable<Out>) {
    this.#iterable = iterable;
  }

  handleDemand(demand: number, stage: ProducerContext<Out>): Out[] {
    const events: Out[] = [];
    try {
      const iterator = (this.#iterator ??= this.#iterable[Symbol.iterator]());
      while (events.length < demand) {
        const result = checked(iterator.next());
        if (result.done) {
          this.#over = true;
          stage.complete();
          break;
        }
        events.push(result.value);
      }
    } catch (error) {
      // What it yielded before goes out first; an iterator that threw is not closed again.
      this.#over = true;
      (stage as unknown as EmittingContext)["~core"].answer(events);
      stage.fail(error, { after: "buffer" });
      return [];
    }
    return events;
  }

  terminate(): void {
    if (!this.#over) this.#iterator?.return?.();
  }
}

/** Answers demand from an asynchronous iterator: one `next` at a time, what comes is pushed. */
class AsyncIteratorSource<Out> implements Task {
  readonly #iterable: AsyncIterable<Out>;
  #iterator: AsyncIterator<Out> | undefined;
  #stage: EmittingContext | undefined;
  #wanted = 0;
  #pulling = false;
  #over = false;
  #result: IteratorResult<Out> | undefined;

  constructor(iterable: AsyncIterable<Out>) {
    this.#iterable = iterable;
  }

  handleDemand(demand: number, stage: ProducerContext<Out>): void {
    this.#stage = stage as unknown as EmittingContext;
    this.#wanted += demand;
    if (!this.#pulling) this.#pull();
  }

  async terminate(): Promise<void> {
    if (this.#over || this.#result?.done) return;
    this.#over = true;
    const closing = this.#iterator?.return?.();
    // A generator that waits for its next value cannot be closed before it has one: nobody waits for that.
    if (this.#pulling) closing?.then(undefined, (error: unknown) => this.#stage?.report(error, "return"));
    else await closing;
  }

  /** A turn of the runtime, so that an iterator that answers at once keeps to the budget. */
  run(): void {
    const result = this.#result;
    this.#result = undefined;
    this.#pulling = false;
    if (!result || !this.#stage) return;
    const late = this.#over;
    if (result.done) {
      this.#over = true;
      if (!late) this.#stage.complete();
      return;
    }
    this.#wanted -= 1;
    const core = this.#stage["~core"];
    if (!core.answer([result.value])) {
      // A stage that takes no more asks for no more; one that fails on the value tells of it in its error.
      this.#wanted = 0;
      if (late || !this.#over) core.ends.lose([result.value]);
    }
    if (this.#wanted > 0) this.#pull();
  }

  #pull(): void {
    this.#pulling = true;
    try {
      this.#iterator ??= this.#iterable[Symbol.asyncIterator]();
      Promise.resolve(this.#iterator.next()).then(this.#onResult, this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }

  readonly #onResult = (result: IteratorResult<Out>): void => {
    try {
      // Read once, here: what is no result, or throws when it is read, fails the stage.
      this.#result = checked(result).done ? { done: true, value: undefined } : { done: false, value: result.value };
    } catch (error) {
      this.#onError(error);
      return;
    }
    this.#stage?.["~core"].runtime.resume(this);
  };

  readonly #onError = (error: unknown): void => {
    this.#pulling = false;
    if (this.#over) {
      // A generator passes on what its input failed with, which the stage has failed with, too.
      if (this.#stage && !this.#stage["~core"].outcome.isKnown(error)) this.#stage.report(error, "next");
    } else {
      this.#over = true;
      this.#stage?.fail(error, { after: "buffer" });
    }
  };
}

/**
 * Makes a producer of an iterable, synchronous or asynchronous.
 *
 * **Shape** one event per value, in order, as `for … of` gives them: the code points of a string, the numbers in bytes.
 * Promises that a synchronous iterable yields are events as they are; an async generator waits for them.
 * **Backpressures** `next` is called only for what was asked for, one call at a time.
 * **Completes** when the iterator is done. **Cancels** when its last consumer leaves (`onLastCancel: "stop"` is the
 * default here): the iterator's `return` is called once.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: not iterable; `ERR_OPTION`, `ERR_RANGE`: wrong options. What the iterator throws fails
 * the stage, behind the events that came before.
 *
 * **Source** rules 7.1 to 7.3; GenStage's from_enumerable, which needs `on_cancel` to be told.
 *
 * @example
 * const letters = fromIterable(["a", "b", "c"]);
 * for await (const letter of letters) console.log(letter);
 */
export function fromIterable<Out, SO extends object = NoOptions>(
  iterable: Iterable<Out> | AsyncIterable<Out>,
  options: ProducerOptions<Out, SO> = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  return makeStage([SourceHandle, PlainContext], "producer", sourceOf(iterable), options, {
    onLastCancel: "stop",
    dispatcher: defaultDispatcher,
    refused: ["demandMode", "overflow"],
  }) as Producer<Out, SubscribeOptionsOf<SO, Out>>;
}

export function sourceOf<Out>(iterable: Iterable<Out> | AsyncIterable<Out>): object {
  const value = iterable as Partial<Iterable<Out> & AsyncIterable<Out>> | null | undefined;
  if (typeof value?.[Symbol.asyncIterator] === "function")
    return new AsyncIteratorSource(iterable as AsyncIterable<Out>);
  if (typeof value?.[Symbol.iterator] === "function") return new IteratorSource(iterable as Iterable<Out>);
  throw argumentError("ERR_NOT_SOURCE", "an iterable or an async iterable", iterable);
}
