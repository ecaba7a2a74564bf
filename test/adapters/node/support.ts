import { createRequire } from "node:module";
import stream from "node:stream";
import { consumer, type Producer, type SubscribeOptions, type Subscription } from "../../../src/index.ts";
import type { TestRuntime } from "../../support/runtime.ts";

export type Streams = typeof stream;

/** Every case runs on both; readable-stream has no types of its own, and the shape of Node's. */
export const implementations: readonly (readonly [name: string, streams: Streams])[] = [
  ["node:stream", stream],
  ["readable-stream", createRequire(import.meta.url)("readable-stream") as Streams],
];

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

/** How many listeners there are per event. */
export const listeners = (emitter: Emitter): Record<string, number> =>
  Object.fromEntries(emitter.eventNames().map((event) => [String(event), emitter.listenerCount(event)]));

export const codeOf = (outcome: Outcome | undefined): unknown =>
  typeof outcome === "object" ? (outcome.error as { readonly code?: unknown }).code : outcome;

/** Collects the warnings that the process gives until it is stopped. */
export function warnings(): { readonly seen: string[]; stop(): void } {
  const seen: string[] = [];
  const listener = (warning: Error): void => void seen.push(warning.name);
  process.on("warning", listener);
  return { seen, stop: () => void process.off("warning", listener) };
}
