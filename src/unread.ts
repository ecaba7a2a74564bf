import type { StageContext } from "./handle.ts";
import type { Context, Subscription } from "./types.ts";

/** Gives back the rest of the batch in hand, which a stage that is about to end has not looked at. */
export function unread(stage: Context, subscription: Subscription, rest: readonly unknown[]): void {
  if (rest.length > 0) (stage as unknown as StageContext)["~core"].unread(subscription, rest);
}
