import { refuse } from "../../src/adapter/index.ts";
import type { EmitterLike, EventName, EventTargetLike } from "./like.ts";

export type Listener = (...args: readonly unknown[]) => void;
type Register = (name: EventName, listener: Listener) => void;

/** A source of events, with uniform method names. */
interface Ears {
  readonly target: object;
  /** Whether it is an emitter, not an EventTarget: its "error" needs a listener. */
  readonly emitter: boolean;
  readonly add: Register;
  readonly remove: Register;
}

const pairs = [
  ["on", "off"],
  ["addListener", "removeListener"],
  ["addEventListener", "removeEventListener"],
] as const;

/** With both sets of methods it is an emitter: listeners get the event itself. */
export function earsOf(source: EmitterLike | EventTargetLike): Ears {
  const methods = (source ?? {}) as Partial<Record<string, Register>>;
  for (const [add, remove] of pairs)
    if (typeof methods[add] === "function" && typeof methods[remove] === "function")
      return {
        target: source,
        emitter: add !== "addEventListener",
        add: (name, listener) => methods[add]?.(name, listener),
        remove: (name, listener) => methods[remove]?.(name, listener),
      };
  return refuse("ERR_NOT_SOURCE", "an EventEmitter or an EventTarget", source);
}

/** The one listener for a name, shared by all stages: platforms warn of more than ten. */
class Shared {
  readonly #ears: Ears;
  readonly #name: EventName;
  readonly #onEvent: Listener;
  #listeners: readonly Listener[] = [];

  constructor(ears: Ears, name: EventName, all: boolean) {
    this.#ears = ears;
    this.#name = name;
    this.#onEvent = all ? this.#onAll : this.#onFirst;
  }

  /** Returns the remover. Copy-on-write: a listener added during an event first sees the next one. */
  add(listener: Listener): () => void {
    if (this.#listeners.length === 0) this.#ears.add(this.#name, this.#onEvent);
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
      if (this.#listeners.length === 0) this.#ears.remove(this.#name, this.#onEvent);
    };
  }

  readonly #onFirst: Listener = (first) => {
    for (const listener of this.#listeners) listener(first);
  };

  readonly #onAll: Listener = (...args) => {
    for (const listener of this.#listeners) listener(...args);
  };
}

/** Listeners for all arguments stand apart, since collecting them costs. */
const shared = {
  all: new WeakMap<object, Map<EventName, Shared>>(),
  first: new WeakMap<object, Map<EventName, Shared>>(),
};

/** Listens until the returned function is called. */
export function listen(ears: Ears, name: EventName, listener: Listener, all: boolean): () => void {
  const known = all ? shared.all : shared.first;
  let names = known.get(ears.target);
  if (names === undefined) known.set(ears.target, (names = new Map()));
  let one = names.get(name);
  if (one === undefined) names.set(name, (one = new Shared(ears, name, all)));
  return one.add(listener);
}

export type { Ears };
