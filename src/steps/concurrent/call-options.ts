import { refuseUnknown, requireInteger, requireMillis, requireOneOf, requireType } from "../../base/check.ts";
import { argumentError } from "../../base/errors.ts";
import { checkRetry } from "../../base/retry.ts";
import type { Key } from "../../base/hash.ts";
import type { Discarded } from "../../contract/options.ts";
import type { Retry } from "../../contract/retry.ts";
import { limiterOf, type Rate, type RateLimiter } from "./rate-limiter.ts";

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
