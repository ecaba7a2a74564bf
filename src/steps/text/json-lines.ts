import { requireOneOf } from "../../base/check.ts";
import { CallbackError, words } from "../../base/errors.ts";
import type { Counts } from "../../contract/adapter.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Step } from "../../contract/step.ts";
import type { Subscription } from "../../contract/stage.ts";
import { type Setting, makeStep } from "../../adapter/step.ts";
import type { Bytes } from "./decoder.ts";
import { checkLines, LineReader, MAX_LENGTH, tooLongError } from "./lines.ts";
import { TextStage } from "./text-stage.ts";

/** A line that is no JSON value, or too long. */
export interface LineFailure {
  /** Its text; of one that is too long the first units. */
  readonly line: string;
  /** From 0, empty lines counted. */
  readonly index: number;
  /** The SyntaxError, or a CallbackError `ERR_LINE_LENGTH`. */
  readonly error: unknown;
}

export interface JsonLinesOptions {
  /**
   * What becomes of a line that is no JSON value. `"fail"`: the step fails. `"skip"`: the line is dropped, and the first such
   * failure is reported. A function is awaited, then the line is done; what it throws fails the step. @default "fail"
   */
  readonly onFailure?: "fail" | "skip" | ((failure: LineFailure) => unknown) | undefined;
  /** A longer line is a failure. **Units** UTF-16 units, from 1, or Infinity. @default 1048576 */
  readonly maxLength?: number | undefined;
  /** Whether bytes that are not UTF-8 fail the step, whatever `onFailure`. @default they become U+FFFD */
  readonly fatal?: boolean | undefined;
}

/** In the place of a line that is too long. */
class Long {
  readonly start: string;
  constructor(start: string) {
    this.start = start;
  }
}

const textOf = (item: unknown): string => (item instanceof Long ? item.start : (item as string));

/** Chunks in hand, the lines of the one that was begun, and what has come of them. */
class Work<Out> {
  readonly events: readonly Bytes[];
  readonly subscription: Subscription | undefined;
  /** The first chunk that was not begun. */
  next = 0;
  items: unknown[] = [];
  at = 0;
  /** The index of the first of the items. */
  index = 0;
  /** What splitting the chunk failed with: it comes behind the lines before. */
  broken: { readonly error: unknown; readonly chunk: unknown } | undefined;
  out: Out[] = [];
  over = false;

  constructor(events: readonly Bytes[], subscription: Subscription | undefined) {
    this.events = events;
    this.subscription = subscription;
  }
}

class JsonLines<Out> extends TextStage<Out> {
  readonly #reader: LineReader;
  readonly #onFailure: JsonLinesOptions["onFailure"];
  readonly #maxLength: number;
  /** Lines passed over. */
  #skipped = 0;
  /** What waits for the user's function. */
  #waiting: Work<Out> | undefined;

  constructor(options: JsonLinesOptions, setting: Setting) {
    super("jsonLines", setting);
    this.#reader = new LineReader(options, (start) => new Long(start));
    this.#onFailure = options.onFailure ?? "fail";
    this.#maxLength = options.maxLength ?? MAX_LENGTH;
  }

  get counts(): Counts {
    return { failed: this.#skipped };
  }

  handleEvents(events: readonly Bytes[], subscription: Subscription): Out[] | Promise<Out[]> {
    return this.#work(new Work<Out>(events, subscription));
  }

  handleEnd(): Out[] | Promise<Out[]> {
    const work = new Work<Out>([], undefined);
    this.#split(work, undefined, (items) => this.#reader.last(items));
    return this.#work(work);
  }

  held(): readonly unknown[] {
    return this.#reader.held();
  }

  /** The function may be at work: what stands behind its line reaches no one. */
  override terminate(): void {
    const work = this.#waiting;
    if (work) {
      work.over = true;
      if (work.subscription) this.stage.giveBack(work.subscription, work.events.slice(work.next));
      const rest = work.items.slice(work.at).map(textOf);
      if (rest.length > 0) this.stage.discard(rest as never);
    }
    super.terminate();
  }

  #work(work: Work<Out>): Out[] | Promise<Out[]> {
    const waits = this.#run(work);
    return waits === undefined ? work.out : this.#wait(work, waits);
  }

  async #wait(work: Work<Out>, first: PromiseLike<unknown>): Promise<Out[]> {
    this.#waiting = work;
    for (let waits: PromiseLike<unknown> | undefined = first; waits && !work.over; waits = this.#run(work)) {
      // What comes of the lines before need not wait.
      this.stage.answer(work.out);
      work.out = [];
      try {
        // oxlint-disable-next-line no-await-in-loop -- one line at a time
        await waits;
      } catch (error) {
        if (work.over) throw error;
        this.#fail(work, error, textOf(work.items[work.at - 1]));
      }
    }
    this.#waiting = undefined;
    return work.out;
  }

  /** Works until a function is waited for, or all is done. */
  #run(work: Work<Out>): PromiseLike<unknown> | undefined {
    while (!work.over) {
      while (work.at < work.items.length) {
        const waits = this.#line(work);
        if (waits || work.over) return waits;
      }
      if (work.broken) this.#fail(work, work.broken.error, work.broken.chunk);
      else if (work.next < work.events.length) {
        const chunk = work.events[work.next] as Bytes;
        work.next += 1;
        this.#split(work, chunk, (items) => {
          this.check(chunk);
          return this.#reader.take(chunk, items);
        });
      } else return undefined;
    }
    return undefined;
  }

  #split(work: Work<Out>, chunk: unknown, split: (items: unknown[]) => unknown[]): void {
    const items: unknown[] = [];
    work.items = items;
    work.at = 0;
    work.index = this.#reader.index;
    try {
      work.items = split(items);
    } catch (error) {
      work.broken = { error, chunk };
    }
  }

  #line(work: Work<Out>): PromiseLike<unknown> | undefined {
    const item = work.items[work.at];
    work.at += 1;
    if (item === "") return undefined;
    const index = work.index + work.at - 1;
    const line = textOf(item);
    let error: unknown;
    try {
      if (item instanceof Long) error = tooLongError(this.#maxLength, line, index);
      else {
        work.out.push(JSON.parse(line) as Out);
        return undefined;
      }
    } catch (cause) {
      if (line.trim() === "") return undefined;
      error = cause;
    }
    const onFailure = this.#onFailure;
    if (typeof onFailure !== "function") {
      if (onFailure === "fail") this.#fail(work, named(line, index, error), line);
      else {
        this.#skipped += 1;
        if (this.#skipped === 1) this.stage.report(skipped(line, index, error), "jsonLines");
      }
      return undefined;
    }
    try {
      const result = onFailure({ line, index, error });
      return isThenable(result) ? result : undefined;
    } catch (cause) {
      this.#fail(work, cause, line);
      return undefined;
    }
  }

  /** The line in hand, those behind it in the chunk and what has no end are told with the failure. */
  #fail(work: Work<Out>, error: unknown, event: unknown): void {
    work.over = true;
    const { out, broken, subscription } = work;
    const rest = work.items.slice(work.at).map(textOf);
    const chunk = broken && broken.chunk !== undefined && broken.chunk !== event ? [broken.chunk] : [];
    if (subscription) this.stage.giveBack(subscription, work.events.slice(work.next));
    work.out = [];
    const events = [...(event === undefined ? [] : [event]), ...rest, ...this.held(), ...chunk];
    this.broken(error, event, events, out, subscription ? "handleEvents" : "handleEnd");
  }
}

/** The error of a line: it names the line, where the platform's only names a place in it. */
function named(line: string, index: number, error: unknown): unknown {
  if (error instanceof CallbackError) return error;
  const details = { code: "ERR_JSON", expected: `line ${index} to be a JSON value`, got: line.slice(0, 80) } as const;
  return Object.assign(new CallbackError(details, [line], { cause: error }), { line: { index, text: line } });
}

/** What is told of the first line that is skipped. That was asked for: it has no stack. */
function skipped(line: string, index: number, error: unknown): unknown {
  const long = error instanceof CallbackError;
  const told = new CallbackError(
    {
      code: long ? "ERR_LINE_LENGTH" : "ERR_JSON",
      expected: `line ${index} to be a JSON value`,
      got: words(`${JSON.stringify(line.slice(0, 80))} (${long ? "longer than maxLength" : String(error)})`),
      advice: "skipped, as onFailure says, and counted as failed by inspect(); others are not reported",
    },
    [line],
  );
  Object.defineProperty(told, "stack", { value: String(told) });
  return Object.assign(told, { line: { index, text: line } });
}

/**
 * Makes a value of each line of JSON, as `lines` makes them of bytes or strings.
 *
 * **Shape** one value for each line; lines without anything but white space are passed over. Without a type the values are
 * `unknown`: nothing is checked but that it is JSON.
 * **Units** `maxLength` in UTF-16 units of a line, 2^20 by default. Behind it `maxDemand` counts values, 1000 by default.
 * **Backpressures** as `lines` does; a promise of `onFailure` is waited for.
 * **Completes** with its source, behind a last line without an end. **Cancels** at a stop as `lines` does; at an abort lines
 * behind the one that `onFailure` has in hand go to `onDiscard`.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no such option. CallbackError `ERR_JSON`, unless `onFailure` says otherwise:
 * the step fails, behind the values before; `line` has index and text, `cause` the SyntaxError. `ERR_LINE_LENGTH`: likewise.
 * `failureOf(error).events` has that line and what stands behind it in its chunk.
 *
 * **Source** rules 8.3, 8.8.
 *
 * @example
 * const bad: number[] = [];
 * const rows = jsonLines<{ id: number }>({ onFailure: ({ index }) => bad.push(index) });
 * console.log(await pipeline(fromIterable(['{"id":1}\n{"i', 'd":2}\n{\n']), rows, collect())); // [ { id: 1 }, { id: 2 } ]
 * console.log(bad); // [ 2 ]
 */
export function jsonLines<T = unknown>(options: JsonLinesOptions = {}): Step<Bytes, T> {
  checkLines("jsonLines", options, ["onFailure"]);
  const { onFailure } = options;
  if (typeof onFailure !== "function") requireOneOf("onFailure", onFailure, ["fail", "skip"]);
  return makeStep<Bytes, T>("jsonLines", (setting) => new JsonLines<T>(options, setting).make());
}
