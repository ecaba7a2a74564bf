import type {
  Attachable,
  ConsumerPort,
  DispatcherLink,
  End,
  Producer,
  ProducerPort,
  Reason,
  Role,
  Stage,
  Subscription,
} from "../../src/index.ts";

/** What a stage has seen, in order: a word and what came with it. */
export type Log = (readonly [what: string, ...details: unknown[]])[];

/** Records the life of a stage; the subscriptions its callbacks got stand in `seen`. */
class Watching {
  readonly log: Log;
  readonly seen: Subscription[] = [];

  constructor(log: Log = []) {
    this.log = log;
  }
  handleSubscribe(role: Role, subscription: Subscription): void {
    this.seen.push(subscription);
    this.log.push(["subscribed", role]);
  }
  handleCancel(reason: Reason, subscription: Subscription): void {
    this.seen.push(subscription);
    this.log.push(["cancelled", reason]);
  }
  terminate(reason: Reason): void {
    this.log.push(["terminated", reason]);
  }
}

/** Answers each demand with the next numbers, `answers` times; later demands are only recorded. */
export class Counter extends Watching {
  readonly demands: number[] = [];
  #next: number;
  #answers: number;

  constructor(answers: number, next = 0, log: Log = []) {
    super(log);
    this.#next = next;
    this.#answers = answers;
  }
  handleDemand(demand: number): number[] {
    this.demands.push(demand);
    if (this.#answers === 0) return [];
    this.#answers -= 1;
    this.#next += demand;
    return Array.from({ length: demand }, (_, i) => this.#next - demand + i);
  }
}

/** Records each demand and answers none. */
export class Quiet<Out> extends Watching {
  readonly demands: number[] = [];

  handleDemand(demand: number): Out[] {
    this.demands.push(demand);
    return [];
  }
}

/** Emits one event for each demand, the demand itself, `answers` times. */
export class DemandProducer {
  readonly demands: number[] = [];
  #answers: number;

  constructor(answers: number) {
    this.#answers = answers;
  }
  handleDemand(demand: number): number[] {
    this.demands.push(demand);
    this.#answers -= 1;
    return this.#answers < 0 ? [] : [demand];
  }
}

/** Emits every event twice. */
export class Doubler<T> extends Watching {
  readonly handled: (readonly T[])[] = [];

  handleEvents(events: readonly T[], subscription: Subscription): T[] {
    this.handled.push(events);
    this.seen.push(subscription);
    this.log.push(["handled", events]);
    return events.flatMap((event) => [event, event]);
  }
}

/** Takes events and emits none. */
export class Discarder<T> extends Watching {
  readonly handled: (readonly T[])[] = [];

  handleEvents(events: readonly T[]): T[] {
    this.handled.push(events);
    return [];
  }
}

/** A consumer that records its batches. */
export class Forwarder<T> extends Watching {
  readonly batches: (readonly T[])[] = [];

  handleEvents(events: readonly T[]): void {
    this.batches.push(events);
    this.log.push(["consumed", events]);
  }
}

/** A consumer that never finishes its first batch. */
export class Sleeper<T> {
  readonly batches: (readonly T[])[] = [];

  handleEvents(events: readonly T[]): Promise<void> {
    this.batches.push(events);
    return new Promise<void>(() => {});
  }
}

/** Speaks the consumer's side of a link by hand. */
export class RawConsumer<T> implements ConsumerPort<T> {
  readonly name: string;
  readonly consumer: object = this;
  readonly carries = false;
  readonly subscription: Subscription;
  readonly batches: (readonly T[])[] = [];
  readonly ends: Reason[] = [];
  readonly log: Log;
  port!: ProducerPort;

  constructor(name = "raw", log: Log = []) {
    this.name = name;
    this.log = log;
    // A stage only hands it on to its callbacks, and reads these two in inspect().
    this.subscription = { state: "active", pending: 0, options: {} } as Subscription;
  }
  attach<SO extends object>(producer: Producer<T, SO>, options: Partial<SO> = {}): this {
    this.port = (producer as unknown as Attachable<T, object>)["~attach"](this, options);
    return this;
  }
  ask(count: number): this {
    this.port.ask(count);
    return this;
  }
  /** Ends the link from this side. */
  leave(reason: Reason = { type: "cancel" }, unstarted: readonly T[] = []): this {
    this.port.end({ reason, unstarted });
    return this;
  }
  readonly events = (batch: readonly T[]): void => {
    this.batches.push(batch);
    this.log.push(["events", batch]);
  };
  /** Whether it says, when its producer has completed, that it has started all events. Otherwise that is for `leave`. */
  confirms = true;
  readonly end = ({ reason }: End): void => {
    this.ends.push(reason);
    this.log.push(["end", reason]);
    if (this.confirms && reason.type === "complete") (this.port as ProducerPort | undefined)?.end({ reason });
  };
}

/** Speaks the producer's side of one link by hand. */
export class RawProducer<T> implements Attachable<T, object> {
  readonly name = "raw producer";
  readonly asks: number[] = [];
  readonly ends: End[] = [];
  port!: ConsumerPort<T>;

  "~attach"(port: ConsumerPort<T>): ProducerPort {
    this.port = port;
    return { ask: (count) => void this.asks.push(count), end: (end) => void this.ends.push(end) };
  }
  /** What a consumer subscribes to. */
  get producer(): Producer<T> {
    return this as unknown as Producer<T>;
  }
}

/** A dispatcher's link that records what it is given. */
export class FakeLink<T> implements DispatcherLink {
  readonly name: string;
  readonly consumer: object;
  readonly failures: unknown[] = [];
  #log: Log;
  #fresh: (readonly T[])[] = [];

  constructor(name: string, log: Log = [], consumer: object = {}) {
    this.name = name;
    this.consumer = consumer;
    this.#log = log;
  }
  readonly deliver = (events: readonly unknown[]): void => {
    this.#fresh.push(events as readonly T[]);
    this.#log.push([this.name, events]);
  };
  readonly fail = (error: unknown): void => void this.failures.push(error);
  /** The batches delivered since the last look. */
  take(): readonly (readonly T[])[] {
    return this.#fresh.splice(0);
  }
}

/** How a stage ended: `"fulfilled"`, or what `done` rejected with. To be called before it ends. */
export const outcome = (stage: Stage): Promise<unknown> =>
  stage.done.then(
    () => "fulfilled",
    (error: unknown) => error,
  );

/** The code of the error that a call throws, or undefined. */
export function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

/** A list of consecutive batches of the given sizes. */
export function cut(from: number, sizes: readonly number[]): number[][] {
  let next = from;
  return sizes.map((size) => Array.from({ length: size }, () => next++));
}

export const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
