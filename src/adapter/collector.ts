import { callbackError, OverflowError } from "../base/errors.ts";
import type { SourceContext } from "../contract/adapter.ts";
import type { Overflow } from "../contract/options.ts";
import type { Reason } from "../contract/reason.ts";
import type { Task } from "../contract/runtime.ts";

/** Pauses and resumes a foreign side that emits unasked. */
export interface Brake {
  readonly pause: () => unknown;
  readonly resume: () => unknown;
}
export interface CollectorOptions {
  /** The stage's policy, where the foreign side emits unasked. Without one, all it emits is accepted. */
  readonly overflow?: Overflow | undefined;
  /** The stage's, where there is a policy. **Units** events. @default 10000 */
  readonly bufferSize?: number | undefined;
  /** Pauses the foreign side while there is no demand. @default it cannot be paused */
  readonly brake?: Brake | undefined;
  /**
   * Releases the foreign side, as far as it was opened; again if it ended meanwhile. `reason` is this side's, absent
   * where the foreign side ended.
   */
  readonly release?: ((reason: Reason | undefined) => unknown) | undefined;
  /**
   * Whether later events of one microtask run make one batch: for one event per promise. The first goes at once.
   * @default false
   */
  readonly lingers?: boolean | undefined;
}

/** Dropped events are reported in bursts of at most this many. */
const BURST = 1024;
/** Shorter batches grow as they are filled; longer ones are allocated from the second on. */
const LEAST = 16;
const MOST = 1024;

/**
 * Collects a foreign side's events, and hands them to its stage in batches; the end comes behind them.
 *
 * **Shape** the events of one stretch make one batch: it goes out in a turn of the runtime, or as soon as it meets the
 * demand. Call `add` for each event, `complete` or `fail` at the end, and `close` in `terminate`.
 * **Units** events.
 * **Backpressures** with `overflow`: a synchronous foreign side is held while its consumers work, then by the `brake`
 * (call `resume` in `handleDemand`), then the policy applies. Without it, only what was asked for may come.
 * **Completes** behind the collected events. **Cancels** by `close`: collected events go to `stage.discard`.
 *
 * @throws nothing. A full buffer fails the stage with an `OverflowError` behind it, the brake with its own error;
 * errors of `release` go to `onReport`.
 *
 * **Source** rules 7.1 to 7.4.
 *
 * @example
 * import { Collector, source, type SourceContext } from "headrace/adapter";
 *
 * let collector: Collector<string>;
 * const words = source<string>(
 *   {
 *     begin: (stage) => (collector = new Collector(stage, { overflow: "throw" })),
 *     handleDemand: () => collector.resume(),
 *     terminate: (reason) => collector.close(reason),
 *   },
 *   {},
 *   { pushes: true },
 * );
 * setTimeout(() => {
 *   for (const word of ["a", "b"]) collector.add(word);
 *   collector.complete();
 * });
 * for await (const batch of words.batches()) console.log(batch); // [ 'a', 'b' ]
 */
export class Collector<Event> implements Task {
  readonly #stage: SourceContext<Event>;
  /** The foreign side emits on request only. */
  readonly #asked: boolean;
  /** Events to collect without demand. */
  readonly #burst: number;
  readonly #brake: Brake | undefined;
  readonly #release: ((reason: Reason | undefined) => unknown) | undefined;
  readonly #lingers: boolean;
  #batch: Event[] = [];
  /** Events collected in it; it is allocated as long as the last one. */
  #count = 0;
  /** Events to collect before the batch is handed over: the demand, or a burst. */
  #room = 1;
  /** Consumers work off their events; new ones queue behind the batch's first event. */
  #beginning = false;
  #scheduled = false;
  /** An event has gone out in this run of the microtask queue. */
  #lingering = false;
  #started = false;
  #opened = false;
  #paused = false;
  #closed = false;

  constructor(stage: SourceContext<Event>, options: CollectorOptions = {}) {
    const { overflow, bufferSize = 10_000, brake, release, lingers = false } = options;
    this.#stage = stage;
    this.#asked = overflow === undefined;
    this.#burst = this.#asked ? Number.POSITIVE_INFINITY : Math.max(overflow === "throw" ? 1 : BURST, bufferSize);
    this.#brake = brake;
    this.#release = release;
    this.#lingers = lingers;
  }

  /** Whether either side has ended: no more events are taken. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Opens the foreign side, once, after the current run, so that its first events can be held. */
  start(open: () => void): void {
    if (this.#started) return;
    this.#started = true;
    this.#stage.runtime.clock.microtask(() => {
      if (this.#closed) return;
      if (this.#exhausted()) this.#pause();
      this.open(open);
    });
  }

  /** Opens the foreign side at once. An error of `open` fails the stage. */
  open(open: () => void): void {
    if (this.#closed) return;
    this.#opened = true;
    try {
      open();
    } catch (error) {
      if (this.#closed) this.#stage.report(error, "open");
      else this.fail(error);
    }
    // It may have ended meanwhile: whatever was opened after that is released, too.
    if (this.#closed) this.#letGo(undefined);
  }

  /** Takes an event. Does nothing once this is closed. */
  add(event: Event): void {
    if (this.#closed) return;
    this.#batch[this.#count] = event;
    this.#count += 1;
    if (this.#count === 1) this.#begin();
    if (this.#count >= this.#room && !this.#beginning) this.send();
  }

  /** Hands over the collected events. */
  send(): void {
    if (this.#count === 0 || this.#closed) return;
    const batch = this.#take();
    if (this.#asked) {
      if (!this.#stage.answer(batch)) this.#refused(batch);
      return;
    }
    try {
      this.#stage.push(batch);
    } catch (error) {
      if (error instanceof OverflowError) this.#overflown(error);
      else this.#refused(batch);
      return;
    }
    if (this.#brake && !this.#paused && this.#exhausted()) this.#relieve();
  }

  /** For `handleDemand`: hands over collected events, and resumes the foreign side. */
  resume(): void {
    if (!this.#beginning) this.send();
    if (!this.#paused || this.#closed || this.#exhausted()) return;
    this.#paused = false;
    this.#call("resume");
  }

  /** The foreign side has ended well. */
  complete(): void {
    this.send();
    if (this.#closed) return;
    this.#closed = true;
    this.#stage.complete();
    this.#letGo(undefined);
  }

  /** The foreign side has failed: so does the stage, behind earlier events. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.send();
    if (this.#closed) {
      // Sending has overflown: the stage fails with that.
      this.#stage.report(error, "fail");
      return;
    }
    this.#closed = true;
    this.#stage.fail(error, { after: "buffer" });
    this.#letGo(undefined);
  }

  /** The stage has ended: collected events reach no one. For `terminate`. */
  close(reason: Reason): void {
    // The event that revealed the end was never accepted.
    const from = this.#beginning ? 1 : 0;
    const rest = this.#take().slice(from);
    if (rest.length > 0) this.#stage.discard(rest);
    this.#leave(reason);
  }

  /** A turn behind the stretch in which the batch began. */
  run(): void {
    this.#scheduled = false;
    if (!this.#beginning) this.send();
  }

  /** Begins a batch. Without demand, consumers get the chance to ask. */
  #begin(): void {
    const stage = this.#stage;
    const { runtime } = stage;
    if (!this.#asked && this.#exhausted()) {
      this.#beginning = true;
      runtime.flush();
      this.#beginning = false;
      if (this.#closed) return;
      if (this.#exhausted()) this.#pause();
      if (this.#count === 0) return;
    }
    const { demand } = stage;
    this.#room = demand > 0 ? demand : this.#burst;
    if (this.#count >= this.#room || this.#scheduled || this.#lingering) return;
    if (this.#lingers) {
      this.#lingering = true;
      runtime.clock.macrotask(this.#onMacrotask);
    }
    this.#scheduled = true;
    runtime.schedule(this);
  }

  readonly #onMacrotask = (): void => {
    this.#lingering = false;
    this.send();
  };

  #take(): Event[] {
    const batch = this.#batch;
    const count = this.#count;
    if (batch.length > count) batch.length = count;
    this.#batch = count < LEAST ? [] : new Array<Event>(Math.min(count, MOST));
    this.#count = 0;
    this.#beginning = false;
    return batch;
  }

  /** Whether there is no demand, or events for it are buffered. */
  #exhausted(): boolean {
    return this.#stage.demand === 0 || this.#stage.buffered > 0;
  }

  /** The demand is met: pauses the foreign side, unless more is asked for at once. */
  #relieve(): void {
    this.#stage.runtime.flush();
    if (!this.#closed && this.#exhausted()) this.#pause();
  }

  #pause(): void {
    if (this.#brake === undefined || this.#paused) return;
    this.#paused = true;
    this.#stage.askAgain();
    this.#call("pause");
  }

  #call(name: "pause" | "resume"): void {
    try {
      this.#brake?.[name]();
    } catch (cause) {
      this.fail(callbackError({ stage: this.#stage.name, callback: name }, cause, []));
    }
  }

  #overflown(error: OverflowError): void {
    this.#leave({ type: "failure", error });
    this.#stage.fail(error, { after: "buffer" });
  }

  /** A stage that is ending takes no more. */
  #refused(batch: readonly Event[]): void {
    this.#leave({ type: "stop" });
    this.#stage.discard(batch);
  }

  #leave(reason: Reason): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#opened) return;
    try {
      if (!this.#paused) this.#brake?.pause();
    } catch (error) {
      this.#stage.report(error, "pause");
    }
    this.#letGo(reason);
  }

  #letGo(reason: Reason | undefined): void {
    try {
      this.#release?.(reason);
    } catch (error) {
      this.#stage.report(error, "release");
    }
  }
}
