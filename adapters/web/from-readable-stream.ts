import { defaultDispatcher } from "../../src/dispatchers/demand.ts";
import { makeStage } from "../../src/stage/make-stage.ts";
import type { NoOptions } from "../../src/contract/dispatcher.ts";
import { argumentError } from "../../src/base/errors.ts";
import type { Discarded, Producer, ProducerOptions, Reason, SubscribeOptionsOf, Task } from "../../src/index.ts";
import { SourceHandle, PlainContext } from "../../src/stage/faces.ts";
import { requireType, requireInteger } from "../../src/base/check.ts";
import { errorOf, isFailure } from "../../src/base/reason.ts";
import type { Core } from "../../src/stage/core.ts";
import { coreOf } from "./core.ts";
import type { ReadableStreamLike, ReaderLike, ReadLike } from "./like.ts";

interface ReadingOptions {
  /**
   * Reads a byte stream into views of its own. **Units** bytes per view, from 1; an event holds that many at most.
   * @default chunks as they come
   */
  readonly byob?: number | undefined;
  /** Whether the stream stays open, and is only unlocked, when the producer ends before it. @default false */
  readonly preventCancel?: boolean | undefined;
}
export interface FromReadableStreamOptions<in Out, in out SO extends object = NoOptions>
  extends ProducerOptions<Out, SO>,
    ReadingOptions {}

/** How many chunks of bytes a link holds: about 1 MiB at 64 KiB each. */
const CHUNKS = 16;
/** Reads under way at most: as many as make a good batch, where a stream has its chunks ready. */
const READS = 64;

/** Reads what was asked for, several chunks at a time, and delivers as one batch what has come. */
class StreamSource<Out> implements Task {
  readonly #reader: ReaderLike<Out>;
  /** Bytes per view, 0 for a default reader. */
  readonly #byob: number;
  readonly #cancels: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #onCancel: ((cancelled: PromiseLike<unknown>) => void) | undefined;
  #core!: Core;
  /** Asked of `handleDemand` and not read yet. */
  #wanted = 0;
  #reading = 0;
  /** Reads to have under way. Of a stream that makes its chunks one by one a few are faster than many. */
  #most = READS;
  #batch: Out[] = [];
  #scheduled = false;
  /** The stream has closed. */
  #closed = false;
  #failed: { readonly error: unknown } | undefined;
  /** The end of the stream is passed on, or nobody is interested any more. */
  #over = false;
  /** What becomes of chunks that come too late. */
  #cause: Discarded["cause"] = "stop";

  constructor(
    reader: ReaderLike<Out>,
    { byob = 0, preventCancel = false }: ReadingOptions,
    signal: AbortSignal | undefined,
    onCancel: ((cancelled: PromiseLike<unknown>) => void) | undefined,
  ) {
    this.#reader = reader;
    this.#byob = byob;
    this.#cancels = !preventCancel;
    this.#signal = signal;
    this.#onCancel = onCancel;
  }

  /** Watches from the start: a stream that has ended is noticed without a read. */
  start(core: Core): void {
    this.#core = core;
    if (!this.#over) this.#reader.closed.then(this.#onClosed, this.#onError);
  }

  readonly handleDemand = (demand: number): void => {
    this.#wanted += demand;
    this.#read();
  };

  readonly terminate = (reason: Reason): PromiseLike<unknown> | undefined => {
    if (this.#over) return undefined;
    this.#over = true;
    if (isFailure(reason)) this.#cause = this.#signal?.aborted ? "abort" : "failure";
    const error = errorOf(reason);
    // A stream that has failed with it by itself says so again.
    const known = (second: unknown): void => {
      if (!isFailure(reason) || second !== error) throw second;
    };
    const cancelled = this.#cancels ? this.#reader.cancel(error).then(undefined, known) : undefined;
    if (cancelled) this.#onCancel?.(cancelled);
    // Reads under way have ended with the stream; in one that stays open they leave their chunks to the next reader.
    this.#reader.releaseLock();
    return cancelled;
  };

  /** A turn behind the chunks that were there at once, so that they make one batch. */
  run(): void {
    this.#scheduled = false;
    if (this.#batch.length > 0) this.#deliver();
    if (this.#over) return;
    if (!this.#failed && !this.#closed) this.#read();
    // What was read may still be on its way when the end is already known.
    else if (this.#reading === 0) {
      this.#over = true;
      this.#reader.releaseLock();
      if (this.#failed) this.#core.ends.fail(this.#failed.error, { after: "buffer" });
      else this.#core.ends.complete(true);
    }
  }

  #deliver(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#most = this.#reading > 0 ? Math.max(1, this.#most >> 1) : Math.min(READS, this.#most * 2);
    const late = this.#over;
    if (!late && this.#core.answer(batch)) return;
    // A stage that takes no more asks for no more. What it failed on is in its error.
    this.#wanted = 0;
    if (late || !this.#over) this.#core.outcome.discard(batch, this.#cause, this.#cancels);
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
    this.#core.runtime.schedule(this);
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
    // A view that the stream's source does not hand back is waited for no longer.
    if (this.#byob > 0) this.#core.runtime.clock.macrotask(this.#giveUp);
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

  /** Of a read or of the stream. Behind the end it is that of a reader which has let go. */
  readonly #onError = (error: unknown): void => {
    if (this.#over) return;
    this.#failed ??= { error };
    this.#wake();
  };
}

/**
 * Makes a producer of a web ReadableStream, any platform's.
 *
 * **Shape** one event per chunk, in order; with `byob`, one Uint8Array per view filled.
 * **Units** demand counts events. A link holds 16 of them by default if the stream is one of bytes (about 1 MiB), 1000
 * otherwise. `byob` in bytes.
 * **Backpressures** one read per event asked for, 64 under way at most, and fewer where chunks come one by one; the
 * stream holds what its own high-water mark says.
 * **Completes** when the stream closes, behind the chunks read. **Cancels** when its last consumer leaves, or at `stop`:
 * the stream is cancelled and unlocked, and `stop` fulfils once the stream's cancel hook has; `preventCancel` unlocks only.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no ReadableStream, a locked one, or with `byob` one that is not of bytes;
 * `ERR_OPTION`, `ERR_RANGE`: wrong options. What the stream fails with fails the producer by identity, behind the chunks
 * read; those in the stream's own queue are lost, as with any reader. What its cancel hook fails with goes to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `pipeTo` for what is cancelled, and with what.
 *
 * @example
 * const source = fromReadableStream(new Blob(["a mill and its race"]).stream());
 * for await (const chunk of source) console.log(chunk.length); // 19
 */
export function fromReadableStream<Out, SO extends object = NoOptions>(
  stream: ReadableStreamLike<Out>,
  options: FromReadableStreamOptions<Out, SO> = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  const { byob, preventCancel, ...rest } = options;
  return reading(stream, rest, { byob, preventCancel });
}

/** `onCancel` is told when the stream is cancelled. */
export function reading<Out, SO extends object>(
  stream: ReadableStreamLike<Out>,
  options: ProducerOptions<Out, SO>,
  reads: ReadingOptions,
  onCancel?: (cancelled: PromiseLike<unknown>) => void,
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  checkReadable(stream);
  requireInteger("byob", reads.byob, 1);
  requireType("preventCancel", reads.preventCancel, "boolean");
  const [reader, bytes] = readerOf(stream, reads.byob !== undefined);
  try {
    const source = new StreamSource<Out>(reader, reads, options.signal, onCancel);
    const stage = makeStage([SourceHandle, PlainContext], "producer", source, options, {
      dispatcher: defaultDispatcher,
      onLastCancel: "stop",
      defaultMaxDemand: bytes ? CHUNKS : undefined,
    });
    source.start(coreOf(stage));
    return stage as Producer<Out, SubscribeOptionsOf<SO, Out>>;
  } catch (error) {
    reader.releaseLock();
    throw error;
  }
}

/** A reader, and whether its stream is one of bytes: only those have readers that take views. */
function readerOf<Out>(stream: ReadableStreamLike<Out>, byob: boolean): readonly [ReaderLike<Out>, boolean] {
  let bytes = true;
  try {
    const reader = stream.getReader({ mode: "byob" }) as ReaderLike<Out>;
    if (byob) return [reader, bytes];
    reader.releaseLock();
  } catch (error) {
    if (byob) throw argumentError("ERR_NOT_SOURCE", "a ReadableStream of bytes", stream, error);
    bytes = false;
  }
  return [stream.getReader(), bytes];
}

export function checkReadable(value: unknown): void {
  const stream = value as Partial<ReadableStreamLike<unknown>> | null | undefined;
  if (typeof stream?.getReader !== "function") throw argumentError("ERR_NOT_SOURCE", "a ReadableStream", value);
  if (stream.locked) throw argumentError("ERR_NOT_SOURCE", "a ReadableStream that is not locked", value);
}
