// Puts the service on HTTP: orders as NDJSON, prices as server-sent events. A client takes what it can: the service reads no
// order that no one has room for, a client that is too slow misses old prices, and one that goes away is forgotten.
import { map, mapAsync, merge, pipeline, takeUntil, ticks } from "headrace";
import { intoWritable } from "headrace/node";
import { fromObservable } from "headrace/rxjs";
import { firstValueFrom } from "rxjs";
import type { Handler, Response } from "./http.ts";
import type { Price, Service } from "./service.ts";

const HEARTBEAT = 15_000;
const LATEST = 100;

function* upTo(count: number): Generator<number> {
  for (let id = 1; id <= count; id += 1) yield id;
}
const line = map((value: object) => `${JSON.stringify(value)}\n`);
const message = map((price: Price) => `data: ${JSON.stringify(price)}\n\n`);

/** The service's answers. `heartbeat` is in milliseconds. */
export function bridge(service: Service, heartbeat = HEARTBEAT): Handler {
  const orders = (count: number, response: Response): Promise<void> => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const read = mapAsync((id: number) => firstValueFrom(service.order(id)), { concurrency: 1 });
    return pipeline.with({ maxDemand: 16 })(upTo(count), read, line, intoWritable(response)).done;
  };
  const prices = (response: Response): Promise<void> => {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders?.();
    // What waits, waits in the buffer that drops: windows of one leave nothing elsewhere.
    const one = pipeline.with({ maxDemand: 1, onDiscard: () => {} });
    const newest = fromObservable(service.prices, { overflow: "drop-oldest", bufferSize: LATEST, onDiscard: () => {} });
    const beats = one(
      ticks(heartbeat),
      takeUntil(newest.done),
      map(() => ": still here\n\n"),
    );
    return one(merge(one(newest, message), beats), intoWritable(response)).done;
  };
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    let done: Promise<void>;
    if (pathname === "/orders") done = orders(Number(searchParams.get("count") ?? 10), response);
    else if (pathname === "/prices") done = prices(response);
    else {
      response.writeHead(404).end();
      return;
    }
    // A client that goes away is no failure.
    done.catch((error: { readonly code?: string }) => {
      if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") console.error(error);
    });
  };
}
