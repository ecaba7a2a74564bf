import type { Reason } from "../../src/index.ts";
import { Collector, type CollectorOptions, errorOf, type SourceContext } from "../../src/adapter/index.ts";
import type { ObserverMethods, SubscribableLike } from "./like.ts";

/** Teardowns kept before the first look for those that are closed. */
const SWEEP = 64;

/**
 * The observer given to an Observable, and its release. RxJS 7 takes an object with `unsubscribe` for a Subscriber, so
 * that a synchronous source sees `closed`; RxJS 9 and the platform look at the signal.
 */
export class Receiver<Value> implements ObserverMethods<Value> {
  readonly collector: Collector<Value>;
  /** Nothing is heard any more. */
  closed = false;
  readonly #stage: SourceContext<Value>;
  readonly #aborter = new AbortController();
  readonly #teardowns = new Set<unknown>();
  #sweepAt = SWEEP;

  constructor(stage: SourceContext<Value>, { overflow, bufferSize }: CollectorOptions) {
    this.#stage = stage;
    this.collector = new Collector(stage, {
      overflow,
      bufferSize,
      release: (reason) => (reason ? this.#release(errorOf(reason)) : this.#tearDown()),
    });
  }

  next(value: Value): void {
    if (!this.closed) this.collector.add(value);
  }

  error(error: unknown): void {
    if (!this.closed) this.collector.fail(error);
  }

  complete(): void {
    if (!this.closed) this.collector.complete();
  }

  listen(source: SubscribableLike<Value>): void {
    this.add(source.subscribe(this as never, { signal: this.#aborter.signal }));
  }

  /** Takes a subscription or a function, called at the release. */
  add(teardown: unknown): void {
    if (teardown === this || teardown === undefined || teardown === null) return;
    if (this.closed) {
      this.#run(teardown);
      return;
    }
    const teardowns = this.#teardowns;
    teardowns.add(teardown);
    if (teardowns.size < this.#sweepAt) return;
    // Ended inner subscriptions do not remove themselves.
    for (const each of teardowns) if ((each as { readonly closed?: unknown }).closed === true) teardowns.delete(each);
    this.#sweepAt = Math.max(SWEEP, 2 * teardowns.size);
  }

  remove(teardown: unknown): void {
    this.#teardowns.delete(teardown);
  }

  /** The stage has ended. */
  end(reason: Reason): void {
    this.collector.close(reason);
  }

  unsubscribe(): void {
    this.#release(undefined);
  }

  /** Releases the source, once. */
  #release(reason: unknown): void {
    if (this.closed) return;
    this.closed = true;
    try {
      this.#aborter.abort(reason);
    } catch (error) {
      this.#report(error);
    }
    this.#tearDown();
  }

  /** The source is over. */
  #tearDown(): void {
    this.closed = true;
    const teardowns = Array.from(this.#teardowns);
    this.#teardowns.clear();
    for (const teardown of teardowns) this.#run(teardown);
  }

  #run(teardown: unknown): void {
    try {
      if (typeof teardown === "function") teardown();
      else (teardown as { unsubscribe?: () => void }).unsubscribe?.();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#stage.report(error, "unsubscribe");
  }
}
