import type { Step } from "../../contract/step.ts";
import { requireInteger } from "../../base/check.ts";
import { perEvent } from "./per-event.ts";

/**
 * Passes on the first `count` events, then completes and leaves the source.
 *
 * **Shape** one out for one in, `count` times.
 * **Units** events, from 0.
 * **Backpressures** never asks for more than it still lets through.
 * **Completes** right behind the last of them; no later step sees another. **Cancels** the source in the same turn;
 * unseen events go back.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no whole number from 0.
 *
 * **Source** rule 8.4.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3]), take(2), collect());
 * console.log(await done); // [ 1, 2 ]
 */
export function take<In>(count: number): Step<In, In> {
  requireInteger("take", count ?? null, 0, Number.POSITIVE_INFINITY);
  return perEvent("take", (next, chain) => {
    const own = { left: count };
    chain.takes.push(own);
    return (event) => {
      if (own.left === 0) return;
      own.left -= 1;
      next(event);
      if (own.left === 0) chain.over = true;
    };
  });
}
