import { errorOf, isFailure } from "../base/reason.ts";
import type { SourceBehaviour, SourceContext } from "../contract/adapter.ts";
import type { Reason } from "../contract/reason.ts";
import type { Task } from "../contract/runtime.ts";
import { checked } from "./iterator-source.ts";

/** Serves demand from an asynchronous iterator: one `next` at a time. */
export class AsyncIteratorSource<Out> implements SourceBehaviour<Out>, Task {
  readonly #iterable: AsyncIterable<Out>;
  #iterator: AsyncIterator<Out> | undefined;
  #stage: SourceContext<Out> | undefined;
  #wanted = 0;
  #pulling = false;
  #over = false;
  #result: IteratorResult<Out> | undefined;
  /** The stage's failure. */
  #failure: unknown;

  constructor(iterable: AsyncIterable<Out>) {
    this.#iterable = iterable;
  }

  handleDemand(demand: number, stage: SourceContext<Out>): void {
    this.#stage = stage;
    this.#wanted += demand;
    if (!this.#pulling) this.#pull();
  }

  async terminate(reason: Reason): Promise<void> {
    if (isFailure(reason)) this.#failure = errorOf(reason);
    if (this.#over || this.#result?.done) return;
    this.#over = true;
    const closing = this.#iterator?.return?.();
    // A generator that waits for its next value cannot be closed before: no one waits for that.
    if (this.#pulling) closing?.then(undefined, (error: unknown) => this.#stage?.report(error, "return"));
    else await closing;
  }

  /** A turn of the runtime, so that an iterator that responds at once keeps to the budget. */
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
    if (!this.#stage.answer([result.value])) {
      // A stage that takes no more asks for no more; one that fails on the value tells it in its error.
      this.#wanted = 0;
      if (late || !this.#over) this.#stage.discard([result.value]);
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
      // Read once, here: an invalid result, or one that throws when read, fails the stage.
      this.#result = checked(result).done ? { done: true, value: undefined } : { done: false, value: result.value };
    } catch (error) {
      this.#onError(error);
      return;
    }
    this.#stage?.runtime.resume(this);
  };

  readonly #onError = (error: unknown): void => {
    this.#pulling = false;
    if (this.#over) {
      // A generator passes on its input's failure, with which the stage has failed, too.
      if (error !== this.#failure) this.#stage?.report(error, "next");
    } else {
      this.#over = true;
      this.#stage?.fail(error, { after: "buffer" });
    }
  };
}
