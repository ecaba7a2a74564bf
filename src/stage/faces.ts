import type { Failure } from "../contract/failure.ts";
import type { Reason } from "../contract/reason.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { SinkContext, SourceContext } from "../contract/adapter.ts";
import { explain } from "./explain.ts";
import { inspect } from "./inspect.ts";
import type { Inspection } from "../contract/inspection.ts";
import { iterate } from "./loop.ts";
import { CALL, INFO } from "./mailbox.ts";
import type { Output } from "./output.ts";
import { flushed, push, setMode } from "./overflow.ts";
import type { ConsumerPort, ProducerPort, Stage, StageContext, Subscription } from "../contract/stage.ts";
import type { Core } from "./core.ts";
import type { DemandMode, FailOptions, StopOptions, SubscribeOptions, DrainOptions } from "../contract/options.ts";
import type { StageKind, StageState } from "../contract/states.ts";

/** A printed stage shows its name and kind, not the graph behind it. */
const hold = (holder: object, stage: Core): void => void Object.defineProperty(holder, "~core", { value: stage });

/** Replaces the getter by an own property with its function. */
function bound<F>(holder: object, name: string, value: F): F {
  Object.defineProperty(holder, name, { value });
  return value;
}

/** A callback's context: the stage, with nothing to await. */
export class PlainContext implements StageContext {
  declare readonly "~core": Core;
  readonly name: string;
  constructor(stage: Core) {
    hold(this, stage);
    this.name = stage.name;
  }
  get runtime(): Runtime {
    return this["~core"].runtime;
  }
  get signal(): AbortSignal {
    return this["~core"].outcome.signal;
  }
  complete(): void {
    this["~core"].ends.complete(true);
  }
  fail(error: unknown, options?: FailOptions): void {
    this["~core"].ends.fail(error, options);
  }
  stop(reason?: unknown): void {
    this["~core"].ends.postStop(reason);
  }
  giveBack(subscription: Subscription, rest: readonly unknown[]): void {
    this["~core"].upstream.giveBack(subscription, rest);
  }
  report(error: unknown, phase: string): void {
    this["~core"].report.tell(error, phase);
  }
}

/** The context of a sink adapter's callbacks. */
export class SinkFace extends PlainContext implements SinkContext {
  end(reason: Reason): void {
    this["~core"].ends.end({ reason });
  }
  markReported(): void {
    this["~core"].report.passedOn = true;
  }
}

/** The context of an emitting stage's callbacks. */
export class EmittingContext extends PlainContext {
  get demand(): number {
    return (this["~core"].output as Output).dispatcher.wanted;
  }
  /** Bound at first read, so that it works detached. */
  get push(): (events: readonly unknown[]) => boolean {
    return bound(this, "push", (events) => push(this["~core"], events, true));
  }
}

/** The context of a source adapter's callbacks. */
export class SourceFace extends EmittingContext implements SourceContext<unknown> {
  answer(events: readonly unknown[]): boolean {
    return this["~core"].answer(events);
  }
  discard(events: readonly unknown[]): void {
    const core = this["~core"];
    core.ends.lose(events, core.outlets.size === 0);
  }
  get buffered(): number {
    return (this["~core"].output as Output).buffered;
  }
  askAgain(): void {
    (this["~core"].output as Output).owed = 0;
  }
}

/** The user's handle of a stage. */
abstract class Handle implements Stage {
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
    return this["~core"].ends.stop(options);
  }
  drain(options?: DrainOptions): Promise<void> {
    return this["~core"].ends.drain(options);
  }
  get failure(): Failure | undefined {
    return this["~core"].outcome.failure;
  }
  inspect(): Inspection {
    return inspect(this["~core"]);
  }
  explain(): string {
    return explain(this.inspect());
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this["~core"].ends.stop();
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

/** A producer that only its behaviour can make emit or end. */
export class SourceHandle extends Handle {
  readonly kind: "producer" | "producerConsumer" = "producer";
  // Stryker disable next-line StringLiteral: it cannot mutate the name of a method
  "~attach"(port: ConsumerPort<never>, options: object, replaces?: ProducerPort): ProducerPort {
    return this["~core"].attach(port, options, replaces);
  }
  /** Drains this stage if its one consumer, which drains, is the reason it runs. Returns whether it does. */
  // Stryker disable next-line StringLiteral: it cannot mutate the name of a method
  "~drain"(port: ConsumerPort<never>): boolean {
    return this["~core"].downstream.drain(port);
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
  /** Bound at first read, so that it works detached. */
  get push(): (events: readonly unknown[]) => boolean {
    return bound(this, "push", (events) => push(this["~core"], events, false));
  }
  flushed(): Promise<void> {
    return flushed(this["~core"]);
  }
  complete(): void {
    this["~core"].ends.complete(false);
  }
  fail(error: unknown, options?: FailOptions): void {
    this["~core"].ends.fail(error, options);
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
