import { argumentError } from "../../base/errors.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Step } from "../../contract/step.ts";
import { makeStep } from "../../adapter/step.ts";
import { Pass } from "./pass.ts";

type Until = AbortSignal | PromiseLike<unknown>;

const isSignal = (until: Until): until is AbortSignal =>
  typeof (until as Partial<AbortSignal>).addEventListener === "function";

class TakeUntil<In> extends Pass<In> {
  readonly #until: Until;
  /** What a promise that outlives the step holds: cut from it at its end. */
  readonly #hook: { step: TakeUntil<In> | undefined } = { step: this };

  constructor(until: Until) {
    super();
    this.#until = until;
  }

  /** Called once, when the stage stands. */
  watch(): void {
    const until = this.#until;
    if (isSignal(until)) {
      if (until.aborted) this.#complete();
      else until.addEventListener("abort", this.#complete);
      return;
    }
    const hook = this.#hook;
    Promise.resolve(until).then(
      () => hook.step?.output.complete(),
      (error: unknown) => hook.step?.output.fail(error, { after: "buffer" }),
    );
  }

  override giveBack(): void {
    this.#hook.step = undefined;
    if (isSignal(this.#until)) this.#until.removeEventListener("abort", this.#complete);
  }

  readonly #complete = (): void => this.output.complete();
}

/**
 * Passes events on until a signal aborts or a promise is settled, then completes and leaves the source.
 *
 * **Shape** one out for one in.
 * **Backpressures** it asks for what it is asked for, and holds nothing.
 * **Completes** well when the signal aborts, whatever its reason, or the promise fulfils; at once if that has happened before.
 * **Cancels** the source then, and gives back what it had not passed on.
 *
 * @throws ArgumentError `ERR_OPTION`: neither a signal nor a promise. When the promise rejects the step fails with that, behind
 * what it has passed on.
 *
 * **Source** rule 8.8.
 *
 * @example
 * const closing = new AbortController();
 * const { done } = pipeline(fromIterable([1, 2, 3]), takeUntil(closing.signal), forEach((n) => n === 2 && closing.abort()));
 * await done;
 */
export function takeUntil<In>(until: AbortSignal | PromiseLike<unknown>): Step<In, In> {
  const given = until as unknown;
  if (!isThenable(given) && !(typeof given === "object" && given !== null && isSignal(given as Until)))
    throw argumentError("ERR_OPTION", "takeUntil to take an AbortSignal or a promise", given);
  return makeStep<In, In>("takeUntil", (setting) => {
    const step = new TakeUntil<In>(until);
    const stage = step.make(setting);
    step.watch();
    return stage;
  });
}
