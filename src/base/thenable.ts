/** Whether a value may be a promise: a cheap check per event, before the look-up. */
export function isObject(value: unknown): boolean {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Arrays first: most results are arrays, and looking up "then" on them is slow. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (!isObject(value)) return false;
  try {
    return !Array.isArray(value) && typeof (value as { then?: unknown }).then === "function";
  } catch {
    // Awaiting it turns an error of the look-up (a revoked proxy) into a rejection.
    return true;
  }
}
