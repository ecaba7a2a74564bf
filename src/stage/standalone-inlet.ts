import type { Report } from "./report.ts";
import { Deque } from "../base/deque.ts";
import { argumentError, words } from "../base/errors.ts";
import { Inlet } from "./inlet.ts";
import { markReported } from "./report.ts";
import type { ConsumerPort, ProducerPort, Named, Stage, Subscription } from "../contract/stage.ts";
import type { End, Reason } from "../contract/reason.ts";
import { errorOf, failure, complete, sameFailure } from "../base/reason.ts";
import { defaultRuntime } from "../runtime/engine.ts";
import type { Runtime, Task } from "../contract/runtime.ts";
import type { ResolvedSubscribeOptions } from "../contract/options.ts";

/** A producer as an intake sees it. */
export type Source = Stage & {
  readonly defaultMaxDemand?: number | undefined;
  readonly "~attach": (port: ConsumerPort<never>, options: object) => ProducerPort;
  readonly "~core"?: { readonly runtime?: Runtime; readonly report?: Report };
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
  readonly arrived: Deque<readonly unknown[]> = new Deque(4);
  /** Why the producer ended, once it has. */
  reason: Reason | undefined;
  #onNotPassedOn: (() => void) | undefined;
  /** The producer has completed and waits to hear that its events are started. */
  #halfOpen = false;
  #opened = false;
  #scheduled = false;

  constructor(name: string, producer: Source, options: ResolvedSubscribeOptions) {
    super();
    this.name = name;
    this.producer = producer;
    this.options = options;
    this.runtime = producer["~core"]?.runtime ?? defaultRuntime;
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
    this.#tell({ reason: this.reason });
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

  refuse(error: unknown, excess: readonly unknown[]): void {
    this.ended = true;
    this.reason = failure(error);
    this.#tell({ reason: this.reason, unstarted: excess });
    this.wake();
  }

  end({ reason, onNotPassedOn }: End): void {
    if (this.ended) return;
    this.ended = true;
    this.reason = reason;
    this.#onNotPassedOn = onNotPassedOn;
    this.#halfOpen = reason.type === "complete";
    this.wake();
  }

  /** The producer's end is passed on, behind all that has arrived. */
  told(): void {
    if (this.#onNotPassedOn && this.reason) markReported(errorOf(this.reason));
    this.reason = undefined;
    this.#onNotPassedOn = undefined;
    if (this.#halfOpen) this.#tell({ reason: complete });
  }

  /** Ends the link at once. `rest` and what has arrived go back. */
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

  /** The last word of this side. */
  #tell(end: End): void {
    this.#halfOpen = false;
    try {
      this.port.end(end);
    } catch (error) {
      this.producer["~core"]?.report?.tell(error, "end");
    }
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
