import type { SubscribeOptions, CancelMode, ResolvedSubscribeOptions } from "../contract/options.ts";
import { requireOptions, requireInteger, requireOneOf } from "../base/check.ts";

/** Options of every subscription. */
export const subscribeNames: readonly string[] = ["maxDemand", "minDemand", "cancel", "demand", "data"];
const cancelModes: readonly CancelMode[] = ["permanent", "transient", "temporary"];

/** Fills in defaults: `max` is what the producer suggests, or 1000, `min` half of it, rounded down. */
export function subscribeOptions<T extends SubscribeOptions>(
  options: T,
  defaultMaxDemand: number | undefined,
): T & ResolvedSubscribeOptions {
  requireOptions("subscribe", options, ["maxDemand"]);
  const {
    maxDemand = defaultMaxDemand ?? 1000,
    minDemand = Math.floor(maxDemand / 2),
    cancel = "permanent",
    demand = "automatic",
  } = options;
  requireInteger("maxDemand", maxDemand, 1);
  requireInteger("minDemand", minDemand, 0, maxDemand - 1);
  requireOneOf("cancel", cancel, cancelModes);
  requireOneOf("demand", demand, ["automatic", "manual"]);
  return { ...options, maxDemand, minDemand, cancel, demand };
}
