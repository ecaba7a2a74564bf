import type { Step, Sink, Ends } from "./step.ts";
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

/** The last of the steps: one that passes events on, or a sink. `Is` is inferred from a sink alone. */
export type Last<In, Out, SO extends object, Result, Is> = Step<In, Out, SO> | (Sink<In, Result> & Ends<Is>);

/** What `pipeline` returns: a producer, or with a sink at the end a running pipeline. */
export type Composed<Is, Out, SO extends object, Result> = Is extends true ? Pipeline<Result> : Producer<Out, SO>;
