import { argumentError } from "../../base/errors.ts";

/** What text steps take: any view of bytes, or strings, also mixed. */
export type Bytes = ArrayBufferView | ArrayBuffer | string;

const BOM = 0xfeff;
const LF = 0x0a;
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;

export const isBytes = (chunk: unknown): chunk is Exclude<Bytes, string> =>
  ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer;

/** Refuses an encoding that the platform does not know. */
export function checkEncoding(encoding: unknown): void {
  try {
    void new TextDecoder(encoding as string);
  } catch (cause) {
    throw argumentError("ERR_OPTION", "an encoding that TextDecoder knows", encoding, cause);
  }
}

/** Makes text of chunks that are cut anywhere: characters come whole, and a byte order mark in front is left out. */
export class Decoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  #decoder: InstanceType<typeof TextDecoder>;
  /** With `fatal` and UTF-8: the bytes of a character that is not complete. The platform's own state would not survive. */
  #carried: Uint8Array | undefined;
  /** The first half of a surrogate pair, at the end of a string. */
  #half = "";
  #begun = false;
  /** The last chunk was of bytes: its last character may be incomplete. */
  #open = false;

  constructor(encoding = "utf-8", fatal = false) {
    this.#encoding = encoding;
    this.#fatal = fatal;
    this.#decoder = this.#fresh();
  }

  /** The text of the next chunk. Throws what the platform throws for bytes that are no text. */
  next(chunk: Bytes): string {
    if (typeof chunk === "string") {
      const text = (this.#open ? this.#close() : this.#half) + chunk;
      this.#half = isHigh(text.charCodeAt(text.length - 1)) ? text.slice(-1) : "";
      return this.#begin(this.#half === "" ? text : text.slice(0, -1));
    }
    const before = this.#half;
    this.#half = "";
    this.#open = true;
    const text = this.#carries ? this.#decodeWhole(chunk) : this.#decoder.decode(viewOf(chunk), { stream: true });
    return this.#begin(before + text);
  }

  /** What is left when nothing more comes. Throws if that is no text. */
  end(): string {
    return this.#begin(this.#close());
  }

  /** What is left, as text whatever it is. */
  rest(): string {
    const carried = this.#carried;
    this.#carried = undefined;
    try {
      return carried ? new TextDecoder().decode(carried) : this.#close();
    } catch {
      return "�";
    }
  }

  /** The text up to the last line end in front of the bytes that are none, where `next` has thrown for this chunk. */
  before(chunk: Bytes): string {
    if (typeof chunk === "string" || !this.#carries) return "";
    const bytes = this.#joined(chunk);
    this.#carried = undefined;
    let text = "";
    let from = 0;
    try {
      for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, from)) {
        text += this.#decoder.decode(bytes.subarray(from, at + 1));
        from = at + 1;
      }
    } catch {
      // Where it ends.
    }
    return this.#begin(text);
  }

  get #carries(): boolean {
    return this.#fatal && this.#decoder.encoding === "utf-8";
  }

  /** All characters that are complete. */
  #decodeWhole(chunk: Exclude<Bytes, string>): string {
    const bytes = this.#joined(chunk);
    const whole = bytes.length - incomplete(bytes);
    const text = this.#decoder.decode(bytes.subarray(0, whole));
    this.#carried = whole === bytes.length ? undefined : bytes.slice(whole);
    return text;
  }

  #joined(chunk: Exclude<Bytes, string>): Uint8Array {
    const bytes = viewOf(chunk);
    if (this.#carried === undefined) return bytes;
    const joined = new Uint8Array(this.#carried.length + bytes.length);
    joined.set(this.#carried);
    joined.set(bytes, this.#carried.length);
    return joined;
  }

  /** The bytes are over, for now. */
  #close(): string {
    const half = this.#half;
    this.#half = "";
    if (!this.#open) return half;
    this.#open = false;
    const carried = this.#carried;
    this.#carried = undefined;
    return half + this.#decoder.decode(carried);
  }

  #begin(text: string): string {
    if (this.#begun || text === "") return text;
    this.#begun = true;
    return text.charCodeAt(0) === BOM ? text.slice(1) : text;
  }

  /** It keeps byte order marks: in the middle of a stream they are text, and strings have them, too. */
  #fresh(): InstanceType<typeof TextDecoder> {
    return new TextDecoder(this.#encoding, { fatal: this.#fatal, ignoreBOM: true });
  }
}

export function viewOf(chunk: Exclude<Bytes, string>): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** How many bytes at the end are the begin of a character of UTF-8. */
function incomplete(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && back <= length; back += 1) {
    const byte = bytes[length - back] as number;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const needed = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return needed > back ? back : 0;
  }
  return 0;
}
