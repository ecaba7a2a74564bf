import {
  argumentError,
  errorOf,
  isFailure,
  type NoOptions,
  refuse,
  requireType,
  source,
  type SourceContext,
  words,
} from "../../src/adapter/index.ts";
import {
  type Chunks,
  type Fixed,
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
import { isRead } from "./listen.ts";
import { StreamSource } from "./stream-source.ts";
import { closings, destroy, ReadableView } from "./view.ts";

export interface FromReadableOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /**
   * Whether the Readable is destroyed when the producer ends first. Else it stays paused; undelivered events are put
   * back into it, or go to `onDiscard`. @default true
   */
  readonly destroyOnCancel?: boolean | undefined;
}

/** Chunks of bytes in flight: about 1 MiB at 64 KiB each. */
const CHUNKS = 16;
const READS = "a Readable that nothing else reads";
const READ = words("one that is read already");

/** Reads on demand, when there is something to read. */
class ReadableSource<Out> extends StreamSource<Out> implements Task {
  readonly #readable: ReadableLike;
  readonly #view: ReadableView;
  readonly #destroys: boolean;
  #reading = false;
  #scheduled = false;

  constructor(readable: ReadableLike, view: ReadableView, destroys: boolean) {
    super(readable);
    this.#readable = readable;
    this.#view = view;
    this.#destroys = destroys;
  }

  /** An error before the first demand needs a listener. */
  readonly begin = (stage: SourceContext<Out>): void => {
    const [view, listeners] = [this.#view, this.listeners];
    this.stage = stage;
    listeners.add("error", this.onError);
    for (const event of closings(this.#readable)) listeners.add(event, this.#onClose);
    listeners.add("end", this.onEnd);
    // The signal had aborted before.
    if (this.over) this.#release(view.destroyed);
    else {
      listeners.claim(stage.runtime);
      if (view.ended) this.onEnd();
      else if (view.destroyed) this.#noticeDestroyed();
      else if (view.error !== undefined) this.onError(view.error);
    }
  };

  readonly handleSubscribe = (): void => {
    // With a high-water mark of 0 a Readable does nothing unasked, and shows no end.
    if (this.#view.readsAhead || this.#view.isFed) this.#open();
  };

  readonly handleDemand = (demand: number): Out[] => {
    this.wanted += demand;
    if (this.#view.destroyed) this.#noticeDestroyed();
    const events = this.#flows() ? [] : this.#read();
    // A new listener makes a Readable read ahead, even with a high-water mark of 0.
    if (this.wanted > 0 || this.#view.readsAhead) this.#open();
    if (this.wanted > 0 && this.#view.lasting) this.stage.runtime.clock.macrotask(this.#look);
    return events;
  };

  readonly terminate = (reason: Reason): Promise<void> | undefined => {
    const view = this.#view;
    this.over = true;
    const destroys = this.#destroys && !this.ended;
    // A Readable that destroys itself does so at its end: an error there needs a listener.
    this.#release(destroys || view.destroyed);
    const waits = view.unsaid === undefined && (destroys || (this.sink !== undefined && view.destroyed));
    const closed = waits && view.willClose ? this.listeners.next("close") : undefined;
    if (destroys) {
      if (isFailure(reason)) this.told.add(errorOf(reason));
      destroy(this.#readable, isFailure(reason) ? errorOf(reason) : undefined);
    }
    return closed;
  };

  /** Undelivered events go back into a Readable that stays open, if it takes them. */
  readonly putBack = (events: readonly unknown[]): readonly unknown[] => {
    if (this.#destroys || this.#view.ended || this.#view.destroyed) return events;
    return this.#unshift(events) ? [] : events;
  };

  #release(guard: boolean): void {
    this.listeners.release(guard && !this.#view.isClosed, this.#view.willClose);
  }

  #open(): void {
    if (!this.over && !this.#flows()) this.listeners.add("readable", this.#onReadable);
  }

  /** It was set flowing since: events are lost to this stage. */
  #flows(): boolean {
    if (!this.#view.flows) return false;
    if (!this.over) this.fail(argumentError("ERR_NOT_SOURCE", READS, READ));
    return true;
  }

  /** Reads up to the demand. `read` may call `#onReadable`. */
  #read(): Out[] {
    const [readable, view] = [this.#readable, this.#view];
    const events: Out[] = [];
    if (this.over || this.#reading) return events;
    this.#reading = true;
    try {
      // Only null means nothing: undefined is an event in object mode. With demand left, read up to that
      // null: before it a Readable need not announce more events, even when empty.
      while (this.wanted > 0 && !view.destroyed) {
        const event = readable.read();
        if (event === null) break;
        this.wanted -= 1;
        events.push(event as Out);
      }
    } catch (error) {
      this.onError(error);
    }
    this.#reading = false;
    return events;
  }

  readonly #onReadable = (): void => {
    if (!this.#view.isPrompt) this.run();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.stage.runtime.schedule(this);
    }
  };

  run(): void {
    this.#scheduled = false;
    // To readable-stream 2 a destruction is an end, announced by nothing else.
    if (this.#view.destroyed) this.#noticeDestroyed();
    else if (this.wanted > 0) {
      const events = this.#read();
      if (events.length > 0) this.#deliver(events);
    } else if (this.#view.isFed && this.#view.length === 0) this.#readable.read(0);
  }

  #deliver(events: readonly Out[]): void {
    try {
      this.stage.push(events);
    } catch (error) {
      // The asking consumer has left and the buffer is full: the events stay for the next demand, if any.
      const full = error instanceof OverflowError;
      const rest = full ? (error.rejected as readonly Out[]) : events;
      if (!full) this.wanted = 0;
      if (!this.#unshift(rest) && !this.stage.answer(rest)) this.stage.discard(rest);
    }
  }

  /** Puts events back if possible. */
  #unshift(events: readonly unknown[]): boolean {
    const readable = this.#readable;
    if (!readable.unshift) return false;
    for (const event of events.toReversed()) readable.unshift(event);
    return true;
  }

  readonly #look = (): void => {
    const { unsaid } = this.#view;
    if (!this.over && unsaid !== undefined) this.fail(unsaid);
  };

  readonly #onClose = (): void => {
    const view = this.#view;
    view.closed = true;
    // A user emitted this `close`: the rest can still be read.
    if (this.over || (view.isFed && !view.destroyed)) return;
    if (view.error !== undefined) this.fail(view.error);
    else if (view.isFed && view.length === 0) this.onEnd();
    else this.fail(prematureClose(this.#readable));
  };

  #noticeDestroyed(): void {
    const view = this.#view;
    if (view.isUncertain) this.stage.runtime.clock.macrotask(this.#onClose);
    else if (!view.willClose) this.#onClose();
  }
}

/**
 * Makes a producer of a Node Readable of any make.
 *
 * **Shape** one event per object, falsy ones included; without object mode one per `read()`: the whole buffer, or on
 * Node 26 its first chunk. Only `setEncoding` decodes. Its type is what the Readable declares, `string | Buffer`, unless
 * it is named: `fromReadable<Row>(parser)`.
 * **Units** events: 16 per subscription by default for bytes (about 1 MiB), 1000 in object mode.
 * **Backpressures** reads on demand. The Readable reads ahead to its high-water mark once the first consumer has come.
 * One without `read` is paused; events it emits anyway are buffered, and `overflow` decides beyond `bufferSize`.
 * **Completes** at `end`, behind the events read. **Cancels** when its last consumer leaves, or at `stop`, which
 * resolves once the Readable has been destroyed and closed; `destroyOnCancel: false` leaves it to its owner.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Readable, or one that flows or has a running producer; `ERR_OPTION`,
 * `ERR_RANGE`. An error of the Readable fails the producer by identity, behind the events read; a close before the end
 * gives `ERR_STREAM_PREMATURE_CLOSE`. Errors while it is destroyed go to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `stream.finished`.
 *
 * @example
 * const source = fromReadable(fs.createReadStream("words.txt"));
 * for await (const chunk of source) console.log(chunk.length);
 */
export function fromReadable<Out, SO extends object = NoOptions>(
  readable: ReadableLike | LegacyLike | (ReadableLike & Chunks<Out>),
  options?: FromReadableOptions<Fixed<Out>, SO>,
): Producer<Out, SubscribeOptionsOf<SO, Out>>;
export function fromReadable<Out, SO extends object = NoOptions>(
  readable: ReadableLike | LegacyLike,
  options?: FromReadableOptions<Out, SO>,
): Producer<Out, SubscribeOptionsOf<SO, Out>>;
export function fromReadable<Out, SO extends object = NoOptions>(
  readable: ReadableLike | LegacyLike,
  options: FromReadableOptions<Out, SO> = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  watchExit();
  if (!isReadable(readable) && !isLegacy(readable)) refuse("ERR_NOT_SOURCE", adviceOn(readable, "Readable"), readable);
  return reading(readable, options, ["destroyOnCancel"]);
}

/** The same, alone or as one side of a Duplex; `own` names its further options. */
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
  // A Readable that is over has nothing left to be taken away.
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
