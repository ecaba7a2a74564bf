import type { ObservableLike, SubscribableLike } from "./like.ts";

/** The key of libraries that were loaded while there was no symbol. */
const STRING = "@@observable";
/** The symbol that the package symbol-observable registers. */
const REGISTERED = Symbol.for("https://github.com/benlesh/symbol-observable");

/**
 * The keys under which libraries look for an Observable. Each one picks its key when it is loaded: the symbol if there is one
 * by then, else a string. Which was loaded first is nothing that users think of, so all of them count.
 */
const keys = (): readonly PropertyKey[] => {
  // Looked up each time: any library may bring the symbol later.
  const { observable } = Symbol as { readonly observable?: symbol };
  return observable === undefined || observable === REGISTERED
    ? [STRING, REGISTERED]
    : [observable, STRING, REGISTERED];
};

/** What a source offers under one of the keys, or itself. */
export function subscribableOf<Value>(source: ObservableLike<Value>): SubscribableLike<Value> {
  const offers = source as Partial<Record<PropertyKey, () => SubscribableLike<Value>>> | null | undefined;
  for (const key of keys()) {
    const offer = offers?.[key];
    if (typeof offer === "function") return offer.call(source);
  }
  return source as SubscribableLike<Value>;
}

function itself<Made>(this: Made): Made {
  return this;
}

/** Has an Observable that was made here found by libraries which look for another key than its class bears. */
export function offered<Made extends object>(made: Made): Made {
  for (const key of keys())
    if (!(key in made) && Object.isExtensible(made))
      Object.defineProperty(made, key, { value: itself, configurable: true, writable: true });
  return made;
}

export const isSubscribable = (value: unknown): value is SubscribableLike<never> =>
  typeof (value as Partial<SubscribableLike<never>> | null | undefined)?.subscribe === "function";
