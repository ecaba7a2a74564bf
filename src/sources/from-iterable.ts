import { source } from "../adapter/source.ts";
import { argumentError } from "../base/errors.ts";
import type { SourceBehaviour } from "../contract/adapter.ts";
import type { NoOptions, SubscribeOptionsOf } from "../contract/dispatcher.ts";
import type { ProducerOptions } from "../contract/options.ts";
import type { Producer } from "../contract/stage.ts";
import { AsyncIteratorSource } from "./async-iterator-source.ts";
import { IteratorSource } from "./iterator-source.ts";

/**
 * Makes a producer of an iterable, synchronous or asynchronous.
 *
 * **Shape** one event per value, in order, as `for … of` yields them: the code points of a string, the numbers in
 * bytes. A promise from a synchronous iterable is awaited, and its value is the event.
 * **Backpressures** `next` is called on demand only, one call at a time.
 * **Completes** when the iterator is done. **Cancels** when its last consumer leaves (`onLastCancel: "stop"` is the
 * default here): the iterator's `return` is called once.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: not iterable; `ERR_OPTION`, `ERR_RANGE`: wrong options, `overflow` among
 * them, since an iterable never overflows. An error of the iterator fails the stage, behind earlier events.
 *
 * **Source** rules 7.1 to 7.3; GenStage's from_enumerable, which needs `on_cancel` to be told.
 *
 * @example
 * const letters = fromIterable(["a", "b", "c"]);
 * for await (const letter of letters) console.log(letter);
 */
export function fromIterable<Out, SO extends object = NoOptions>(
  iterable: Iterable<Out> | AsyncIterable<Out>,
  options: ProducerOptions<Awaited<Out>, SO> = {},
): Producer<Awaited<Out>, SubscribeOptionsOf<SO, Awaited<Out>>> {
  return source(sourceOf(iterable), options, { defaultMaxDemand: windowOf(iterable) });
}

/** Chunks on their way, of a source of bytes: each may hold many kilobytes. */
const CHUNKS = 16;

/** The maxDemand that suits an iterable: few of its events, where each is a chunk of bytes. */
export function windowOf(iterable: unknown): number | undefined {
  const { readableObjectMode, getReader } = Object(iterable) as {
    readonly readableObjectMode?: unknown;
    readonly getReader?: unknown;
  };
  return readableObjectMode === false || typeof getReader === "function" ? CHUNKS : undefined;
}

export function sourceOf<Out>(iterable: Iterable<Out> | AsyncIterable<Out>): SourceBehaviour<Awaited<Out>> {
  const value = iterable as Partial<Iterable<Out> & AsyncIterable<Out>> | null | undefined;
  if (typeof value?.[Symbol.asyncIterator] === "function")
    return new AsyncIteratorSource(iterable as AsyncIterable<Awaited<Out>>);
  if (typeof value?.[Symbol.iterator] === "function") return new IteratorSource(iterable as Iterable<Out>);
  throw argumentError("ERR_NOT_SOURCE", "an iterable or an async iterable", iterable);
}
