import type { Consumer, Producer, Subscriber } from "../contract/stage.ts";
import type { EmitOptions, StageOptions } from "../contract/options.ts";

/** Options that a factory must pass on: the kit watches runtime, signal, reports and discarded events. */
export interface SinkOptions extends StageOptions {}
export interface SourceOptions extends EmitOptions<unknown> {}

/** A source under test, and the observable part of its foreign side. */
export interface SourceSubject {
  readonly producer: Producer<unknown>;
  /** Events taken from the foreign side so far. */
  readonly taken?: (() => number) | undefined;
  /** Releases of the foreign side so far: closed, destroyed, unsubscribed, returned. */
  readonly released?: (() => number) | undefined;
  /** Events put back into the foreign side, in order. */
  readonly putBack?: (() => readonly unknown[]) | undefined;
}

/** A sink under test. */
export interface SinkSubject {
  readonly consumer: Consumer<never>;
}

/** A transform under test. */
export interface ThroughSubject {
  readonly stage: Producer<unknown> & Subscriber<never>;
  /** Releases of the foreign side so far. */
  readonly released?: (() => number) | undefined;
}

/** The foreign sink's reports to the kit. */
export interface SinkProbe {
  /** The foreign sink got an event. It works while the promise is pending; a rejection fails it. */
  event(event: unknown): Promise<void> | undefined;
  /** The foreign sink was told the end. The promise means the same. */
  end(): Promise<void> | undefined;
  /** The foreign sink was told a failure: destroyed or aborted with it. */
  fail(error: unknown): void;
}

/** The foreign transform's questions to the kit. */
export interface ThroughProbe {
  /** The results for an event. The foreign transform must fail with an error thrown here. */
  transform(event: unknown): readonly unknown[];
  /** The results behind the last event. */
  flush(): readonly unknown[];
  /** Whether the foreign transform must end its output now. */
  readonly over: boolean;
}

/** Limits and peculiarities of the foreign system. */
export interface Capabilities {
  /** Whether the foreign source can be asked, and emits only then. @default true */
  readonly demand?: boolean | undefined;
  /** Events the foreign source takes unasked. **Units** events. @default 0 */
  readonly readAhead?: number | undefined;
  /** Whether adjacent events may arrive as one; `decode` separates them. @default false */
  readonly joins?: boolean | undefined;
  /** Whether the foreign source ends without a further ask. @default true */
  readonly endsUnasked?: boolean | undefined;
  /** Whether errors stay the same objects. @default true */
  readonly failsByIdentity?: boolean | undefined;
  /** Whether it can fail with `undefined`, `null`, 0 and `""`. @default true */
  readonly failsWithAnything?: boolean | undefined;
  /**
   * Events the foreign sink or transform takes or collects before it pushes back; Infinity if it never does. **Units**
   * events. @default 1
   */
  readonly capacity?: number | undefined;
  /** Whether the foreign sink has an end, and so is told a good one or a failure. @default true */
  readonly ends?: boolean | undefined;
  /** Whether the end of the foreign sink can be awaited, and fail. @default true */
  readonly endWaits?: boolean | undefined;
  /** Whether the foreign sink or transform can fail during an event. @default true */
  readonly fails?: boolean | undefined;
  /** Whether the foreign transform can emit at its end. @default true */
  readonly flushes?: boolean | undefined;
  /** Whether the foreign transform can end its output by itself. @default true */
  readonly endsEarly?: boolean | undefined;
}

/** A rule that an adapter breaks, and why. */
export interface Deviation {
  readonly rule: string;
  readonly reason: string;
}

/** An adapter's factories. Each call makes something fresh. */
export interface Adapter {
  readonly name: string;
  /** A source of the events 0 to `count` - 1. */
  readonly source?: ((count: number, options: SourceOptions) => SourceSubject) | undefined;
  /** A source of the events 0 to `after` - 1, which then fails. */
  readonly failedSource?: ((error: unknown, after: number, options: SourceOptions) => SourceSubject) | undefined;
  /** A source of 10 events whose foreign side fails at its release. */
  readonly failedRelease?: ((error: unknown, options: SourceOptions) => SourceSubject) | undefined;
  /** A source whose foreign side stays silent for ever. */
  readonly silentSource?: ((options: SourceOptions) => SourceSubject) | undefined;
  readonly sink?: ((probe: SinkProbe, options: SinkOptions) => SinkSubject) | undefined;
  readonly through?: ((probe: ThroughProbe, options: SourceOptions) => ThroughSubject) | undefined;
  /** Calls the adapter with none of its sources, sinks or transforms. */
  readonly refuses?: ((foreign: unknown) => unknown) | undefined;
  /** The foreign system's event for the number `n`. @default the number */
  readonly encode?: ((n: number) => unknown) | undefined;
  /** The numbers of an event. @default the event itself */
  readonly decode?: ((event: unknown) => readonly number[]) | undefined;
  readonly capabilities?: Capabilities | undefined;
  readonly deviations?: readonly Deviation[] | undefined;
  /** Turns of the event loop to wait for an awaited effect. @default 1000 */
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
  ends: true,
  endWaits: true,
  fails: true,
  flushes: true,
  endsEarly: true,
};

export const capabilityNames: readonly string[] = Object.keys(usual);

export const capabilitiesOf = (adapter: Adapter): Can => ({ ...usual, ...(adapter.capabilities as Partial<Can>) });
