import { Deque } from "../../base/deque.ts";
import type { Key } from "../../base/hash.ts";
import type { Subscription } from "../../contract/stage.ts";

/** An event that has been taken. */
export interface Taken<out In> {
  readonly event: In;
  readonly subscription: Subscription;
  /** Its place among all that were taken. */
  readonly seq: number;
  readonly lane: Lane | undefined;
}

/** The events of one key. */
export class Lane {
  readonly key: Key;
  busy = false;
  readonly queue: Deque<Taken<unknown>> = new Deque(2);

  constructor(key: Key) {
    this.key = key;
  }
}

/** Events that were taken and not begun: in one queue, or in one a key. */
export class Lanes<In> {
  readonly #lanes = new Map<Key, Lane>();
  /** Without keys all events; with them lanes whose next event can begin. */
  readonly #next = new Deque<Taken<In>>();
  readonly #ready = new Deque<Lane>();
  /** Events that wait. */
  size = 0;

  /** Whether an event could begin now. */
  get startable(): boolean {
    return this.#next.size > 0 || this.#ready.size > 0;
  }

  laneOf(key: Key): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(key);
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  push(taken: Taken<In>): void {
    const { lane } = taken;
    this.size += 1;
    if (lane === undefined) this.#next.push(taken);
    else {
      lane.queue.push(taken);
      if (!lane.busy && lane.queue.size === 1) this.#ready.push(lane);
    }
  }

  /** The next event that can begin. Its lane is then busy. */
  shift(): Taken<In> | undefined {
    let taken = this.#next.shift();
    if (taken === undefined) {
      const lane = this.#ready.shift();
      taken = lane?.queue.shift() as Taken<In> | undefined;
      if (lane) lane.busy = true;
    }
    if (taken) this.size -= 1;
    return taken;
  }

  /** The event in hand of this lane is done. */
  release(lane: Lane | undefined): void {
    if (lane === undefined) return;
    lane.busy = false;
    if (lane.queue.size > 0) this.#ready.push(lane);
    else this.#lanes.delete(lane.key);
  }

  /** Takes out all that waits. */
  takeAll(): Taken<In>[] {
    const all: Taken<In>[] = [];
    for (let taken = this.#next.shift(); taken; taken = this.#next.shift()) all.push(taken);
    for (const { queue } of this.#lanes.values())
      for (let taken = queue.shift(); taken; taken = queue.shift()) all.push(taken as Taken<In>);
    this.#lanes.clear();
    while (this.#ready.size > 0) this.#ready.shift();
    this.size = 0;
    return all;
  }
}

/** The events of each subscription, in the order in which they came. */
export function bySubscription<In>(all: readonly Taken<In>[]): Map<Subscription, In[]> {
  const parts = new Map<Subscription, In[]>();
  for (const { event, subscription } of all.toSorted((a, b) => a.seq - b.seq)) {
    const part = parts.get(subscription);
    if (part) part.push(event);
    else parts.set(subscription, [event]);
  }
  return parts;
}
