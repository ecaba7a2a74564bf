import { inspect, type Inspection } from "./inspect.ts";
import { iterate } from "./iterator.ts";
import { CALL, INFO, STOP } from "./mailbox.ts";
import type { Output } from "./output.ts";
import { drained, push, setMode } from "./push.ts";
import type { ConsumerPort, ProducerPort } from "./protocol.ts";
import type { Core } from "./stage.ts";
import type {
  DemandMode,
  FailOptions,
  Stage,
  StageKind,
  StageState,
  StopOptions,
  SubscribeOptions,
  Subscription,
} from "./types.ts";

/** Printed, a stage shows its name and kind, and not the graph behind it. */
const hold = (holder: object, stage: Core): void => void Object.defineProperty(holder, "~core", { value: stage });

/** What a callback gets: the stage without anything that can be awaited. */
export class StageContext {
  /** The stage behind it, for adapters that schedule work of their own. */
  declare readonly "~core": Core;
  readonly name: string;
  constructor(stage: Core) {
    hold(this, stage);
    this.name = stage.name;
  }
  get signal(): AbortSignal {
    return this["~core"].outcome.signal;
  }
  complete(): void {
    this["~core"].complete(true);
  }
  fail(error: unknown, options?: FailOptions): void {
    this["~core"].fail(error, options);
  }
  stop(reason?: unknown): void {
    this["~core"].post(STOP, undefined, reason);
  }
}

export class EmittingContext extends StageContext {
  get demand(): number {
    return (this["~core"].output as Output).dispatcher.wanted;
  }
  push(events: readonly unknown[]): boolean {
    return push(this["~core"], events, true);
  }
}

/** What the user holds of a stage. */
abstract class Handle implements Stage {
  /** The stage behind it, for adapters that schedule work of their own. */
  declare readonly "~core": Core;
  readonly name: string;
  abstract readonly kind: StageKind;
  constructor(stage: Core) {
    hold(this, stage);
    this.name = stage.name;
  }
  get state(): StageState {
    return this["~core"].state;
  }
  get done(): Promise<void> {
    return this["~core"].outcome.done;
  }
  call<Result>(fn: (stage: never) => Result): Promise<Awaited<Result>> {
    return this["~core"].call(CALL, fn as (stage: unknown) => unknown) as Promise<Awaited<Result>>;
  }
  info<Result>(fn: (stage: never) => Result): Promise<Awaited<Result>> {
    return this["~core"].call(INFO, fn as (stage: unknown) => unknown) as Promise<Awaited<Result>>;
  }
  stop(options?: StopOptions): Promise<void> {
    return this["~core"].stop(options);
  }
  inspect(): Inspection {
    return inspect(this["~core"]);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this["~core"].stop();
    await this["~core"].outcome.done;
  }
}

export class ConsumerHandle extends Handle {
  readonly kind = "consumer";
  get subscriptions(): readonly Subscription[] {
    return this["~core"].links.slice();
  }
  subscribe(producer: Stage, options: SubscribeOptions = {}): Subscription {
    return this["~core"].link(producer, options);
  }
}

/** A producer that nobody but its behaviour can make emit or end. */
export class SourceHandle extends Handle {
  readonly kind: "producer" | "producerConsumer" = "producer";
  "~attach"(port: ConsumerPort<never>, options: object, replaces?: ProducerPort): ProducerPort {
    return this["~core"].attach(port, options, replaces);
  }
  get demand(): number {
    return (this["~core"].output as Output).dispatcher.wanted;
  }
  get bufferedCount(): number {
    return (this["~core"].output as Output).held;
  }
  get defaultMaxDemand(): number | undefined {
    return this["~core"].defaultMaxDemand;
  }
  batches(options: SubscribeOptions = {}): AsyncIterableIterator<readonly unknown[]> {
    return iterate(this, options, "batches") as AsyncIterableIterator<readonly unknown[]>;
  }
  events(options: SubscribeOptions = {}): AsyncIterableIterator<unknown> {
    return iterate(this, options, "events");
  }
  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    return this.events();
  }
}

export class ProducerHandle extends SourceHandle {
  get demandMode(): DemandMode {
    return (this["~core"].output as Output).mode;
  }
  set demandMode(mode: DemandMode) {
    setMode(this["~core"], mode);
  }
  push(events: readonly unknown[]): boolean {
    return push(this["~core"], events, false);
  }
  drained(): Promise<void> {
    return drained(this["~core"]);
  }
  complete(): void {
    this["~core"].complete(false);
  }
  fail(error: unknown, options?: FailOptions): void {
    this["~core"].fail(error, options);
  }
}

export class ProducerConsumerHandle extends ProducerHandle {
  override readonly kind = "producerConsumer";
  get subscriptions(): readonly Subscription[] {
    return this["~core"].links.slice();
  }
  subscribe(producer: Stage, options: SubscribeOptions = {}): Subscription {
    return this["~core"].link(producer, options);
  }
}
