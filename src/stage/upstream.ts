import { argumentError } from "../base/errors.ts";
import { complete, errorOf, failure, isFailure, none } from "../base/reason.ts";
import type { SubscribeOptions } from "../contract/options.ts";
import type { End, Reason } from "../contract/reason.ts";
import type { ProducerPort, Stage, Subscription } from "../contract/stage.ts";
import type { Core } from "./core.ts";
import { noteGivenBack } from "./give-back.ts";
import { EVENTS, Mailbox, SUBSCRIBED } from "./mailbox.ts";
import { ENDING, OVER } from "./phase.ts";
import { type Cancellation, StageInlet } from "./stage-inlet.ts";
import { subscribeOptions } from "./subscribe-options.ts";
import type { Window } from "./window.ts";

/** The side that takes events: subscriptions, and their events that no callback has seen. */
export class Upstream {
  /** The oldest first. */
  readonly links: StageInlet[] = [];
  /** Events handed over on links that have ended. */
  #received = 0;
  /** Links whose producer has completed, and is still to hear that all its events are started. */
  #halfOpen: readonly StageInlet[] = none;
  /** A producerConsumer's input that waits for demand, and messages that must not overtake it. */
  readonly waiting: Mailbox = new Mailbox();
  /** The link of the message in hand, which has several batches. */
  inHand: StageInlet | undefined;
  #message: readonly unknown[] = none;
  #at = 0;
  /** The end of a source during `handleCancel`. */
  #pendingEnd: End | undefined;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The smallest maxDemand that a producer suggests. */
  get suggested(): number | undefined {
    return this.links.flatMap((link) => link.suggested ?? []).toSorted((a, b) => a - b)[0];
  }

  // ── The message in hand ────────────────────────────────────────────────────────────────────────────────────────

  /** Takes up a message to be handed over in several batches. */
  take(link: StageInlet, message: readonly unknown[]): void {
    this.inHand = link;
    this.#message = message;
    this.#at = 0;
  }

  /** Its next batch; undefined at its end. */
  next(): readonly unknown[] | undefined {
    const message = this.#message;
    const from = this.#at;
    if (from >= message.length) {
      this.#drop();
      return undefined;
    }
    this.#at = Math.min(message.length, from + ((this.inHand as StageInlet).window as Window).most);
    return message.slice(from, this.#at);
  }

  /** Unstarted events from a callback: they go back with the end of their link, or behind it. */
  giveBack(subscription: Subscription, rest: readonly unknown[]): void {
    if (Array.isArray(rest) && rest.length === 0) return;
    const link = noteGivenBack(this.#core, subscription, rest);
    this.#return(link, rest);
  }

  #return(link: StageInlet, rest: readonly unknown[]): void {
    if (rest.length === 0) return;
    if (link.ended && !this.#halfOpen.includes(link)) link.tell({ reason: { type: "cancel" }, unstarted: rest });
    else (link.returned ??= []).unshift(rest); // M24
  }

  /** A link's unstarted events, in order, taken out of where they wait. */
  #unstarted(link: StageInlet): readonly unknown[] {
    const rest = link.returned ?? [];
    link.returned = undefined;
    if (this.inHand === link) {
      rest.push(this.#message.slice(this.#at)); // M20
      this.#drop();
    }
    return rest.concat(this.waiting.extract(EVENTS, link), this.#core.mailbox.extract(EVENTS, link)).flat(1);
  }

  #drop(): void {
    this.inHand = undefined;
    this.#message = none;
  }

  // ── Subscriptions ──────────────────────────────────────────────────────────────────────────────────────────────

  /** This stage subscribes to a producer. */
  subscribe(producer: Stage, options: SubscribeOptions, replaces?: ProducerPort): StageInlet {
    const core = this.#core;
    const source = producer as unknown as
      | { readonly "~attach"?: Core["attach"]; readonly defaultMaxDemand?: number }
      | null
      | undefined;
    if (typeof source !== "object" || typeof source?.["~attach"] !== "function")
      throw argumentError("ERR_NOT_PRODUCER", "", producer);
    if (core.phase >= OVER || core.ends.completing || core.ends.drains) throw core.endedError;
    const suggested = source.defaultMaxDemand;
    const { behaviour } = core.callbacks;
    const admitted = behaviour.admit ? behaviour.admit(options, this.links) : options;
    const link = new StageInlet(core, producer, subscribeOptions(admitted, suggested), suggested);
    core.post(SUBSCRIBED, link, undefined);
    try {
      link.port = source["~attach"](link, link.options, replaces);
    } catch (error) {
      link.ended = true;
      throw error;
    }
    this.links.push(link);
    return link;
  }

  subscribed(link: StageInlet): void {
    if (link.ended) return;
    const { callbacks, report } = this.#core;
    const open = (): void => {
      link.active = true;
      if (link.window) link.request(link.window.open());
    };
    if (!callbacks.behaviour.handleSubscribe) open();
    else
      callbacks.invoke("handleSubscribe", ["producer", link], open, (cause, callback) => {
        if (link.vital) {
          callbacks.failed(cause, callback);
          return;
        }
        report.tell(cause, callback);
        const unstarted = this.#unstarted(link);
        this.#forget(link);
        link.tell({ reason: { type: "cancel" }, unstarted: unstarted.length > 0 ? unstarted : undefined });
      });
  }

  /** A producer has ended. The end is passed on after `handleCancel`. */
  ended(link: StageInlet, end: End): void {
    if (link.ended) {
      this.#core.ends.drop(end);
      return;
    }
    const { reason } = end;
    this.#forget(link);
    if (reason.type === "complete") this.#halfOpen = [...this.#halfOpen, link];
    else this.#return(link, link.returned?.splice(0).flat(1) ?? none);
    this.#pendingEnd = end;
    this.#core.callbacks.invoke("handleCancel", [reason, link], () => {
      this.#pendingEnd = undefined;
      this.#applyCancelMode(link, end);
      if (this.#core.phase < OVER) this.startedAll(); // M22
    });
  }

  cancel(link: StageInlet, { reason, unstarted = [], quiet = false }: Cancellation): void {
    if (link.ended) return;
    link.tell({ reason, unstarted: [...this.#unstarted(link), ...unstarted] });
    this.#forget(link);
    const onNotPassedOn = (): void => this.#core.report.tell(errorOf(reason), "cancel");
    this.#pendingEnd = !quiet && isFailure(reason) ? { reason, onNotPassedOn } : undefined;
    this.#core.callbacks.invoke("handleCancel", [reason, link], () => {
      this.#pendingEnd = undefined;
      if (!quiet) this.#applyCancelMode(link, { reason });
    });
  }

  /** Applies the cancel mode to the end of a subscription. */
  #applyCancelMode({ options: { cancel } }: StageInlet, { reason, failure: began, onNotPassedOn }: End): void {
    const { ends, callbacks, outcome } = this.#core;
    if (isFailure(reason) && cancel === "temporary") this.#completeDrain();
    else if (isFailure(reason)) {
      outcome.passesOnFor(onNotPassedOn);
      if (callbacks.behaviour.patient) ends.failWith({ reason: failure(errorOf(reason)), failure: began }, true);
      else ends.finish({ reason: failure(errorOf(reason)), failure: began });
    } else if (ends.drains) this.#completeDrain();
    else if (cancel === "permanent" && !this.links.some((other) => other.options.cancel === "permanent"))
      ends.over(reason);
  }

  /** A draining stage completes with the end of its last subscription. */
  #completeDrain(): void {
    const { ends } = this.#core;
    if (ends.drains && this.links.length === 0) ends.over(complete);
  }

  /** Drains producers that would end without this stage; leaves the others, behind arrived events. */
  drain(): void {
    for (const link of this.links.slice()) {
      const producer = link.producer as { readonly "~drain"?: (port: StageInlet) => boolean };
      if (!producer["~drain"]?.(link)) link.leave({ reason: { type: "cancel" } });
    }
  }

  /** All events of completed producers are started, or given back: they need not wait any longer. */
  startedAll(): void {
    for (const link of this.#takeHalfOpen()) {
      const unstarted = link.returned?.flat(1);
      link.returned = undefined;
      link.tell(unstarted ? { reason: complete, unstarted } : { reason: complete });
    }
  }

  #takeHalfOpen(): readonly StageInlet[] {
    const halfOpen = this.#halfOpen;
    this.#halfOpen = none;
    return halfOpen;
  }

  /** Leaves every producer and gives unstarted events back. */
  leave(reason: Reason): void {
    const ending = this.#core.phase >= ENDING;
    const completed = ending ? this.#takeHalfOpen() : none;
    this.#received = this.received;
    // The newest first: of two links to one producer the older one's events end up in front.
    // M25
    for (const link of [...completed, ...this.links.splice(0)].toReversed()) {
      link.ended = true;
      link.tell({ reason, unstarted: this.#unstarted(link) });
    }
    if (ending && this.#pendingEnd) this.#core.ends.drop(this.#pendingEnd); // M23
    this.#pendingEnd = ending ? undefined : this.#pendingEnd;
    this.#drop();
  }

  #forget(link: StageInlet): void {
    link.ended = true;
    const at = this.links.indexOf(link);
    if (at < 0) return;
    this.links.splice(at, 1); // M21
    this.#received += link.handed;
  }

  /** Events handed to `handleEvents` so far. */
  get received(): number {
    return this.links.reduce((sum, { handed }) => sum + handed, this.#received);
  }
}
