import type { Reason } from "../contract/reason.ts";
import { producer } from "../index.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { NoOptions } from "../contract/dispatcher.ts";
import type { Producer, ProducerContext, ProducerStage } from "../contract/stage.ts";
import type { SinkProbe, ThroughProbe } from "./adapter.ts";

export interface Codec {
  readonly encode: (n: number) => unknown;
  readonly decode: (event: unknown) => readonly number[];
}

/** A well-behaved source of numbers. It records sent events, and consumers that leave. */
export class Feed {
  readonly producer: ProducerStage<unknown>;
  readonly left: Reason[] = [];
  /** Returned events that found no consumer. */
  readonly discarded: unknown[] = [];
  sent = 0;
  readonly count: number;
  readonly #failure: { readonly error: unknown } | undefined;
  readonly #encode: Codec["encode"];

  constructor(runtime: Runtime, codec: Codec, count: number, failure?: { readonly error: unknown }) {
    this.count = count;
    this.#failure = failure;
    this.#encode = codec.encode;
    this.producer = producer<unknown, NoOptions, unknown, unknown, unknown>(
      {
        init: (stage: ProducerContext<unknown>) => {
          if (count === 0) this.#end(stage);
        },
        handleDemand: (demand: number, stage: ProducerContext<unknown>): void => this.#answer(demand, stage),
        handleCancel: (reason: Reason) => void this.left.push(reason),
      },
      {
        runtime,
        name: "feed",
        onDiscard: ({ events }) => void this.discarded.push(...events),
        // A feed fails for its consumers' sake.
        onReport: () => {},
      },
    );
  }

  /** The producer, for stages that must not know the type of its events. */
  get source(): Producer<never> {
    return this.producer as unknown as Producer<never>;
  }

  #answer(demand: number, stage: ProducerContext<unknown>): void {
    const events: unknown[] = [];
    while (events.length < demand && this.sent < this.count) {
      events.push(this.#encode(this.sent));
      this.sent += 1;
    }
    if (events.length > 0) stage.push(events);
    if (this.sent === this.count) this.#end(stage);
  }

  #end(stage: ProducerContext<unknown>): void {
    if (this.#failure) stage.fail(this.#failure.error, { after: "buffer" });
    else stage.complete();
  }
}

/** The kit's view of a foreign sink, and its control of it. */
export class Held implements SinkProbe {
  readonly seen: number[] = [];
  readonly failures: unknown[] = [];
  ended = 0;
  /** Peak number of events at once in the foreign sink. */
  most = 0;
  held = false;
  holdsEnd = false;
  /** The number at which the foreign sink fails. */
  failsAt: number | undefined;
  failsAtEnd = false;
  error: unknown;
  /** Called for each event. */
  each: (() => void) | undefined;
  readonly #codec: Codec;
  readonly #flaws: string[];
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #broken = false;

  constructor(codec: Codec, flaws: string[]) {
    this.#codec = codec;
    this.#flaws = flaws;
  }

  /** Releases everything, for good. */
  release(): void {
    this.held = false;
    this.holdsEnd = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  event(event: unknown): Promise<void> | undefined {
    const numbers = this.#codec.decode(event);
    if (this.ended > 0) this.#flaws.push("rule 2.4: the foreign sink was given an event after its end");
    if (this.failures.length > 0) this.#flaws.push("rule 2.4: the foreign sink was given an event after a failure");
    this.seen.push(...numbers);
    this.each?.();
    this.most = Math.max(this.most, this.#running + 1);
    if (this.failsAt !== undefined && numbers.includes(this.failsAt)) return this.#fail();
    if (!this.held) return undefined;
    this.#running += 1;
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        this.#running -= 1;
        resolve();
      });
    });
  }

  end(): Promise<void> | undefined {
    this.ended += 1;
    if (this.ended > 1) this.#flaws.push("rule 7.3: the foreign sink was ended twice");
    if (this.failures.length > 0) this.#flaws.push("rule 2.4: the foreign sink was ended after a failure");
    if (this.failsAtEnd) return this.#fail();
    if (!this.holdsEnd) return undefined;
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  fail(error: unknown): void {
    // A foreign sink that fails by itself may report it.
    if (this.#broken) return;
    this.failures.push(error);
    if (this.failures.length > 1) this.#flaws.push("rule 7.3: the foreign sink was failed twice");
  }

  #fail(): Promise<void> {
    this.#broken = true;
    return Promise.reject(this.error);
  }
}

/** The foreign transform's behaviour: identity, unless told otherwise. */
export class Identity implements ThroughProbe {
  readonly seen: number[] = [];
  failsAt: number | undefined;
  endsAfter: number | undefined;
  error: unknown;
  last: readonly number[] = [];
  readonly #codec: Codec;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  get over(): boolean {
    return this.endsAfter !== undefined && this.seen.length >= this.endsAfter;
  }

  transform(event: unknown): readonly unknown[] {
    if (this.over) return [];
    const numbers = this.#codec.decode(event);
    this.seen.push(...numbers);
    if (this.failsAt !== undefined && numbers.includes(this.failsAt)) throw this.error;
    return [event];
  }

  flush(): readonly unknown[] {
    return this.last.map(this.#codec.encode);
  }
}
