import type { NoOptions, Dispatcher } from "./dispatcher.ts";
import type { Runtime } from "./runtime.ts";

/** Keeps a type parameter from being inferred here, without a trace in the result. */
export type Fixed<T> = [T][T extends unknown ? 0 : never];

/** What may be pushed while `Out` is still being inferred: nothing that is not known yet. */
export type Pushable<Out> = 0 extends 1 & Out ? Out : unknown extends Out ? never : Out;

/** What the end of a subscription means to its consumer: see `docs/protocol.md`, rules 5.x. */
export type CancelMode = "permanent" | "transient" | "temporary";
export type DemandMode = "forward" | "accumulate";
export type Overflow = "throw" | "fail" | "drop-oldest" | "drop-newest";

/** Events that were accepted and will not be delivered. */
export interface Discarded<out Event = unknown> {
  readonly events: readonly Event[];
  readonly cause: "overflow" | "stop" | "failure" | "abort" | "lag" | "late" | "timeout";
  /** The name of the stage that had them. */
  readonly stage: string;
  /** The name of the consumer that they were for, where they were for one alone. */
  readonly consumer?: string | undefined;
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
export type SubscribeArguments<SO extends object> = {} extends SO
  ? [options?: keyof SO extends never ? SubscribeOptions : SubscribeOptions & SO]
  : [options: SubscribeOptions & SO];

export interface StopOptions {
  readonly reason?: unknown;
  /** Milliseconds from the call until a running callback and `terminate` are not waited for any longer. @default Infinity */
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
  /** Hears what failed second or in clean-up, and so has nowhere else to go. @default console.error */
  readonly onReport?: ((error: unknown, where: { readonly stage: string; readonly phase: string }) => void) | undefined;
}
/** Options of stages that emit. */
export interface EmitOptions<in Out> extends StageOptions {
  /** Events kept when nobody asks. 0 or more, or Infinity. @default 10000 */
  readonly bufferSize?: number | undefined;
  /**
   * What becomes of events pushed beyond `bufferSize`. `"throw"`: `push` throws an `OverflowError` with the rest in `rejected`.
   * `"fail"`: the stage fails with it at once, and its buffer goes to `onDiscard`. The others drop. A producerConsumer drops
   * nothing: `buffer` does. @default "throw"
   */
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

export interface ProducerOptions<in Out, in out SO extends object = NoOptions> extends EmitOptions<Out> {
  /** Who gets which event. @default demandDispatcher() */
  readonly dispatcher?: Dispatcher<Out, SO> | undefined;
}
