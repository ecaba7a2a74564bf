import type { Window } from "./window.ts";
import { argumentError } from "../base/errors.ts";
import { EVENTS, Mailbox, SUBSCRIBED } from "./mailbox.ts";
import { subscribeOptions } from "./subscribe-options.ts";
import type { End, Reason } from "../contract/reason.ts";
import { errorOf, failure, isFailure, none } from "../base/reason.ts";
import type { ProducerPort, Stage, Subscription } from "../contract/stage.ts";
import { type Cancellation, StageInlet } from "./stage-inlet.ts";
import type { SubscribeOptions } from "../contract/options.ts";
import type { Core } from "./core.ts";
import { OVER } from "./phase.ts";

/** The side of a stage that takes events: its subscriptions, and what they brought and no callback has seen. */
export class Upstream {
  /** The oldest first. */
  readonly links: StageInlet[] = [];
  /** A producerConsumer's input that waits for demand, and what must not overtake it. */
  readonly waiting: Mailbox = new Mailbox();
  /** The link of the message in hand, which has several batches. */
  inHand: StageInlet | undefined;
  #message: readonly unknown[] = none;
  #at = 0;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The smallest maxDemand that a producer suggests. */
  get suggested(): number | undefined {
    return this.links.flatMap((link) => link.suggested ?? []).toSorted((a, b) => a - b)[0];
  }

  // ── The message in hand ────────────────────────────────────────────────────────────────────────────────────────

  /** Takes up a message that is to be handed over in several batches. */
  take(link: StageInlet, message: readonly unknown[]): void {
    this.inHand = link;
    this.#message = message;
    this.#at = 0;
  }

  /** The next batch of it; nothing once it is through. */
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

  /** Events that a callback was handed and has not started: they go back with the end of their link, or behind it. */
  giveBack(subscription: Subscription, rest: readonly unknown[]): void {
    if (rest.length === 0) return;
    const link = subscription as StageInlet;
    if (link.ended) link.port.end({ reason: { type: "cancel" }, unstarted: rest });
    else (link.returned ??= []).unshift(rest);
  }

  /** What a link brought and nothing has started, in order. Taken out of where it waits. */
  #unstarted(link: StageInlet): readonly unknown[] {
    const rest = link.returned ?? [];
    link.returned = undefined;
    if (this.inHand === link) {
      rest.push(this.#message.slice(this.#at));
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
    if (core.phase >= OVER || core.ends.completing) throw core.endedError;
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
    const { callbacks } = this.#core;
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
        this.#core.outcome.report(cause, callback);
        const unstarted = this.#unstarted(link);
        this.#forget(link);
        link.port.end({ reason: { type: "cancel" }, unstarted: unstarted.length > 0 ? unstarted : undefined });
      });
  }

  ended(link: StageInlet, end: End): void {
    if (link.ended) {
      this.#core.ends.drop(end);
      return;
    }
    const { reason } = end;
    this.#forget(link);
    const returned = link.returned?.splice(0).flat(1);
    if (returned) this.giveBack(link, returned);
    this.#core.callbacks.invoke("handleCancel", [reason, link], () => this.#bear(link, reason));
  }

  cancel(link: StageInlet, { reason, unstarted = [], quiet = false }: Cancellation): void {
    if (link.ended) return;
    link.port.end({ reason, unstarted: [...this.#unstarted(link), ...unstarted] });
    this.#forget(link);
    this.#core.callbacks.invoke("handleCancel", [reason, link], () => {
      if (!quiet) this.#bear(link, reason);
    });
  }

  /** What the end of a subscription means to this stage: its cancel mode decides. */
  #bear(link: StageInlet, reason: Reason): void {
    const mode = link.options.cancel;
    const { ends, callbacks } = this.#core;
    if (isFailure(reason)) {
      if (mode === "temporary") return;
      if (callbacks.behaviour.patient) ends.fail(errorOf(reason), { after: "buffer" });
      else ends.finish(failure(errorOf(reason)));
    } else if (mode === "permanent" && !this.links.some((other) => other.options.cancel === "permanent"))
      ends.over(reason);
  }

  /** Leaves every producer and gives back what was not started. */
  leave(reason: Reason): void {
    // The newest first: of two links to one producer the older one's events come back last, and so before the others.
    for (const link of this.links.splice(0).toReversed()) {
      link.ended = true;
      link.port.end({ reason, unstarted: this.#unstarted(link) });
    }
    this.#drop();
  }

  #forget(link: StageInlet): void {
    link.ended = true;
    const at = this.links.indexOf(link);
    if (at >= 0) this.links.splice(at, 1);
  }
}
