import { coupled } from "../adapter/coupled.ts";
import type { PortSource } from "../adapter/index.ts";
import { sink } from "../adapter/sink.ts";
import { source } from "../adapter/source.ts";
import { refuseUnknown } from "../base/check.ts";
import { isFailure } from "../base/reason.ts";
import type { SinkBehaviour, SinkContext, SourceBehaviour, SourceContext } from "../contract/adapter.ts";
import type { EmitOptions, SubscribeOptions } from "../contract/options.ts";
import type { Reason } from "../contract/reason.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { Source } from "../contract/source.ts";
import type { Consumer, ProducerConsumer, Subscription } from "../contract/stage.ts";
import type { Role } from "../contract/states.ts";
import { Emitted } from "./emitted.ts";
import { opened } from "./open.ts";

/** Options of a stage over several sources. `onDiscard` hears of events of a source that cannot go back. */
export interface SeveralOptions<in Out> extends Omit<EmitOptions<Out>, "overflow" | "demandMode"> {}

const names = ["name", "signal", "runtime", "onReport", "onDiscard", "bufferSize", "onLastCancel", "defaultMaxDemand"];

export const checkSeveral = (owner: string, options: SeveralOptions<never>, own: readonly string[]): void =>
  refuseUnknown(owner, options, [...names, ...own]);

/** No one asks for more at a time. */
export const MOST = 10_000;

/**
 * One producer over several sources. It asks each by hand for its share of what is wanted.
 *
 *     sources ══▶ input ──▶ output ──▶ consumers
 */
export abstract class Several<Out> {
  #input!: SinkContext;
  #output!: SourceContext<Out>;
  #sink!: Consumer<Out>;
  #options: SeveralOptions<Out> = {};
  /** Asked for and not given, by source. The one that was asked last is the last. */
  readonly #asked = new Map<Subscription, number>();
  #outstanding = 0;
  readonly #emitted = new Emitted<Subscription, Out>();
  /** The windows of all consumers together. **Units** events. */
  #window = 0;
  #returned: (readonly [Subscription, readonly Out[]])[] = [];
  #inputOver = false;

  /** A source has ended well. */
  abstract left(): void;

  make(name: string, options: SeveralOptions<Out>, runtime: Runtime | undefined): ProducerConsumer<Out, Out> {
    this.#options = { runtime, ...options };
    const emitting = source<Out>(new Output(this), this.#options, { name });
    const { signal, onReport, runtime: own } = this.#options;
    this.#sink = sink<Out>(new Input(this), { signal, onReport, runtime: own, name: `${emitting.name} input` });
    return coupled(this.#sink, emitting);
  }

  /** Subscribes to a source. Throws its refusal. */
  attach(given: Source<Out>): void {
    const { runtime, signal, onReport, onDiscard } = this.#options;
    const name = `${this.#sink.name.replace(/ input$/, "")} source`;
    const producer = opened<Out>(given, { name, runtime, signal, onReport, onDiscard: onDiscard as never });
    this.#sink.subscribe(producer, { cancel: "transient" });
  }

  get ended(): boolean {
    return this.#sink.state !== "starting" && this.#sink.state !== "running";
  }

  complete(): void {
    this.#output.complete();
  }

  fail(error: unknown): void {
    this.#output.fail(error, { after: "buffer" });
  }

  // ── Both sides ─────────────────────────────────────────────────────────────────────────────────────────────────

  beginInput(stage: SinkContext): void {
    this.#input = stage;
  }

  beginOutput(stage: SourceContext<Out>): void {
    this.#output = stage;
  }

  opened(subscription: Subscription): void {
    this.#asked.set(subscription, 0);
    this.pump();
  }

  closed(reason: Reason, subscription: Subscription): void {
    this.#outstanding -= this.#asked.get(subscription) ?? 0;
    this.#asked.delete(subscription);
    if (!isFailure(reason)) this.left();
    this.pump();
  }

  take(events: readonly Out[], subscription: Subscription): void {
    this.#asked.set(subscription, (this.#asked.get(subscription) as number) - events.length);
    this.#outstanding -= events.length;
    // One for each source may come beyond what is wanted.
    this.#emitted.add(subscription, events, this.#window + this.#asked.size);
    if (!this.#output.answer(events)) this.#output.discard(events);
    this.pump();
  }

  /** Asks for what is wanted: of each source for its share, and for one event at least. */
  pump(): void {
    const demand = Math.min(this.#output.demand, MOST);
    if (demand === 0 || this.#asked.size === 0) return;
    let left = this.#asked.size;
    const share = Math.max(1, Math.floor(demand / left));
    for (const [subscription, asked] of this.#asked) {
      // One that is asked goes to the end, where this stops.
      left -= 1;
      if (left < 0) break;
      if (2 * asked > share) continue;
      const count = Math.max(Math.min(share - asked, demand - this.#outstanding), asked === 0 ? 1 : 0);
      if (count === 0) continue;
      this.#asked.delete(subscription);
      this.#asked.set(subscription, asked + count);
      this.#outstanding += count;
      subscription.ask(count);
    }
  }

  consumers(change: number): void {
    this.#window += change;
  }

  /** What a consumer had not begun goes back to where it came from. */
  putBack(events: readonly Out[]): readonly Out[] {
    const parts = this.#emitted.takeBack(events);
    if (parts === undefined) return events;
    if (this.#inputOver) this.#giveBack(parts);
    else this.#returned.unshift(...parts);
    return [];
  }

  inputEnds(): void {
    this.#inputOver = true;
    this.#giveBack(this.#returned);
    this.#returned = [];
  }

  /** What goes back to one source goes at once: what comes later would stand in front of it. */
  #giveBack(parts: readonly (readonly [Subscription, readonly Out[]])[]): void {
    const all = new Map<Subscription, Out[]>();
    for (const [subscription, events] of parts) {
      const part = all.get(subscription);
      if (part) part.push(...events);
      else all.set(subscription, events.slice());
    }
    for (const [subscription, events] of all) this.#input.giveBack(subscription, events);
  }
}

class Input<Out> implements SinkBehaviour<Out> {
  readonly #several: Several<Out>;
  readonly patient = true;

  constructor(several: Several<Out>) {
    this.#several = several;
  }

  begin(stage: SinkContext): void {
    this.#several.beginInput(stage);
  }

  admit(options: SubscribeOptions): SubscribeOptions {
    return { ...options, demand: "manual" };
  }

  handleSubscribe(_role: Role, subscription: Subscription): void {
    this.#several.opened(subscription);
  }

  handleCancel(reason: Reason, subscription: Subscription): void {
    this.#several.closed(reason, subscription);
  }

  handleEvents(events: readonly Out[], subscription: Subscription): void {
    this.#several.take(events, subscription);
  }

  /** All sources are drained. */
  handleEnd(): void {
    this.#several.complete();
  }

  terminate(): void {
    this.#several.inputEnds();
  }
}

class Output<Out> implements SourceBehaviour<Out> {
  readonly #several: Several<Out>;

  constructor(several: Several<Out>) {
    this.#several = several;
  }

  begin(stage: SourceContext<Out>): void {
    this.#several.beginOutput(stage);
  }

  handleSubscribe(_role: Role, { options }: Subscription): void {
    this.#several.consumers(options.maxDemand);
  }

  handleCancel(_reason: Reason, { options }: Subscription, stage: SourceContext<Out>): void {
    this.#several.consumers(-options.maxDemand);
    stage.askAgain();
  }

  handleDemand(): void {
    this.#several.pump();
  }

  putBack(events: readonly unknown[]): readonly unknown[] {
    return this.#several.putBack(events as readonly Out[]);
  }
}

/** The runtime of the first source that has one. */
export function runtimeOf(sources: readonly unknown[]): Runtime | undefined {
  for (const given of sources) {
    const runtime = (given as Partial<PortSource> | null)?.["~core"]?.runtime;
    if (runtime) return runtime;
  }
  return undefined;
}
