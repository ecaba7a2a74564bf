import { Deque } from "./deque.ts";
import { argumentError, ProtocolError, words } from "./errors.ts";
import { addDemand, type ConsumerPort, type End, type ProducerPort, type Reason } from "./protocol.ts";
import { defaultRuntime, type Runtime, type Task } from "./runtime.ts";
import type { Named, ResolvedSubscribeOptions, Stage, Subscription, SubscriptionState } from "./types.ts";

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
export abstract class Intake implements ConsumerPort<unknown>, Subscription, Task {
  readonly name: string;
  readonly carries = true;
  readonly producer: Source;
  readonly options: ResolvedSubscribeOptions;
  readonly runtime: Runtime;
  readonly arrived: Deque<readonly unknown[]> = new Deque(4);
  state: SubscriptionState = "pending";
  /** Why the producer ended, once it has. */
  reason: Reason | undefined;
  /** Asked for and not handed over. */
  pending = 0;
  /** Asked for and not arrived. */
  #expected = 0;
  #port: ProducerPort | undefined;
  #scheduled = false;

  constructor(name: string, producer: Source, options: ResolvedSubscribeOptions) {
    this.name = name;
    this.producer = producer;
    this.options = options;
    this.runtime = producer["~core"]?.runtime ?? defaultRuntime;
  }

  /** Whether it has been attached, whatever came of it. */
  get opened(): boolean {
    return this.#port !== undefined || this.state === "ended";
  }

  get subscription(): Subscription {
    return this;
  }

  get consumer(): Named {
    return this;
  }

  ask(_count: number): void {
    if (this.state !== "ended") throw argumentError("ERR_ASK_AUTOMATIC", "", words(`one by ${this.name}`));
  }

  resubscribe(): Subscription {
    throw argumentError("ERR_ASK_AUTOMATIC", "", words(`one by ${this.name}`));
  }

  /** Ends the link; what has arrived is still handed over. */
  cancel(reason?: unknown): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.reason = { type: "cancel", reason };
    this.#port?.end({ reason: this.reason });
    this.wake();
  }

  /** Attaches to the producer. Throws what the producer refuses it with. */
  open(): void {
    try {
      this.#port = this.producer["~attach"](this, this.options);
    } catch (error) {
      this.state = "ended";
      throw error;
    }
    if (this.state === "pending") this.state = "active";
  }

  request(count: number): void {
    if (this.state !== "active") return;
    this.#expected = addDemand(this.#expected, count);
    this.pending = addDemand(this.pending, count);
    this.#port?.ask(count);
  }

  events(batch: readonly unknown[]): void {
    if (this.state === "ended" || batch.length === 0) return;
    this.#expected -= batch.length;
    if (this.#expected >= 0) this.arrived.push(batch);
    else this.#refuse(batch, batch.length + this.#expected);
    this.wake();
  }

  end({ reason }: End): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.reason = reason;
    this.wake();
  }

  /** Ends the link at once. `rest` and what has arrived go back. */
  leave(reason: Reason, rest: readonly unknown[] = []): void {
    const unstarted = [rest];
    for (let batch = this.arrived.shift(); batch; batch = this.arrived.shift()) unstarted.push(batch);
    const back = unstarted.flat(1);
    if (this.state === "ended" && back.length === 0) return;
    this.state = "ended";
    this.#port?.end({ reason, unstarted: back });
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

  /** More than was asked for: what was asked for stays, the rest goes back with the end of the link. */
  #refuse(batch: readonly unknown[], due: number): void {
    const error = new ProtocolError("ERR_OVERDELIVERY", String(due), words(String(batch.length)));
    this.#expected = 0;
    if (due > 0) this.arrived.push(batch.slice(0, due));
    this.state = "ended";
    this.reason = { type: "failure", error };
    this.#port?.end({ reason: this.reason, unstarted: batch.slice(due) });
  }
}
