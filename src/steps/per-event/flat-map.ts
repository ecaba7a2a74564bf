import type { Step } from "../../contract/step.ts";
import type { SyncMany } from "../../contract/sync.ts";
import { checkFunction, perEvent, refusePromise, StepFailure } from "./per-event.ts";

/**
 * Makes any number of events of each: all those of the iterable that `fn` returns.
 *
 * **Shape** none, one or many out for one in, in order. The iterable is worked off at once, so it should be short; it
 * is left early (and its `return` called) when a later `take` has had enough.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. An error of `fn` or its iterable fails the stage by identity, a
 * result that is not iterable with `ERR_RESULT`, behind earlier results.
 *
 * **Source** rules 8.1 to 8.3.
 *
 * @example
 * const { done } = pipeline(fromIterable(["a b", "c"]), flatMap((line) => line.split(" ")), collect());
 * console.log(await done); // [ 'a', 'b', 'c' ]
 */
export function flatMap<In, P>(fn: (event: In) => P & (PromiseLike<unknown> | AsyncIterable<unknown>)): SyncMany<In, P>;
export function flatMap<In, Out>(fn: (event: In) => Iterable<Out>): Step<In, Out>;
export function flatMap<In, Out>(fn: (event: In) => Iterable<Out>): Step<In, Out> {
  checkFunction("flatMap", fn);
  const call = fn as (event: unknown) => unknown;
  return perEvent("flatMap", (next, chain, place) => (event) => {
    let outs: unknown;
    let iterable = false;
    try {
      outs = call(event);
      iterable = typeof (outs as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === "function";
    } catch (cause) {
      throw new StepFailure(place, event, cause);
    }
    if (Array.isArray(outs)) {
      for (let i = 0; i < outs.length && !chain.over; i += 1) next(outs[i]);
      return;
    }
    refusePromise(outs, event, place, "an iterable at once; for promises and async iterables there is flatMapAsync");
    if (!iterable) throw new StepFailure(place, event, outs, "return an iterable");
    try {
      for (const out of outs as Iterable<unknown>) {
        next(out);
        if (chain.over) break;
      }
    } catch (cause) {
      // A later step's failure, or the iterable's own.
      throw cause instanceof StepFailure ? cause : new StepFailure(place, event, cause);
    }
  });
}
