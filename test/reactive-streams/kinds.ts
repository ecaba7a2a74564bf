import {
  type BroadcastOptions,
  type Dispatcher,
  fromIterable,
  type Producer,
  type ProducerContext,
  producer,
  producerConsumer,
  type Runtime,
  runtime,
} from "../../src/index.ts";
import { range, VirtualClock } from "../support/runtime.ts";
import type { Failure } from "./harness.ts";

export interface Kind {
  readonly name: string;
  /** Ends without being asked when it has nothing to emit; the others see their end when they look for an event. */
  readonly eager: boolean;
  /** How many events it can be made with. */
  readonly most: number;
  /** How many events make a long run. */
  readonly many: number;
  readonly make: (count: number, failure?: Failure, options?: KindOptions) => Producer<number>;
}
export interface KindOptions {
  readonly onLastCancel?: "stop" | "continue";
}

/** Moves on by a tenth of a millisecond with each look: whoever works without end has to let the event loop turn. */
class TickingClock extends VirtualClock {
  #ticks = 0;
  override now(): number {
    this.#ticks += 1;
    return this.#ticks / 10;
  }
}
/** A strict runtime that keeps to its budget. */
export const tickingRuntime = (): Runtime => runtime({ clock: new TickingClock(), strict: true });

const finish = (stage: ProducerContext<number>, failure: Failure | undefined): void => {
  if (failure) stage.fail(failure.error, { after: "buffer" });
  else stage.complete();
};

/** Numbers from 0 to `count`, taken as they are asked for. */
class Numbers {
  readonly #count: number;
  #next = 0;
  constructor(count: number) {
    this.#count = count;
  }
  get over(): boolean {
    return this.#next === this.#count;
  }
  take(demand: number): number[] {
    const from = this.#next;
    // An endless source is still one of a test: who takes this many does not stop.
    if (from > 1_000_000) throw new Error("asked for more than a million events");
    this.#next = Math.min(this.#count, from + demand);
    return range(from, this.#next - 1);
  }
}

const pull: Kind = {
  name: "a pull function",
  eager: false,
  most: Number.POSITIVE_INFINITY,
  many: 100_000,
  make: (count, failure, options = {}) => {
    const numbers = new Numbers(count);
    return producer(
      (demand: number, stage: ProducerContext<number>): number[] => {
        const events = numbers.take(demand);
        if (numbers.over && events.length < demand) finish(stage, failure);
        return events;
      },
      { runtime: tickingRuntime(), ...options },
    );
  },
};

const object: Kind = {
  name: "an object that ends with its last event",
  eager: true,
  most: Number.POSITIVE_INFINITY,
  many: 100_000,
  make: (count, failure, options = {}) => {
    const numbers = new Numbers(count);
    return producer(
      {
        init(stage: ProducerContext<number>): void {
          if (numbers.over) finish(stage, failure);
        },
        handleDemand(demand: number, stage: ProducerContext<number>): number[] {
          const events = numbers.take(demand);
          if (numbers.over) finish(stage, failure);
          return events;
        },
      },
      { runtime: tickingRuntime(), ...options },
    );
  },
};

const promised: Kind = {
  name: "an object that answers with promises",
  eager: false,
  most: Number.POSITIVE_INFINITY,
  many: 10_000,
  make: (count, failure, options = {}) => {
    const numbers = new Numbers(count);
    return producer(
      {
        async handleDemand(demand: number, stage: ProducerContext<number>): Promise<number[]> {
          await Promise.resolve();
          const events = numbers.take(demand);
          if (events.length < demand) finish(stage, failure);
          return events;
        },
      },
      { runtime: tickingRuntime(), ...options },
    );
  },
};

const later: Kind = {
  name: "an object that pushes later",
  eager: false,
  most: Number.POSITIVE_INFINITY,
  many: 10_000,
  make: (count, failure, options = {}) => {
    const numbers = new Numbers(count);
    return producer(
      {
        handleDemand(demand: number, stage: ProducerContext<number>): void {
          setImmediate(() => {
            if (stage.signal.aborted) return;
            const events = numbers.take(demand);
            stage.push(events);
            if (events.length < demand) finish(stage, failure);
          });
        },
      },
      { runtime: tickingRuntime(), ...options },
    );
  },
};

const ahead: Kind = {
  name: "a buffer that was filled ahead",
  eager: true,
  most: 100_000,
  many: 100_000,
  make: (count, failure, options = {}) => {
    const stage = producer<number, object, number, number, number>(
      { handleDemand: () => {} },
      { runtime: tickingRuntime(), bufferSize: Number.POSITIVE_INFINITY, ...options },
    );
    stage.push(range(0, count - 1));
    if (failure) stage.fail(failure.error, { after: "buffer" });
    else stage.complete();
    return stage;
  },
};

const iterable: Kind = {
  name: "fromIterable, synchronous",
  eager: false,
  most: Number.POSITIVE_INFINITY,
  many: 100_000,
  make: (count, failure, options = {}) => {
    function* numbers(): Generator<number> {
      for (let next = 0; next < count; next += 1) yield next;
      if (failure) throw failure.error;
    }
    return fromIterable(numbers(), { runtime: tickingRuntime(), ...options });
  },
};

const asyncIterable: Kind = {
  name: "fromIterable, asynchronous",
  eager: false,
  most: Number.POSITIVE_INFINITY,
  many: 10_000,
  make: (count, failure, options = {}) => {
    async function* numbers(): AsyncGenerator<number> {
      await Promise.resolve();
      for (let next = 0; next < count; next += 1) yield next;
      if (failure) throw failure.error;
    }
    return fromIterable(numbers(), { runtime: tickingRuntime(), ...options });
  },
};

/** A stage that forwards what it gets, with up to 16 events under way. */
export function identity(
  source: Producer<number>,
  options: KindOptions & { readonly dispatcher?: Dispatcher<number, BroadcastOptions> | undefined } = {},
) {
  const stage = producerConsumer((events: readonly number[]): readonly number[] => events, {
    runtime: tickingRuntime(),
    ...options,
  });
  stage.subscribe(source, { maxDemand: 16 });
  return stage;
}

const forwarded: Kind = {
  name: "a producerConsumer that forwards",
  eager: true,
  most: Number.POSITIVE_INFINITY,
  many: 10_000,
  make: (count, failure, options) => identity(pull.make(count, failure, options), options),
};

/** Every kind of source there is. */
export const kinds: readonly Kind[] = [pull, object, promised, later, ahead, iterable, asyncIterable, forwarded];
export { iterable as iterableKind, pull as pullKind };
