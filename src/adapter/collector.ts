import { CallbackError, OverflowError } from "../base/errors.ts";
import type { EmittingContext } from "../stage/faces.ts";
import { push } from "../stage/overflow.ts";
import type { Output } from "../stage/output.ts";
import { isFailure } from "../base/reason.ts";
import type { Reason } from "../contract/reason.ts";
import type { Task } from "../contract/runtime.ts";
import type { Core } from "../stage/core.ts";
import type { Discarded, Overflow } from "../contract/options.ts";
import type { ProducerContext } from "../contract/stage.ts";

/** How a system that pushes is held up, where it can be. */
export interface Brake {
  readonly pause: () => unknown;
  readonly resume: () => unknown;
}
export interface PushSettings {
  readonly bufferSize: number | undefined;
  readonly overflow: Overflow;
  readonly brake: Brake | undefined;
  /** The stage's, which tells an abort from another failure. */
  readonly signal: AbortSignal | undefined;
}

/** What a policy drops is dropped, and reported, in bursts of at most this many. */
const BURST = 1024;

/**
 * The behaviour of a producer over a system that emits whether or not anybody asks: collects what comes in one stretch
 * into batches, and gives consumers the chance to ask before the overflow policy applies (rule 7.4).
 */
export abstract class PushSource<Out> implements Task {
  readonly #brake: Brake | undefined;
  readonly #signal: AbortSignal | undefined;
  /** Events to collect when nobody asks. */
  readonly #burst: number;
  /** Set by the first subscription; nothing is opened before it. */
  #core!: Core;
  #subscribed = false;
  #batch: Out[] = [];
  /** Events to collect before they are pushed: what is asked for, or a burst. */
  #room = 1;
  /** Consumers work off what they have; what comes meanwhile stands behind the first event of the batch. */
  #beginning = false;
  #scheduled = false;
  #opened = false;
  #paused = false;
  /** The other system has ended, or nobody is interested any more. */
  #over = false;

  constructor({ bufferSize = 10_000, overflow, brake, signal }: PushSettings) {
    this.#burst = Math.max(overflow === "throw" ? 1 : BURST, bufferSize);
    this.#brake = brake;
    this.#signal = signal;
  }

  /** Makes the other system emit to here. */
  protected abstract open(): void;
  /** Undoes what `open` did, as far as it came. What is undone stays undone when it is called again. */
  protected abstract close(): void;

  handleDemand(): void {
    this.#send();
    if (this.#paused && !this.#over && !exhausted(this.#core)) {
      this.#paused = false;
      this.#call("resume");
    }
  }

  handleSubscribe(_role: unknown, _subscription: unknown, stage: ProducerContext<Out>): void {
    if (this.#subscribed) return;
    this.#subscribed = true;
    this.#core = (stage as unknown as EmittingContext)["~core"];
    // Outside the run that this is part of: what emits while it is opened can then be held by working off the queue.
    this.#core.runtime.clock.microtask(this.#start);
  }

  terminate(reason: Reason, stage: ProducerContext<Out>): void {
    const core = (stage as unknown as EmittingContext)["~core"];
    const rest = this.#batch.slice(this.#beginning ? 1 : 0);
    this.#batch = [];
    core.outcome.discard(rest, this.#causeOf(reason), core.outlets.size === 0);
    this.#leave(core);
  }

  /** A turn behind the stretch in which the batch began. */
  run(): void {
    this.#scheduled = false;
    if (!this.#beginning) this.#send();
  }

  protected readonly accept = (event: Out): void => {
    if (this.#over) return;
    this.#batch.push(event);
    if (this.#batch.length === 1) this.#begin();
    if (this.#batch.length >= this.#room && !this.#beginning) this.#send();
  };

  /** The other system has failed: behind what came before, so does the stage. */
  protected readonly fail = (error: unknown): void => {
    if (this.#over) return;
    this.#send();
    if (this.#over) {
      // What was sent has overflown: then that is what the stage fails with.
      this.#core.report.tell(error, "fail");
      return;
    }
    this.#over = true;
    this.#close();
    this.#core.ends.fail(error, { after: "buffer" });
  };

  protected readonly complete = (): void => {
    this.#send();
    if (this.#over) return;
    this.#over = true;
    this.#close();
    this.#core.ends.complete(true);
  };

  /** Fails with what a function of the user's threw; `events` is what it had. */
  protected callbackFailed(name: string, cause: unknown, events: readonly unknown[]): void {
    const expected = `${name} of ${this.#core.name}`;
    this.fail(new CallbackError({ code: "ERR_CALLBACK", expected, got: cause }, events, { cause }));
  }

  readonly #start = (): void => {
    if (this.#over) return;
    if (exhausted(this.#core)) this.#pause(this.#core);
    if (this.#over) return;
    this.#opened = true;
    try {
      this.open();
    } catch (error) {
      this.fail(error);
    }
    // It may have said all that it has to say meanwhile.
    if (this.#over) this.#close();
  };

  /** A batch begins. If nobody asks, whoever could is given the chance to. */
  #begin(): void {
    const core = this.#core;
    if (exhausted(core)) {
      this.#beginning = true;
      core.runtime.flush();
      this.#beginning = false;
      if (this.#over) return;
      if (exhausted(core)) this.#pause(core);
      if (this.#batch.length === 0) return;
    }
    const wanted = demandOf(core);
    this.#room = wanted > 0 ? wanted : this.#burst;
    if (this.#batch.length >= this.#room || this.#scheduled) return;
    this.#scheduled = true;
    core.runtime.schedule(this);
  }

  #send(): void {
    const batch = this.#batch;
    const core = this.#core;
    if (batch.length === 0 || this.#over) return;
    this.#batch = [];
    this.#beginning = false;
    try {
      push(core, batch, true);
    } catch (error) {
      this.#leave(core);
      // A stage that was completed from inside takes no more: what is still said is for nobody.
      if (error instanceof OverflowError) core.ends.fail(error, { after: "buffer" });
      else core.outcome.discard(batch, "stop", core.outlets.size === 0);
      return;
    }
    if (this.#brake && !this.#paused && exhausted(core)) this.#relieve(core);
  }

  /** What was asked for has come: the other system is held up, unless its consumers can have more at once. */
  #relieve(core: Core): void {
    core.runtime.flush();
    if (!this.#over && exhausted(core)) this.#pause(core);
  }

  #pause(core: Core): void {
    if (this.#brake === undefined || this.#paused) return;
    this.#paused = true;
    // What is wanted from now on is asked for anew: that is when to resume.
    (core.output as Output).owed = 0;
    this.#call("pause");
  }

  #call(name: "pause" | "resume"): void {
    try {
      this.#brake?.[name]();
    } catch (cause) {
      this.callbackFailed(name, cause, []);
    }
  }

  #causeOf(reason: Reason): Discarded["cause"] {
    if (!isFailure(reason)) return "stop";
    return this.#signal?.aborted ? "abort" : "failure";
  }

  #leave(core: Core): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#opened) return;
    try {
      if (!this.#paused) this.#brake?.pause();
    } catch (error) {
      core.report.tell(error, "pause");
    }
    this.#close();
  }

  #close(): void {
    try {
      this.close();
    } catch (error) {
      this.#core.report.tell(error, "close");
    }
  }
}

const demandOf = ({ output }: Core): number => (output as Output).dispatcher.wanted;

/** Whether nobody asks, or what was asked for is there already. */
const exhausted = (core: Core): boolean => demandOf(core) === 0 || (core.output as Output).buffered > 0;
