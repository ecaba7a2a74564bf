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

  get idle(): boolean {
    return !this.busy && this.queue.size === 0;
  }
}

/** What is left of a batch, as it came. */
export interface Stretch<out In> {
  readonly events: readonly In[];
  readonly subscription: Subscription;
  /** The place of its first event among all that were taken. */
  readonly seq: number;
  /** The next event. */
  at: number;
}

/** Keys without events that are kept, at least: a map whose keys come and go at every event is slow. */
const IDLE = 1024;

/** Events that were taken and not begun: in one queue, or in one a key. */
export class Lanes<In> {
  readonly #lanes = new Map<Key, Lane>();
  /** Lanes without events are dropped when there are so many. */
  #most = IDLE;
  /** Without keys all events; with them lanes whose next event can begin. */
  readonly #next = new Deque<Stretch<In>>(4);
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
      if (this.#lanes.size >= this.#most) this.#sweep();
      lane = new Lane(key);
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #sweep(): void {
    for (const lane of this.#lanes.values()) if (lane.idle) this.#lanes.delete(lane.key);
    this.#most = Math.max(IDLE, 2 * this.#lanes.size);
  }

  push(lane: Lane, taken: Taken<In>): void {
    this.size += 1;
    lane.queue.push(taken);
    if (!lane.busy && lane.queue.size === 1) this.#ready.push(lane);
  }

  /** Adds a batch from `at` on, whose events may begin whatever their keys. */
  pushAll(events: readonly In[], at: number, subscription: Subscription, seq: number): void {
    if (at === events.length) return;
    this.size += events.length - at;
    this.#next.push({ events, subscription, seq, at });
  }

  /** The batch whose event at `at` can begin next. */
  get stretch(): Stretch<In> | undefined {
    return this.#next.at(0);
  }

  /** That event begins. */
  advance(stretch: Stretch<In>): void {
    this.size -= 1;
    stretch.at += 1;
    if (stretch.at === stretch.events.length) this.#next.shift();
  }

  /** The next event of a key that can begin. Its lane is then busy. */
  shift(): Taken<In> | undefined {
    const lane = this.#ready.shift();
    if (lane === undefined) return undefined;
    lane.busy = true;
    this.size -= 1;
    return lane.queue.shift() as Taken<In>;
  }

  /** The event in hand of this lane is done. */
  release(lane: Lane): void {
    lane.busy = false;
    if (lane.queue.size > 0) this.#ready.push(lane);
  }

  /** Takes out all that waits. */
  takeAll(): Taken<In>[] {
    const all: Taken<In>[] = [];
    for (let stretch = this.#next.shift(); stretch; stretch = this.#next.shift()) {
      const { events, subscription, seq, at } = stretch;
      for (let i = at; i < events.length; i += 1)
        all.push({ event: events[i] as In, subscription, seq: seq + i, lane: undefined });
    }
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
