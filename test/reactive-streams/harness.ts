import type {
  Attachable,
  ConsumerPort,
  End,
  Named,
  Producer,
  ProducerPort,
  Reason,
  Subscription,
} from "../../src/index.ts";
import { turns } from "../support/runtime.ts";

/** Anything that can be attached to: a stage, or a double that speaks the wire. */
export interface Source<T = number> {
  readonly "~attach": Attachable<T, never>["~attach"];
}
export interface Failure {
  readonly error: unknown;
}
/** Makes a source of `count` numbers from 0, that then completes, or fails. */
export type SourceFactory = (count: number, failure?: Failure) => Source;

export const complete: Reason = { type: "complete" };
export const failed = (error: unknown): Reason => ({ type: "failure", error });
/** More turns of the event loop than anything here needs, one by one until `when` holds. */
export async function until(when: () => boolean, most = 20_000): Promise<void> {
  for (let left = most; left > 0 && !when(); left -= 1) await turns(1);
}

/** Waits until a consumer has seen what it is to see, or nothing new for a good many turns. */
export async function settled<T>(consumer: ManualConsumer<T>, count: number, ends: number): Promise<void> {
  const { received } = consumer;
  for (let idle = 0; idle < 100 && (received.length < count || consumer.ends.length < ends); idle += 1) {
    const seen = received.length;
    await turns(1);
    if (received.length > seen) idle = 0;
  }
}

/**
 * Consumes by hand, and watches: whatever a source may not do on a link becomes one of the `flaws`. It looks at the
 * events of a batch one by one, and gives back the rest of a batch within which it cancels.
 */
export class ManualConsumer<T = number> implements ConsumerPort<T>, Named {
  readonly name: string = "manual";
  readonly consumer: object = this;
  readonly carries = true;
  readonly subscription = { state: "active", pending: 0, options: {} } as Subscription;
  readonly received: T[] = [];
  readonly sizes: number[] = [];
  readonly ends: Reason[] = [];
  readonly flaws: string[] = [];
  /** Called for each event, and at the end. */
  each: (event: T) => void = () => {};
  atEnd: () => void = () => {};
  asked = 0;
  /** Events on the way to this consumer's eyes at most at once: handlers on the stack. */
  deepest = 0;
  #arrived = 0;
  #depth = 0;
  #port: ProducerPort | undefined;
  #cancelled = false;
  #batch: readonly T[] = [];
  #at = 0;

  attach(source: Source<T>, options: object = {}): this {
    this.#port = source["~attach"](this, options as never);
    return this;
  }
  ask(count: number): this {
    this.asked += count;
    this.#port?.ask(count);
    return this;
  }
  /** Says something that is no demand. */
  askWrongly(count: unknown): this {
    this.#port?.ask(count as number);
    return this;
  }
  cancel(reason: Reason = { type: "cancel" }): this {
    this.#cancelled = true;
    const unstarted = this.#batch.slice(this.#at);
    this.#batch = [];
    this.#port?.end({ reason, unstarted });
    return this;
  }
  readonly events = (batch: readonly T[]): void => {
    if (this.#port === undefined) this.flaws.push("events before the subscription");
    if (this.ends.length > 0) this.flaws.push("events after the end");
    if (this.#cancelled) this.flaws.push("events after the cancel");
    if (this.#depth > 0) this.flaws.push("events inside events");
    this.#arrived += batch.length;
    if (!(this.#arrived <= this.asked)) this.flaws.push(`${this.#arrived} events for ${this.asked} asked`);
    this.sizes.push(batch.length);
    this.#depth += 1;
    this.deepest = Math.max(this.deepest, this.#depth);
    this.#batch = batch;
    this.#at = 0;
    try {
      for (const event of batch) {
        if (this.#cancelled) break;
        this.#at += 1;
        this.received.push(event);
        this.each(event);
      }
    } finally {
      this.#depth -= 1;
      this.#batch = [];
    }
  };
  readonly end = ({ reason }: End): void => {
    if (this.#port === undefined) this.flaws.push("the end before the subscription");
    if (this.#depth > 0) this.flaws.push("the end inside events");
    if (this.ends.length > 0) this.flaws.push("a second end");
    this.ends.push(reason);
    this.atEnd();
    // All that has come is looked at: a producer that has completed need not wait for it to come back.
    if (reason.type === "complete" && !this.#cancelled) this.#port?.end({ reason });
  };
}

/** Produces by hand, and watches: whatever a consumer may not do on a link becomes one of the `flaws`. */
export class ManualProducer<T = number> implements Attachable<T, object> {
  readonly name = "manual";
  readonly asks: number[] = [];
  readonly ends: End[] = [];
  readonly flaws: string[] = [];
  onAsk: (count: number) => void = () => {};
  onAttach: () => void = () => {};
  #port!: ConsumerPort<T>;
  #finished: Reason | undefined;
  #ending = false;

  "~attach"(port: ConsumerPort<T>): ProducerPort {
    this.#port = port;
    this.onAttach();
    return {
      ask: (count) => {
        if (!(count > 0)) this.flaws.push(`an ask of ${count}`);
        if (this.#ending) this.flaws.push("an ask inside the end");
        else if (this.#finished) this.flaws.push("an ask after the end");
        if (this.ends.length > 0) this.flaws.push("an ask after the cancel");
        this.asks.push(count);
        this.onAsk(count);
      },
      end: (end) => {
        // A good end is confirmed, or answered with what comes back; to a failure nothing is left to say.
        const empty = (end.unstarted ?? []).length === 0;
        if (this.#finished?.type === "failure" && empty)
          this.flaws.push(`a cancel ${this.#ending ? "inside" : "after"} the end`);
        if (this.ends.length > 0) this.flaws.push("a second cancel");
        this.ends.push(end);
      },
    };
  }
  /** All that was asked for. */
  get asked(): number {
    return this.asks.reduce((sum, ask) => sum + ask, 0);
  }
  /** What a consumer subscribes to. */
  get producer(): Producer<T> {
    return this as unknown as Producer<T>;
  }
  emit(...events: T[]): this {
    this.#port.events(events);
    return this;
  }
  finish(reason: Reason = complete): this {
    this.#finished = reason;
    this.#ending = true;
    this.#port.end({ reason });
    this.#ending = false;
    return this;
  }
}
