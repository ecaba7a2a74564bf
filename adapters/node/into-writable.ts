import { makeStage, consumerFaces } from "../../src/stage/make-stage.ts";
import type { StageContext } from "../../src/contract/stage.ts";
import process from "node:process";
import { argumentError } from "../../src/base/errors.ts";
import type { Consumer, ConsumerBehaviour, Reason, StageOptions, Subscription } from "../../src/index.ts";
import { requireType, requireOneOf } from "../../src/base/check.ts";
import { unread } from "../../src/adapter/unread.ts";
import { errorOf, isFailure } from "../../src/base/reason.ts";
import type { Halves } from "./halves.ts";
import { Listeners } from "./listen.ts";
import {
  type StateLike,
  type WritableLike,
  can,
  joins,
  prematureClose,
  stateOf,
  willClose,
  writeAfterEnd,
} from "./like.ts";
import { report } from "./report.ts";

export interface IntoWritableOptions extends StageOptions {
  /**
   * Whether the Writable ends with the consumer: ended when it completes, destroyed when it fails. Otherwise it is left
   * as it is. @default true, but false for `process.stdout` and `process.stderr`
   */
  readonly end?: boolean | undefined;
  /** What becomes of the Writable when the consumer is stopped, or its source is. @default "end" */
  readonly onStop?: "end" | "destroy" | undefined;
}

/** Writes batches, as fast as the Writable lets it. */
class WritableSink<In> implements ConsumerBehaviour<In> {
  readonly #writable: WritableLike;
  readonly #state: StateLike | undefined;
  readonly #ends: boolean;
  readonly #onStop: "end" | "destroy";
  readonly #corks: boolean;
  readonly #halves: Halves | undefined;
  readonly #listeners: Listeners;
  #stage: Consumer<In> | undefined;
  #context: StageContext | undefined;
  /** The Writable's outcome is known, or nobody is interested any more. */
  #over = false;
  /** The batch in hand, and how much of it is written. */
  #events: readonly In[] = [];
  #at = 0;
  #giveBack: () => void = () => {};
  #ending = false;
  /** Why it cannot be written to, before the first turn. */
  #broken: { readonly error: unknown } | undefined;
  readonly #known: Set<unknown>;
  /** Batches whose last write has not called back. */
  #unwritten = 0;
  #wake: (() => void) | undefined;

  constructor(writable: WritableLike, ends: boolean, onStop: "end" | "destroy", halves: Halves | undefined) {
    this.#writable = writable;
    this.#halves = halves;
    this.#known = halves?.known ?? new Set();
    this.#state = stateOf(writable, "_writableState");
    this.#ends = ends;
    this.#onStop = onStop;
    this.#corks = joins(writable);
    this.#listeners = new Listeners(writable);
  }

  start(stage: Consumer<In>): void {
    const writable = this.#writable;
    this.#stage = stage;
    this.#listeners.add("error", this.#onError);
    this.#listeners.add("close", this.#onClose);
    this.#listeners.add("finish", this.#onFinish);
    // A signal that had aborted before.
    if (this.#over) this.#listeners.release(this.#state, writable.destroyed);
    else if (this.#halves && writable.writableEnded && !writable.destroyed) {
      // Nothing can be written, and that is all there is to say.
      this.#over = true;
      void stage.stop();
    } else if (this.#tells) {
      if (writable.errored !== null && writable.errored !== undefined) this.#tell(writable.errored);
      else if (writable.destroyed) this.#tell(prematureClose(writable));
      else if (writable.writableEnded) this.#tell(writeAfterEnd());
    }
  }

  readonly init = (context: StageContext): void => {
    this.#context = context;
    if (this.#broken) context.fail(this.#broken.error);
  };

  readonly handleEvents = (
    events: readonly In[],
    subscription: Subscription,
    stage: StageContext,
  ): Promise<void> | undefined => {
    this.#events = events;
    this.#at = 0;
    this.#giveBack = () => unread(stage, subscription, events.slice(this.#at));
    this.#write();
    if (this.#at === events.length) return undefined;
    this.#await();
    return this.#sleep();
  };

  readonly handleEnd = (): Promise<void> | undefined => {
    if (this.#over) return undefined;
    this.#ending = true;
    if (this.#halves) {
      this.#halves.finishing = true;
      // The reading half is about to tell why.
      if (this.#writable.destroyed) return this.#sleep();
    }
    if (!this.#ends) return this.#unwritten > 0 ? this.#sleep() : undefined;
    return this.#finish();
  };

  readonly terminate = (reason: Reason): Promise<void> | undefined => {
    const writable = this.#writable;
    const listeners = this.#listeners;
    this.#over = true;
    this.#giveBack();
    this.#wake?.();
    const finished = writable.writableFinished;
    // The reading half has destroyed the stream, or will.
    if (this.#halves?.left || (isFailure(reason) && !this.#tells)) {
      listeners.release(this.#state, false);
      return undefined;
    }
    listeners.release(this.#state, (this.#ends && !finished) || writable.destroyed);
    if (!this.#ends || finished) return undefined;
    if (isFailure(reason) || this.#onStop === "destroy") {
      const closed = willClose(writable, this.#state) ? listeners.next("close") : undefined;
      if (isFailure(reason)) this.#known.add(errorOf(reason));
      writable.destroy(isFailure(reason) ? errorOf(reason) : undefined);
      return closed;
    }
    if (writable.destroyed) return undefined;
    const ended = this.#finish();
    // A stream that has had enough may take its time: its sources need not wait.
    return this.#halves?.readOver ? undefined : ended;
  };

  /** Ends the Writable. One that destroys itself is waited for: closing, too, can fail. */
  async #finish(): Promise<void> {
    const writable = this.#writable;
    if (!writable.writableFinished) {
      const finished = this.#listeners.next("finish", "close", "error");
      writable.end();
      this.#noticeDestroyed();
      await finished;
    }
    if (writable.destroyed && willClose(writable, this.#state)) await this.#listeners.next("close");
  }

  /** Whether what happens to the stream is told here: alone, or once the reading half has its outcome. */
  get #tells(): boolean {
    return this.#halves?.readOver ?? true;
  }

  get #room(): boolean {
    const { writableNeedDrain, destroyed, errored } = this.#writable;
    return !writableNeedDrain && !destroyed && (errored === null || errored === undefined);
  }

  /** Writes on until the Writable has enough. */
  #write(): void {
    if (this.#over || !this.#room) return;
    const writable = this.#writable;
    const events = this.#events;
    const last = events.length - 1;
    const corks = this.#corks && this.#at < last;
    try {
      if (corks) writable.cork();
      try {
        while (this.#at <= last && !this.#over) {
          const at = this.#at;
          this.#at += 1;
          let more: boolean;
          if (this.#ends || at < last) more = writable.write(events[at]);
          else {
            this.#unwritten += 1;
            more = writable.write(events[at], this.#onWritten);
          }
          if (!more && !this.#room) break;
        }
      } finally {
        if (corks) writable.uncork();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What there was no room for is written as soon as there is, within the `drain` itself. */
  #await(): void {
    this.#listeners.add("drain", this.#onDrain);
    this.#noticeDestroyed();
  }

  /** Fulfils when something has happened, at once if everything is over. */
  #sleep(): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly #onDrain = (): void => {
    // Who still waits afterwards waits behind the others.
    this.#listeners.remove("drain");
    this.#write();
    if (this.#over || this.#at === this.#events.length) this.#wake?.();
    else this.#await();
  };

  readonly #onWritten = (): void => {
    this.#unwritten -= 1;
    if (this.#unwritten === 0 && this.#ending) this.#wake?.();
  };

  readonly #onFinish = (): void => {
    if (this.#over || (this.#ending && this.#ends)) return;
    if (this.#halves) this.#halves.finished();
    else this.#fail(writeAfterEnd());
  };

  readonly #onError = (error: unknown): void => {
    if (this.#known.has(error)) return;
    if (!this.#over) this.#fail(error);
    else if (this.#stage) report(this.#stage, error, "terminate");
    this.#known.add(error);
  };

  readonly #onClose = (): void => {
    const { errored, writableFinished } = this.#writable;
    if (this.#over || (this.#ending && this.#ends && writableFinished)) return;
    this.#tell(errored === null || errored === undefined ? prematureClose(this.#writable) : errored);
  };

  #noticeDestroyed(): void {
    if (this.#writable.destroyed && !willClose(this.#writable, this.#state)) this.#onClose();
  }

  #tell(error: unknown): void {
    if (!this.#known.has(error)) this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#known.add(error);
    this.#wake?.();
    if (this.#context) this.#context.fail(error);
    else this.#broken = { error };
  }
}

/**
 * Makes a consumer that writes into a Node Writable, Node's own or readable-stream's.
 *
 * **Shape** one `write` per event; a batch is corked where the Writable has a `writev`. Nothing is converted.
 * **Units** events; the Writable's high-water mark is its own.
 * **Backpressures** after a `write` that answered false nothing is written until `drain`, and what is on its way stays
 * within the subscription's maxDemand.
 * **Completes** when its source has completed: the Writable is ended at once, and `done` fulfils after `finish`, and after `close` if it
 * destroys itself.
 * **Cancels** its source when the Writable fails, is destroyed or is ended by somebody else. A failing source destroys
 * the Writable with its error, a stopped one ends it (`onStop`); `end: false` leaves it to its owner in all cases.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Writable; `ERR_OPTION`: wrong options. What the Writable fails with, `final`
 * included, fails the consumer by identity: `ERR_STREAM_PREMATURE_CLOSE` if it was destroyed without an error,
 * `ERR_STREAM_WRITE_AFTER_END` if somebody else ended it. What was not handed to it goes back to the source.
 * What fails while it is destroyed goes to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `stream.pipeline` for what ends and what is destroyed.
 *
 * @example
 * const file = intoWritable<string>(fs.createWriteStream("letters.txt"));
 * file.subscribe(fromIterable(["a", "b", "c"]));
 * await file.done;
 */
export function intoWritable<In>(writable: WritableLike, options: IntoWritableOptions = {}): Consumer<In> {
  if (!isWritable(writable)) throw argumentError("ERR_NOT_SOURCE", "a Writable", writable);
  return writing(writable, options);
}

/** The same, alone or as one half of a Duplex. */
export function writing<In>(writable: WritableLike, options: IntoWritableOptions, halves?: Halves): Consumer<In> {
  const standard = (writable as object) === process.stdout || (writable as object) === process.stderr;
  const { end = true, onStop = "end", ...rest } = options;
  requireType("end", end, "boolean");
  requireOneOf("onStop", onStop, ["end", "destroy"]);
  const sink = new WritableSink<In>(writable, end && !standard, onStop, halves);
  const stage = makeStage(consumerFaces, "consumer", sink, rest) as Consumer<In>;
  sink.start(stage);
  return stage;
}

export const isWritable = (value: unknown): value is WritableLike => can(value, "write", "on", "destroy");
