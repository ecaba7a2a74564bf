import { isFailure } from "../../src/base/reason.ts";
import type { Reason } from "../../src/contract/reason.ts";
import type { Core } from "../../src/stage/core.ts";

/**
 * What the two halves of a Duplex know of each other. Its events reach both; the reading half hears them first, tells what
 * there is to tell, and destroys the stream where that is due. The writing half writes, ends, and tells what is left.
 */
export class Halves {
  /** Errors that one of them has told. */
  readonly known: Set<unknown> = new Set();
  /** The reading half has its outcome. */
  readOver = false;
  /** The reading half has gone before its end: what becomes of the stream is settled. */
  left = false;
  /** The input is over, and the writable side is being ended. */
  finishing = false;
  #input: Core | undefined;

  join(input: Core): void {
    this.#input = input;
    // In a turn: sources that are subscribed at once hear it as they would later.
    if (this.readOver && !this.left) void input.ends.stop();
  }

  /** The readable side has ended by itself: nothing more need be written. */
  ended(): void {
    this.readOver = true;
    if (!this.finishing) this.#leaveSources({ type: "stop" });
  }

  /** Somebody else has ended the writable side. */
  finished(): void {
    this.#leaveSources({ type: "stop" });
  }

  /** The reading half ends before its stream. */
  leave(reason: Reason): void {
    this.readOver = true;
    this.left = true;
    this.#leaveSources(isFailure(reason) ? reason : { type: "stop" });
  }

  #leaveSources(reason: Reason): void {
    if (this.#input && !this.#input.over) this.#input.ends.end({ reason });
  }
}
