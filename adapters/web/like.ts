/** The result of a read. */
export interface ReadLike<out Chunk> {
  readonly done: boolean;
  readonly value?: Chunk | undefined;
}

/** A reader of either kind, as `fromReadableStream` uses it. */
export interface ReaderLike<out Chunk> {
  readonly closed: PromiseLike<unknown>;
  read(view?: any): PromiseLike<ReadLike<Chunk>>;
  cancel(reason?: any): PromiseLike<unknown>;
  releaseLock(): void;
}

/** A ReadableStream of any platform, as `fromReadableStream` uses it. */
export interface ReadableStreamLike<out Chunk> {
  readonly locked: boolean;
  getReader(): ReaderLike<Chunk>;
  getReader(options?: any): any;
}

/** A writer, as `intoWritableStream` uses it. */
export interface WriterLike<in Chunk> {
  readonly closed: PromiseLike<unknown>;
  readonly ready: PromiseLike<unknown>;
  readonly desiredSize: number | null;
  write(chunk?: Chunk): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
  abort(reason?: any): PromiseLike<unknown>;
  releaseLock(): void;
}

/** A WritableStream, as `intoWritableStream` uses it. */
export interface WritableStreamLike<in Chunk> {
  readonly locked: boolean;
  getWriter(): WriterLike<Chunk>;
}

/** A TransformStream, or any such pair of streams. */
export interface TransformStreamLike<in In, out Out> {
  readonly readable: ReadableStreamLike<Out>;
  readonly writable: WritableStreamLike<In>;
}

/** A controller of either kind, as `toReadableStream` uses it. */
export interface ControllerLike {
  readonly desiredSize: number | null;
  readonly byobRequest?: { readonly view: ArrayBufferView | null; respond(bytes: number): void } | null;
  enqueue(chunk: any): void;
  close(): void;
  error(reason?: any): void;
}

/** The class of stream that `toReadableStream` makes. */
export type ReadableStreamClass = new (
  source: {
    readonly type: "bytes" | undefined;
    readonly start: (controller: ControllerLike) => void;
    readonly pull: () => void;
    readonly cancel: (reason: unknown) => PromiseLike<unknown>;
  },
  strategy: { readonly highWaterMark: number; readonly size?: (chunk: never) => number },
) => object;

/** A ReadableStream in a project that declares none. */
export interface MinimalReadableStream<out Chunk> extends ReadableStreamLike<Chunk> {
  cancel(reason?: any): Promise<void>;
  pipeTo(destination: any, options?: any): Promise<void>;
  pipeThrough<Readable>(transform: { readonly readable: Readable; readonly writable: any }, options?: any): Readable;
  tee(): [MinimalReadableStream<Chunk>, MinimalReadableStream<Chunk>];
  [Symbol.asyncIterator](): AsyncIterableIterator<Chunk>;
}

declare const declared: typeof globalThis extends {
  ReadableStream: infer Class extends abstract new (...args: any) => unknown;
}
  ? Class
  : new <Chunk>() => MinimalReadableStream<Chunk>;

/** A ReadableStream as the project declares it: lib.dom's, Node's, or a minimal one. */
export type WebReadableStream<Chunk> = InstanceType<typeof declared<Chunk>>;
