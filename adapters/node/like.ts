/** What the adapters use of an emitter. */
export interface EmitterLike {
  on(event: string, listener: (...args: any[]) => void): unknown;
  removeListener(event: string, listener: (...args: any[]) => void): unknown;
}

/** What the adapters use of a stream's inner state, where it has one: nothing depends on it being there. */
export interface StateLike {
  readonly ended?: boolean;
  readonly closeEmitted?: boolean;
  readonly emitClose?: boolean;
}

/** What every stream has. */
export interface StreamLike extends EmitterLike {
  readonly destroyed: boolean;
  readonly closed: boolean;
  readonly errored: unknown;
  destroy(error?: any): unknown;
}

/** What `fromReadable` uses of a Readable: Node's own from 22 on, and readable-stream 4, have it. */
export interface ReadableLike extends StreamLike {
  readonly readableEnded: boolean;
  readonly readableFlowing: boolean | null;
  readonly readableHighWaterMark: number;
  readonly readableLength: number;
  readonly readableObjectMode: boolean;
  read(size?: number): unknown;
  unshift(chunk: any): void;
}

/** What `intoWritable` uses of a Writable: Node's own from 22 on, and readable-stream 4, have it. */
export interface WritableLike extends StreamLike {
  readonly writableFinished: boolean;
  readonly writableEnded: boolean;
  readonly writableNeedDrain: boolean;
  write(chunk: any, callback?: (error?: any) => void): boolean;
  end(): unknown;
  cork(): void;
  uncork(): void;
}

/** What `throughDuplex` uses of a Duplex: Node's own from 22 on, and readable-stream 4, have it. */
export interface DuplexLike extends ReadableLike, WritableLike {}

/** A stream from before Node had pull: it emits `data` and `end`, and may be asked to pause. */
export type LegacyLike = EmitterLike & ({ readonly readable: boolean } | { pause(): unknown; resume(): unknown });

/** What `toReadable` uses of the Readable that it makes. */
export interface PushLike {
  readonly destroyed: boolean;
  readonly readableHighWaterMark: number;
  readonly readableLength: number;
  readonly readableObjectMode: boolean;
  push(chunk: any): boolean;
  destroy(error?: any): unknown;
}

/** What `toReadable` gives to the class of Readable that it makes. */
export interface ReadableSettings {
  readonly objectMode: boolean;
  readonly highWaterMark?: number;
  readonly signal?: AbortSignal;
  readonly read: () => void;
  readonly destroy: (error: Error | null, callback: (error?: Error | null) => void) => void;
}

/** A class of Readable: Node's own or readable-stream's. */
export type ReadableClass<Stream> = new (settings: any) => Stream;

/** The inner state of a stream, if it shows one. */
export const stateOf = (stream: StreamLike, side: "_readableState" | "_writableState"): StateLike | undefined =>
  (stream as { readonly _readableState?: StateLike; readonly _writableState?: StateLike })[side];

/** Whether a destroyed stream has its `close` still before it. */
export const willClose = (stream: StreamLike, state: StateLike | undefined): boolean =>
  state?.closeEmitted === undefined ? !stream.closed : state.emitClose !== false && !state.closeEmitted;

/** Whether it has methods of these names. */
export const can = (value: unknown, ...names: readonly string[]): boolean =>
  names.every((name) => typeof (value as Record<string, unknown> | null | undefined)?.[name] === "function");

const closes = new WeakMap<object, Error>();

/** The error of a stream that went away before its end, as Node names it: the same one for all who ask. */
export function prematureClose(stream: object): Error {
  let error = closes.get(stream);
  if (error === undefined) {
    error = Object.assign(new Error("the stream was closed before its end"), { code: "ERR_STREAM_PREMATURE_CLOSE" });
    closes.set(stream, error);
  }
  return error;
}

/** The error of who writes into a stream that somebody else has ended, as Node names it. */
export const writeAfterEnd = (): Error =>
  Object.assign(new Error("the Writable was ended by somebody else"), { code: "ERR_STREAM_WRITE_AFTER_END" });

/** Whether corked writes arrive as one. */
export const joins = (stream: object): boolean => can(stream, "_writev");
