import type { Fixed } from "../../contract/options.ts";
import type { SyncTap } from "../../contract/sync.ts";
import type { Step } from "../../contract/step.ts";
import { checkFunction, perCall } from "./per-event.ts";

/**
 * Looks at each event and passes it on.
 *
 * **Shape** one out for one in. The result of `fn` is not used; a promise is refused, since `forEach` is for that.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. An error of `fn` fails the stage by identity, a promise with
 * `ERR_RESULT`, behind earlier results.
 *
 * **Source** rules 8.1 to 8.3.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2]), tap((n) => console.log(n)), collect());
 * await done;
 */
export function tap<In, P>(fn: (event: Fixed<In>) => P & PromiseLike<unknown>): SyncTap<In, P>;
export function tap<In>(fn: (event: Fixed<In>) => unknown): Step<In, In>;
export function tap<In>(fn: (event: In) => unknown): Step<In, In>;
export function tap(fn: (event: never) => unknown): Step<never, unknown> {
  checkFunction("tap", fn);
  const call = fn as (event: unknown) => unknown;
  return perCall("tap", "event", "at once; for a function that returns a promise there is mapAsync", () => call);
}
