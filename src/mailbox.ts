/** What a message is about. The numbers are private to a stage. */
export const Op = {
  none: 0,
  events: 1,
  ask: 2,
  sourceEnd: 3,
  consumerEnd: 4,
  subscribed: 5,
  linked: 6,
  cancel: 7,
  call: 8,
  complete: 9,
  stop: 10,
  info: 11,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/**
 * A queue of messages without an object per message: op, target and payload stand side by side in one ring.
 * `shift` leaves the message it took in `op`, `target` and `payload`.
 */
export class Mailbox {
  #ops: Op[] = new Array<Op>(8).fill(Op.none);
  #targets: unknown[] = new Array<unknown>(8);
  #payloads: unknown[] = new Array<unknown>(8);
  #mask = 7;
  #head = 0;
  size = 0;
  op: Op = Op.none;
  target: unknown;
  payload: unknown;

  push(op: Op, target: unknown, payload: unknown): void {
    if (this.size > this.#mask) this.#grow();
    const at = (this.#head + this.size) & this.#mask;
    this.#ops[at] = op;
    this.#targets[at] = target;
    this.#payloads[at] = payload;
    this.size += 1;
  }

  /** Puts a message before all others. */
  unshift(op: Op, target: unknown, payload: unknown): void {
    if (this.size > this.#mask) this.#grow();
    this.#head = (this.#head - 1) & this.#mask;
    this.#ops[this.#head] = op;
    this.#targets[this.#head] = target;
    this.#payloads[this.#head] = payload;
    this.size += 1;
  }

  /** The op of the message `shift` would take. */
  get next(): Op {
    return this.size === 0 ? Op.none : (this.#ops[this.#head] as Op);
  }

  shift(): boolean {
    if (this.size === 0) return false;
    const at = this.#head;
    this.op = this.#ops[at] as Op;
    this.target = this.#targets[at];
    this.payload = this.#payloads[at];
    this.#targets[at] = undefined;
    this.#payloads[at] = undefined;
    this.#head = (at + 1) & this.#mask;
    this.size -= 1;
    return true;
  }

  /** Takes every message `accept` wants out of the queue, in order; the others keep theirs. */
  extract(accept: (op: Op, target: unknown) => boolean, take: (payload: unknown, target: unknown) => void): void {
    for (let left = this.size; left > 0; left -= 1) {
      this.shift();
      const { op, target, payload } = this;
      if (accept(op, target)) take(payload, target);
      else this.push(op, target, payload);
    }
    this.target = undefined;
    this.payload = undefined;
  }

  #grow(): void {
    const { size } = this;
    const mask = this.#mask;
    const order = Array.from({ length: size }, (_, i) => (this.#head + i) & mask);
    const rest = new Array<undefined>(size).fill(undefined);
    this.#ops = [...order.map((at) => this.#ops[at] as Op), ...new Array<Op>(size).fill(Op.none)];
    this.#targets = [...order.map((at) => this.#targets[at]), ...rest];
    this.#payloads = [...order.map((at) => this.#payloads[at]), ...rest];
    this.#mask = size * 2 - 1;
    this.#head = 0;
  }
}
