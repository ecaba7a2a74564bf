import { argumentError, callbackError, isDemand, refuse } from "../../src/adapter/index.ts";
import type { Subscriber } from "./like.ts";

/** The ask that a `request` makes. Throws for what Reactive Streams 3.9 calls an error. */
export function demandOf(count: unknown): number {
  if (typeof count === "number" && count >= Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  if (!isDemand(count)) throw argumentError("ERR_ASK", "", count);
  return count;
}

export function checkSubscriber(value: unknown): void {
  const subscriber = value as Partial<Subscriber<never>> | null | undefined;
  for (const method of ["onSubscribe", "onNext", "onError", "onComplete"] as const)
    if (typeof subscriber?.[method] !== "function") refuse("ERR_NOT_SOURCE", `a Subscriber with ${method}`, value);
}

/** The error of a Subscriber's method: its subscription counts as cancelled (2.13). */
export const thrownBy = (method: string, name: string, cause: unknown, events: readonly unknown[]): unknown =>
  callbackError({ stage: name, callback: method }, cause, events);
