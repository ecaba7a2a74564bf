import type { Subscription } from "./types.ts";

/** A value or a promise of one. */
export type Awaitable<T> = T | PromiseLike<T>;
/** What a callback may answer with: events to emit, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a callback without a return statement answers void
export type Emits<Out> = readonly Out[] | void;

/**
 * Why something ended. A *stop* or *cancel* without an argument, or with `"normal"` or `"shutdown"`, is normal;
 * with anything else it is a failure with that value.
 */
export type Reason =
  | { readonly type: "complete" }
  | { readonly type: "stop" | "cancel"; readonly reason?: unknown }
  | { readonly type: "failure"; readonly error: unknown };

/** The last message on a link, in either direction. */
export interface End {
  readonly reason: Reason;
  /** Consumer to producer only: events that were delivered and not started. */
  readonly unstarted?: readonly unknown[] | undefined;
  /** Producer to consumer only, and only to one that carries a failure on: to be called if it does not come to it. */
  readonly untold?: (() => void) | undefined;
}

/** A consumer's end of a link, as a producer sees it. */
export interface ConsumerPort<in Event> {
  /** Who consumes: two links with the same consumer are a duplicate to a broadcast. */
  readonly consumer: object;
  readonly name: string;
  /** What the producer's callbacks see of this link. */
  readonly subscription: Subscription;
  /** Whether a failure of the producer goes on to somebody through this link. */
  readonly carries: boolean;
  /** A batch, at most what was asked for. The sender does not touch it again. */
  readonly events: (batch: readonly Event[]) => void;
  readonly end: (end: End) => void;
}

/** A producer's end of a link, as a consumer sees it. */
export interface ProducerPort {
  /** `count` more events: 1 to 2^53 - 1, or Infinity. */
  readonly ask: (count: number) => void;
  readonly end: (end: End) => void;
}

/** How a consumer reaches a producer: the subscribe message. A string key, so that two copies of the package agree. */
export interface Attachable<out Event, in Options> {
  readonly "~attach": (port: ConsumerPort<Event>, options: Options, replaces?: ProducerPort) => ProducerPort;
}

const normal = (reason: unknown): boolean => reason === undefined || reason === "normal" || reason === "shutdown";

/** Does nothing, where something has to be called. */
export const ignore = (): void => {};
export const none: readonly never[] = [];
export const complete: Reason = { type: "complete" };

export const failure = (error: unknown): Reason => ({ type: "failure", error });

/** Whether a reason counts as a failure. */
export const isFailure = (reason: Reason): boolean =>
  reason.type === "failure" || (reason.type !== "complete" && !normal(reason.reason));

/** The value a failure carries. */
export const errorOf = (reason: Reason): unknown =>
  reason.type === "failure" ? reason.error : reason.type === "complete" ? undefined : reason.reason;

/** Numbers below this stay small integers in every engine, which is what nearly all demand is made of. */
const SMALL = 2 ** 30;

/** Asks add up without a limit: past 2^53 - 1 a sum is no longer exact, so it counts as Infinity. */
export function addDemand(sum: number, count: number): number {
  const total = sum + count;
  if (total < SMALL) return total;
  return total > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : total;
}

export function isDemand(count: unknown): count is number {
  if (typeof count !== "number") return false;
  if (count >>> 0 === count && count > 0) return true;
  return count >= 1 && (Number.isSafeInteger(count) || count === Number.POSITIVE_INFINITY);
}
