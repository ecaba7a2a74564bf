/** An item of a heap: it knows its place. */
export interface Placed {
  /** Its index in the heap, -1 outside. Kept by the heap. */
  at: number;
}

/** A binary heap whose items change their order, in logarithmic time. */
export class Heap<T extends Placed> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item in the order. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** Inserts an item, or moves it forward to its place. */
  raise(item: T): void {
    if (item.at < 0) {
      item.at = this.#items.length;
      this.#items.push(item);
    }
    this.#rise(item);
  }

  /** Moves an item back to its place. */
  lower(item: T): void {
    this.#sink(item);
  }

  remove(item: T): void {
    const { at } = item;
    if (at < 0) return;
    item.at = -1;
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#set(at, last);
    this.#sink(this.#rise(last));
  }

  /** All, in order. */
  sorted(): T[] {
    return this.#items.toSorted((a, b) => (this.#before(a, b) ? -1 : 1));
  }

  #set(at: number, item: T): void {
    this.#items[at] = item;
    item.at = at;
  }

  #rise(item: T): T {
    for (let { at } = item; at > 0; { at } = item) {
      const parent = this.#items[(at - 1) >> 1] as T;
      if (!this.#before(item, parent)) break;
      this.#set(at, parent);
      this.#set((at - 1) >> 1, item);
    }
    return item;
  }

  #sink(item: T): void {
    for (;;) {
      const { at } = item;
      const left = this.#items[2 * at + 1];
      if (left === undefined) return;
      const right = this.#items[2 * at + 2];
      const child = right !== undefined && this.#before(right, left) ? right : left;
      if (!this.#before(child, item)) return;
      const to = child.at;
      this.#set(at, child);
      this.#set(to, item);
    }
  }
}
