import type { Accepting } from "../../contract/accepting.ts";
import type { Step } from "../../contract/step.ts";
import { accepts, checkFunction, perEvent } from "./per-event.ts";

/**
 * Passes on events as long as `accept` answers true, then completes and leaves the source.
 *
 * **Shape** one out for one in; the first event that is not accepted is dropped.
 * **Completes** there; no later step sees another. **Cancels** the source in the same turn, and gives back what it had
 * not looked at.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. What `accept` throws fails the stage, and a promise
 * that it returns does with `ERR_RESULT`, behind what the events before it gave.
 *
 * **Source** rules 8.1 to 8.4.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3, 1]), takeWhile((n) => n < 3), collect());
 * console.log(await done); // [ 1, 2 ]
 */
export const takeWhile: Accepting = <In>(accept: (event: In) => boolean): Step<In, never> => {
  checkFunction("takeWhile", accept);
  const call = accept as (event: unknown) => unknown;
  return perEvent("takeWhile", (next, chain, place) => {
    let over = false;
    return (event) => {
      if (over) return;
      if (accepts(call, event, place)) next(event);
      else {
        over = true;
        chain.over = true;
      }
    };
  });
};
