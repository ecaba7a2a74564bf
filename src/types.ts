/// <reference lib="esnext.disposable" preserve="true" />
import type { Sink, Step } from "./composition.ts";
import type { Inspection } from "./inspect.ts";
import type { Attachable, Awaitable, Emits, Reason } from "./protocol.ts";
import type { Runtime } from "./runtime.ts";

/** Stands for "no options of its own": `Producer<T>` is any producer that can be subscribed to without options. */
// biome-ignore lint/complexity/noBannedTypes: an empty interface, named so that hovers stay short
export interface NoOptions {}

/** Keeps a type parameter from being inferred here, without a trace in the result. */
export type Fixed<T> = [T][T extends unknown ? 0 : never];

/** What may be pushed while `Out` is still being inferred: nothing that is not known yet. */
export type Pushable<Out> = 0 extends 1 & Out ? Out : unknown extends Out ? never : Out;

/** The peer's role in `handleSubscribe`: `"producer"` on the consuming side, `"consumer"` on the producing side. */
export type Role = "producer" | "consumer";
export type StageKind = "producer" | "producerConsumer" | "consumer";
/** Only ever advances, from left to right. */
export type StageState = "starting" | "running" | "ending" | "completed" | "stopped" | "failed";
export type SubscriptionState = "pending" | "active" | "ended";
/** What the end of a subscription means to its consumer: see `docs/protocol.md`, rules 5.x. */
export type CancelMode = "permanent" | "transient" | "temporary";
export type DemandMode = "forward" | "accumulate";
export type Overflow = "throw" | "drop-oldest" | "drop-newest";

/** Events that were accepted and will not be delivered. */
export interface Discarded<out Event = unknown> {
  readonly events: readonly Event[];
  readonly cause: "overflow" | "stop" | "failure" | "abort";
}

export interface SubscribeOptions {
  /** Events outstanding at most. **Units** events, from 1. @default 1000, or what the producer's source suggests */
  readonly maxDemand?: number | undefined;
  /** Outstanding events at which more are asked for. **Units** events, 0 to maxDemand - 1. @default half of maxDemand, rounded down */
  readonly minDemand?: number | undefined;
  /** @default "permanent" */
  readonly cancel?: CancelMode | undefined;
  /** `"manual"`: nothing is asked for but by `subscription.ask`. @default "automatic" */
  readonly demand?: "automatic" | "manual" | undefined;
  /** The user's own, for `handleSubscribe`. */
  readonly data?: unknown;
}
export interface ResolvedSubscribeOptions extends SubscribeOptions {
  readonly maxDemand: number;
  readonly minDemand: number;
  readonly cancel: CancelMode;
  readonly demand: "automatic" | "manual";
}
/** The options `subscribe` takes for a producer: its dispatcher's own are required where they are. */
// biome-ignore lint/complexity/noBannedTypes: "can be left out" is what {} asks here
export type SubscribeArguments<SO extends object> = {} extends SO
  ? [options?: keyof SO extends never ? SubscribeOptions : SubscribeOptions & SO]
  : [options: SubscribeOptions & SO];

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
   * Asks for `count` more events. 0 does nothing, and so does an ask on an ended subscription.
   *
   * **Units** events, 0 to 2^53 - 1 or Infinity.
   *
   * @throws ArgumentError `ERR_ASK`: any other amount. `ERR_ASK_AUTOMATIC`: the subscription asks by itself.
   */
  ask(count: number): void;
  /** Ends the subscription once what has arrived is handled. Later calls do nothing. */
  cancel(reason?: unknown): void;
  /** Opens a new subscription to the same producer, then ends this one, without asking the cancel mode. */
  resubscribe(options?: SubscribeOptions): Subscription;
}

export interface StopOptions {
  readonly reason?: unknown;
  /** Milliseconds from the call until a running callback and `terminate` are not waited for any longer. @default Infinity */
  readonly timeout?: number | undefined;
}

/** Any stage, from outside. */
export interface Stage extends AsyncDisposable {
  readonly name: string;
  readonly kind: StageKind;
  readonly state: StageState;
  /** Fulfils when the stage completed or stopped, rejects when it failed. */
  readonly done: Promise<void>;
  /** Runs `fn` as one message, between callbacks. Rejects with what it throws, or `ERR_ENDED`. */
  call<Result>(fn: (stage: Context) => Result): Promise<Awaited<Result>>;
  /** Like `call`, but only once the events buffered now have gone out. */
  info<Result>(fn: (stage: Context) => Result): Promise<Awaited<Result>>;
  /** Handles what was received before, ends the stage, and fulfils when it has ended. Never rejects. */
  stop(options?: StopOptions): Promise<void>;
  inspect(): Inspection;
}

/** The stage inside its own callbacks. Nothing here can be awaited: a callback that waited for its own stage would wait for ever. */
export interface Context extends Named {
  /** Aborts when the stage ends. */
  readonly signal: AbortSignal;
  /** Ends the stage well. A consumer or producerConsumer gives the events it has not started back. */
  complete(): void;
  /** Ends the stage at once with a failure; `after: "buffer"` delivers what is buffered first. */
  fail(error: unknown, options?: FailOptions): void;
  /** Ends the stage after the messages it has received so far. */
  stop(reason?: unknown): void;
}
export interface FailOptions {
  readonly after?: "buffer" | undefined;
}
/** The stage inside the callbacks of a producer. */
export interface ProducerContext<in Out> extends Context {
  /** Events that could be delivered now. */
  readonly demand: number;
  readonly push: (events: readonly Out[]) => boolean;
}

/** In the place of an iterator's method: iteration without options is an error, and a hover over the method names the cure. */
export interface NeedsOptions {
  readonly "iterate with events({ partition })": never;
}

/** Whatever can be subscribed to. Covariant in its events: no push, no complete, no fail. */
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
  /** Single events with demand behind them. Leaving the loop gives the rest back and ends the subscription. */
  events(...options: SubscribeArguments<SO>): AsyncIterableIterator<Out>;
  /** Batches of at most maxDemand - minDemand events; the next ones are asked for when the batch after is pulled. */
  batches(...options: SubscribeArguments<SO>): AsyncIterableIterator<readonly Out[]>;
  // biome-ignore lint/complexity/noBannedTypes: "can be left out" is what {} asks here
  readonly [Symbol.asyncIterator]: {} extends SO ? () => AsyncIterator<Out, undefined> : NeedsOptions;
}

/** A producer with the side that emits and ends: what `producer()` answers. */
export interface ProducerStage<in out Out, SO extends object = NoOptions> extends Producer<Out, SO> {
  call<Result>(fn: (stage: ProducerContext<Out>) => Result): Promise<Awaited<Result>>;
  info<Result>(fn: (stage: ProducerContext<Out>) => Result): Promise<Awaited<Result>>;
  /**
   * Emits events from outside a callback. Answers false when some went to the buffer: `drained()` then tells when to go on.
   *
   * @throws ArgumentError `ERR_EVENTS`: not an array. `ERR_ENDED`: the stage is ending.
   * @throws OverflowError what fits was accepted, `rejected` holds the rest.
   */
  readonly push: (events: readonly Out[]) => boolean;
  /** Fulfils when nothing is buffered; rejects with `ERR_ENDED` when the stage ends with events left. */
  drained(): Promise<void>;
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
   * (`ERR_STOPPED`), or this stage has ended (`ERR_ENDED`).
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

/** Options of every stage. */
export interface StageOptions {
  /** A label for errors and `inspect()`. */
  readonly name?: string | undefined;
  /** Ends the stage at once with `signal.reason`, without waiting for a running callback. */
  readonly signal?: AbortSignal | undefined;
  /** @default one runtime for all */
  readonly runtime?: Runtime | undefined;
  /** Hears what failed second or in clean-up, and so has nowhere else to go. @default console.error */
  readonly onReport?: ((error: unknown, where: { readonly stage: string; readonly phase: string }) => void) | undefined;
}
/** Options of stages that emit. */
export interface EmitOptions<in Out> extends StageOptions {
  /** Events kept when nobody asks. 0 or more, or Infinity. @default 10000 */
  readonly bufferSize?: number | undefined;
  /** What `push` does with events beyond `bufferSize`. @default "throw" */
  readonly overflow?: Overflow | undefined;
  /** Hears of every event that is accepted and not delivered. Without it there is one warning. */
  readonly onDiscard?: ((discarded: Discarded<Out>) => void) | undefined;
  /** @default "forward" */
  readonly demandMode?: DemandMode | undefined;
  /** What to do when the last consumer has gone. @default "continue" */
  readonly onLastCancel?: "continue" | "stop" | undefined;
  /** The maxDemand of subscribers that name none. @default 1000 */
  readonly defaultMaxDemand?: number | undefined;
}

/** Callbacks that every stage can have. */
export interface StageBehaviour<Self, InitSelf = Self> {
  /** First of all, on the stage's first turn; what it rejects with fails the stage. */
  readonly init?: ((stage: InitSelf) => unknown) | undefined;
  /** A subscription begins; throwing refuses it. */
  readonly handleSubscribe?: ((role: Role, subscription: Subscription, stage: Self) => unknown) | undefined;
  /** A subscription ended. */
  readonly handleCancel?: ((reason: Reason, subscription: Subscription, stage: Self) => unknown) | undefined;
  /** Last words, once, whatever the reason. */
  readonly terminate?: ((reason: Reason, stage: Self) => unknown) | undefined;
}
export type HandleDemand<Out, P = Out> = (demand: number, stage: ProducerContext<P>) => Awaitable<Emits<Out>>;
export type HandleEnd<Out, P = Out> = (stage: ProducerContext<P>) => Awaitable<Emits<Out> | "later">;
export type TransformEvents<In, Out, P = Out> = (
  events: readonly In[],
  subscription: Subscription,
  stage: ProducerContext<P>,
) => Awaitable<Emits<Out>>;
export type HandleEvents<In> = (events: readonly In[], subscription: Subscription, stage: Context) => unknown;

/** `I`, `D` and `P` are what `init`, `handleDemand` and the other callbacks may push. */
export interface ProducerCallbacks<Out, I, D, P> extends StageBehaviour<ProducerContext<P>, ProducerContext<I>> {
  readonly handleDemand: HandleDemand<Out, D>;
  readonly handleEnd?: HandleEnd<Out, P> | undefined;
}
/** For `implements`. */
export interface ProducerBehaviour<Out> extends ProducerCallbacks<Out, Out, Out, Out> {}

export interface ProducerConsumerCallbacks<In, Out, I, D, P>
  extends StageBehaviour<ProducerContext<P>, ProducerContext<I>> {
  readonly handleEvents: TransformEvents<In, Out, D>;
  readonly handleEnd?: HandleEnd<Out, P> | undefined;
}
/** For `implements`. */
export interface ProducerConsumerBehaviour<In, Out> extends ProducerConsumerCallbacks<In, Out, Out, Out, Out> {}

export interface ConsumerBehaviour<In> extends StageBehaviour<Context> {
  readonly handleEvents: HandleEvents<In>;
  /** The last permanent source has completed; the consumer completes when this has returned or settled. */
  readonly handleEnd?: ((stage: Context) => unknown) | undefined;
}
