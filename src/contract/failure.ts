/** Where a failure began. `done` rejects with the error itself; this stands beside it. */
export interface Failure {
  /** The thrown value, or the `CallbackError` around a primitive. */
  readonly error: unknown;
  /** The name of the stage in which it began. */
  readonly stage: string;
  /** The callback that threw, or `"fail"`. */
  readonly callback: string;
  /** In a pipeline: the failing step, and its position behind the source from 0. */
  readonly step?: string | undefined;
  readonly index?: number | undefined;
  readonly branch?: string | undefined;
  /** The event in the function's hands. */
  readonly event?: unknown;
  /** Events begun, whose results were not emitted, in order: the only ones a failure can lose. */
  readonly events: readonly unknown[];
  /** The record of the graph from which the error came. */
  readonly earlier?: Failure | undefined;
}
