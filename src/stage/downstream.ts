import { argumentError, callbackError, dispatcherError, ProtocolError, words } from "../base/errors.ts";
import { deadPort } from "./inlet.ts";
import { Outlet } from "./outlet.ts";
import { LINKED } from "./mailbox.ts";
import { refuseUnknown } from "../base/check.ts";
import { subscribeNames } from "./subscribe-options.ts";
import type { Output } from "./output.ts";
import type { ConsumerPort, ProducerPort } from "../contract/stage.ts";
import { complete, failure, ignore, isFailure, none } from "../base/reason.ts";
import type { End, Reason } from "../contract/reason.ts";
import type { Core } from "./core.ts";
import { CLOSED, ENDING } from "./phase.ts";

/** The side of a stage that consumers see: its ends of their links, and what its dispatcher is told of them. */
export class Downstream {
  readonly outlets: Set<Outlet> = new Set();
  /** Why the last consumer to leave did. */
  lastLeft: Reason = complete;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** A consumer attaches. Registered with the dispatcher at once; what it throws goes to the consumer. */
  attach(port: ConsumerPort<never>, options: object, replaces?: ProducerPort): ProducerPort {
    const core = this.#core;
    const output = core.output as Output;
    if (core.phase >= ENDING) {
      const outcome = core.outcome.reason as Reason;
      if (!isFailure(outcome) && outcome.type !== "complete") throw argumentError("ERR_STOPPED", "", words(core.name));
      this.#tell(port, outcome);
      return deadPort;
    }
    for (const other of this.outlets) {
      // Who has left makes room at once, though the message that says so has not had its turn.
      if (other.ended) this.#detach(other);
      if (other.port !== port) continue;
      port.end({ reason: failure(new ProtocolError("ERR_DUPLICATE_LINK", "", words(port.name))) });
      return deadPort;
    }
    const { dispatcher } = output;
    if (dispatcher.options) refuseUnknown("subscribe", options, [...subscribeNames, ...dispatcher.options]);
    const old = [...this.outlets].find((other) => other === replaces && other.attached);
    const outlet = new Outlet(core, port, options);
    if (old) this.#detach(old);
    try {
      dispatcher.subscribe(outlet, options);
    } catch (error) {
      if (old) this.#reattach(old);
      throw error;
    }
    outlet.attached = true;
    this.outlets.add(outlet);
    core.post(LINKED, outlet, undefined);
    return outlet;
  }

  linked(outlet: Outlet): void {
    const { callbacks } = this.#core;
    if (!callbacks.behaviour.handleSubscribe || outlet.ended) return;
    outlet.announced = true;
    callbacks.invoke("handleSubscribe", ["consumer", outlet.subscription], ignore, (cause) => {
      if (outlet.ended) return;
      const expected = `handleSubscribe of ${this.#core.name}`;
      outlet.ended = true;
      this.outlets.delete(outlet);
      this.#detach(outlet);
      const error = callbackError(expected, cause, none);
      outlet.port.end({ reason: failure(error) });
      this.#left();
    });
  }

  ended(outlet: Outlet, end: End): void {
    this.outlets.delete(outlet);
    this.lastLeft = end.reason;
    this.#takeBack(outlet, end.unstarted ?? none);
    if (this.#core.phase >= ENDING) return;
    // A subscription that was over before it was announced is not announced as over.
    const { callbacks } = this.#core;
    const { handleSubscribe, handleCancel } = callbacks.behaviour;
    if (!handleCancel || (handleSubscribe && !outlet.announced)) this.#left();
    else callbacks.invoke("handleCancel", [end.reason, outlet.subscription], () => this.#left());
  }

  /** A consumer has gone: perhaps it was the last. */
  #left(): void {
    const { stopsAfterLast, ends } = this.#core;
    if (this.outlets.size === 0 && stopsAfterLast) ends.finish({ type: "stop" }, false, true);
  }

  /** A consumer that has left, or whose producer has ended, brings events back. What the dispatcher keeps then nobody will get. */
  takeLate(outlet: Outlet, { unstarted = none }: End): void {
    const { phase, ends } = this.#core;
    // Older than what was delivered since.
    if (phase < CLOSED && this.outlets.has(outlet)) (outlet.late ??= []).unshift(unstarted);
    else {
      this.#takeBack(outlet, unstarted);
      if (phase === CLOSED) ends.lose(this.takeAll());
    }
  }

  #takeBack(outlet: Outlet, unstarted: readonly unknown[]): void {
    this.#detach(outlet);
    const back = outlet.late ? [...unstarted, ...outlet.late.flat(1)] : unstarted;
    outlet.late = undefined;
    if (back.length > 0) this.#guard(() => this.#core.output?.dispatcher.giveBack(outlet, back));
  }

  /** Takes out all that is held. */
  takeAll(): readonly unknown[] {
    let all: readonly unknown[] = none;
    this.#guard(() => {
      all = this.#core.output?.takeAll() ?? none;
    });
    return all;
  }

  /** The stage has ended: its consumers hear how. */
  close(reason: Reason): void {
    let crossed: boolean | undefined;
    for (const outlet of this.outlets) {
      this.#detach(outlet);
      if (outlet.ended) {
        crossed ||= outlet.port.carries;
        continue;
      }
      outlet.ended = true;
      this.#tell(outlet.port, reason);
    }
    // Who has left meanwhile was to carry a failure on, and will not.
    if (crossed && isFailure(reason)) this.#core.outcome.carry()();
  }

  /** Tells a consumer how this stage has ended. */
  #tell(port: ConsumerPort<never>, reason: Reason): void {
    port.end(port.carries && isFailure(reason) ? { reason, untold: this.#core.outcome.carry() } : { reason });
  }

  #detach(outlet: Outlet): void {
    if (!outlet.attached) return;
    outlet.attached = false;
    this.#guard(() => this.#core.output?.dispatcher.cancel(outlet));
  }

  #reattach(outlet: Outlet): void {
    outlet.attached = true;
    this.#guard(() => {
      this.#core.output?.dispatcher.subscribe(outlet, outlet.options);
      if (outlet.unmet > 0) this.#core.output?.dispatcher.ask(outlet, outlet.unmet);
    });
  }

  /** A dispatcher of the user's own may throw anywhere. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (cause) {
      this.dispatcherThrew(cause);
    }
  }

  dispatcherThrew(cause: unknown): void {
    const core = this.#core;
    const error = dispatcherError(`the dispatcher of ${core.name}`, cause, none);
    if (core.phase >= ENDING) core.outcome.report(error, "dispatcher");
    else core.end(failure(error));
  }
}
