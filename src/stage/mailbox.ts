import { Deque } from "../base/deque.ts";

/** Kinds of messages. Separate constants, which engines and bundlers fold. */
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
 * A queue of messages without an object per message. The head stands in fields, since there is seldom more; the
 * others stand in a queue, three places each.
 *
 *     op, target, payload ← op, target, payload, op, target, payload, …
 *
 * The head, if any, is read in place and then dropped.
 */
export class Mailbox {
  op: Op = 0;
  target: unknown = undefined;
  payload: unknown = undefined;
  size = 0;
  readonly #behind = new Deque<unknown>(32);

  push(op: Op, target: unknown, payload: unknown): void {
    if (this.size === 0) this.#lead(op, target, payload);
    else {
      this.#behind.push(op);
      this.#behind.push(target);
      this.#behind.push(payload);
    }
    this.size += 1;
  }

  /** Puts a message before all others. */
  unshift(op: Op, target: unknown, payload: unknown): void {
    if (this.size > 0) {
      this.#behind.unshift(this.payload);
      this.#behind.unshift(this.target);
      this.#behind.unshift(this.op);
    }
    this.#lead(op, target, payload);
    this.size += 1;
  }

  /** Drops the head. */
  drop(): void {
    this.size -= 1;
    if (this.size === 0) this.#lead(0, undefined, undefined);
    else this.#lead(this.#behind.shift() as Op, this.#behind.shift(), this.#behind.shift());
  }

  /** Takes out the messages of one kind about one target: their payloads, in order. */
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

  #lead(op: Op, target: unknown, payload: unknown): void {
    this.op = op;
    this.target = target;
    this.payload = payload;
  }
}
