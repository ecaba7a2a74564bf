import { Readable } from "node:stream";
import type { Reason, Role, Subscription } from "../../src/index.ts";

/** How a callback fails: at once, or by the promise it answers with. */
export type How = "throw" | "reject";

/** A call of one of the user's functions. */
export interface Call {
  readonly stage: string;
  readonly callback: string;
  /** The stage at the other end of the subscription that the call is about, and this stage's part in it. */
  readonly peer?: string;
  readonly part?: "consumer" | "producer";
  readonly reason?: Reason;
}

/** What answers at once by contract: a promise would be its answer, not its failure. */
const SYNCHRONOUS: ReadonlySet<string> = new Set(["by", "hash", "selector", "onDiscard", "reduce", "step", "close"]);

export const describeCall = ({ stage, callback, peer, part }: Call): string =>
  `${callback} of ${stage}${peer === undefined ? "" : ` as ${part} of ${peer}`}`;

type Fn<Args extends readonly unknown[], Result> = (...args: Args) => Result;

/** A source as a test sees it: what has become of it. */
export type Source = () => "untouched" | "open" | "released" | "released again";

/** Counts the calls of every function handed to a graph, and lets one of them fail. */
export class Faults {
  readonly error: unknown;
  readonly calls: Call[] = [];
  readonly sources: Source[] = [];
  readonly #fails: (call: Call, at: number) => boolean;
  readonly #how: How;
  #failed = false;

  /** The first call that `fails` is right about fails; its number is counted from 1. */
  constructor(
    fails: (call: Call, at: number) => boolean = () => false,
    how: How = "throw",
    error: unknown = new Error("injected"),
  ) {
    this.#fails = fails;
    this.#how = how;
    this.error = error;
  }

  /** Whether a call can fail in that way. */
  static can(call: Call, how: How): boolean {
    return how === "throw" || !SYNCHRONOUS.has(call.callback);
  }

  /** Notes a call; whether it is the one to fail. */
  #note(call: Call): boolean {
    this.calls.push(call);
    if (this.#failed || !this.#fails(call, this.calls.length)) return false;
    this.#failed = true;
    return true;
  }

  wrap<Args extends readonly unknown[], Result>(
    stage: string,
    callback: string,
    fn: Fn<Args, Result>,
    about: (...args: Args) => Partial<Call> = () => ({}),
  ): Fn<Args, Result> {
    return (...args) => {
      if (!this.#note({ stage, callback, ...about(...args) })) return fn(...args);
      if (this.#how === "throw") throw this.error;
      return Promise.reject(this.error) as Result;
    };
  }

  /** Fails what answers by a callback of its own. */
  #fail(later: (error: Error) => void): void {
    if (this.#how === "throw") throw this.error;
    // Typed as an error by Node, which takes any value.
    setImmediate(() => later(this.error as Error));
  }

  /** The callbacks that every stage can have. */
  common(stage: string): {
    readonly init: () => void;
    readonly handleSubscribe: (role: Role, subscription: Subscription) => void;
    readonly handleCancel: (reason: Reason, subscription: Subscription) => void;
    readonly terminate: (reason: Reason) => void;
  } {
    const about = (subscription: Subscription): Partial<Call> =>
      subscription.consumer.name === stage
        ? { part: "consumer", peer: subscription.producer.name }
        : { part: "producer", peer: subscription.consumer.name };
    return {
      init: this.wrap(stage, "init", () => {}),
      handleSubscribe: this.wrap(
        stage,
        "handleSubscribe",
        (_role: Role, _subscription: Subscription) => {},
        (_role, subscription) => about(subscription),
      ),
      handleCancel: this.wrap(
        stage,
        "handleCancel",
        (_reason: Reason, _subscription: Subscription) => {},
        (_reason, subscription) => about(subscription),
      ),
      terminate: this.wrap(
        stage,
        "terminate",
        (_reason: Reason) => {},
        (reason) => ({ reason }),
      ),
    };
  }

  /** An iterable whose steps and whose closing are calls. */
  iterable<Event>(stage: string, events: readonly Event[]): Iterable<Event> {
    let at = 0;
    const source = this.#source();
    const next = this.wrap(stage, "step", (): IteratorResult<Event> => {
      if (at < events.length) return { done: false, value: events[at++] as Event };
      source.end();
      return { done: true, value: undefined };
    });
    const close = this.wrap(stage, "close", (): IteratorResult<Event> => ({ done: true, value: undefined }));
    return {
      [Symbol.iterator]: () => {
        source.open();
        return {
          next: () => source.guard(next),
          return: () => {
            source.close();
            return close();
          },
        };
      },
    };
  }

  /** An async iterable that now and then takes a turn to answer. */
  asyncIterable<Event>(stage: string, events: readonly Event[]): AsyncIterable<Event> {
    let at = 0;
    const source = this.#source();
    const next = this.wrap(stage, "next", async (): Promise<IteratorResult<Event>> => {
      if (at % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (at < events.length) return { done: false, value: events[at++] as Event };
      source.end();
      return { done: true, value: undefined };
    });
    const close = this.wrap(
      stage,
      "return",
      async (): Promise<IteratorResult<Event>> => ({
        done: true,
        value: undefined,
      }),
    );
    return {
      [Symbol.asyncIterator]: () => {
        source.open();
        return {
          next: async () => source.guard(next),
          return: async () => {
            source.close();
            return close();
          },
        };
      },
    };
  }

  /** A Readable whose `_read` and `_destroy` are calls. */
  readable(stage: string, chunks: readonly unknown[], objectMode: boolean): Readable {
    let at = 0;
    let released = 0;
    const readable: Readable = new Readable({
      objectMode,
      highWaterMark: objectMode ? 2 : 16,
      read: () => {
        if (this.#note({ stage, callback: "read" })) this.#fail((error) => readable.destroy(error));
        else readable.push(at < chunks.length ? chunks[at++] : null);
      },
      destroy: (error, done) => {
        released += 1;
        if (this.#note({ stage, callback: "destroy" })) this.#fail(done);
        else done(error);
      },
    });
    this.sources.push(() => {
      // Nobody listens any more either.
      if (released > 1) return "released again";
      return readable.closed && readable.eventNames().length === 0 ? "released" : "open";
    });
    return readable;
  }

  #source(): { open(): void; end(): void; close(): void; guard<T>(step: () => T): T } {
    let opened = 0;
    let closed = 0;
    let over = false;
    let wrong = false;
    this.sources.push(() => {
      if (opened === 0) return "untouched";
      if (wrong || opened > 1 || closed > 1) return "released again";
      return over || closed > 0 ? "released" : "open";
    });
    // What answers now is known to the stage a little later; until then it may still close.
    const end = (): void =>
      void setImmediate(() => {
        over = true;
      });
    return {
      open: () => {
        opened += 1;
      },
      end,
      // An iterator that is done or has failed is over by itself.
      close: () => {
        closed += 1;
        wrong ||= over;
      },
      guard: (step) => {
        try {
          const result = step();
          if (result instanceof Promise) result.catch(end);
          return result;
        } catch (error) {
          end();
          throw error;
        }
      },
    };
  }
}
