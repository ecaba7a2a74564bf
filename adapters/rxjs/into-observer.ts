import type { Consumer, Reason, StageOptions, Subscription } from "../../src/index.ts";
import {
  callbackError,
  errorOf,
  isFailure,
  refuse,
  requireType,
  sink,
  type SinkBehaviour,
  type SinkContext,
} from "../../src/adapter/index.ts";
import type { PartialObserverLike } from "./like.ts";

/** A part of an observer, a Subject, or a function of each event. */
export type ObserverLike<In> = PartialObserverLike<In> | ((value: In) => void);

/** Hands events over one by one, until the observer is over. */
class ObserverSink<In> implements SinkBehaviour<In> {
  readonly #observer: PartialObserverLike<In>;
  readonly #signal: AbortSignal | undefined;
  /** It was told the end, or must hear no more. */
  #over = false;

  constructor(observer: PartialObserverLike<In>, signal: AbortSignal | undefined) {
    this.#observer = observer;
    this.#signal = signal;
  }

  handleEvents(events: readonly In[], subscription: Subscription, stage: SinkContext): void {
    const observer = this.#observer;
    let at = 0;
    try {
      for (; at < events.length && !isOver(observer) && !this.#signal?.aborted; at += 1)
        observer.next?.(events[at] as In);
    } catch (cause) {
      // An observer that has thrown is told nothing more.
      this.#over = true;
      stage.fail(callbackError({ stage: stage.name, callback: "next" }, cause, [events[at]]));
      at += 1;
    }
    if (!this.#over && isOver(observer)) {
      this.#over = true;
      stage.complete();
    }
    if (at < events.length) stage.giveBack(subscription, events.slice(at));
  }

  terminate(reason: Reason, stage: SinkContext): void {
    const observer = this.#observer;
    if (this.#over || isOver(observer)) return;
    this.#over = true;
    if (!isFailure(reason)) observer.complete?.();
    else if (observer.error) {
      stage.markReported();
      observer.error(errorOf(reason));
    }
  }
}

/** Ended Subjects show it in one of these ways, and ignore later events. */
const isOver = (observer: PartialObserverLike<never> & { readonly isStopped?: unknown }): boolean =>
  observer.closed === true || observer.active === false || observer.isStopped === true;

/**
 * Makes a consumer that hands events to an observer: a Subject of RxJS 7 or 9, any part of an observer, or a function.
 *
 * **Shape** one `next` per event.
 * **Backpressures** as far as the observer is synchronous: the next ask follows its return.
 * **Completes** when its source completes or is stopped, and so the observer. **Cancels** its source when the observer
 * is over; the rest goes back.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no observer; `ERR_OPTION`. A failure of the source, or an abort, goes to the
 * observer's `error`, else to `done`. An error of `next` fails the consumer by identity; events behind the failing one
 * go back, and the observer hears no more. Errors of `error` or `complete` go to `onReport`.
 *
 * **Source** rules 7.2, 7.3.
 *
 * @example
 * import { Subject } from "rxjs";
 * const letters = new Subject<string>();
 * letters.subscribe((letter) => console.log(letter)); // a, b, c
 * await pipeline(fromIterable(["a", "b", "c"]), intoObserver(letters)).done;
 */
export function intoObserver<In>(observer: ObserverLike<In>, options: StageOptions = {}): Consumer<In> {
  return sink(new ObserverSink<In>(observerOf(observer), options.signal), options);
}

function observerOf<In>(observer: ObserverLike<In>): PartialObserverLike<In> {
  if (typeof observer === "function") return { next: observer };
  const { next, error, complete } = observer ?? {};
  requireType("next", next, "function");
  requireType("error", error, "function");
  requireType("complete", complete, "function");
  if (!next && !error && !complete) refuse("ERR_NOT_SOURCE", "an observer", observer);
  return observer;
}
