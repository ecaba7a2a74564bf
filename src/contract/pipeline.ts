import type { Inspection } from "./inspection.ts";
import type { Producer } from "./stage.ts";
import type { StopOptions } from "./options.ts";

/** A pipeline with a sink at its end: it runs. */
export interface Pipeline<out Result = void> extends AsyncDisposable {
  /**
   * Fulfils with the sink's result when the pipeline has completed; when it was stopped, with the result so far. Rejects
   * with what it failed with.
   */
  readonly done: Promise<Result>;
  /** Handles what the sink has received, leaves the source, and fulfils when all that the pipeline made has ended. Never rejects. */
  stop(options?: StopOptions): Promise<void>;
  inspect(): Inspection;
}

/** Stands for "no sink at the end". */
export interface NoResult {
  readonly "~noResult": never;
}
type IsNoResult<R> = 0 extends 1 & R ? false : [NoResult] extends [R] ? ([R] extends [NoResult] ? true : false) : false;

/** What `pipeline` answers: a producer, or with a sink at the end a running pipeline. */
export type Composed<Out, SO extends object, Result> = [Result] extends [infer R]
  ? IsNoResult<R> extends true
    ? Producer<Out, SO>
    : Pipeline<R>
  : never;
