/** A double-ended queue in a ring whose size is a power of two. */
export class Deque<T> {
  #items: (T | undefined)[];
  #mask: number;
  #head = 0;
  size = 0;

  constructor(capacity = 16) {
    this.#items = new Array<T | undefined>(capacity);
    this.#mask = capacity - 1;
  }

  push(item: T): void {
    if (this.size > this.#mask) this.#grow();
    this.#items[(this.#head + this.size) & this.#mask] = item;
    this.size += 1;
  }

  unshift(item: T): void {
    if (this.size > this.#mask) this.#grow();
    this.#head = (this.#head - 1) & this.#mask;
    this.#items[this.#head] = item;
    this.size += 1;
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.size -= 1;
    return item;
  }

  pop(): T | undefined {
    if (this.size === 0) return undefined;
    this.size -= 1;
    const at = (this.#head + this.size) & this.#mask;
    const item = this.#items[at];
    this.#items[at] = undefined;
    return item;
  }

  /** The item `index` places behind the head. */
  at(index: number): T | undefined {
    return index < this.size ? this.#items[(this.#head + index) & this.#mask] : undefined;
  }

  #grow(): void {
    const { size } = this;
    const items = new Array<T | undefined>((this.#mask + 1) * 2);
    for (let i = 0; i < size; i += 1) items[i] = this.#items[(this.#head + i) & this.#mask];
    this.#items = items;
    this.#mask = items.length - 1;
    this.#head = 0;
  }
}
