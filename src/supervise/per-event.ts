import type { StageOptions } from "../contract/options.ts";
import type { Consumer } from "../contract/stage.ts";
import type { Child, ChildContext, SupervisedChild } from "./child.ts";
import type { RestartOptions } from "./restarts.ts";

/** An event whose child was started and did not do it. */
export interface LostEvent<out In> {
  readonly event: In;
  /** What the child failed with, or why it was cut short. */
  readonly error: unknown;
  /** The child's name. */
  readonly child: string;
}

export interface ConsumerSupervisorOptions<in In> extends StageOptions, RestartOptions {
  /** Starts the child of an event: returns a promise, or something with `done` and `stop`. Null: nothing to do for it. */
  readonly start: (event: In, context: ChildContext) => Child | null;
  /** Whether a child that has failed is started again, with its event. @default "temporary": it is not */
  readonly restart?: "temporary" | "transient" | undefined;
  /** The time a child has to end. **Units** milliseconds, 0 for at once, or Infinity. @default 5000 */
  readonly shutdown?: number | undefined;
  /** Children at a time, of subscriptions that name none. **Units** from 1. @default 1000, or as the source suggests */
  readonly maxDemand?: number | undefined;
  /** Slots to be free before events are asked for again. **Units** 0 to maxDemand - 1. @default half of it, rounded down */
  readonly minDemand?: number | undefined;
  /** Receives events begun and not done, with the error. Without it the error goes to `onReport`. */
  readonly onLost?: ((lost: LostEvent<In>) => void) | undefined;
}

/** One child of a `consumerSupervisor`. */
export interface ChildOfEvent<out In> extends SupervisedChild {
  readonly event: In;
}

/** A consumer that starts a child for each event. */
export interface ConsumerSupervisor<in out In> extends Consumer<In> {
  /** Those that have not ended, in the order of their starts. */
  children(): readonly ChildOfEvent<In>[];
  /** `workers`: all children. `active`: those that do not wait for a restart. */
  count(): { readonly workers: number; readonly active: number };
  /**
   * Starts a child outside any demand. Null if `start` returned null.
   *
   * @throws what `start` throws. ArgumentError `ERR_ENDED`, CallbackError `ERR_CHILD`.
   */
  startChild(event: In): ChildOfEvent<In> | null;
  /** Ends a child, and frees its slot. Resolves with true once it has ended, with false if it is none any more. */
  terminateChild(child: ChildOfEvent<In>): Promise<boolean>;
}
