export { type FromReadableOptions, fromReadable } from "./from-readable.ts";
export { type IntoWritableOptions, intoWritable } from "./into-writable.ts";
export type { DuplexLike, LegacyLike, ReadableClass, ReadableLike, WritableLike } from "./like.ts";
export { type Drainable, type ShutdownOptions, shutdownOn } from "./shutdown-on.ts";
export { type ThroughDuplexOptions, throughDuplex } from "./through-duplex.ts";
export {
  type ToReadableArguments,
  type ToReadableOptions,
  type ToReadableOptionsWith,
  toReadable,
} from "./to-readable.ts";
