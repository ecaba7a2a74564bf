import { Deque } from "../base/deque.ts";

interface Piece<From, Out> {
  readonly from: From;
  readonly events: readonly Out[];
  /** Those behind have come back. */
  to: number;
}

/** What was emitted last, and where it came from, so that what no consumer has begun can go back there. */
export class Emitted<From, Out> {
  readonly #pieces: Deque<Piece<From, Out>> = new Deque(4);
  #size = 0;

  /** Remembers `keep` events at least. */
  add(from: From, events: readonly Out[], keep: number): void {
    this.#pieces.push({ from, events, to: events.length });
    this.#size += events.length;
    for (let oldest = this.#pieces.at(0); oldest && this.#size - oldest.to >= keep; oldest = this.#pieces.at(0)) {
      this.#pieces.shift();
      this.#size -= oldest.to;
    }
  }

  /**
   * Parts events by where they came from, in order; undefined if they are not the last that were emitted. What has come
   * back is forgotten: those that come back next stood in front of it.
   */
  takeBack(events: readonly Out[]): (readonly [From, readonly Out[]])[] | undefined {
    const parts: (readonly [From, readonly Out[]])[] = [];
    let left = events.length;
    let index = this.#pieces.size - 1;
    for (; left > 0; index -= 1) {
      const piece = index < 0 ? undefined : this.#pieces.at(index);
      if (piece === undefined) return undefined;
      const count = Math.min(left, piece.to);
      for (let i = 1; i <= count; i += 1)
        if (!Object.is(piece.events[piece.to - i], events[left - i])) return undefined;
      parts.unshift([piece.from, events.slice(left - count, left)]);
      left -= count;
    }
    this.#forget(events.length);
    return parts;
  }

  #forget(count: number): void {
    this.#size -= count;
    for (let left = count; left > 0; ) {
      const last = this.#pieces.at(this.#pieces.size - 1) as Piece<From, Out>;
      const taken = Math.min(left, last.to);
      last.to -= taken;
      left -= taken;
      if (last.to === 0) this.#pieces.pop();
    }
  }
}
