import type { Inspection } from "./inspect.ts";
import type { NoOptions, Producer, StopOptions } from "./types.ts";

/** One step of a `pipeline`: takes events, passes on what it makes of them. A producerConsumer is one, too. */
export interface Step<in In, out Out, in SO extends object = NoOptions> {
  readonly kind: "step" | "producerConsumer";
  readonly "~in"?: ((event: In) => void) | undefined;
  readonly "~out"?: Out | undefined;
  readonly "~options"?: ((options: SO) => void) | undefined;
}

/** The last step of a `pipeline` that runs: takes events and passes nothing on. A consumer is one, too. */
export interface Sink<in In, out Result = void> {
  readonly kind: "sink" | "consumer";
  readonly "~in"?: ((event: In) => void) | undefined;
  readonly "~result"?: Result | undefined;
}

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
