const CR = 0x0d;

const endsInCr = (text: string): boolean => text.charCodeAt(text.length - 1) === CR;
const withoutCr = (line: string): string => (endsInCr(line) ? line.slice(0, -1) : line);

/** The first `length` units, or one less where that would leave half a character. */
export function cutTo(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}

/** What comes in the place of a line that is too long, of which the first units are given; nothing if undefined. */
export type TooLong = (start: string, index: number) => unknown;

/** Cuts text into lines, and holds the last one until it is complete. */
export class Splitter {
  readonly #maxLength: number;
  readonly #tooLong: TooLong;
  /** The line that has no end yet, also while `tooLong` is called for it; one more unit than `maxLength` if that is a CR. */
  partial = "";
  /** The rest of the line is dropped. */
  #skipping = false;
  /** Lines that have been begun and ended. */
  index = 0;

  constructor(maxLength: number, tooLong: TooLong) {
    this.#maxLength = maxLength;
    this.#tooLong = tooLong;
  }

  /**
   * Adds the lines that end in this text, and returns `out`, or where that is empty perhaps another array in its place. What
   * `tooLong` throws passes; lines before that are in `out`.
   */
  feed<Item>(text: string, out: Item[]): Item[] {
    if (text === "") return out;
    if (this.#skipping || this.partial.length + text.length > this.#maxLength) this.#feedLong(text, out);
    // The text so far is not looked at again: a line may come in a million pieces.
    else if (!text.includes("\n")) this.partial += text;
    else return this.#feedShort(text, out) as Item[];
    return out;
  }

  /** The last line, if it has no end. */
  end(out: unknown[]): void {
    if (this.#skipping || this.partial === "") return;
    const line = this.partial;
    // A CR is the end of a line only in front of a LF.
    const long = line.length > this.#maxLength;
    this.#put(long ? this.#tooLong(cutTo(line, this.#maxLength), this.index) : line, out);
    this.partial = "";
    this.index += 1;
  }

  #feedShort(text: string, out: unknown[]): unknown[] {
    const lines = text.split("\n");
    const last = lines.pop() as string;
    const hasCr = endsInCr(this.partial) || text.includes("\r");
    lines[0] = this.partial + lines[0];
    this.partial = last;
    this.index += lines.length;
    if (hasCr) for (let i = 0; i < lines.length; i += 1) lines[i] = withoutCr(lines[i] as string);
    if (out.length === 0) return lines;
    for (const line of lines) out.push(line);
    return out;
  }

  /** A line may be too long. */
  #feedLong(text: string, out: unknown[]): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      const start = from;
      from = at + 1;
      if (!this.#skipping) this.#ended(text, start, at, out);
      this.#skipping = false;
      this.index += 1;
    }
    if (this.#skipping) return;
    const rest = text.length - from;
    const length = this.partial.length + rest - (endsInCr(text) ? 1 : 0);
    if (length <= this.#maxLength) this.partial += text.slice(from);
    else {
      const start = this.#start(text, from);
      const item = this.#tooLong(start, this.index);
      this.#skipping = true;
      this.partial = "";
      this.#put(item, out);
    }
  }

  #ended(text: string, from: number, to: number, out: unknown[]): void {
    const length = this.partial.length + to - from;
    const long =
      length > this.#maxLength + 1 ||
      (length > this.#maxLength && (to > from ? text.charCodeAt(to - 1) !== CR : !endsInCr(this.partial)));
    if (!long) {
      const line = withoutCr(this.partial + text.slice(from, to));
      this.partial = "";
      out.push(line);
      return;
    }
    const item = this.#tooLong(this.#start(text, from), this.index);
    this.partial = "";
    this.#put(item, out);
  }

  #start(text: string, from: number): string {
    const missing = Math.max(0, this.#maxLength + 1 - this.partial.length);
    return cutTo(this.partial + text.slice(from, from + missing), this.#maxLength);
  }

  #put(item: unknown, out: unknown[]): void {
    if (item !== undefined) out.push(item);
  }
}
