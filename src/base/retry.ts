import type { Retry } from "../contract/retry.ts";
import { requireInteger, requireMillis, requireOneOf, requireType } from "./check.ts";
import { requireNeeded } from "./needed.ts";

const names = ["attempts", "delay", "factor", "maxDelay", "jitter", "when"];

/** Refuses what is no retry. */
export function checkRetry(retry: Retry, form: string = "{ retry: … }"): void {
  requireNeeded("retry", form, retry, names, { attempts: "3" });
  requireInteger("attempts", retry.attempts, 1);
  requireMillis("delay", retry.delay);
  requireMillis("maxDelay", retry.maxDelay);
  requireMillis("factor", retry.factor);
  requireOneOf("jitter", retry.jitter, ["full", "none"]);
  requireType("when", retry.when, "function");
}

/** The wait behind attempt number `attempt`, in milliseconds. `random` is from 0 to 1. */
export function delayOf(retry: Retry, attempt: number, random: number): number {
  const { delay = 0, factor = 2, maxDelay = Number.MAX_SAFE_INTEGER, jitter = "full" } = retry;
  // The power of many attempts is Infinity, of which 0 times is no number.
  const whole = delay === 0 ? 0 : Math.min(maxDelay, delay * factor ** (attempt - 1));
  return jitter === "full" ? whole * random : whole;
}
