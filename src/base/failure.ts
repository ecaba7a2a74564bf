import type { Failure } from "../contract/failure.ts";

/** Records kept of one error that went from graph to graph. */
const MOST_EARLIER = 4;

const key: unique symbol = Symbol.for("headrace.failures") as never;
const shared = globalThis as { [key]?: WeakMap<object, Failure> };
/** By error. On the global object, so that two copies of the package agree. */
// oxlint-disable-next-line no-multi-assign -- made by whichever copy is loaded first
const failures: WeakMap<object, Failure> = (shared[key] ??= new WeakMap());

/** Records that no stage has ended with yet. */
const unclaimed = new WeakSet<Failure>();

/**
 * Returns where an error began: in which stage, callback and step, and with which events.
 *
 * **Shape** the newest record of that value; `earlier` is the one of the graph that it came from, four at most, and those
 * without their events. Nothing for primitives, for aborts, and for errors that no stage has failed with.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2]), map((n: number) => { if (n === 2) throw new Error("odd"); return n; }), collect());
 * const error = await done.catch((reason: unknown) => reason);
 * console.log(failureOf(error)?.step, failureOf(error)?.event); // map 2
 */
export function failureOf(error: unknown): Failure | undefined {
  return isObject(error) ? failures.get(error) : undefined;
}

/** Notes where an error began, for the stage that fails with it. */
export function recordFailure(failure: Failure): void {
  const { error } = failure;
  if (!isObject(error)) return;
  const earlier = failures.get(error);
  const record = earlier === undefined ? failure : { ...failure, earlier: shortened(earlier, MOST_EARLIER) };
  failures.set(error, record);
  unclaimed.add(record);
}

/** The stage of a record that is noted where no stage is known: in a dispatcher. */
export const UNPLACED = "";

/** Whether an error has been noted without its stage. */
export const isUnplaced = (error: unknown): boolean => {
  const noted = failureOf(error);
  return noted?.stage === UNPLACED && unclaimed.has(noted);
};

/** Adds the stage to what was noted without it. False if there is nothing of the kind. */
export function placeFailure(error: unknown, stage: string): boolean {
  if (!isUnplaced(error)) return false;
  const record = { ...(failureOf(error) as Failure), stage };
  failures.set(error as object, record);
  unclaimed.add(record);
  return true;
}

/** The record of an error that a stage ends with: what was noted for it, or else that the stage itself was failed. */
export function claimFailure(error: unknown, stage: string, callback: string): Failure | undefined {
  if (!isObject(error)) return undefined;
  const noted = failures.get(error);
  if (noted === undefined || !unclaimed.has(noted)) recordFailure({ error, stage, callback, events: [] });
  const record = failures.get(error) as Failure;
  unclaimed.delete(record);
  return record;
}

const shortened = ({ earlier, ...failure }: Failure, left: number): Failure => ({
  ...failure,
  events: [],
  ...(earlier && left > 1 && { earlier: shortened(earlier, left - 1) }),
});

const isObject = (value: unknown): value is object => Object(value) === value;
