import type { Accepting } from "../../contract/accepting.ts";
import type { Step } from "../../contract/step.ts";
import { accepts, checkFunction, perEvent } from "./per-event.ts";

/**
 * Passes on the events that `accept` answers true for.
 *
 * **Shape** none or one out for one in. A type predicate narrows the event.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. What `accept` throws fails the stage, and a promise
 * that it returns does with `ERR_RESULT`, behind what the events before it gave.
 *
 * **Source** rules 8.1 to 8.3.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3]), filter((n) => n % 2 === 1), collect());
 * console.log(await done); // [ 1, 3 ]
 */
export const filter: Accepting = <In>(accept: (event: In) => boolean): Step<In, never> => {
  checkFunction("filter", accept);
  const call = accept as (event: unknown) => unknown;
  return perEvent("filter", (next, _chain, place) => (event) => {
    if (accepts(call, event, place)) next(event);
  });
};
