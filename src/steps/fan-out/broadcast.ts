import { refuseUnknown } from "../../base/check.ts";
import { argumentError, describe, words } from "../../base/errors.ts";
import type { AnyBranch, Branched, ResultOf } from "../../contract/branches.ts";
import type { Fixed, Lag } from "../../contract/options.ts";
import type { Producer } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";
import {
  type BroadcastDispatcherOptions,
  type BroadcastSubscribeOptions,
  broadcastDispatcher,
  checkBroadcast,
  checkLag,
} from "../../dispatchers/broadcast.ts";
import { branching, requireBranch } from "./branching.ts";
import { fanOut } from "./fan-out.ts";

export interface BroadcastBranchesOptions<Name extends PropertyKey = string> extends BroadcastDispatcherOptions {
  /** How far a branch may lag behind the others. */
  readonly lag?: Lag | undefined;
  /** The same for some of them, by name. */
  readonly lagOf?: { readonly [One in Name]?: Lag | undefined } | undefined;
}

/**
 * Gives each event to every consumer, or every branch, at the pace of the slowest.
 *
 * **Shape** each event to all subscribed consumers; a consumer's `selector` picks among them. With a record of
 * functions the branches are part of the pipeline: each gets the events and returns a producer, and the step passes on
 * what all give; or a pipeline that ends in a sink, and the step is a sink whose result is the record of theirs.
 * **Units** `startAfter` in consumers: nothing is requested before there are this many.
 * **Backpressures** when one consumer does not ask, unless it may lag behind: `lag` among its subscribe options, or for
 * branches `lag`, for all, and `lagOf`, by name. It then loses its own events, which go to `onDiscard`, or is cancelled.
 * **Completes** when its source and all branches have. A branch that has had enough leaves, and the others go on.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: wrong options; when the pipeline is made `ERR_OPTION`: a branch that
 * returns a promise or nothing, does not consume its events, or differs from the others. The first branch to fail fails
 * all: `failureOf(error).branch` names it.
 *
 * **Source** rules 4.4, 8.5, 8.10.
 *
 * @example
 * const news = pipeline(fromIterable(["a", "b"]), broadcast({ startAfter: 2 }));
 * for (const reader of ["x", "y"]) pipeline(news, forEach((item) => console.log(reader, item)));
 * const both = await pipeline(
 *   [1, 2, 3],
 *   broadcast({
 *     sum: (events) => pipeline(events, reduce((sum: number, n: number) => sum + n, 0)),
 *     all: (events) => pipeline(events, collect()),
 *   }),
 * );
 * console.log(both.sum, both.all); // 6 [ 1, 2, 3 ]
 */
export function broadcast<In>(options?: BroadcastDispatcherOptions): Step<In, In, BroadcastSubscribeOptions<In>>;
export function broadcast<In, R extends Readonly<Record<string, AnyBranch>>>(
  branches: { readonly [Name in keyof R]: (events: Producer<Fixed<In>>) => R[Name] },
  options?: BroadcastBranchesOptions<keyof Fixed<R>>,
): Branched<In, R[keyof R], { -readonly [Name in keyof R]: ResultOf<R[Name]> }>;
export function broadcast<In>(
  first?: BroadcastDispatcherOptions | Readonly<Record<string, (events: Producer<In>) => unknown>>,
  options: BroadcastBranchesOptions = {},
): Step<In, unknown> {
  const branches = Object.values(first ?? {}).some((value) => typeof value === "function") ? first : undefined;
  if (branches === undefined) {
    const given = first as BroadcastDispatcherOptions | undefined;
    if (typeof given === "function" || Object.values(given ?? {}).some((value) => Object(value) === value)) {
      const form = "write broadcast({ name: (events) => pipeline(events, …) })";
      throw argumentError(
        "ERR_OPTION",
        "broadcast to get a function for each branch",
        words(`${describe(given)}: ${form}`),
      );
    }
    checkBroadcast("broadcast", given ?? {});
    return fanOut("broadcast", () => broadcastDispatcher(given));
  }
  checkBroadcast("broadcast", options, ["lag", "lagOf"]);
  const { lag, lagOf = {}, startAfter = 1 } = options;
  const functions = branches as Readonly<Record<string, (events: Producer<never>) => unknown>>;
  const names = Object.keys(functions);
  for (const name of names) requireBranch(`broadcast (${name})`, functions[name]);
  refuseUnknown("lagOf", lagOf, names);
  for (const one of [lag, ...Object.values(lagOf)]) checkLag(one);
  return branching("broadcast", {
    // All branches see every event: the first to subscribe waits for the last.
    dispatcher: () => broadcastDispatcher({ startAfter: Math.max(names.length, startAfter) }),
    names,
    named: true,
    options: (name) => ({ lag: lagOf[name] ?? lag }),
    make: (events, name) => functions[name]?.(events),
    alone: false,
  });
}
