import { argumentError, callbackError, words } from "../base/errors.ts";
import { ignore } from "../base/reason.ts";
import type { SinkBehaviour, SinkContext } from "../contract/adapter.ts";
import type { SubscribeOptions } from "../contract/options.ts";
import type { Reason } from "../contract/reason.ts";
import type { Clock } from "../contract/runtime.ts";
import type { Subscription } from "../contract/stage.ts";
import type { Role } from "../contract/states.ts";
import type { Reporter } from "../adapter/index.ts";
import type { Child, ChildContext } from "./child.ts";
import { Entry } from "./entry.ts";
import { askFor } from "./governed.ts";
import type { ChildOfEvent, ConsumerSupervisorOptions } from "./per-event.ts";
import { type Restarts, SHUTDOWN } from "./restarts.ts";
import { type Ending, Run, type RunHost } from "./run.ts";

/** Slots of one subscription that have become free since it was asked last. */
interface Slots {
  freed: number;
}

/** The sink behind `consumerSupervisor`. */
export class EventChildren<In> implements SinkBehaviour<In>, RunHost {
  readonly #options: ConsumerSupervisorOptions<In>;
  readonly #start: (event: In, context: ChildContext) => Child | null;
  readonly #shutdown: number;
  readonly #transient: boolean;
  readonly #restartsOf: (stage: SinkContext) => Restarts;
  readonly #reporterOf: (stage: SinkContext) => Reporter;
  #restarts!: Restarts;
  #report!: Reporter;
  #stage!: SinkContext;
  /** In the order of their starts. */
  readonly #entries = new Map<object, Entry<In>>();
  readonly #byRun = new Map<Run, Entry<In>>();
  readonly #slots = new Map<Subscription, Slots>();
  #count = 0;
  /** Asks wait for the end of the batch. */
  #inBatch = false;
  /** The input is over: the last child ends the stage. */
  #ending = false;
  /** The stage has ended, or is to: nothing is started any more. */
  #over = false;
  #emptied: (() => void) | undefined;

  constructor(
    options: ConsumerSupervisorOptions<In>,
    restartsOf: (stage: SinkContext) => Restarts,
    reporterOf: (stage: SinkContext) => Reporter,
  ) {
    this.#options = options;
    this.#start = options.start;
    this.#shutdown = options.shutdown ?? SHUTDOWN;
    this.#transient = options.restart === "transient";
    this.#restartsOf = restartsOf;
    this.#reporterOf = reporterOf;
  }

  // ── What its users see ─────────────────────────────────────────────────────────────────────────────────────────

  get children(): readonly ChildOfEvent<In>[] {
    return [...this.#entries.values()].map(({ child }) => child);
  }

  get workers(): number {
    return this.#entries.size;
  }

  get active(): number {
    let active = 0;
    for (const { waits } of this.#entries.values()) if (!waits) active += 1;
    return active;
  }

  /** Starts a child outside any demand. */
  startChild(event: In): ChildOfEvent<In> | null {
    if (this.#over || this.#ending) throw argumentError("ERR_ENDED", "", words(`${this.name}, which is ending`));
    const entry = this.#enter(event, undefined);
    try {
      if (this.#begin(entry)) return entry.child;
    } catch (error) {
      this.#remove(entry);
      throw error;
    }
    this.#remove(entry);
    return null;
  }

  async terminateChild(child: object): Promise<boolean> {
    const entry = this.#entries.get(child);
    if (entry === undefined) return false;
    if (entry.waits) this.#giveUpWaiting(entry);
    else {
      const { run } = entry;
      run?.stop(this.#shutdown);
      await run?.over;
    }
    return true;
  }

  // ── The stage ──────────────────────────────────────────────────────────────────────────────────────────────────

  begin(stage: SinkContext): void {
    this.#stage = stage;
    this.#restarts = this.#restartsOf(stage);
    this.#report = this.#reporterOf(stage);
  }

  get working(): boolean {
    return this.#entries.size > 0;
  }

  admit(options: SubscribeOptions): SubscribeOptions {
    const { maxDemand, minDemand } = this.#options;
    const own = options.maxDemand === undefined && maxDemand !== undefined;
    return {
      ...options,
      maxDemand: options.maxDemand ?? maxDemand,
      minDemand: options.minDemand ?? (own ? minDemand : undefined),
      demand: "manual",
    };
  }

  handleSubscribe(_role: Role, subscription: Subscription): void {
    this.#slots.set(subscription, { freed: 0 });
    askFor(subscription, subscription.options.maxDemand);
  }

  handleCancel(_reason: Reason, subscription: Subscription): void {
    this.#slots.delete(subscription);
  }

  handleEvents(events: readonly In[], subscription: Subscription): void {
    this.#inBatch = true;
    for (const [at, event] of events.entries()) {
      // A start may have aborted the stage.
      if (this.#options.signal?.aborted) {
        this.#stage.giveBack(subscription, events.slice(at));
        break;
      }
      const entry = this.#enter(event, subscription);
      try {
        if (!this.#begin(entry)) this.#remove(entry);
      } catch (error) {
        this.#remove(entry);
        this.#lose(entry, error);
      }
    }
    this.#inBatch = false;
    this.#ask(subscription);
  }

  handleEnd(): "later" | undefined {
    if (this.#entries.size === 0) return undefined;
    this.#ending = true;
    return "later";
  }

  terminate(reason: Reason): Promise<void> | undefined {
    this.#over = true;
    const { signal } = this.#options;
    const aborted = reason.type === "failure" && signal?.aborted === true && reason.error === signal.reason;
    for (const entry of this.#entries.values()) {
      if (entry.waits) this.#giveUpWaiting(entry);
      else entry.run?.stop(aborted ? 0 : this.#shutdown);
    }
    if (this.#entries.size === 0) return undefined;
    return new Promise((resolve) => {
      this.#emptied = resolve;
    });
  }

  // ── Runs ───────────────────────────────────────────────────────────────────────────────────────────────────────

  get name(): string {
    return this.#stage.name;
  }

  get clock(): Clock {
    return this.#stage.runtime.clock;
  }

  readonly present: () => void = ignore;

  report(error: unknown, phase: string): void {
    this.#report.tell(error, phase);
  }

  ended(run: Run, ending: Ending): void {
    const entry = this.#byRun.get(run) as Entry<In>;
    this.#byRun.delete(run);
    if (ending.type === "failed" && !run.stopping && this.#transient) {
      this.#failed(entry, ending.error);
      return;
    }
    if (ending.type === "abandoned") this.report(ending.error, `shutdown of ${run.name}`);
    if ("error" in ending) this.#lose(entry, ending.error, ending.type !== "failed");
    this.#remove(entry);
  }

  // ── The children ───────────────────────────────────────────────────────────────────────────────────────────────

  #enter(event: In, from: Subscription | undefined): Entry<In> {
    this.#count += 1;
    const entry = new Entry(`child ${this.#count}`, event, from);
    this.#entries.set(entry.child, entry);
    return entry;
  }

  /** Starts it, or starts it again. False if there is nothing to run. */
  #begin(entry: Entry<In>): boolean {
    const { name, event } = entry.child;
    entry.attempts += 1;
    const run = new Run(this, name, entry.attempts);
    entry.run = run;
    this.#byRun.set(run, entry);
    try {
      if (run.begin((context) => this.#start(event, context), [event])) return true;
    } catch (error) {
      this.#byRun.delete(run);
      throw error;
    }
    this.#byRun.delete(run);
    return false;
  }

  /** It is started again, unless that is one too many. */
  #failed(entry: Entry<In>, error: unknown): void {
    const { child, run } = entry;
    const tooMany = this.#restarts.count(error);
    if (tooMany) {
      this.#lose(entry, error, true);
      this.#over = true;
      this.#remove(entry);
      // What onLost has heard of is not lost twice.
      const events = this.#options.onLost ? [] : [child.event];
      this.#stage.fail(callbackError({ stage: this.name, callback: "start" }, tooMany, events));
      return;
    }
    this.report(error, child.name);
    entry.inRow = run && this.#restarts.wasShort(run.began) ? entry.inRow + 1 : 1;
    const timer = this.clock.setTimer(() => this.#again(entry), this.#restarts.delay(entry.inRow));
    entry.waits = { timer, error };
  }

  #again(entry: Entry<In>): void {
    entry.waits = undefined;
    try {
      if (!this.#begin(entry)) this.#remove(entry);
    } catch (error) {
      this.#failed(entry, error);
    }
  }

  /** It waits for a restart that will not come. Its failure is told already. */
  #giveUpWaiting(entry: Entry<In>): void {
    const { timer, error } = entry.waits as NonNullable<Entry<In>["waits"]>;
    this.clock.clearTimer(timer);
    entry.waits = undefined;
    this.#lose(entry, error, true);
    this.#remove(entry);
  }

  /** Its event was begun and not done. `told`: the error has reached someone. */
  #lose({ child: { event, name } }: Entry<In>, error: unknown, told = false): void {
    const { onLost } = this.#options;
    if (onLost) this.#report.guard(() => onLost({ event, error, child: name }), "onLost");
    else if (!told) this.report(error, name);
  }

  /** It has ended for good: its slot is free. */
  #remove(entry: Entry<In>): void {
    entry.over = true;
    this.#entries.delete(entry.child);
    const { from } = entry;
    const slots = from && this.#slots.get(from);
    if (slots) {
      slots.freed += 1;
      if (!this.#inBatch) this.#ask(from);
    }
    if (this.#entries.size > 0) return;
    if (this.#over) this.#emptied?.();
    else if (this.#ending) this.#stage.complete();
  }

  /** Asks for as many events as slots are free, once they are `minDemand`. */
  #ask(subscription: Subscription): void {
    const slots = this.#slots.get(subscription);
    if (slots === undefined || slots.freed === 0 || slots.freed < subscription.options.minDemand || this.#over) return;
    const { freed } = slots;
    slots.freed = 0;
    askFor(subscription, freed);
  }
}
