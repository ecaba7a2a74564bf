// A CSV of orders: checked, looked up at a service sixteen at a time, and written to a file for each customer.
import { createReadStream, createWriteStream } from "node:fs";
import path from "node:path";
import { filter, intoGroups, map, mapAsync, pipeline, tap } from "headrace";
import { intoWritable, throughDuplex } from "headrace/node";
import { ATTEMPTS, type Bad, Busy, DELAY, HANDLES, isBad, type Job, LOOKUPS, lineOf, type Order } from "./orders.ts";
import { orderOf, type Priced, regionOf, type Row, rows, type Summary } from "./orders.ts";

export async function etl({ csv, out, service, onProgress }: Job): Promise<Summary> {
  const bad: Bad[] = [];
  const byRegion: Record<string, number> = {};
  let orders = 0;
  const customers = await pipeline(
    createReadStream(csv),
    throughDuplex<string | Buffer, Row>(rows((row) => void bad.push(row))),
    map(orderOf),
    filter((order): order is Order => !isBad(order) || bad.push(order) < 0),
    mapAsync(
      async (order: Order, { signal }): Promise<Priced> => ({
        ...order,
        region: await regionOf(service, order.customer, signal),
      }),
      {
        concurrency: LOOKUPS,
        retry: { attempts: ATTEMPTS, delay: DELAY, when: (error) => error instanceof Busy },
        onFailure: ({ event, error }) => bad.push({ line: event.line, reason: String(error) }),
      },
    ),
    tap(({ region, amount }) => {
      orders += 1;
      byRegion[region] = (byRegion[region] ?? 0) + amount;
      onProgress();
    }),
    intoGroups(
      ({ customer }) => customer,
      (own, customer, { reopened }) =>
        pipeline(
          own,
          map(lineOf),
          intoWritable(createWriteStream(path.join(out, `${customer}.ndjson`), { flags: reopened ? "a" : "w" })),
        ),
      { maxOpen: HANDLES, evict: "lru" },
    ),
  );
  return { customers, orders, byRegion, bad };
}
