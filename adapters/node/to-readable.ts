import { Readable } from "node:stream";
import { errorOf, isFailure, type NoOptions, Port, type PortSource } from "../../src/adapter/index.ts";
import type { Producer, Reason, ResolvedSubscribeOptions, SubscribeOptions } from "../../src/index.ts";
import { watchExit } from "./before-exit.ts";
import type { PushLike, ReadableClass, ReadableSettings } from "./like.ts";

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
export type ToReadableArguments<SO extends object> = {} extends SO
  ? [options?: ToReadableOptions & SO]
  : [options: ToReadableOptions & SO];

type Destroy = ReadableSettings["destroy"];

/** Pushes what comes into a Readable, in the runtime's turns, and asks when the Readable is read. */
class ReadablePort extends Port {
  readonly #readable: PushLike;
  /** Of the first batch arrived, how many events were pushed. */
  #at = 0;
  /** The Readable has asked and waits for a push. */
  #pulled = false;
  #closed: (() => void) | undefined;

  constructor(producer: PortSource, options: ResolvedSubscribeOptions, readable: PushLike) {
    super("toReadable", producer, options);
    this.#readable = readable;
  }

  /** A turn: what has arrived goes out, then the end if it has come, then the next ask. */
  override turn(): void {
    if (this.#closed) this.#closed();
    else {
      try {
        this.#pushAll();
      } finally {
        // A handler of the user's has thrown out of a push: the rest is for the next turn.
        if (this.arrived.size > 0) this.wake();
      }
      if (this.reason) this.#end(this.reason);
      else if (this.#pulled && this.active && !this.ended) this.#ask();
    }
  }

  readonly onRead = (): void => {
    this.#pulled = true;
    // Asked in a turn of its own: by then a reader that flows has emptied the Readable, and one ask serves for all.
    this.wake();
  };

  readonly onDestroy: Destroy = (error, callback) => {
    // Leaving a loop over the Readable destroys it with an AbortError: that is no failure.
    const failed = error !== null && error !== undefined && error.name !== "AbortError";
    const wasOpen = !this.ended;
    const rest = this.arrived.shift() ?? [];
    this.leave(failed ? { type: "cancel", reason: error } : { type: "cancel" }, rest.slice(this.#at));
    this.#at = 0;
    if (!wasOpen) {
      callback(error);
      return;
    }
    // `close` comes behind the turn in which the producer hears of it.
    this.#closed = () => {
      this.#closed = undefined;
      callback(error);
    };
    this.wake();
  };

  #pushAll(): void {
    for (let batch = this.arrived.at(0); batch; batch = this.arrived.at(0)) {
      if (this.#at === batch.length) {
        this.arrived.shift();
        this.#at = 0;
      } else {
        const event = batch[this.#at];
        this.#at += 1;
        this.pending -= 1;
        this.#push(event);
      }
    }
  }

  #push(event: unknown): void {
    const readable = this.#readable;
    const wrong = invalid(event, readable.readableObjectMode);
    if (wrong) readable.destroy(wrong);
    // A Readable that has asked takes an empty chunk for nothing, and waits for ever.
    else if (readable.readableObjectMode || !isEmpty(event)) {
      this.#pulled = false;
      readable.push(event);
    }
  }

  #ask(): void {
    const { readableObjectMode, readableHighWaterMark, readableLength } = this.#readable;
    const { maxDemand } = this.options;
    const room = readableObjectMode ? Math.min(maxDemand, readableHighWaterMark - readableLength) : maxDemand;
    const count = Math.max(1, room) - this.pending;
    if (count > 0) this.request(count);
  }

  #end(reason: Reason): void {
    this.told();
    if (isFailure(reason)) this.#readable.destroy(carried(errorOf(reason)));
    else this.#readable.push(null);
  }
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
  watchExit();
  // Before a Readable is made that nothing would destroy.
  Port.options(producer, {});
  const given: ToReadableOptionsWith<PushLike> = { Readable, ...options };
  const { Readable: Class, objectMode = true, highWaterMark, signal, maxDemand, ...rest } = given;
  let port: ReadablePort | undefined;
  const settings: ReadableSettings = {
    objectMode,
    ...(highWaterMark === undefined ? {} : { highWaterMark }),
    ...(signal === undefined ? {} : { signal }),
    read: () => port?.onRead(),
    destroy: (error, callback) => (port ? port.onDestroy(error, callback) : callback(error)),
  };
  const readable: PushLike = new Class(settings);
  try {
    const most = maxDemand ?? (objectMode ? Math.max(1, readable.readableHighWaterMark) : 1);
    const resolved = Port.options(producer, { ...rest, maxDemand: most }, { demand: "manual" });
    port = new ReadablePort(producer, resolved, readable);
    // A signal that had aborted before has destroyed it: the producer is left as it is.
    if (!readable.destroyed) port.open();
  } catch (error) {
    readable.destroy();
    throw error;
  }
  return readable;
}
