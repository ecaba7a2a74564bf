import { argumentError, describe, words } from "../base/errors.ts";
import { isObject, isThenable } from "../base/thenable.ts";
import type { SourceBehaviour, SourceContext } from "../contract/adapter.ts";
import type { Task } from "../contract/runtime.ts";

/** As in a loop: an iterator returns objects. */
export function checked<Out>(result: IteratorResult<Out>, stage: string): IteratorResult<Out> {
  if (Object(result) !== result)
    throw new TypeError(`expected next() of what ${stage} reads to return an object, got ${describe(result)}`);
  return result;
}

/** What an iterable has returned as its iterator. */
export function checkedIterator<Of extends Iterator<unknown> | AsyncIterator<unknown>>(
  iterator: Of,
  method: string,
  stage: string,
): Of {
  if (typeof (iterator as Partial<Of> | null | undefined)?.next === "function") return iterator;
  const got = Object(iterator) === iterator ? `${describe(iterator)} without next()` : describe(iterator);
  throw argumentError(
    "ERR_NOT_SOURCE",
    `[Symbol.${method}]() of what ${stage} reads to return an iterator`,
    words(got),
  );
}

/**
 * Serves demand from a synchronous iterator, at once. A promise among its values is awaited before the next value is
 * taken, as in `for await`: its rejection would otherwise end the process before anyone could handle it.
 */
export class IteratorSource<Out> implements SourceBehaviour<Awaited<Out>>, Task {
  readonly #iterable: Iterable<Out>;
  #iterator: Iterator<Out> | undefined;
  #stage!: SourceContext<Awaited<Out>>;
  /** Demand behind the awaited promise. */
  #wanted = 0;
  #waiting = false;
  /** The promise's outcome, until its turn. */
  #settled: { readonly value: unknown; readonly failed: boolean } | undefined;
  #over = false;
  #ended = false;

  constructor(iterable: Iterable<Out>) {
    this.#iterable = iterable;
  }

  handleDemand(demand: number, stage: SourceContext<Awaited<Out>>): Awaited<Out>[] | undefined {
    this.#stage = stage;
    if (!this.#waiting) return this.#take(demand);
    this.#wanted += demand;
    return undefined;
  }

  terminate(): void {
    this.#ended = true;
    if (!this.#over) this.#iterator?.return?.();
  }

  /** A turn: the promise has settled. */
  run(): void {
    const settled = this.#settled;
    if (settled === undefined) return;
    this.#settled = undefined;
    this.#waiting = false;
    const { value, failed } = settled;
    if (failed) {
      // The maker of the promise catches it there.
      if (this.#ended) this.#stage.report(value, "next");
      else this.#stage.fail(value, { after: "buffer" });
      return;
    }
    const events = [value as Awaited<Out>];
    if (this.#ended || !this.#stage.answer(events)) {
      this.#stage.discard(events);
      return;
    }
    const wanted = this.#wanted - 1;
    this.#wanted = 0;
    if (wanted > 0) this.#stage.answer(this.#take(wanted));
  }

  /** Takes this many values, up to the first promise. */
  #take(count: number): Awaited<Out>[] {
    const events: Awaited<Out>[] = [];
    try {
      const { name } = this.#stage;
      this.#iterator ??= checkedIterator(this.#iterable[Symbol.iterator](), "iterator", name);
      const iterator = this.#iterator;
      while (events.length < count) {
        const result = checked(iterator.next(), name);
        if (result.done) {
          this.#over = true;
          this.#stage.complete();
          break;
        }
        const { value } = result;
        if (isObject(value) && isThenable(value)) {
          this.#wanted = count - events.length;
          this.#wait(value);
          break;
        }
        events.push(value as Awaited<Out>);
      }
    } catch (error) {
      // Earlier values go out first; an iterator that threw is not closed again.
      this.#over = true;
      this.#stage.answer(events);
      this.#stage.fail(error, { after: "buffer" });
      return [];
    }
    return events;
  }

  #wait(promise: PromiseLike<unknown>): void {
    this.#waiting = true;
    const settle = (value: unknown, failed: boolean): void => {
      this.#settled = { value, failed };
      this.#stage.runtime.resume(this);
    };
    Promise.resolve(promise).then(
      (value) => settle(value, false),
      (error: unknown) => settle(error, true),
    );
  }
}
