import { consumer, runtime } from "../index.ts";
import type { Clock, Runtime } from "../contract/runtime.ts";
import type { Consumer, Producer, Stage } from "../contract/stage.ts";
import type { SubscribeOptions } from "../contract/options.ts";
import {
  type Adapter,
  type Can,
  capabilitiesOf,
  type SinkOptions,
  type SourceOptions,
  type SourceSubject,
  type ThroughSubject,
} from "./adapter.ts";
import { NotApplicable, same } from "./expect.ts";
import { type Codec, Feed, Held, Identity } from "./probes.ts";
import { Watcher } from "./watcher.ts";
import { WireFeed } from "./wire-feed.ts";

/** The outcome of a promise so far. */
export interface Outcome {
  settled: boolean;
  failed: boolean;
  value: unknown;
}

/** Turns that suffice for everything that happens by itself. */
const QUIET = 10;

/** Events of a check, unless the foreign side takes more before it pushes back. */
const MANY = 100;

/** A clock that only passes when it is read, so that runs are repeatable. */
function clock(): Clock {
  const platform = runtime().clock;
  let time = 0;
  return {
    now: () => {
      time += 1 / 64;
      return time;
    },
    microtask: (fn) => platform.microtask(fn),
    macrotask: (fn) => platform.macrotask(fn),
    setTimer: (fn, ms) => platform.setTimer(fn, ms),
    clearTimer: (timer) => platform.clearTimer(timer),
  };
}

/** A running check: its runtime, subjects, doubles and flaws. */
export class Trial {
  readonly adapter: Adapter;
  readonly can: Can;
  readonly runtime: Runtime = runtime({ clock: clock(), strict: true });
  readonly codec: Codec;
  readonly reports: unknown[] = [];
  readonly discarded: unknown[] = [];
  readonly flaws: string[] = [];
  /** Whether the source under test is a transform in front of a source. */
  behindSource = false;
  readonly #patience: number;
  readonly #stages: Stage[] = [];
  readonly #watchers: Watcher[] = [];
  readonly #held: Held[] = [];

  constructor(adapter: Adapter) {
    this.adapter = adapter;
    this.can = capabilitiesOf(adapter);
    this.#patience = adapter.patience ?? 1000;
    this.codec = {
      encode: adapter.encode ?? ((n) => n),
      decode: adapter.decode ?? ((event) => [event as number]),
    };
  }

  /** More events than the foreign side takes before it pushes back, if it can tell them apart. */
  get many(): number {
    const { capacity } = this.can;
    const count = MANY + 2 * capacity;
    return capacity >= MANY && Number.isFinite(capacity) && this.tells(count) ? count : MANY;
  }

  /** Whether the foreign system tells the numbers below `count` apart. */
  tells(count: number): boolean {
    return this.values([this.codec.encode(count - 1)])[0] === count - 1;
  }

  sinkOptions(more: SinkOptions = {}): SinkOptions {
    return { runtime: this.runtime, onReport: (error) => void this.reports.push(error), ...more };
  }

  sourceOptions(more: SourceOptions = {}): SourceOptions {
    return {
      ...this.sinkOptions(),
      onDiscard: ({ events }) => void this.discarded.push(...events),
      ...more,
    };
  }

  /** A source of `count` events, which may be a transform in front of a source. */
  source(count: number, more?: SourceOptions): SourceSubject {
    if (this.adapter.source && !this.behindSource)
      return this.keep(this.adapter.source(count, this.sourceOptions(more)));
    const { stage } = this.through(more);
    stage.subscribe(this.feed(count).source, { maxDemand: 4 });
    return { producer: stage };
  }

  failedSource(error: unknown, after: number): SourceSubject {
    const { failedSource } = this.adapter;
    if (!failedSource) throw new NotApplicable("there is no failedSource");
    return this.keep(failedSource(error, after, this.sourceOptions()));
  }

  keep(subject: SourceSubject): SourceSubject {
    this.#stages.push(subject.producer);
    return subject;
  }

  watch(producer: Producer<unknown>): Watcher {
    const watcher = new Watcher(producer, this.flaws);
    this.#watchers.push(watcher);
    return watcher;
  }

  sink(more?: SinkOptions): { readonly consumer: Consumer<never>; readonly probe: Held } {
    if (!this.adapter.sink) throw new NotApplicable("there is no sink");
    const probe = new Held(this.codec, this.flaws);
    const { consumer: stage } = this.adapter.sink(probe, this.sinkOptions(more));
    this.#held.push(probe);
    this.#stages.push(stage);
    return { consumer: stage, probe };
  }

  through(more?: SourceOptions): ThroughSubject & { readonly probe: Identity } {
    if (!this.adapter.through) throw new NotApplicable("there is no through");
    const probe = new Identity(this.codec);
    const subject = this.adapter.through(probe, this.sourceOptions(more));
    this.#stages.push(subject.stage);
    return { ...subject, probe };
  }

  feed(count: number, failure?: { readonly error: unknown }): Feed {
    const feed = new Feed(this.runtime, this.codec, count, failure);
    this.#stages.push(feed.producer);
    // A feed's failure is for its consumers.
    feed.producer.done.catch(() => {});
    return feed;
  }

  /** A source that speaks the wire; `seen` counts the events seen by the foreign side. */
  wireFeed(count: number, seen: () => number): WireFeed {
    return new WireFeed(this.runtime, this.codec, count, seen);
  }

  /** A consumer that collects numbers, asynchronously if `slow`. */
  collect(source: Producer<unknown>, options: SubscribeOptions, slow = false): { seen: number[]; outcome: Outcome } {
    const seen: number[] = [];
    const stage = consumer<unknown>(
      (events) => {
        seen.push(...this.values(events));
        return slow ? this.turn() : undefined;
      },
      { runtime: this.runtime, onReport: () => {} },
    );
    this.#stages.push(stage);
    stage.subscribe(source, options);
    return { seen, outcome: this.outcome(stage.done) };
  }

  values(events: readonly unknown[]): number[] {
    return events.flatMap((event) => this.codec.decode(event));
  }

  outcome(promise: PromiseLike<unknown>): Outcome {
    const outcome: Outcome = { settled: false, failed: false, value: undefined };
    promise.then(
      (value) => Object.assign(outcome, { settled: true, value }),
      (value: unknown) => Object.assign(outcome, { settled: true, failed: true, value }),
    );
    return outcome;
  }

  /** One turn of the event loop. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.runtime.clock.macrotask(resolve));
  }

  /** Waits for a condition, for a bounded number of turns. */
  async until(holds: () => boolean, what: string): Promise<void> {
    for (let left = this.#patience; left > 0 && !holds(); left -= 1) {
      // oxlint-disable-next-line no-await-in-loop -- one turn after the other
      await this.turn();
    }
    if (!holds()) throw new Error(`expected ${what} within ${this.#patience} turns of the event loop`);
  }

  /** Lets everything happen that can. Earlier cancels have been told then. */
  async quiet(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    for (let left = QUIET; left > 0; left -= 1) await this.turn();
    for (const watcher of this.#watchers) watcher.seal();
  }

  /** Waits for exactly this many events; for bytes, for at most this many. */
  async arrived(watcher: Watcher, count: number): Promise<void> {
    if (!this.can.joins) await this.until(() => watcher.received.length >= count, `event ${count} to arrive`);
    await this.quiet();
    if (!this.can.joins) same(watcher.received.length, count, "the number of events");
  }

  async ended(watcher: Watcher): Promise<void> {
    await this.until(() => watcher.ends.length > 0, "the subscription to end");
    await this.quiet();
  }

  async settled(outcome: Outcome, what = "done"): Promise<void> {
    await this.until(() => outcome.settled, `${what} to settle`);
  }

  async fulfilled(outcome: Outcome, what = "done"): Promise<void> {
    await this.settled(outcome, what);
    if (outcome.failed) throw new Error(`expected ${what} to fulfil, got ${String(outcome.value)}`);
  }

  /** Waits for a rejection, with this very error unless the foreign system makes others. */
  async rejected(outcome: Outcome, error: unknown, byIdentity: boolean = this.can.failsByIdentity): Promise<void> {
    await this.settled(outcome);
    same(outcome.failed, true, "whether done rejects");
    if (byIdentity) same(outcome.value, error, "the rejection of done");
  }

  /** The events a source still has, in order: taken by a new consumer. */
  async rest(feed: Feed): Promise<number[]> {
    const watcher = this.watch(feed.producer).ask(Number.POSITIVE_INFINITY);
    await this.ended(watcher);
    return this.values(watcher.received);
  }

  /** Ends all that still runs, without waiting. */
  async close(): Promise<void> {
    for (const probe of this.#held) probe.release();
    for (const stage of this.#stages) {
      stage.done.catch(() => {});
      stage.stop().catch(() => {});
    }
    await this.turn();
    await this.turn();
  }
}
