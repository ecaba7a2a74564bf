/** Whether a value may be a promise at all: asked for each event, in front of the look-up. */
export const isObject = (value: unknown): boolean =>
  (typeof value === "object" && value !== null) || typeof value === "function";

/** Arrays first: what callbacks answer is mostly an array, and a look-up of "then" on arrays of all kinds is slow. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (!isObject(value)) return false;
  try {
    return !Array.isArray(value) && typeof (value as { then?: unknown }).then === "function";
  } catch {
    // Waiting for it makes a rejection of what the look-up throws, on a revoked proxy for one.
    return true;
  }
}
