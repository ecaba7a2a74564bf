/** What a message is about. Constants of their own, which engines and bundlers fold; the numbers are private to a stage. */
export const EVENTS = 1;
export const ASK = 2;
export const SOURCE_END = 3;
export const CONSUMER_END = 4;
export const SUBSCRIBED = 5;
export const LINKED = 6;
export const CANCEL = 7;
export const CALL = 8;
export const COMPLETE = 9;
export const STOP = 10;
export const INFO = 11;
export type Op = number;

/**
 * A queue of messages without an object per message: op, target and payload stand side by side in one ring.
 *
 *     [op, target, payload, –] [op, target, payload, –] …
 *
 * The head, if there is one, is read in place (`op`, `target`, `payload`) and then dropped.
 */
export class Mailbox {
  #slots: unknown[] = new Array<unknown>(8 * 4);
  /** Messages the ring has room for, less one. */
  #mask = 7;
  #head = 0;
  size = 0;

  push(op: Op, target: unknown, payload: unknown): void {
    if (this.size > this.#mask) this.#grow();
    this.#put((this.#head + this.size) & this.#mask, op, target, payload);
  }

  /** Puts a message before all others. */
  unshift(op: Op, target: unknown, payload: unknown): void {
    if (this.size > this.#mask) this.#grow();
    this.#head = (this.#head - 1) & this.#mask;
    this.#put(this.#head, op, target, payload);
  }

  get op(): Op {
    return this.#slots[this.#head << 2] as Op;
  }

  get target(): unknown {
    return this.#slots[(this.#head << 2) + 1];
  }

  get payload(): unknown {
    return this.#slots[(this.#head << 2) + 2];
  }

  /** Drops the head. */
  drop(): void {
    const at = this.#head << 2;
    this.#slots[at + 1] = undefined;
    this.#slots[at + 2] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.size -= 1;
  }

  /** Takes the messages of one kind about one target out of the queue: their payloads, in order. The others keep their order. */
  extract<Payload>(kind: Op, about: unknown): Payload[] {
    const payloads: Payload[] = [];
    for (let left = this.size; left > 0; left -= 1) {
      const { op, target, payload } = this;
      this.drop();
      if (op === kind && target === about) payloads.push(payload as Payload);
      else this.push(op, target, payload);
    }
    return payloads;
  }

  #put(index: number, op: Op, target: unknown, payload: unknown): void {
    const slots = this.#slots;
    const at = index << 2;
    slots[at] = op;
    slots[at + 1] = target;
    slots[at + 2] = payload;
    this.size += 1;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Array<unknown>(old.length * 2);
    for (let i = 0; i < old.length; i += 1) slots[i] = old[((this.#head << 2) + i) & (old.length - 1)];
    this.#slots = slots;
    this.#mask = this.#mask * 2 + 1;
    this.#head = 0;
  }
}
