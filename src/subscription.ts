import { Window } from "./demand.ts";
import { argumentError, ProtocolError, words } from "./errors.ts";
import { Op } from "./mailbox.ts";
import { addDemand, type ConsumerPort, type End, isDemand, type ProducerPort } from "./protocol.ts";
import type { Core } from "./stage.ts";
import type {
  Named,
  ResolvedSubscribeOptions,
  Stage,
  SubscribeOptions,
  Subscription,
  SubscriptionState,
} from "./types.ts";

/** What a `cancel` message carries: why, and what the link brought beyond what was asked for. */
export interface Cancellation extends End {
  readonly quiet?: boolean;
}

/** A consumer's end of a link, in a stage. */
export class Link implements Subscription, ConsumerPort<unknown> {
  readonly core: Core;
  readonly producer: Stage;
  readonly options: ResolvedSubscribeOptions;
  /** Absent on a manual subscription. */
  readonly window: Window | undefined;
  /** Set right after construction, by who attaches this port to the producer. */
  port: ProducerPort = unattached;
  state: SubscriptionState = "pending";
  /** Asked for and not arrived. */
  #expected = 0;
  /** Asked for and not handed to `handleEvents`. */
  pending = 0;
  #cancelled = false;
  /** The clock's time when events last arrived. */
  arrivedAt: number;

  constructor(core: Core, producer: Stage, options: ResolvedSubscribeOptions) {
    this.core = core;
    this.producer = producer;
    this.options = options;
    this.window = options.demand === "automatic" ? new Window(options.maxDemand, options.minDemand) : undefined;
    this.arrivedAt = core.runtime.time;
  }

  get subscription(): Subscription {
    return this;
  }

  get consumer(): Named {
    return this.core.handle;
  }

  get name(): string {
    return this.core.name;
  }

  get carries(): boolean {
    return this.options.cancel !== "temporary";
  }

  events(batch: readonly unknown[]): void {
    const { length } = batch;
    if (length === 0 || this.state === "ended") return;
    this.#expected -= length;
    if (this.#expected >= 0) this.core.post(Op.events, this, batch);
    else this.#refuse(batch, length + this.#expected);
  }

  end(end: End): void {
    if (this.state !== "ended") this.core.post(Op.sourceEnd, this, end);
  }

  ask(count: number): void {
    if (this.state === "ended") return;
    if (this.window) throw argumentError("ERR_ASK_AUTOMATIC", "", words("an automatic one"));
    if (count === 0) return;
    if (!isDemand(count)) throw argumentError("ERR_ASK", "", count);
    this.request(count);
  }

  cancel(reason?: unknown): void {
    this.leave({ reason: { type: "cancel", reason } });
  }

  resubscribe(options: SubscribeOptions = {}): Subscription {
    const next = this.core.link(
      this.producer,
      { ...this.options, ...options },
      this.state === "ended" ? undefined : this.port,
    );
    this.leave({ reason: { type: "cancel", reason: "resubscribe" }, quiet: true });
    return next;
  }

  /** Asks the producer, whoever wants it. */
  request(count: number): void {
    this.#expected = addDemand(this.#expected, count);
    this.pending = addDemand(this.pending, count);
    this.port.ask(count);
  }

  /** Ends the subscription behind what has arrived. */
  leave(cancellation: Cancellation): void {
    if (this.#cancelled || this.state === "ended") return;
    this.#cancelled = true;
    this.core.post(Op.cancel, this, cancellation);
  }

  /** More than was asked for: what was asked for is handled, the rest goes back with the end of the link. */
  #refuse(batch: readonly unknown[], due: number): void {
    this.#expected = 0;
    if (due > 0) this.core.post(Op.events, this, batch.slice(0, due));
    const error = new ProtocolError("ERR_OVERDELIVERY", String(due), words(String(batch.length)));
    this.leave({ reason: { type: "failure", error }, unstarted: batch.slice(due) });
  }
}

const unattached: ProducerPort = { ask: () => {}, end: () => {} };
