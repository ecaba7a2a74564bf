import type { SourceContext } from "../../contract/adapter.ts";
import type { Setting } from "../../adapter/step.ts";
import type { Reason } from "../../contract/reason.ts";
import { cutShortBy, tellOf } from "../cut-short.ts";
import type { Subscription, StageContext } from "../../contract/stage.ts";
import type { Role } from "../../contract/states.ts";
import type { Call, End, Filled, Loop, Place, Row } from "../../contract/row.ts";
import { loop } from "./loop.ts";
import { connected } from "./receive.ts";
import { Chain, type PerEvent, type PerEventSink, StepFailure } from "./per-event.ts";

/** A step and its position. */
export interface Placed<Of> {
  readonly step: Of;
  readonly index: number;
}

const placeOf = ({ step, index }: Placed<{ readonly name: string }>): Place => ({ name: step.name, index });

/** The behaviour of a stage that runs adjacent steps, and perhaps a sink behind them, event by event. */
export class Fused {
  readonly #chain = new Chain();
  /** The steps up to the first that is more than a call, and what they end in. */
  readonly #first: Row;
  #loop: Loop = loop;
  /** Told of the events that come until it gives a loop for these steps alone. */
  #own: ((events: number) => Loop | undefined) | undefined;
  readonly #emits: boolean;
  /** Earlier results go out first, whichever stage failed. */
  readonly patient = true;
  /** The steps include takes, which decide on the demand. */
  readonly limited: boolean;
  readonly result: () => unknown;
  /** Of the stage that it makes. */
  setting: Omit<Setting, "index"> = { name: "" };
  /** Results of the batch in hand so far. */
  readonly #out: Filled = { events: [], count: 0 };
  /** Outstanding demand, for each subscription whose demand the steps decide. */
  readonly #outstanding = new Map<Subscription, number>();
  /** The batch whose sink is pending, and where its rest starts. */
  #inHand: { readonly events: readonly unknown[]; readonly subscription: Subscription } | undefined;
  #at = 0;
  #stage: StageContext | undefined;
  /** A step's error. */
  #broken: { readonly error: unknown } | undefined;

  constructor(steps: readonly Placed<PerEvent>[], sink: Placed<PerEventSink> | undefined) {
    const chain = this.#chain;
    this.#emits = sink === undefined;
    const { end, result } = sink?.step["~begin"](chain, placeOf(sink)) ?? {
      end: { into: this.#out },
      result: () => undefined,
    };
    this.result = result;
    let behind: End = end;
    let calls: Call[] = [];
    for (const placed of steps.toReversed()) {
      const each = placed.step["~each"](chain, placeOf(placed));
      if (typeof each === "function") {
        behind = { next: each(connected(calls, behind)) };
        calls = [];
      } else calls.unshift(each);
    }
    this.#first = { calls, end: behind, chain, at: 0 };
    this.limited = chain.takes.length > 0;
  }

  handleSubscribe(role: Role, subscription: Subscription, stage: StageContext): void {
    if (this.#chain.stage === undefined) this.#begin(stage);
    if (!this.limited || role !== "producer") return;
    if (this.#chain.left === 0) stage.complete();
    else if (subscription.options.demand === "manual") {
      this.#outstanding.set(subscription, 0);
      this.#ask(subscription);
    }
  }

  #begin(stage: StageContext): void {
    this.#chain.stage = stage;
    const { calls, end } = this.#first;
    if (calls.length > 0 || end.next === undefined)
      this.#own = this.setting.compile?.["~loops"](this.#first, (error) => stage.report(error, "compile"));
  }

  /** Its outstanding demand will not arrive any more. */
  handleCancel(_reason: unknown, subscription: Subscription): void {
    if (this.#outstanding.delete(subscription)) for (const other of this.#outstanding.keys()) this.#ask(other);
  }

  handleEvents(
    events: readonly unknown[],
    subscription: Subscription,
    stage: StageContext,
  ): unknown[] | Promise<void> | undefined {
    this.#at = 0;
    const out = this.#out;
    if (this.#emits) {
      // As much room as is likely: an array that grows is copied, again and again.
      out.events = new Array<unknown>(events.length);
      out.count = 0;
    }
    const own = this.#own?.(events.length);
    if (own !== undefined) {
      this.#loop = own;
      this.#own = undefined;
    }
    this.#run(events);
    if (out.count < out.events.length) out.events.length = out.count;
    if (this.#chain.pending !== undefined) return this.#wait(events, subscription, stage);
    return this.#finish(events, subscription, stage) && this.#emits ? this.#out.events : undefined;
  }

  handleEnd(stage: StageContext): void {
    try {
      this.#chain.onEnd?.();
    } catch (error) {
      stage.fail(error);
    }
  }

  /** Events behind a pending sink go back. What it has begun is cut short, and told. */
  terminate(reason: Reason): void {
    this.#chain.ended = true;
    if (this.#inHand === undefined || this.#stage === undefined) return;
    const { events, subscription } = this.#inHand;
    this.#stage.giveBack(subscription, events.slice(this.#at));
    const { name, onDiscard, signal } = this.setting;
    const cause = cutShortBy(reason, signal);
    tellOf(onDiscard, { events: this.#chain.unfinished?.() ?? [], cause, stage: name }, this.#stage);
  }

  /** Sends events in until the batch is through or nothing more may go in. */
  #run(events: readonly unknown[]): void {
    const first = this.#first;
    const run = this.#loop;
    first.at = this.#at;
    try {
      if (!this.#chain.held) run(first, events);
    } catch (error) {
      this.#broken = { error };
    }
    this.#at = first.at;
  }

  /** A sink takes one event at a time, and is still busy with the last: not even a failure overtakes it. */
  async #wait(events: readonly unknown[], subscription: Subscription, stage: StageContext): Promise<void> {
    const chain = this.#chain;
    this.#inHand = { events, subscription };
    this.#stage = stage;
    while (chain.pending !== undefined) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one at a time is what is asked for
        await chain.pending;
      } catch (error) {
        chain.pending = undefined;
        // A later error comes second.
        if (this.#broken) this.#report(this.#errorOf(this.#broken.error, events, stage), stage);
        this.#broken = { error };
      }
      if (chain.ended) break;
      if (chain.pending === undefined && this.#broken === undefined) this.#run(events);
    }
    this.#inHand = undefined;
    if (!chain.ended) this.#finish(events, subscription, stage);
    // The event was told when it was cut short.
    else if (this.#broken) throw this.#errorOf(this.#broken.error, [], stage);
  }

  /** The batch is through, as far as it goes. False when the stage fails. */
  #finish(events: readonly unknown[], subscription: Subscription, stage: StageContext): boolean {
    if (this.#broken) {
      this.#fail(this.#broken.error, events, subscription, stage);
      return false;
    }
    if (this.#chain.over) {
      stage.giveBack(subscription, events.slice(this.#at));
      stage.complete();
    } else if (this.limited) {
      const asked = this.#outstanding.get(subscription);
      if (asked !== undefined) this.#outstanding.set(subscription, asked - events.length);
      for (const other of this.#outstanding.keys()) this.#ask(other);
    }
    return true;
  }

  /** Asks as an automatic subscription would, but for no more than is of use. */
  #ask(subscription: Subscription): void {
    const { maxDemand, minDemand } = subscription.options;
    const own = this.#outstanding.get(subscription) ?? 0;
    if (own > minDemand) return;
    let all = 0;
    for (const asked of this.#outstanding.values()) all += asked;
    const count = Math.min(maxDemand - own, this.#chain.left - all);
    if (count <= 0) return;
    this.#outstanding.set(subscription, own + count);
    subscription.ask(count);
  }

  /** Earlier results go out first; events behind the failing one go back. */
  #fail(cause: unknown, events: readonly unknown[], subscription: Subscription, stage: StageContext): void {
    const error = this.#errorOf(cause, events, stage);
    stage.giveBack(subscription, events.slice(this.#at));
    if (this.#emits) {
      (stage as SourceContext<unknown>).answer(this.#out.events);
      stage.fail(error, { after: "buffer" });
    } else stage.fail(error);
  }

  #report(error: unknown, stage: StageContext): void {
    stage.report(error, "handleEvents");
  }

  #errorOf(cause: unknown, events: readonly unknown[], stage: StageContext): unknown {
    return cause instanceof StepFailure ? cause.toError(stage, events.slice(this.#at - 1, this.#at)) : cause;
  }
}
