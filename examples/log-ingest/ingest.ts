// Logs into SQLite: read, parted by user, written 500 at a time or what has come within 200 ms.
import {
  batch,
  flatMapAsync,
  forEach,
  lines,
  map,
  partitionBy,
  type Pipeline,
  pipeline,
  type Producer,
} from "headrace";
import { fromReadable } from "headrace/node";
import { entryOf, type Stretch } from "./logs.ts";
import { type Entry, PARTS, type Store } from "./store.ts";

/** The entries of a stretch. */
function read(stretch: Stretch): Producer<Entry> {
  let line = stretch.after;
  const entries = pipeline(
    fromReadable<Buffer>(stretch.open()),
    lines(),
    map((text) => entryOf(stretch, (line += 1), text)),
  );
  // Its failure is that of the whole.
  entries.done.then(() => stretch.finished(line)).catch(() => {});
  return entries;
}

export const ingest = (stretches: AsyncIterable<Stretch>, store: Store): Pipeline<unknown> =>
  pipeline(
    stretches,
    flatMapAsync(read),
    partitionBy(
      ({ user }) => user,
      { partitions: PARTS },
      (own, part) =>
        pipeline(
          own,
          batch({ size: 500, within: 200 }),
          forEach((entries) => store.write(part, entries)),
        ),
    ),
  );
