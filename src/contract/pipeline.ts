import type { Step, Sink, Ends } from "./step.ts";
import type { Inspection, Stall, StallOptions } from "./inspection.ts";
import type { NoStep, SinkIsNoStep } from "./no-step.ts";
import type { Producer } from "./stage.ts";
import type { Discarded, DrainOptions, StageOptions, StopOptions } from "./options.ts";
import type { Compiler } from "./row.ts";
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
  /** Says in words who waits for whom, and since when: a line for each cause, those that hold events first. */
  explain(): string;
  /**
   * Calls `report` when the pipeline has stood still for `after` milliseconds: events are held, nothing moves, and no
   * callback, call or timer is pending. Once for each stall. Returns the function that ends the watch.
   *
   * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`.
   */
  onStall(options: StallOptions, report: (stall: Stall) => void): () => void;
}

/** Options for everything that a pipeline makes: its stages, its links, and the producer of a source that is none. */
export interface PipelineOptions extends StageOptions {
  /**
   * The window of every link the pipeline makes. Behind a step with a window of its own (`batch`, `rateLimit`) it can
   * only lower that. **Units** events, from 1. @default as each source suggests
   */
  readonly maxDemand?: number | undefined;
  /** Outstanding events at which more are requested. **Units** events, 0 to maxDemand - 1. @default half of maxDemand */
  readonly minDemand?: number | undefined;
  /** Receives every event that was taken and is not delivered. @default the source's own */
  readonly onDiscard?: ((discarded: Discarded) => void) | undefined;
  /** Gives busy stages of per-event steps a loop of their own: `compiler()` of `headrace/compile`. @default the runtime's */
  readonly compile?: Compiler | undefined;
}

/** A step that is not the last. It takes no subscribe options, which keeps `partitionBy(key, options)` at the end. */
export type Part<In, Out> = Step<In, Out> | NoStep | SinkIsNoStep;

/** The last step: one that passes events on, or a sink. `Is` is inferred from a sink alone. */
export type Last<In, Out, SO extends object, Result, Is> = Step<In, Out, SO> | (Sink<In, Result> & Ends<Is>) | NoStep;

/** The result of `pipeline`: a producer, or with a sink at the end a running pipeline. */
export type Composed<Is, Out, SO extends object, Result> = Is extends true ? Pipeline<Result> : Producer<Out, SO>;

/** The result of `compose`: a step, or with a sink at the end a sink. */
export type Composite<Is, In, Out, SO extends object, Result> = Is extends true ? Sink<In, Result> : Step<In, Out, SO>;
