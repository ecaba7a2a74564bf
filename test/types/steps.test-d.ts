import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";
import {
  batch,
  boundary,
  buffer,
  type Bytes,
  collect,
  decodeText,
  distinct,
  type Discarded,
  first,
  flatMapAsync,
  forEach,
  fromIterable,
  idle,
  jsonLines,
  latest,
  type LineFailure,
  lines,
  map,
  mapAsync,
  type Pipeline,
  pipeline,
  type Producer,
  rateLimit,
  type RateLimiter,
  rateLimiter,
  type Sink,
  type Step,
  takeUntil,
} from "../../src/index.ts";

interface Row {
  readonly id: number;
  readonly user: string;
}
declare const rows: Producer<Row>;
declare const save: (row: Row) => Promise<string>;

// mapAsync: the event comes from the pipeline, the result from the function.
expectType<Producer<string>>(pipeline(rows, mapAsync(save)));
expectType<Producer<number>>(
  pipeline(
    rows,
    mapAsync((row) => row.id),
  ),
);
expectType<Producer<string>>(
  pipeline(
    rows,
    mapAsync(save, {
      key: (row) => row.user,
      timeout: 10,
      retry: { attempts: 2, delay: 1, when: (error, attempt) => error !== attempt },
      rate: { events: 1, interval: 1 },
      onFailure: ({ event, error, attempts }) => {
        expectType<Row>(event);
        expectType<unknown>(error);
        expectType<number>(attempts);
      },
      onDiscard: (discarded) => expectType<Discarded>(discarded),
    }),
  ),
);
expectType<Step<Row, Response>>(mapAsync((row: Row, { signal }) => fetch(row.user, { signal })));
pipeline(
  rows,
  mapAsync((row, { signal, attempt }) => {
    expectType<Row>(row);
    expectType<AbortSignal>(signal);
    expectType<number>(attempt);
    return row;
  }),
);
// A wide option widens nothing.
expectType<Producer<string>>(pipeline(rows, mapAsync(save, { onFailure: console.error })));
expectError(mapAsync(parseInt));
expectError(mapAsync(save, { concurency: 2 }));
expectError(pipeline(rows, mapAsync(save, { key: (row) => ({ user: row.user }) })));
expectError(
  pipeline(
    rows,
    mapAsync(save),
    map((n: number) => n),
  ),
);
expectError(pipeline(rows, mapAsync(save, { key: (row) => row.nothing })));

// forEach
expectAssignable<Sink<Row>>(forEach(save));
expectType<Pipeline<void>>(pipeline(rows, forEach(save, { concurrency: 4, key: (row) => row.user })));
expectType<Pipeline<void>>(
  pipeline(
    rows,
    forEach((row, { attempt }) => void [expectType<Row>(row), expectType<number>(attempt)]),
  ),
);
expectError(pipeline(rows, forEach(save, { ordered: true })));

// flatMapAsync
expectType<Producer<string>>(
  pipeline(
    rows,
    flatMapAsync((row) => [row.user]),
  ),
);
expectType<Producer<string>>(
  pipeline(
    rows,
    flatMapAsync(async (row) => [row.user]),
  ),
);
expectType<Producer<number>>(
  pipeline(
    rows,
    flatMapAsync(async function* (row) {
      yield row.id;
    }),
  ),
);
expectType<Producer<Row>>(
  pipeline(
    rows,
    flatMapAsync(() => rows),
  ),
);
expectError(
  pipeline(
    rows,
    flatMapAsync(async (row) => row.id),
  ),
);

// batch: arrays that are the receiver's own.
expectType<Producer<Row[]>>(pipeline(rows, batch({ size: 2, within: 3, by: (row) => row.user })));
expectType<Pipeline<Row[][]>>(pipeline(rows, batch({ size: 2 }), collect()));
expectError(batch({}));
expectError(pipeline(rows, batch({ size: 2, by: (row) => row.nothing })));

// The same events.
expectType<Producer<Row>>(pipeline(rows, buffer({ size: 1, overflow: "hold" })));
expectType<Producer<Row>>(
  pipeline(rows, buffer({ size: 1, overflow: "fail", onDiscard: (d) => expectType<Discarded<Row>>(d) })),
);
expectError(buffer({ size: 1 }));
expectError(buffer({ size: 1, overflow: "throw" }));
expectType<Producer<Row>>(pipeline(rows, latest()));
expectType<Producer<Row>>(pipeline(rows, rateLimit({ events: 1, interval: 1, key: (row) => row.user })));
expectType<RateLimiter>(rateLimiter({ events: 1, interval: 1 }));
expectType<Producer<Row>>(pipeline(rows, rateLimit(rateLimiter({ events: 1, interval: 1 }))));
expectType<Producer<Row>>(pipeline(rows, idle({ after: 1 })));
expectType<Producer<Row>>(pipeline(rows, boundary({ maxDemand: 1 })));
expectType<Producer<Row>>(pipeline(rows, takeUntil(AbortSignal.timeout(1))));
expectType<Producer<Row>>(pipeline(rows, takeUntil(Promise.resolve())));
expectType<Producer<Row>>(
  pipeline(
    rows,
    distinct((row) => row.id, { max: 1 }),
  ),
);
expectType<Producer<Row>>(
  pipeline(
    rows,
    distinct((row: { id: number }) => row.id, { max: 1 }),
  ),
);
expectError(takeUntil(1));
expectError(distinct((row: Row) => row.id));
expectType<Step<Row, Row[]>>(batch<Row>({ size: 1 }));
expectNotAssignable<Sink<Row>>(mapAsync(save));
expectType<Producer<string>>(pipeline(fromIterable([1]), map(String), buffer({ size: 2, overflow: "drop-oldest" })));

// Text: bytes of any view, or strings.
declare const chunks: Producer<Uint8Array>;
declare const mixed: Producer<Uint8Array | string>;
declare const views: Producer<DataView | ArrayBuffer>;
expectType<Producer<string>>(pipeline(chunks, lines()));
expectType<Producer<string>>(pipeline(mixed, lines({ maxLength: Infinity, onTooLong: "cut", fatal: true })));
expectType<Producer<string>>(pipeline(views, decodeText("latin1", { fatal: true })));
expectType<Producer<string>>(pipeline(chunks, decodeText(), lines()));
expectType<Producer<unknown>>(pipeline(chunks, jsonLines()));
expectType<Producer<Row>>(pipeline(chunks, jsonLines<Row>({ onFailure: "skip" })));
expectType<Producer<Row>>(
  pipeline(mixed, jsonLines<Row>({ onFailure: async (failure) => void expectType<LineFailure>(failure) })),
);
expectType<Step<Bytes, string>>(lines());
expectError(pipeline(rows, lines()));
expectError(pipeline(rows, jsonLines()));
expectError(lines({ onTooLong: "drop" }));
expectError(lines({ encoding: "latin1" }));
expectError(decodeText({ fatal: true }));
expectError(jsonLines({ onFailure: "cut" }));

// first
expectType<Pipeline<Row>>(pipeline(rows, first()));
expectType<Pipeline<Row | undefined>>(pipeline(rows, first({ orElse: undefined })));
expectType<Pipeline<Row | "none">>(pipeline(rows, first({ orElse: "none" as const })));
expectType<Sink<Row, Row>>(first<Row>());
expectError(first({ or: 1 }));
expectError(first({}));
