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
import { flatMap, lines, map, partitionBy, pipeline, tap } from "headrace";
import { intoWritable, throughDuplex } from "headrace/node";

const WRITERS = 4;

interface Request {
  readonly client: string;
  readonly time: string;
  readonly request: string;
  readonly status: string;
  readonly bytes: string;
}

/** A line of the common log format, or nothing. */
function parse(line: string): Request | undefined {
  const [, client, time, request, status, bytes] =
    /^(\S+) \S+ \S+ \[([^\]]*)\] "([^"]*)" (\d{3}) (\d+|-)/.exec(line) ?? [];
  if (!client || !time || !request || !status || !bytes) return undefined;
  return { client, time, request, status, bytes };
}

const print = ({ client, time, status, bytes, request }: Request): string =>
  `${[client, time, status, bytes, request].join("\t")}\n`;

/** Splits a log by client over the files. Returns how many requests went into each, and how many lines are none. */
async function split(log: string, files: readonly string[]): Promise<{ counts: number[]; skipped: number }> {
  const counts = files.map(() => 0);
  let skipped = 0;
  await pipeline(
    createReadStream(log),
    throughDuplex<string | Buffer, Buffer>(createGunzip(), { name: "gunzip" }),
    lines(),
    flatMap((line) => {
      const request = parse(line);
      if (request === undefined) skipped += 1;
      return request === undefined ? [] : [request];
    }),
    // If one file cannot be written, the others are destroyed, too.
    partitionBy(
      ({ client }) => client,
      { partitions: files.length },
      (requests, i) =>
        pipeline(
          requests,
          tap(() => (counts[i] = (counts[i] ?? 0) + 1)),
          map(print),
          intoWritable<string>(createWriteStream(files[i] as string)),
        ),
    ),
  );
  return { counts, skipped };
}

async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [log, directory = mkdtempSync(path.join(tmpdir(), "access-log-"))] = positionals;
  if (log === undefined || positionals.length > 2) throw new Error("expected LOG.gz [DIRECTORY]");
  mkdirSync(directory, { recursive: true });
  const files = Array.from({ length: WRITERS }, (_, i) => path.join(directory, `clients-${i}.tsv`));
  const { counts, skipped } = await split(log, files);
  for (const [i, file] of files.entries()) console.log(`${file}\t${counts[i]} requests`);
  console.log(`${skipped} lines skipped`);
}

try {
  await main();
} catch (error) {
  console.error(`access-log: ${(error as Error).message}`);
  process.exitCode = 1;
}
