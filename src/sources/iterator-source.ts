import { argumentError, describe, words } from "../base/errors.ts";
import { isObject, isThenable } from "../base/thenable.ts";
import type { SourceBehaviour, SourceContext } from "../contract/adapter.ts";
import type { Task } from "../contract/runtime.ts";

/** As in a loop: an iterator returns objects. */
export function checked<Out>(result: IteratorResult<Out>, stage: string): IteratorResult<Out> {
  if (!isObject(result))
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

/** Values for which there is room from the start: an array that grows is copied, again and again. */
const ROOM = 1000;

/**
 * Serves demand from a synchronous iterator, at once. A promise among its values is awaited before the next value is
 * taken, as in `for await`: its rejection would otherwise end the process before anyone could handle it.
 */
export class IteratorSource<Out> implements SourceBehaviour<Awaited<Out>>, Task {
  readonly #iterable: Iterable<Out>;
  /** The iterable, if it is an array which is read as one. */
  readonly #array: readonly Out[] | undefined;
  /** Where its unread values begin. */
  #at = 0;
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
    if (Array.isArray(iterable) && iterable[Symbol.iterator] === Array.prototype[Symbol.iterator])
      this.#array = iterable as readonly Out[];
  }

  handleDemand(demand: number, stage: SourceContext<Awaited<Out>>): Awaited<Out>[] | undefined {
    this.#stage = stage;
    if (!this.#waiting) return this.#next(demand);
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
    if (wanted > 0) this.#stage.answer(this.#next(wanted));
  }

  #next(count: number): Awaited<Out>[] {
    return this.#array === undefined ? this.#take(count) : this.#slice(this.#array, count);
  }

  /** As `#take`, without an iterator. An array may grow until its end has been met. */
  #slice(array: readonly Out[], count: number): Awaited<Out>[] {
    const from = this.#at;
    const events = array.slice(from, from + count) as Awaited<Out>[];
    let i = 0;
    try {
      for (; i < events.length; i += 1) {
        const value = events[i];
        // A hole is an event, too.
        if (value === undefined) events[i] = value as Awaited<Out>;
        else if (isObject(value) && isThenable(value)) {
          events.length = i;
          this.#at = from + i + 1;
          this.#wanted = count - i;
          this.#wait(value);
          return events;
        }
      }
    } catch (error) {
      events.length = i;
      return this.#broken(error, events);
    }
    this.#at = from + i;
    if (i < count) {
      this.#over = true;
      this.#stage.complete();
    }
    return events;
  }

  /** Takes this many values, up to the first promise. */
  #take(count: number): Awaited<Out>[] {
    const events = new Array<Awaited<Out>>(Math.min(count, ROOM));
    let taken = 0;
    try {
      const { name } = this.#stage;
      this.#iterator ??= checkedIterator(this.#iterable[Symbol.iterator](), "iterator", name);
      const iterator = this.#iterator;
      while (taken < count) {
        const result = checked(iterator.next(), name);
        if (result.done) {
          this.#over = true;
          this.#stage.complete();
          break;
        }
        const { value } = result;
        if (isObject(value) && isThenable(value)) {
          this.#wanted = count - taken;
          this.#wait(value);
          break;
        }
        events[taken] = value as Awaited<Out>;
        taken += 1;
      }
    } catch (error) {
      events.length = taken;
      return this.#broken(error, events);
    }
    // Setting the length of an array costs as much as a dozen values.
    if (taken < events.length) events.length = taken;
    return events;
  }

  /** Earlier values go out first; an iterator that threw is not closed again. */
  #broken(error: unknown, events: Awaited<Out>[]): Awaited<Out>[] {
    this.#over = true;
    this.#stage.answer(events);
    this.#stage.fail(error, { after: "buffer" });
    return [];
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
