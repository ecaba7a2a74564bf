import type { DispatcherLink } from "../contract/dispatcher.ts";
import { ProtocolError, words } from "../base/errors.ts";
import { CONSUMER_END } from "./mailbox.ts";
import type { ConsumerPort, ProducerPort, Subscription } from "../contract/stage.ts";
import type { End } from "../contract/reason.ts";
import { failure } from "../base/reason.ts";
import { isDemand } from "../base/demand.ts";
import type { Core } from "./core.ts";

/**
 * A producer's end of a link: its consumer asks through it, and its dispatcher delivers through it.
 *
 *     consumer's stage ⇄ subscription ⇄ outlet ⇄ producer's stage
 */
export class Outlet implements ProducerPort, DispatcherLink {
  readonly core: Core;
  readonly port: ConsumerPort<never>;
  readonly options: object;
  readonly subscription: Subscription;
  readonly #strict: boolean;
  /** Events asked for and not delivered. */
  unmet = 0;
  /** The clock's time when this consumer last asked. */
  askedAt: number;
  /** Ended by the consumer, perhaps unnoticed by the producer yet; or by the producer. */
  ended = false;
  /** The producer has completed, and this consumer may still give events back. */
  halfOpen = false;
  /** `handleSubscribe` has been called for it. */
  announced = false;
  /** The dispatcher knows this link. */
  attached = false;
  /** Delivered after the consumer had ended: goes back with its unstarted events. */
  late: (readonly unknown[])[] | undefined;
  /** Given back behind this consumer's end, sorted oldest first: the oldest may come last. */
  early: (readonly unknown[])[] | undefined;

  constructor(core: Core, port: ConsumerPort<never>, options: object) {
    this.core = core;
    this.port = port;
    this.options = options;
    this.#strict = core.runtime.strict;
    this.subscription = port.subscription;
    this.askedAt = core.runtime.clock.now();
  }

  get consumer(): object {
    return this.port.consumer;
  }

  get name(): string {
    return this.port.name;
  }

  ask(count: number): void {
    if (this.ended) return;
    if (isDemand(count)) this.core.ask(this, count);
    else this.fail(new ProtocolError("ERR_ASK_SIGNAL", "", count));
  }

  end(end: End): void {
    if (this.halfOpen) {
      this.halfOpen = false;
      this.core.post(CONSUMER_END, this, end);
    } else if (this.ended) this.core.downstream.takeLate(this, end);
    else {
      this.ended = true;
      this.core.post(CONSUMER_END, this, end);
      this.core.downstream.leaves(this, end);
    }
  }

  /** The last message of this side. An error it causes in the consumer is no fault of this stage. */
  tell(end: End): void {
    try {
      this.port.end(end);
    } catch (error) {
      this.core.report.tell(error, "end");
    }
  }

  /** Events that wait for a consumer which may lag behind. */
  get lagging(): number {
    return 0;
  }

  /** Delivers what waits for it. Returns what is left of `count`, asked for just now. */
  catchUp(count: number): number {
    return count;
  }

  /** The stage has ended. Returns whether the link is told later, by `last`. */
  close(_last: (() => void) | undefined): boolean {
    return false;
  }

  deliver(events: readonly unknown[]): void {
    // M17
    if (events.length > this.unmet)
      throw new ProtocolError(
        "ERR_DISPATCHER",
        `deliver at most the ${this.unmet} events that ${this.name} asked for`,
        words(String(events.length)),
      );
    this.unmet -= events.length;
    if (this.#strict) Object.freeze(events);
    // M16
    if (this.ended) (this.late ??= []).push(events);
    else
      try {
        this.port.events(events as readonly never[]);
      } catch (error) {
        // The consumer broke the protocol: only its subscription ends.
        this.fail(error);
      }
  }

  /** Ends this link alone with a failure. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.ended = true;
    const end: End = { reason: failure(error) };
    this.core.post(CONSUMER_END, this, end);
    this.core.downstream.leaves(this, end);
    this.tell(end);
  }
}
