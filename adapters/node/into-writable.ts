import { isMainThread } from "node:worker_threads";
import {
  errorOf,
  isFailure,
  type OtherSide,
  refuse,
  requireOneOf,
  requireType,
  sink,
  type SinkBehaviour,
  type SinkContext,
  type Told,
  toldErrors,
} from "../../src/adapter/index.ts";
import type { Consumer, Reason, StageOptions, Subscription } from "../../src/index.ts";
import { watchExit } from "./before-exit.ts";
import { adviceOn } from "./advice.ts";
import { Listeners } from "./listen.ts";
import { can, type OddLike, prematureClose, type WritableLike, writeAfterEnd } from "./like.ts";
import { closings, destroy, WritableView } from "./view.ts";

export interface IntoWritableOptions extends StageOptions {
  /**
   * Whether the Writable ends with the consumer: ended when it completes, destroyed when it fails. Otherwise it is left
   * as it is. @default true, but false for `process.stdout` and `process.stderr`
   */
  readonly end?: boolean | undefined;
  /** What becomes of the Writable when the consumer is stopped, or its source is. @default "end" */
  readonly onStop?: "end" | "destroy" | undefined;
}

interface Settings {
  readonly ends: boolean;
  readonly onStop: "end" | "destroy";
  /** It is one side of a Duplex. */
  readonly isSide: boolean;
}

/** Writes batches, as fast as the Writable lets it. */
class WritableSink<In> implements SinkBehaviour<In> {
  readonly #writable: WritableLike;
  readonly #view: WritableView;
  readonly #ends: boolean;
  readonly #onStop: "end" | "destroy";
  readonly #isSide: boolean;
  readonly #listeners: Listeners;
  #stage!: SinkContext;
  /** The readable side of the same Duplex: it hears the events first, and tells what has become of the stream. */
  #source: OtherSide | undefined;
  #started = false;
  /** The Writable's outcome is known, or the stage has ended. */
  #over = false;
  /** The batch in hand, and how much of it is written. */
  #events: readonly In[] = [];
  #at = 0;
  #subscription: Subscription | undefined;
  /** `write` returned false and no `drain` has followed, where the Writable does not say whether it has enough. */
  #full = false;
  #writing = false;
  #drained = false;
  #ending = false;
  /** Why it cannot be written to, before the first turn. */
  #broken: { readonly error: unknown } | undefined;
  #told: Told = toldErrors();
  /** Batches whose last write has not called back. */
  #unwritten = 0;
  #wake: (() => void) | undefined;

  constructor(writable: WritableLike, { ends, onStop, isSide }: Settings) {
    this.#writable = writable;
    this.#view = new WritableView(writable);
    this.#ends = ends;
    this.#onStop = onStop;
    this.#isSide = isSide;
    this.#listeners = new Listeners(writable);
  }

  readonly begin = (stage: SinkContext): void => {
    const [view, listeners] = [this.#view, this.#listeners];
    this.#stage = stage;
    listeners.add("error", this.#onError);
    for (const event of closings(this.#writable)) listeners.add(event, this.#onClose);
    listeners.add("finish", this.#onFinish);
    if (view.needsDrain === undefined) listeners.add("drain", this.#onDrain);
    // A signal that had aborted before.
    if (this.#over) this.#release(view.destroyed);
    else if (this.#tells) {
      if (view.error !== undefined) this.#tell(view.error);
      else if (view.destroyed) this.#tell(prematureClose(this.#writable));
      else if (view.ended) this.#tell(writeAfterEnd());
    }
  };

  readonly couple = (source: OtherSide): void => {
    this.#source = source;
    this.#told = source.told;
    if (this.#over || !this.#view.ended || this.#view.destroyed) return;
    // Nothing can be written, and that is all there is to say.
    this.#over = true;
    this.#stage.stop();
  };

  readonly init = (): void => {
    this.#started = true;
    if (this.#broken) this.#stage.fail(this.#broken.error);
  };

  readonly handleEvents = (events: readonly In[], subscription: Subscription): Promise<void> | undefined => {
    this.#events = events;
    this.#at = 0;
    this.#subscription = subscription;
    this.#write();
    if (this.#at === events.length) return undefined;
    this.#await();
    return this.#sleep();
  };

  readonly handleEnd = (): Promise<void> | undefined => {
    if (this.#over) return undefined;
    this.#ending = true;
    // The readable side is about to tell why.
    if (this.#isSide && this.#view.destroyed) return this.#sleep();
    if (!this.#ends) return this.#isWritten ? undefined : this.#sleep();
    return this.#finish();
  };

  readonly terminate = (reason: Reason): Promise<void> | undefined => {
    const view = this.#view;
    this.#over = true;
    if (this.#subscription) this.#stage.giveBack(this.#subscription, this.#events.slice(this.#at));
    this.#wake?.();
    const { finished } = view;
    // The readable side has destroyed the stream, has left it as it is, or is about to tell what it failed with.
    if (this.#left || (isFailure(reason) && !this.#tells)) {
      this.#release(this.#ending && !finished);
      return undefined;
    }
    this.#release((this.#ends && !finished) || view.destroyed);
    if (!this.#ends || finished) return undefined;
    if (isFailure(reason) || this.#onStop === "destroy") return this.#destroy(reason);
    if (view.destroyed) return undefined;
    const ended = this.#finish();
    // A stream that has had enough may take its time: its sources need not wait.
    return this.#source?.reason ? undefined : ended;
  };

  #destroy(reason: Reason): Promise<void> | undefined {
    const closed = this.#view.willClose && this.#view.unsaid === undefined ? this.#listeners.next("close") : undefined;
    if (isFailure(reason)) this.#told.add(errorOf(reason));
    destroy(this.#writable, isFailure(reason) ? errorOf(reason) : undefined);
    return closed;
  }

  /** Ends the Writable. One that destroys itself is waited for: closing, too, can fail. */
  async #finish(): Promise<void> {
    const view = this.#view;
    if (!view.finished) {
      const finished = this.#listeners.next("finish", "close", "error", ...(view.isOld ? ["end"] : []));
      this.#writable.end();
      this.#noticeDestroyed();
      this.#lookLater();
      await finished;
      view.heardFinish = true;
    }
    if (view.destroyed && view.willClose) await this.#listeners.next("close");
  }

  #release(guard: boolean): void {
    this.#listeners.release(guard && !this.#view.isClosed, this.#view.willClose);
  }

  /** Whether what happens to the stream is told here: alone, or once the readable side has its outcome. */
  get #tells(): boolean {
    return !this.#isSide || this.#source?.reason !== undefined;
  }

  /** The readable side has gone before its end. */
  get #left(): boolean {
    const reason = this.#source?.reason;
    return reason !== undefined && reason.type !== "complete";
  }

  get #room(): boolean {
    const view = this.#view;
    return !(view.needsDrain ?? this.#full) && !view.destroyed && view.error === undefined;
  }

  get #isWritten(): boolean {
    return this.#unwritten === 0 && !this.#full;
  }

  /** Writes on until the Writable has enough. */
  #write(): void {
    const events = this.#events;
    const last = events.length - 1;
    if (this.#over || this.#at > last || !this.#room) return;
    // Old streams take what is written after their end, and lose it.
    if (this.#view.isOld && this.#view.ended) this.#tell(writeAfterEnd());
    const writable = this.#writable;
    const corks = this.#view.corks && this.#at < last;
    this.#writing = true;
    try {
      if (corks) writable.cork?.();
      try {
        while (this.#at <= last && !this.#over) {
          const at = this.#at;
          this.#at += 1;
          if (this.#writeOne(events[at], at === last) === false && !this.#hasRoom()) break;
        }
      } finally {
        if (corks) writable.uncork?.();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#writing = false;
  }

  /** A Writable that stays open is waited for by its last write. */
  #writeOne(event: In | undefined, isLast: boolean): unknown {
    this.#drained = false;
    if (this.#ends || !isLast || !this.#view.callsBack) return this.#writable.write(event);
    this.#unwritten += 1;
    return this.#writable.write(event, this.#onWritten);
  }

  /** Whether there is room all the same when `write` has returned false. Its `drain` may have come before it returned. */
  #hasRoom(): boolean {
    this.#full = this.#view.needsDrain === undefined && !this.#drained;
    return this.#room;
  }

  /** What there was no room for is written as soon as there is, within the `drain` itself. */
  #await(): void {
    this.#listeners.add("drain", this.#onDrain);
    this.#noticeDestroyed();
    this.#lookLater();
  }

  /** Fulfils when something has happened, at once if everything is over. */
  #sleep(): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly #onDrain = (): void => {
    this.#drained = true;
    this.#full = false;
    // The loop that writes goes on by itself.
    if (this.#writing) return;
    // A stage that still waits afterwards waits behind the others.
    this.#listeners.remove("drain");
    this.#write();
    const waits = !this.#over && this.#at < this.#events.length;
    if (waits) this.#await();
    else {
      if (!this.#over && this.#view.needsDrain === undefined) this.#listeners.add("drain", this.#onDrain);
      if (this.#over || !this.#ending || this.#isWritten) this.#wake?.();
    }
  };

  readonly #onWritten = (): void => {
    this.#unwritten -= 1;
    if (this.#ending && this.#isWritten) this.#wake?.();
  };

  readonly #onFinish = (): void => {
    this.#view.heardFinish = true;
    if (this.#over || (this.#ending && this.#ends)) return;
    if (this.#isSide) this.#stage.end({ type: "stop" });
    else if (this.#view.ended) this.#fail(writeAfterEnd());
    else if (this.#view.isOld) this.#enough();
    // A response of HTTP/2 whose client has left: `close` follows.
  };

  /** It has finished by itself, as a parser does behind the last thing that it understands. */
  #enough(): void {
    this.#over = true;
    this.#wake?.();
    this.#stage.complete();
  }

  readonly #onError = (error: unknown): void => {
    if (!this.#told.add(error)) return;
    if (this.#over) this.#stage.report(error, "terminate");
    else this.#fail(error);
  };

  readonly #onClose = (): void => {
    const view = this.#view;
    view.closed = true;
    if (this.#over || (this.#ending && this.#ends && view.finishedAtClose)) return;
    this.#tell(view.error ?? prematureClose(this.#writable));
  };

  #lookLater(): void {
    if (this.#view.lasting) this.#stage.runtime.clock.macrotask(this.#look);
  }

  readonly #look = (): void => {
    const { unsaid } = this.#view;
    if (unsaid !== undefined) this.#tell(unsaid);
  };

  #noticeDestroyed(): void {
    const view = this.#view;
    if (!view.destroyed) return;
    if (view.isUncertain) this.#stage.runtime.clock.macrotask(this.#onClose);
    else if (!view.willClose) this.#onClose();
  }

  #tell(error: unknown): void {
    if (!this.#told.has(error)) this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#told.add(error);
    this.#wake?.();
    if (this.#started) this.#stage.fail(error);
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
  watchExit();
  if (!isWritable(writable)) refuse("ERR_NOT_SOURCE", adviceOn(writable, "Writable"), writable);
  const { end, onStop } = options;
  requireType("end", end, "boolean");
  requireOneOf("onStop", onStop, ["end", "destroy"]);
  return writing(writable, options, ["end", "onStop"], false);
}

/** The same, alone or as one side of a Duplex; `own` names the options that it may have. */
export function writing<In>(
  writable: WritableLike,
  options: IntoWritableOptions,
  own: readonly string[],
  isSide: boolean,
): Consumer<In> {
  const { end = true, onStop = "end" } = options;
  const settings = { ends: end && !isStandard(writable), onStop, isSide };
  return sink<In>(new WritableSink<In>(writable, settings), options, { own });
}

/** Whether it is one of the process's own. They are asked for only where that opens nothing. */
function isStandard(writable: WritableLike & OddLike): boolean {
  if (isMainThread && writable.fd !== 1 && writable.fd !== 2) return false;
  const { stdout, stderr } = globalThis.process;
  return (writable as object) === stdout || (writable as object) === stderr;
}

export const isWritable = (value: unknown): value is WritableLike => can(value, "write", "end", "on", "removeListener");
