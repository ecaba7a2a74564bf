import type { Told } from "../contract/adapter.ts";

/** The first cause of an error, or the error itself. A ring of causes ends at any of them. */
function rootOf(error: unknown): unknown {
  let root = error;
  for (let depth = 0; depth < 16 && root instanceof Error && root.cause instanceof Error; depth += 1) root = root.cause;
  return root;
}

class ToldErrors implements Told {
  readonly #roots = new Set<unknown>();

  has(error: unknown): boolean {
    return this.#roots.has(rootOf(error));
  }

  add(error: unknown): boolean {
    const isNew = !this.has(error);
    this.#roots.add(rootOf(error));
    return isNew;
  }
}

/**
 * Makes a record of the errors that an adapter's stage has told: a foreign thing repeats most failures, as an event, as
 * a rejection, on either side, or wrapped.
 *
 * **Shape** errors are told apart by identity, those with a `cause` by their first cause.
 *
 * **Source** rule 7.3.
 *
 * @example
 * import { toldErrors } from "headrace/adapter";
 *
 * const told = toldErrors();
 * const disk = new Error("disk");
 * console.log(told.add(disk), told.has(new TypeError("in a stream", { cause: disk }))); // true true
 */
export const toldErrors = (): Told => new ToldErrors();
