import type { Fold } from "../../contract/row.ts";
import type { Sink } from "../../contract/step.ts";
import { checkFunction, type PerEventSink, RESULT_AT_ONCE } from "../per-event/per-event.ts";

/**
 * Folds all events into one result.
 *
 * **Shape** events in; `done` of the pipeline resolves with the last result of `fn`, or with the seed.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. An error of `fn` fails the pipeline by identity, a promise with
 * `ERR_RESULT`.
 *
 * **Source** rules 8.2, 8.3, 8.6.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3]), reduce((sum, n) => sum + n, 0));
 * console.log(await done); // 6
 */
export function reduce<In, Result>(fn: (sum: Result, event: In) => Result, seed: Result): Sink<In, Result> {
  checkFunction("reduce", fn);
  const call = fn as (sum: unknown, event: unknown) => unknown;
  const sink: PerEventSink = {
    kind: "sink",
    name: "reduce",
    "~begin": (_chain, place) => {
      const fold: Fold = { fn: call, value: seed, instead: RESULT_AT_ONCE, place };
      return { end: { fold }, result: () => fold.value };
    },
  };
  return sink;
}
