/// <reference lib="esnext.disposable" preserve="true" />
import type { Failure } from "./failure.ts";
import type { Runtime } from "./runtime.ts";
import type {
  SubscribeOptions,
  ResolvedSubscribeOptions,
  StopOptions,
  FailOptions,
  SubscribeArguments,
  DemandMode,
  DrainOptions,
} from "./options.ts";
import type { End } from "./reason.ts";
import type { NoOptions } from "./dispatcher.ts";
import type { SubscriptionState, StageKind, StageState } from "./states.ts";
import type { Sink, Step } from "./step.ts";
import type { Inspection } from "./inspection.ts";

export interface Named {
  readonly name: string;
}

/** One consumer's claim on one producer. */
export interface Subscription {
  readonly state: SubscriptionState;
  /** Events asked for and not yet handed to `handleEvents`. */
  readonly pending: number;
  readonly producer: Stage;
  readonly consumer: Named;
  readonly options: ResolvedSubscribeOptions;
  /**
   * Asks for `count` more events. Does nothing for 0, or on an ended subscription.
   *
   * **Units** events, 0 to 2^53 - 1 or Infinity.
   *
   * @throws ArgumentError `ERR_ASK`: any other amount. `ERR_ASK_AUTOMATIC`: the subscription asks by itself.
   */
  ask(count: number): void;
  /** Ends the subscription once arrived events are handled. Later calls do nothing. */
  cancel(reason?: unknown): void;
  /** Opens a new subscription to the same producer, then ends this one, without asking the cancel mode. */
  resubscribe(options?: SubscribeOptions): Subscription;
}

/** Any stage, from outside. */
export interface Stage extends AsyncDisposable {
  readonly name: string;
  readonly kind: StageKind;
  readonly state: StageState;
  /** Resolves when the stage completes or is stopped, rejects when it fails. */
  readonly done: Promise<void>;
  /** Runs `fn` as one message, between callbacks. Rejects with its error, or `ERR_ENDED`. */
  call<Result>(fn: (stage: StageContext) => Result): Promise<Awaited<Result>>;
  /** Like `call`, but once the events buffered now have gone out. */
  info<Result>(fn: (stage: StageContext) => Result): Promise<Awaited<Result>>;
  /** Handles messages received before, ends the stage, and resolves once it has ended. Never rejects. */
  stop(options?: StopOptions): Promise<void>;
  /**
   * Takes no more input, lets everything go out, and completes; `handleEnd` runs. A producer that would stop without
   * this stage drains first; any other is left, and keeps its events.
   *
   * **Units** `timeout` in milliseconds from the call. Without it a consumer that never asks is waited for.
   *
   * @throws TimeoutError `ERR_DRAIN_TIMEOUT`, by rejection: the stage was stopped instead. Rejects with a failure of
   * the stage, too.
   */
  drain(options?: DrainOptions): Promise<void>;
  /** Where its failure began. Undefined while it runs, after another end, or for a primitive. */
  readonly failure: Failure | undefined;
  inspect(): Inspection;
  /** Says in words who waits for whom in this stage's graph, and since when. */
  explain(): string;
}

/**
 * The stage inside its callbacks. It has nothing to await: a callback that awaited its own stage would never return.
 */
export interface StageContext extends Named {
  /** Aborts once waiting is of no use: a producer's as soon as it is to end, a consumer's once it has failed. */
  readonly signal: AbortSignal;
  /** The stage's runtime: its clock for timers, its queue for one's own work. */
  readonly runtime: Runtime;
  /** Ends the stage well. Unstarted events go back to the sources. */
  complete(): void;
  /** Ends the stage at once with a failure; `after: "buffer"` delivers what is buffered first. */
  fail(error: unknown, options?: FailOptions): void;
  /** Ends the stage after the messages it has received so far. */
  stop(reason?: unknown): void;
  /**
   * Gives back unstarted events of a subscription, the rest of a batch or a queue. They return to the producer in front
   * of everything else, with the end of the subscription, which the caller must bring about after this call: by
   * `complete`, `fail`, `subscription.cancel()`, or `terminate`. Events of an ended subscription return at once, behind
   * those that returned with its end.
   *
   * **Units** events, in order of arrival. The oldest may be given back last.
   *
   * @throws ArgumentError `ERR_GIVE_BACK`: no subscription of the stage, more events than it was handed, or one twice.
   * `ERR_EVENTS`: not an array.
   */
  giveBack(subscription: Subscription, rest: readonly unknown[]): void;
  /** Reports an error that came second or in clean-up to `onReport`. */
  report(error: unknown, phase: string): void;
}
/** The stage inside the callbacks of a producer. */
export interface ProducerContext<in Out> extends StageContext {
  /** Events that could be delivered now. */
  readonly demand: number;
  readonly push: (events: readonly Out[]) => boolean;
}

/** Replaces the iterator's method where options are needed: a hover names the cure. */
export interface NeedsOptions {
  readonly "iterate with events({ partition })": never;
}

/** Anything to subscribe to. Covariant in its events: no push, no complete, no fail. */
export interface Producer<out Out, SO extends object = NoOptions> extends Stage {
  readonly kind: "producer" | "producerConsumer";
  readonly "~out"?: Out | undefined;
  readonly "~options"?: ((options: SO) => void) | undefined;
  readonly "~attach": Attachable<Out, never>["~attach"];
  /** Events asked for that could be delivered now. **Units** events. */
  readonly demand: number;
  /** Events held: buffered, accumulated or queued in the dispatcher. **Units** events. */
  readonly bufferedCount: number;
  /** The maxDemand of subscribers that name none. */
  readonly defaultMaxDemand: number | undefined;
  /** Iterates event by event. Leaving the loop gives the rest back and ends the subscription. */
  events(...options: SubscribeArguments<SO>): AsyncIterableIterator<Out>;
  /** Iterates over batches of at most maxDemand - minDemand events. */
  batches(...options: SubscribeArguments<SO>): AsyncIterableIterator<readonly Out[]>;
  readonly [Symbol.asyncIterator]: {} extends SO ? () => AsyncIterator<Out, undefined> : NeedsOptions;
}

/** A producer with the side that emits and ends: the result of `producer()`. */
export interface ProducerStage<in out Out, SO extends object = NoOptions> extends Producer<Out, SO> {
  call<Result>(fn: (stage: ProducerContext<Out>) => Result): Promise<Awaited<Result>>;
  info<Result>(fn: (stage: ProducerContext<Out>) => Result): Promise<Awaited<Result>>;
  /**
   * Emits events from outside a callback. Returns false when some went to the buffer: `flushed()` tells when to go on.
   *
   * @throws ArgumentError `ERR_EVENTS`: not an array. `ERR_ENDED`: the stage is ending.
   * @throws OverflowError the rest is in `rejected`; events that fitted were accepted.
   */
  readonly push: (events: readonly Out[]) => boolean;
  /** Resolves once nothing is buffered; rejects with `ERR_ENDED` when the stage ends with events left. */
  flushed(): Promise<void>;
  /** No more events: runs `handleEnd`, delivers the buffer, completes. */
  complete(): void;
  /** Ends the stage at once with a failure; `after: "buffer"` delivers what is buffered first. */
  fail(error: unknown, options?: FailOptions): void;
  /** `"accumulate"` logs demand and events until it is set to `"forward"`. */
  demandMode: DemandMode;
}

/** The side of a stage that takes events. */
export interface Subscriber<in In> {
  readonly "~in"?: ((event: In) => void) | undefined;
  readonly subscriptions: readonly Subscription[];
  /**
   * Subscribes to a producer. Consumers subscribed in one synchronous stretch all count from the first event.
   *
   * @throws ArgumentError wrong options, a taken or unknown partition, a duplicate (`ERR_OPTION`, `ERR_RANGE`,
   * `ERR_PARTITION`, `ERR_PARTITION_TAKEN`, `ERR_DUPLICATE`), no producer (`ERR_NOT_PRODUCER`), a stopped one
   * (`ERR_STOPPED`), or an ended stage of its own (`ERR_ENDED`).
   */
  subscribe<SO extends object>(producer: Producer<In, SO>, ...options: SubscribeArguments<SO>): Subscription;
}
export interface Consumer<in In> extends Stage, Subscriber<In>, Sink<In> {
  readonly kind: "consumer";
}
export interface ProducerConsumer<in In, in out Out, SO extends object = NoOptions>
  extends ProducerStage<Out, SO>,
    Subscriber<In>,
    Step<In, Out, SO> {
  readonly kind: "producerConsumer";
}

/** A consumer's end of a link, as a producer sees it. */
export interface ConsumerPort<in Event> {
  /** The consuming object: two links that share it are duplicates to a broadcast. */
  readonly consumer: object;
  readonly name: string;
  /** This link, as the producer's callbacks see it. */
  readonly subscription: Subscription;
  /** Whether the consumer passes on a failure of the producer. */
  readonly carries: boolean;
  /** A batch within the demand. The sender does not touch it again. */
  readonly events: (batch: readonly Event[]) => void;
  readonly end: (end: End) => void;
}

/** A producer's end of a link, as a consumer sees it. */
export interface ProducerPort {
  /** `count` more events: 1 to 2^53 - 1, or Infinity. */
  readonly ask: (count: number) => void;
  readonly end: (end: End) => void;
}

/** The subscribe message. A string key, so that two copies of the package agree. */
export interface Attachable<out Event, in Options> {
  readonly "~attach": (port: ConsumerPort<Event>, options: Options, replaces?: ProducerPort) => ProducerPort;
}
