import type { NoOptions, Dispatcher } from "./dispatcher.ts";
import type { Runtime } from "./runtime.ts";

/** Keeps a type parameter from being inferred here, without a trace in the result. */
export type Fixed<T> = [T][T extends unknown ? 0 : never];

/** The events that may be pushed while `Out` is being inferred: none that are unknown yet. */
export type Pushable<Out> = 0 extends 1 & Out ? Out : unknown extends Out ? never : Out;

/** The effect of a subscription's end on its consumer: see `docs/protocol.md`, rules 5.x. */
export type CancelMode = "permanent" | "transient" | "temporary";
export type DemandMode = "forward" | "accumulate";
export type Overflow = "throw" | "fail" | "drop-oldest" | "drop-newest";

/** Events that were accepted and will not be delivered. */
export interface Discarded<out Event = unknown> {
  readonly events: readonly Event[];
  readonly cause: "overflow" | "stop" | "failure" | "abort" | "lag" | "late" | "timeout";
  /** The name of their stage. */
  readonly stage: string;
  /** The name of the consumer, for events meant for one alone. */
  readonly consumer?: string | undefined;
}

export interface SubscribeOptions {
  /** Most events outstanding. **Units** events, from 1. @default 1000, or as the producer's source suggests */
  readonly maxDemand?: number | undefined;
  /**
   * Outstanding events at which more are requested. **Units** events, 0 to maxDemand - 1. @default half of it, rounded
   * down
   */
  readonly minDemand?: number | undefined;
  /** @default "permanent" */
  readonly cancel?: CancelMode | undefined;
  /** `"manual"`: only `subscription.ask` asks. @default "automatic" */
  readonly demand?: "automatic" | "manual" | undefined;
  /** The user's own value, for `handleSubscribe`. */
  readonly data?: unknown;
}
export interface ResolvedSubscribeOptions extends SubscribeOptions {
  readonly maxDemand: number;
  readonly minDemand: number;
  readonly cancel: CancelMode;
  readonly demand: "automatic" | "manual";
}
/** The options of `subscribe` for a producer: required where its dispatcher requires some. */
export type SubscribeArguments<SO extends object> = {} extends SO
  ? [options?: keyof SO extends never ? SubscribeOptions : SubscribeOptions & SO]
  : [options: SubscribeOptions & SO];

/** How far a consumer of a broadcast may lag behind the others. */
export interface Lag {
  /** Events behind its own window. **Units** events, from 1. */
  readonly max: number;
  /**
   * Beyond that: it holds the others up, loses its oldest or newest events, or is cancelled with `ERR_LAG`. Lost events go
   * to `onDiscard` with its name. @default "hold"
   */
  readonly policy?: "hold" | "drop-oldest" | "drop-newest" | "cancel" | undefined;
}

export interface StopOptions {
  readonly reason?: unknown;
  /** Milliseconds from the call until it stops waiting for a running callback and `terminate`. @default Infinity */
  readonly timeout?: number | undefined;
}

export interface DrainOptions {
  /** Milliseconds from the call until the stage is stopped, and `drain` rejects. @default Infinity */
  readonly timeout?: number | undefined;
}
export interface FailOptions {
  readonly after?: "buffer" | undefined;
}
/** Options of every stage. */
export interface StageOptions {
  /** A label for errors and `inspect()`. */
  readonly name?: string | undefined;
  /** Ends the stage at once with `signal.reason`, without waiting for a running callback. */
  readonly signal?: AbortSignal | undefined;
  /** @default one runtime for all */
  readonly runtime?: Runtime | undefined;
  /** Receives errors that came second or in clean-up. @default console.error */
  readonly onReport?: ((error: unknown, where: { readonly stage: string; readonly phase: string }) => void) | undefined;
}
/** Options of stages that emit. */
export interface EmitOptions<in Out> extends StageOptions {
  /** Events kept without demand. 0 or more, or Infinity. @default 10000 */
  readonly bufferSize?: number | undefined;
  /**
   * The policy for events pushed beyond `bufferSize`. `"throw"`: `push` throws an `OverflowError` with the rest in
   * `rejected`. `"fail"`: the stage fails with it at once, its buffer goes to `onDiscard`. The others drop, but not in
   * a producerConsumer: `buffer` does. @default "throw"
   */
  readonly overflow?: Overflow | undefined;
  /** Receives every event that is accepted and not delivered. Without it there is one warning. */
  readonly onDiscard?: ((discarded: Discarded<Out>) => void) | undefined;
  /** @default "forward" */
  readonly demandMode?: DemandMode | undefined;
  /** Whether the stage stops when its last consumer leaves. @default "continue" */
  readonly onLastCancel?: "continue" | "stop" | undefined;
  /** The maxDemand of subscribers that name none. @default 1000 */
  readonly defaultMaxDemand?: number | undefined;
}

export interface ProducerOptions<in Out, in out SO extends object = NoOptions> extends EmitOptions<Out> {
  /** Decides which consumer gets which event. @default demandDispatcher() */
  readonly dispatcher?: Dispatcher<Out, SO> | undefined;
}
