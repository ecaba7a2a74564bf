// The same by hand: readline, and a list for each part.
import { createInterface } from "node:readline";
import { hash } from "node:crypto";
import { entryOf, type Stretch } from "../logs.ts";
import { type Entry, PARTS, type Store } from "../store.ts";

const SIZE = 500;
const WITHIN = 200;

/** Collects the entries of one part, and writes them when there are enough, or after a while. */
class Part {
  readonly #store: Store;
  readonly #part: number;
  #entries: Entry[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** What writing has failed with. */
  error: unknown;

  constructor(store: Store, part: number) {
    this.#store = store;
    this.#part = part;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length >= SIZE) this.flush();
    else
      this.#timer ??= setTimeout(() => {
        try {
          this.flush();
        } catch (error) {
          this.error = error;
        }
      }, WITHIN);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const entries = this.#entries;
    this.#entries = [];
    if (entries.length > 0) this.#store.write(this.#part, entries);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

const partOf = (user: string): number => Number.parseInt(hash("sha1", user).slice(0, 8), 16) % PARTS;

export async function ingest(stretches: AsyncIterable<Stretch>, store: Store): Promise<void> {
  const parts = Array.from({ length: PARTS }, (_, part) => new Part(store, part));
  try {
    for await (const stretch of stretches) {
      let line = stretch.after;
      const bytes = stretch.open();
      const lines = createInterface({ input: bytes, crlfDelay: Number.POSITIVE_INFINITY });
      // An error of the stream would leave the loop waiting.
      let failure: unknown;
      bytes.once("error", (error) => {
        failure = error;
        lines.close();
      });
      for await (const text of lines) {
        line += 1;
        const entry = entryOf(stretch, line, text);
        const part = parts[partOf(entry.user)] as Part;
        if (part.error !== undefined) throw part.error;
        part.add(entry);
      }
      if (failure !== undefined) throw failure;
      stretch.finished(line);
    }
    for (const part of parts) part.flush();
  } finally {
    for (const part of parts) part.stop();
  }
}
