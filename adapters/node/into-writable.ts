import { isMainThread } from "node:worker_threads";
import { refuse, requireOneOf, requireType, sink } from "../../src/adapter/index.ts";
import type { Consumer, StageOptions } from "../../src/index.ts";
import { watchExit } from "./before-exit.ts";
import { adviceOn } from "./advice.ts";
import { can, type OddLike, type WritableLike } from "./like.ts";
import { WritableSink } from "./writable-sink.ts";

export interface IntoWritableOptions extends StageOptions {
  /**
   * Whether the Writable is ended when the consumer completes, and destroyed when it fails. @default true, but false
   * for `process.stdout` and `process.stderr`
   */
  readonly end?: boolean | undefined;
  /** What a stop of the consumer or its source does to the Writable. @default "end" */
  readonly onStop?: "end" | "destroy" | undefined;
}

/**
 * Makes a consumer that writes into a Node Writable of any make.
 *
 * **Shape** one `write` per event; a batch is corked where the Writable has a `writev`.
 * **Units** events.
 * **Backpressures** between a `write` that returns false and `drain`.
 * **Completes** with its source: the Writable is ended, and `done` resolves after `finish`, and after `close` if it
 * destroys itself.
 * **Cancels** its source when the Writable fails, is destroyed or is ended elsewhere. A failing source destroys the
 * Writable with its error, a stopped one ends it (`onStop`); `end: false` leaves it to its owner.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Writable; `ERR_OPTION`. An error of the Writable fails the consumer by
 * identity: `ERR_STREAM_PREMATURE_CLOSE` if it was destroyed without one, `ERR_STREAM_WRITE_AFTER_END` if it was ended
 * elsewhere. The rest goes back to the source. Errors while it is destroyed go to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `stream.pipeline`.
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

/** The same, alone or as one side of a Duplex; `own` names its further options. */
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

/** Whether it is one of the process's own, looked up only where that opens nothing. */
function isStandard(writable: WritableLike & OddLike): boolean {
  if (isMainThread && writable.fd !== 1 && writable.fd !== 2) return false;
  const { stdout, stderr } = globalThis.process;
  return (writable as object) === stdout || (writable as object) === stderr;
}

export const isWritable = (value: unknown): value is WritableLike => can(value, "write", "end", "on", "removeListener");
