import type { StageContext } from "../../src/contract/stage.ts";
import { argumentError } from "../../src/base/errors.ts";
import {
  type Consumer,
  type ConsumerBehaviour,
  consumer,
  type Reason,
  type StageOptions,
  type Subscription,
} from "../../src/index.ts";
import { requireType } from "../../src/base/check.ts";
import { unread } from "../../src/adapter/unread.ts";
import { errorOf, isFailure } from "../../src/base/reason.ts";
import type { Core } from "../../src/stage/core.ts";
import { coreOf } from "./core.ts";
import type { WritableStreamLike, WriterLike } from "./like.ts";

export interface IntoWritableStreamOptions extends StageOptions {
  /** Whether the stream stays open, and is only unlocked, when the consumer completes or is stopped. @default false */
  readonly preventClose?: boolean | undefined;
  /** Whether the stream stays open, and is only unlocked, when the consumer fails. @default false */
  readonly preventAbort?: boolean | undefined;
}

const closedElsewhere = (cause?: unknown): Error =>
  new TypeError("the WritableStream was closed by somebody else", { cause });

/** Writes batches, as fast as the stream lets it. */
export class StreamSink<In> implements ConsumerBehaviour<In> {
  readonly #writer: WriterLike<In>;
  readonly #closes: boolean;
  readonly #aborts: boolean;
  readonly #onBroken: ((error: unknown) => void) | undefined;
  #core!: Core;
  /** The stream's outcome is known, or nobody is interested any more. */
  #over = false;
  /** The batch in hand, and how much of it is written. */
  #events: readonly In[] = [];
  #at = 0;
  #giveBack: () => void = () => {};
  /** Somebody else tells what has become of the stream. */
  #muted = false;
  #closing: PromiseLike<void> | undefined;
  /** Writes that the stream has not acknowledged. */
  #unwritten = 0;
  #wake: (() => void) | undefined;
  /** The `ready` that is listened to: one that never fulfils must not collect listeners. */
  #ready: PromiseLike<unknown> | undefined;
  /** The errors this stage knows already. */
  readonly #known = new Set<unknown>();

  constructor(
    writer: WriterLike<In>,
    { preventClose = false, preventAbort = false }: IntoWritableStreamOptions,
    onBroken: ((error: unknown) => void) | undefined,
  ) {
    this.#writer = writer;
    this.#closes = !preventClose;
    this.#aborts = !preventAbort;
    this.#onBroken = onBroken;
  }

  /** Watches from the start: a stream that has closed or failed is noticed without a write. */
  start(core: Core): void {
    this.#core = core;
    if (!this.#over) this.#writer.closed.then(this.#onClosed, this.#onBreak);
  }

  /** From now on the stream ends because its other side was cancelled. */
  mute(cancelled: PromiseLike<unknown>): void {
    this.#muted = true;
    cancelled.then(undefined, (error: unknown) => this.#known.add(error));
  }

  readonly handleEvents = (
    events: readonly In[],
    subscription: Subscription,
    stage: StageContext,
  ): Promise<void> | undefined => {
    this.#events = events;
    this.#at = 0;
    this.#giveBack = () => unread(stage, subscription, events.slice(this.#at));
    this.#write();
    return this.#at < events.length ? this.#rest() : undefined;
  };

  readonly handleEnd = (): PromiseLike<void> | undefined => {
    if (this.#closes) return this.#close();
    return this.#unwritten > 0 ? this.#written() : undefined;
  };

  readonly terminate = (reason: Reason): PromiseLike<unknown> | undefined => {
    const writer = this.#writer;
    const open = !this.#over && writer.desiredSize !== null;
    this.#over = true;
    this.#giveBack();
    // Writes that wait in a stream which ends for it reject with the reason.
    if (isFailure(reason) || this.#muted) this.#known.add(errorOf(reason));
    this.#rouse();
    let last: PromiseLike<unknown> | undefined;
    if (open && (isFailure(reason) || this.#muted)) {
      if (this.#aborts) last = writer.abort(errorOf(reason)).then(undefined, this.#onError);
    } else if (open && reason.type !== "complete" && this.#closes) last = this.#close();
    writer.releaseLock();
    return last;
  };

  /** A stream whose high-water mark is 0 never wants anything: it gets one event at a time. */
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
      // Node throws what should be a rejection, when the stream is closing.
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

  /** Fulfils when all writes are acknowledged. */
  async #written(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one wait after the other
    while (this.#unwritten > 0 && !this.#over) await this.#sleep();
  }

  /** Fulfils when something has happened. */
  #sleep(): Promise<void> {
    const { ready } = this.#writer;
    if (ready !== this.#ready) {
      this.#ready = ready;
      // It rejects before the stream has failed, for a write under way may take its time.
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

  /** A transform that ended by itself refuses what comes with an error of the platform. */
  #isEnough(error: unknown): boolean {
    return error instanceof TypeError && this.#core.partner?.outcome.reason?.type === "complete";
  }

  /** Of a write, of `close` or `abort`. */
  readonly #onError = (error: unknown): void => {
    if (!this.#over) this.#onBreak(error);
    else if (!this.#known.has(error) && !this.#isEnough(error)) {
      this.#known.add(error);
      this.#core.report.tell(error, "terminate");
    }
  };

  /** Of the stream. Behind the end it is that of a writer which has let go. */
  readonly #onBreak = (error: unknown): void => {
    if (this.#over || this.#muted) return;
    this.#known.add(error);
    if (this.#onBroken) {
      this.#muted = true;
      this.#onBroken(error);
      return;
    }
    this.#over = true;
    this.#rouse();
    this.#core.ends.fail(error);
  };
}

/**
 * Makes a consumer that writes into a web WritableStream, any platform's.
 *
 * **Shape** one `write` per event, in order. Nothing is converted.
 * **Units** events; the stream's high-water mark is its own.
 * **Backpressures** writes while the stream's desired size is above 0, or one event at a time if it never is. What is on
 * its way stays within the subscription's maxDemand.
 * **Completes** when its source has completed: the stream is closed, and `done` fulfils when it has; `preventClose`
 * unlocks it once everything is written.
 * **Cancels** its source when the stream fails or was closed by somebody else. A failing source aborts the stream with its
 * error (`preventAbort`), a stopped one closes it.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no WritableStream, or a locked one; `ERR_OPTION`: wrong options. What the stream
 * fails with, its `close` hook included, fails the consumer by identity; a TypeError if somebody else closed it. The batch
 * in hand is lost then; batches behind it go back. What fails while it is aborted goes to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `pipeTo` for what is closed and what is aborted.
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
  return writing(stream, options)[0];
}

/** `onBroken` is told what the stream fails with, instead of the stage; its events are held until the stage ends. */
export function writing<In>(
  stream: WritableStreamLike<In>,
  options: IntoWritableStreamOptions,
  onBroken?: (error: unknown) => void,
): readonly [Consumer<In>, StreamSink<In>] {
  checkWritable(stream);
  const { preventClose, preventAbort, ...rest } = options;
  requireType("preventClose", preventClose, "boolean");
  requireType("preventAbort", preventAbort, "boolean");
  const writer = stream.getWriter();
  try {
    const sink = new StreamSink<In>(writer, options, onBroken);
    const stage = consumer<In>(sink, rest);
    sink.start(coreOf(stage));
    return [stage, sink];
  } catch (error) {
    writer.releaseLock();
    throw error;
  }
}

export function checkWritable(value: unknown): void {
  const stream = value as Partial<WritableStreamLike<never>> | null | undefined;
  if (typeof stream?.getWriter !== "function") throw argumentError("ERR_NOT_SOURCE", "a WritableStream", value);
  if (stream.locked) throw argumentError("ERR_NOT_SOURCE", "a WritableStream that is not locked", value);
}
