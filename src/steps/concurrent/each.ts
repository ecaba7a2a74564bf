import { sink } from "../../adapter/sink.ts";
import type { Counts, SinkBehaviour, SinkContext } from "../../contract/adapter.ts";
import type { Discarded, SubscribeOptions } from "../../contract/options.ts";
import { isFailure } from "../../base/reason.ts";
import type { Reason } from "../../contract/reason.ts";
import type { Consumer, Subscription } from "../../contract/stage.ts";
import type { Role } from "../../contract/states.ts";
import type { Setting } from "../../adapter/step.ts";
import { cutShortBy, tellOf } from "../cut-short.ts";
import { Asks } from "./asks.ts";
import type { Attempt } from "./attempt.ts";
import type { CallOptions } from "./call-options.ts";
import { Calls } from "./calls.ts";
import type { Host } from "./host.ts";

/** The sink behind `forEach` with options. */
class Each<In> implements SinkBehaviour<In>, Host {
  readonly patient = true;
  readonly step = "forEach";
  readonly ordered = false;
  readonly room = true;
  readonly index: number;
  readonly stage: string;
  readonly #asks = new Asks();
  readonly #concurrency: number;
  readonly #maxQueued: number | undefined;
  readonly #onDiscard: ((discarded: Discarded) => void) | undefined;
  readonly #aborts: AbortSignal | undefined;
  readonly #calls: Calls<In>;
  #context!: SinkContext;
  #cause: Discarded["cause"] = "stop";
  over = false;
  #emptied: (() => void) | undefined;

  constructor(fn: (event: In, attempt: Attempt) => unknown, options: CallOptions<In>, setting: Setting) {
    this.index = setting.index;
    this.stage = setting.name;
    this.#concurrency = options.concurrency ?? (options.key ? 16 : 1);
    this.#maxQueued = options.key && (options.maxQueued ?? 1000);
    this.#aborts = setting.signal;
    this.#onDiscard = options.onDiscard ?? setting.onDiscard;
    this.#calls = new Calls(fn, options, this.#concurrency, this, () => this.#context);
  }

  get working(): boolean {
    return this.#calls.running > 0;
  }

  get counts(): Counts {
    return this.#calls.counts;
  }

  begin(context: SinkContext): void {
    this.#context = context;
  }

  admit(options: SubscribeOptions): SubscribeOptions {
    return { ...options, demand: "manual" };
  }

  handleSubscribe(_role: Role, subscription: Subscription): void {
    this.#asks.open(subscription);
    this.pump();
  }

  /** The failure of a source comes behind the events before it. */
  handleCancel(reason: Reason, subscription: Subscription): Promise<void> | undefined {
    this.#asks.close(subscription);
    if (isFailure(reason) && subscription.options.cancel !== "temporary") return this.#whenEmpty();
    this.pump();
    return undefined;
  }

  handleEvents(events: readonly In[], subscription: Subscription): void {
    this.#asks.arrived(subscription, events.length);
    this.#calls.take(events, subscription);
  }

  handleEnd(): Promise<void> | undefined {
    return this.#whenEmpty();
  }

  terminate(reason: Reason): Promise<void> | undefined {
    this.over = true;
    const { signal } = this.#context;
    if (reason.type === "failure") {
      this.#cause = cutShortBy(reason, this.#aborts);
      this.#calls.abort(reason.error);
    }
    for (const [subscription, rest] of this.#calls.takeBack()) this.#context.giveBack(subscription, rest);
    const idle = this.#calls.idle();
    if (idle === undefined) return undefined;
    // A stop that has waited for long enough says so by the signal.
    signal.addEventListener("abort", () => {
      this.#cause = "timeout";
      this.#calls.abort(undefined);
    });
    return idle;
  }

  /** As many again as are under way wait; with keys, what waits for its key. */
  pump(): void {
    const calls = this.#calls;
    if (this.#emptied && calls.empty) this.#emptied();
    if (this.over || this.#asks.closed) return;
    const waiting = calls.lanes.size + this.#asks.outstanding;
    const free = this.#concurrency - calls.running;
    if (this.#maxQueued !== undefined) {
      if (calls.lanes.startable) return;
      const count = Math.min(free - this.#asks.outstanding, this.#maxQueued - waiting);
      if (count > 0) this.#asks.ask(count);
      return;
    }
    const count = free + this.#concurrency - waiting;
    if (count > 0 && (free > waiting || 2 * count >= this.#concurrency)) this.#asks.ask(count);
  }

  /** Results are of no use. */
  emit(): void {}

  fail(error: unknown): void {
    this.#context.fail(error);
  }

  lost(events: readonly unknown[]): void {
    tellOf(this.#onDiscard, { events, cause: this.#cause, stage: this.stage }, this.#context);
  }

  #whenEmpty(): Promise<void> | undefined {
    if (this.#calls.empty) return undefined;
    return new Promise((resolve) => {
      this.#emptied = resolve;
    });
  }
}

export function each<In>(
  fn: (event: In, attempt: Attempt) => unknown,
  options: CallOptions<In>,
  setting: Setting,
): Consumer<In> {
  return sink(new Each(fn, options, setting), setting);
}
