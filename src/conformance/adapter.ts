import type { Consumer, Producer, Subscriber } from "../contract/stage.ts";
import type { EmitOptions, StageOptions } from "../contract/options.ts";

/** Options that a factory passes on to the adapter it calls: runtime, signal, reports and discarded events are watched. */
export interface SinkOptions extends StageOptions {}
export interface SourceOptions extends EmitOptions<unknown> {}

/** A source under test, and what can be seen of the foreign side. */
export interface SourceSubject {
  readonly producer: Producer<unknown>;
  /** How many events were taken from the foreign side so far. */
  readonly taken?: (() => number) | undefined;
  /** How many times the foreign side was released so far: closed, destroyed, unsubscribed, returned. */
  readonly released?: (() => number) | undefined;
  /** The events that were put back into the foreign side, in order. */
  readonly putBack?: (() => readonly unknown[]) | undefined;
}

/** A sink under test. */
export interface SinkSubject {
  readonly consumer: Consumer<never>;
}

/** A transform under test. */
export interface ThroughSubject {
  readonly stage: Producer<unknown> & Subscriber<never>;
  /** How many times the foreign side was released so far. */
  readonly released?: (() => number) | undefined;
}

/** What a foreign sink tells the kit. */
export interface SinkProbe {
  /**
   * The foreign sink has been given an event. While the promise is pending it works on it, and when it rejects the
   * foreign sink is to fail with that; without a promise it is done.
   */
  event(event: unknown): Promise<void> | undefined;
  /** The foreign sink was told that there is no more. The promise means the same as for an event. */
  end(): Promise<void> | undefined;
  /** The foreign sink was told of a failure: destroyed or aborted with it. */
  fail(error: unknown): void;
}

/** What a foreign transform asks the kit. */
export interface ThroughProbe {
  /** What becomes of an event. What it throws the foreign transform is to fail with. */
  transform(event: unknown): readonly unknown[];
  /** What comes behind the last event. */
  flush(): readonly unknown[];
  /** Whether the foreign transform is to end its output now: to be looked at behind each `transform`. */
  readonly over: boolean;
}

/** What the foreign system cannot do, or does otherwise. */
export interface Capabilities {
  /** Whether the foreign source can be asked, and so emits nothing unasked. @default true */
  readonly demand?: boolean | undefined;
  /** Events the foreign source takes before they are asked for. **Units** events. @default 0 */
  readonly readAhead?: number | undefined;
  /** Whether neighbouring events may arrive as one, as bytes do; `decode` tells them apart. @default false */
  readonly joins?: boolean | undefined;
  /** Whether the foreign source ends behind its last event without being asked for one more. @default true */
  readonly endsUnasked?: boolean | undefined;
  /** Whether an error stays the same object on its way through the foreign system. @default true */
  readonly failsByIdentity?: boolean | undefined;
  /** Whether the foreign system can fail with `undefined`, `null`, 0 and `""`. @default true */
  readonly failsWithAnything?: boolean | undefined;
  /**
   * Events that the foreign sink or transform takes before it pushes back; Infinity if it never does. **Units** events.
   * @default 1
   */
  readonly capacity?: number | undefined;
  /** Whether the end of the foreign sink can be waited for, and fail. @default true */
  readonly endWaits?: boolean | undefined;
  /** Whether the foreign sink or transform can fail while it works on an event. @default true */
  readonly fails?: boolean | undefined;
  /** Whether the foreign transform can emit at its end. @default true */
  readonly flushes?: boolean | undefined;
  /** Whether the foreign transform can end its output by itself. @default true */
  readonly endsEarly?: boolean | undefined;
}

/** A rule that an adapter does not keep, and why. */
export interface Deviation {
  readonly rule: string;
  readonly reason: string;
}

/** The factories of an adapter, one direction or several. Each call makes something fresh. */
export interface Adapter {
  readonly name: string;
  /** A source of the events 0 to `count` - 1. */
  readonly source?: ((count: number, options: SourceOptions) => SourceSubject) | undefined;
  /** A source of the events 0 to `after` - 1 that then fails. */
  readonly failedSource?: ((error: unknown, after: number, options: SourceOptions) => SourceSubject) | undefined;
  /** A source of 10 events whose foreign side fails when it is released. */
  readonly failedRelease?: ((error: unknown, options: SourceOptions) => SourceSubject) | undefined;
  /** A source whose foreign side says nothing, ever. */
  readonly silentSource?: ((options: SourceOptions) => SourceSubject) | undefined;
  readonly sink?: ((probe: SinkProbe, options: SinkOptions) => SinkSubject) | undefined;
  readonly through?: ((probe: ThroughProbe, options: SourceOptions) => ThroughSubject) | undefined;
  /** Calls the adapter with something that is none of its sources, sinks or transforms. */
  readonly refuses?: ((foreign: unknown) => unknown) | undefined;
  /** What stands for the number `n` in the foreign system. @default the number */
  readonly encode?: ((n: number) => unknown) | undefined;
  /** The numbers that an event stands for. @default the event itself */
  readonly decode?: ((event: unknown) => readonly number[]) | undefined;
  readonly capabilities?: Capabilities | undefined;
  readonly deviations?: readonly Deviation[] | undefined;
  /** Turns of the event loop until something awaited has happened. @default 1000 */
  readonly patience?: number | undefined;
}

export type Can = { readonly [Name in keyof Capabilities]-?: Exclude<Capabilities[Name], undefined> };

const usual: Can = {
  demand: true,
  readAhead: 0,
  joins: false,
  endsUnasked: true,
  failsByIdentity: true,
  failsWithAnything: true,
  capacity: 1,
  endWaits: true,
  fails: true,
  flushes: true,
  endsEarly: true,
};

export const capabilityNames: readonly string[] = Object.keys(usual);

export const capabilitiesOf = (adapter: Adapter): Can => ({ ...usual, ...(adapter.capabilities as Partial<Can>) });
