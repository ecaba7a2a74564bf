import { requireNeeded } from "../../base/needed.ts";
import { checkFunction } from "../per-event/per-event.ts";
import type { Key } from "../../base/hash.ts";
import type { AnyBranch, Branched, ResultOf } from "../../contract/branches.ts";
import type { Fixed } from "../../contract/options.ts";
import type { Producer } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";
import {
  type PartitionName,
  type PartitionNames,
  type PartitionSubscribeOptions,
  partitionDispatcher,
} from "../../dispatchers/partition.ts";
import { branching, requireBranch } from "./branching.ts";
import { fanOut } from "./fan-out.ts";

export interface PartitionOptions<out P extends PartitionNames> {
  readonly partitions: P;
  /** Events kept per partition without demand. **Units** events, from 1. @default 1000 */
  readonly maxQueued?: number | undefined;
}

/**
 * Gives all events of one key to one consumer, or branch, in order.
 *
 * **Shape** each event to the consumer of its key's partition, by the same hash on every machine. A consumer names
 * its partition: `subscribe(producer, { partition })`. With `fn` the branches are part of the pipeline: `fn` gets the
 * events of each partition and returns a producer, and the step passes on what all give; or a pipeline that ends in a
 * sink, and the step is a sink whose result is an array of theirs, a record where the partitions have names.
 * **Units** `partitions` a count or the names; `maxQueued` events kept per partition, 1 000 unless given.
 * **Backpressures** when a partition with a slow or absent consumer is full.
 * **Completes** when its source and all branches have. What comes for a branch that has had enough goes to `onDiscard`.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`; when the pipeline is made `ERR_OPTION`: a branch that returns a
 * promise or nothing, does not consume its events, or differs from the others. A key that is no string, number, bigint
 * or boolean fails the stage with `ERR_PARTITION_KEY`, whose `event` is the one without a key. The first branch to fail
 * fails all: `failureOf(error).branch` names it.
 *
 * **Source** rules 4.5, 8.5, 8.10.
 *
 * @example
 * const words = pipeline(fromIterable(["a", "b", "a"]), partitionBy((word) => word, { partitions: 2 }));
 * for (let i = 0; i < 2; i += 1)
 *   consumer<string>((events) => console.log(i, events)).subscribe(words, { partition: i });
 * const counts = await pipeline(
 *   ["a", "b", "a"],
 *   partitionBy((word) => word, { partitions: 2 }, (events) => pipeline(events, reduce((n: number) => n + 1, 0))),
 * );
 * console.log(counts.toSorted()); // [ 1, 2 ]
 */
export function partitionBy<In, const P extends PartitionNames>(
  key: (event: Fixed<In>) => Key,
  options: PartitionOptions<P>,
): Step<In, In, PartitionSubscribeOptions<PartitionName<P>>>;
export function partitionBy<In, const P extends PartitionNames>(
  key: (event: In) => Key,
  options: PartitionOptions<P>,
): Step<In, In, PartitionSubscribeOptions<PartitionName<P>>>;
export function partitionBy<In, const P extends PartitionNames, R extends AnyBranch>(
  key: (event: Fixed<In>) => Key,
  options: PartitionOptions<P>,
  fn: (events: Producer<In>, name: PartitionName<P>) => R,
): Branched<In, R, P extends readonly PropertyKey[] ? { [Name in P[number]]: ResultOf<R> } : ResultOf<R>[]>;
export function partitionBy<In>(
  key: (event: In) => Key,
  options: PartitionOptions<PartitionNames>,
  ...branch: readonly [fn?: (events: Producer<In>, name: string | number) => unknown]
): Step<In, unknown, never> {
  checkFunction("partitionBy", key);
  requireNeeded("partitionBy", "partitionBy(key, …)", options, ["partitions", "maxQueued"], { partitions: "4" });
  const dispatcher = (): object => partitionDispatcher<In, PartitionNames>({ ...options, by: key });
  dispatcher();
  if (branch.length === 0) return fanOut<In, never>("partitionBy", dispatcher);
  const [fn] = branch;
  requireBranch("partitionBy", fn);
  const { partitions } = options;
  return branching("partitionBy", {
    dispatcher,
    names: typeof partitions === "number" ? Array.from({ length: partitions }, (_, index) => index) : partitions,
    named: typeof partitions !== "number",
    options: (partition) => ({ partition }),
    make: fn as (events: Producer<never>, name: string | number) => unknown,
    alone: true,
  });
}
