import { claimUnclaimed, type Idle, type Unclaimed, watchAllIdle, watchUnclaimed } from "../../src/adapter/index.ts";

let watches = false;
let listens = false;
let failures: readonly Unclaimed[] = [];
let idle: readonly Idle[] = [];

/** Nothing is left to do, so no consumer will come: failures must be told now, and pipelines that never ran. */
function onBeforeExit(): void {
  for (const one of idle) one.tell();
  const [first] = failures;
  if (first === undefined) return;
  claimUnclaimed(first);
  throw first.error;
}

function onChange(): void {
  const wants = failures.length > 0 || idle.length > 0;
  if (wants === listens) return;
  listens = wants;
  if (wants) globalThis.process.on("beforeExit", onBeforeExit);
  else globalThis.process.removeListener("beforeExit", onBeforeExit);
}

/**
 * Makes a process that is about to exit with 0 fail with the error of a stage that waited for its first consumer in
 * vain, and tell of pipelines without a sink that have had none. A listener stands only while there is one of either.
 */
export function watchExit(): void {
  if (watches) return;
  watches = true;
  watchUnclaimed((now) => {
    failures = now;
    onChange();
  });
  watchAllIdle((now) => {
    idle = now;
    onChange();
  });
}
