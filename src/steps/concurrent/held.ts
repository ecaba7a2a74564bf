import { Deque } from "../../base/deque.ts";
import type { Subscription } from "../../contract/stage.ts";

/** A part of what has come by one subscription. */
interface Stretch<In> {
  readonly events: readonly In[];
  readonly subscription: Subscription;
  from: number;
  to: number;
}

/** Events that a step holds, first in, first out, with where they came from. Batches are kept as they came. */
export class Held<In> {
  readonly #stretches = new Deque<Stretch<In>>(4);
  size = 0;

  push(events: readonly In[], subscription: Subscription): void {
    if (events.length === 0) return;
    this.#stretches.push({ events, subscription, from: 0, to: events.length });
    this.size += events.length;
  }

  /** Puts events in front of the others. */
  unshift(events: readonly In[], subscription: Subscription): void {
    if (events.length === 0) return;
    this.#stretches.unshift({ events, subscription, from: 0, to: events.length });
    this.size += events.length;
  }

  /** Takes the oldest events out. */
  take(count: number): In[] {
    const taken: In[] = [];
    while (taken.length < count && this.size > 0) {
      const head = this.#stretches.at(0) as Stretch<In>;
      const to = Math.min(head.to, head.from + count - taken.length);
      for (let i = head.from; i < to; i += 1) taken.push(head.events[i] as In);
      this.size -= to - head.from;
      head.from = to;
      if (head.from === head.to) this.#stretches.shift();
    }
    return taken;
  }

  /** Takes the newest events out. All of them have come in one batch. */
  takeNewest(count: number): readonly In[] {
    const last = this.#stretches.at(this.#stretches.size - 1);
    if (last === undefined || count <= 0) return [];
    const from = Math.max(last.from, last.to - count);
    const taken = last.events.slice(from, last.to);
    last.to = from;
    this.size -= taken.length;
    return taken;
  }

  /** Takes all out, by subscription. */
  takeAll(): Map<Subscription, In[]> {
    const parts = new Map<Subscription, In[]>();
    for (let head = this.#stretches.shift(); head; head = this.#stretches.shift()) {
      const part = parts.get(head.subscription) ?? [];
      part.push(...head.events.slice(head.from, head.to));
      parts.set(head.subscription, part);
    }
    this.size = 0;
    return parts;
  }
}
