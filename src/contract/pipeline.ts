import type { Step, Sink, Ends } from "./step.ts";
import type { Inspection } from "./inspection.ts";
import type { Producer } from "./stage.ts";
import type { DrainOptions, StopOptions } from "./options.ts";
import type { Failure } from "./failure.ts";

/**
 * A pipeline that ends in a sink: it runs. Awaiting it is awaiting `done`: an `async` function that hands it out
 * running returns it inside an object, `{ running }`.
 */
export interface Pipeline<out Result = void> extends PromiseLike<Result>, AsyncDisposable {
  /** Resolves with the sink's result, so far when stopped. Rejects with the pipeline's failure. */
  readonly done: Promise<Result>;
  /** The error it failed with, and where. None while it runs, after a good end or an abort. */
  readonly failure: Failure | undefined;
  /**
   * Handles the events the sink has received, leaves the source, and resolves once all own stages have ended. Never
   * rejects.
   */
  stop(options?: StopOptions): Promise<void>;
  /**
   * Takes nothing more in, delivers the rest, and resolves with the sink's result. A source that would stop without the
   * pipeline drains first; any other is left, and keeps its events. Rejects with the pipeline's failure, and with a
   * `TimeoutError` (`ERR_DRAIN_TIMEOUT`) when `timeout` runs out, after stopping.
   */
  drain(options?: DrainOptions): Promise<Result>;
  inspect(): Inspection;
}

/** The last step: one that passes events on, or a sink. `Is` is inferred from a sink alone. */
export type Last<In, Out, SO extends object, Result, Is> = Step<In, Out, SO> | (Sink<In, Result> & Ends<Is>);

/** The result of `pipeline`: a producer, or with a sink at the end a running pipeline. */
export type Composed<Is, Out, SO extends object, Result> = Is extends true ? Pipeline<Result> : Producer<Out, SO>;
