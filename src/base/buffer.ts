import { Deque } from "./deque.ts";

/** The untaken stretch of a batch. Batches are kept as they came, never copied. */
interface Stretch<T> {
  readonly events: readonly T[];
  from: number;
  to: number;
}
/** Something that waits for the events before it. */
type Mark = () => void;

const isMark = <T>(entry: Stretch<T> | Mark | undefined): entry is Mark => typeof entry === "function";

/**
 * A first-in, first-out queue of events with marks between them.
 *
 *     head → [stretch of a batch] [mark] [mark] [stretch of a batch] ← tail
 *
 * A mark is released as soon as the event before it has left, in whatever way.
 */
export class Buffer<T> {
  readonly #entries = new Deque<Stretch<T> | Mark>(4);
  /** Events held; marks do not count. */
  size = 0;

  push(events: readonly T[], from = 0, to: number = events.length): void {
    if (from === to) return;
    this.#entries.push({ events, from, to });
    this.size += to - from;
  }

  /** Puts events before all others. */
  unshift(events: readonly T[]): void {
    if (events.length === 0) return;
    this.#entries.unshift({ events, from: 0, to: events.length });
    this.size += events.length;
  }

  /** Puts a mark behind the newest event. Without one it is released at once. */
  mark(mark: Mark): void {
    if (this.size === 0) mark();
    else this.#entries.push(mark);
  }

  /**
   * Takes up to `count` events from the head as one batch, which ends before a mark; the caller releases due marks by
   * `releaseMarks`.
   */
  take(count: number): readonly T[] {
    let batch: T[] | undefined;
    let left = Math.min(count, this.size);
    while (left > 0) {
      const head = this.#entries.at(0);
      if (!head || isMark(head)) break;
      const length = head.to - head.from;
      const n = Math.min(left, length);
      const whole = n === length;
      if (whole) this.#entries.shift();
      this.size -= n;
      left -= n;
      if (!batch && (left === 0 || isMark(this.#entries.at(0)) || (whole && this.#entries.size === 0))) {
        const result = whole && n === head.events.length ? head.events : head.events.slice(head.from, head.from + n);
        head.from += n;
        return result;
      }
      batch ??= [];
      for (let i = 0; i < n; i += 1) batch.push(head.events[head.from + i] as T);
      head.from += n;
    }
    return batch ?? [];
  }

  /** Takes the newest events out. There are no marks among them. */
  takeNewest(count: number): readonly T[] {
    const taken: T[][] = [];
    for (let left = Math.min(count, this.size); left > 0; ) {
      const last = this.#entries.at(this.#entries.size - 1) as Stretch<T>;
      const n = Math.min(left, last.to - last.from);
      taken.unshift(last.events.slice(last.to - n, last.to));
      last.to -= n;
      this.size -= n;
      left -= n;
      if (last.from === last.to) this.#entries.pop();
    }
    return taken.flat(1);
  }

  releaseMarks(): void {
    for (let head = this.#entries.at(0); isMark(head); head = this.#entries.at(0)) {
      this.#entries.shift();
      head();
    }
  }

  /** Takes all events out, across marks, and releases these. */
  clear(): readonly T[] {
    const all: (readonly T[])[] = [];
    while (this.size > 0) {
      all.push(this.take(this.size));
      this.releaseMarks();
    }
    return all.length === 1 ? (all[0] as readonly T[]) : all.flat(1);
  }
}
