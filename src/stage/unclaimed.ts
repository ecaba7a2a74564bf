import { platformClock } from "../runtime/clock.ts";

/** A failure of a stage that has had no consumer: it waits for the first one. */
export interface Unclaimed {
  readonly error: unknown;
  /** The name of the stage. */
  readonly stage: string;
  /** Makes an unhandled rejection of it. */
  readonly giveUp: () => void;
}

/** In milliseconds of the platform's clock, from the failure on. */
const PATIENCE = 30_000;

/** Failures that wait now. */
const waiting = new Map<Unclaimed, unknown>();
let watcher: ((failures: readonly Unclaimed[]) => void) | undefined;

/** Calls `then` with the waiting failures after each change, for an ending platform. */
export function watchUnclaimed(then: (failures: readonly Unclaimed[]) => void): void {
  watcher = then;
  if (waiting.size > 0) tell();
}

/** Keeps a failure until it is claimed, or for 30 seconds. The wait keeps no process alive. */
export function keepUnclaimed(failure: Unclaimed): void {
  const timer = platformClock.setTimer(() => {
    claim(failure);
    failure.giveUp();
  }, PATIENCE) as { readonly unref?: () => void } | number;
  if (typeof timer === "object") timer.unref?.();
  waiting.set(failure, timer);
  tell();
}

/** Someone has come to hear of it. */
export function claim(failure: Unclaimed): void {
  platformClock.clearTimer(waiting.get(failure));
  if (waiting.delete(failure)) tell();
}

const tell = (): void => watcher?.([...waiting.keys()]);
