import type { Reason } from "../contract/reason.ts";

const normal = (reason: unknown): boolean => reason === undefined || reason === "normal" || reason === "shutdown";

/** Does nothing, as a callback. */
export const ignore = (): void => {};
export const none: readonly never[] = [];
export const complete: Reason = { type: "complete" };

export const failure = (error: unknown): Reason => ({ type: "failure", error });

/** Whether a reason counts as a failure. */
export const isFailure = (reason: Reason): boolean =>
  reason.type === "failure" || (reason.type !== "complete" && !normal(reason.reason));

/** Whether both are failures with the same value, `undefined` included. */
export const sameFailure = (a: Reason | undefined, b: Reason | undefined): boolean =>
  a !== undefined && b !== undefined && isFailure(a) && isFailure(b) && Object.is(errorOf(a), errorOf(b));

/** The value a failure carries. */
export const errorOf = (reason: Reason): unknown =>
  reason.type === "failure" ? reason.error : reason.type === "complete" ? undefined : reason.reason;
