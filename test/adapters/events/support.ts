import { EventEmitter } from "node:events";
import { fromEvents, type FromEventsOptions } from "../../../adapters/events/index.ts";
import { type Consumer, consumer, type Producer, type SubscribeOptions } from "../../../src/index.ts";
import { ManualConsumer } from "../../reactive-streams/harness.ts";
import { type TestRuntime, testRuntime } from "../../support/runtime.ts";

/** A producer over the event "data" of an emitter, with everything it says. */
export interface Bridge<T> {
  readonly runtime: TestRuntime;
  readonly stage: Producer<T>;
  readonly reports: unknown[];
  /** What was discarded, burst by burst. */
  readonly discarded: (readonly [cause: string, events: readonly T[]])[];
}

export function bridge<T = number>(
  source: EventEmitter | EventTarget,
  options: Partial<FromEventsOptions<T>> = {},
): Bridge<T> {
  const runtime = testRuntime();
  const reports: unknown[] = [];
  const discarded: (readonly [string, readonly T[]])[] = [];
  const stage = fromEvents<T>(source, "data", {
    overflow: "throw",
    runtime,
    onReport: (error) => void reports.push(error),
    onDiscard: ({ events, cause }) => void discarded.push([cause, events]),
    ...options,
  });
  return { runtime, stage, reports, discarded };
}

/** A consumer by hand of a producer. */
export const hand = <T>(stage: Producer<T>): ManualConsumer<T> => new ManualConsumer<T>().attach(stage);

/** A consumer that writes down what it gets. */
export function recorder<T>(
  log: T[],
  stage: Producer<T>,
  runtime: TestRuntime,
  options: SubscribeOptions,
): Consumer<T> {
  const c = consumer<T>((events) => void log.push(...events), { runtime });
  c.subscribe(stage, options);
  return c;
}

/** A source as streams were before Node had them: emits while it is not paused, and says what it was told. */
export class OldStream extends EventEmitter {
  readonly calls: string[] = [];
  paused = false;
  /** Values emitted after a pause that it has not noticed yet. */
  lag = 0;
  #next = 1;

  readonly pause = (): void => {
    this.calls.push("pause");
    this.paused = true;
  };
  readonly resume = (): void => {
    this.calls.push("resume");
    this.paused = false;
  };
  /** Emits up to `count` of the next numbers, as long as it is let. */
  flow(count: number): this {
    let late = this.lag;
    for (let i = 0; i < count; i += 1) {
      if (this.paused) {
        if (late === 0) break;
        late -= 1;
      }
      this.emit("data", this.#next);
      this.#next += 1;
    }
    return this;
  }
}

/** How many listeners an emitter has, name by name. */
export const census = (emitter: EventEmitter): Record<string, number> =>
  Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]));

/** An EventTarget that counts its listeners. */
export class CountingTarget extends EventTarget {
  readonly counts: Record<string, number> = {};
  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.counts[args[0]] = (this.counts[args[0]] ?? 0) + 1;
    super.addEventListener(...args);
  }
  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    this.counts[args[0]] = (this.counts[args[0]] ?? 0) - 1;
    super.removeEventListener(...args);
  }
}
