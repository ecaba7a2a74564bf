import { isMainThread } from "node:worker_threads";
import { refuse, requireOneOf, requireType, sink } from "../../src/adapter/index.ts";
import type { Consumer, StageOptions } from "../../src/index.ts";
import { watchExit } from "./before-exit.ts";
import { adviceOn } from "./advice.ts";
import { can, type OddLike, type WritableLike } from "./like.ts";
import { WritableSink } from "./writable-sink.ts";

export interface IntoWritableOptions extends StageOptions {
  /**
   * Whether the Writable ends with the consumer: ended when it completes, destroyed when it fails. Otherwise it is left
   * as it is. @default true, but false for `process.stdout` and `process.stderr`
   */
  readonly end?: boolean | undefined;
  /** What becomes of the Writable when the consumer is stopped, or its source is. @default "end" */
  readonly onStop?: "end" | "destroy" | undefined;
}

/**
 * Makes a consumer that writes into a Node Writable of any make: Node's own, readable-stream's, streamx's, minipass's, old ones.
 *
 * **Shape** one `write` per event; a batch is corked where the Writable has a `writev`. Nothing is converted.
 * **Units** events; the Writable's high-water mark is its own.
 * **Backpressures** after a `write` that returned false nothing is written until `drain`, and what is in flight stays
 * within the subscription's maxDemand.
 * **Completes** when its source has completed: the Writable is ended at once, and `done` fulfils after `finish`, and after `close` if it
 * destroys itself.
 * **Cancels** its source when the Writable fails, is destroyed or is ended elsewhere. A failing source destroys
 * the Writable with its error, a stopped one ends it (`onStop`); `end: false` leaves it to its owner in all cases.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Writable; `ERR_OPTION`: wrong options. What the Writable fails with, `final`
 * included, fails the consumer by identity: `ERR_STREAM_PREMATURE_CLOSE` if it was destroyed without an error,
 * `ERR_STREAM_WRITE_AFTER_END` if it was ended elsewhere. What was not handed to it goes back to the source.
 * What fails while it is destroyed goes to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `stream.pipeline` for what ends and what is destroyed.
 *
 * @example
 * const file = intoWritable<string>(fs.createWriteStream("letters.txt"));
 * file.subscribe(fromIterable(["a", "b", "c"]));
 * await file.done;
 */
export function intoWritable<In>(writable: WritableLike, options: IntoWritableOptions = {}): Consumer<In> {
  watchExit();
  if (!isWritable(writable)) refuse("ERR_NOT_SOURCE", adviceOn(writable, "Writable"), writable);
  const { end, onStop } = options;
  requireType("end", end, "boolean");
  requireOneOf("onStop", onStop, ["end", "destroy"]);
  return writing(writable, options, ["end", "onStop"], false);
}

/** The same, alone or as one side of a Duplex; `own` names the options that it may have. */
export function writing<In>(
  writable: WritableLike,
  options: IntoWritableOptions,
  own: readonly string[],
  isSide: boolean,
): Consumer<In> {
  const { end = true, onStop = "end" } = options;
  const settings = { ends: end && !isStandard(writable), onStop, isSide };
  return sink<In>(new WritableSink<In>(writable, settings), options, { own });
}

/** Whether it is one of the process's own. They are asked for only where that opens nothing. */
function isStandard(writable: WritableLike & OddLike): boolean {
  if (isMainThread && writable.fd !== 1 && writable.fd !== 2) return false;
  const { stdout, stderr } = globalThis.process;
  return (writable as object) === stdout || (writable as object) === stderr;
}

export const isWritable = (value: unknown): value is WritableLike => can(value, "write", "end", "on", "removeListener");
