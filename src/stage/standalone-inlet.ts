import { Deque } from "../base/deque.ts";
import { argumentError, type ProtocolError, words } from "../base/errors.ts";
import { Inlet } from "./inlet.ts";
import { hear } from "./outcome.ts";
import type { ConsumerPort, ProducerPort, Named, Stage, Subscription } from "../contract/stage.ts";
import type { End, Reason } from "../contract/reason.ts";
import { errorOf, failure } from "../base/reason.ts";
import { defaultRuntime } from "../runtime/engine.ts";
import type { Runtime, Task } from "../contract/runtime.ts";
import type { ResolvedSubscribeOptions, SubscribeOptions } from "../contract/options.ts";
import { requireOptions } from "../base/check.ts";
import { subscribeOptions } from "./subscribe-options.ts";
import { Window } from "./window.ts";

/** A producer as an intake sees it. */
export type Source = Stage & {
  readonly defaultMaxDemand?: number | undefined;
  readonly "~attach": (port: ConsumerPort<never>, options: object) => ProducerPort;
  readonly "~core"?: { readonly runtime?: Runtime };
};

/**
 * A consumer's end of a link that belongs to no stage: a loop's, a Readable's, an Observer's. It keeps what arrives until
 * the other side takes it, in turns of the producer's runtime (`run`), and gives back what was not taken.
 */
export abstract class Port extends Inlet implements Task {
  readonly name: string;
  readonly producer: Source;
  readonly options: ResolvedSubscribeOptions;
  readonly runtime: Runtime;
  /** The arithmetic of automatic demand, for a port that asks as a stage does. */
  readonly window: Window;
  readonly arrived: Deque<readonly unknown[]> = new Deque(4);
  /** Why the producer ended, once it has. */
  reason: Reason | undefined;
  #untold: (() => void) | undefined;
  #opened = false;
  #scheduled = false;

  /**
   * Checks that `producer` is one, checks the options of a subscription to it, and fills in their defaults.
   *
   * @throws ArgumentError `ERR_NOT_PRODUCER`; `ERR_OPTION`, `ERR_RANGE`: wrong options.
   */
  static options(
    producer: unknown,
    options: SubscribeOptions,
    { maxDemand, demand }: { readonly maxDemand?: number; readonly demand?: "manual" } = {},
  ): ResolvedSubscribeOptions {
    const source = producer as Partial<Source> | null | undefined;
    if (typeof source?.["~attach"] !== "function") throw argumentError("ERR_NOT_PRODUCER", "", producer);
    requireOptions("subscribe", options);
    return subscribeOptions(
      { ...options, demand: demand ?? options.demand, maxDemand: options.maxDemand ?? maxDemand },
      source.defaultMaxDemand,
    );
  }

  constructor(name: string, producer: Source, options: ResolvedSubscribeOptions) {
    super();
    this.name = name;
    this.producer = producer;
    this.options = options;
    this.runtime = producer["~core"]?.runtime ?? defaultRuntime;
    this.window = new Window(options.maxDemand, options.minDemand);
  }

  /** Whether it has been attached, whatever came of it. */
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

  /** Ends the link; what has arrived is still handed over. */
  cancel(reason?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.reason = { type: "cancel", reason };
    this.port.end({ reason: this.reason });
    this.wake();
  }

  /** Attaches to the producer. Throws what the producer refuses it with. */
  open(): void {
    this.#opened = true;
    try {
      this.port = this.producer["~attach"](this, this.options);
    } catch (error) {
      this.ended = true;
      throw error;
    }
    this.active = true;
  }

  override request(count: number): void {
    if (this.active && !this.ended) super.request(count);
  }

  accept(batch: readonly unknown[]): void {
    this.arrived.push(batch);
    this.wake();
  }

  refuse(error: ProtocolError, excess: readonly unknown[]): void {
    this.ended = true;
    this.reason = failure(error);
    this.port.end({ reason: this.reason, unstarted: excess });
    this.wake();
  }

  end({ reason, untold }: End): void {
    if (this.ended) return;
    this.ended = true;
    this.reason = reason;
    this.#untold = untold;
    this.wake();
  }

  /** The producer's end is passed on. */
  told(): void {
    if (this.#untold && this.reason) hear(errorOf(this.reason));
    this.reason = undefined;
    this.#untold = undefined;
  }

  /** Ends the link at once. `rest` and what has arrived go back. */
  leave(reason: Reason, rest: readonly unknown[] = []): void {
    if (this.reason && errorOf(this.reason) !== errorOf(reason)) this.#untold?.();
    this.#untold = undefined;
    this.reason = undefined;
    const unstarted = [rest];
    for (let batch = this.arrived.shift(); batch; batch = this.arrived.shift()) unstarted.push(batch);
    const back = unstarted.flat(1);
    if (this.ended && back.length === 0) return;
    this.ended = true;
    this.port.end({ reason, unstarted: back });
  }

  wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.runtime.schedule(this);
  }

  run(): void {
    this.#scheduled = false;
    this.turn();
  }

  /** Hands over what can be handed over now. */
  abstract turn(): void;
}
