/** Smaller numbers are small integers in every engine, as nearly all demand is. */
const SMALL = 2 ** 30;

/** Adds asks; past 2^53 - 1 a sum counts as Infinity. */
export function addDemand(sum: number, count: number): number {
  const total = sum + count;
  if (total < SMALL) return total;
  return total > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : total;
}

export function isDemand(count: unknown): count is number {
  if (typeof count !== "number") return false;
  if (count >>> 0 === count && count > 0) return true;
  return count >= 1 && (Number.isSafeInteger(count) || count === Number.POSITIVE_INFINITY);
}
