import { CallbackError, callbackError, TimeoutError, words } from "../base/errors.ts";
import { ignore } from "../base/reason.ts";
import { isThenable } from "../base/thenable.ts";
import type { StopOptions } from "../contract/options.ts";
import type { Clock } from "../contract/runtime.ts";
import { type Child, type ChildContext, isStoppable, type Stoppable } from "./child.ts";

/** Longer timers of the platform fire at once instead. In milliseconds, some 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * How a run ended. `"declined"`: its promise resolved to null. `"cut"`: it rejected because it was asked to end.
 * `"abandoned"`: it did not end in time.
 */
export type Ending =
  | { readonly type: "ended" | "declined" }
  | { readonly type: "failed" | "cut" | "abandoned"; readonly error: unknown };

/** The supervisor, as a run sees it. */
export interface RunHost {
  readonly name: string;
  readonly clock: Clock;
  /** A promise has resolved with something that runs. */
  present(run: Run): void;
  /** Called once, and never within `begin`. */
  ended(run: Run, ending: Ending): void;
  report(error: unknown, phase: string): void;
}

/** Whether a rejection is what an abort causes. */
const isAbort = (error: unknown, signal: AbortSignal): boolean =>
  error === signal.reason || (error as { readonly name?: unknown } | null | undefined)?.name === "AbortError";

/** A shutdown-like reason, as a normal stop has it. */
const isNormal = (error: unknown): boolean => error === "normal" || error === "shutdown";

/** One life of a child, from its `start` to its end. */
export class Run {
  readonly name: string;
  readonly attempt: number;
  /** When it began. **Units** milliseconds of the clock. */
  readonly began: number;
  /** Resolves when it has ended, or was abandoned. */
  readonly over: Promise<void>;
  readonly #host: RunHost;
  readonly #controller: AbortController = new AbortController();
  #value: unknown;
  #stoppable: Stoppable | undefined;
  #phase: "running" | "stopping" | "cutting" | "over" = "running";
  #stopping = false;
  #limit: number = Number.POSITIVE_INFINITY;
  #timer: unknown;
  #resolve!: () => void;

  constructor(host: RunHost, name: string, attempt: number) {
    this.#host = host;
    this.name = name;
    this.attempt = attempt;
    this.began = host.clock.now();
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** What `start` returned, or what that has resolved with. */
  get value(): unknown {
    return this.#value;
  }

  /** What can be subscribed, drained and inspected. */
  get stoppable(): Stoppable | undefined {
    return this.#stoppable;
  }

  /** It has been asked to end. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Calls `start`. False if there is nothing to run. Throws what `start` throws, or `ERR_CHILD`; `events` are what is lost
   * then.
   */
  begin(start: (context: ChildContext) => Child | null, events: readonly unknown[]): boolean {
    const { name, attempt } = this;
    const { signal } = this.#controller;
    try {
      const given: unknown = start({ name, attempt, signal });
      this.#value = given;
      if (isStoppable(given)) this.#adopt(given);
      else if (isThenable(given)) this.#await(given);
      else if (given !== null) throw this.#noChild(given, events);
      else this.#close();
    } catch (cause) {
      this.#close();
      throw this.#placed(cause, events);
    }
    return this.#phase !== "over";
  }

  #placed(cause: unknown, events: readonly unknown[]): unknown {
    const { name } = this.#host;
    const expected = `start of ${this.name} of ${name}`;
    // A primitive cannot say whose it is.
    const error =
      Object(cause) === cause
        ? cause
        : new CallbackError({ code: "ERR_CALLBACK", expected, got: cause }, events, { cause });
    return callbackError({ stage: name, callback: "start" }, error, events);
  }

  #noChild(got: unknown, events: readonly unknown[]): CallbackError {
    const expected = `start of ${this.name} to return a child`;
    const advice =
      got === undefined
        ? "return it, so that its end is seen, or null if there is nothing to run"
        : "a child is a promise, or something with done and stop; null says that there is nothing to run";
    return new CallbackError({ code: "ERR_CHILD", expected, got, advice }, events);
  }

  /** The promise is the child, unless it brings one. */
  #await(given: PromiseLike<unknown>): void {
    Promise.resolve(given).then(
      (value) =>
        isStoppable(value) ? this.#brought(value) : this.#settle({ type: value === null ? "declined" : "ended" }),
      (error: unknown) => this.#rejected(error),
    );
  }

  #brought(child: Stoppable): void {
    this.#value = child;
    try {
      this.#adopt(child);
    } catch (error) {
      this.#rejected(this.#placed(error, []));
      return;
    }
    if (this.#phase === "running") this.#host.present(this);
    // It was asked to end while it was being made.
    else this.#ask(this.#phase === "stopping" ? {} : { timeout: 0 });
  }

  #adopt(child: Stoppable): void {
    const { done } = child;
    if (!isThenable(done)) {
      const expected = `done of ${this.name} to be a promise`;
      const advice = "it resolves at a good end of the child, and rejects at a failure";
      throw new CallbackError({ code: "ERR_CHILD", expected, got: done, advice }, []);
    }
    this.#stoppable = child;
    Promise.resolve(done).then(
      () => this.#settle({ type: "ended" }),
      (error: unknown) => this.#rejected(error),
    );
  }

  #rejected(error: unknown): void {
    if (this.#stopping && isAbort(error, this.#controller.signal)) this.#settle({ type: "cut", error });
    else this.#settle(isNormal(error) ? { type: "ended" } : { type: "failed", error });
  }

  /**
   * Asks it to end. When `limit` milliseconds are over its signal aborts, and what still runs a moment later is abandoned;
   * with 0 that is at once. A second call can only shorten the time.
   */
  stop(limit: number): void {
    if (this.#phase === "over" || this.#phase === "cutting") return;
    this.#stopping = true;
    this.#limit = Math.min(this.#limit, limit);
    if (limit <= 0) {
      this.#cut();
      return;
    }
    const asked = this.#phase === "stopping";
    this.#phase = "stopping";
    if (this.#timer === undefined && limit <= LONGEST_TIMER) this.#timer = this.#host.clock.setTimer(this.#cut, limit);
    if (!asked) this.#ask({});
  }

  #ask(options: StopOptions): void {
    const child = this.#stoppable;
    if (options.timeout === 0 || child === undefined) this.#controller.abort();
    if (child === undefined) return;
    try {
      const asked = child.stop(options);
      if (isThenable(asked)) Promise.resolve(asked).then(ignore, (error: unknown) => this.#stopFailed(error));
    } catch (error) {
      this.#stopFailed(error);
    }
  }

  #stopFailed(error: unknown): void {
    if (!isAbort(error, this.#controller.signal)) this.#host.report(error, `stop of ${this.name}`);
  }

  readonly #cut = (): void => {
    this.#phase = "cutting";
    this.#clear();
    this.#ask({ timeout: 0 });
    const { clock } = this.#host;
    // Whatever reads the signal, or is cut short by a timer, ends within a turn of the event loop.
    const wait = (): void => clock.macrotask(this.#abandon);
    if (this.#stoppable === undefined) wait();
    else this.#timer = clock.setTimer(wait, 0);
  };

  readonly #abandon = (): void => {
    if (this.#phase === "over") return;
    const limit = this.#limit;
    const expected = `${this.name} of ${this.#host.name} to end ${limit <= 0 ? "at once" : `within ${limit} ms`}`;
    const usual = "it is abandoned and may run on: let it give up with signal, or allow more time by shutdown";
    // A pipeline is a promise, too: an async start resolves with its result, and no one can stop it.
    const hint =
      "; an async start whose child has stop returns { done, stop }, for one that returns a pipeline hides it";
    const advice = this.#stoppable ? usual : usual + hint;
    const error = new TimeoutError("ERR_SHUTDOWN", expected, words("a child that runs on"), advice);
    this.#settle({ type: "abandoned", error });
  };

  #settle(ending: Ending): void {
    if (this.#phase === "over") {
      // An abandoned child's word comes too late for anyone but the log.
      if (ending.type === "failed") this.#host.report(ending.error, `late end of ${this.name}`);
      return;
    }
    this.#close();
    this.#host.ended(this, ending);
    this.#resolve();
  }

  #close(): void {
    this.#phase = "over";
    this.#clear();
    this.#controller.abort();
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#host.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
