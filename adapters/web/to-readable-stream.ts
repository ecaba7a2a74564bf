import {
  argumentError,
  errorOf,
  isFailure,
  type NoOptions,
  Port,
  type PortSource,
  requireMember,
  requireOneOf,
  requireType,
} from "../../src/adapter/index.ts";
import type { Producer, Reason, ResolvedSubscribeOptions, StageOptions, SubscribeOptions } from "../../src/index.ts";
import type { ControllerLike, ReadableStreamClass, WebReadableStream } from "./like.ts";

interface Options extends Pick<SubscribeOptions, "data"> {
  /** Events, bytes, or units of `size` that the stream keeps ready. @default 0: nothing is asked for before a read */
  readonly highWaterMark?: number | undefined;
  /** Ends the stream at once with `signal.reason`. */
  readonly signal?: StageOptions["signal"];
  /**
   * Events in flight beyond those. **Units** events, from 1. @default the high-water mark, from 1 to 1000; 1 with
   * `size` or for bytes
   */
  readonly maxDemand?: number | undefined;
}
export interface ToReadableStreamOptions<in Out> extends Options {
  readonly type?: undefined;
  /** An event's size against the high-water mark. @default 1 */
  readonly size?: ((event: Out) => number) | undefined;
}
export interface ToByteStreamOptions extends Options {
  /** Makes a byte stream, which can be read into the reader's views. */
  readonly type: "bytes";
  readonly size?: undefined;
}
export type ToReadableStreamArguments<Out, SO extends object> = {} extends SO
  ? [options?: ToReadableStreamOptions<Out> & SO]
  : [options: ToReadableStreamOptions<Out> & SO];

/** A high-water mark for Infinity: sums up to it are exact to fractions, so that an empty queue shows. */
const MOST = 2 ** 32;

/** Passes on arrived events when the stream is pulled, then asks for more. */
class ReadableStreamPort extends Port {
  readonly #highWaterMark: number;
  readonly #bytes: boolean;
  readonly #signal: StageOptions["signal"];
  #controller!: ControllerLike;
  /** In the first batch: events passed on, and bytes of the next one. */
  #at = 0;
  #from = 0;
  /** The ask due for the events passed on: sent when the next one is pulled. */
  #ask: number;
  #pulled = false;
  /** The size of the last event passed on. */
  #last = 0;
  /** The stream is being fed, and pulls again meanwhile. */
  #feeding = false;
  #over = false;

  constructor(
    producer: PortSource,
    options: ResolvedSubscribeOptions,
    { highWaterMark = 0, type, signal }: ToByteStreamOptions | ToReadableStreamOptions<never>,
  ) {
    super("toReadableStream", producer, options);
    this.#highWaterMark = Math.min(highWaterMark, MOST);
    this.#bytes = type === "bytes";
    this.#signal = signal;
    this.#ask = this.window.open();
  }

  readonly onStart = (controller: ControllerLike): void => {
    this.#controller = controller;
  };

  start(): void {
    const signal = this.#signal;
    if (signal?.aborted) this.#onAbort();
    else {
      this.open();
      signal?.addEventListener("abort", this.#onAbort);
    }
  }

  override turn(): void {
    if (!this.#over) this.#feed();
  }

  readonly onPull = (): void => {
    this.#pulled = true;
    if (!this.#over) this.#feed();
  };

  /** Resolves once the producer has heard of it, and has ended if that ends it. */
  readonly onCancel = async (reason: unknown): Promise<void> => {
    const open = !this.ended;
    this.#leave(reason);
    const { producer } = this;
    if (!open || typeof producer.call !== "function") return;
    // A message behind the cancel. A stage that no longer handles it is ending.
    const heard = await producer.call(() => true).catch(() => false);
    if (!heard) await producer.done;
  };

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal?.reason;
    this.#controller.error(reason);
    this.#leave(reason);
  };

  #feed(): void {
    if (this.#feeding) return;
    this.#feeding = true;
    try {
      while (this.#wants() && this.#pass());
    } catch (error) {
      // The stream has failed with it: its size function threw, say.
      this.#leave(error);
    }
    this.#feeding = false;
    if (this.reason && this.arrived.size === 0) this.#end(this.reason);
  }

  /** Whether an event would be taken now. The ask of earlier ones goes out then. */
  #wants(): boolean {
    const wants = !this.#over && (this.#pulled || (this.#controller.desiredSize ?? 0) > 0);
    if (wants && this.#ask > 0) {
      const ask = this.#ask;
      this.#ask = 0;
      this.request(ask);
    }
    return wants;
  }

  /** Passes on the next event, if there is one. */
  #pass(): boolean {
    const batch = this.arrived.at(0);
    if (batch === undefined) return false;
    const event = batch[this.#at];
    if (this.#bytes) {
      if (!this.#passBytes(event)) return true;
    } else {
      this.#pulled = false;
      const before = this.#controller.desiredSize ?? 0;
      this.#controller.enqueue(event);
      // Passed to a waiting read, or of size 0, it leaves nothing; what was kept before may leave fractions.
      this.#last = before - (this.#controller.desiredSize ?? 0) || this.#last;
    }
    this.pending -= 1;
    this.#ask += this.window.handOver(1);
    this.#from = 0;
    this.#at += 1;
    if (this.#at === batch.length) {
      this.arrived.shift();
      this.#at = 0;
    }
    return true;
  }

  /** Copies bytes, since a stream takes memory that others may hold. True if none are left. */
  #passBytes(event: unknown): boolean {
    if (!ArrayBuffer.isView(event)) {
      const error = new TypeError(`expected events that are views of bytes, got ${typeof event}`);
      this.#controller.error(error);
      throw error;
    }
    const length = event.byteLength - this.#from;
    // An empty chunk is nothing to a stream that has pulled.
    if (length === 0) return true;
    this.#pulled = false;
    const bytes = new Uint8Array(event.buffer, event.byteOffset + this.#from, length);
    const request = this.#controller.byobRequest;
    const view = request?.view;
    if (!request || !view) {
      this.#controller.enqueue(bytes.slice());
      return true;
    }
    const count = Math.min(length, view.byteLength);
    new Uint8Array(view.buffer, view.byteOffset, count).set(bytes.subarray(0, count));
    this.#from += count;
    request.respond(count);
    return count === length;
  }

  /** Passes the producer's end on. A failed stream drops what it keeps, so that is waited for. */
  #end(reason: Reason): void {
    const controller = this.#controller;
    const failed = isFailure(reason);
    // If anything is kept, the last event is. Half of it, since sums of fractional sizes are inexact.
    if (failed && this.#highWaterMark - (controller.desiredSize ?? 0) > this.#last / 2) return;
    this.#finish();
    this.told();
    if (failed) controller.error(errorOf(reason));
    else {
      try {
        controller.close();
        // A read into a view waits until it is told that nothing comes.
        controller.byobRequest?.respond(0);
      } catch {
        // A view of wider elements is filled in part: the stream has failed with that, and tells its reader.
      }
    }
  }

  #leave(reason: unknown): void {
    if (this.#over) return;
    this.#finish();
    const first = this.arrived.shift() ?? [];
    const rest = first.slice(this.#at);
    if (this.#from > 0) {
      const { buffer, byteOffset, byteLength } = rest[0] as ArrayBufferView;
      rest[0] = new Uint8Array(buffer, byteOffset + this.#from, byteLength - this.#from);
    }
    this.leave({ type: "cancel", reason }, rest);
  }

  #finish(): void {
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Makes a web ReadableStream of a producer: a consumer of its own, subscribed at once.
 *
 * **Shape** one chunk per event; with `type: "bytes"` a copy of the bytes of each view.
 * **Units** `highWaterMark` in events, in bytes with that type, or in units of `size`; `maxDemand` in events.
 * **Backpressures** asks for nothing before the first read unless there is a high-water mark, then for `maxDemand`
 * events (1), and for more once half are passed on.
 * **Completes** when the producer completes or is stopped. **Cancels** when the stream is cancelled, by `break` or a
 * failing `pipeTo` too: the rest goes back; `cancel` resolves once the producer has heard of it, and has ended if that
 * ends it.
 *
 * @throws ArgumentError as `subscribe` does. A failure of the producer fails the stream by identity, behind earlier
 * events, or the promise of `cancel`. An event that is no view of bytes fails a byte stream with a TypeError.
 *
 * **Source** rules 7.1 to 7.3; `ReadableStream.from`.
 *
 * @example
 * const letters = toReadableStream(fromIterable(["a", "b", "c"]));
 * for await (const letter of letters) console.log(letter); // a, b, c
 */
export function toReadableStream<SO extends object = NoOptions>(
  producer: Producer<ArrayBufferView, SO>,
  options: ToByteStreamOptions & SO,
): WebReadableStream<Uint8Array<ArrayBuffer>>;
export function toReadableStream<Out, SO extends object = NoOptions>(
  producer: Producer<Out, SO>,
  ...options: ToReadableStreamArguments<Out, SO>
): WebReadableStream<Out>;
export function toReadableStream(
  producer: unknown,
  options: ToByteStreamOptions | ToReadableStreamOptions<never> = {},
): unknown {
  const { type, size, highWaterMark = 0, signal, maxDemand, ...rest } = options;
  requireOneOf("type", type, ["bytes"]);
  requireType("size", size, "function");
  if (typeof highWaterMark !== "number")
    throw argumentError("ERR_OPTION", "highWaterMark to be a number", highWaterMark);
  if (!(highWaterMark >= 0)) throw argumentError("ERR_RANGE", "highWaterMark to be 0 or more", highWaterMark);
  requireMember("signal", signal, "an AbortSignal", "aborted", "boolean");
  if (type && size) throw argumentError("ERR_OPTION", "no size for a byte stream", size);
  const most = type || size ? 1 : Math.max(1, Math.min(1000, Math.floor(highWaterMark)));
  const resolved = Port.options(producer, { ...rest, maxDemand }, { maxDemand: most, demand: "manual" });
  const port = new ReadableStreamPort(producer as PortSource, resolved, options);
  const { ReadableStream } = globalThis as unknown as { readonly ReadableStream: ReadableStreamClass };
  const stream = new ReadableStream(
    { type, start: port.onStart, pull: port.onPull, cancel: port.onCancel },
    { highWaterMark: Math.min(highWaterMark, MOST), ...(size && { size }) },
  );
  port.start();
  return stream;
}
