/* oxlint-disable typescript/unbound-method -- continuations are called with these callbacks as `this` */
import { StageInlet } from "./stage-inlet.ts";
import { CallbackError, callbackError } from "../base/errors.ts";
import { recordFailure } from "../base/failure.ts";
import { notGivenBack } from "./give-back.ts";
import type { Output } from "./output.ts";
import { failure, ignore, none } from "../base/reason.ts";
import type { Counts } from "../contract/adapter.ts";
import type { Reason } from "../contract/reason.ts";
import { isThenable } from "../base/thenable.ts";
import type { Role } from "../contract/states.ts";
import type { SubscribeOptions } from "../contract/options.ts";
import type { Core } from "./core.ts";
import { ENDING } from "./phase.ts";

/** A stage's callbacks without their types: the constructors have checked them. */
export interface AnyBehaviour {
  readonly init?: ((stage: unknown) => unknown) | undefined;
  readonly handleDemand?: ((demand: number, stage: unknown) => unknown) | undefined;
  readonly handleEvents?: ((events: readonly unknown[], subscription: unknown, stage: unknown) => unknown) | undefined;
  readonly handleEnd?: ((stage: unknown) => unknown) | undefined;
  readonly handleSubscribe?: ((role: Role, subscription: unknown, stage: unknown) => unknown) | undefined;
  readonly handleCancel?: ((reason: Reason, subscription: unknown, stage: unknown) => unknown) | undefined;
  readonly terminate?: ((reason: Reason, stage: unknown) => unknown) | undefined;
  /** A failure of a source waits for the buffer. */
  readonly patient?: boolean;
  /** Offered events that will reach no consumer. Returns those it could not take back. */
  readonly putBack?: ((events: readonly unknown[]) => readonly unknown[]) | undefined;
  readonly counts?: Counts | undefined;
  readonly working?: boolean | undefined;
  /** Called before each subscription of this stage: returns its options, or throws to refuse it. */
  readonly admit?: ((options: SubscribeOptions, links: readonly unknown[]) => SubscribeOptions) | undefined;
}
type Rarer = "init" | "handleEnd" | "handleSubscribe" | "handleCancel";

/** The payload of `call` and `info`. */
export interface Call extends PromiseWithResolvers<unknown> {
  readonly fn: (stage: unknown) => unknown;
}
interface Batch {
  readonly link: StageInlet;
  readonly events: readonly unknown[];
  readonly ask: number;
}
export type Continuation = (this: Callbacks, value: unknown, callback: string) => void;

/** Calls user code, one callback at a time, awaits promises, and passes on results and errors. */
export class Callbacks {
  readonly behaviour: AnyBehaviour;
  readonly #core: Core;
  readonly #pull: boolean;
  readonly #strict: boolean;
  /** Calls of `handleEvents` and `handleDemand` so far. */
  calls = 0;
  /** Milliseconds for which promises of callbacks were pending. */
  waited = -0;
  /** A callback is on the stack: an end it causes waits for its return. */
  onStack = false;
  /** The callback whose promise is pending, and how to go on. */
  busy: string | undefined;
  /** In milliseconds. Minus zero is a float to engines: turning into one later would deoptimize every stage. */
  busySince = -0;
  #then: Continuation = ignore;
  #otherwise: Continuation = ignore;
  /** Once it has settled: which of the two, and the value. */
  #next: Continuation | undefined;
  #value: unknown;
  /** The batch whose promise is pending. */
  #inHand: Batch | undefined;
  #demand = 0;
  #calling: Call | undefined;

  constructor(core: Core, behaviour: AnyBehaviour, pull: boolean) {
    this.#core = core;
    this.behaviour = behaviour;
    this.#pull = pull;
    this.#strict = core.runtime.strict;
  }

  /** A promise has settled, and its continuation has not had its turn. */
  get settled(): boolean {
    return this.#next !== undefined;
  }

  handleDemand(output: Output, demand: number): void {
    output.owed += demand;
    this.#demand = demand;
    this.calls += 1;
    let result: unknown;
    this.onStack = true;
    try {
      result = this.behaviour.handleDemand?.(demand, this.#core.context);
    } catch (cause) {
      this.#threw("handleDemand", cause, []);
      return;
    }
    this.onStack = false;
    if (isThenable(result)) this.#wait("handleDemand", result, this.#demanded);
    else this.#demanded(result);
  }

  #demanded(result: unknown): void {
    const core = this.#core;
    if (!core.plain && core.ends.doomed) {
      core.ends.meetDoom();
      return;
    }
    const emitted = this.emit("handleDemand", result, none);
    // A pull function is called again for the rest, unless it returned nothing.
    // M39
    if (this.#pull && emitted > 0 && emitted < this.#demand && core.output) core.output.pay(this.#demand - emitted);
  }

  /** The batch of a link whose promise is pending. */
  batchOf(link: StageInlet): readonly unknown[] | undefined {
    return this.#inHand?.link === link ? this.#inHand.events : undefined;
  }

  /** Hands a batch over. False when its promise is pending or the stage has ended. */
  hand(link: StageInlet, events: readonly unknown[]): boolean {
    const core = this.#core;
    const count = events.length;
    if (this.#strict) Object.freeze(events);
    link.pending -= count;
    link.handed += count;
    this.calls += 1;
    const ask = link.window === undefined ? 0 : link.window.handOver(count);
    let result: unknown;
    this.onStack = true;
    try {
      result = this.behaviour.handleEvents?.(events, link, core.context);
    } catch (cause) {
      this.#threw("handleEvents", cause, notGivenBack(link, events));
      return false;
    }
    this.onStack = false;
    if (isThenable(result)) {
      this.#inHand = { link, events, ask };
      this.#wait("handleEvents", result, this.#handled, this.#failedBatch);
      return false;
    }
    this.#handedOver(link, events, ask, result);
    return core.plain || core.phase < ENDING;
  }

  #handled(result: unknown): void {
    const core = this.#core;
    const { link, events, ask } = this.#inHand as Batch;
    this.#inHand = undefined;
    this.#handedOver(link, events, ask, result);
    if (core.upstream.inHand && !core.halted && core.phase < ENDING) core.goOn();
  }

  #failedBatch(cause: unknown): void {
    const { link, events } = this.#inHand as Batch;
    this.#threw("handleEvents", cause, notGivenBack(link, events));
  }

  #handedOver(link: StageInlet, events: readonly unknown[], ask: number, result: unknown): void {
    const core = this.#core;
    if (!core.plain && core.ends.doomed) core.ends.meetDoom();
    else if (core.output !== undefined && result !== undefined) this.emit("handleEvents", result, events);
    if (ask > 0 && core.plain && !link.ended) link.request(ask);
  }

  /** Emits the result of a callback that has not ended its stage; returns the number of events. */
  emit(callback: string, result: unknown, inHand: readonly unknown[]): number {
    if (result === undefined || result === null) return 0;
    const core = this.#core;
    if (!Array.isArray(result)) {
      const expected = `${callback} of ${core.name} to return an array of events or nothing`;
      const error = new CallbackError({ code: "ERR_RESULT", expected, got: result }, inHand);
      recordFailure({ error, stage: core.name, callback, events: inHand });
      core.ends.finish({ reason: failure(error) });
      return 0;
    }
    try {
      core.output?.emit(result);
    } catch (error) {
      core.downstream.dispatcherThrew(error);
    }
    // A function in the dispatcher has ended the stage.
    if (!core.plain && core.ends.doomed) core.ends.meetDoom();
    return result.length;
  }

  /** Runs one of the rarer callbacks; `then` continues with its result, `otherwise` with its error. */
  invoke(
    callback: Rarer | "call",
    args: readonly unknown[],
    then: Continuation,
    otherwise: Continuation = this.failed,
    fn = this.behaviour[callback as Rarer] as ((...args: readonly unknown[]) => unknown) | undefined,
  ): void {
    const core = this.#core;
    let result: unknown;
    this.onStack = true;
    try {
      result = fn?.call(this.behaviour, ...args, core.context);
    } catch (cause) {
      this.onStack = false;
      otherwise.call(this, cause, callback);
      return;
    }
    this.onStack = false;
    if (isThenable(result)) this.#wait(callback, result, then, otherwise);
    else if (core.ends.doomed) core.ends.meetDoom();
    else if (core.phase < ENDING) then.call(this, result, callback);
  }

  /** Runs the function of a `call`. */
  run(call: Call): void {
    this.#calling = call;
    const answer = (settle: (value: unknown) => void): Continuation =>
      function (value) {
        this.#calling = undefined;
        settle(value);
      };
    this.invoke("call", [], answer(call.resolve), answer(call.reject), call.fn);
  }

  /** The call whose promise is pending, which will not be settled by its function. */
  takeCalling(): Call | undefined {
    const calling = this.#calling;
    this.#calling = undefined;
    return calling;
  }

  #wait(callback: string, promise: PromiseLike<unknown>, then: Continuation, otherwise = this.failed): void {
    const core = this.#core;
    this.busy = callback;
    core.plain = false;
    this.busySince = core.runtime.time;
    this.#then = then;
    this.#otherwise = otherwise;
    try {
      Promise.resolve(promise).then(this.#onValue, this.#onError);
    } catch (error) {
      this.#onError(error);
    }
    // A callback that ended its stage is not awaited.
    if (core.ends.doomed) core.ends.meetDoom(); // M37
  }

  /** A rejection after the stage's end. Where the signal caused it, it is no failure. */
  #late(error: unknown, callback: string): void {
    const { outcome, report } = this.#core;
    if (!outcome.isKnown(error)) report.tell(error, callback);
  }

  readonly #onValue = (value: unknown): void => this.#onSettled(this.#then, value);
  readonly #onError = (error: unknown): void => this.#onSettled(this.#otherwise, error);

  #onSettled(next: Continuation, value: unknown): void {
    const core = this.#core;
    if (core.phase >= ENDING) {
      // The stage ended meanwhile without waiting.
      if (next === this.#otherwise) this.#late(value, this.busy as string);
      else if (this.busy === "handleDemand" && Array.isArray(value)) core.ends.lose(value); // M38
      return;
    }
    // Told by the signal to give up, the callback has returned nothing.
    const gaveUp = next === this.#otherwise && core.outcome.aborted && core.outcome.isKnown(value);
    this.#next = gaveUp ? this.#then : next;
    this.#value = gaveUp ? undefined : value;
    core.resume();
  }

  /** Continues where a promise was awaited. */
  goOn(): void {
    const callback = this.busy as string;
    const value = this.#value;
    const next = this.#next as Continuation;
    this.busy = undefined;
    this.waited += this.#core.runtime.time - this.busySince;
    this.#value = undefined;
    this.#next = undefined;
    this.#core.look();
    next.call(this, value, callback);
  }

  failed(cause: unknown, callback: string): void {
    this.#threw(callback, cause, []);
  }

  #threw(callback: string, cause: unknown, events: readonly unknown[]): void {
    const core = this.#core;
    this.onStack = false;
    // The first end wins: a callback that fails its stage and throws tells one failure twice.
    if (core.ends.doomed || core.outcome.failed || core.phase >= ENDING) {
      this.#late(callbackError({ stage: core.name, callback }, cause, events), callback);
      core.ends.meetDoom();
    } else core.ends.finish({ reason: failure(callbackError({ stage: core.name, callback }, cause, events)) });
  }

  /** Runs last, in the context in which the stage was made. */
  terminate(reason: Reason): unknown {
    const core = this.#core;
    let last: unknown;
    const run = (): void => {
      try {
        last = this.behaviour.terminate?.(reason, core.context);
      } catch (error) {
        this.#late(error, "terminate");
      }
    };
    if (core.enter) core.enter(run, undefined);
    else run();
    return last;
  }
}
