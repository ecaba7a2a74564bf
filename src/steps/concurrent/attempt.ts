/** What the function of `mapAsync`, `forEach` or `flatMapAsync` gets besides its event. */
export interface Attempt {
  /**
   * Aborts when there is no point in going on: the attempt has timed out, the step has failed, no one wants its results any
   * longer, or a stop has waited for as long as it may. Made when it is first read.
   */
  readonly signal: AbortSignal;
  /** From 1. */
  readonly attempt: number;
}

/** One call of a step's function. */
export class OneAttempt implements Attempt {
  readonly attempt: number;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** Its result is not waited for any longer. */
  get over(): boolean {
    return this.#aborted !== undefined;
  }

  /** Without a reason the signal has the platform's, an AbortError. */
  abort(reason?: unknown): void {
    this.#aborted ??= { reason };
    this.#controller?.abort(reason);
  }

  /** Whether a rejection only says that the function was told to give up. */
  gaveUp(error: unknown): boolean {
    if (!this.over) return false;
    if (error === this.#aborted?.reason || error === this.#controller?.signal.reason) return true;
    try {
      return (error as { readonly name?: unknown } | null | undefined)?.name === "AbortError";
    } catch {
      return false;
    }
  }
}
