import { fanOut } from "./fan-out.ts";
import type { Step } from "../../contract/step.ts";
import {
  type PartitionName,
  type PartitionNames,
  type PartitionSubscribeOptions,
  partitionDispatcher,
} from "../../dispatchers/partition.ts";
import type { Key } from "../../base/hash.ts";

/**
 * Gives all events of one key to one consumer, in order.
 *
 * **Shape** each event to the consumer of its key's partition, by the same hash on every machine. A consumer names
 * its partition: `subscribe(producer, { partition })`.
 * **Units** `partitions` a count or the names; `maxQueued` events kept per partition, 1 000 unless given.
 * **Backpressures** when a partition with a slow or absent consumer is full.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`. A key that is no string, number, bigint or boolean fails the stage
 * with `ERR_PARTITION_KEY`, whose `event` is the one without a key.
 *
 * **Source** rules 4.5, 8.5.
 *
 * @example
 * const words = pipeline(fromIterable(["a", "b", "a"]), partitionBy((word) => word, { partitions: 2 }));
 * for (let i = 0; i < 2; i += 1)
 *   consumer<string>((events) => console.log(i, events)).subscribe(words, { partition: i });
 */
export function partitionBy<In, const P extends PartitionNames>(
  key: (event: In) => Key,
  options: { readonly partitions: P; readonly maxQueued?: number | undefined },
): Step<In, In, PartitionSubscribeOptions<PartitionName<P>>> {
  const dispatcher = (): object => partitionDispatcher<In, P>({ ...options, by: key });
  dispatcher();
  return fanOut("partitionBy", dispatcher);
}
