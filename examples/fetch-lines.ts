// Fetches readings of a few weather stations, a line of JSON each, and prints what they say on average: the body of a
// response, cut into lines, and parsed, as fast as it is worked off and no faster.
//
//   npx node --conditions=@headrace/source examples/fetch-lines.ts        10 000 readings from a server of its own
//   npx node --conditions=@headrace/source examples/fetch-lines.ts 25     the first 25: then the response is cancelled
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { forEach, fromIterable, jsonLines, pipeline, take } from "headrace";
import { intoWritable } from "headrace/node";

interface Reading {
  readonly station: string;
  readonly celsius: number;
}

const READINGS = 10_000;
const STATIONS = ["Mühle", "水車", "Watermill"];

/** What the server says: lines of JSON, in pieces that end where they happen to, within a letter even. */
function* pieces(): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let piece: number[] = [];
  for (let i = 0; i < READINGS; i += 1) {
    const reading: Reading = { station: STATIONS[i % STATIONS.length] as string, celsius: i % 30 };
    piece.push(...encoder.encode(`${JSON.stringify(reading)}\n`));
    if (piece.length < 1000) continue;
    yield Uint8Array.from(piece.splice(0, 997));
  }
  yield Uint8Array.from(piece);
}

function answer(response: ServerResponse): void {
  response.setHeader("content-type", "application/x-ndjson");
  const body = intoWritable<Uint8Array>(response);
  // A client that has enough closes the connection: then the rest is not made.
  body.done.catch(() => {});
  body.subscribe(fromIterable(pieces(), { onDiscard: () => {} }));
}

async function summary(url: string, most: number): Promise<Map<string, { count: number; sum: number }>> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error(`${url} answers ${response.status}`);
  const stations = new Map<string, { count: number; sum: number }>();
  await pipeline(
    response.body,
    jsonLines<Reading>(),
    take(most),
    forEach(({ station, celsius }) => {
      const so = stations.get(station) ?? { count: 0, sum: 0 };
      stations.set(station, { count: so.count + 1, sum: so.sum + celsius });
    }),
  );
  return stations;
}

const server = createServer((_, response) => answer(response));
await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
try {
  const { port } = server.address() as AddressInfo;
  const most = process.argv[2] === undefined ? READINGS : Number(process.argv[2]);
  for (const [station, { count, sum }] of await summary(`http://127.0.0.1:${port}/`, most))
    console.log(`${station}: ${count} readings, ${(sum / count).toFixed(1)} °C`);
} finally {
  // A connection that is kept alive would keep the server.
  server.closeAllConnections();
  server.close();
}
