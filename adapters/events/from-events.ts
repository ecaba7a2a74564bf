import type { Overflow, Producer, ProducerOptions, Reason, SubscribeOptionsOf } from "../../src/index.ts";
import {
  callbackError,
  Collector,
  type NoOptions,
  refuse,
  requireOneOf,
  requireType,
  source as sourceStage,
  type SourceBehaviour,
  type SourceContext,
} from "../../src/adapter/index.ts";
import { type Ears, earsOf, listen, type Listener } from "./listen.ts";
import type {
  ArgumentsOf,
  EmitterNames,
  EmitterLike,
  EventName,
  EventOf,
  EventTargetLike,
  FirstOf,
  MapArguments,
  NamesOf,
  Told,
  UntypedLike,
} from "./like.ts";

interface EventsOptions {
  /**
   * The policy once `bufferSize` unwanted events are held: `"throw"` fails the producer behind them, the others drop.
   */
  readonly overflow: Overflow;
  /** Pauses the emitter; called once when the demand is met. Needs `resume`. */
  readonly pause?: (() => unknown) | undefined;
  /** Resumes the emitter: called once when there is demand and the buffer is empty. */
  readonly resume?: (() => unknown) | undefined;
  /** The event that ends the source well. @default none */
  readonly end?: EventName | undefined;
  /** The event that fails the source with its argument. @default "error" of an emitter, none of an EventTarget */
  readonly error?: EventName | false | undefined;
  /** The last event: premature before `end`, or the end itself without one. @default none */
  readonly close?: EventName | undefined;
}
export interface FromEventsOptions<in out Out, in out SO extends object = NoOptions>
  extends ProducerOptions<Out, SO>,
    EventsOptions {
  readonly overflow: Overflow;
  /** Makes one event of a listener's arguments. @default the first one */
  readonly map?: MapArguments<Out> | undefined;
}
/** Options for a typed EventTarget, with a `map`. */
export interface FromTargetOptions<in Event, in out Out, in out SO extends object = NoOptions>
  extends ProducerOptions<Out, SO>,
    EventsOptions {
  readonly overflow: Overflow;
  readonly map: (event: Event) => Out;
}
/** Options for a typed emitter, with a `map`. */
export interface FromEmitterOptions<
  in out Args extends readonly unknown[],
  in out Out,
  in out SO extends object = NoOptions,
> extends ProducerOptions<Out, SO>,
    EventsOptions {
  readonly overflow: Overflow;
  readonly map: unknown[] extends Args ? MapArguments<Out> : (...args: Args) => Out;
}

/** Listens to an emitter from the first consumer on. */
class EventsSource<Out> implements SourceBehaviour<Out> {
  readonly #ears: Ears;
  readonly #names = new Map<EventName, Listener>();
  readonly #options: EventsOptions & Pick<ProducerOptions<never>, "bufferSize">;
  /** The event that `map` is called for. */
  readonly #mapped: EventName | undefined;
  readonly #stops: (() => void)[] = [];
  #stage!: SourceContext<Out>;
  #collector!: Collector<Out>;

  constructor(
    ears: Ears,
    name: EventName,
    options: EventsOptions & Pick<ProducerOptions<never>, "bufferSize">,
    map: MapArguments<Out> | undefined,
  ) {
    this.#ears = ears;
    this.#options = options;
    this.#mapped = map && name;
    const { end, close, error = ears.emitter && name !== "error" && "error" } = options;
    this.#on(name, map ? (...args) => this.#map(map, args) : (event) => this.#collector.add(event as Out));
    this.#on(error, (value) => this.#collector.fail(ears.emitter ? value : causeOf(value)));
    this.#on(end, () => this.#collector.complete());
    this.#on(close, () => (end === undefined ? this.#collector.complete() : this.#collector.fail(prematureClose())));
  }

  begin(stage: SourceContext<Out>): void {
    const { overflow, bufferSize, pause, resume } = this.#options;
    this.#stage = stage;
    this.#collector = new Collector(stage, {
      overflow,
      bufferSize,
      brake: pause && resume && { pause, resume },
      release: () => this.#leave(),
    });
  }

  handleDemand(): void {
    this.#collector.resume();
  }

  handleSubscribe(): void {
    this.#collector.start(() => this.#listen());
  }

  terminate(reason: Reason): void {
    this.#collector.close(reason);
  }

  #on(name: EventName | false | undefined, listener: Listener): void {
    if (name === undefined || name === false) return;
    if (this.#names.has(name)) refuse("ERR_OPTION", "name, end, error and close to be different", name);
    this.#names.set(name, listener);
  }

  #listen(): void {
    for (const [name, listener] of this.#names)
      this.#stops.push(listen(this.#ears, name, listener, name === this.#mapped));
  }

  #leave(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #map(map: MapArguments<Out>, args: readonly unknown[]): void {
    let event: Out;
    try {
      event = map(...args);
    } catch (cause) {
      this.#collector.fail(callbackError({ stage: this.#stage.name, callback: "map" }, cause, args));
      return;
    }
    this.#collector.add(event);
  }
}

const ownOptions = ["map", "pause", "resume", "end", "error", "close"];

/** An Event's `error` if it has one, else the Event. */
const causeOf = (event: unknown): unknown => (event as { readonly error?: unknown } | null | undefined)?.error ?? event;

const prematureClose = (): Error =>
  Object.assign(new Error("the source was closed before its end"), { code: "ERR_STREAM_PREMATURE_CLOSE" });

/**
 * Makes a producer of the events of one name, of a Node EventEmitter or an EventTarget. It cannot be asked, so
 * `overflow` is required.
 *
 * **Shape** one event per event: an emitter's first argument, an EventTarget's Event, or the result of `map`. Listeners
 * are added once the first consumer subscribes.
 * **Units** `bufferSize` in events, 10 000 unless given, or `Infinity`.
 * **Backpressures** by `pause` and `resume`. Unwanted events are buffered; beyond `bufferSize` the policy applies. A
 * synchronous emitter is held while its consumers work.
 * **Completes** with the event `end`, or with `close` where no `end` is named. **Fails** with the argument of `error`,
 * and with `ERR_STREAM_PREMATURE_CLOSE` at a `close` before the `end`.
 * **Cancels** when its last consumer leaves, or at `stop`: the emitter is paused, the listeners are removed.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`, `ERR_OPTION`, `ERR_RANGE`: no emitter, no policy, `pause` without `resume`, a
 * name used twice. A full buffer fails the stage with an `OverflowError` under `"throw"`, `map`, `pause` and `resume`
 * with their errors.
 *
 * **Source** rules 7.1 to 7.4.
 *
 * @example
 * const target = new EventTarget();
 * const source = fromEvents<Event>(target, "tick", { overflow: "drop-oldest", bufferSize: 10 });
 * const { done } = pipeline(source, map((event) => event.type), take(1), collect());
 * setTimeout(() => target.dispatchEvent(new Event("tick")));
 * console.log(await done); // [ 'tick' ]
 */
export function fromEvents<Target extends EventTargetLike, Name extends NamesOf<Target>, SO extends object = NoOptions>(
  target: Target,
  name: Name,
  options: FromEventsOptions<EventOf<Target, Name>, SO> & { readonly map?: undefined },
): Producer<EventOf<Target, Name>, SubscribeOptionsOf<SO, EventOf<Target, Name>>>;
export function fromEvents<
  Target extends EventTargetLike,
  Name extends NamesOf<Target>,
  Out,
  SO extends object = NoOptions,
>(
  target: Target,
  name: Name,
  options: FromTargetOptions<EventOf<Target, Name>, Out, SO>,
): Producer<Out, SubscribeOptionsOf<SO, Out>>;
export function fromEvents<Out, SO extends object = NoOptions>(
  source: UntypedLike | EventTargetLike,
  name: EventName,
  options: FromEventsOptions<Out, SO>,
): Producer<Out, SubscribeOptionsOf<SO, Out>>;
export function fromEvents<Out, SO extends object = NoOptions, Source = EmitterLike | EventTargetLike>(
  source: Source & Told<Source>,
  name: EventName,
  options: FromEventsOptions<Out, SO>,
): Producer<Out, SubscribeOptionsOf<SO, Out>>;
export function fromEvents<
  Emitter extends EmitterLike,
  Name extends EmitterNames<Emitter>,
  Out,
  SO extends object = NoOptions,
>(
  emitter: Emitter,
  name: Name,
  options: FromEmitterOptions<ArgumentsOf<Emitter, Name>, Out, SO>,
): Producer<Out, SubscribeOptionsOf<SO, Out>>;
export function fromEvents<
  Emitter extends EmitterLike,
  Name extends EmitterNames<Emitter>,
  SO extends object = NoOptions,
>(
  emitter: Emitter,
  name: Name,
  options: FromEventsOptions<FirstOf<ArgumentsOf<Emitter, Name>>, SO> & { readonly map?: undefined },
): Producer<FirstOf<ArgumentsOf<Emitter, Name>>, SubscribeOptionsOf<SO, FirstOf<ArgumentsOf<Emitter, Name>>>>;
export function fromEvents<Out, SO extends object>(
  source: EmitterLike | EventTargetLike,
  name: EventName,
  options: FromEventsOptions<Out, SO>,
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  const ears = earsOf(source);
  checkName("the name of an event", name);
  if ((options as Partial<typeof options> | undefined)?.overflow === undefined)
    refuse("ERR_OPTION", "overflow to be one of throw, drop-oldest, drop-newest", undefined);
  const { map, pause, resume, end, error, close, overflow } = options;
  requireType("map", map, "function");
  requireType("pause", pause, "function");
  requireType("resume", resume, "function");
  if ((pause === undefined) !== (resume === undefined))
    refuse("ERR_OPTION", "pause and resume, both or neither", pause ?? resume);
  requireOneOf("overflow", overflow, ["throw", "drop-oldest", "drop-newest"]);
  for (const [key, value] of Object.entries({ end, close })) if (value !== undefined) checkName(key, value);
  if (error !== undefined && error !== false) checkName("error", error);
  return sourceStage(new EventsSource<Out>(ears, name, options, map), options, { own: ownOptions, pushes: true });
}

export function checkName(what: string, name: unknown): void {
  if (typeof name !== "string" && typeof name !== "symbol")
    refuse("ERR_OPTION", `${what} to be a string or a symbol`, name);
}
