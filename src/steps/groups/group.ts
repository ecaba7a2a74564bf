import { source } from "../../adapter/source.ts";
import { argumentError, words } from "../../base/errors.ts";
import { failureOf } from "../../base/failure.ts";
import { failure as failed, ignore } from "../../base/reason.ts";
import { isThenable } from "../../base/thenable.ts";
import type { SourceBehaviour, SourceContext } from "../../contract/adapter.ts";
import type { Pipeline } from "../../contract/pipeline.ts";
import type { Producer, Subscription } from "../../contract/stage.ts";
import type { ProducerHandle } from "../../stage/faces.ts";
import { markReported } from "../../stage/report.ts";
import { Held } from "../concurrent/held.ts";
import type { Setting } from "../../adapter/step.ts";

export interface GroupHost {
  readonly over: boolean;
  /** A group has passed events on; below 0, it was given some back. */
  moved(count: number): void;
}

/** One key's events, and the pipeline that takes them. */
export class Group<In> implements SourceBehaviour<In> {
  readonly pipeline: Pipeline<unknown>;
  /** What its pipeline has not asked for. */
  readonly held: Held<In> = new Held<In>();
  /** It is to end once what it holds has gone out. */
  closing = false;
  /** By the runtime's clock. */
  usedAt: number;
  readonly #host: GroupHost;
  readonly #events: Producer<In>;
  #context!: SourceContext<In>;
  #wanted = 0;
  #last: Subscription | undefined;

  constructor(name: string, setting: Setting, make: (events: Producer<In>) => unknown, host: GroupHost) {
    this.#host = host;
    const { runtime, onReport, onDiscard, signal, compile } = setting;
    const events = source<In>(this, { name, runtime, onReport, onDiscard });
    // Its pipeline inherits them, as a branch does.
    Object.defineProperty(events, "~setting", { value: { name, runtime, onReport, onDiscard, signal, compile } });
    this.#events = events;
    this.usedAt = this.#context.runtime.time;
    this.pipeline = checked(name, make(events), events);
  }

  begin(context: SourceContext<In>): void {
    this.#context = context;
  }

  handleDemand(demand: number): void {
    this.#wanted += demand;
    this.#serve();
  }

  /** Its pipeline has had enough, or has failed. */
  putBack(events: readonly unknown[]): readonly unknown[] {
    if (this.#last === undefined || this.#host.over) return events;
    this.held.unshift(events as readonly In[], this.#last);
    this.#host.moved(-events.length);
    return [];
  }

  add(events: readonly In[], subscription: Subscription): void {
    this.usedAt = this.#context.runtime.time;
    this.#last = subscription;
    this.held.push(events, subscription);
    this.#serve();
  }

  close(): void {
    this.closing = true;
    this.#serve();
  }

  /** It fails with what the step fails with, which tells of it: no group tells of it again. */
  fail(error: unknown, aborted: boolean): void {
    const { ends, outcome, over } = (this.#events as unknown as ProducerHandle)["~core"];
    // One that has completed meanwhile has had all its events.
    if (over) return;
    outcome.report.passedOn = true;
    const failure = failureOf(error);
    if (!aborted) markReported(failure ?? error);
    ends.end({ reason: failed(error), abort: aborted, failure });
  }

  #serve(): void {
    if (this.#wanted > 0 && this.held.size > 0) {
      const events = this.held.take(this.#wanted);
      this.#wanted -= events.length;
      if (this.#context.answer(events)) this.#host.moved(events.length);
      else this.held.unshift(events, this.#last as Subscription);
    }
    if (this.closing && this.held.size === 0) this.#context.complete();
  }
}

/** Refuses what is no running pipeline of these events. */
function checked(name: string, made: unknown, events: Producer<unknown>): Pipeline<unknown> {
  const running = Object(made) as Partial<Pipeline<unknown>>;
  if (typeof running.then !== "function" || typeof running.drain !== "function")
    throw argumentError("ERR_OPTION", `${name} to return a pipeline that ends in a sink`, gotInstead(made));
  if (events.inspect().links.length === 0) {
    running.done?.catch(ignore);
    throw argumentError("ERR_OPTION", `${name} to consume its events`, words("a pipeline of something else"));
  }
  return made as Pipeline<unknown>;
}

function gotInstead(made: unknown): unknown {
  if (made === undefined) return words("nothing: return the pipeline");
  if (isThenable(made)) {
    made.then(ignore, ignore);
    return words("a promise: return the pipeline itself, from a function that is not async");
  }
  const isProducer = typeof (Object(made) as { readonly "~attach"?: unknown })["~attach"] === "function";
  return isProducer ? words("a producer: put forEach, collect or another sink at its end") : made;
}
