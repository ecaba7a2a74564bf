import type { Accepting } from "../../contract/accepting.ts";
import type { Step } from "../../contract/step.ts";
import { accepts, checkFunction, perEvent } from "./per-event.ts";

/**
 * Passes on events as long as `accept` returns true, then completes and leaves the source.
 *
 * **Shape** one out for one in; the first refused event is dropped.
 * **Completes** there; no later step sees another. **Cancels** the source in the same turn; unseen events go back.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. An error of `accept` fails the stage by identity, a promise with
 * `ERR_RESULT`, behind earlier results.
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
