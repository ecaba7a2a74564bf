import { requireMillis } from "../../base/check.ts";
import { requireNeeded } from "../../base/needed.ts";
import { callbackError, TimeoutError, words } from "../../base/errors.ts";
import type { Subscription } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";
import { type Setting, makeStep } from "../../adapter/step.ts";
import { Pass } from "./pass.ts";

class Idle<In> extends Pass<In> {
  readonly #after: number;
  readonly #setting: Setting;
  /** When it was last asked or given something, by the clock. */
  #since = -0;
  #asked = false;
  #timer: unknown;

  constructor(after: number, setting: Setting) {
    super();
    this.#after = after;
    this.#setting = setting;
  }

  override take(events: readonly In[], subscription: Subscription): void {
    this.#since = this.input.runtime.clock.now();
    super.take(events, subscription);
  }

  override pump(): void {
    super.pump();
    const asked = this.begun && !this.over && !this.asks.closed && this.output.demand > 0;
    if (asked && !this.#asked) this.#since = this.input.runtime.clock.now();
    this.#asked = asked;
    if (asked) this.#arm();
  }

  override giveBack(): void {
    if (this.#timer !== undefined) this.input.runtime.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** One timer at a time, which looks at what has come meanwhile: none is set for each event. */
  #arm(): void {
    if (this.#timer !== undefined) return;
    const { clock } = this.input.runtime;
    this.#timer = clock.setTimer(this.#onTimer, this.#since + this.#after - clock.now());
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    if (!this.#asked || this.over || this.ending) return;
    if (this.input.runtime.clock.now() - this.#since < this.#after) {
      this.#arm();
      return;
    }
    const { name, index } = this.#setting;
    const error = new TimeoutError("ERR_IDLE", `an event in ${name} within ${this.#after} ms`, words("none"));
    this.input.fail(callbackError({ stage: name, callback: "handleEvents", step: "idle", index }, error, []));
  };
}

/**
 * Fails when its source has been silent for too long.
 *
 * **Shape** one out for one in.
 * **Units** `after` in milliseconds, from the last event, or from when it was asked if that was later: a consumer that asks for
 * nothing is not waited for.
 * **Backpressures** it asks for what it is asked for, and holds nothing.
 * **Completes** with its source.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no time, or no such option. TimeoutError `ERR_IDLE`: the step fails with it.
 *
 * **Source** rule 8.8.
 *
 * @example
 * const silent = producer<number>(() => {});
 * const { done } = pipeline(silent, idle({ after: 5 }), collect());
 * console.log(await done.catch((error: TimeoutError) => error.code)); // ERR_IDLE
 */
export function idle<In>(options: { readonly after: number }): Step<In, In> {
  requireNeeded("idle", "idle(…)", options, ["after"], { after: "10000" });
  requireMillis("after", options.after);
  return makeStep<In, In>("idle", (setting) => new Idle<In>(options.after, setting).make(setting));
}
