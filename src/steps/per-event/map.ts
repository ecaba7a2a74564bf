import type { Step } from "../../contract/step.ts";
import type { Sync } from "../../contract/sync.ts";
import { checkFunction, perCall } from "./per-event.ts";

/**
 * Makes one event of each.
 *
 * **Shape** one out for one in: the result of `fn`.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. An error of `fn` fails the stage by identity, a promise with
 * `ERR_RESULT`, behind earlier results.
 *
 * **Source** rules 8.1 to 8.3.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3]), map((n) => n * 2), collect());
 * console.log(await done); // [ 2, 4, 6 ]
 */
export function map<In, P>(fn: (event: In) => P & PromiseLike<unknown>): Sync<In, P>;
export function map<In, Out>(fn: (event: In) => Out): Step<In, Out>;
export function map<In, Out>(fn: (event: In) => Out): Step<In, Out> {
  checkFunction("map", fn);
  const call = fn as (event: unknown) => unknown;
  const instead = "its result at once; for a function that returns a promise there is mapAsync";
  return perCall("map", "result", instead, () => call);
}
