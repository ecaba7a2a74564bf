import { Buffer } from "../base/buffer.ts";
import { Deque } from "../base/deque.ts";
import type { Dispatcher, DispatcherLink } from "../contract/dispatcher.ts";
import { dispatchError, ProtocolError } from "../base/errors.ts";
import type { DemandMode, Overflow } from "../contract/options.ts";
import { ignore, none } from "../base/reason.ts";

/** A dispatcher as its stage sees it, whatever its events and options. */
export type AnyDispatcher = Dispatcher<unknown, object> & {
  readonly subscribe: (link: DispatcherLink, options: object) => void;
};
type Mark = () => void;

export interface OutputOptions {
  readonly dispatcher: AnyDispatcher;
  readonly bufferSize: number;
  readonly overflow: Overflow;
  readonly demandMode: DemandMode;
  readonly strict: boolean;
}

/** The maximum demand of one `handleDemand`. */
export const MOST_DEMAND = 10_000;

/** A stage's undelivered events, and its debts. Knows no consumer, callback or promise. */
export class Output {
  readonly dispatcher: AnyDispatcher;
  readonly limit: number;
  readonly overflow: Overflow;
  readonly #strict: boolean;
  readonly #buffer = new Buffer<unknown>();
  /** Demands made while accumulating, once the events logged before them have gone. */
  readonly #demands = new Deque<number>(4);
  /** Infos that wait for a dispatcher which keeps events and cannot tell when they have gone. */
  #afterQueued: readonly Mark[] = none;
  /** Set by `turnTo`. */
  mode: DemandMode = "forward";
  /**
   * Nothing waits here, so events may go straight to the dispatcher. Noted after each change, since it is read every
   * turn.
   */
  clear = true;
  /** The dispatcher is at work: asks have to wait. */
  dispatching = false;
  /** Asked of `handleDemand` and not yet emitted. */
  owed = 0;
  /** Events emitted so far. */
  emitted = 0;

  constructor(options: OutputOptions) {
    this.dispatcher = options.dispatcher;
    this.limit = options.bufferSize;
    this.overflow = options.overflow;
    this.#strict = options.strict;
    this.turnTo(options.demandMode);
  }

  turnTo(mode: DemandMode): void {
    this.mode = mode;
    this.#note();
  }

  /** Events held here or in the dispatcher. */
  get held(): number {
    return this.#buffer.size + this.dispatcher.queued;
  }

  /** Events held here, which the limit counts. */
  get buffered(): number {
    return this.#buffer.size;
  }

  /** The demand for the behaviour; 0 while the buffer is over its limit, or a full demand is unmet. */
  get lacking(): number {
    if (this.owed >= MOST_DEMAND || this.#buffer.size > this.limit) return 0; // M06
    const lacking = this.dispatcher.wanted - this.owed;
    return lacking < MOST_DEMAND ? lacking : MOST_DEMAND;
  }

  /** Whether a producerConsumer may take more input. */
  get open(): boolean {
    return this.dispatcher.wanted > 0 && this.held <= this.limit; // M07
  }

  /** Emits a callback's result: always accepted. */
  emit(events: readonly unknown[]): void {
    const { length } = events;
    if (length === 0) return;
    if (this.#strict) Object.freeze(events);
    this.emitted += length;
    this.pay(length); // M03
    const sent = this.#place(events);
    if (sent < length) this.keep(events, sent, length);
  }

  /** Dispatches unasked events; returns how many went out. The rest is for `keep`. */
  offer(events: readonly unknown[]): number {
    if (this.#strict) Object.freeze(events);
    this.emitted += events.length;
    const sent = this.#place(events);
    this.pay(events.length);
    return sent;
  }

  /** Reduces the debt. Compared by hand: engines take the result of `Math.max` for a float. */
  pay(count: number): void {
    this.owed = this.owed > count ? this.owed - count : 0;
  }

  /** Puts events behind all held ones. */
  keep(events: readonly unknown[], from: number, to: number): void {
    this.#buffer.push(events, from, to);
    // Logged batches stay as they are.
    if (this.mode === "accumulate") this.#buffer.mark(ignore);
    this.#note();
  }

  /** Takes events out of the buffer, the oldest first, but not across an info. */
  shed(count: number): readonly unknown[] {
    const oldest = this.#buffer.take(count);
    this.#buffer.releaseMarks();
    return oldest;
  }

  /** Serves demand from the buffer, up to a logged demand that is still wanted; returns that, or 0. */
  flush(): number {
    const { dispatcher } = this;
    const buffer = this.#buffer;
    while (this.mode === "forward") {
      const logged = this.#demands.shift();
      if (logged) {
        this.pay(logged);
        const demand = Math.min(logged, dispatcher.wanted - this.owed);
        if (demand > 0) return demand;
        continue;
      }
      if (buffer.size === 0 || dispatcher.wanted <= 0) break;
      const batch = buffer.take(dispatcher.wanted);
      const sent = this.#dispatchOnce(batch);
      if (sent < batch.length)
        buffer.unshift(batch.slice(sent)); // M04
      else buffer.releaseMarks();
      if (sent === 0) break;
    }
    if (dispatcher.queued === 0) this.#releaseMarks();
    this.#note();
    return 0;
  }

  /** Logs a demand made while accumulating, in its place behind the held events. */
  recordDemand(demand: number): void {
    this.owed += demand;
    this.#buffer.mark(() => this.#demands.push(demand));
    this.#note();
  }

  /** Calls `mark` once the events held now have gone out. */
  mark(mark: Mark): void {
    this.#buffer.mark(() => {
      const { dispatcher } = this;
      if (dispatcher.queued === 0) mark();
      else if (dispatcher.whenSent) dispatcher.whenSent(mark);
      else this.#afterQueued = [...this.#afterQueued, mark];
    });
    this.#note();
  }

  /** Takes out all held events, oldest first. Releases the marks. */
  takeAll(): readonly unknown[] {
    const all = (this.dispatcher.clear?.() ?? []).concat(this.#buffer.clear());
    this.#releaseMarks();
    this.#note();
    return all;
  }

  #releaseMarks(): void {
    const marks = this.#afterQueued;
    this.#afterQueued = none;
    for (const mark of marks) mark();
  }

  #note(): void {
    this.clear =
      this.mode === "forward" && this.#buffer.size === 0 && this.#demands.size === 0 && this.#afterQueued.length === 0;
  }

  /** Dispatches events that follow no held ones; returns how many went. */
  #place(events: readonly unknown[]): number {
    // Nearly always nothing waits and the dispatcher takes all.
    if (this.dispatching || (!this.clear && (this.#buffer.size > 0 || this.mode === "accumulate"))) return 0; // M05
    let all = this.#dispatchOnce(events);
    for (let taken = all; taken > 0 && all < events.length && this.dispatcher.wanted > 0; all += taken)
      taken = this.#dispatchOnce(events.slice(all));
    return all;
  }

  #dispatchOnce(batch: readonly unknown[]): number {
    let sent: number;
    this.dispatching = true;
    try {
      sent = this.dispatcher.dispatch(batch);
    } catch (cause) {
      throw dispatchError(cause, batch);
    } finally {
      this.dispatching = false;
    }
    if (sent !== batch.length) checkSent(sent, batch.length);
    return sent;
  }
}

function checkSent(sent: number, length: number): void {
  if (!(Number.isInteger(sent) && sent >= 0 && sent <= length))
    throw new ProtocolError("ERR_DISPATCHER", `return a count from 0 to ${length} from dispatch`, sent);
}
