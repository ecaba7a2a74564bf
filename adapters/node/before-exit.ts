import { claimUnclaimed, type Unclaimed, watchUnclaimed } from "../../src/adapter/index.ts";

let watches = false;
let listens = false;
let waiting: readonly Unclaimed[] = [];

/** Nothing is left to do, so no consumer will come: failures must be told now. */
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
 * Makes a process that would exit with 0 fail with the error of a stage that waited for its first consumer in vain. A
 * listener stands only while there is one.
 */
export function watchExit(): void {
  if (watches) return;
  watches = true;
  watchUnclaimed(onChange);
}
