import type { OddLike, ReadableLike, StateLike, StreamLike, WritableLike } from "./like.ts";

/** The error with which streams of streamx's kind mark a destruction without one. */
const isPlainDestroy = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === "STREAM_DESTROYED";

/**
 * A stream's state, whatever its make. Node's own and readable-stream 4 have public properties for it; others show it
 * by inner state, by other names, or by events, noted here.
 */
abstract class View<Stream extends StreamLike> {
  protected readonly stream: Stream & OddLike;
  /** Nothing depends on it being there. */
  protected readonly state: StateLike | undefined;
  /** Of streamx's kind: destroyed from `destroying` on, and certain to close. */
  readonly lasting: boolean;
  /** It was gone when first looked at. */
  readonly #late: boolean;
  /** Its `close` has been heard. */
  closed = false;

  constructor(stream: Stream, state: "_readableState" | "_writableState") {
    this.stream = stream;
    this.state = (stream as { readonly [Name in typeof state]?: StateLike | null })[state] ?? undefined;
    this.lasting = typeof this.stream.destroying === "boolean";
    this.#late = this.destroyed;
  }

  get destroyed(): boolean {
    return (this.lasting ? this.stream.destroying : this.stream.destroyed) === true;
  }

  /** Its error, where it shows one; undefined for none. */
  get error(): unknown {
    const error = this.lasting ? this.state?.error : (this.stream.errored ?? this.state?.errored);
    return error === null || (this.lasting && isPlainDestroy(error)) ? undefined : error;
  }

  /** Whether it is known to have closed. */
  get isClosed(): boolean {
    const { stream, state } = this;
    return this.closed || ((this.lasting ? stream.destroyed : state?.closeEmitted) ?? stream.closed) === true;
  }

  /** Whether, once destroyed, its `close` is still to come. */
  get willClose(): boolean {
    const { stream, state, closed } = this;
    if (closed) return false;
    if (this.lasting) return !stream.destroyed;
    if (state?.closeEmitted !== undefined) return state.emitClose !== false && !state.closeEmitted;
    // readable-stream 3 does not tell of the past, others not of the future.
    if (state?.emitClose !== undefined) return state.emitClose && !this.#late;
    return stream.closed === false;
  }

  /**
   * The error of a streamx stream that is being destroyed: it shows it only when the callback of a read or write in
   * flight is called, which is often left out.
   */
  get unsaid(): unknown {
    return this.lasting && this.stream.destroyed === false ? this.error : undefined;
  }

  /** Whether, once destroyed, it may still tell why, in a way that cannot be waited for. */
  get isUncertain(): boolean {
    const { state } = this;
    if (this.lasting || this.closed || state === undefined || state.closeEmitted !== undefined) return false;
    return state.emitClose === undefined || (state.emitClose && this.#late);
  }
}

/** A stream, as it is read. */
export class ReadableView extends View<ReadableLike> {
  constructor(stream: ReadableLike) {
    super(stream, "_readableState");
  }

  /** `end` has been emitted. */
  get ended(): boolean {
    const { stream, state } = this;
    const ended = stream.readableEnded ?? (this.lasting ? state?.ended : state?.endEmitted) ?? stream.emittedEnd;
    return ended === true;
  }

  /** Its own source has ended: its buffer, and `end`, are still to come. */
  get isFed(): boolean {
    return !this.lasting && this.state?.ended === true;
  }

  /** Of minipass's kind: `readable` is emitted within a write, which then returns false. */
  get isPrompt(): boolean {
    return typeof this.stream.emittedEnd === "boolean";
  }

  get length(): number {
    return this.stream.readableLength ?? this.state?.length ?? 0;
  }

  /** Whether a listener for `readable` makes it act unasked. */
  get readsAhead(): boolean {
    return (this.stream.readableHighWaterMark ?? this.state?.highWaterMark ?? 1) > 0;
  }

  get isOfObjects(): boolean {
    return (this.stream.readableObjectMode ?? this.state?.objectMode ?? this.stream.objectMode) === true;
  }

  /** It is read elsewhere, and may have events left. */
  get flows(): boolean {
    const { stream, state } = this;
    const flowing = stream.readableFlowing ?? state?.flowing ?? stream.flowing ?? (this.lasting && hasReaders(stream));
    return flowing && !this.isOver && !(this.isFed && this.length === 0);
  }

  /** It has ended, failed or been destroyed: nothing more can be read. */
  get isOver(): boolean {
    return this.ended || this.destroyed || this.error !== undefined;
  }
}

/** A stream, as it is written to. */
export class WritableView extends View<WritableLike> {
  /** It emitted the one of `finish`, `end` and `close` by which its make finishes. */
  heardFinish = false;
  /** It shows no state, as before Node 0.10. */
  readonly isOld: boolean;
  /** Whether `write` calls back. */
  readonly callsBack: boolean;
  /** Whether corked writes arrive as one. */
  readonly corks: boolean;

  constructor(stream: WritableLike) {
    super(stream, "_writableState");
    this.isOld = this.state === undefined && stream.writableEnded === undefined;
    this.callsBack = stream.write.length !== 1;
    this.corks = ["_writev", "cork", "uncork"].every((name) => typeof stream[name as "cork"] === "function");
  }

  /** `end` was called. */
  get ended(): boolean {
    const { stream, state } = this;
    if (stream.writableEnded !== undefined) return stream.writableEnded;
    return state ? state.ending === true || state.ended === true : stream.writable === false;
  }

  get finished(): boolean {
    const { stream, state } = this;
    return stream.writableFinished ?? (this.lasting ? state?.ended : state?.finished) ?? this.heardFinish;
  }

  /** To `stream.finished` a close without `finish` is a finish if the stream was ended and holds nothing. */
  get finishedAtClose(): boolean {
    const { stream, state } = this;
    if (this.isOld) return this.heardFinish || stream.writable !== true;
    if (this.finished || this.lasting || this.error !== undefined) return this.finished;
    return this.ended && (stream.writableLength ?? state?.length) === 0;
  }

  /** Whether it has enough, where it shows that. */
  get needsDrain(): boolean | undefined {
    return this.stream.writableNeedDrain ?? this.state?.needDrain;
  }
}

const hasReaders = (stream: OddLike): boolean => (stream.listenerCount?.("data") ?? 0) > 0;

/** The events of a stream that is gone. minipass uses a symbol of its own. */
export function closings(stream: StreamLike & OddLike): readonly (string | symbol)[] {
  if (typeof stream.emittedEnd !== "boolean") return ["close"];
  const symbols = Object.getOwnPropertySymbols(stream).filter(({ description }) => description === "destroyed");
  return ["close", ...symbols];
}

type Destroyable = StreamLike & OddLike;
const verbs = ["destroy", "close", "abort"] as const;

export const isDestroyable = (stream: Destroyable): boolean => verbs.some((verb) => stream[verb] !== undefined);

/** Destroys a stream by its make's method, once: some emit a second error. */
export function destroy(stream: Destroyable, error?: unknown): void {
  const verb = verbs.find((name) => stream[name] !== undefined);
  if (verb && stream.destroyed !== true) stream[verb]?.(error);
}
