import { Buffer } from "../base/buffer.ts";
import { addDemand } from "../base/demand.ts";
import { OverflowError, words } from "../base/errors.ts";
import type { Lag } from "../contract/options.ts";
import type { End } from "../contract/reason.ts";
import type { ConsumerPort } from "../contract/stage.ts";
import type { Core } from "./core.ts";
import { Outlet } from "./outlet.ts";

/**
 * A link whose consumer may lag behind the others: it gets what it asked for, and a bounded rest waits for it here.
 * The stage neither counts that nor waits for it.
 */
export class LagOutlet extends Outlet {
  readonly #lag: Lag;
  readonly #behind = new Buffer<unknown>();
  /** Tells the consumer of the stage's good end, once it has caught up. */
  #last: (() => void) | undefined;
  /** Events that it has lost. */
  dropped = 0;

  constructor(core: Core, port: ConsumerPort<never>, options: object, lag: Lag) {
    super(core, port, options);
    this.#lag = lag;
  }

  /** Events that wait for it. */
  override get lagging(): number {
    return this.#behind.size;
  }

  override ask(count: number): void {
    if (this.#last === undefined) super.ask(count);
    else {
      this.unmet = addDemand(this.unmet, count);
      this.catchUp(0);
    }
  }

  override end(end: End): void {
    this.#behind.clear();
    this.ended ||= this.#last !== undefined;
    this.#last = undefined;
    super.end(end);
  }

  override catchUp(count: number): number {
    const before = this.#behind.size;
    while (this.#behind.size > 0 && this.unmet > 0) super.deliver(this.#behind.take(this.unmet));
    const last = this.#last;
    if (last !== undefined && this.#behind.size === 0) {
      this.#last = undefined;
      this.ended = true;
      last();
    }
    return count - Math.min(count, before - this.#behind.size);
  }

  override deliver(events: readonly unknown[]): void {
    const now = this.#behind.size === 0 ? Math.min(this.unmet, events.length) : 0;
    if (now > 0) super.deliver(now === events.length ? events : events.slice(0, now));
    if (now === events.length) return;
    this.#behind.push(events, now);
    const excess = this.#behind.size - this.#lag.max;
    if (excess <= 0) return;
    const { policy } = this.#lag;
    if (policy === "drop-oldest") this.#drop(this.#behind.take(excess));
    else if (policy === "drop-newest") this.#drop(this.#behind.takeNewest(excess));
    else {
      const got = words(`${this.#behind.size}`);
      const text = `${this.name} to lag at most ${this.#lag.max} events behind ${this.core.name}`;
      const error = new OverflowError("ERR_LAG", text, got, this.#behind.clear());
      this.#drop(error.rejected);
      this.fail(error);
    }
  }

  /** The stage has ended: well, and `last` tells so behind what waits; or not, and that is lost. */
  override close(last: (() => void) | undefined): boolean {
    if (this.#behind.size === 0) return false;
    if (last === undefined) {
      this.#drop(this.#behind.clear());
      return false;
    }
    this.#last = last;
    return true;
  }

  #drop(events: readonly unknown[]): void {
    if (events.length === 0) return;
    this.dropped += events.length;
    this.core.outcome.lag(events, this.name);
  }
}
