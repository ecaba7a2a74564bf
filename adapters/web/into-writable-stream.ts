import {
  errorOf,
  isFailure,
  type OtherSide,
  refuse,
  requireType,
  sink,
  type SinkBehaviour,
  type SinkContext,
  type Told,
  toldErrors,
  words,
} from "../../src/adapter/index.ts";
import type { Consumer, Reason, StageOptions, Subscription } from "../../src/index.ts";
import type { WritableStreamLike, WriterLike } from "./like.ts";

/** An error of Node. */
interface Coded {
  readonly code?: unknown;
}
export interface IntoWritableStreamOptions extends StageOptions {
  /** Whether the stream stays open when the consumer completes or is stopped. @default false */
  readonly preventClose?: boolean | undefined;
  /** Whether the stream stays open when the consumer fails. @default false */
  readonly preventAbort?: boolean | undefined;
}

const closedElsewhere = (cause?: unknown): Error => new TypeError("the WritableStream was closed elsewhere", { cause });

/** Writes batches, as fast as the stream accepts them. */
class StreamSink<In> implements SinkBehaviour<In> {
  readonly #writer: WriterLike<In>;
  readonly #closes: boolean;
  readonly #aborts: boolean;
  #stage!: SinkContext;
  /** The readable side of the same transform: it tells the stream's outcome. */
  #source: OtherSide | undefined;
  /** The outcome is known, or the stage has ended. */
  #over = false;
  /** The stream has failed; the other side is to tell it. */
  #broken = false;
  /** The batch in hand, and how much of it is written. */
  #events: readonly In[] = [];
  #at = 0;
  #subscription: Subscription | undefined;
  #closing: PromiseLike<void> | undefined;
  /** Writes that the stream has not acknowledged. */
  #unwritten = 0;
  #wake: (() => void) | undefined;
  /** The `ready` being listened to: a pending one must not collect listeners. */
  #ready: PromiseLike<unknown> | undefined;
  #told: Told = toldErrors();

  constructor(writer: WriterLike<In>, { preventClose = false, preventAbort = false }: IntoWritableStreamOptions) {
    this.#writer = writer;
    this.#closes = !preventClose;
    this.#aborts = !preventAbort;
  }

  /** Watches from the start: a closed or failed stream is noticed without a write. */
  readonly begin = (stage: SinkContext): void => {
    this.#stage = stage;
    if (!this.#over) this.#writer.closed.then(this.#onClosed, this.#onBreak);
  };

  readonly couple = (source: OtherSide): void => {
    this.#source = source;
    this.#told = source.told;
  };

  readonly handleEvents = (events: readonly In[], subscription: Subscription): Promise<void> | undefined => {
    this.#events = events;
    this.#at = 0;
    this.#subscription = subscription;
    this.#write();
    return this.#at < events.length ? this.#rest() : undefined;
  };

  readonly handleEnd = (): PromiseLike<void> | undefined => {
    if (this.#closes) return this.#close();
    return this.#unwritten > 0 ? this.#written() : undefined;
  };

  readonly terminate = (reason: Reason): PromiseLike<unknown> | undefined => {
    const open = !this.#over && this.#isOpen;
    this.#over = true;
    if (this.#subscription) this.#stage.giveBack(this.#subscription, this.#events.slice(this.#at));
    // Writes that wait in a stream ended for this reason reject with it.
    if (isFailure(reason) || this.#left) this.#told.add(errorOf(reason));
    this.#rouse();
    if (open && this.#left) return this.#abortBehind(reason);
    const last = open ? this.#finish(reason) : undefined;
    this.#writer.releaseLock();
    return last;
  };

  #finish(reason: Reason): PromiseLike<unknown> | undefined {
    if (isFailure(reason)) return this.#abort(reason);
    return reason.type !== "complete" && this.#closes ? this.#close() : undefined;
  }

  #abort(reason: Reason): PromiseLike<unknown> | undefined {
    return this.#aborts ? this.#writer.abort(errorOf(reason)).then(undefined, this.#onError) : undefined;
  }

  /** A transform whose readable side is cancelled ends by that; one still open is aborted. */
  async #abortBehind(reason: Reason): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#source?.whenEnded(resolve);
    });
    if (this.#isOpen) await this.#abort(reason);
    this.#writer.releaseLock();
  }

  get #isOpen(): boolean {
    return this.#writer.desiredSize !== null;
  }

  /** The readable side ends before its stream. */
  get #left(): boolean {
    const reason = this.#source?.reason;
    return reason !== undefined && reason.type !== "complete";
  }

  /** A stream with a high-water mark of 0 never wants: it gets one event at a time. */
  get #room(): boolean {
    const { desiredSize } = this.#writer;
    return desiredSize !== null && (desiredSize > 0 || this.#unwritten === 0);
  }

  /** Writes on until the stream has enough. */
  #write(): void {
    const events = this.#events;
    try {
      while (this.#at < events.length && this.#room) {
        this.#unwritten += 1;
        this.#at += 1;
        this.#writer.write(events[this.#at - 1] as In).then(this.#onWritten, this.#onError);
      }
    } catch (cause) {
      // Node throws instead of rejecting when the stream is closing.
      this.#onBreak(closedElsewhere(cause));
    }
  }

  async #rest(): Promise<void> {
    while (this.#at < this.#events.length && !this.#over) {
      // oxlint-disable-next-line no-await-in-loop -- one wait after the other
      await this.#sleep();
      if (!this.#over) this.#write();
    }
  }

  /** Resolves once all writes are acknowledged. */
  async #written(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one wait after the other
    while (this.#unwritten > 0 && !this.#over) await this.#sleep();
  }

  /** Resolves when something has happened. */
  #sleep(): Promise<void> {
    const { ready } = this.#writer;
    if (ready !== this.#ready) {
      this.#ready = ready;
      // It rejects before the stream has failed, since a write in flight may take its time.
      ready.then(this.#rouse, this.#onBreak);
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly #rouse = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  #close(): PromiseLike<void> {
    this.#closing ??= this.#writer.close().then(this.#onFinished, this.#onError);
    return this.#closing;
  }

  readonly #onWritten = (): void => {
    this.#unwritten -= 1;
    if (this.#wake !== undefined && this.#room) this.#rouse();
  };

  readonly #onFinished = (): void => {
    this.#over = true;
  };

  readonly #onClosed = (): void => {
    if (this.#closing === undefined) this.#onBreak(closedElsewhere());
  };

  /** A transform that ended by itself refuses events with an error of the platform. */
  readonly #isEnough = (error: unknown, reason: Reason | undefined): boolean =>
    error instanceof TypeError &&
    (reason?.type === "complete" || (reason?.type === "failure" && (error as Coded).code === "ERR_INVALID_STATE"));

  /** Of a write, of `close` or `abort`. */
  readonly #onError = (error: unknown): void => {
    if (!this.#over) this.#onBreak(error);
    else if (!this.#isEnough(error, this.#source?.reason) && this.#told.add(error))
      this.#stage.report(error, "terminate");
  };

  /** Of the stream. Behind the end it is a released writer's. */
  readonly #onBreak = (error: unknown): void => {
    if (this.#over || this.#broken || this.#left) return;
    if (this.#source) this.#leaveTo(this.#source, error);
    else {
      this.#over = true;
      this.#told.add(error);
      this.#rouse();
      this.#stage.fail(error);
    }
  };

  /** A turn later, a readable side that failed with it has told so: the sources are left with that failure. */
  #leaveTo(source: OtherSide, error: unknown): void {
    this.#broken = true;
    source.defer(error, (reason) => this.#isEnough(error, reason));
    const run = (): void => {
      if (!source.reason || !isFailure(source.reason)) this.#stage.end({ type: "stop" });
    };
    this.#stage.runtime.schedule({ run });
  }
}

/**
 * Makes a consumer that writes into a web WritableStream of any platform.
 *
 * **Shape** one `write` per event.
 * **Units** events.
 * **Backpressures** writes while the stream's desired size is above 0, or one event at a time if it never is.
 * **Completes** with its source: the stream is closed, and `done` resolves after that; `preventClose` unlocks it once
 * all is written.
 * **Cancels** its source when the stream fails or is closed elsewhere. A failing source aborts the stream with its
 * error (`preventAbort`), a stopped one closes it.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no WritableStream, or a locked one; `ERR_OPTION`. An error of the stream
 * fails the consumer by identity; a TypeError if it was closed elsewhere. The stream's queue is lost then; the rest
 * goes back. Errors while it is aborted go to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `pipeTo`.
 *
 * @example
 * const { readable, writable } = new TextEncoderStream();
 * intoWritableStream(writable).subscribe(fromIterable(["a mill", " and its race"]));
 * console.log(await new Response(readable).text()); // a mill and its race
 */
export function intoWritableStream<In>(
  stream: WritableStreamLike<In>,
  options: IntoWritableStreamOptions = {},
): Consumer<In> {
  checkWritable(stream);
  const { preventClose, preventAbort } = options;
  requireType("preventClose", preventClose, "boolean");
  requireType("preventAbort", preventAbort, "boolean");
  const writer = stream.getWriter();
  try {
    return sink<In>(new StreamSink<In>(writer, options), options, { own: ["preventClose", "preventAbort"] });
  } catch (error) {
    writer.releaseLock();
    throw error;
  }
}

export function checkWritable(value: unknown): void {
  const stream = value as Partial<WritableStreamLike<never>> | null | undefined;
  if (typeof stream?.getWriter !== "function") refuse("ERR_NOT_SOURCE", "a WritableStream", value);
  if (stream.locked) refuse("ERR_NOT_SOURCE", "a WritableStream that is not locked", words("one with a writer"));
}
