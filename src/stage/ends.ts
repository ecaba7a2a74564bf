import type { Failure } from "../contract/failure.ts";
import { refuseUnknown, requireOneOf, requireType } from "../base/check.ts";
import { argumentError, TimeoutError, words } from "../base/errors.ts";
import { complete, errorOf, failure, ignore, isFailure, sameFailure } from "../base/reason.ts";
import { isThenable } from "../base/thenable.ts";
import type { DrainOptions, FailOptions, StopOptions } from "../contract/options.ts";
import type { End, Reason } from "../contract/reason.ts";
import type { Core } from "./core.ts";
import { explain } from "./explain.ts";
import { inspect } from "./inspect.ts";
import { COMPLETE, STOP } from "./mailbox.ts";
import { CLOSED, DRAINING, ENDING, OVER, PARTING } from "./phase.ts";

/** Longer timers of the platform fire at once instead. In milliseconds, some 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Says what the graph waits for when the time is up. */
export function drainTimeout(expected: string, core: Core): TimeoutError {
  return new TimeoutError("ERR_DRAIN_TIMEOUT", expected, words(explain(inspect(core)).replaceAll("\n", "; ")));
}

/** An end and its cause. */
interface Ending {
  readonly reason: Reason;
  /** The signal aborted: nothing is waited for. */
  readonly abort?: boolean;
  /** The last consumer left: the rest is discarded silently, and the stage counts as stopped. */
  readonly left?: boolean;
  /** Where the failure began, if in another stage. */
  readonly failure?: Failure | undefined;
}

/**
 * How a stage ends: what causes it, what it waits for, and in which order everyone is told.
 *
 *     complete() ──▶ over ──▶ draining ──▶ ending ──▶ parting ──▶ closed
 *     stop(), fail(), a callback threw ──────▶ ending ──────────▶ closed
 *
 * The first end wins. One caused while a callback is on the stack, or during a dispatch, is noted and met after its
 * return.
 */
export class Ends {
  readonly #core: Core;
  /** Caused while a callback is on the stack. */
  #doom: Ending | undefined;
  doomed = false;
  /** `complete()` was called; its message has not been handled. */
  completing = false;
  /** `complete()` was called from outside: `push` is over. */
  shut = false;
  /** `drain()` was called: no more subscriptions, and the last one's end completes the stage. */
  drains = false;
  /** `handleEnd` has returned "later". */
  #later = false;
  /** The cause given for events discarded at this stage's end. */
  #cause: "stop" | "failure" | "abort" = "stop";
  /** Ends the wait for a pending `terminate`. */
  #cutShort: (() => void) | undefined;
  readonly #emptied: ((left: boolean) => void)[] = [];

  constructor(core: Core) {
    this.#core = core;
  }

  // ── What is asked for ──────────────────────────────────────────────────────────────────────────────────────────

  /** `inside`: from a callback, which is then the last one to see events. */
  complete(inside: boolean): void {
    const core = this.#core;
    // Inside handleEnd it is noted: "later" means nothing then.
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
    this.failWith({ reason: failure(error) }, options.after === "buffer");
  }

  /** Fails at once, or behind the buffer. */
  failWith(ending: Ending, afterBuffer: boolean): void {
    const core = this.#core;
    const { reason } = ending;
    // The first end wins; a second error still has to reach someone.
    const late = afterBuffer && (this.completing || core.phase === DRAINING);
    if (late || core.phase >= ENDING || core.outcome.failed) {
      core.report.tell(errorOf(reason), "fail");
      return;
    }
    if (!afterBuffer) this.end(ending);
    else {
      core.outcome.reason = reason;
      core.outcome.failure = ending.failure;
      this.shut = true;
      core.halt();
    }
  }

  /** Ends for this reason once nothing is held. */
  endBehind(reason: Reason): void {
    const core = this.#core;
    if (isFailure(reason)) this.failWith({ reason }, true);
    else if (!this.completing && core.phase < OVER && !core.outcome.failed) {
      core.outcome.reason = reason;
      this.shut = true;
      core.halt();
    }
  }

  /** Posts the stop. A producer's waiting callback is told at once: the message would wait for it. */
  postStop(reason: unknown): void {
    const core = this.#core;
    core.post(STOP, undefined, reason);
    if (core.kind === "producer") core.outcome.abort(reason); // M32
  }

  stop(options: StopOptions = {}): Promise<void> {
    refuseUnknown("stop", options, ["reason", "timeout"]);
    const { reason } = options;
    const timeout = timeoutOf(options);
    this.postStop(reason);
    return new Promise((resolve) => {
      this.#within(timeout, () => this.cut({ type: "stop", reason }), resolve);
    });
  }

  /** Lets everything taken in go out, and completes. */
  drain(options: DrainOptions = {}): Promise<void> {
    refuseUnknown("drain", options, ["timeout"]);
    const core = this.#core;
    const timeout = timeoutOf(options);
    this.beginDrain();
    let late: TimeoutError | undefined;
    const cut = (): void => {
      late = drainTimeout(`${core.name} to drain within ${timeout} ms`, core);
      this.cut({ type: "stop" });
    };
    return new Promise((resolve, reject) => {
      this.#within(timeout, cut, () => {
        if (late) reject(late);
        else core.outcome.done.then(resolve, reject);
      });
    });
  }

  beginDrain(): void {
    const core = this.#core;
    if (this.drains || core.phase >= OVER) return;
    this.drains = true;
    if (core.upstream.links.length > 0) core.upstream.drain();
    else this.complete(false);
  }

  /** Calls `then` when the end is complete, and `cut` on timeout. */
  #within(timeout: number, cut: () => void, then: () => void): void {
    const { outcome, runtime } = this.#core;
    const { clock } = runtime;
    const timer = timeout > LONGEST_TIMER ? undefined : clock.setTimer(cut, timeout);
    outcome.whenSettled(() => {
      if (timer !== undefined) clock.clearTimer(timer); // M31
      then();
    });
  }

  /** Time is up: the stage ends now, and if that ends a callback, `terminate` gets no time. */
  cut(reason: Reason): void {
    this.end({ reason });
    this.#cutShort?.();
  }

  /** The signal of the options has aborted: this is its listener. */
  handleEvent(): void {
    this.end({ reason: failure(this.#core.signal?.reason), abort: true });
  }

  /** Ends the stage now, or once the callback on the stack returns. A waiting end stops waiting. */
  end(ending: Ending): void {
    const core = this.#core;
    // M29
    if (core.callbacks.onStack || core.output?.dispatching) {
      if (this.#doom) core.report.tell(errorOf(ending.reason), "fail");
      core.halted = true;
      core.plain = false;
      this.#doom ??= ending;
      this.doomed = true;
    } else if (core.phase === PARTING) this.part();
    else if (core.phase >= ENDING) this.#cutShort?.();
    else this.finish(ending);
  }

  meetDoom(): void {
    const doom = this.#doom;
    this.#doom = undefined;
    this.doomed = false;
    this.#core.look();
    if (doom) this.finish(doom);
  }

  // ── What it goes through ───────────────────────────────────────────────────────────────────────────────────────

  /** The input is over: `handleEnd`, then the buffer, then the end. Advances to *over*. */
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

  /** Nothing more comes; a stage without output is finished. Advances to *draining*. */
  #drain(): void {
    const core = this.#core;
    this.#later = false;
    core.phase = DRAINING;
    core.callbacks.busySince = core.runtime.time;
    core.plain = false;
    core.upstream.startedAll();
    if (!core.output) this.finish({ reason: core.outcome.reason as Reason });
  }

  /** Calls `then` when nothing is held, or with the rest at the end of the stage. */
  whenEmptied(then: (left: boolean) => void): void {
    if (this.#core.output?.held === 0) then(false);
    else if (this.#core.phase >= ENDING) then(true);
    else {
      this.#emptied.push(then);
      this.#core.awaited = true;
    }
  }

  /** Nothing may be held any more: waiting calls go on. */
  emptied(): void {
    const core = this.#core;
    if (core.phase >= ENDING || (core.output?.held ?? 0) > 0) return; // M26
    core.awaited = false;
    for (const then of this.#emptied.splice(0)) then(false);
    if (core.phase === DRAINING && core.mailbox.size === 0) this.finish({ reason: core.outcome.reason as Reason });
  }

  /** A stop had its turn. */
  stopped(reason: unknown): void {
    const core = this.#core;
    // A stop comes second to an end that no longer waits.
    if (core.phase === DRAINING && core.output?.held === 0) this.finish({ reason: core.outcome.reason as Reason });
    else this.finish({ reason: { type: "stop", reason } });
  }

  /** Ends the stage in any phase. The first end wins. Advances to *ending*. */
  finish(second: Ending): void {
    const core = this.#core;
    const { outcome } = core;
    if (core.phase >= ENDING) return;
    core.phase = ENDING;
    core.plain = false;
    const { abort = false, left = false } = second;
    const first = outcome.failed ? outcome.reason : undefined;
    const stands = first !== undefined && first !== second.reason && this.#stands(first, second);
    const reason = stands ? first : second.reason;
    if (!stands) outcome.failure = second.failure ?? (first === reason ? outcome.failure : undefined);
    outcome.begin(reason, abort && !stands, left); // M33
    const held = core.downstream.takeAll();
    if (abort) this.#cause = "abort";
    else if (reason.type === "failure") this.#cause = "failure";
    outcome.discard(held, this.#cause, left); // M28
    for (const then of this.#emptied.splice(0)) then(held.length > 0);
    const last = core.callbacks.terminate(reason);
    // After a good end `terminate` may take its time; else all that waits must give up.
    if (outcome.failed || left || (core.kind === "producer" && reason.type !== "complete"))
      outcome.abort(errorOf(reason));
    core.onEnding?.(reason);
    if (isThenable(last)) void this.#closeAfter(last, reason, abort);
    else this.#close(reason);
  }

  /** An abort does not wait for `terminate`, but `done` does, until a timeout or an abort cuts it short. */
  async #closeAfter(last: PromiseLike<unknown>, reason: Reason, atOnce: boolean): Promise<void> {
    const core = this.#core;
    if (atOnce) this.#leaveAll(reason);
    await new Promise<void>((resolve) => {
      this.#cutShort = resolve;
      void Promise.resolve(last as PromiseLike<void>)
        .then(ignore, (error: unknown) => {
          if (!core.outcome.isKnown(error)) core.report.tell(error, "terminate");
        })
        .then(resolve);
    });
    this.#cutShort = undefined;
    if (atOnce) core.runtime.schedule(core);
    else this.#close(reason);
  }

  /** Another end came while a failure waited for the buffer: the failure stands, unless no one is left to hear it. */
  #stands(first: Reason, { reason: second, abort, left }: Ending): boolean {
    const { report, downstream, outcome } = this.#core;
    // Others may have had it from where it came from, and a last consumer that left with the same error has told it.
    if (left && !outcome.withdraw() && !sameFailure(downstream.lastLeft, first)) report.tell(errorOf(first), "fail");
    if (!left && !abort && isFailure(second)) report.tell(errorOf(second), "fail");
    return !left;
  }

  /** Ends the links, and tells everyone who waits. Advances to *parting*, or to *closed*. */
  #close(reason: Reason): void {
    const core = this.#core;
    // After a good end consumers may give events back, unless the stage stops with its last one.
    const parts = reason.type === "complete" && !core.stopsAfterLast && core.downstream.outlets.size > 0;
    this.#leaveAll(reason, parts ? PARTING : CLOSED);
    core.runtime.schedule(core);
  }

  #leaveAll(reason: Reason, phase: typeof PARTING | typeof CLOSED = CLOSED): void {
    const core = this.#core;
    core.phase = phase;
    core.plain = false;
    core.downstream.close(reason, phase === PARTING);
    core.leave(reason);
    // A parting stage's turns do that.
    if (phase === CLOSED) core.empty();
    const calling = core.callbacks.takeCalling();
    if (calling) core.callEnded(calling);
    core.outcome.abort(core.outcome.error);
    if (phase === CLOSED) this.#closed();
  }

  #closed(): void {
    const core = this.#core;
    core.signal?.removeEventListener("abort", this); // M27
    core.downstream.forget();
  }

  /** Stops waiting: returned events that have not gone on are discarded. Advances to *closed*. */
  part(): void {
    const core = this.#core;
    if (core.phase !== PARTING) return;
    core.phase = CLOSED;
    this.lose(core.downstream.takeAll());
    core.downstream.close(complete, false);
    core.empty();
    this.#closed();
    core.runtime.schedule(core);
  }

  // ── What comes too late ────────────────────────────────────────────────────────────────────────────────────────

  /** Events that came after the end, or too late before it. `quiet`: without the warning. */
  lose(events: readonly unknown[], quiet: boolean | undefined = this.#core.stopsAfterLast): void {
    const { outcome } = this.#core;
    // A failure that waits for the buffer has not closed the stage yet.
    const failing = this.#cause === "stop" && outcome.reason?.type === "failure";
    outcome.discard(events, failing ? "failure" : this.#cause, quiet);
  }

  /** A source's end that crossed one of this side, and is not passed on. */
  drop({ reason, onNotPassedOn }: End): void {
    const { outcome } = this.#core;
    if (sameFailure(reason, outcome.reason)) outcome.passesOnFor(onNotPassedOn);
    else onNotPassedOn?.(); // M30
  }
}

function timeoutOf({ timeout = Number.POSITIVE_INFINITY }: { readonly timeout?: number | undefined }): number {
  requireType("timeout", timeout, "number");
  if (!(timeout >= 0)) throw argumentError("ERR_RANGE", "timeout to be 0 or more", timeout);
  return timeout;
}
