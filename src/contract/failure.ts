/** Where a failure began. The error itself is what `done` rejects with; this stands beside it. */
export interface Failure {
  /** The very value that was thrown, or the `CallbackError` around a primitive. */
  readonly error: unknown;
  /** The name of the stage in which it began. */
  readonly stage: string;
  /** The callback that threw, or `"fail"`. */
  readonly callback: string;
  /** In a pipeline: the step whose function it was, and its position behind the source from 0. */
  readonly step?: string | undefined;
  readonly index?: number | undefined;
  readonly branch?: string | undefined;
  /** The one event that the function had. */
  readonly event?: unknown;
  /** Events that were begun and whose results were not emitted, in order: the only ones that a failure can lose. */
  readonly events: readonly unknown[];
  /** The record of the graph that the error came from. */
  readonly earlier?: Failure | undefined;
}
