// Splits a gzipped access log by client: a file is gunzipped, cut into lines, parsed, partitioned by client over four writers,
// each of which writes a file of its own. A client's requests stay together, and in order.
//
//   npx node --conditions=@headrace/source examples/access-log.ts LOG.gz [DIRECTORY]
//
// DIRECTORY is where the files go, clients-0.tsv to clients-3.tsv; a new temporary one unless it is given.
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { createGunzip } from "node:zlib";
import { flatMap, partitionBy, pipeline, producerConsumer } from "headrace";
import { fromReadable, intoWritable, throughDuplex } from "headrace/node";

const WRITERS = 4;

interface Request {
  readonly client: string;
  readonly time: string;
  readonly request: string;
  readonly status: string;
  readonly bytes: string;
}

/** Bytes in, lines out, whatever the boundaries of the chunks. */
function lines() {
  const decoder = new TextDecoder();
  let rest = "";
  return producerConsumer(
    {
      handleEvents: (chunks: readonly Buffer[]): string[] =>
        chunks.flatMap((chunk) => {
          const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
          rest = parts.pop() ?? "";
          if (rest.length > 2 ** 20) throw new RangeError("a line of more than 1 Mi characters");
          return parts;
        }),
      handleEnd: (): string[] => {
        const last = rest + decoder.decode();
        return last === "" ? [] : [last];
      },
    },
    { name: "lines" },
  );
}

/** A line of the common log format, or nothing. */
function parse(line: string): Request | undefined {
  const [, client, time, request, status, bytes] =
    /^(\S+) \S+ \S+ \[([^\]]*)\] "([^"]*)" (\d{3}) (\d+|-)/.exec(line) ?? [];
  if (!client || !time || !request || !status || !bytes) return undefined;
  return { client, time, request, status, bytes };
}

/** Writes the requests of one partition, and answers how many there were. */
async function write(requests: ReturnType<typeof split>["requests"], partition: number, file: string): Promise<number> {
  let count = 0;
  const print = producerConsumer(
    (batch: readonly Request[]): string[] => {
      count += batch.length;
      return batch.map((all) => `${[all.client, all.time, all.status, all.bytes, all.request].join("\t")}\n`);
    },
    { name: `print ${partition}`, onLastCancel: "stop" },
  );
  print.subscribe(requests, { partition });
  await pipeline(print, intoWritable<string>(createWriteStream(file))).done;
  return count;
}

/** The requests of a log, by client, and how many lines are none. */
function split(log: string) {
  const skipped = { lines: 0 };
  const requests = pipeline(
    fromReadable<Buffer>(createReadStream(log)),
    throughDuplex<Buffer, Buffer>(createGunzip(), { name: "gunzip" }),
    lines(),
    flatMap((line) => {
      const request = parse(line);
      if (request === undefined) skipped.lines += 1;
      return request === undefined ? [] : [request];
    }),
    partitionBy(({ client }) => client, { partitions: WRITERS }),
  );
  return { requests, skipped };
}

async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [log, directory = mkdtempSync(path.join(tmpdir(), "access-log-"))] = positionals;
  if (log === undefined || positionals.length > 2) throw new Error("expected LOG.gz [DIRECTORY]");
  mkdirSync(directory, { recursive: true });
  const { requests, skipped } = split(log);
  const files = Array.from({ length: WRITERS }, (_, i) => path.join(directory, `clients-${i}.tsv`));
  const counts = await Promise.all(files.map((file, i) => write(requests, i, file)));
  for (const [i, file] of files.entries()) console.log(`${file}\t${counts[i]} requests`);
  console.log(`${skipped.lines} lines skipped`);
}

try {
  await main();
} catch (error) {
  console.error(`access-log: ${(error as Error).message}`);
  process.exitCode = 1;
}
