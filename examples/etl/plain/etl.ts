// The same by hand: Node's streams, and a list of open files.
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import type { ArrayOptions, Readable } from "node:stream";
import { ATTEMPTS, type Bad, Busy, DELAY, HANDLES, isBad, type Job, LOOKUPS, lineOf, type Order } from "../orders.ts";
import { orderOf, pause, type Priced, regionOf, type Row, rows, type Summary } from "../orders.ts";

/** Appends to files, of which so many are open; the one used least recently is closed for another. */
class Files {
  readonly #folder: string;
  readonly #open = new Map<string, FileHandle>();
  readonly seen = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async append(name: string, text: string): Promise<void> {
    let handle = this.#open.get(name);
    if (handle) this.#open.delete(name);
    else {
      const [oldest] = this.#open;
      if (oldest && this.#open.size >= HANDLES) {
        this.#open.delete(oldest[0]);
        await oldest[1].close();
      }
      handle = await open(path.join(this.#folder, `${name}.ndjson`), this.seen.has(name) ? "a" : "w");
      this.seen.add(name);
    }
    this.#open.set(name, handle);
    await handle.write(text);
  }

  async close(): Promise<void> {
    const handles = Array.from(this.#open.values());
    this.#open.clear();
    await Promise.all(handles.map(async (handle) => handle.close()));
  }
}

export async function etl({ csv, out, service, onProgress }: Job): Promise<Summary> {
  const bad: Bad[] = [];
  const byRegion: Record<string, number> = {};
  let orders = 0;
  const files = new Files(out);

  async function priced(order: Order, options?: Pick<ArrayOptions, "signal">): Promise<Priced | undefined> {
    const signal = options?.signal as AbortSignal;
    for (let attempt = 1; ; attempt += 1)
      try {
        return { ...order, region: await regionOf(service, order.customer, signal) };
      } catch (error) {
        if (signal.aborted) throw error;
        if (!(error instanceof Busy) || attempt === ATTEMPTS) {
          bad.push({ line: order.line, reason: String(error) });
          return undefined;
        }
        await pause(Math.random() * DELAY * 2 ** (attempt - 1));
      }
  }
  const file = createReadStream(csv);
  const parser = file.pipe(rows((row) => void bad.push(row)));
  // pipe passes no error on.
  file.on("error", (error) => parser.destroy(error));
  const found = (parser as Readable)
    .map((row: Row) => orderOf(row))
    .filter((order: Order | Bad) => !isBad(order) || bad.push(order) < 0)
    .map(priced, { concurrency: LOOKUPS });
  try {
    for await (const order of found as AsyncIterable<Priced | undefined>) {
      if (order === undefined) continue;
      orders += 1;
      byRegion[order.region] = (byRegion[order.region] ?? 0) + order.amount;
      onProgress();
      await files.append(order.customer, lineOf(order));
    }
  } finally {
    file.destroy();
    await files.close();
  }
  return { customers: files.seen.size, orders, byRegion, bad };
}
