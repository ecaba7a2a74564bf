import type { Step, Sink, Ends } from "./step.ts";
import type { Inspection } from "./inspection.ts";
import type { Producer } from "./stage.ts";
import type { StopOptions } from "./options.ts";

/** A pipeline that ends in a sink: it runs. */
export interface Pipeline<out Result = void> extends AsyncDisposable {
  /**
   * Resolves with the sink's result when the pipeline completes; when it is stopped, with the result so far. Rejects
   * with its failure.
   */
  readonly done: Promise<Result>;
  /**
   * Handles the events the sink has received, leaves the source, and resolves once all the pipeline's own stages have
   * ended. Never rejects.
   */
  stop(options?: StopOptions): Promise<void>;
  inspect(): Inspection;
}

/** The last step: one that passes events on, or a sink. `Is` is inferred from a sink alone. */
export type Last<In, Out, SO extends object, Result, Is> = Step<In, Out, SO> | (Sink<In, Result> & Ends<Is>);

/** The result of `pipeline`: a producer, or with a sink at the end a running pipeline. */
export type Composed<Is, Out, SO extends object, Result> = Is extends true ? Pipeline<Result> : Producer<Out, SO>;
