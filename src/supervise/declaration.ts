/// <reference lib="esnext.disposable" preserve="true" />
import type { DrainOptions, StageOptions, StopOptions, SubscribeOptions } from "../contract/options.ts";
import type { Stage } from "../contract/stage.ts";
import type { Child, ChildContext, ChildState, SupervisedChild } from "./child.ts";
import type { RestartOptions } from "./restarts.ts";

/** Which children are started again with one that has failed: it alone, those behind it, too, or all. */
export type Strategy = "oneForOne" | "restForOne" | "oneForAll";

/** A producer of any events. */
export interface AnyProducer extends Stage {
  readonly kind: "producer" | "producerConsumer";
}

/** What a child is subscribed to: a producer, or the child of that name; with options if need be. */
export type SubscribeTo = AnyProducer | string | SubscribeToWith;
export interface SubscribeToWith extends SubscribeOptions {
  readonly to: AnyProducer | string;
  /** Options of the producer's dispatcher. */
  readonly [option: string]: unknown;
}

/** How a child is started, and started again. */
export interface ChildDeclaration {
  /** @default "child 1", by its position */
  readonly name?: string | undefined;
  /**
   * Starts the child, and starts it anew after a failure: returns a stage, a pipeline, anything with `done` and `stop`, or a
   * promise. Null: nothing to do.
   */
  readonly start: (context: ChildContext) => Child | null;
  /**
   * `"permanent"`: started again whatever its end; `"transient"`: after a failure; `"temporary"`: never.
   *
   * @default "transient"
   */
  readonly restart?: "permanent" | "transient" | "temporary" | undefined;
  /** The time it has to end. **Units** milliseconds, 0 for at once, or Infinity. @default 5000 */
  readonly shutdown?: number | undefined;
  /** What it is subscribed to whenever it has been started. */
  readonly subscribeTo?: SubscribeTo | readonly SubscribeTo[] | undefined;
}

/** Events that were in the hands of a child when it failed. */
export interface LostEvents {
  readonly events: readonly unknown[];
  readonly error: unknown;
  /** The child's name. */
  readonly child: string;
}

export interface SupervisorOptions extends StageOptions, RestartOptions {
  /** @default "oneForOne" */
  readonly strategy?: Strategy | undefined;
  /** Receives the events that a failing child had begun. Others have gone back to their producers. */
  readonly onLost?: ((lost: LostEvents) => void) | undefined;
}

export interface ChildInspection {
  readonly name: string;
  readonly state: ChildState;
  readonly restart: "permanent" | "transient" | "temporary";
  readonly restarts: number;
  /** What its own `inspect()` returns. */
  readonly inspection?: unknown;
}
/** A supervisor as plain data. */
export interface SupervisorInspection {
  readonly name: string;
  readonly kind: "supervisor";
  readonly state: SupervisorState;
  readonly strategy: Strategy;
  /** Restarts that count towards `maxRestarts` now. */
  readonly restarts: number;
  readonly children: readonly ChildInspection[];
}
/** Only ever advances. */
export type SupervisorState = "running" | "ending" | "completed" | "stopped" | "failed";

/** Children that run, and are started again. */
export interface Supervisor extends AsyncDisposable {
  readonly name: string;
  readonly state: SupervisorState;
  /** Resolves when all children have ended well, or it was stopped. Rejects when it has failed. */
  readonly done: Promise<void>;
  /** In the order of their declarations. */
  children(): readonly SupervisedChild[];
  /**
   * Ends the children, the last first, each within its `shutdown`. Never rejects.
   *
   * **Units** `timeout` in milliseconds from the call: then all that still run are cut short together.
   */
  stop(options?: StopOptions): Promise<void>;
  /**
   * Drains the children, the first first; those without `drain` are stopped in their turn. None is started again.
   *
   * @throws TimeoutError `ERR_DRAIN_TIMEOUT`, by rejection: the rest was stopped. Rejects with a failure, too.
   */
  drain(options?: DrainOptions): Promise<void>;
  inspect(): SupervisorInspection;
}
