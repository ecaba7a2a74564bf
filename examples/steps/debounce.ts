// A step of one's own, from the first line to the last: passes on an event once its source has been silent for a while. Shows
// `makeStep`, two sides of one thing, demand by hand, a timer, and what becomes of the event that it holds.
import type { ProducerConsumer, Reason, Step, SubscribeOptions, Subscription } from "headrace";
import {
  type Counts,
  coupled,
  makeStep,
  refuse,
  type Setting,
  sink,
  type SinkBehaviour,
  type SinkContext,
  source,
  type SourceBehaviour,
  type SourceContext,
} from "headrace/adapter";

export interface DebounceOptions {
  /** How long the source has to be silent. **Units** milliseconds, more than 0. */
  readonly after: number;
}

/** What both sides share: the newest event, and when it is due. */
class Debounce<Event> {
  readonly #after: number;
  input!: SinkContext;
  output!: SourceContext<Event>;
  #from: Subscription | undefined;
  #held: readonly Event[] = [];
  #wanted = false;
  #due = false;
  #ending = false;
  #timer: unknown;
  #emptied: (() => void) | undefined;
  dropped = 0;

  constructor(after: number) {
    this.#after = after;
  }

  make(setting: Setting): ProducerConsumer<Event, Event> {
    const input = sink<Event>(new Input(this), { ...setting, name: `${setting.name} input` });
    return coupled(input, source<Event>(new Output(this), setting));
  }

  opened(subscription: Subscription): void {
    this.#from = subscription;
    if (this.#wanted) subscription.ask(1);
  }

  /** The first demand opens the source. */
  want(): void {
    if (!this.#wanted) this.#from?.ask(1);
    this.#wanted = true;
    this.serve();
  }

  take(events: readonly Event[]): void {
    const { clock } = this.input.runtime;
    this.dropped += this.#held.length;
    this.#held = events;
    this.#due = false;
    clock.clearTimer(this.#timer);
    this.#timer = clock.setTimer(() => {
      this.#due = true;
      this.serve();
    }, this.#after);
    this.#from?.ask(1);
  }

  /** Called whenever the event may be due, or wanted. */
  serve(): void {
    if (this.output.demand > 0 && this.#held.length > 0 && (this.#due || this.#ending)) {
      const events = this.#held;
      this.#held = [];
      this.output.answer(events);
    }
    if (this.#held.length === 0) this.#emptied?.();
  }

  /** The input is over, well or not: the event that is held need not wait for another. */
  async emptied(): Promise<void> {
    this.#ending = true;
    this.serve();
    if (this.#held.length > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  /** However it ends, no timer outlives it, and what it holds goes back. */
  close(): void {
    this.input.runtime.clock.clearTimer(this.#timer);
    if (this.#from) this.input.giveBack(this.#from, this.#held);
    this.#held = [];
  }
}

class Input<Event> implements SinkBehaviour<Event> {
  readonly #shared: Debounce<Event>;
  /** A failure of the source comes behind what was emitted. */
  readonly patient = true;

  constructor(shared: Debounce<Event>) {
    this.#shared = shared;
  }

  begin(stage: SinkContext): void {
    this.#shared.input = stage;
  }
  /** It asks by hand: for one event at a time, and for none before it has been asked. */
  admit(options: SubscribeOptions, subscriptions: readonly Subscription[]): SubscribeOptions {
    if (subscriptions.length > 0) refuse("ERR_OPTION", "debounce to have one source", subscriptions.length + 1);
    return { ...options, demand: "manual" };
  }
  handleSubscribe(_role: unknown, subscription: Subscription): void {
    this.#shared.opened(subscription);
  }
  handleEvents(events: readonly Event[]): void {
    this.#shared.take(events);
  }
  /** A failure of the source waits for the event that is held. */
  handleCancel(reason: Reason): Promise<void> | undefined {
    return reason.type === "failure" ? this.#shared.emptied() : undefined;
  }
  async handleEnd(): Promise<void> {
    await this.#shared.emptied();
    this.#shared.output.complete();
  }
  terminate(): void {
    this.#shared.close();
  }
}

class Output<Event> implements SourceBehaviour<Event> {
  readonly #shared: Debounce<Event>;

  constructor(shared: Debounce<Event>) {
    this.#shared = shared;
  }

  begin(stage: SourceContext<Event>): void {
    this.#shared.output = stage;
  }
  handleDemand(): void {
    this.#shared.want();
  }
  get counts(): Counts {
    return { dropped: this.#shared.dropped };
  }
}

/**
 * Passes on an event once its source has been silent for so long.
 *
 * **Shape** the last event of each burst, in order. **Units** `after` in milliseconds of the runtime's clock.
 * **Backpressures** never while it is wanted: it takes one event at a time, and holds the newest.
 * **Completes** with its source, behind the event it holds. **Cancels** by giving that back.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no `after`, or not more than 0.
 */
export function debounce<Event>({ after }: DebounceOptions): Step<Event, Event> {
  if (typeof after !== "number") refuse("ERR_OPTION", "after to be a number", after);
  if (!(after > 0)) refuse("ERR_RANGE", "after to be more than 0 milliseconds", after);
  return makeStep<Event, Event>("debounce", (setting) => new Debounce<Event>(after).make(setting));
}
