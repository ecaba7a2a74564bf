import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";
import {
  broadcastDispatcher,
  collect,
  concat,
  type BroadcastOptions,
  type BroadcastSubscribeOptions,
  merge,
  type Merged,
  type Pipeline,
  pipeline,
  poll,
  type Producer,
  queue,
  type Queue,
  reopen,
  ticks,
} from "../../src/index.ts";

interface Row {
  readonly id: number;
}
declare const rows: Producer<Row>;
declare const names: AsyncIterable<string>;

// queue
const jobs = queue<Row>({ size: 3, onDiscard: ({ events }) => void expectType<readonly Row[]>(events) });
expectType<Queue<Row>>(jobs);
expectType<Promise<boolean>>(jobs.offer({ id: 1 }, { signal: AbortSignal.timeout(1) }));
expectType<boolean>(jobs.tryOffer({ id: 1 }));
const { offer, tryOffer, complete, fail } = jobs;
expectType<Promise<boolean>>(offer({ id: 1 }));
tryOffer({ id: 1 });
complete();
fail(new Error("x"), { after: "buffer" });
expectAssignable<Producer<Row>>(jobs);
expectType<Pipeline<Row[]>>(pipeline(jobs, collect()));
expectError(jobs.offer("row"));
expectError(jobs.offer({ id: 1 }, { timeout: 1 }));
expectError(queue<Row>({ sise: 1 }));
// A queue takes what it gives: of rows it is none of names.
expectNotAssignable<Queue<Row | string>>(jobs);
const shared = queue<Row, BroadcastOptions>({ dispatcher: broadcastDispatcher() });
expectAssignable<Producer<Row, BroadcastSubscribeOptions<Row>>>(shared);

// ticks, poll
expectType<Producer<number>>(ticks(10, { name: "clock" }));
expectError(ticks());
expectError(ticks("10"));
expectType<Producer<Row>>(
  poll(async ({ demand, signal }) => {
    expectType<number>(demand);
    expectType<AbortSignal>(signal);
    return [{ id: demand }] as Row[];
  }),
);
expectType<Producer<number>>(poll(() => [1], { interval: 1, retry: { attempts: 2, delay: 1 } }));
expectType<Producer<Row>>(poll<Row>(() => undefined));
expectError(poll(() => 5));
expectError(poll(() => [1], { every: 1 }));
expectError(poll(() => [1], { retry: { delay: 1 } }));

// merge, concat
expectType<Merged<Row | string>>(merge(rows, names));
expectType<Merged<number>>(merge([1, 2]));
expectType<Merged<number>>(merge.with<number>({ keepOpen: true })());
const parts = merge.with<Row>({ keepOpen: true, name: "parts" })(rows);
parts.add([{ id: 1 }]);
const { add } = parts;
add(rows);
parts.complete();
expectError(parts.add([1]));
expectError(merge("text"));
expectError(merge(5));
expectError(merge.with({ open: true }));
expectType<Producer<Row | string | number>>(concat(rows, names, [1]));
expectError(concat(rows, "text"));
expectType<Pipeline<(Row | string)[]>>(pipeline(concat(rows, names), collect()));

// reopen
expectType<Producer<Row>>(reopen(() => rows, { attempts: 3 }));
expectType<Producer<string>>(reopen(async (attempt) => [String(attempt)], { attempts: 3, delay: 10 }));
expectType<Producer<string>>(
  reopen(
    async function* (attempt: number) {
      yield String(attempt);
    },
    { attempts: 3 },
  ),
);
expectError(reopen(() => rows));
expectError(reopen(() => "text", { attempts: 1 }));
expectError(reopen(() => 5, { attempts: 1 }));
expectError(reopen(() => rows, {}));
