import type { Step } from "../../contract/step.ts";
import { requireInteger } from "../../base/check.ts";
import { perCall, TRUE_OR_FALSE } from "./per-event.ts";

/**
 * Drops the first `count` events and passes on the rest.
 *
 * **Shape** one out for one in, after `count`.
 * **Units** events, from 0.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no whole number from 0.
 *
 * **Source** rules 8.1, 8.2.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3]), skip(2), collect());
 * console.log(await done); // [ 3 ]
 */
export function skip<In>(count: number): Step<In, In> {
  requireInteger("skip", count ?? null, 0, Number.POSITIVE_INFINITY);
  return perCall("skip", "if true", TRUE_OR_FALSE, () => {
    let left = count;
    return () => {
      if (left === 0) return true;
      left -= 1;
      return false;
    };
  });
}
