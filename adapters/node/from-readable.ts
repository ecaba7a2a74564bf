import {
  argumentError,
  errorOf,
  isFailure,
  type NoOptions,
  type OtherSide,
  refuse,
  requireType,
  source,
  type SourceBehaviour,
  type SourceContext,
  type Told,
  toldErrors,
  words,
} from "../../src/adapter/index.ts";
import {
  OverflowError,
  type Producer,
  type ProducerOptions,
  type Reason,
  type SubscribeOptionsOf,
  type Task,
} from "../../src/index.ts";
import { watchExit } from "./before-exit.ts";
import { adviceOn } from "./advice.ts";
import { isLegacy, LegacySource } from "./legacy-source.ts";
import { can, type LegacyLike, prematureClose, type ReadableLike } from "./like.ts";
import { isRead, Listeners } from "./listen.ts";
import { closings, destroy, ReadableView } from "./view.ts";

export interface FromReadableOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /**
   * Whether the Readable is destroyed when the producer ends before it. Otherwise it is left as it is, paused, and
   * events that were read and reached no consumer are put back into it, or go to `onDiscard` where it cannot take them. @default true
   */
  readonly destroyOnCancel?: boolean | undefined;
}

/** How many chunks of bytes a link holds: about 1 MiB at 64 KiB each. */
const CHUNKS = 16;
const READS = "a Readable that nothing else reads";
const READ = words("one that is read already");

/** Reads what was asked for, when it is there. */
class ReadableSource<Out> implements SourceBehaviour<Out>, Task {
  readonly #readable: ReadableLike;
  readonly #view: ReadableView;
  readonly #destroys: boolean;
  readonly #listeners: Listeners;
  #stage!: SourceContext<Out>;
  /** The writable side of the same Duplex. */
  #sink: OtherSide | undefined;
  /** Asked of `handleDemand` and not read yet. */
  #wanted = 0;
  #reading = false;
  #scheduled = false;
  /** The Readable's outcome is known, or the stage has ended. */
  #over = false;
  #ended = false;
  #told: Told = toldErrors();

  constructor(readable: ReadableLike, view: ReadableView, destroys: boolean) {
    this.#readable = readable;
    this.#view = view;
    this.#destroys = destroys;
    this.#listeners = new Listeners(readable);
  }

  /** Watches from the start: an error before the first demand must find a listener. */
  readonly begin = (stage: SourceContext<Out>): void => {
    const [view, listeners] = [this.#view, this.#listeners];
    this.#stage = stage;
    listeners.add("error", this.#onError);
    for (const event of closings(this.#readable)) listeners.add(event, this.#onClose);
    listeners.add("end", this.#onEnd);
    // A signal that had aborted before.
    if (this.#over) this.#release(view.destroyed);
    else {
      listeners.claim(stage.runtime);
      if (view.ended) this.#onEnd();
      else if (view.destroyed) this.#noticeDestroyed();
      else if (view.error !== undefined) this.#onError(view.error);
    }
  };

  readonly couple = (sink: OtherSide): void => {
    this.#sink = sink;
    this.#told = sink.told;
  };

  readonly handleSubscribe = (): void => {
    // With a high-water mark of 0 a Readable does nothing unasked, and so it cannot be seen to end either.
    if (this.#view.readsAhead || this.#view.isFed) this.#open();
  };

  readonly handleDemand = (demand: number): Out[] => {
    this.#wanted += demand;
    if (this.#view.destroyed) this.#noticeDestroyed();
    const events = this.#flows() ? [] : this.#read();
    // A new listener makes a Readable read ahead at once, even if its high-water mark is 0.
    if (this.#wanted > 0 || this.#view.readsAhead) this.#open();
    if (this.#wanted > 0 && this.#view.lasting) this.#stage.runtime.clock.macrotask(this.#look);
    return events;
  };

  readonly terminate = (reason: Reason): Promise<void> | undefined => {
    const view = this.#view;
    this.#over = true;
    const destroys = this.#destroys && !this.#ended;
    // After its end a Readable that destroys itself has already begun to: what that fails with must find a listener.
    this.#release(destroys || view.destroyed);
    const waits = view.unsaid === undefined && (destroys || (this.#sink !== undefined && view.destroyed));
    const closed = waits && view.willClose ? this.#listeners.next("close") : undefined;
    if (destroys) {
      if (isFailure(reason)) this.#told.add(errorOf(reason));
      destroy(this.#readable, isFailure(reason) ? errorOf(reason) : undefined);
    }
    return closed;
  };

  /** Events that reach no consumer go back to a Readable that stays open, where it can still take them. */
  readonly putBack = (events: readonly unknown[]): readonly unknown[] => {
    if (this.#destroys || this.#view.ended || this.#view.destroyed) return events;
    return this.#unshift(events) ? [] : events;
  };

  #release(guard: boolean): void {
    this.#listeners.release(guard && !this.#view.isClosed, this.#view.willClose);
  }

  #open(): void {
    if (!this.#over && !this.#flows()) this.#listeners.add("readable", this.#onReadable);
  }

  /** It was set flowing meanwhile: events are lost to this stage. */
  #flows(): boolean {
    if (!this.#view.flows) return false;
    if (!this.#over) this.#fail(argumentError("ERR_NOT_SOURCE", READS, READ));
    return true;
  }

  /** Takes what is there, at most what is wanted. `read` may call back `#onReadable`. */
  #read(): Out[] {
    const [readable, view] = [this.#readable, this.#view];
    const events: Out[] = [];
    if (this.#over || this.#reading) return events;
    this.#reading = true;
    try {
      // Only null means nothing: undefined is an event of an object mode stream. While there is demand it is read up to that
      // null: before it a Readable need not tell of what comes next, even when it is empty.
      while (this.#wanted > 0 && !view.destroyed) {
        const event = readable.read();
        if (event === null) break;
        this.#wanted -= 1;
        events.push(event as Out);
      }
    } catch (error) {
      this.#onError(error);
    }
    this.#reading = false;
    return events;
  }

  readonly #onReadable = (): void => {
    if (!this.#view.isPrompt) this.run();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#stage.runtime.schedule(this);
    }
  };

  run(): void {
    this.#scheduled = false;
    // To readable-stream 2 a destruction is an end, and this is all it says of it.
    if (this.#view.destroyed) this.#noticeDestroyed();
    else if (this.#wanted > 0) {
      const events = this.#read();
      if (events.length > 0) this.#deliver(events);
    } else if (this.#view.isFed && this.#view.length === 0) this.#readable.read(0);
  }

  #deliver(events: readonly Out[]): void {
    try {
      this.#stage.push(events);
    } catch (error) {
      // The consumer that asked has left, and the buffer is full: the next demand finds the events where they came from. A
      // stage that is over has no next demand.
      const full = error instanceof OverflowError;
      const rest = full ? (error.rejected as readonly Out[]) : events;
      if (!full) this.#wanted = 0;
      if (!this.#unshift(rest) && !this.#stage.answer(rest)) this.#stage.discard(rest);
    }
  }

  /** Puts events back, where that is possible. */
  #unshift(events: readonly unknown[]): boolean {
    const readable = this.#readable;
    if (!readable.unshift) return false;
    for (const event of events.toReversed()) readable.unshift(event);
    return true;
  }

  readonly #onEnd = (): void => {
    this.#ended = true;
    if (this.#over) return;
    this.#over = true;
    this.#stage.complete();
    // Nothing more need be written. At the end of the input the writable side is finishing by itself.
    if (this.#sink && !this.#sink.reason) this.#sink.end({ type: "stop" });
  };

  readonly #onError = (error: unknown): void => {
    if (!this.#told.add(error)) return;
    if (this.#over) this.#stage.report(error, "terminate");
    else this.#fail(error);
  };

  readonly #look = (): void => {
    const { unsaid } = this.#view;
    if (!this.#over && unsaid !== undefined) this.#fail(unsaid);
  };

  readonly #onClose = (): void => {
    const view = this.#view;
    view.closed = true;
    // A `close` of someone's making: what is left can still be read.
    if (this.#over || (view.isFed && !view.destroyed)) return;
    if (view.error !== undefined) this.#fail(view.error);
    else if (view.isFed && view.length === 0) this.#onEnd();
    else this.#fail(prematureClose(this.#readable));
  };

  #noticeDestroyed(): void {
    const view = this.#view;
    if (view.isUncertain) this.#stage.runtime.clock.macrotask(this.#onClose);
    else if (!view.willClose) this.#onClose();
  }

  #fail(error: unknown): void {
    this.#over = true;
    this.#told.add(error);
    this.#stage.fail(error, { after: "buffer" });
  }
}

/**
 * Makes a producer of a Node Readable of any make: Node's own, readable-stream's, streamx's, minipass's, old ones.
 *
 * **Shape** object mode: one event per object, `undefined` and other falsy ones included. Bytes and strings: one event is
 * what one `read()` gives, all that is buffered, coupled, or on Node 26 the first chunk of the bytes; nothing is decoded
 * unless `setEncoding` was.
 * **Units** demand counts events. A link holds 16 of them by default for bytes (about 1 MiB), 1000 in object mode.
 * **Backpressures** `read` is called for what was asked only, when it is there; the Readable reads ahead up to its own
 * high-water mark once the first consumer has come, and not at all if that is 0. A stream of the old kind, which has no
 * `read`, is paused while nothing is asked for; what it emits all the same is buffered, and `overflow` decides beyond `bufferSize`.
 * **Completes** at `end`, behind the events read. **Cancels** when its last consumer leaves, or at `stop`: the Readable
 * is destroyed, and `stop` fulfils once it has closed; `destroyOnCancel: false` leaves it to its owner.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Readable, or one that something else reads: it flows already, or has a producer that
 * has not ended; `ERR_OPTION`, `ERR_RANGE`: wrong options. What the Readable fails with fails the producer by identity, behind the events read; one
 * that closes before its end gives `ERR_STREAM_PREMATURE_CLOSE`. What fails while it is destroyed goes to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `stream.finished` for what counts as an end.
 *
 * @example
 * const source = fromReadable<Buffer>(fs.createReadStream("words.txt"));
 * for await (const chunk of source) console.log(chunk.length);
 */
export function fromReadable<Out, SO extends object = NoOptions>(
  readable: ReadableLike | LegacyLike,
  options: FromReadableOptions<Out, SO> = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  watchExit();
  if (!isReadable(readable) && !isLegacy(readable)) refuse("ERR_NOT_SOURCE", adviceOn(readable, "Readable"), readable);
  return reading(readable, options, ["destroyOnCancel"]);
}

/** The same, alone or as one side of a Duplex; `own` names the options that it may have. */
export function reading<Out, SO extends object>(
  readable: ReadableLike | LegacyLike,
  options: FromReadableOptions<Out, SO>,
  own: readonly string[],
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  const { destroyOnCancel = true } = options;
  requireType("destroyOnCancel", destroyOnCancel, "boolean");
  if (!isReadable(readable)) {
    refuseRead(readable, false);
    return source<Out, SO>(new LegacySource<Out>(readable, destroyOnCancel), options, { own, pushes: true });
  }
  const view = new ReadableView(readable);
  // One that is over has nothing left to be taken away.
  if (!view.isOver) refuseRead(readable, view.flows);
  return source<Out, SO>(new ReadableSource<Out>(readable, view, destroyOnCancel), options, {
    own,
    defaultMaxDemand: view.isOfObjects ? undefined : CHUNKS,
  });
}

function refuseRead(readable: ReadableLike | LegacyLike, flows: boolean): void {
  if (flows || isRead(readable)) refuse("ERR_NOT_SOURCE", READS, READ);
}

export const isReadable = (value: unknown): value is ReadableLike => can(value, "read", "on", "removeListener");
