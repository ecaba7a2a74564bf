import { argumentError, CallbackError } from "../../src/base/errors.ts";
import { isDemand } from "../../src/base/demand.ts";
import type { Core } from "../../src/stage/core.ts";
import type { Subscriber } from "./like.ts";

/** The stage behind what the user holds: adapters schedule work of their own, and report what fails in clean-up. */
export const coreOf = (stage: object): Core => (stage as { readonly "~core": Core })["~core"];

/** What a `request` asks of a link. Throws for what Reactive Streams 3.9 calls an error. */
export function demandOf(count: unknown): number {
  if (typeof count === "number" && count >= Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  if (!isDemand(count)) throw argumentError("ERR_ASK", "", count);
  return count;
}

export function checkSubscriber(value: unknown): void {
  const subscriber = value as Partial<Subscriber<never>> | null | undefined;
  for (const method of ["onSubscribe", "onNext", "onError", "onComplete"] as const)
    if (typeof subscriber?.[method] !== "function")
      throw argumentError("ERR_NOT_SOURCE", `a Subscriber with ${method}`, value);
}

/** What a Subscriber's method threw, which it may not: its subscription counts as cancelled (2.13). */
export const thrownBy = (method: string, name: string, cause: unknown, events: readonly unknown[]): CallbackError =>
  new CallbackError({ code: "ERR_CALLBACK", expected: `${method} of ${name}`, got: cause }, events, { cause });
