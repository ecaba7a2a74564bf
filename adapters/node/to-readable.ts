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
  /** Events in flight at most. @default the high-water mark in object mode, 1 otherwise */
  readonly maxDemand?: number | undefined;
}
/** With another make's class of Readable, readable-stream's say. */
export interface ToReadableOptionsWith<out Stream> extends ToReadableOptions {
  readonly Readable: ReadableClass<Stream>;
}
export type ToReadableArguments<SO extends object> = {} extends SO
  ? [options?: ToReadableOptions & SO]
  : [options: ToReadableOptions & SO];

type Destroy = ReadableSettings["destroy"];

/** Pushes arrived events into a Readable in turns, and asks when it is read. */
class ReadablePort extends Port {
  readonly #readable: PushLike;
  /** How many events of the first batch were pushed. */
  #at = 0;
  /** The Readable waits for a push. */
  #pulled = false;
  #closed: (() => void) | undefined;

  constructor(producer: PortSource, options: ResolvedSubscribeOptions, readable: PushLike) {
    super("toReadable", producer, options);
    this.#readable = readable;
  }

  /** A turn: arrived events go out, then the end, then the next ask. */
  override turn(): void {
    if (this.#closed) this.#closed();
    else {
      try {
        this.#pushAll();
      } finally {
        // A user's handler threw out of a push: the rest is for the next turn.
        if (this.arrived.size > 0) this.wake();
      }
      if (this.reason) this.#end(this.reason);
      else if (this.#pulled && this.active && !this.ended) this.#ask();
    }
  }

  readonly onRead = (): void => {
    this.#pulled = true;
    // Asks in a turn of its own: by then a flowing reader has emptied the Readable, and one ask serves for all.
    this.wake();
  };

  readonly onDestroy: Destroy = (error, callback) => {
    // Leaving a loop over the Readable destroys it with an AbortError: no failure.
    const failed = error !== null && error !== undefined && error.name !== "AbortError";
    const wasOpen = !this.ended;
    const rest = this.arrived.shift() ?? [];
    this.leave(failed ? { type: "cancel", reason: error } : { type: "cancel" }, rest.slice(this.#at));
    this.#at = 0;
    if (!wasOpen) {
      callback(error);
      return;
    }
    // `close` comes behind the turn in which the producer is told.
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
    // A waiting Readable takes an empty chunk for nothing, and waits for ever.
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

/** Why an event cannot be pushed: a Readable would take it for its end, or drop it. */
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
 * **Backpressures** asks when read: for the room below the high-water mark in object mode, else for `maxDemand` (1)
 * events.
 * **Completes** with `end` when the producer completes or is stopped. **Cancels** when the Readable is destroyed, by
 * `break` or a `signal` too: the rest goes back, and `close` follows. An error other than an AbortError is the reason.
 *
 * @throws ArgumentError as `subscribe` does. A failure of the producer destroys the Readable with it, a falsy one in
 * the `cause` of an Error; its buffer is lost then. An event `null`, or outside object mode neither string nor bytes,
 * destroys it with `ERR_STREAM_NULL_VALUES` or `ERR_INVALID_ARG_TYPE`.
 *
 * **Source** rules 7.1 to 7.3; `Readable.from`.
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
    // A signal aborted before has destroyed it: the producer is left as it is.
    if (!readable.destroyed) port.open();
  } catch (error) {
    readable.destroy();
    throw error;
  }
  return readable;
}
