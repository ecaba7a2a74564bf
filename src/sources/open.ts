import { argumentError, describe, words } from "../base/errors.ts";
import type { Discarded, StageOptions } from "../contract/options.ts";
import type { Source } from "../contract/source.ts";
import type { Producer, Stage } from "../contract/stage.ts";
import { source as makeSource } from "../adapter/source.ts";
import { sourceOf, windowOf } from "./from-iterable.ts";

export interface OpenOptions extends StageOptions {
  readonly onDiscard?: ((discarded: Discarded) => void) | undefined;
}

const EXPECTED = "a producer, an iterable or an async iterable";

/** Sources that can be read once, and have been taken. */
const taken = new WeakSet<object>();

const has = (value: object, name: PropertyKey): boolean =>
  typeof (value as Record<PropertyKey, unknown>)[name] === "function";

/** Keys under which libraries offer their Observables, whichever of them was loaded first. */
const isObservable = (value: object): boolean =>
  has(value, "subscribe") &&
  (has(value, "@@observable") ||
    has(value, (Symbol as { readonly observable?: symbol }).observable ?? "@@observable") ||
    has(value, Symbol.for("https://github.com/benlesh/symbol-observable")));

/** Whether it gives its events once: an iterator, a stream. */
const isOnce = (value: object): boolean =>
  has(value, "next") || has(value, "getReader") || typeof (value as ReadableLike).readableObjectMode === "boolean";

interface ReadableLike {
  readonly readableObjectMode?: unknown;
}

export const isProducer = (value: unknown): value is Producer<unknown> =>
  typeof (value as { readonly "~attach"?: unknown } | null | undefined)?.["~attach"] === "function";

/** Refuses what is no source, with the way to make one of it. */
export function checkSource(given: unknown): void {
  const value = given as object | null | undefined;
  if (typeof given === "string" || ArrayBuffer.isView(given)) {
    const one = typeof given === "string" ? "a string would be single characters" : "it would be single numbers";
    throw argumentError("ERR_NOT_SOURCE", EXPECTED, words(`${describe(given)}: put it into an array, ${one}`));
  }
  const iterable =
    typeof value === "object" &&
    value !== null &&
    (has(value, Symbol.asyncIterator) || has(value, Symbol.iterator)) &&
    !isObservable(value);
  if (!iterable) throw argumentError("ERR_NOT_SOURCE", EXPECTED, given);
  if (taken.has(value)) throw argumentError("ERR_SOURCE_USED", "", given);
}

/** The producer of a source: a producer itself, or one made of an iterable. */
export function opened<Out>(given: Source<Out>, options: OpenOptions = {}): Producer<Out> {
  if (isProducer(given)) return given;
  checkSource(given);
  if (isOnce(given)) taken.add(given);
  const { name, runtime, signal, onReport, onDiscard } = options;
  return makeSource(
    sourceOf(given as Iterable<Out> | AsyncIterable<Out>),
    { name, runtime, signal, onReport, onDiscard },
    { defaultMaxDemand: windowOf(given) },
  );
}

/** Refuses a value that `opened` would refuse, before anything is made. */
export function checkOpens(given: unknown): asserts given is Source<unknown> | Stage {
  if (!isProducer(given)) checkSource(given);
}
