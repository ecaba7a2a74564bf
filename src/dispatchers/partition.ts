import { UNPLACED } from "../base/failure.ts";
import { Buffer } from "../base/buffer.ts";
import type { Dispatcher, DispatcherInspection, DispatcherLink } from "../contract/dispatcher.ts";
import { argumentError, CallbackError, callbackError } from "../base/errors.ts";
import { type Key, partitionOf } from "../base/hash.ts";
import { requireType, requireInteger, refuseUnknown } from "../base/check.ts";
import { addDemand } from "../base/demand.ts";
import type { Fixed } from "../contract/options.ts";

export type PartitionNames = number | readonly (string | number)[];
export type PartitionName<P extends PartitionNames> = P extends readonly (infer Name)[] ? Name : number;
export interface PartitionSubscribeOptions<out Name> {
  /** The partition to consume: one of the names, or 0 to partitions - 1. */
  readonly partition: Name;
}
/** Exactly one of `by` and `hash` places an event. */
export type PartitionDispatcherOptions<Event, P extends PartitionNames> = {
  /** A count, for partitions 0 to count - 1, or the names. */
  readonly partitions: P;
  /** Events kept per partition without demand, before the source is held. @default 1000 */
  readonly maxQueued?: number | undefined;
} & (
  | { readonly by: (event: Event) => Key; readonly hash?: undefined }
  | { readonly hash: (event: Event) => PartitionName<Fixed<P>> | undefined; readonly by?: undefined }
);

interface Partition<Event> {
  readonly name: string | number;
  readonly queue: Buffer<Event>;
  link: DispatcherLink | undefined;
  unmet: number;
  /** The current batch's events for this partition. */
  arriving: Event[];
}

/** What the user's function returned is no place. */
class Misplaced {
  readonly expected: string;
  readonly got: unknown;

  constructor(expected: string, got: unknown) {
    this.expected = expected;
    this.got = got;
  }
}

class PartitionDispatcher<Event> implements Dispatcher<Event, PartitionSubscribeOptions<string | number>> {
  readonly #partitions: readonly Partition<Event>[];
  readonly #byName: ReadonlyMap<string | number, Partition<Event>>;
  readonly #links = new WeakMap<DispatcherLink, Partition<Event>>();
  readonly #by: ((event: Event) => Key) | undefined;
  readonly #hash: ((event: Event) => unknown) | undefined;
  readonly #maxQueued: number;
  queued = 0;
  readonly options: readonly string[] = ["partition"];
  #unmet = 0;

  constructor(
    names: readonly (string | number)[],
    maxQueued: number,
    by: ((event: Event) => Key) | undefined,
    hash: ((event: Event) => unknown) | undefined,
  ) {
    const partitions = names.map((name) => ({
      name,
      queue: new Buffer<Event>(),
      link: undefined,
      unmet: 0,
      arriving: [],
    }));
    this.#partitions = partitions;
    this.#byName = new Map(partitions.map((partition) => [partition.name, partition]));
    this.#maxQueued = maxQueued;
    this.#by = by;
    this.#hash = hash;
  }

  get wanted(): number {
    if (this.#unmet === 0) return 0;
    let room = Number.POSITIVE_INFINITY;
    for (const { unmet, queue } of this.#partitions) room = Math.min(room, this.#maxQueued + unmet - queue.size);
    return Math.max(0, Math.min(this.#unmet, room));
  }

  subscribe(link: DispatcherLink, options: Partial<PartitionSubscribeOptions<string | number>>): void {
    const names = this.#partitions.map(({ name }) => name);
    const partition = this.#byName.get(options.partition as string | number);
    if (!partition)
      throw argumentError("ERR_PARTITION", `partition to be one of ${names.join(", ")}`, options.partition);
    if (partition.link) throw argumentError("ERR_PARTITION_TAKEN", "", partition.name);
    partition.link = link;
    this.#links.set(link, partition);
  }

  ask(link: DispatcherLink, count: number): void {
    const partition = this.#links.get(link);
    if (partition?.link !== link) return;
    partition.unmet = addDemand(partition.unmet, count);
    this.#unmet = addDemand(this.#unmet, count);
    this.#serve(partition);
  }

  cancel(link: DispatcherLink): void {
    const partition = this.#links.get(link);
    if (partition?.link !== link) return;
    partition.link = undefined;
    partition.unmet = 0;
    this.#unmet = this.#partitions.reduce((sum, { unmet }) => addDemand(sum, unmet), 0);
  }

  giveBack(link: DispatcherLink, events: readonly Event[]): void {
    const partition = this.#links.get(link);
    if (!partition) return;
    partition.queue.unshift(events); // M45
    this.queued += events.length;
    this.#serve(partition);
  }

  dispatch(events: readonly Event[]): number {
    const taken = Math.min(events.length, this.wanted);
    if (taken === 0) return 0;
    // The user's function is called for all events first: if it fails, none has gone anywhere.
    let at = 0;
    try {
      if (this.#by) for (; at < taken; at += 1) this.#placeBy(this.#by, events[at] as Event);
      else for (; at < taken; at += 1) this.#placeHashed(events[at] as Event);
    } catch (cause) {
      for (const partition of this.#partitions) partition.arriving = []; // M46
      throw this.#unplaced(cause, events, at);
    }
    for (const partition of this.#partitions) if (partition.arriving.length > 0) this.#arrive(partition);
    return taken;
  }

  #placeBy(by: (event: Event) => Key, event: Event): void {
    const key = by(event);
    const partition = this.#partitions[partitionOf(key, this.#partitions.length)];
    if (!partition) throw new Misplaced("a key: string, number, bigint or boolean", key);
    partition.arriving.push(event);
  }

  #placeHashed(event: Event): void {
    const name = this.#hash?.(event);
    const partition = this.#byName.get(name as string | number);
    if (partition) partition.arriving.push(event);
    else if (name !== undefined)
      throw new Misplaced(`hash to return one of ${Array.from(this.#byName.keys()).join(", ")} or undefined`, name);
  }

  /** The error of the event that the user's function threw for, or misplaced. */
  #unplaced(cause: unknown, events: readonly Event[], at: number): unknown {
    const event = events[at];
    const where = { stage: UNPLACED, callback: this.#by ? "by" : "hash", event };
    if (!(cause instanceof Misplaced)) return callbackError(where, cause, events);
    const { expected, got } = cause;
    const error = new CallbackError({ code: "ERR_PARTITION_KEY", expected, got }, events);
    return callbackError(where, Object.assign(error, { event }), events);
  }

  /** Waits only for the queues that hold events now. */
  whenSent(then: () => void): void {
    const full = this.#partitions.filter(({ queue }) => queue.size > 0);
    let left = full.length;
    if (left === 0) then();
    const reached = (): void => {
      left -= 1;
      if (left === 0) then();
    };
    for (const { queue } of full) queue.mark(reached);
  }

  clear(): readonly Event[] {
    this.queued = 0;
    return this.#partitions.flatMap(({ queue }) => queue.clear());
  }

  inspect(): DispatcherInspection {
    return {
      type: "partition",
      partitions: this.#partitions.map(({ name, link, queue, unmet }) => ({
        name,
        consumer: link?.name,
        queued: queue.size,
        demand: unmet,
      })),
      heldBy: this.#partitions
        .filter(({ unmet, queue }) => this.#unmet > 0 && this.#maxQueued + unmet - queue.size <= 0)
        .map(({ name }) => `partition ${name}`),
    };
  }

  #arrive(partition: Partition<Event>): void {
    const batch = partition.arriving;
    partition.arriving = [];
    const n = partition.link ? Math.min(batch.length, partition.unmet) : 0;
    if (n > 0)
      this.#deliver(partition, partition.link as DispatcherLink, n === batch.length ? batch : batch.slice(0, n));
    partition.queue.push(batch, n);
    this.queued += batch.length - n;
    // A served consumer may have asked, or made room for another.
    if (partition.unmet > 0) this.#serve(partition);
  }

  #serve(partition: Partition<Event>): void {
    while (partition.link && partition.queue.size > 0 && partition.unmet > 0) {
      const batch = partition.queue.take(partition.unmet);
      this.queued -= batch.length;
      this.#deliver(partition, partition.link, batch);
      partition.queue.releaseMarks();
    }
  }

  #deliver(partition: Partition<Event>, link: DispatcherLink, batch: readonly Event[]): void {
    partition.unmet -= batch.length;
    this.#unmet -= batch.length;
    link.deliver(batch);
  }
}

/**
 * Gives each event to the one consumer of its partition.
 *
 * **Shape** one consumer per partition; the events of one key keep their order.
 * **Units** `maxQueued` in events per partition, from 1.
 * **Backpressures** when no consumer has demand, or when a partition with a slow or absent consumer is full;
 * `inspect()` names it.
 * **Errors** `ArgumentError` `ERR_OPTION`, `ERR_RANGE`, `ERR_PARTITION`; at `subscribe` `ERR_PARTITION`: no or an
 * unknown partition, `ERR_PARTITION_TAKEN`. An invalid result of `by` or `hash` fails the producer with
 * `ERR_PARTITION_KEY`, an error by identity.
 *
 * **Source** rules 4.2 and 4.5; GenStage's PartitionDispatcher, with bounded queues that survive their consumer.
 *
 * @example
 * const words = fromIterable(["a", "b"], {
 *   dispatcher: partitionDispatcher({ partitions: 4, by: (word: string) => word }),
 * });
 */
export function partitionDispatcher<Event, const P extends PartitionNames>(
  options: PartitionDispatcherOptions<Event, P>,
): Dispatcher<Event, PartitionSubscribeOptions<PartitionName<P>>> {
  refuseUnknown("partitionDispatcher", options, ["partitions", "maxQueued", "by", "hash"]);
  const { partitions, maxQueued, by, hash } = options;
  requireType("by", by, "function");
  requireType("hash", hash, "function");
  if ((by === undefined) === (hash === undefined)) throw argumentError("ERR_OPTION", "exactly one of by and hash", by);
  requireInteger("maxQueued", maxQueued, 1, Number.POSITIVE_INFINITY);
  const names = namesOf(partitions);
  return new PartitionDispatcher<Event>(names, maxQueued ?? 1000, by, hash);
}

function namesOf(partitions: PartitionNames | undefined): readonly (string | number)[] {
  if (typeof partitions === "number") {
    requireInteger("partitions", partitions, 1, 65_536);
    return [...Array(partitions).keys()];
  }
  if (
    !Array.isArray(partitions) ||
    partitions.length === 0 ||
    !partitions.every((n) => typeof n === "string" || typeof n === "number") ||
    new Set(partitions).size !== partitions.length
  )
    throw argumentError("ERR_PARTITION", "partitions to be a count or a list of different names", partitions);
  return partitions;
}
