import { Deque } from "../base/deque.ts";
import { argumentError, words } from "../base/errors.ts";
import { Inlet } from "./inlet.ts";
import { markReported, type Report } from "./report.ts";
import { subscribeOptions } from "./subscribe-options.ts";
import { Window } from "./window.ts";
import type { Attachable, Named, Stage, Subscription } from "../contract/stage.ts";
import type { Failure } from "../contract/failure.ts";
import type { End, Reason } from "../contract/reason.ts";
import { errorOf, failure, complete, sameFailure } from "../base/reason.ts";
import { defaultRuntime } from "../runtime/engine.ts";
import type { Runtime, Task } from "../contract/runtime.ts";
import type { ResolvedSubscribeOptions, SubscribeOptions } from "../contract/options.ts";

/** Any producer, whatever its events and its dispatcher's options. */
export interface Source extends Stage {
  readonly defaultMaxDemand?: number | undefined;
  readonly "~attach": Attachable<unknown, never>["~attach"];
  readonly "~core"?: { readonly runtime?: Runtime; readonly report?: Report };
}

/** A port's subscribe options, where the user gives none. */
export interface PortDefaults {
  /** **Units** events, from 1. @default what the producer suggests, else 1000 */
  readonly maxDemand?: number | undefined;
  /** The foreign side decides on the demand, whatever the user says. */
  readonly demand?: "manual" | undefined;
}

/**
 * The consumer's end of a subscription for something foreign: a stream, an Observer. Subclass it: `open` attaches it,
 * `request` asks, and `turn` hands over `arrived` events.
 *
 * **Shape** batches, as delivered, in `arrived`; `reason` is set once the producer has ended.
 * **Units** `request` in events. `window` computes automatic demand: `open()` is the first ask, `handOver(count)` a
 * batch's.
 * **Backpressures** only requested events come.
 * **Completes** with the producer: `turn` runs, and `told` says that the foreign side knows. **Cancels** by
 * `leave(reason, rest)`: `rest`, and arrived events, go back.
 *
 * @throws ArgumentError by `Port.options`: `ERR_NOT_PRODUCER`, `ERR_OPTION`, `ERR_RANGE`. By `open`: the producer's
 * refusal. Later errors of the foreign side belong in `report`.
 *
 * **Source** rules 1.3, 3.5 to 3.7, 5.6.
 *
 * @example
 * import { Port } from "headrace/adapter";
 *
 * class Printer extends Port {
 *   override turn(): void {
 *     for (let batch = this.arrived.shift(); batch; batch = this.arrived.shift()) {
 *       this.pending -= batch.length;
 *       for (const event of batch) console.log(event); // a, b
 *       this.request(this.window.handOver(batch.length));
 *     }
 *     if (this.reason) this.told();
 *   }
 * }
 * const letters = fromIterable(["a", "b"]);
 * const printer = new Printer("printer", letters, Port.options(letters, {}));
 * printer.open();
 * printer.request(printer.window.open());
 */
export abstract class Port extends Inlet implements Task {
  readonly name: string;
  readonly producer: Source;
  readonly options: ResolvedSubscribeOptions;
  readonly runtime: Runtime;
  /** The arithmetic of automatic demand, for a port that asks as a stage does. */
  readonly window: Window;
  readonly arrived: Deque<readonly unknown[]> = new Deque(4);
  /** The producer's reason, once it has ended. */
  reason: Reason | undefined;
  #onNotPassedOn: (() => void) | undefined;
  #failure: Failure | undefined;
  /** The producer has completed and waits to hear that its events are started. */
  #halfOpen = false;
  #opened = false;
  #scheduled = false;

  /** Checks a producer and the options of a subscription, and fills in the defaults. */
  static options(
    producer: unknown,
    options: SubscribeOptions = {},
    defaults: PortDefaults = {},
  ): ResolvedSubscribeOptions {
    const known = producer as Partial<Source> | null | undefined;
    if (typeof known?.["~attach"] !== "function") throw argumentError("ERR_NOT_PRODUCER", "", producer);
    const resolved = subscribeOptions(options, defaults.maxDemand ?? known.defaultMaxDemand);
    return defaults.demand === undefined ? resolved : { ...resolved, demand: defaults.demand };
  }

  /** `name` is for errors and `inspect()`; `options` come from `Port.options`. */
  constructor(name: string, producer: Source, options: ResolvedSubscribeOptions) {
    super();
    this.name = name;
    this.producer = producer;
    this.options = options;
    this.runtime = producer["~core"]?.runtime ?? defaultRuntime;
    this.window = new Window(options.maxDemand, options.minDemand);
  }

  /** Whether it has been attached, successfully or not. */
  get opened(): boolean {
    return this.#opened || this.ended;
  }

  get consumer(): Named {
    return this;
  }

  get carries(): boolean {
    return this.options.cancel !== "temporary";
  }

  ask(_count: number): void {
    if (!this.ended) throw argumentError("ERR_ASK_AUTOMATIC", "", words(`one by ${this.name}`));
  }

  resubscribe(): Subscription {
    throw argumentError("ERR_ASK_AUTOMATIC", "", words(`one by ${this.name}`));
  }

  /** Ends the link; arrived events are still handed over. */
  cancel(reason?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.reason = { type: "cancel", reason };
    this.#tell({ reason: this.reason });
    this.wake();
  }

  /** Attaches to the producer. Throws its refusal. */
  open(): void {
    this.#opened = true;
    try {
      this.port = this.producer["~attach"](this, this.options as never);
    } catch (error) {
      this.ended = true;
      throw error;
    }
    this.active = true;
  }

  /** Asks for `count` more events. Does nothing for 0, which `window.handOver` may return. */
  override request(count: number): void {
    if (count > 0 && this.active && !this.ended) super.request(count);
  }

  /** Reports an error of the foreign side to the producer's `onReport`. */
  report(error: unknown, phase: string): void {
    const report = this.producer["~core"]?.report;
    if (report) report.tell(error, phase);
    else console.error(`headrace: ${phase} of ${this.name} failed:`, error);
  }

  accept(batch: readonly unknown[]): void {
    this.arrived.push(batch);
    this.wake();
  }

  refuse(error: unknown, excess: readonly unknown[]): void {
    this.ended = true;
    this.reason = failure(error);
    this.#tell({ reason: this.reason, unstarted: excess });
    this.wake();
  }

  end({ reason, onNotPassedOn, failure: began }: End): void {
    if (this.ended) return;
    this.ended = true;
    this.reason = reason;
    this.#onNotPassedOn = onNotPassedOn;
    this.#failure = began;
    this.#halfOpen = reason.type === "complete";
    this.wake();
  }

  /** Says that the foreign side knows the producer's end, behind all arrived events. */
  told(): void {
    if (this.#onNotPassedOn && this.reason) markReported(this.#failure ?? errorOf(this.reason));
    this.reason = undefined;
    this.#onNotPassedOn = undefined;
    if (this.#halfOpen) this.#tell({ reason: complete });
  }

  /** Ends the subscription at once. `rest`, the untaken part of a batch, and all arrived events go back. */
  leave(reason: Reason, rest: readonly unknown[] = []): void {
    if (!sameFailure(this.reason, reason)) this.#onNotPassedOn?.();
    this.#onNotPassedOn = undefined;
    this.reason = undefined;
    const unstarted = [rest];
    for (let batch = this.arrived.shift(); batch; batch = this.arrived.shift()) unstarted.push(batch);
    const back = unstarted.flat(1);
    if (this.ended && back.length === 0 && !this.#halfOpen) return;
    this.ended = true;
    this.#tell({ reason, unstarted: back });
  }

  /** The last message of this side. */
  #tell(end: End): void {
    this.#halfOpen = false;
    try {
      this.port.end(end);
    } catch (error) {
      this.report(error, "end");
    }
  }

  /** Schedules one `turn`. */
  wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.runtime.schedule(this);
  }

  run(): void {
    this.#scheduled = false;
    this.turn();
  }

  /** Hands over all it can now. */
  abstract turn(): void;
}
