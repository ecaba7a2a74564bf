import type { DispatcherInspection } from "./dispatcher.ts";
import type { StageKind, StageState, SubscriptionState } from "./states.ts";

/** What an idle stage waits for: a callback's promise, events, demand, or a push. */
export interface Waiting {
  readonly for: "callback" | "events" | "demand" | "push";
  /** The callback's name, the other stage's, or a partition without a consumer. */
  readonly on: string;
  /** Since when. **Units** milliseconds of the runtime's clock, accurate to a few turns. */
  readonly since: number;
}
export interface StageInspection {
  /** Unique within this inspection. */
  readonly id: number;
  readonly name: string;
  readonly kind: StageKind;
  readonly state: StageState;
  /** The callback whose promise is pending. */
  readonly busy?: string;
  /** Messages received and not yet handled. */
  readonly messages: number;
  /** Messages of input that wait for demand. */
  readonly input: number;
  /** Events asked for that could be delivered now. */
  readonly demand?: number;
  readonly buffered?: number;
  /** Events handed to `handleEvents` so far. */
  readonly received?: number;
  /** Events emitted so far, those that a policy has dropped since included. */
  readonly emitted?: number;
  /** Events that were accepted and lost so far: told to `onDiscard`, or dropped by a policy. */
  readonly dropped: number;
  /** Events whose function failed and that were passed over so far. */
  readonly failed?: number;
  /** Calls of `handleEvents` and `handleDemand` so far. */
  readonly calls: number;
  /** How long promises of callbacks were pending so far. **Units** milliseconds, accurate to a few turns. */
  readonly waited: number;
  /** Events kept by the dispatcher. */
  readonly queued?: number;
  readonly dispatcher?: DispatcherInspection;
  readonly waiting: readonly Waiting[];
  /** The id of the other half, where a stage consists of two around something foreign. */
  readonly partner?: number;
}
export interface LinkInspection {
  /** Ids of stages; a consumer outside the graph (a loop, an adapter's port) has none. */
  readonly producer: number;
  readonly consumer: number | undefined;
  readonly consumerName: string;
  readonly state: SubscriptionState;
  /** Events handed to the consumer's `handleEvents` so far; of a stage's links only. */
  readonly received?: number;
  /** Asked for and not delivered. */
  readonly demand: number;
  /** Asked for and not handed to `handleEvents`. */
  readonly pending: number;
  readonly maxDemand: number;
  readonly minDemand: number;
}
/** A graph as plain data, taken at one moment. */
export interface Inspection {
  /** The clock's time, the same as for `since`. */
  readonly time: number;
  /** The inspected stage first. */
  readonly stages: readonly StageInspection[];
  readonly links: readonly LinkInspection[];
}
