import type { StopOptions } from "../contract/options.ts";

/** Something that runs until `done` settles, and can be asked to end: a stage, a pipeline, a supervisor, a server. */
export interface Stoppable {
  /** Resolves at a good end, rejects at a failure. */
  readonly done: PromiseLike<unknown>;
  /** Asks it to end. With `timeout: 0` its time is up. */
  stop(options?: StopOptions): unknown;
}

/** What `start` returns: work to be awaited, or something that runs. A promise may also resolve with the latter. */
export type Child = PromiseLike<unknown> | Stoppable;

/** What `start` gets. */
export interface ChildContext {
  /** The child's name. */
  readonly name: string;
  /**
   * Aborts when the child is to end: at once if it is a promise, if it has `stop` when its time is up. Also once it has
   * ended, for what it may have left behind.
   */
  readonly signal: AbortSignal;
  /** 1, and one more with each restart. */
  readonly attempt: number;
}

/** `"waiting"`: for its restart. `"stopping"`: asked to end. */
export type ChildState = "running" | "waiting" | "stopping" | "ended";

/** One child, as its supervisor lists it. */
export interface SupervisedChild {
  readonly name: string;
  readonly state: ChildState;
  /** How often it was started again. */
  readonly restarts: number;
  /** What its `start` returned last, or what that has resolved with. */
  readonly value: unknown;
}

/** Whether a value has `stop` and `done`. Looks at `done` of no other: that of a stage counts as read. */
export const isStoppable = (value: unknown): value is Stoppable => {
  if (Object(value) !== value) return false;
  const { stop } = value as { readonly stop?: unknown };
  return typeof stop === "function" && "done" in (value as object);
};
