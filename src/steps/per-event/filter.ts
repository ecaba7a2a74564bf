import type { Accepting } from "../../contract/accepting.ts";
import type { Step } from "../../contract/step.ts";
import { checkFunction, perCall, TRUE_OR_FALSE } from "./per-event.ts";

/**
 * Passes on the events for which `accept` returns true.
 *
 * **Shape** none or one out for one in. A type predicate narrows the event.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. An error of `accept` fails the stage by identity, a promise with
 * `ERR_RESULT`, behind earlier results.
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
  return perCall("filter", "if true", TRUE_OR_FALSE, () => call);
};
