import { Buffer } from "./buffer.ts";
import { Deque } from "./deque.ts";
import type { Dispatcher, DispatcherLink } from "./dispatcher.ts";
import { CallbackError, OverflowError, ProtocolError } from "./errors.ts";
import type { DemandMode, Overflow } from "./types.ts";

/** What a dispatcher is to its stage, whatever its events and options are. */
export type AnyDispatcher = Dispatcher<unknown, object> & {
  readonly subscribe: (link: DispatcherLink, options: object) => void;
};
type Mark = () => void;
/** An entry of the accumulated log: a demand, a batch, or something that waits for the batches before it. */
type Logged = number | readonly unknown[] | Mark;

export interface OutputOptions {
  readonly dispatcher: AnyDispatcher;
  readonly bufferSize: number;
  readonly overflow: Overflow;
  readonly demandMode: DemandMode;
  readonly strict: boolean;
  readonly discard: (events: readonly unknown[], cause: "overflow") => void;
}

/** One `handleDemand` is asked for at most this many events. */
export const MOST_DEMAND = 10_000;

/**
 * What a stage emits and has not delivered yet, and what it owes: the producer's half of the demand rule.
 * Knows no consumer, no callback and no promise.
 */
export class Output {
  readonly dispatcher: AnyDispatcher;
  readonly limit: number;
  readonly #overflow: Overflow;
  readonly #strict: boolean;
  readonly #discard: OutputOptions["discard"];
  readonly #buffer = new Buffer<unknown>();
  readonly #log = new Deque<Logged>(4);
  #logged = 0;
  /** Infos that wait for a dispatcher which keeps events and cannot tell when they have gone. */
  #afterQueued: Mark[] = [];
  mode: DemandMode;
  /** Nothing waits here, so that events may go straight to the dispatcher. Noted after each change: it is asked every turn. */
  clear = true;
  /** Asked of `handleDemand` and not yet emitted. */
  owed = 0;

  constructor(options: OutputOptions) {
    this.dispatcher = options.dispatcher;
    this.limit = options.bufferSize;
    this.#overflow = options.overflow;
    this.mode = options.demandMode;
    this.#strict = options.strict;
    this.#discard = options.discard;
  }

  /** Events held here or in the dispatcher. */
  get held(): number {
    return this.#buffer.size + this.#logged + this.dispatcher.queued;
  }

  /** Events held here: what the limit is about. */
  get buffered(): number {
    return this.#buffer.size + this.#logged;
  }

  /** What the behaviour should be asked for now; 0 while the buffer is over its limit, or a full demand is unanswered. */
  get lacking(): number {
    if (this.owed >= MOST_DEMAND || this.#buffer.size + this.#logged > this.limit) return 0;
    return Math.min(MOST_DEMAND, this.dispatcher.wanted - this.owed);
  }

  /** Whether a producerConsumer may take more input. */
  get open(): boolean {
    return this.dispatcher.wanted > 0 && this.held <= this.limit;
  }

  get replaying(): boolean {
    return this.mode === "forward" && this.#log.size > 0;
  }

  /** What a callback returned: always accepted. */
  emit(events: readonly unknown[]): void {
    const { length } = events;
    if (length === 0) return;
    if (this.#strict) Object.freeze(events);
    this.owed = Math.max(0, this.owed - length);
    // Nearly always nothing waits and the dispatcher takes all.
    if (this.clear && this.mode === "forward") {
      const sent = this.#dispatchOnce(events);
      if (sent === length) return;
      this.#buffer.push(events, this.#dispatchOn(events, sent));
    } else if (this.#log.size > 0 || this.mode === "accumulate") this.#record(events);
    else this.#place(events);
    this.#note();
  }

  /** What was pushed: bounded. Answers whether all of it went out. */
  push(events: readonly unknown[]): boolean {
    if (events.length === 0) return this.buffered === 0;
    if (this.#strict) Object.freeze(events);
    const logging = this.mode === "accumulate" || this.#log.size > 0;
    const sent = logging || this.#buffer.size > 0 ? 0 : this.#dispatchOn(events, this.#dispatchOnce(events));
    const rest = events.length - sent;
    this.owed = Math.max(0, this.owed - events.length);
    if (rest === 0) return true;
    const room = Math.max(0, this.limit - this.buffered);
    const kept = this.#overflow === "drop-oldest" ? rest : Math.min(rest, room);
    if (kept > 0) {
      if (logging) this.#record(kept === events.length ? events : events.slice(0, kept));
      else this.#buffer.push(events, sent, sent + kept);
      this.#note();
    }
    if (rest <= room) return false;
    if (this.#overflow === "throw") throw new OverflowError(events.length, events.slice(sent + kept));
    this.#discard(
      this.#overflow === "drop-oldest" ? this.#dropOldest(rest - room) : events.slice(sent + kept),
      "overflow",
    );
    return false;
  }

  /** Serves what is wanted from the buffer. */
  flush(): void {
    const { dispatcher } = this;
    const buffer = this.#buffer;
    while (buffer.size > 0 && this.mode === "forward" && dispatcher.wanted > 0) {
      const batch = buffer.take(dispatcher.wanted);
      const sent = this.#dispatchOnce(batch);
      if (sent < batch.length) buffer.unshift(batch.slice(sent));
      else buffer.releaseMarks();
      if (sent === 0) break;
    }
    if (this.#afterQueued.length > 0 && dispatcher.queued === 0) {
      const ready = this.#afterQueued;
      this.#afterQueued = [];
      for (const mark of ready) mark();
    }
    this.#note();
  }

  /** Notes a demand made while accumulating. */
  recordDemand(demand: number): void {
    this.owed += demand;
    this.#log.push(demand);
    this.#note();
  }

  /** Goes on with the accumulated log until it meets a demand that is still wanted, and answers it, or 0 at the end. */
  replay(): number {
    while (this.#log.size > 0) {
      const entry = this.#log.shift() as Logged;
      if (typeof entry === "function") this.#markBuffer(entry);
      else if (typeof entry === "number") {
        this.owed = Math.max(0, this.owed - entry);
        const demand = Math.min(entry, this.dispatcher.wanted - this.owed);
        if (demand <= 0) continue;
        this.#note();
        return demand;
      } else {
        this.#logged -= entry.length;
        this.#place(entry);
      }
    }
    this.#note();
    return 0;
  }

  /** Calls `mark` once the events held now have gone out. */
  mark(mark: Mark): void {
    if (this.#log.size > 0) this.#log.push(mark);
    else this.#markBuffer(mark);
    this.#note();
  }

  /** Takes out everything held, oldest first as far as the dispatcher keeps order. Marks are released. */
  takeAll(): readonly unknown[] {
    const all: unknown[] = (this.dispatcher.clear?.() ?? []).concat(this.#buffer.clear());
    for (let entry = this.#log.shift(); entry !== undefined; entry = this.#log.shift()) {
      if (typeof entry === "function") entry();
      else if (typeof entry !== "number") for (const event of entry) all.push(event);
    }
    this.#logged = 0;
    for (const mark of this.#afterQueued.splice(0)) mark();
    this.#note();
    return all;
  }

  #note(): void {
    this.clear = this.#buffer.size === 0 && this.#log.size === 0 && this.#afterQueued.length === 0;
  }

  #record(events: readonly unknown[]): void {
    this.#log.push(events);
    this.#logged += events.length;
  }

  #place(events: readonly unknown[]): void {
    if (this.#buffer.size > 0) this.#buffer.push(events);
    else this.#buffer.push(events, this.#dispatchOn(events, this.#dispatchOnce(events)));
  }

  /** Goes on dispatching a batch of which `sent` events have gone, while more is wanted; how many went. */
  #dispatchOn(events: readonly unknown[], sent: number): number {
    let all = sent;
    for (let taken = sent; taken > 0 && all < events.length && this.dispatcher.wanted > 0; all += taken)
      taken = this.#dispatchOnce(events.slice(all));
    return all;
  }

  #dispatchOnce(batch: readonly unknown[]): number {
    let sent: number;
    try {
      sent = this.dispatcher.dispatch(batch);
    } catch (cause) {
      throw dispatcherError("dispatch of the dispatcher", cause, batch);
    }
    if (sent !== batch.length) checkSent(sent, batch.length);
    return sent;
  }

  #markBuffer(mark: Mark): void {
    this.#buffer.mark(() => {
      const { dispatcher } = this;
      if (dispatcher.queued === 0) mark();
      else if (dispatcher.whenSent) dispatcher.whenSent(mark);
      else this.#afterQueued.push(mark);
    });
  }

  #dropOldest(count: number): readonly unknown[] {
    const dropped: unknown[] = [];
    while (dropped.length < count && this.#buffer.size > 0) {
      for (const event of this.#buffer.take(count - dropped.length)) dropped.push(event);
      this.#buffer.releaseMarks();
    }
    for (let at = 0; dropped.length < count && at < this.#log.size; at += 1) {
      const entry = this.#log.at(at);
      if (typeof entry !== "object") continue;
      const n = Math.min(count - dropped.length, entry.length);
      for (let i = 0; i < n; i += 1) dropped.push(entry[i]);
      this.#log.set(at, entry.slice(n));
      this.#logged -= n;
    }
    return dropped;
  }
}

/** What a dispatcher threw, as an error of ours. */
export function dispatcherError(expected: string, cause: unknown, batch: readonly unknown[]): unknown {
  if (cause instanceof CallbackError || cause instanceof ProtocolError) return cause;
  return new CallbackError({ code: "ERR_CALLBACK", expected, got: cause }, batch, { cause });
}

function checkSent(sent: number, length: number): void {
  if (!(Number.isInteger(sent) && sent >= 0 && sent <= length))
    throw new ProtocolError("ERR_DISPATCHER", `answer dispatch with a count from 0 to ${length}`, sent);
}
