import { argumentError } from "../base/errors.ts";
import { COMPLETE, STOP } from "./mailbox.ts";
import { requireType, refuseUnknown, requireOneOf } from "../base/check.ts";
import { hear } from "./outcome.ts";
import type { End, Reason } from "../contract/reason.ts";
import { errorOf, failure, ignore, isFailure } from "../base/reason.ts";
import { isThenable } from "../base/thenable.ts";
import type { FailOptions, StopOptions } from "../contract/options.ts";
import type { Core } from "./core.ts";
import { CLOSED, DRAINING, ENDING, OVER } from "./phase.ts";

/** Timers of the platform cannot wait longer, and fire at once instead. In milliseconds, some 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * How a stage ends: who asked for it, what it waits for, and in which order everyone is told.
 *
 *     complete() ──▶ over ──▶ draining ──▶ ending ──▶ closed
 *     stop(), fail(), a callback threw ──────▶
 *
 * The first end wins. One that is caused while a callback is on the stack is noted, and met when it has returned.
 */
export class Ends {
  readonly #core: Core;
  /** Caused while a callback is on the stack. */
  #doom: { readonly reason: Reason; readonly abort: boolean } | undefined;
  doomed = false;
  /** `complete()` was called and its message has not been handled. */
  completing = false;
  /** `complete()` was called from outside: `push` is over. */
  shut = false;
  /** `handleEnd` answered "later". */
  #later = false;
  /** What becomes of events that this stage's end leaves over. */
  #cause: "stop" | "failure" | "abort" = "stop";
  /** Ends the wait for a pending `terminate`. */
  #cutShort: (() => void) | undefined;
  readonly #drains: ((left: boolean) => void)[] = [];

  constructor(core: Core) {
    this.#core = core;
  }

  // ── What is asked for ──────────────────────────────────────────────────────────────────────────────────────────

  /** `inside`: from a callback, which is then the last one to see events. */
  complete(inside: boolean): void {
    const core = this.#core;
    // Inside handleEnd it is noted: then "later" means nothing.
    if (core.phase === OVER && !this.#later) {
      this.completing ||= inside;
      return;
    }
    if (core.phase >= DRAINING || this.completing) return;
    this.completing = true;
    if (inside) core.halt();
    else {
      this.shut = true;
      core.post(COMPLETE, undefined, undefined);
    }
  }

  fail(error: unknown, options: FailOptions = {}): void {
    refuseUnknown("fail", options, ["after"]);
    requireOneOf("after", options.after, ["buffer"]);
    const core = this.#core;
    // The first end wins; an error that comes second still has to reach someone.
    const late = options.after === "buffer" && (this.completing || core.phase === DRAINING);
    if (late || core.phase >= ENDING || core.outcome.failed) {
      core.outcome.report(error, "fail");
      return;
    }
    const reason = failure(error);
    if (options.after !== "buffer") this.end(reason);
    else {
      core.outcome.reason = reason;
      this.shut = true;
      core.halt();
    }
  }

  stop(options: StopOptions = {}): Promise<void> {
    refuseUnknown("stop", options, ["reason", "timeout"]);
    const { reason, timeout = Number.POSITIVE_INFINITY } = options;
    requireType("timeout", timeout, "number");
    if (!(timeout >= 0)) throw argumentError("ERR_RANGE", "timeout to be 0 or more", timeout);
    const core = this.#core;
    core.post(STOP, undefined, reason);
    const { clock } = core.runtime;
    const cut = (): void => {
      this.#endNow({ type: "stop", reason }, false);
      // Where that ended a callback no time is left for `terminate`.
      this.#cutShort?.();
    };
    const timer = timeout > LONGEST_TIMER ? undefined : clock.setTimer(cut, timeout);
    return new Promise((resolve) => {
      core.outcome.whenSettled(() => {
        if (timer !== undefined) clock.clearTimer(timer);
        resolve();
      });
    });
  }

  readonly onAbort = (): void => this.end(failure(this.#core.signal?.reason), true);

  /** Ends the stage now, or as soon as the callback on the stack has returned. */
  end(reason: Reason, abort = false): void {
    const core = this.#core;
    if (core.callbacks.onStack) {
      if (this.#doom) core.outcome.report(errorOf(reason), "fail");
      core.halted = true;
      core.plain = false;
      this.#doom ??= { reason, abort };
      this.doomed = true;
    } else this.#endNow(reason, abort);
  }

  /** Ends the stage now; where its end waits for `terminate`, that wait ends. */
  #endNow(reason: Reason, abort: boolean): void {
    if (this.#core.phase >= ENDING) this.#cutShort?.();
    else this.finish(reason, abort);
  }

  meetDoom(): void {
    const doom = this.#doom;
    this.#doom = undefined;
    this.doomed = false;
    this.#core.look();
    if (doom) this.finish(doom.reason, doom.abort);
  }

  // ── What it goes through ───────────────────────────────────────────────────────────────────────────────────────

  /** The input is over: `handleEnd`, then what is buffered, then the end. Advances to *over*. */
  over(reason: Reason): void {
    const core = this.#core;
    this.completing = false;
    if (core.phase >= OVER) {
      if (this.#later) this.#drain();
      return;
    }
    core.outcome.reason = reason;
    core.leave(reason);
    core.phase = OVER;
    core.plain = false;
    if (reason.type !== "complete" || !core.callbacks.behaviour.handleEnd) this.#drain();
    else core.callbacks.invoke("handleEnd", [], (result) => this.#inputEnded(result));
  }

  #inputEnded(result: unknown): void {
    const core = this.#core;
    if (result === "later" && !this.completing) {
      this.#later = true;
      this.shut = false;
      return;
    }
    if (result !== "later" && core.output) core.callbacks.emit("handleEnd", result, []);
    if (core.phase < DRAINING) this.#drain();
  }

  /** Nothing comes any more; a stage without output has nothing left to do. Advances to *draining*. */
  #drain(): void {
    const core = this.#core;
    this.#later = false;
    core.phase = DRAINING;
    core.callbacks.busySince = core.runtime.time;
    core.plain = false;
    const outcome = core.outcome.reason as Reason;
    if (!core.output) this.finish(outcome);
  }

  /** Calls `then` when nothing is held, or with what is left at the end of the stage. */
  whenEmptied(then: (left: boolean) => void): void {
    if (this.#core.output?.held === 0) then(false);
    else if (this.#core.phase >= ENDING) then(true);
    else {
      this.#drains.push(then);
      this.#core.awaited = true;
    }
  }

  /** Nothing may be held any more: whoever waited for that goes on. */
  emptied(): void {
    const core = this.#core;
    if (core.phase >= ENDING || (core.output?.held ?? 0) > 0) return;
    core.awaited = false;
    for (const then of this.#drains.splice(0)) then(false);
    if (core.phase === DRAINING && core.mailbox.size === 0) this.finish(core.outcome.reason as Reason);
  }

  /** A stop had its turn. */
  stopped(reason: unknown): void {
    const core = this.#core;
    // Behind an end that waits for nothing any more a stop comes second.
    if (core.phase === DRAINING && core.output?.held === 0) this.finish(core.outcome.reason as Reason);
    else this.finish({ type: "stop", reason });
  }

  /** Ends the stage, whatever it was doing. The first end wins. Advances to *ending*. */
  finish(second: Reason, abort = false, quiet = false): void {
    const core = this.#core;
    const { outcome } = core;
    if (core.phase >= ENDING) return;
    core.phase = ENDING;
    core.plain = false;
    const first = outcome.failed ? outcome.reason : undefined;
    const stands = first !== undefined && first !== second && this.#stands(first, second, abort, quiet);
    const reason = stands ? first : second;
    outcome.reason = reason;
    outcome.carried ||= abort;
    if (abort) hear(errorOf(reason));
    const held = core.downstream.takeAll();
    if (abort) this.#cause = "abort";
    else if (reason.type === "failure") this.#cause = "failure";
    outcome.discard(held, this.#cause, quiet);
    for (const then of this.#drains.splice(0)) then(held.length > 0);
    const last = core.callbacks.terminate(reason);
    core.onEnding?.(reason);
    if (isThenable(last)) void this.#closeAfter(last, reason, abort);
    else {
      this.#close(reason);
      core.runtime.schedule(core);
    }
  }

  /** An abort does not wait for `terminate`, but `done` does, until a timeout or an abort cuts it short. */
  async #closeAfter(last: PromiseLike<unknown>, reason: Reason, atOnce: boolean): Promise<void> {
    const core = this.#core;
    if (atOnce) this.#close(reason);
    await new Promise<void>((resolve) => {
      this.#cutShort = resolve;
      void Promise.resolve(last as PromiseLike<void>)
        .then(ignore, (error: unknown) => core.outcome.report(error, "terminate"))
        .then(resolve);
    });
    if (!atOnce) this.#close(reason);
    core.runtime.schedule(core);
  }

  /** A failure waited for the buffer when another end came: whether it stands. It does, unless nobody is left to hear it. */
  #stands(first: Reason, second: Reason, abort: boolean, quiet: boolean): boolean {
    const { outcome, downstream } = this.#core;
    // Where the last consumer left with the same error it has told it.
    if (quiet && errorOf(downstream.lastLeft) !== errorOf(first)) outcome.report(errorOf(first), "fail");
    if (!quiet && !abort && isFailure(second)) outcome.report(errorOf(second), "fail");
    return !quiet;
  }

  /** The links end, and whoever waits is told. Advances to *closed*. */
  #close(reason: Reason): void {
    const core = this.#core;
    core.phase = CLOSED;
    core.plain = false;
    core.signal?.removeEventListener("abort", this.onAbort);
    core.downstream.close(reason);
    core.leave(reason);
    core.empty();
    core.downstream.outlets.clear();
    const calling = core.callbacks.takeCalling();
    if (calling) core.callEnded(calling);
    core.outcome.end();
  }

  // ── What comes too late ────────────────────────────────────────────────────────────────────────────────────────

  /** Events that came after the end. */
  lose(events: readonly unknown[]): void {
    this.#core.outcome.discard(events, this.#cause, this.#core.stopsAfterLast);
  }

  /** A source's end that crossed an end of this stage or of the subscription, and so is passed on to nobody. */
  drop({ reason, untold }: End): void {
    if (errorOf(reason) !== this.#core.outcome.error) untold?.();
  }
}
