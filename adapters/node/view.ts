import type { OddLike, ReadableLike, StateLike, StreamLike, WritableLike } from "./like.ts";

/** What streams of streamx's kind call a destruction that came without an error. */
const isPlainDestroy = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === "STREAM_DESTROYED";

/**
 * What a stream says of itself, whatever its make. Node's own and readable-stream 4 do by public properties. Others do by
 * their inner state, by names of their own, or by events alone: then what has been heard stands here.
 */
abstract class View<Stream extends StreamLike> {
  protected readonly stream: Stream & OddLike;
  /** Nothing depends on it being there. */
  protected readonly state: StateLike | undefined;
  /** Of streamx's kind, bare-stream's included: destroyed from `destroying` on, and certain to close. */
  readonly lasting: boolean;
  /** It was gone when it was first looked at. */
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

  /** What it failed with, where it says so; undefined for none. */
  get error(): unknown {
    const error = this.lasting ? this.state?.error : (this.stream.errored ?? this.state?.errored);
    return error === null || (this.lasting && isPlainDestroy(error)) ? undefined : error;
  }

  /** Whether it is known to have closed. */
  get isClosed(): boolean {
    const { stream, state } = this;
    return this.closed || ((this.lasting ? stream.destroyed : state?.closeEmitted) ?? stream.closed) === true;
  }

  /** Whether, once destroyed, it has its `close` still before it. */
  get willClose(): boolean {
    const { stream, state, closed } = this;
    if (closed) return false;
    if (this.lasting) return !stream.destroyed;
    if (state?.closeEmitted !== undefined) return state.emitClose !== false && !state.closeEmitted;
    // readable-stream 3 does not say whether it has been; others do not say whether it will be.
    if (state?.emitClose !== undefined) return state.emitClose && !this.#late;
    return stream.closed === false;
  }

  /**
   * The error of a stream of streamx's kind that is being destroyed. Such a stream says so only when the callback of a read
   * or write in flight is called, which code that destroys it instead often leaves out.
   */
  get unsaid(): unknown {
    return this.lasting && this.stream.destroyed === false ? this.error : undefined;
  }

  /** Whether, once destroyed, it may still tell why, and by nothing that can be waited for. */
  get isUncertain(): boolean {
    const { state } = this;
    if (this.lasting || this.closed || state === undefined || state.closeEmitted !== undefined) return false;
    return state.emitClose === undefined || (state.emitClose && this.#late);
  }
}

/** A stream as one that is read. */
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

  /** What feeds it has ended: what it holds, and `end`, are still to come. */
  get isFed(): boolean {
    return !this.lasting && this.state?.ended === true;
  }

  /** Of minipass's kind: `readable` is emitted within a write, which returns false afterwards whatever was read meanwhile. */
  get isPrompt(): boolean {
    return typeof this.stream.emittedEnd === "boolean";
  }

  get length(): number {
    return this.stream.readableLength ?? this.state?.length ?? 0;
  }

  /** Whether it does something unasked, once a listener for `readable` has come. */
  get readsAhead(): boolean {
    return (this.stream.readableHighWaterMark ?? this.state?.highWaterMark ?? 1) > 0;
  }

  get isOfObjects(): boolean {
    return (this.stream.readableObjectMode ?? this.state?.objectMode ?? this.stream.objectMode) === true;
  }

  /** Someone else reads it, and may have events yet to get. */
  get flows(): boolean {
    const { stream, state } = this;
    const flowing = stream.readableFlowing ?? state?.flowing ?? stream.flowing ?? (this.lasting && hasReaders(stream));
    return flowing && !this.isOver && !(this.isFed && this.length === 0);
  }

  /** It has ended, failed or was destroyed: nothing will be read from it. */
  get isOver(): boolean {
    return this.ended || this.destroyed || this.error !== undefined;
  }
}

/** A stream as one that is written to. */
export class WritableView extends View<WritableLike> {
  /** One of its `finish`, `end` or `close` has been heard, and that is how its make finishes. */
  heardFinish = false;
  /** It shows nothing of itself: its events are those of streams before Node 0.10. */
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

  /** To `stream.finished` one that closes without `finish` has finished if it was ended and holds nothing. */
  get finishedAtClose(): boolean {
    const { stream, state } = this;
    if (this.isOld) return this.heardFinish || stream.writable !== true;
    if (this.finished || this.lasting || this.error !== undefined) return this.finished;
    return this.ended && (stream.writableLength ?? state?.length) === 0;
  }

  /** Whether it has enough, where it says so. */
  get needsDrain(): boolean | undefined {
    return this.stream.writableNeedDrain ?? this.state?.needDrain;
  }
}

const hasReaders = (stream: OddLike): boolean => (stream.listenerCount?.("data") ?? 0) > 0;

/** The events by which a stream tells that it is gone. minipass has a symbol of its own for it. */
export function closings(stream: StreamLike & OddLike): readonly (string | symbol)[] {
  if (typeof stream.emittedEnd !== "boolean") return ["close"];
  const symbols = Object.getOwnPropertySymbols(stream).filter(({ description }) => description === "destroyed");
  return ["close", ...symbols];
}

type Destroyable = StreamLike & OddLike;
const verbs = ["destroy", "close", "abort"] as const;

export const isDestroyable = (stream: Destroyable): boolean => verbs.some((verb) => stream[verb] !== undefined);

/** Destroys a stream, by the name that its make has for it. Destroyed twice, some emit the second error as well. */
export function destroy(stream: Destroyable, error?: unknown): void {
  const verb = verbs.find((name) => stream[name] !== undefined);
  if (verb && stream.destroyed !== true) stream[verb]?.(error);
}
