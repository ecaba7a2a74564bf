import { Collector } from "../adapter/collector.ts";
import { errorOf, isFailure } from "../base/reason.ts";
import type { SourceBehaviour, SourceContext } from "../contract/adapter.ts";
import type { Reason } from "../contract/reason.ts";
import type { Task } from "../contract/runtime.ts";
import { checked, checkedIterator } from "./iterator-source.ts";

/** Values between two looks at the budget. */
const STRIDE = 32;

/**
 * Serves demand from an asynchronous iterator: one `next` at a time. Values that come while consumers are at work, or
 * within one run of the microtask queue, make one batch.
 */
export class AsyncIteratorSource<Out> implements SourceBehaviour<Out>, Task {
  readonly #iterable: AsyncIterable<Out>;
  #iterator: AsyncIterator<Out> | undefined;
  #stage!: SourceContext<Out>;
  #collector!: Collector<Out>;
  #wanted = 0;
  #pulling = false;
  #over = false;
  #left = STRIDE;
  /** The stage's failure. */
  #failure: unknown;

  constructor(iterable: AsyncIterable<Out>) {
    this.#iterable = iterable;
  }

  begin(stage: SourceContext<Out>): void {
    this.#stage = stage;
    this.#collector = new Collector(stage, { lingers: true });
  }

  handleDemand(demand: number): void {
    this.#wanted += demand;
    if (!this.#pulling) this.#pull();
  }

  /** A stage that ends well delivers what was collected, and takes no more. */
  handleEnd(): void {
    this.#wanted = 0;
    this.#collector.send();
  }

  async terminate(reason: Reason): Promise<void> {
    if (isFailure(reason)) this.#failure = errorOf(reason);
    this.#collector.close(reason);
    if (this.#over) return;
    this.#over = true;
    const closing = this.#iterator?.return?.();
    // A generator that waits for its next value cannot be closed before: no one waits for that.
    if (this.#pulling) closing?.then(undefined, (error: unknown) => this.#stage.report(error, "return"));
    else await closing;
  }

  /** A turn of the runtime, so that an iterator that responds at once keeps to the budget. */
  run(): void {
    this.#pulling = false;
    if (!this.#over) this.#pull();
  }

  #pull(): void {
    this.#pulling = true;
    try {
      this.#iterator ??= checkedIterator(this.#iterable[Symbol.asyncIterator](), "asyncIterator", this.#stage.name);
      Promise.resolve(this.#iterator.next()).then(this.#onResult, this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }

  readonly #onResult = (result: IteratorResult<Out>): void => {
    this.#pulling = false;
    const late = this.#over;
    let value: Out;
    try {
      // Read once, here: an invalid result, or one that throws when read, fails the stage.
      if (checked(result, this.#stage.name).done) {
        this.#over = true;
        if (!late) this.#collector.complete();
        return;
      }
      ({ value } = result);
    } catch (error) {
      this.#onError(error);
      return;
    }
    if (late) {
      this.#stage.discard([value]);
      return;
    }
    this.#wanted -= 1;
    this.#collector.add(value);
    if (this.#wanted <= 0 || this.#over || this.#pulling || this.#collector.closed) return;
    this.#left -= 1;
    if (this.#left > 0) this.#pull();
    else {
      this.#left = STRIDE;
      this.#pulling = true;
      this.#stage.runtime.resume(this);
    }
  };

  readonly #onError = (error: unknown): void => {
    this.#pulling = false;
    if (this.#over) {
      // A generator passes on its input's failure, with which the stage has failed, too.
      if (error !== this.#failure) this.#stage.report(error, "next");
    } else {
      this.#over = true;
      this.#collector.fail(error);
    }
  };
}
