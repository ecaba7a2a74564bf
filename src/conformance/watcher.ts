import type { ConsumerPort, ProducerPort, Producer, Stage, Subscription } from "../contract/stage.ts";
import type { End, Reason } from "../contract/reason.ts";
import { errorOf, isFailure } from "../base/reason.ts";
import type { ResolvedSubscribeOptions } from "../contract/options.ts";
import { ensure, same } from "./expect.ts";

const options: ResolvedSubscribeOptions = { maxDemand: 1, minDemand: 0, cancel: "permanent", demand: "manual" };

/** A consumer that asks by hand and speaks the wire itself. A producer's offences become `flaws`. */
export class Watcher implements ConsumerPort<unknown>, Subscription {
  readonly name: string = "watcher";
  readonly consumer: Watcher = this;
  readonly subscription: Watcher = this;
  readonly carries: boolean = true;
  readonly options: ResolvedSubscribeOptions = options;
  readonly producer: Stage;
  readonly received: unknown[] = [];
  readonly ends: Reason[] = [];
  readonly flaws: string[];
  asked = 0;
  /** Called for each event. */
  each: ((event: unknown) => void) | undefined;
  #port: ProducerPort | undefined;
  #delivered = 0;
  #handling = false;
  #cancelled: Reason | undefined;
  #sealed = false;
  #batch: readonly unknown[] = [];
  #at = 0;

  constructor(producer: Producer<unknown>, flaws: string[]) {
    this.producer = producer;
    this.flaws = flaws;
    this.#port = producer["~attach"](this, options as never);
  }

  get state(): "active" | "ended" {
    return this.ends.length > 0 || this.#cancelled ? "ended" : "active";
  }

  get pending(): number {
    return this.asked - this.#delivered;
  }

  ask(count: number): this {
    this.asked += count;
    this.#port?.ask(count);
    return this;
  }

  /** Asks with an invalid demand. */
  askWrongly(count: number): void {
    this.#port?.ask(count);
  }

  /** Leaves, and gives `unstarted` back, or the rest of the batch in hand. */
  cancel(unstarted: unknown = this.#batch.slice(this.#at)): void {
    this.#cancelled = { type: "cancel" };
    this.#port?.end({ reason: this.#cancelled, unstarted: unstarted as readonly unknown[] });
  }

  resubscribe(): Subscription {
    throw new Error("a watcher subscribes once");
  }

  /** From now on, nothing may be in flight. */
  seal(): void {
    this.#sealed = this.#cancelled !== undefined;
  }

  readonly events = (batch: readonly unknown[]): void => {
    if (!Array.isArray(batch)) {
      this.flaws.push("rule 2.1: a batch was no array");
      return;
    }
    if (this.#port === undefined) this.flaws.push("RS-1.9b: events came before the subscription");
    if (this.ends.length > 0) this.flaws.push("rule 2.4: events came after the end");
    if (this.#handling) this.flaws.push("rule 6.5: events came inside the handling of events");
    if (this.#sealed) this.flaws.push("rule 2.4: events came long after a cancel");
    this.#delivered += batch.length;
    if (this.#delivered > this.asked)
      this.flaws.push(`rule 3.1: ${this.#delivered} events were delivered, ${this.asked} were asked for`);
    if (this.#cancelled) this.#port?.end({ reason: this.#cancelled, unstarted: batch });
    else this.#handle(batch);
  };

  #handle(batch: readonly unknown[]): void {
    this.#handling = true;
    this.#batch = batch;
    for (this.#at = 0; this.#at < batch.length && !this.#cancelled; ) {
      const event = batch[this.#at];
      this.#at += 1;
      this.received.push(event);
      this.each?.(event);
    }
    this.#batch = [];
    this.#handling = false;
  }

  readonly end = ({ reason }: End): void => {
    if (this.ends.length > 0 && !this.#cancelled) this.flaws.push("rule 2.4: the subscription ended twice");
    this.ends.push(reason);
    // A completed producer waits to hear that its events are started.
    if (reason.type === "complete" && this.ends.length === 1 && !this.#cancelled) this.#port?.end({ reason });
  };

  /** Expects exactly one end, a good one. */
  completed(): void {
    same(
      this.ends.map(({ type }) => type),
      ["complete"],
      "the ends of the subscription",
    );
  }

  /** Expects exactly one end, a failure; with this error, if the foreign system keeps errors as they are. */
  failed(error: unknown, byIdentity: boolean): void {
    same(this.ends.length, 1, "the number of ends");
    const reason = this.ends[0] as Reason;
    ensure(isFailure(reason), "the end to be a failure", reason);
    if (byIdentity) same(errorOf(reason), error, "the error of the end");
  }
}
