import type { Discarded } from "../contract/options.ts";
import type { Reason } from "../contract/reason.ts";
import type { StageContext } from "../contract/stage.ts";
import { errorOf, isFailure } from "../base/reason.ts";

/** Why a sink's calls are cut short: by the signal of its options, by a failure, or by a stop that has waited enough. */
export function cutShortBy(reason: Reason, signal: AbortSignal | undefined): "abort" | "failure" | "timeout" {
  if (!isFailure(reason)) return "timeout";
  return signal?.aborted && errorOf(reason) === signal.reason ? "abort" : "failure";
}

/** Tells of events that a sink had begun. */
export function tellOf(
  onDiscard: ((discarded: Discarded) => void) | undefined,
  discarded: Discarded,
  stage: StageContext,
): void {
  if (discarded.events.length === 0) return;
  try {
    onDiscard?.(discarded);
  } catch (error) {
    stage.report(error, "onDiscard");
  }
}
