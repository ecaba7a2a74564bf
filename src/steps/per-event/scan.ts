import type { Step } from "../../contract/step.ts";
import { checkFunction, perCall, RESULT_AT_ONCE } from "./per-event.ts";

/**
 * Passes on, for each event, the result of `fn` for it and the last result.
 *
 * **Shape** one out for one in; the seed itself is not passed on.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. An error of `fn` fails the stage by identity, a promise with
 * `ERR_RESULT`, behind earlier results.
 *
 * **Source** rules 8.1 to 8.3.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3]), scan((sum, n) => sum + n, 0), collect());
 * console.log(await done); // [ 1, 3, 6 ]
 */
export function scan<In, Out>(fn: (last: Out, event: In) => Out, seed: Out): Step<In, Out> {
  checkFunction("scan", fn);
  const call = fn as (last: unknown, event: unknown) => unknown;
  return perCall("scan", "result", RESULT_AT_ONCE, () => {
    let last: unknown = seed;
    return (event) => {
      last = call(last, event);
      return last;
    };
  });
}
