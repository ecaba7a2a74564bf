import { Window } from "./window.ts";
import { argumentError, words } from "../base/errors.ts";
import type { Given } from "./give-back.ts";
import { Inlet } from "./inlet.ts";
import { CANCEL, EVENTS, SOURCE_END } from "./mailbox.ts";
import type { End } from "../contract/reason.ts";
import { failure } from "../base/reason.ts";
import { isDemand } from "../base/demand.ts";
import type { Core } from "./core.ts";
import type { Named, Stage, Subscription } from "../contract/stage.ts";
import type { ResolvedSubscribeOptions, SubscribeOptions } from "../contract/options.ts";

/** The payload of a `cancel` message: the reason, and the excess over the demand. */
export interface Cancellation extends End {
  /** Skips the cancel mode. */
  readonly quiet?: boolean;
}

/** A consumer's end of a link, in a stage. */
export class StageInlet extends Inlet {
  readonly core: Core;
  readonly producer: Stage;
  readonly options: ResolvedSubscribeOptions;
  /** Absent on a manual subscription. */
  readonly window: Window | undefined;
  /** Whether its stage fails when its `handleSubscribe` refuses, as in a pipeline. */
  vital = false;
  /** Handed over and given back unstarted, the oldest first: goes with the end of the link. */
  returned: (readonly unknown[])[] | undefined = undefined;
  /** Events handed over so far. A float from the start, since it may outgrow small integers. */
  handed = -0;
  given: Given | undefined = undefined;
  #cancelled = false;
  /** The clock's time when events were last taken up. */
  arrivedAt: number;

  /** The producer's default maxDemand at the time. */
  readonly suggested: number | undefined;

  constructor(core: Core, producer: Stage, options: ResolvedSubscribeOptions, suggested: number | undefined) {
    super();
    this.core = core;
    this.producer = producer;
    this.options = options;
    this.suggested = suggested;
    this.window = options.demand === "automatic" ? new Window(options.maxDemand, options.minDemand) : undefined;
    this.arrivedAt = core.runtime.clock.now();
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

  /** The last message of this side. An error it causes in the producer is no fault of this stage. */
  tell(end: End): void {
    try {
      this.port.end(end);
    } catch (error) {
      this.core.report.tell(error, "end");
    }
  }

  accept(batch: readonly unknown[]): void {
    this.core.post(EVENTS, this, batch);
  }

  refuse(error: unknown, excess: readonly unknown[]): void {
    this.leave({ reason: failure(error), unstarted: excess });
  }

  end(end: End): void {
    if (!this.ended) this.core.post(SOURCE_END, this, end);
  }

  ask(count: number): void {
    if (this.ended) return;
    if (this.window) throw argumentError("ERR_ASK_AUTOMATIC", "", words("an automatic one"));
    if (count === 0) return;
    if (!isDemand(count)) throw argumentError("ERR_ASK", "", count);
    this.request(count);
  }

  cancel(reason?: unknown): void {
    this.leave({ reason: { type: "cancel", reason } });
  }

  resubscribe(options: SubscribeOptions = {}): Subscription {
    const replaces = this.ended ? undefined : this.port;
    // Another maxDemand implies another default of minDemand.
    const minDemand = options.maxDemand === undefined ? this.options.minDemand : undefined;
    const next = this.core.link(this.producer, { ...this.options, minDemand, ...options }, replaces);
    this.leave({ reason: { type: "cancel", reason: "resubscribe" }, quiet: true });
    return next;
  }

  /** Ends the subscription behind arrived events. */
  leave(cancellation: Cancellation): void {
    if (this.#cancelled || this.ended) return;
    this.#cancelled = true;
    this.core.post(CANCEL, this, cancellation);
  }
}
