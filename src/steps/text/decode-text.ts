import { refuseUnknown, requireType } from "../../base/check.ts";
import type { Step } from "../../contract/step.ts";
import { type Setting, makeStep } from "../../adapter/step.ts";
import { type Bytes, checkEncoding, Decoder } from "./decoder.ts";
import { ChunkStage } from "./text-stage.ts";

class DecodeText extends ChunkStage {
  readonly #decoder: Decoder;

  constructor(encoding: string, fatal: boolean, setting: Setting) {
    super("decodeText", setting);
    this.#decoder = new Decoder(encoding, fatal);
  }

  take(chunk: Bytes, out: string[]): string[] {
    const text = this.#decoder.next(chunk);
    if (text !== "") out.push(text);
    return out;
  }

  last(out: string[]): string[] {
    const text = this.#decoder.end();
    if (text !== "") out.push(text);
    return out;
  }

  held(): readonly unknown[] {
    const rest = this.#decoder.rest();
    return rest === "" ? [] : [rest];
  }
}

/**
 * Makes text of bytes.
 *
 * **Shape** one string for each chunk, none for one that completes no character; strings pass. A character that is cut between
 * chunks comes whole, a byte order mark in front is left out.
 * **Backpressures** it takes chunks only as text is wanted, and holds the text of those in its window at most, and less than a
 * character.
 * **Completes** with its source, behind what is left of an incomplete character. **Cancels** at a stop: chunks that it has not
 * begun go back, an incomplete character goes to `onDiscard`.
 *
 * @throws ArgumentError `ERR_OPTION`: no such encoding or option. With `fatal` bytes that are no text fail the step with the
 * platform's TypeError, behind the chunks before; without it they become U+FFFD.
 *
 * **Source** rules 8.3, 8.8; the labels of the Encoding standard.
 *
 * @example
 * const bytes = [Uint8Array.of(0x63, 0x61, 0x66, 0xc3), Uint8Array.of(0xa9)];
 * console.log(await pipeline(fromIterable(bytes), decodeText(), collect())); // [ 'caf', 'é' ]
 */
export function decodeText(
  encoding: string = "utf-8",
  options: { readonly fatal?: boolean | undefined } = {},
): Step<Bytes, string> {
  requireType("encoding", encoding, "string");
  checkEncoding(encoding);
  refuseUnknown("decodeText", options, ["fatal"]);
  requireType("fatal", options.fatal, "boolean");
  const { fatal = false } = options;
  return makeStep<Bytes, string>("decodeText", (setting) => new DecodeText(encoding, fatal, setting).make());
}
