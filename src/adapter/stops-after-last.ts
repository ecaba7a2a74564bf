/**
 * Returns whether a producer stops when its last consumer leaves, and so does not wait for another one.
 *
 * **Source** rule 5.10.
 *
 * @example
 * import { stopsAfterLast } from "headrace/adapter";
 *
 * console.log(stopsAfterLast(fromIterable([1])), stopsAfterLast(producer(() => []))); // true false
 */
export const stopsAfterLast = (producer: object): boolean =>
  (producer as { readonly "~core"?: { readonly stopsAfterLast?: boolean | undefined } })["~core"]?.stopsAfterLast ===
  true;
