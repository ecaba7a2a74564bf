import { argumentError } from "../../src/errors.ts";
import type { EmitterPeer, EventName, EventTargetPeer } from "./peer.ts";

export type Listener = (...args: readonly unknown[]) => void;
type Register = (name: EventName, listener: Listener) => void;

/** Where listeners are added and removed, whatever the methods are called. */
interface Ears {
  readonly target: object;
  /** An emitter, whose event "error" needs a listener; otherwise an EventTarget. */
  readonly emitter: boolean;
  readonly add: Register;
  readonly remove: Register;
}

const pairs = [
  ["on", "off"],
  ["addListener", "removeListener"],
  ["addEventListener", "removeEventListener"],
] as const;

/** Who has the methods of both is an emitter: its listeners get what was emitted, not an Event around it. */
export function earsOf(source: EmitterPeer | EventTargetPeer): Ears {
  const methods = (source ?? {}) as Partial<Record<string, Register>>;
  for (const [add, remove] of pairs)
    if (typeof methods[add] === "function" && typeof methods[remove] === "function")
      return {
        target: source,
        emitter: add !== "addEventListener",
        add: (name, listener) => methods[add]?.(name, listener),
        remove: (name, listener) => methods[remove]?.(name, listener),
      };
  throw argumentError("ERR_NOT_SOURCE", "an EventEmitter or an EventTarget", source);
}

/** The one listener for a name, for all stages on it: platforms warn of more than ten. */
class Shared {
  readonly #ears: Ears;
  readonly #name: EventName;
  #listeners: readonly Listener[] = [];

  constructor(ears: Ears, name: EventName) {
    this.#ears = ears;
    this.#name = name;
  }

  /** Answers how to remove it. The list is replaced, so that who listens during an event has the next one first. */
  add(listener: Listener): () => void {
    if (this.#listeners.length === 0) this.#ears.add(this.#name, this.#onEvent);
    this.#listeners = [...this.#listeners, listener];
    return () => {
      if (!this.#listeners.includes(listener)) return;
      this.#listeners = this.#listeners.filter((other) => other !== listener);
      if (this.#listeners.length === 0) this.#ears.remove(this.#name, this.#onEvent);
    };
  }

  readonly #onEvent: Listener = (...args) => {
    for (const listener of this.#listeners) listener(...args);
  };
}

const shared = new WeakMap<object, Map<EventName, Shared>>();

/** Listens until the answered function is called. Each listener is a function of its own. */
export function listen(ears: Ears, name: EventName, listener: Listener): () => void {
  let names = shared.get(ears.target);
  if (names === undefined) shared.set(ears.target, (names = new Map()));
  let one = names.get(name);
  if (one === undefined) names.set(name, (one = new Shared(ears, name)));
  return one.add(listener);
}

export type { Ears };
