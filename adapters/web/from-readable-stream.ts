import {
  argumentError,
  errorOf,
  isFailure,
  type NoOptions,
  type OtherSide,
  refuse,
  requireInteger,
  requireType,
  source,
  type SourceBehaviour,
  type SourceContext,
  type Told,
  toldErrors,
  words,
} from "../../src/adapter/index.ts";
import type { Producer, ProducerOptions, Reason, Runtime, SubscribeOptionsOf, Task } from "../../src/index.ts";
import type { ReadableStreamLike, ReaderLike, ReadLike } from "./like.ts";

interface ReadingOptions {
  /** Reads a byte stream into views. **Units** bytes per view, at most, from 1. @default chunks as they come */
  readonly byob?: number | undefined;
  /** Whether the stream stays open when the producer ends first. @default false */
  readonly preventCancel?: boolean | undefined;
}
export interface FromReadableStreamOptions<in Out, in out SO extends object = NoOptions>
  extends ProducerOptions<Out, SO>,
    ReadingOptions {}

/** Chunks of bytes in flight: about 1 MiB at 64 KiB each. */
const CHUNKS = 16;
/** Reads in flight at most. */
const READS = 64;

/** Reads on demand, several chunks at a time, in one batch. */
class StreamSource<Out> implements SourceBehaviour<Out>, Task {
  readonly #reader: ReaderLike<Out>;
  /** Bytes per view, 0 for a default reader. */
  readonly #byob: number;
  readonly #cancels: boolean;
  #stage!: SourceContext<Out>;
  #runtime!: Runtime;
  /** The writable side of the same transform. */
  #sink: OtherSide | undefined;
  #told: Told = toldErrors();
  /** Asked of `handleDemand` and not read yet. */
  #wanted = 0;
  #reading = 0;
  /** Reads in flight. A few are faster where chunks come one by one. */
  #most = READS;
  #batch: Out[] = [];
  #scheduled = false;
  /** The stream has closed. */
  #closed = false;
  #failed: { readonly error: unknown } | undefined;
  /** The end was passed on, or the stage has ended. */
  #over = false;

  constructor(reader: ReaderLike<Out>, { byob = 0, preventCancel = false }: ReadingOptions) {
    this.#reader = reader;
    this.#byob = byob;
    this.#cancels = !preventCancel;
  }

  /** Watches from the start: an ended stream is noticed without a read. */
  readonly begin = (stage: SourceContext<Out>): void => {
    this.#stage = stage;
    this.#runtime = stage.runtime;
    if (!this.#over) this.#reader.closed.then(this.#onClosed, this.#onError);
  };

  readonly couple = (sink: OtherSide): void => {
    this.#sink = sink;
    this.#told = sink.told;
  };

  readonly handleDemand = (demand: number): void => {
    this.#wanted += demand;
    this.#read();
  };

  readonly terminate = (reason: Reason): PromiseLike<unknown> | undefined => {
    if (this.#over) return undefined;
    this.#over = true;
    const error = errorOf(reason);
    // A stream that failed by itself repeats its error, and so does the other side of a transform.
    const onSecond = (second: unknown): void => {
      const known = isFailure(reason) && second === error;
      if (!known && this.#told.add(second)) throw second;
    };
    const cancelled = this.#cancels ? this.#reader.cancel(error).then(undefined, onSecond) : undefined;
    // Reads in flight have ended with the stream; in one that stays open they leave their chunks to the next reader.
    this.#reader.releaseLock();
    return cancelled;
  };

  /** A turn behind the chunks that were ready, so that they make one batch. */
  run(): void {
    this.#scheduled = false;
    if (this.#batch.length > 0) this.#deliver();
    if (this.#over) return;
    if (!this.#failed && !this.#closed) this.#read();
    // Chunks may still be in flight when the end is known.
    else if (this.#reading === 0) this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#reader.releaseLock();
    if (this.#failed) this.#stage.fail(this.#failed.error, { after: "buffer" });
    else {
      this.#stage.complete();
      // A transform that ends by itself has had enough. At the end of the input its writable side is closing.
      if (this.#sink && !this.#sink.reason) this.#sink.end({ type: "stop" });
    }
  }

  #deliver(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#most = this.#reading > 0 ? Math.max(1, this.#most >> 1) : Math.min(READS, this.#most * 2);
    const late = this.#over;
    if (!late && this.#stage.answer(batch)) return;
    // A stage that takes no more asks for no more. A batch it failed on is in its error.
    this.#wanted = 0;
    if (late || !this.#over) this.#stage.discard(batch);
  }

  #read(): void {
    const reader = this.#reader;
    const most = Math.min(this.#wanted, this.#most);
    while (this.#reading < most && !this.#closed && !this.#over) {
      this.#reading += 1;
      reader.read(this.#byob > 0 ? new Uint8Array(this.#byob) : undefined).then(this.#onRead, this.#onReadError);
    }
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#runtime.schedule(this);
  }

  readonly #onRead = ({ done, value }: ReadLike<Out>): void => {
    this.#reading -= 1;
    if (done) this.#closed = true;
    else {
      this.#wanted -= 1;
      this.#batch.push(value as Out);
    }
    this.#wake();
  };

  readonly #onClosed = (): void => {
    this.#closed = true;
    // A view that the source does not hand back is no longer waited for.
    if (this.#byob > 0) this.#runtime.clock.macrotask(this.#giveUp);
    this.#wake();
  };

  readonly #giveUp = (): void => {
    this.#reading = 0;
    this.#wake();
  };

  readonly #onReadError = (error: unknown): void => {
    this.#reading -= 1;
    this.#onError(error);
  };

  /** Of a read or of the stream. Behind the end it is a released reader's. */
  readonly #onError = (error: unknown): void => {
    if (this.#over) return;
    this.#failed ??= { error };
    this.#wake();
  };
}

/**
 * Makes a producer of a web ReadableStream of any platform.
 *
 * **Shape** one event per chunk; with `byob`, one Uint8Array per filled view.
 * **Units** events: 16 per subscription by default for bytes (about 1 MiB), 1000 otherwise. `byob` in bytes.
 * **Backpressures** one read per event asked for, 64 in flight at most, fewer where chunks come one by one.
 * **Completes** when the stream closes, behind the chunks read. **Cancels** when its last consumer leaves, or at
 * `stop`, which resolves after the stream's cancel hook; `preventCancel` unlocks only.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no ReadableStream, a locked one, or with `byob` one that is not of bytes;
 * `ERR_OPTION`, `ERR_RANGE`. An error of the stream fails the producer by identity, behind the chunks read; the
 * stream's queue is lost. An error of its cancel hook goes to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `pipeTo`.
 *
 * @example
 * const source = fromReadableStream(new Blob(["a mill and its race"]).stream());
 * for await (const chunk of source) console.log(chunk.length); // 19
 */
export function fromReadableStream<Out, SO extends object = NoOptions>(
  stream: ReadableStreamLike<Out>,
  options: FromReadableStreamOptions<Out, SO> = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  return reading(stream, options, ["byob", "preventCancel"]);
}

/** The same, alone or as one side of a transform; `own` names its further options. */
export function reading<Out, SO extends object>(
  stream: ReadableStreamLike<Out>,
  options: FromReadableStreamOptions<Out, SO>,
  own: readonly string[],
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  checkReadable(stream);
  requireInteger("byob", options.byob, 1);
  requireType("preventCancel", options.preventCancel, "boolean");
  const [reader, bytes] = readerOf(stream, options.byob !== undefined);
  try {
    return source<Out, SO>(new StreamSource<Out>(reader, options), options, {
      own,
      defaultMaxDemand: bytes ? CHUNKS : undefined,
    });
  } catch (error) {
    reader.releaseLock();
    throw error;
  }
}

/** A reader, and whether its stream is one of bytes: only those have readers for views. */
function readerOf<Out>(stream: ReadableStreamLike<Out>, byob: boolean): readonly [ReaderLike<Out>, boolean] {
  let bytes = true;
  try {
    const reader = stream.getReader({ mode: "byob" }) as ReaderLike<Out>;
    if (byob) return [reader, bytes];
    reader.releaseLock();
  } catch (error) {
    if (byob) throw argumentError("ERR_NOT_SOURCE", "a ReadableStream of bytes", words("one of other chunks"), error);
    bytes = false;
  }
  return [stream.getReader(), bytes];
}

export function checkReadable(value: unknown): void {
  const stream = value as Partial<ReadableStreamLike<unknown>> | null | undefined;
  if (typeof stream?.getReader !== "function") refuse("ERR_NOT_SOURCE", "a ReadableStream", value);
  if (stream.locked) refuse("ERR_NOT_SOURCE", "a ReadableStream that is not locked", words("one with a reader"));
}
