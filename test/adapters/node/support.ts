import { createRequire } from "node:module";
import stream from "node:stream";
import {
  consumer,
  type Producer,
  type ProducerStage,
  producer,
  type Reason,
  type SubscribeOptions,
  type Subscription,
} from "../../../src/index.ts";
import { range, type TestRuntime } from "../../support/runtime.ts";

export type Streams = typeof stream;

/** Every case runs on both; readable-stream has no types of its own, and the shape of Node's. */
export const implementations: readonly (readonly [name: string, streams: Streams])[] = [
  ["node:stream", stream],
  ["readable-stream", createRequire(import.meta.url)("readable-stream") as Streams],
];

/** Whether `read()` gives all bytes there are as one, as Node 22, 24 and readable-stream do; Node 26 gives the first chunk. */
export function joinsChunks({ Readable }: Streams): boolean {
  const readable = new Readable({ read() {} });
  for (const chunk of ["a", "b"]) readable.push(chunk);
  return (readable.read() as Buffer).length === 2;
}

/**
 * Whether `pipeline` refuses a destination that is gone, and leaves the source alone, as Node 24 and 26 do; Node 22 and
 * readable-stream pipe into it, and destroy the source with it.
 */
export function refusesGone({ pipeline, Readable, Writable }: Streams): boolean {
  const gone = new Writable().destroy();
  try {
    pipeline(new Readable({ read() {} }), gone, () => {});
    return false;
  } catch {
    return true;
  }
}

export type Outcome = "completed" | { readonly error: unknown };

/** Watches a promise of an end; `outcome` stays undefined until then. */
export function watch(done: Promise<void>): { outcome: Outcome | undefined; outcomes: number } {
  const watched: { outcome: Outcome | undefined; outcomes: number } = { outcome: undefined, outcomes: 0 };
  const tell = (outcome: Outcome): void => {
    watched.outcome = outcome;
    watched.outcomes += 1;
  };
  done.then(
    () => tell("completed"),
    (error: unknown) => tell({ error }),
  );
  return watched;
}

export interface Probe<In> {
  readonly seen: In[];
  readonly subscription: Subscription;
  readonly stop: () => Promise<void>;
  readonly outcome: Outcome | undefined;
  readonly outcomes: number;
}

/** A consumer that asks when the test does, and keeps what it gets. */
export function probe<In>(source: Producer<In>, runtime: TestRuntime, options: SubscribeOptions = {}): Probe<In> {
  const seen: In[] = [];
  const stage = consumer<In>({ handleEvents: (events) => void seen.push(...events) }, { runtime });
  const subscription = stage.subscribe(source, { demand: "manual", ...options });
  return Object.assign(watch(stage.done), { seen, subscription, stop: () => stage.stop() });
}

interface Emitter {
  eventNames(): (string | symbol)[];
  listenerCount(event: string | symbol): number;
}

/** How many listeners there are per event that has some: on Node 22 `eventNames` gives names whose last one has gone, too. */
export const listeners = (emitter: Emitter): Record<string, number> =>
  Object.fromEntries(
    emitter
      .eventNames()
      .map((event): [string, number] => [String(event), emitter.listenerCount(event)])
      .filter(([, count]) => count > 0),
  );

export const codeOf = (outcome: Outcome | undefined): unknown =>
  typeof outcome === "object" ? (outcome.error as { readonly code?: unknown }).code : outcome;

/** Collects the warnings that the process gives until it is stopped. */
export function warnings(): { readonly seen: string[]; stop(): void } {
  const seen: string[] = [];
  const listener = (warning: Error): void => void seen.push(warning.name);
  process.on("warning", listener);
  return { seen, stop: () => void process.off("warning", listener) };
}

/** A producer, and what it sees of its consumers: what it is asked for, and how their links end. */
export interface Upstream<Out> {
  readonly stage: ProducerStage<Out>;
  readonly demands: number[];
  readonly ends: Reason[];
}

/** Emits what `emit` answers to a demand. */
export function upstream<Out>(
  runtime: TestRuntime,
  emit: (demand: number) => readonly Out[] = () => [],
): Upstream<Out> {
  const demands: number[] = [];
  const ends: Reason[] = [];
  const stage = producer<Out, object, Out, Out, Out>(
    {
      handleDemand(demand) {
        demands.push(demand);
        return emit(demand);
      },
      handleCancel: (reason) => void ends.push(reason),
    },
    { runtime },
  );
  return { stage, demands, ends };
}

/** Emits 1, 2, … up to `last`, then the end. */
export function counted(runtime: TestRuntime, last: number): Upstream<number> {
  let next = 0;
  const up: Upstream<number> = upstream(runtime, (demand) => {
    const events = range(next + 1, Math.min(last, next + demand));
    next += events.length;
    if (next === last) up.stage.complete();
    return events;
  });
  return up;
}

/** What a Readable says of its end. */
export function endOf(readable: stream.Readable): string[] {
  const said: string[] = [];
  for (const event of ["end", "close"]) readable.on(event, () => said.push(event));
  readable.on("error", (error: unknown) =>
    said.push(`error ${error instanceof Error ? error.message : String(error)}`),
  );
  return said;
}
