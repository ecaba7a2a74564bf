import { Readable } from "node:stream";
import { argumentError, words } from "../../src/errors.ts";
import {
  type ConsumerPort,
  type End,
  type Named,
  type NoOptions,
  type Producer,
  type ProducerPort,
  ProtocolError,
  type Reason,
  type ResolvedSubscribeOptions,
  type Runtime,
  type Stage,
  type SubscribeOptions,
  type Subscription,
  type SubscriptionState,
  type Task,
} from "../../src/index.ts";
import { subscribeOptions } from "../../src/options.ts";
import { errorOf, isFailure } from "../../src/protocol.ts";
import { defaultRuntime } from "../../src/runtime.ts";
import type { PushPeer, ReadableClass, ReadableSettings } from "./peer.ts";

export interface ToReadableOptions extends Pick<SubscribeOptions, "data"> {
  /** Whether events are objects; otherwise strings and bytes. @default true */
  readonly objectMode?: boolean | undefined;
  /** Events, or bytes, that the Readable keeps ready. @default the Readable's own */
  readonly highWaterMark?: number | undefined;
  /** Destroys the Readable. */
  readonly signal?: AbortSignal | undefined;
  /** Events asked for and not arrived at most. @default the high-water mark in object mode, 1 otherwise */
  readonly maxDemand?: number | undefined;
}
/** With a class of Readable of another make, readable-stream's say. */
export interface ToReadableOptionsWith<out Stream> extends ToReadableOptions {
  readonly Readable: ReadableClass<Stream>;
}
// biome-ignore lint/complexity/noBannedTypes: "can be left out" is what {} asks here
export type ToReadableArguments<SO extends object> = {} extends SO
  ? [options?: ToReadableOptions & SO]
  : [options: ToReadableOptions & SO];

type Attach<Out> = (port: ConsumerPort<Out>, options: object) => ProducerPort;

/** A consumer's end of a link that pushes what comes into a Readable, in the runtime's turns. */
class Outflow<Out> implements ConsumerPort<Out>, Subscription, Task {
  readonly name = "toReadable";
  readonly carries = true;
  readonly producer: Stage;
  readonly options: ResolvedSubscribeOptions;
  readonly readable: PushPeer;
  readonly #runtime: Runtime;
  readonly #most: number;
  #port: ProducerPort | undefined;
  state: SubscriptionState = "pending";
  /** Asked for and not arrived. */
  #expected = 0;
  #arrived: (readonly Out[])[] = [];
  /** Of the first batch arrived, how many events were pushed. */
  #at = 0;
  /** The Readable has asked and waits for a push. */
  #pulled = false;
  #reason: Reason | undefined;
  #closed: (() => void) | undefined;
  #scheduled = false;

  constructor(producer: Producer<Out, never>, { Readable: Class, ...given }: ToReadableOptionsWith<PushPeer>) {
    const { objectMode = true, highWaterMark, signal, maxDemand, ...rest } = given;
    const settings: ReadableSettings = {
      objectMode,
      ...(highWaterMark === undefined ? {} : { highWaterMark }),
      ...(signal === undefined ? {} : { signal }),
      read: this.#onRead,
      destroy: this.#onDestroy,
    };
    this.producer = producer;
    this.#runtime =
      (producer as { readonly "~core"?: { readonly runtime?: Runtime } })["~core"]?.runtime ?? defaultRuntime;
    this.readable = new Class(settings);
    this.#most = maxDemand ?? (objectMode ? Math.max(1, this.readable.readableHighWaterMark) : 1);
    this.options = subscribeOptions<SubscribeOptions>({ ...rest, maxDemand: this.#most, demand: "manual" }, undefined);
    try {
      this.#port = (producer["~attach"] as Attach<Out>)(this, this.options);
    } catch (error) {
      this.state = "ended";
      this.readable.destroy();
      throw error;
    }
    if (this.#reason === undefined) this.state = "active";
  }

  get subscription(): Subscription {
    return this;
  }

  get consumer(): Named {
    return this;
  }

  get pending(): number {
    return this.#expected + this.#waiting;
  }

  ask(): void {
    if (this.state !== "ended") throw argumentError("ERR_ASK_AUTOMATIC", "", words("a Readable's"));
  }

  cancel(reason?: unknown): void {
    this.#finish({ type: "cancel", reason });
  }

  resubscribe(): Subscription {
    throw argumentError("ERR_ASK_AUTOMATIC", "", words("a Readable's"));
  }

  events(batch: readonly Out[]): void {
    if (this.state === "ended" || batch.length === 0) return;
    this.#expected -= batch.length;
    if (this.#expected >= 0) this.#arrived.push(batch);
    else {
      const due = batch.length + this.#expected;
      const error = new ProtocolError("ERR_OVERDELIVERY", String(due), words(String(batch.length)));
      this.#expected = 0;
      if (due > 0) this.#arrived.push(batch.slice(0, due));
      this.#finish({ type: "failure", error }, batch.slice(due));
    }
    this.#wake();
  }

  end({ reason }: End): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.#reason = reason;
    this.#wake();
  }

  /** A turn: what has arrived goes out, then the end if it has come, then the next ask. */
  run(): void {
    this.#scheduled = false;
    if (this.#closed) this.#closed();
    else {
      try {
        this.#pushAll();
      } finally {
        // A handler of the user's has thrown out of a push: the rest is for the next turn.
        if (this.#arrived.length > 0) this.#wake();
      }
      if (this.#reason) this.#end(this.#reason);
      else if (this.#pulled && this.state === "active") this.#request();
    }
  }

  get #waiting(): number {
    return this.#arrived.reduce((sum, batch) => sum + batch.length, -this.#at);
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#runtime.schedule(this);
  }

  #pushAll(): void {
    for (let batch = this.#arrived[0]; batch; batch = this.#arrived[0]) {
      if (this.#at === batch.length) {
        this.#arrived.shift();
        this.#at = 0;
      } else {
        const event = batch[this.#at] as Out;
        this.#at += 1;
        this.#push(event);
      }
    }
  }

  #push(event: unknown): void {
    const { readable } = this;
    const wrong = invalid(event, readable.readableObjectMode);
    if (wrong) readable.destroy(wrong);
    // An empty chunk is no answer to a Readable: it would wait for ever.
    else if (readable.readableObjectMode || !isEmpty(event)) {
      this.#pulled = false;
      readable.push(event);
    }
  }

  #request(): void {
    const { readableObjectMode, readableHighWaterMark, readableLength } = this.readable;
    const room = readableObjectMode ? Math.min(this.#most, readableHighWaterMark - readableLength) : this.#most;
    const count = Math.max(1, room) - this.#expected;
    if (count <= 0) return;
    this.#expected += count;
    this.#port?.ask(count);
  }

  #end(reason: Reason): void {
    this.#reason = undefined;
    if (isFailure(reason)) this.readable.destroy(carried(errorOf(reason)));
    else this.readable.push(null);
  }

  /** Leaves the producer, and ends the Readable behind what has arrived. */
  #finish(reason: Reason, unstarted: readonly Out[] = []): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.#reason = reason;
    this.#port?.end({ reason, unstarted });
    this.#wake();
  }

  readonly #onRead = (): void => {
    this.#pulled = true;
    // Asked in a turn of its own: by then a reader that flows has emptied the Readable, and one ask serves for all.
    this.#wake();
  };

  readonly #onDestroy: ReadableSettings["destroy"] = (error, callback) => {
    const [first = [], ...others] = this.#arrived.splice(0);
    const unstarted = [first.slice(this.#at), ...others].flat(1);
    this.#at = 0;
    this.#reason = undefined;
    if (this.state === "ended") {
      if (unstarted.length > 0) this.#port?.end({ reason: { type: "cancel" }, unstarted });
      callback(error);
      return;
    }
    this.state = "ended";
    // Leaving a loop over the Readable destroys it with an AbortError: that is no failure.
    const failed = error !== null && error !== undefined && error.name !== "AbortError";
    this.#port?.end({ reason: failed ? { type: "cancel", reason: error } : { type: "cancel" }, unstarted });
    // `close` comes behind the turn in which the producer hears of it.
    this.#closed = () => {
      this.#closed = undefined;
      callback(error);
    };
    this.#wake();
  };
}

/** Why an event cannot be pushed, for what a Readable would take for its end, or drop. Others it refuses itself. */
function invalid(event: unknown, objectMode: boolean): Error | undefined {
  if (event === null)
    return Object.assign(new TypeError("expected events other than null, which would end the Readable"), {
      code: "ERR_STREAM_NULL_VALUES",
    });
  if (event === undefined && !objectMode)
    return Object.assign(new TypeError("expected events that are strings or bytes, got undefined"), {
      code: "ERR_INVALID_ARG_TYPE",
    });
  return undefined;
}

const isEmpty = (chunk: unknown): boolean => chunk === "" || (ArrayBuffer.isView(chunk) && chunk.byteLength === 0);

/** A Readable takes a falsy error for none. */
const carried = (error: unknown): unknown =>
  error ? error : new Error(`the producer failed with ${String(error) || '""'}`, { cause: error });

/**
 * Makes a Node Readable of a producer: a consumer of its own, subscribed at once.
 *
 * **Shape** one chunk per event; objects by default, strings and bytes with `objectMode: false`.
 * **Units** `highWaterMark` in events, in bytes without object mode; `maxDemand` in events.
 * **Backpressures** asks when the Readable is read: object mode for what the high-water mark leaves room for, bytes for
 * `maxDemand` (1) events at a time.
 * **Completes** with `end` when the producer has completed or was stopped. **Cancels** when the Readable is destroyed,
 * by an early `break` or a `signal` too: events that were not pushed go back, and `close` follows. With an error other
 * than an AbortError that error is the reason.
 *
 * @throws ArgumentError what `subscribe` throws: a partition that is taken, a producer that was stopped, wrong options. A
 * failure of the producer destroys the Readable with it, a falsy one in the `cause` of an Error; what the Readable had
 * buffered is lost then, as with any Readable. An event `null`, or one that is neither string nor bytes without object
 * mode, destroys it with `ERR_STREAM_NULL_VALUES` or `ERR_INVALID_ARG_TYPE`.
 *
 * **Source** rules 7.1 to 7.3; `Readable.from` for what ends and what is destroyed.
 *
 * @example
 * const letters = toReadable(fromIterable(["a", "b", "c"]));
 * letters.pipe(process.stdout);
 */
export function toReadable<Out, SO extends object, Stream>(
  producer: Producer<Out, SO>,
  options: ToReadableOptionsWith<Stream> & SO,
): Stream;
export function toReadable<Out, SO extends object = NoOptions>(
  producer: Producer<Out, SO>,
  ...options: ToReadableArguments<SO>
): Readable;
export function toReadable<Out, SO extends object>(
  producer: Producer<Out, SO>,
  ...[options]: ToReadableArguments<SO>
): unknown {
  if (typeof (producer as { "~attach"?: unknown } | null | undefined)?.["~attach"] !== "function")
    throw argumentError("ERR_NOT_PRODUCER", "", producer);
  return new Outflow<Out>(producer as Stage as Producer<Out, never>, { Readable, ...options }).readable;
}
