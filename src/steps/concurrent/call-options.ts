import { refuseUnknown, requireInteger, requireOneOf, requireType } from "../../base/check.ts";
import { argumentError } from "../../base/errors.ts";
import type { Key } from "../../base/hash.ts";
import type { Discarded } from "../../contract/options.ts";
import { limiterOf, type Rate, type RateLimiter, requireMillis } from "./rate-limiter.ts";

/** When and how often a call that has failed is made again. */
export interface Retry {
  /** Attempts in all, the first one included. **Units** from 1. */
  readonly attempts: number;
  /** Before the second attempt. **Units** milliseconds. @default 0 */
  readonly delay?: number | undefined;
  /** By which the delay grows from attempt to attempt. @default 2 */
  readonly factor?: number | undefined;
  /** **Units** milliseconds. @default no limit */
  readonly maxDelay?: number | undefined;
  /** `"full"`: anything between nothing and the delay, so that callers do not come back together. @default "full" */
  readonly jitter?: "full" | "none" | undefined;
  /** Whether this failure is worth another attempt. @default every one is */
  readonly when?: ((error: unknown, attempt: number) => boolean) | undefined;
}

/** An event whose calls have failed. */
export interface Failed<out Event> {
  readonly event: Event;
  /** What the last attempt failed with. */
  readonly error: unknown;
  readonly attempts: number;
}

export interface CallOptions<in Event> {
  /** Calls under way at most. **Units** calls, from 1. */
  readonly concurrency?: number | undefined;
  /** Events of one key are handled one at a time, in order. */
  readonly key?: ((event: Event) => Key) | undefined;
  /** With `key`: events that wait for an earlier one of their key. **Units** events, from 1. @default 1000 */
  readonly maxQueued?: number | undefined;
  /** For each attempt. **Units** milliseconds. @default no limit */
  readonly timeout?: number | undefined;
  /** @default one attempt */
  readonly retry?: Retry | undefined;
  /** A permit is taken before every attempt. @default no limit */
  readonly rate?: Rate | RateLimiter | undefined;
  /**
   * What becomes of an event whose last attempt has failed. `"fail"`: the step fails. `"skip"`: the event is dropped, and the
   * first such failure is reported. A function is awaited, then the event is done; what it throws fails the step.
   * @default "fail"
   */
  readonly onFailure?: "fail" | "skip" | ((failed: Failed<Event>) => unknown) | undefined;
  /** Hears of results that came too late, and of events that were begun and gave none. */
  readonly onDiscard?: ((discarded: Discarded) => void) | undefined;
}

const names = ["concurrency", "key", "maxQueued", "timeout", "retry", "rate", "onFailure", "onDiscard"];

/** Refuses what is no option of `owner`, or no value for one. */
export function checkCallOptions(owner: string, options: CallOptions<never>, own: readonly string[] = []): void {
  refuseUnknown(owner, options, [...names, ...own]);
  requireInteger("concurrency", options.concurrency, 1);
  requireType("key", options.key, "function");
  requireInteger("maxQueued", options.maxQueued, 1);
  if (options.maxQueued !== undefined && options.key === undefined)
    throw argumentError("ERR_OPTION", "maxQueued together with key", options.maxQueued);
  requireMillis("timeout", options.timeout);
  requireType("onDiscard", options.onDiscard, "function");
  limiterOf(options.rate);
  if (typeof options.onFailure !== "function") requireOneOf("onFailure", options.onFailure, ["fail", "skip"]);
  if (options.retry !== undefined) checkRetry(options.retry);
}

export function checkRetry(retry: Retry): void {
  refuseUnknown("retry", retry, ["attempts", "delay", "factor", "maxDelay", "jitter", "when"]);
  requireInteger("attempts", retry.attempts ?? null, 1);
  requireMillis("delay", retry.delay);
  requireMillis("maxDelay", retry.maxDelay);
  requireMillis("factor", retry.factor);
  requireOneOf("jitter", retry.jitter, ["full", "none"]);
  requireType("when", retry.when, "function");
}

/** The wait behind attempt number `attempt`, in milliseconds. `random` is from 0 to 1. */
export function delayOf(retry: Retry, attempt: number, random: number): number {
  const { delay = 0, factor = 2, maxDelay = Number.MAX_SAFE_INTEGER, jitter = "full" } = retry;
  const whole = Math.min(maxDelay, delay * factor ** (attempt - 1));
  return jitter === "full" ? whole * random : whole;
}
