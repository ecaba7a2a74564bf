import type { Failure } from "./failure.ts";

/**
 * Why something ended. A *stop* or *cancel* without an argument, or with `"normal"` or `"shutdown"`, is normal; any
 * other makes it a failure with that value.
 */
export type Reason =
  | { readonly type: "complete" }
  | { readonly type: "stop" | "cancel"; readonly reason?: unknown }
  | { readonly type: "failure"; readonly error: unknown };

/** The last message on a link, in either direction. */
export interface End {
  readonly reason: Reason;
  /** Consumer to producer only: delivered events that were not started. */
  readonly unstarted?: readonly unknown[] | undefined;
  /** Producer to consumer, which is to pass a failure on: called if it ends without doing so. */
  readonly onNotPassedOn?: (() => void) | undefined;
  /** Producer to consumer only: where the failure began. */
  readonly failure?: Failure | undefined;
}
