import {
  errorOf,
  isFailure,
  type OtherSide,
  type SinkBehaviour,
  type SinkContext,
  type Told,
  toldErrors,
} from "../../src/adapter/index.ts";
import type { Reason, Subscription } from "../../src/index.ts";
import { prematureClose, type WritableLike, writeAfterEnd } from "./like.ts";
import { Listeners } from "./listen.ts";
import { closings, destroy, WritableView } from "./view.ts";

export interface WritableSinkSettings {
  readonly ends: boolean;
  readonly onStop: "end" | "destroy";
  /** It is one side of a Duplex. */
  readonly isSide: boolean;
}

/** Writes batches, as fast as the Writable accepts them. */
export class WritableSink<In> implements SinkBehaviour<In> {
  readonly #writable: WritableLike;
  readonly #view: WritableView;
  readonly #ends: boolean;
  readonly #onStop: "end" | "destroy";
  readonly #isSide: boolean;
  readonly #listeners: Listeners;
  #stage!: SinkContext;
  /** The readable side: it hears events first, and tells the stream's outcome. */
  #source: OtherSide | undefined;
  #started = false;
  /** The outcome is known, or the stage has ended. */
  #over = false;
  /** The batch in hand, and how much of it is written. */
  #events: readonly In[] = [];
  #at = 0;
  #subscription: Subscription | undefined;
  /** `write` returned false without a `drain` since, where the Writable does not show that. */
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

  constructor(writable: WritableLike, { ends, onStop, isSide }: WritableSinkSettings) {
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
    // The signal had aborted before.
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
    // Nothing can be written, and that is all to tell.
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
    // The readable side will tell why.
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
    // The readable side destroyed the stream, left it as it is, or is about to tell its failure.
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

  /** Ends the Writable, and waits for its close, which can fail. */
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

  /** Whether this side tells the stream's outcome: alone, or once the readable side knows it. */
  get #tells(): boolean {
    return !this.#isSide || this.#source?.reason !== undefined;
  }

  /** The readable side left before its end. */
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

  /** Whether there is room although `write` returned false: `drain` came at once. */
  #hasRoom(): boolean {
    this.#full = this.#view.needsDrain === undefined && !this.#drained;
    return this.#room;
  }

  /** The rest is written within the `drain`. */
  #await(): void {
    this.#listeners.add("drain", this.#onDrain);
    this.#noticeDestroyed();
    this.#lookLater();
  }

  /** Resolves when something has happened, at once if everything is over. */
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
    // Moves a stage that still waits behind the others.
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

  /** It finished by itself, as a parser may. */
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
