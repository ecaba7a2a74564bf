/** An emitter, as the adapters use it. */
export interface EmitterLike {
  on(event: any, listener: (...args: any[]) => void): unknown;
  removeListener(event: any, listener: (...args: any[]) => void): unknown;
}

/** A stream's inner state. Optional throughout: nothing depends on it. */
export interface StateLike {
  readonly ended?: boolean;
  readonly ending?: boolean;
  readonly endEmitted?: boolean;
  readonly finished?: boolean;
  readonly closeEmitted?: boolean;
  readonly emitClose?: boolean;
  readonly flowing?: boolean | null;
  readonly highWaterMark?: number;
  readonly length?: number;
  readonly needDrain?: boolean;
  readonly objectMode?: boolean;
  readonly errored?: unknown;
  readonly error?: unknown;
}

/** Members that a stream of any make may have. */
export interface StreamLike extends EmitterLike {
  readonly destroyed?: boolean;
  readonly closed?: boolean;
  readonly errored?: unknown;
  destroy?(error?: any): unknown;
}

/** A readable stream: `read`, and its make's own signs. */
export interface ReadableLike extends StreamLike {
  readonly readableEnded?: boolean;
  readonly readableFlowing?: boolean | null;
  readonly readableHighWaterMark?: number;
  readonly readableLength?: number;
  readonly readableObjectMode?: boolean;
  read(size?: number): unknown;
  unshift?(chunk: any): unknown;
}

/** A writable stream: `write` and `end`, and its make's own signs. */
export interface WritableLike extends StreamLike {
  readonly writableFinished?: boolean;
  readonly writableEnded?: boolean;
  readonly writableNeedDrain?: boolean;
  readonly writableLength?: number;
  write(chunk: any, ...rest: any[]): unknown;
  end(...args: any[]): unknown;
  cork?(): unknown;
  uncork?(): unknown;
}

/** An old stream: it emits `data` and `end`, and may support pausing. */
export type LegacyLike = EmitterLike & ({ readonly readable: boolean } | { pause(): unknown; resume(): unknown });

/** A Duplex of any make, as `throughDuplex` uses it. */
export type DuplexLike = (ReadableLike | LegacyLike) & WritableLike;

/** The Readable that `toReadable` makes, as it uses it. */
export interface PushLike {
  readonly destroyed: boolean;
  readonly readableHighWaterMark: number;
  readonly readableLength: number;
  readonly readableObjectMode: boolean;
  push(chunk: any): boolean;
  destroy(error?: any): unknown;
}

/** The settings `toReadable` gives its class of Readable. */
export interface ReadableSettings {
  readonly objectMode: boolean;
  readonly highWaterMark?: number;
  readonly signal?: AbortSignal;
  readonly read: () => void;
  readonly destroy: (error: Error | null, callback: (error?: Error | null) => void) => void;
}

/** A class of Readable: Node's own or readable-stream's. */
export type ReadableClass<Stream> = new (settings: any) => Stream;

/** Other makes' own names: streamx `destroying`, minipass `emittedEnd`, old streams a plain `writable`. */
export interface OddLike {
  readonly destroying?: boolean;
  readonly emittedEnd?: boolean;
  readonly ended?: boolean;
  readonly flowing?: boolean;
  readonly objectMode?: boolean;
  readonly readable?: boolean;
  readonly writable?: boolean;
  readonly fd?: number;
  pause?(): unknown;
  resume?(): unknown;
  close?(error?: any): unknown;
  abort?(error?: any): unknown;
  listenerCount?(event: string): number;
}

/** Whether it has methods of these names. */
export const can = (value: unknown, ...names: readonly string[]): boolean =>
  names.every((name) => typeof (value as Record<string, unknown> | null | undefined)?.[name] === "function");

const closes = new WeakMap<object, Error>();

/** The error of a stream that closed before its end, as Node names it: the same one each time. */
export function prematureClose(stream: object): Error {
  let error = closes.get(stream);
  if (error === undefined) {
    error = Object.assign(new Error("the stream was closed before its end"), { code: "ERR_STREAM_PREMATURE_CLOSE" });
    closes.set(stream, error);
  }
  return error;
}

/** The error of a write after the end, as Node names it. */
export const writeAfterEnd = (): Error =>
  Object.assign(new Error("the Writable was ended elsewhere"), { code: "ERR_STREAM_WRITE_AFTER_END" });
