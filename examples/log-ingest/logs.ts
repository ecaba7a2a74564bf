// The logs of a folder, as long as they change: files that grow, that are renamed when they are full, and compressed later.
import { createHash } from "node:crypto";
import { type FileHandle, open, readdir } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import type { Entry } from "./store.ts";

const LF = 0x0a;

/** A stretch of a log, whole lines of it. Its reader says when it has read it. */
export interface Stretch {
  readonly log: string;
  readonly file: string;
  /** The line in front of it. */
  readonly after: number;
  readonly open: () => Readable;
  /** To be called with the last line that was read. */
  readonly finished: (line: number) => void;
}

/** What is known of a log: how far it has been read. */
interface Known {
  readonly line: number;
  readonly offset: number;
  /** Compressed: it will not grow. */
  readonly whole: boolean;
}

export interface FollowOptions {
  /** Ends with what is there. */
  readonly once: boolean;
  readonly signal: AbortSignal;
}

/** Stretches of all logs, the oldest files first, until it is told to stop. The next one comes when the last has been read. */
export async function* follow(folder: string, { once, signal }: FollowOptions): AsyncGenerator<Stretch> {
  const known = new Map<string, Known>();
  while (!signal.aborted) {
    let found = false;
    for (const { file, handle } of await logs(folder)) {
      try {
        const stretch = await next(handle, path.basename(file), known);
        if (stretch === undefined) continue;
        found = true;
        yield stretch;
        await stretch.read;
        if (signal.aborted) return;
      } finally {
        await handle.close();
      }
    }
    if (found) continue;
    if (once) return;
    await setTimeout(100, undefined, { signal }).catch(() => {});
  }
}

async function logs(folder: string): Promise<{ file: string; handle: FileHandle; changed: number }[]> {
  const names = (await readdir(folder)).filter((name) => /\.ndjson(\.\d+)?(\.gz)?$/.test(name));
  const all = [];
  for (const name of names) {
    const file = path.join(folder, name);
    // It may have been renamed meanwhile: then it is there under another name.
    const handle = await open(file).catch(() => undefined);
    if (handle) all.push({ file, handle, changed: (await handle.stat()).mtimeMs });
  }
  return all.toSorted((a, b) => a.changed - b.changed);
}

async function next(
  handle: FileHandle,
  file: string,
  known: Map<string, Known>,
): Promise<(Stretch & { readonly read: Promise<void> }) | undefined> {
  const packed = file.endsWith(".gz");
  const log = await nameOf(handle, packed);
  if (log === undefined) return undefined;
  const state = known.get(log) ?? { line: 0, offset: 0, whole: false };
  const end = packed ? 0 : await endOfLines(handle);
  if (state.whole || (!packed && end <= state.offset)) return undefined;
  const { promise: read, resolve } = Promise.withResolvers<void>();
  // One that is compressed is read once more: what of it has been written before is not written again.
  const [start, after] = packed ? [0, 0] : [state.offset, state.line];
  const range = packed ? { start } : { start, end: end - 1 };
  return {
    log,
    file,
    after,
    read,
    open() {
      const bytes = handle.createReadStream({ ...range, autoClose: false });
      return packed ? bytes.pipe(createGunzip()) : bytes;
    },
    finished(line) {
      known.set(log, { line, offset: end, whole: packed });
      resolve();
    },
  };
}

/** The first line, hashed; nothing before that is complete. */
async function nameOf(handle: FileHandle, packed: boolean): Promise<string | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
  const text = packed ? await gunzipped(buffer.subarray(0, bytesRead)) : buffer.subarray(0, bytesRead);
  const end = text.indexOf(LF);
  return end < 0 ? undefined : createHash("sha1").update(text.subarray(0, end)).digest("hex");
}

/** What the beginning of a compressed file says. */
async function gunzipped(bytes: Buffer): Promise<Buffer> {
  const gunzip = createGunzip();
  gunzip.end(bytes);
  const parts: Buffer[] = [];
  try {
    for await (const part of gunzip) parts.push(part as Buffer);
  } catch {
    // It was cut off, here or by the one who writes it.
  }
  return Buffer.concat(parts);
}

/** Behind the last complete line. */
async function endOfLines(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  for (let to = size; to > 0; to -= 65_536) {
    const from = Math.max(0, to - 65_536);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(LF);
    if (at >= 0) return from + at + 1;
  }
  return 0;
}

/** What a line says. */
export function entryOf({ log, file }: Stretch, line: number, text: string): Entry {
  const { user, bytes } = parsed(text);
  const fits = typeof user === "string" && typeof bytes === "number";
  return { log, file, line, text, user: fits ? user : "", bytes: fits ? bytes : undefined };
}

function parsed(text: string): { readonly user?: unknown; readonly bytes?: unknown } {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}
