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
import { checkName } from "./from-events.ts";
import type { CustomEventClass, DispatchLike, EmitLike, EventName, EventLike } from "./like.ts";

export interface IntoEmitterOptions<in In> extends StageOptions {
  /** Emitted when the consumer completes or is stopped. @default none */
  readonly end?: EventName | undefined;
  /** Emitted with the error when the consumer fails. @default none */
  readonly error?: EventName | undefined;
  /** The arguments that an emitter's listeners get. @default the event */
  readonly args?: ((event: In) => readonly unknown[]) | undefined;
  /** The Event to dispatch. @default a CustomEvent with the event as `detail` */
  readonly create?: ((event: In, name: string) => EventLike) | undefined;
}

type Emit = (name: EventName, event: unknown) => void;

/** Emits events one by one, then the end. */
class EmitterSink<In> implements SinkBehaviour<In> {
  readonly #name: EventName;
  readonly #emit: (event: In) => void;
  readonly #tell: Emit;
  readonly #options: IntoEmitterOptions<In>;
  #told = false;

  constructor(name: EventName, emit: (event: In) => void, tell: Emit, options: IntoEmitterOptions<In>) {
    this.#name = name;
    this.#emit = emit;
    this.#tell = tell;
    this.#options = options;
  }

  handleEvents(events: readonly In[], subscription: Subscription, stage: SinkContext): void {
    const { signal } = this.#options;
    const { length } = events;
    let at = 0;
    try {
      for (; at < length; at += 1) {
        if (signal?.aborted) break;
        this.#emit(events[at] as In);
      }
    } catch (cause) {
      stage.fail(
        callbackError({ stage: stage.name, callback: `listener of ${String(this.#name)}` }, cause, [events[at]]),
      );
      at += 1;
    }
    if (at < length) stage.giveBack(subscription, events.slice(at));
  }

  handleEnd(): void {
    this.#told = true;
    if (this.#options.end !== undefined) this.#tell(this.#options.end, undefined);
  }

  terminate(reason: Reason): void {
    const { end, error } = this.#options;
    if (isFailure(reason)) {
      if (error !== undefined) this.#tell(error, errorOf(reason));
    } else if (!this.#told && end !== undefined) this.#tell(end, undefined);
  }
}

/**
 * Makes a consumer that emits its events on a Node EventEmitter, or dispatches them on an EventTarget.
 *
 * **Shape** one `emit(name, event)` per event, or one `dispatchEvent` of a CustomEvent whose `detail` is the event;
 * `args` and `create` change that.
 * **Backpressures** as far as listeners are synchronous.
 * **Completes** with its source. `end` is emitted then, or at a stop; `error` at a failure.
 * **Cancels** its source when a listener throws.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: nothing to emit on; `ERR_OPTION`. An error of a listener, `args` or `create`
 * fails the consumer by identity; events behind the failing one go back. Errors of the listeners of `error`, or of
 * `end` after a stop, go to `onReport`, an EventTarget's to the platform.
 *
 * **Source** rules 7.2 and 7.3.
 *
 * @example
 * const target = new EventTarget();
 * target.addEventListener("letter", (event) => console.log((event as CustomEvent).detail)); // a, b
 * intoEmitter<string>(target, "letter").subscribe(fromIterable(["a", "b"]));
 */
export function intoEmitter<In>(
  emitter: EmitLike | DispatchLike,
  name: EventName,
  options: IntoEmitterOptions<In> = {},
): Consumer<In> {
  const { emit, dispatchEvent } = (emitter ?? {}) as Partial<EmitLike & DispatchLike>;
  const emits = typeof emit === "function";
  if (!emits && typeof dispatchEvent !== "function")
    refuse("ERR_NOT_SOURCE", "an EventEmitter or an EventTarget", emitter);
  const { end, error, args, create } = options;
  checkName("the name of an event", name);
  for (const [key, value] of Object.entries({ end, error })) if (value !== undefined) checkName(key, value);
  requireType("args", args, "function");
  requireType("create", create, "function");
  if (args && !emits) refuse("ERR_OPTION", "args for an EventEmitter only", args);
  if (create && emits) refuse("ERR_OPTION", "create for an EventTarget only", create);
  const { CustomEvent } = globalThis as unknown as { readonly CustomEvent: CustomEventClass };
  const on = emitter as EmitLike & DispatchLike;
  const tell: Emit = emits
    ? (which, event) => void (event === undefined ? on.emit(which) : on.emit(which, event))
    : (which, event) => void on.dispatchEvent(new CustomEvent(which as string, { detail: event }));
  let one = (event: In): void => tell(name, event);
  if (emits) one = args ? (event) => void on.emit(name, ...args(event)) : (event) => void on.emit(name, event);
  else if (create) one = (event) => void on.dispatchEvent(create(event, name as string));
  return sink(new EmitterSink<In>(name, one, tell, options), options, { own: ["end", "error", "args", "create"] });
}
