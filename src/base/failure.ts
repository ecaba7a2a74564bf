import type { Failure } from "../contract/failure.ts";

/** Records kept of one error that crossed graphs. */
const MOST_EARLIER = 4;

const key: unique symbol = Symbol.for("headrace.failures") as never;
const shared = globalThis as { [key]?: WeakMap<object, Failure> };
/** By error. On the global object, so that two copies of the package agree. */
// oxlint-disable-next-line no-multi-assign -- made by whichever copy is loaded first
const failures: WeakMap<object, Failure> = (shared[key] ??= new WeakMap());

/** Records not yet claimed by a stage. */
const unclaimed = new WeakSet<Failure>();

/**
 * Returns where an error began: the stage, callback and step, and the events.
 *
 * **Shape** the newest record of that value; `earlier` is that of the graph it came from, at most four deep and without
 * events. Undefined for primitives, aborts, and errors with which no stage failed.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2]), map((n: number) => { if (n === 2) throw new Error("odd"); return n; }), collect());
 * const error = await done.catch((reason: unknown) => reason);
 * console.log(failureOf(error)?.step, failureOf(error)?.event); // map 2
 */
export function failureOf(error: unknown): Failure | undefined {
  return isObject(error) ? failures.get(error) : undefined;
}

/** Records where an error began, for the stage that fails with it. */
export function recordFailure(failure: Failure): void {
  const { error } = failure;
  if (!isObject(error)) return;
  const earlier = failures.get(error);
  const record = earlier === undefined ? failure : { ...failure, earlier: shortened(earlier, MOST_EARLIER) };
  failures.set(error, record);
  unclaimed.add(record);
}

/** The stage of a record made where none is known: in a dispatcher. */
export const UNPLACED = "";

/** Whether the error's record lacks its stage. */
export const isUnplaced = (error: unknown): boolean => {
  const noted = failureOf(error);
  return noted?.stage === UNPLACED && unclaimed.has(noted);
};

/** Adds the stage to a record without one. False if there is none. */
export function placeFailure(error: unknown, stage: string): boolean {
  if (!isUnplaced(error)) return false;
  const record = { ...(failureOf(error) as Failure), stage };
  failures.set(error as object, record);
  unclaimed.add(record);
  return true;
}

/** The record of a stage's error, or else that the stage itself was failed. */
export function claimFailure(error: unknown, stage: string, callback: string): Failure | undefined {
  if (!isObject(error)) return undefined;
  const noted = failures.get(error);
  if (noted === undefined || !unclaimed.has(noted)) recordFailure({ error, stage, callback, events: [] });
  const record = failures.get(error) as Failure;
  unclaimed.delete(record);
  return record;
}

/** Names the branch of a pipeline in which an error began. Returns the record. */
export function placeInBranch(error: unknown, branch: string): Failure | undefined {
  const noted = failureOf(error);
  if (noted === undefined || noted.branch !== undefined) return noted;
  const record = { ...noted, branch };
  failures.set(error as object, record);
  return record;
}

/** Makes a record the newest of its error again: others failed with the same error because of it. */
export function restoreFailure(record: Failure): void {
  if (isObject(record.error)) failures.set(record.error, record);
}

const shortened = ({ earlier, ...failure }: Failure, left: number): Failure => ({
  ...failure,
  events: [],
  ...(earlier && left > 1 && { earlier: shortened(earlier, left - 1) }),
});

const isObject = (value: unknown): value is object => Object(value) === value;
