export { type FromReadableStreamOptions, fromReadableStream } from "./from-readable-stream.ts";
export { type IntoWritableStreamOptions, intoWritableStream } from "./into-writable-stream.ts";
export type {
  MinimalReadableStream,
  ReadableStreamLike,
  ReaderLike,
  ReadLike,
  TransformStreamLike,
  WebReadableStream,
  WritableStreamLike,
  WriterLike,
} from "./like.ts";
export { throughTransformStream } from "./through-transform-stream.ts";
export {
  type ToByteStreamOptions,
  type ToReadableStreamArguments,
  type ToReadableStreamOptions,
  toReadableStream,
} from "./to-readable-stream.ts";
