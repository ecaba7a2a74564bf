import { defaultDispatcher } from "../../src/dispatchers/demand.ts";
import { makeStage, producerFaces } from "../../src/stage/make-stage.ts";
import type { NoOptions } from "../../src/contract/dispatcher.ts";
import { argumentError, OverflowError } from "../../src/base/errors.ts";
import type {
  Producer,
  ProducerContext,
  ProducerOptions,
  ProducerStage,
  Reason,
  SubscribeOptionsOf,
} from "../../src/index.ts";
import type { ProducerHandle } from "../../src/stage/faces.ts";
import { requireType } from "../../src/base/check.ts";
import { defaultRuntime } from "../../src/runtime/engine.ts";
import { errorOf, isFailure } from "../../src/base/reason.ts";
import { push } from "../../src/stage/overflow.ts";
import type { Core } from "../../src/stage/core.ts";
import type { Halves } from "./halves.ts";
import { isLegacy, LegacySource } from "./legacy-source.ts";
import { isRead, Listeners } from "./listen.ts";
import { can, type LegacyLike, prematureClose, type ReadableLike, type StateLike, stateOf, willClose } from "./like.ts";
import { report } from "./report.ts";

export interface FromReadableOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /**
   * Whether the Readable is destroyed when the producer ends before it. Otherwise it is left as it is, paused, and
   * events that were read and reached nobody are put back into it, or go to `onDiscard` if it has ended. @default true
   */
  readonly destroyOnCancel?: boolean | undefined;
}

/** How many chunks of bytes a link holds: about 1 MiB at 64 KiB each. */
const CHUNKS = 16;
const READS = "a Readable that nobody else reads";

/** Reads what was asked for, when it is there. */
class ReadableSource<Out> {
  readonly #readable: ReadableLike;
  readonly #state: StateLike | undefined;
  readonly #destroys: boolean;
  readonly #halves: Halves | undefined;
  readonly #listeners: Listeners;
  #stage!: ProducerStage<Out, never>;
  /** Asked of `handleDemand` and not read yet. */
  #wanted = 0;
  #reading = false;
  /** The Readable's outcome is known, or nobody is interested any more. */
  #over = false;
  #ended = false;
  /** The errors this stage knows already. */
  readonly #known: Set<unknown>;

  constructor(readable: ReadableLike, destroys: boolean, halves: Halves | undefined) {
    this.#readable = readable;
    this.#halves = halves;
    this.#known = halves?.known ?? new Set();
    this.#state = stateOf(readable, "_readableState");
    this.#destroys = destroys;
    this.#listeners = new Listeners(readable);
  }

  /** Watches from the start: an error before the first demand must find a listener. */
  start(stage: ProducerStage<Out, never>): void {
    const readable = this.#readable;
    this.#stage = stage;
    this.#listeners.add("error", this.#onError);
    this.#listeners.add("close", this.#onClose);
    this.#listeners.add("end", this.#onEnd);
    // A signal that had aborted before.
    if (this.#over) this.#listeners.release(this.#state, readable.destroyed);
    else if (readable.readableEnded) this.#onEnd();
    else if (readable.destroyed) this.#noticeDestroyed();
    else if (readable.errored !== null && readable.errored !== undefined) this.#onError(readable.errored);
  }

  readonly handleSubscribe = (): void => {
    // With a high-water mark of 0 a Readable does nothing unasked, and so it cannot be seen to end either.
    if (this.#readable.readableHighWaterMark > 0 || this.#state?.ended) this.#open();
  };

  readonly handleDemand = (demand: number, _stage: ProducerContext<Out>): Out[] => {
    const readable = this.#readable;
    this.#wanted += demand;
    if (readable.destroyed) this.#noticeDestroyed();
    const events = this.#flows() ? [] : this.#read();
    // A new listener makes a Readable read ahead at once, even if its high-water mark is 0.
    if (this.#wanted > 0 || readable.readableHighWaterMark > 0) this.#open();
    return events;
  };

  readonly terminate = (reason: Reason): Promise<void> | undefined => {
    const readable = this.#readable;
    this.#over = true;
    const destroys = this.#destroys && !this.#ended;
    if (!this.#ended) this.#halves?.leave(reason);
    // After its end a Readable that destroys itself has already begun to: what that fails with must find a listener.
    this.#listeners.release(this.#state, destroys || readable.destroyed);
    const waits = destroys || (this.#halves !== undefined && readable.destroyed);
    const closed = waits && willClose(readable, this.#state) ? this.#listeners.next("close") : undefined;
    if (destroys) {
      if (isFailure(reason)) this.#known.add(errorOf(reason));
      readable.destroy(isFailure(reason) ? errorOf(reason) : undefined);
    }
    return closed;
  };

  /** Events that will reach nobody go back to a Readable that stays open, where it can still take them. */
  readonly putBack = (events: readonly unknown[]): readonly unknown[] => {
    const { readableEnded, destroyed } = this.#readable;
    if (this.#destroys || readableEnded || destroyed) return events;
    this.#unshift(events);
    return [];
  };

  get #core(): Core {
    return (this.#stage as unknown as ProducerHandle)["~core"];
  }

  #open(): void {
    if (!this.#over && !this.#flows()) this.#listeners.add("readable", this.#onReadable);
  }

  /** Somebody has set it flowing meanwhile: events are lost to us. */
  #flows(): boolean {
    if (!this.#readable.readableFlowing) return false;
    if (!this.#over) this.#fail(argumentError("ERR_NOT_SOURCE", READS, this.#readable));
    return true;
  }

  /** Takes what is there, at most what is wanted. `read` may call back `#onReadable`. */
  #read(): Out[] {
    const readable = this.#readable;
    const events: Out[] = [];
    if (this.#over || this.#reading) return events;
    this.#reading = true;
    try {
      // Only null means nothing: undefined is an event of an object mode stream. While there is demand it is read up to that
      // null: before it a Readable need not tell of what comes next, even when it is empty.
      while (this.#wanted > 0 && !readable.destroyed) {
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
    if (this.#wanted > 0) {
      const events = this.#read();
      if (events.length > 0) this.#deliver(events);
    } else if (this.#state?.ended && this.#readable.readableLength === 0) this.#readable.read(0);
  };

  #deliver(events: readonly Out[]): void {
    try {
      push(this.#core, events, true);
    } catch (error) {
      // Who asked has left, and the buffer is full: the next demand finds the events where they came from. A stage that
      // is over has no next demand.
      const full = error instanceof OverflowError;
      if (!full) this.#wanted = 0;
      this.#unshift(full ? error.rejected : events);
    }
  }

  #unshift(events: readonly unknown[]): void {
    for (const event of events.toReversed()) this.#readable.unshift(event);
  }

  readonly #onEnd = (): void => {
    this.#ended = true;
    if (this.#over) return;
    this.#over = true;
    this.#halves?.ended();
    this.#stage.complete();
  };

  readonly #onError = (error: unknown): void => {
    if (this.#known.has(error)) return;
    this.#known.add(error);
    if (this.#over) report(this.#stage, error, "terminate");
    else this.#fail(error);
  };

  readonly #onClose = (): void => {
    const readable = this.#readable;
    const atEnd = this.#state?.ended === true;
    // A `close` of somebody's making: what is left can still be read.
    if (this.#over || (atEnd && !readable.destroyed)) return;
    if (readable.errored !== null && readable.errored !== undefined) this.#fail(readable.errored);
    else if (atEnd && readable.readableLength === 0) this.#onEnd();
    else this.#fail(prematureClose(readable));
  };

  #noticeDestroyed(): void {
    if (!willClose(this.#readable, this.#state)) this.#onClose();
  }

  #fail(error: unknown): void {
    this.#over = true;
    this.#known.add(error);
    if (this.#halves) this.#halves.readOver = true;
    this.#stage.fail(error, { after: "buffer" });
  }
}

/**
 * Makes a producer of a Node Readable, Node's own or readable-stream's.
 *
 * **Shape** object mode: one event per object, `undefined` and other falsy ones included. Bytes and strings: one event is
 * what one `read()` gives, all that is buffered, coupled, or on Node 26 the first chunk of the bytes; nothing is decoded
 * unless `setEncoding` was.
 * **Units** demand counts events. A link holds 16 of them by default for bytes (about 1 MiB), 1000 in object mode.
 * **Backpressures** `read` is called for what was asked only, when it is there; the Readable reads ahead up to its own
 * high-water mark once the first consumer has come, and not at all if that is 0. A stream of the old kind, which has no
 * `read`, is paused while nobody asks; what it emits all the same is buffered, and `overflow` decides beyond `bufferSize`.
 * **Completes** at `end`, behind the events read. **Cancels** when its last consumer leaves, or at `stop`: the Readable
 * is destroyed, and `stop` fulfils once it has closed; `destroyOnCancel: false` leaves it to its owner.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Readable, or one that somebody else reads: it flows already, or has a producer that
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
  return reading(readable, options);
}

/** The same, alone or as one half of a Duplex. */
export function reading<Out, SO extends object>(
  readable: ReadableLike | LegacyLike,
  options: FromReadableOptions<Out, SO>,
  halves?: Halves,
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  const pulled = isReadable(readable);
  if (!pulled && !isLegacy(readable)) throw argumentError("ERR_NOT_SOURCE", "a Readable", readable);
  const { destroyOnCancel = true, ...rest } = options;
  const { runtime = defaultRuntime } = rest;
  const { readableFlowing, readableObjectMode } = readable as Partial<ReadableLike>;
  requireType("destroyOnCancel", destroyOnCancel, "boolean");
  // Its last consumer may have left, a loop that ended say, and the producer not have had its turn.
  if (isRead(readable)) runtime.flush();
  if (readableFlowing || isRead(readable)) throw argumentError("ERR_NOT_SOURCE", READS, readable);
  const source = pulled
    ? new ReadableSource<Out>(readable, destroyOnCancel, halves)
    : new LegacySource<Out>(readable, destroyOnCancel);
  const stage = makeStage(producerFaces, "producer", source, rest, {
    dispatcher: defaultDispatcher,
    onLastCancel: "stop",
    defaultMaxDemand: readableObjectMode ? undefined : CHUNKS,
  });
  source.start(stage as ProducerStage<Out, never>);
  return stage as Producer<Out, SubscribeOptionsOf<SO, Out>>;
}

export const isReadable = (value: unknown): value is ReadableLike => can(value, "read", "on", "destroy");
