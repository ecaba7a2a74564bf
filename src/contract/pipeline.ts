import type { Step, Sink, Ends } from "./step.ts";
import type { Inspection } from "./inspection.ts";
import type { Producer } from "./stage.ts";
import type { DrainOptions, StopOptions } from "./options.ts";
import type { Failure } from "./failure.ts";

/**
 * A pipeline with a sink at its end: it runs. Awaiting it waits for its end, as `done` does. An `async` function that is to
 * return a running pipeline returns it inside an object, `{ running }`: a promise would wait for it, too.
 */
export interface Pipeline<out Result = void> extends PromiseLike<Result>, AsyncDisposable {
  /**
   * Fulfils with the sink's result when the pipeline has completed; when it was stopped, with the result so far. Rejects
   * with what it failed with.
   */
  readonly done: Promise<Result>;
  /** What it failed with, and where; nothing while it runs, after a good end, and after an abort. */
  readonly failure: Failure | undefined;
  /** Handles what the sink has received, leaves the source, and fulfils when all that the pipeline made has ended. Never rejects. */
  stop(options?: StopOptions): Promise<void>;
  /**
   * Takes nothing more in, lets everything go out that was taken in, and fulfils with the sink's result. A source that would
   * stop without the pipeline drains first; any other is left, and keeps what it holds. Rejects with the failure of the
   * pipeline, and with a `TimeoutError` (`ERR_DRAIN_TIMEOUT`) when `timeout` has run out: then it has stopped.
   */
  drain(options?: DrainOptions): Promise<Result>;
  inspect(): Inspection;
}

/** The last of the steps: one that passes events on, or a sink. `Is` is inferred from a sink alone. */
export type Last<In, Out, SO extends object, Result, Is> = Step<In, Out, SO> | (Sink<In, Result> & Ends<Is>);

/** What `pipeline` returns: a producer, or with a sink at the end a running pipeline. */
export type Composed<Is, Out, SO extends object, Result> = Is extends true ? Pipeline<Result> : Producer<Out, SO>;
