import { requireInteger } from "../../base/check.ts";
import type { AnyBranch, Branched, ResultOf } from "../../contract/branches.ts";
import type { Producer } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";
import { demandDispatcher } from "../../dispatchers/demand.ts";
import { branching, requireBranch } from "./branching.ts";
import { fanOut } from "./fan-out.ts";

const dispatcher = (): object => demandDispatcher({ spread: "even" });

/**
 * Shares the events out among competing consumers, or branches, as evenly as they ask.
 *
 * **Shape** each event to one consumer. With `branches` and `fn` the branches are part of the pipeline: `fn` gets the
 * events of each and returns a producer, and the step passes on what all give; or a pipeline that ends in a sink, and
 * the step is a sink whose result is the array of theirs.
 * **Units** `branches` from 1.
 * **Backpressures** when no consumer asks.
 * **Completes** when its source and all branches have. A branch that has had enough leaves its share to the others.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`; when the pipeline is made `ERR_OPTION`: a branch that returns a
 * promise or nothing, does not consume its events, or differs from the others. The first branch to fail fails all:
 * `failureOf(error).branch` names it.
 *
 * **Source** rules 4.2, 8.5, 8.10.
 *
 * @example
 * const jobs = pipeline(fromIterable([1, 2, 3, 4]), balance());
 * for (let i = 0; i < 2; i += 1) pipeline(jobs, forEach(async (n) => console.log(n)));
 * const squares = pipeline([1, 2, 3], balance(2, (events) => pipeline(events, map((n: number) => n * n))), collect());
 * console.log((await squares).toSorted()); // [ 1, 4, 9 ]
 */
export function balance<In>(): Step<In, In>;
export function balance<In, R extends AnyBranch>(
  branches: number,
  fn: (events: Producer<In>, index: number) => R,
): Branched<In, R, ResultOf<R>[]>;
export function balance<In>(
  branches?: number,
  fn?: (events: Producer<In>, index: number) => unknown,
): Step<In, unknown> {
  if (branches === undefined && fn === undefined) return fanOut("balance", dispatcher);
  requireInteger("branches", branches ?? null, 1, 65_536);
  requireBranch("balance", fn);
  return branching("balance", {
    dispatcher,
    names: Array.from({ length: branches as number }, (_, index) => index),
    named: false,
    options: () => ({}),
    make: fn as (events: Producer<never>, name: string | number) => unknown,
    alone: false,
  });
}
