import { claimUnclaimed, type Unclaimed, watchUnclaimed } from "../../src/adapter/index.ts";

let watches = false;
let listens = false;
let waiting: readonly Unclaimed[] = [];

/** Nothing is left to do, so that no consumer comes any more: what has failed has to be told now. */
function onBeforeExit(): void {
  const [first] = waiting;
  if (first === undefined) return;
  claimUnclaimed(first);
  throw first.error;
}

function onChange(failures: readonly Unclaimed[]): void {
  waiting = failures;
  const wants = failures.length > 0;
  if (wants === listens) return;
  listens = wants;
  if (wants) globalThis.process.on("beforeExit", onBeforeExit);
  else globalThis.process.removeListener("beforeExit", onBeforeExit);
}

/**
 * Has a process that is about to end with 0 fail with the error of a stage that has waited for its first consumer in vain.
 * A listener stands only while there is such an error.
 */
export function watchExit(): void {
  if (watches) return;
  watches = true;
  watchUnclaimed(onChange);
}
