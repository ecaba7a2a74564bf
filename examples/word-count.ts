// Counts the words of a text: a Node Readable, split into words, partitioned by word over four counters, and merged into an
// RxJS Observable.
//
//   npm start                     the bundled text
//   npm start -- FILE             any file; - is standard input
//   npm start -s -- FILE --json   {"words": distinct words, "total": all words, "counts": {…}} and nothing else
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { fromIterable, partitionDispatcher, producerConsumer } from "headrace";
import { fromReadable, intoWritable } from "headrace/node";
import { toObservable } from "headrace/rxjs";
import { lastValueFrom, merge, reduce } from "rxjs";

const COUNTERS = 4;

/** A stage whose result nobody wants any more stops, up to the file; what it held then is of no interest. */
const stopping = { onLastCancel: "stop", onDiscard: () => {} } as const;

/** Bytes in, words out: runs of characters that are not white space, whatever the boundaries of the chunks. */
function splitter(onProgress: (bytes: number, words: number) => void) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  let bytes = 0;
  let words = 0;
  const split = (text: string, last: boolean): string[] => {
    const parts = (rest + text).split(/\s+/u);
    rest = last ? "" : (parts.pop() ?? "");
    const found = parts.filter((part) => part !== "");
    words += found.length;
    onProgress(bytes, words);
    return found;
  };
  return producerConsumer(
    {
      handleEvents: (chunks: readonly Uint8Array[]): string[] =>
        chunks.flatMap((chunk) => {
          bytes += chunk.length;
          return split(decoder.decode(chunk, { stream: true }), false);
        }),
      handleEnd: (): string[] => split(decoder.decode(), true),
    },
    {
      name: "splitter",
      ...stopping,
      dispatcher: partitionDispatcher({ partitions: COUNTERS, by: (word: string) => word }),
    },
  );
}

/** Words in; when they are over, each distinct word with its count. */
function counter(partition: number) {
  const counts = new Map<string, number>();
  return producerConsumer(
    {
      handleEvents: (words: readonly string[]): undefined => {
        for (const word of words) {
          const count = counts.get(word);
          // A new key is copied: a slice would keep the whole chunk it was cut from.
          if (count === undefined) counts.set(Buffer.from(word).toString(), 1);
          else counts.set(word, count + 1);
        }
      },
      handleEnd: (): [string, number][] => [...counts],
    },
    { name: `counter ${partition}`, ...stopping },
  );
}

async function countWords(
  input: Readable,
  onProgress: (bytes: number, words: number) => void,
): Promise<Map<string, number>> {
  const words = splitter(onProgress);
  const counters = Array.from({ length: COUNTERS }, (_, partition) => counter(partition));
  counters.forEach((stage, partition) => stage.subscribe(words, { partition }));
  words.subscribe(fromReadable<Uint8Array>(input));
  const merged = merge(...counters.map((stage) => toObservable(stage)));
  return lastValueFrom(merged.pipe(reduce((all, [word, count]) => all.set(word, count), new Map<string, number>())));
}

/** Control characters are made visible and long words cut, so that a table stays one. */
const shown = (word: string): string => {
  const safe = word.replace(/\p{C}/gu, "\u{fffd}");
  return safe.length > 40 ? `${safe.slice(0, 39)}…` : safe;
};

function* table(counts: ReadonlyMap<string, number>, total: number): Generator<string> {
  const top = [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 20);
  const width = Math.max(4, ...top.map(([word]) => shown(word).length));
  yield `${counts.size} different words, ${total} in all\n`;
  if (top.length > 0) yield `\n${"word".padEnd(width)}    count   share\n`;
  for (const [word, count] of top)
    yield `${shown(word).padEnd(width)} ${String(count).padStart(8)} ${((100 * count) / total).toFixed(2).padStart(6)}%\n`;
}

function* json(counts: ReadonlyMap<string, number>, total: number): Generator<string> {
  yield `{"words":${counts.size},"total":${total},"counts":{`;
  let comma = "";
  for (const [word, count] of counts) {
    yield `${comma}${JSON.stringify(word)}:${count}`;
    comma = ",";
  }
  yield "}}\n";
}

/** Progress for people: on a terminal only, a few times a second. */
function progress(): { onProgress: (bytes: number, words: number) => void; clear: () => void } {
  const { stderr } = process;
  if (!stderr.isTTY) return { onProgress: () => {}, clear: () => {} };
  let shownAt = 0;
  return {
    onProgress: (bytes, words) => {
      if (performance.now() - shownAt < 200) return;
      shownAt = performance.now();
      stderr.write(`\r${(bytes / 1e6).toFixed(1)} MB, ${words} words`);
    },
    clear: () => void stderr.write("\r\u001b[K"),
  };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean", default: false } },
  });
  if (positionals.length > 1) throw new Error(`expected one file, got ${positionals.length}`);
  const file = positionals[0] ?? new URL("data/mill.txt", import.meta.url);
  const { onProgress, clear } = progress();
  let counts: Map<string, number>;
  try {
    counts = await countWords(file === "-" ? process.stdin : createReadStream(file), onProgress);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw new Error(`cannot read ${String(file)}: ${REASONS[code] ?? message}`, { cause: error });
  } finally {
    clear();
  }
  let total = 0;
  for (const count of counts.values()) total += count;
  const lines = fromIterable(values.json ? json(counts, total) : table(counts, total));
  const output = intoWritable<string>(process.stdout);
  output.subscribe(lines);
  await output.done;
}

try {
  await main();
} catch (error) {
  // Whoever read the output has seen enough: that is no error.
  if ((error as NodeJS.ErrnoException).code !== "EPIPE") {
    // One line, whatever is in the name of the file.
    console.error(`word-count: ${(error as Error).message.replace(/\p{Cc}+/gu, " ")}`);
    process.exitCode = 1;
  }
}
