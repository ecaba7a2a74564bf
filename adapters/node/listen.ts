import { type EmitterLike, type StateLike, type StreamLike, willClose } from "./like.ts";

type Listener = (argument: unknown) => void;

/** One listener per emitter and event, whatever number of stages is attached: emitters warn of more than ten. */
class Hub {
  readonly #emitter: EmitterLike;
  readonly #event: string;
  readonly listeners = new Set<Listener>();

  constructor(emitter: EmitterLike, event: string) {
    this.#emitter = emitter;
    this.#event = event;
  }

  add(listener: Listener): void {
    if (this.listeners.size === 0) this.#emitter.on(this.#event, this.#tell);
    this.listeners.add(listener);
  }

  remove(listener: Listener): void {
    if (this.listeners.delete(listener) && this.listeners.size === 0)
      this.#emitter.removeListener(this.#event, this.#tell);
  }

  readonly #tell: Listener = (argument) => {
    // Who hears it may leave, or bring others: those that are here now hear it.
    for (const listener of Array.from(this.listeners)) listener(argument);
  };
}

const hubs = new WeakMap<EmitterLike, Map<string, Hub>>();

/** Whether a stage reads it: of all stages only those that do listen to its end. */
export const isRead = (stream: EmitterLike): boolean => !!hubs.get(stream)?.get("end")?.listeners.size;

/** Listens until the answered function is called. */
export function listen(emitter: EmitterLike, event: string, listener: Listener): () => void {
  let events = hubs.get(emitter);
  if (events === undefined) hubs.set(emitter, (events = new Map()));
  let hub = events.get(event);
  if (hub === undefined) events.set(event, (hub = new Hub(emitter, event)));
  hub.add(listener);
  return () => hub.remove(listener);
}

/** The listeners of one stage on one stream. */
export class Listeners {
  readonly #stream: StreamLike;
  readonly #stops = new Map<string, () => void>();

  constructor(stream: StreamLike) {
    this.#stream = stream;
  }

  add(event: string, listener: Listener): void {
    if (!this.#stops.has(event)) this.#stops.set(event, listen(this.#stream, event, listener));
  }

  remove(event: string): void {
    this.#stops.get(event)?.();
    this.#stops.delete(event);
  }

  /** Removes all, or all but the one for errors until `close`: an error in clean-up that nobody hears ends the process. */
  release(state: StateLike | undefined, guard: boolean): void {
    const guards = guard && !(state?.closeEmitted ?? this.#stream.closed);
    for (const event of Array.from(this.#stops.keys())) if (event !== "error" || !guards) this.remove(event);
    if (guards && willClose(this.#stream, state))
      this.add("close", () => {
        this.remove("error");
        this.remove("close");
      });
  }

  /** Fulfils at the next of these events. */
  next(...events: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      const stops = events.map((event) =>
        listen(this.#stream, event, () => {
          for (const stop of stops) stop();
          resolve();
        }),
      );
    });
  }
}
