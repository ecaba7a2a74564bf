import { refuseUnknown, requireInteger, requireOneOf, requireType } from "../../base/check.ts";
import { CallbackError, words } from "../../base/errors.ts";
import type { Counts } from "../../contract/adapter.ts";
import type { Step } from "../../contract/step.ts";
import { type Setting, makeStep } from "../../adapter/step.ts";
import { type Bytes, Decoder } from "./decoder.ts";
import { Splitter, type TooLong } from "./splitter.ts";
import { ChunkStage } from "./text-stage.ts";

export interface LinesOptions {
  /** Of a line, without its end. **Units** UTF-16 units, from 1, or Infinity. @default 1048576 */
  readonly maxLength?: number | undefined;
  /**
   * What becomes of a line that is longer. `"fail"`: the step fails. `"skip"`: the line is dropped. `"cut"`: its first
   * `maxLength` units come, and the rest is dropped. @default "fail"
   */
  readonly onTooLong?: "fail" | "skip" | "cut" | undefined;
  /** Whether bytes that are not UTF-8 fail the step. @default they become U+FFFD */
  readonly fatal?: boolean | undefined;
}

export const MAX_LENGTH: number = 2 ** 20;

export function checkLines(owner: string, options: LinesOptions, own: readonly string[]): void {
  refuseUnknown(owner, options, ["maxLength", "fatal", ...own]);
  requireInteger("maxLength", options.maxLength, 1, Number.POSITIVE_INFINITY);
  requireType("fatal", options.fatal, "boolean");
}

/** The error of a line that is longer than it may be. */
export function tooLongError(maxLength: number, start: string, index: number): CallbackError {
  const expected = `line ${index} to have at most ${maxLength} UTF-16 units`;
  const error = new CallbackError({ code: "ERR_LINE_LENGTH", expected, got: words("more") }, [start]);
  return Object.assign(error, { line: { index, text: start } });
}

/** Chunks in, lines out. */
export class LineReader {
  readonly #decoder: Decoder;
  readonly #splitter: Splitter;

  constructor({ maxLength = MAX_LENGTH, fatal }: LinesOptions, tooLong: TooLong) {
    this.#decoder = new Decoder("utf-8", fatal);
    this.#splitter = new Splitter(maxLength, tooLong);
  }

  /** Of the next line. */
  get index(): number {
    return this.#splitter.index;
  }

  /** Adds to `out`, or returns another array in its place. */
  take<Item>(chunk: Bytes, out: Item[]): Item[] {
    let text: string;
    try {
      text = this.#decoder.next(chunk);
    } catch (error) {
      const before = this.#decoder.before(chunk);
      for (const line of this.#splitter.feed<Item>(before, [])) out.push(line);
      throw error;
    }
    return this.#splitter.feed(text, out);
  }

  last<Item>(out: Item[]): Item[] {
    const whole = this.#splitter.feed(this.#decoder.end(), out);
    this.#splitter.end(whole);
    return whole;
  }

  /** What has no end yet, which then is held no longer. */
  held(): string[] {
    const rest = this.#splitter.partial + this.#decoder.rest();
    this.#splitter.partial = "";
    return rest === "" ? [] : [rest];
  }
}

class Lines extends ChunkStage {
  /** Engines keep longer text apart, and lines of it cost twice as much. */
  override readonly most: number = 2 ** 16;
  readonly #reader: LineReader;
  /** Lines skipped or cut. */
  #dropped = 0;

  constructor(options: LinesOptions, setting: Setting) {
    super("lines", setting);
    const { maxLength = MAX_LENGTH, onTooLong = "fail" } = options;
    this.#reader = new LineReader(options, (start, index) => {
      if (onTooLong === "fail") throw tooLongError(maxLength, start, index);
      this.#dropped += 1;
      return onTooLong === "cut" ? start : undefined;
    });
  }

  get counts(): Counts {
    return { dropped: this.#dropped };
  }

  take(chunk: Bytes, out: string[]): string[] {
    return this.#reader.take(chunk, out);
  }

  last(out: string[]): string[] {
    return this.#reader.last(out);
  }

  held(): readonly unknown[] {
    return this.#reader.held();
  }
}

/**
 * Makes lines of bytes or strings, wherever they are cut.
 *
 * **Shape** one string for each line, without its end: LF or CRLF; a CR alone is text. A byte order mark in front is left out.
 * **Units** `maxLength` in UTF-16 units, 2^20 by default, without the end of the line. `"cut"` leaves no half of a character.
 * `inspect()` counts lines that are skipped or cut as dropped.
 * Behind it `maxDemand` counts lines, 1000 by default.
 * **Backpressures** it takes chunks only as lines are wanted, and holds the lines of the chunks in its window at most, and up to
 * `maxLength` units of a line without an end.
 * **Completes** with its source, behind a last line without an end. **Cancels** at a stop: chunks that it has not begun go
 * back, lines that no one has taken and a line without an end go to `onDiscard`; so does that at a failure of the source.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no such option. CallbackError `ERR_LINE_LENGTH`: the step fails, behind the
 * lines before; `line` has the index and the first units. With `fatal` bytes that are not UTF-8 fail it likewise, with the
 * platform's TypeError.
 *
 * **Source** rules 8.3, 8.8.
 *
 * @example
 * const chunks = ["one\ntw", "o\r", "\nthree"];
 * console.log(await pipeline(fromIterable(chunks), lines(), collect())); // [ 'one', 'two', 'three' ]
 */
export function lines(options: LinesOptions = {}): Step<Bytes, string> {
  checkLines("lines", options, ["onTooLong"]);
  requireOneOf("onTooLong", options.onTooLong, ["fail", "skip", "cut"]);
  return makeStep<Bytes, string>("lines", (setting) => new Lines(options, setting).make());
}
