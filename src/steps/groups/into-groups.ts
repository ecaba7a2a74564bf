import { refuseUnknown, requireInteger, requireOneOf, requireType } from "../../base/check.ts";
import { argumentError } from "../../base/errors.ts";
import { sink } from "../../adapter/sink.ts";
import type { Key } from "../../base/hash.ts";
import type { PromiseIsNoBranch } from "../../contract/branches.ts";
import type { Fixed } from "../../contract/options.ts";
import type { Pipeline } from "../../contract/pipeline.ts";
import type { Producer } from "../../contract/stage.ts";
import type { Sink } from "../../contract/step.ts";
import { checkFunction } from "../per-event/per-event.ts";
import { makeSink } from "../../adapter/step.ts";
import { type GroupOptions, Groups } from "./groups.ts";

/** Stands for a producer that a group's function returned. */
export interface ProducerIsNoGroup {
  readonly "~attach": unknown;
  readonly done: unknown;
  readonly stop: unknown;
  readonly drain: unknown;
  readonly inspect: unknown;
  readonly demand: unknown;
  readonly [Symbol.asyncDispose]: unknown;
  readonly "a group's pipeline ends in a sink: forEach, collect, …": never;
}

/**
 * Gives each key's events to a pipeline of their own, which is made when the key first comes.
 *
 * **Shape** events in; `fn` gets a key's events, in order, and returns the running pipeline that takes them. `done` of the
 * pipeline resolves with the number of keys there have been.
 * **Units** `maxOpen` in groups that are open at a time, 100 by default; `maxQueued` in events that wait for their groups,
 * 1000 by default; `idle` in milliseconds. It remembers every key.
 * **Backpressures** when `maxQueued` events wait. A group asks for what its pipeline asks for.
 * **Completes** behind its source, once all groups have completed. With `evict: "lru"` the group used least recently is
 * completed at `maxOpen`, and `idle` completes one that has had no events for so long; events of a key that is closing
 * wait, and open it again, with `reopened: true`. So does the next event behind a pipeline that has had enough.
 * **Cancels** at a stop: events that wait go back to the source, and the groups are stopped.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no function, or no such option. OverflowError `ERR_OPEN_GROUPS`, for the
 * pipeline: one group more than `maxOpen`, and no `evict`. What `key` or `fn` throws, what `fn` returns that is no pipeline
 * of its events (`ERR_OPTION`), and the failure of a group fail the pipeline and all other groups; `failureOf(error).branch` is
 * the key.
 *
 * **Source** rule 8.11; Flow's partitions, for keys not known beforehand.
 *
 * @example
 * const sums = new Map<string, number>();
 * const rows = [{ user: "ann", n: 1 }, { user: "bob", n: 2 }, { user: "ann", n: 3 }];
 * const groups = await pipeline(
 *   rows,
 *   intoGroups(
 *     (row) => row.user,
 *     (events, user) => pipeline(events, forEach(({ n }) => sums.set(user, (sums.get(user) ?? 0) + n))),
 *   ),
 * );
 * console.log(groups, sums.get("ann")); // 2 4
 */
export function intoGroups<In, K extends Key>(
  key: (event: Fixed<In>) => K,
  fn: (
    events: Producer<In>,
    key: K,
    group: { readonly reopened: boolean },
  ) => Pipeline<unknown> | ProducerIsNoGroup | PromiseIsNoBranch,
  options: GroupOptions = {},
): Sink<In, number> {
  checkFunction("intoGroups", key);
  if (typeof fn !== "function")
    throw argumentError("ERR_OPTION", "intoGroups to take a function of each group's events", fn);
  refuseUnknown("intoGroups", options, ["maxOpen", "evict", "idle", "maxQueued"]);
  requireInteger("maxOpen", options.maxOpen, 1, Number.POSITIVE_INFINITY);
  requireInteger("maxQueued", options.maxQueued, 1);
  requireOneOf("evict", options.evict, ["lru"]);
  requireType("idle", options.idle, "number");
  if (options.idle !== undefined && !(options.idle > 0))
    throw argumentError("ERR_RANGE", "idle to be more than 0 milliseconds", options.idle);
  return makeSink<In, number>("intoGroups", (setting) => {
    const groups = new Groups<In>(key, fn, options, setting);
    return { consumer: sink(groups, setting), result: () => groups.count };
  });
}
