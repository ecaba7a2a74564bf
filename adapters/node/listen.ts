import type { Runtime } from "../../src/index.ts";
import type { EmitterLike } from "./like.ts";

type Event = string | symbol;
type Listener = (argument: unknown) => void;

/** One listener per emitter and event: emitters warn of more than ten. */
class Hub {
  readonly #emitter: EmitterLike;
  readonly #event: Event;
  readonly listeners = new Set<Listener>();

  constructor(emitter: EmitterLike, event: Event) {
    this.#emitter = emitter;
    this.#event = event;
  }

  add(listener: Listener): void {
    this.listeners.add(listener);
    // The listener first: some emitters tell at once of the past.
    if (this.listeners.size === 1) this.#emitter.on(this.#event, this.#tell);
  }

  remove(listener: Listener): void {
    if (this.listeners.delete(listener) && this.listeners.size === 0)
      this.#emitter.removeListener(this.#event, this.#tell);
  }

  readonly #tell: Listener = (argument) => {
    // A listener may leave, or bring others: those here now hear it.
    for (const listener of Array.from(this.listeners)) listener(argument);
  };
}

const hubs = new WeakMap<EmitterLike, Map<Event, Hub>>();

/** Listens until the returned function is called. */
export function listen(emitter: EmitterLike, event: Event, listener: Listener): () => void {
  let events = hubs.get(emitter);
  if (events === undefined) hubs.set(emitter, (events = new Map()));
  let hub = events.get(event);
  if (hub === undefined) events.set(event, (hub = new Hub(emitter, event)));
  hub.add(listener);
  return () => hub.remove(listener);
}

/** By stream: the listeners and the runtime of the stage that reads it. */
const readers = new WeakMap<EmitterLike, readonly [Listeners, Runtime]>();

/** Whether a stage reads it. */
export function isRead(stream: EmitterLike): boolean {
  // Its last consumer, an ended loop say, may have left before the stage had its turn.
  readers.get(stream)?.[1].flush();
  return readers.has(stream);
}

/** The listeners of one stage on one stream. */
export class Listeners {
  readonly #stream: EmitterLike;
  readonly #stops = new Map<Event, () => void>();

  constructor(stream: EmitterLike) {
    this.#stream = stream;
  }

  add(event: Event, listener: Listener): void {
    if (this.#stops.has(event)) return;
    // Noted before it listens, since an event told at once may remove it.
    this.#stops.set(event, () => {});
    const stop = listen(this.#stream, event, listener);
    if (this.#stops.has(event)) this.#stops.set(event, stop);
    else stop();
  }

  remove(event: Event): void {
    this.#stops.get(event)?.();
    this.#stops.delete(event);
  }

  /** Claims the stream for the stage, until it releases it. */
  claim(runtime: Runtime): void {
    readers.set(this.#stream, [this, runtime]);
  }

  /**
   * Removes all but one for errors where something may still fail, until `close` if that is to come: an unheard error
   * ends the process.
   */
  release(guard: boolean, willClose: boolean): void {
    if (readers.get(this.#stream)?.[0] === this) readers.delete(this.#stream);
    for (const event of Array.from(this.#stops.keys())) if (event !== "error" || !guard) this.remove(event);
    if (guard && willClose)
      this.add("close", () => {
        this.remove("error");
        this.remove("close");
      });
  }

  /** Resolves at the next of these events. */
  next(...events: readonly Event[]): Promise<void> {
    const stops: (() => void)[] = [];
    const leave = (): void => {
      for (const stop of stops.splice(0)) stop();
    };
    return new Promise<void>((resolve) => {
      let happened = false;
      const onEvent = (): void => {
        happened = true;
        leave();
        resolve();
      };
      for (const event of events) stops.push(listen(this.#stream, event, onEvent));
      // Told at once of the past.
      if (happened) leave();
    });
  }
}
