import { requireInteger } from "../../base/check.ts";
import { requireNeeded } from "../../base/needed.ts";
import type { Key } from "../../base/hash.ts";
import type { Fixed } from "../../contract/options.ts";
import type { Step } from "../../contract/step.ts";
import { checkFunction, perCall } from "./per-event.ts";

/**
 * Drops events whose key is among the last `max` different ones.
 *
 * **Shape** none or one out for one in. A key that comes again counts as new then, so that one that keeps coming stays known.
 * **Units** `max` in keys, from 1: it holds so many.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no function, no `max`, or no such option. When `key` throws, the stage fails
 * with that, behind what the events before gave.
 *
 * **Source** rules 8.1 to 8.3.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 1, 2, 1]), distinct((n) => n, { max: 100 }), collect());
 * console.log(await done); // [ 1, 2 ]
 */
export function distinct<In>(key: (event: Fixed<In>) => Key, options: { readonly max: number }): Step<In, In>;
export function distinct<In>(key: (event: In) => Key, options: { readonly max: number }): Step<In, In>;
export function distinct<In>(key: (event: never) => Key, options: { readonly max: number }): Step<In, In> {
  checkFunction("distinct", key);
  requireNeeded("distinct", "distinct(key, …)", options, ["max"], { max: "1000" });
  requireInteger("max", options.max, 1);
  const call = key as (event: unknown) => Key;
  const { max } = options;
  return perCall("distinct", "if true", "a key at once", () => {
    /** The one that came last is the last. */
    const seen = new Set<Key>();
    return (event) => {
      const own = call(event);
      const repeated = seen.delete(own);
      seen.add(own);
      if (repeated) return false;
      if (seen.size > max)
        for (const oldest of seen) {
          seen.delete(oldest);
          break;
        }
      return true;
    };
  });
}
