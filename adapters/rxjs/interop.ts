import type { ObservableLike, SubscribableLike } from "./like.ts";

/** The key of libraries loaded while there was no symbol. */
const STRING = "@@observable";
/** The symbol that the package symbol-observable registers. */
const REGISTERED = Symbol.for("https://github.com/benlesh/symbol-observable");

/**
 * The keys of an Observable. Each library picks one when it is loaded: the symbol if it exists by then, else a string.
 * All count.
 */
const keys = (): readonly PropertyKey[] => {
  // Looked up each time: any library may bring the symbol later.
  const { observable } = Symbol as { readonly observable?: symbol };
  return observable === undefined || observable === REGISTERED
    ? [STRING, REGISTERED]
    : [observable, STRING, REGISTERED];
};

/** The source's Observable under one of the keys, or the source itself. */
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

/** Offers an Observable made here under the keys its class lacks. */
export function offered<Made extends object>(made: Made): Made {
  for (const key of keys())
    if (!(key in made) && Object.isExtensible(made))
      Object.defineProperty(made, key, { value: itself, configurable: true, writable: true });
  return made;
}

export const isSubscribable = (value: unknown): value is SubscribableLike<never> =>
  typeof (value as Partial<SubscribableLike<never>> | null | undefined)?.subscribe === "function";
