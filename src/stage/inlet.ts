import { ProtocolError, words } from "../base/errors.ts";
import { addDemand } from "../base/demand.ts";
import type { ConsumerPort, ProducerPort, Named, Stage, Subscription } from "../contract/stage.ts";
import type { End } from "../contract/reason.ts";
import { ignore } from "../base/reason.ts";
import type { ResolvedSubscribeOptions } from "../contract/options.ts";
import type { SubscriptionState } from "../contract/states.ts";

/** Stands in where no one listens, or not yet. */
export const deadPort: ProducerPort = { ask: ignore, end: ignore };

/** A consumer's end of a link, whatever consumes: counts events asked for and arrived. */
export abstract class Inlet implements ConsumerPort<unknown>, Subscription {
  abstract readonly name: string;
  abstract readonly consumer: Named;
  abstract readonly producer: Stage;
  abstract readonly options: ResolvedSubscribeOptions;
  abstract readonly carries: boolean;
  /** The producer's end; set once it has taken this one. */
  port: ProducerPort = deadPort;
  active = false;
  ended = false;
  /** Asked for and not handed over. */
  pending = 0;
  /** Asked for and not arrived. */
  #expected = 0;

  get state(): SubscriptionState {
    if (this.ended) return "ended";
    return this.active ? "active" : "pending";
  }

  get subscription(): Subscription {
    return this;
  }

  abstract ask(count: number): void;
  abstract cancel(reason?: unknown): void;
  abstract resubscribe(): Subscription;
  abstract end(end: End): void;

  /** A batch within the demand has come. */
  abstract accept(batch: readonly unknown[]): void;
  /** The producer broke the protocol: the link ends with this error, the excess goes back. */
  abstract refuse(error: unknown, excess: readonly unknown[]): void;

  request(count: number): void {
    this.#expected = addDemand(this.#expected, count);
    this.pending = addDemand(this.pending, count);
    try {
      this.port.ask(count);
    } catch (error) {
      // A producer that throws has broken the protocol: its subscription ends.
      this.refuse(error, []);
    }
  }

  events(batch: readonly unknown[]): void {
    const { length } = batch;
    if (length === 0 || this.ended) return; // M19
    if (!Array.isArray(batch)) {
      this.refuse(new ProtocolError("ERR_MESSAGE", "", batch), []);
      return;
    }
    this.#expected -= length;
    // M18
    if (this.#expected >= 0) {
      this.accept(batch);
      return;
    }
    const due = length + this.#expected;
    this.#expected = 0;
    if (due > 0) this.accept(batch.slice(0, due));
    this.refuse(new ProtocolError("ERR_OVERDELIVERY", String(due), words(String(length))), batch.slice(due));
  }
}
