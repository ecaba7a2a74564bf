import { coupled } from "../../adapter/coupled.ts";
import { sink } from "../../adapter/sink.ts";
import { source } from "../../adapter/source.ts";
import { isFailure } from "../../base/reason.ts";
import type {
  Counts,
  OtherSide,
  SinkBehaviour,
  SinkContext,
  SourceBehaviour,
  SourceContext,
} from "../../contract/adapter.ts";
import type { Discarded, SubscribeOptions } from "../../contract/options.ts";
import type { Reason } from "../../contract/reason.ts";
import type { ProducerConsumer, Subscription } from "../../contract/stage.ts";
import type { Role } from "../../contract/states.ts";
import type { Setting } from "../../adapter/step.ts";
import { Asks } from "./asks.ts";

export interface PairTraits {
  /** The maxDemand of consumers that name none. @default the source's */
  readonly window?: number | undefined;
  readonly onDiscard?: ((discarded: Discarded<never>) => void) | undefined;
}

/**
 * A step with a pace of its own: what it takes and what it emits are two sides, coupled. It asks its source by hand, once it
 * has itself been asked.
 *
 *     source ──▶ input ──▶ what the step holds ──▶ output ──▶ consumers
 */
export abstract class Pair<In, Out> {
  readonly asks: Asks = new Asks();
  input!: SinkContext;
  output!: SourceContext<Out>;
  /** A consumer has asked. */
  begun = false;
  /** The input is over: what is held goes out, and then the end. */
  ending = false;
  /** The output has ended. */
  over = false;
  /** Why the last consumer has left, once it has. */
  leftBy: Reason | undefined;
  /** The windows of all consumers together. **Units** events. */
  window = 0;
  /** What may be outstanding of each source. **Units** events. @default what the subscription says */
  readonly most: number | undefined = undefined;
  #source: Subscription | undefined;
  #returned: (readonly In[])[] = [];
  #inputOver = false;
  #emptied: (() => void) | undefined;

  /** Takes what has come. */
  abstract take(events: readonly In[], subscription: Subscription): void;
  /** Emits what is wanted and asks for what there is room for. Called whenever either may have changed. */
  abstract pump(): void;
  /** The events that something emitted was made of, where that can be said: what no consumer gets then goes back. */
  unmake(_emitted: readonly Out[]): readonly In[] | undefined {
    return undefined;
  }
  get counts(): Counts | undefined {
    return undefined;
  }
  /** Whether it works on something by itself. */
  get working(): boolean {
    return false;
  }
  /** Whether nothing is held. */
  abstract get empty(): boolean;
  /** The input ends: what is held and not begun goes back by `input.giveBack`. */
  abstract giveBack(): void;
  /** The step fails, behind what it has emitted. */
  fail(error: unknown): void {
    if (this.#inputOver) this.output.fail(error, { after: "buffer" });
    else this.input.fail(error);
  }
  /** The output ends. The end waits for the promise. */
  finish(_reason: Reason): Promise<void> | undefined {
    return undefined;
  }
  /** The output's end is complete: nothing is waited for any longer. */
  gone(): void {}

  make(setting: Setting, traits: PairTraits = {}): ProducerConsumer<In, Out> {
    const { name, runtime, onReport, signal } = setting;
    const common = { runtime, onReport, signal };
    const { window: defaultMaxDemand, onDiscard = setting.onDiscard } = traits;
    // The input first: it hears of an abort by itself, not by the output's failure.
    const taking = sink(new Input(this), { ...common, name: `${name} input` });
    const emitting = source(new Output(this), { ...common, name, defaultMaxDemand, onDiscard: onDiscard as never });
    return coupled(taking, emitting);
  }

  /** Consumers have given back what they had not begun. Older than what is held, so it returns in front of that. */
  putBack(emitted: readonly Out[]): readonly Out[] {
    const events = this.unmake(emitted);
    if (events === undefined || this.#source === undefined) return emitted;
    if (this.#inputOver) this.input.giveBack(this.#source, events);
    else this.#returned.push(events);
    return [];
  }

  inputEnds(): void {
    this.#inputOver = true;
    this.giveBack();
    const events = this.#returned.flat(1);
    if (this.#source && events.length > 0) this.input.giveBack(this.#source, events);
    this.#returned = [];
  }

  took(subscription: Subscription): void {
    this.#source = subscription;
  }

  /** Nothing may be held any more. */
  checkEmpty(): void {
    if (this.#emptied !== undefined && this.empty) this.released();
  }

  /** Nothing waits for what is held any longer. */
  released(): void {
    const then = this.#emptied;
    this.#emptied = undefined;
    then?.();
  }

  /** Waits until nothing is held; the input is over, well or not. */
  emptied(): Promise<void> | undefined {
    this.ending = true;
    this.pump();
    if (this.empty) return undefined;
    return new Promise((resolve) => {
      this.#emptied = resolve;
    });
  }
}

class Input<In, Out> implements SinkBehaviour<In> {
  readonly #pair: Pair<In, Out>;
  #output!: OtherSide;
  readonly patient = true;

  constructor(pair: Pair<In, Out>) {
    this.#pair = pair;
  }

  begin(stage: SinkContext): void {
    this.#pair.input = stage;
  }

  couple(output: OtherSide): void {
    this.#output = output;
    output.whenEnded(() => this.#pair.gone());
  }

  admit(options: SubscribeOptions): SubscribeOptions {
    const { most } = this.#pair;
    if (most === undefined) return { ...options, demand: "manual" };
    return { ...options, demand: "manual", maxDemand: most, minDemand: undefined };
  }

  handleSubscribe(_role: Role, subscription: Subscription): void {
    this.#pair.asks.open(subscription);
    this.#pair.pump();
  }

  /** The failure of a source comes behind the events before it. */
  handleCancel(reason: Reason, subscription: Subscription): Promise<void> | undefined {
    const pair = this.#pair;
    pair.asks.close(subscription);
    if (isFailure(reason) && !pair.over && subscription.options.cancel !== "temporary") return pair.emptied();
    pair.pump();
    return undefined;
  }

  handleEvents(events: readonly In[], subscription: Subscription): void {
    this.#pair.asks.arrived(subscription, events.length);
    this.#pair.took(subscription);
    this.#pair.take(events, subscription);
  }

  async handleEnd(): Promise<void> {
    await this.#pair.emptied();
    this.#pair.output.complete();
  }

  /** A source that has stopped leaves what is begun to go out. */
  terminate(reason: Reason): Promise<void> | undefined {
    const pair = this.#pair;
    pair.inputEnds();
    if (isFailure(reason) || pair.over) return undefined;
    const end = (): void => this.#output.end(reason, { after: "buffer" });
    const rest = pair.emptied();
    if (rest !== undefined) return rest.then(end);
    end();
    return undefined;
  }
}

class Output<In, Out> implements SourceBehaviour<Out> {
  readonly #pair: Pair<In, Out>;
  #consumers = 0;

  constructor(pair: Pair<In, Out>) {
    this.#pair = pair;
  }

  begin(stage: SourceContext<Out>): void {
    this.#pair.output = stage;
  }

  handleSubscribe(_role: Role, { options }: Subscription): void {
    this.#consumers += 1;
    this.#pair.window += options.maxDemand;
  }

  handleCancel(reason: Reason, { options }: Subscription): void {
    this.#pair.window -= options.maxDemand;
    this.#consumers -= 1;
    if (this.#consumers === 0) this.#pair.leftBy = reason;
  }

  get counts(): Counts | undefined {
    return this.#pair.counts;
  }

  get working(): boolean {
    return this.#pair.working;
  }

  putBack(events: readonly unknown[]): readonly unknown[] {
    return this.#pair.putBack(events as readonly Out[]);
  }

  handleDemand(): void {
    this.#pair.begun = true;
    this.#pair.pump();
  }

  terminate(reason: Reason): Promise<void> | undefined {
    const pair = this.#pair;
    pair.over = true;
    pair.released();
    return pair.finish(reason);
  }
}
