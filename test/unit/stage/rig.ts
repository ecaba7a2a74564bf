import type { StageContext } from "../../../src/contract/stage.ts";
import {
  type Discarded,
  type Reason,
  type Stage,
  type StageKind,
  consumer,
  producer,
  producerConsumer,
} from "../../../src/index.ts";
import { RawConsumer, RawProducer } from "../../support/stages.ts";
import { type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";

/** What a callback of the stage under test can do, whatever its kind. */
export type Inside = StageContext & { readonly push?: (events: readonly string[]) => boolean };
type Emitting = ReturnType<typeof producer<string>>;
type Callback = (stage: Inside) => unknown;

/** What became of a stage and of all it had, as far as it can be seen from outside. */
export interface Seen {
  /** The batches that a callback saw. */
  readonly handled: readonly (readonly number[])[];
  /** The ends that its source heard: how, and what came back. */
  readonly back: readonly (readonly [how: string, ...unstarted: unknown[]])[];
  /** What its consumer got, and how it was told of the end. */
  readonly out: readonly string[];
  readonly told: readonly string[];
  /** What `onDiscard` heard. */
  readonly discarded: readonly (readonly [cause: string, ...events: unknown[]])[];
  readonly last: readonly string[];
  readonly done: string;
}

export const boom = new Error("boom");

/** A reason or an error in a few words. */
export const say = (value: unknown): string => {
  if (value === undefined) return "undefined";
  if (value === boom) return "boom";
  if (value instanceof Error) {
    const { code, cause } = value as { code?: unknown; cause?: unknown };
    const what = typeof code === "string" ? code : value.name === "Error" ? value.message : value.name;
    return `${what}${cause === undefined ? "" : ` of ${say(cause)}`}`;
  }
  return typeof value === "string" ? value : JSON.stringify(value);
};
export const sayReason = (reason: Reason): string => {
  if (reason.type === "failure") return `failure ${say(reason.error)}`;
  return reason.type === "complete" || reason.reason === undefined
    ? reason.type
    : `${reason.type} ${say(reason.reason)}`;
};

/**
 * A stage between a source and a consumer that are played by hand.
 *
 *     source (raw) → stage → sink (raw)
 *
 * Its source is asked for 10 and takes batches of 2.
 */
export class Rig {
  readonly runtime: TestRuntime = testRuntime();
  readonly abort = new AbortController();
  readonly source = new RawProducer<number>();
  readonly sink = new RawConsumer<string>("sink");
  readonly stage: Stage;
  readonly emits: Emitting;
  readonly handled: (readonly number[])[] = [];
  readonly discarded: Discarded[] = [];
  readonly reports: string[] = [];
  readonly last: Reason[] = [];
  /** What the next main callbacks do; without one they pass events on. */
  readonly scripts: Callback[] = [];
  done = "pending";

  constructor(kind: StageKind, more: { readonly handleEnd?: Callback; readonly terminate?: Callback } = {}) {
    const { runtime, abort, last } = this;
    const options = {
      runtime,
      signal: abort.signal,
      onReport: (error: unknown, where: { readonly phase: string }) =>
        void this.reports.push(`${where.phase}: ${say(error)}`),
    };
    const emitting = { ...options, onDiscard: (discarded: Discarded) => void this.discarded.push(discarded) };
    const life = {
      ...more,
      terminate: (reason: Reason, stage: StageContext) => {
        last.push(reason);
        return more.terminate?.(stage);
      },
    };
    const handleEvents = (events: readonly number[], _subscription: unknown, stage: Inside): never => {
      this.handled.push(events);
      const script = this.scripts.shift();
      return (script ? script(stage) : events.map((n) => `e${n}`)) as never;
    };
    const handleDemand = (_demand: number, stage: Inside): never => this.scripts.shift()?.(stage) as never;
    if (kind === "producer") this.stage = producer<string>({ ...life, handleDemand } as never, emitting);
    else if (kind === "consumer") this.stage = consumer<number>({ ...life, handleEvents }, options);
    else this.stage = producerConsumer<number, string>({ ...life, handleEvents } as never, emitting);
    this.emits = this.stage as Emitting;
    if (kind !== "producer")
      (this.stage as ReturnType<typeof consumer<number>>).subscribe(this.source.producer, {
        maxDemand: 10,
        minDemand: 8,
      });
    if (kind !== "consumer") this.sink.attach(this.emits);
    this.stage.done.then(
      () => (this.done = "fulfilled"),
      (error: unknown) => (this.done = `rejected ${say(error)}`),
    );
  }

  async seen(): Promise<Seen> {
    await turns();
    return {
      handled: this.handled,
      back: this.source.ends.map(({ reason, unstarted = [] }) => [sayReason(reason), ...unstarted]),
      out: this.sink.batches.flat(),
      told: this.sink.ends.map(sayReason),
      discarded: this.discarded.map(({ cause, events }) => [cause, ...events]),
      last: this.last.map(sayReason),
      done: this.done,
    };
  }
}
