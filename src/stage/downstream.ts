import { refuseUnknown } from "../base/check.ts";
import { argumentError, callbackError, dispatcherError, ProtocolError, words } from "../base/errors.ts";
import { complete, errorOf, failure, ignore, isFailure, none } from "../base/reason.ts";
import type { End, Reason } from "../contract/reason.ts";
import type { ConsumerPort, ProducerPort } from "../contract/stage.ts";
import type { Core } from "./core.ts";
import { deadPort } from "./inlet.ts";
import type { Lag } from "../contract/options.ts";
import { LagOutlet } from "./lag-outlet.ts";
import { LINKED } from "./mailbox.ts";
import { Outlet } from "./outlet.ts";
import type { Output } from "./output.ts";
import { CLOSED, ENDING, PARTING } from "./phase.ts";
import { subscribeNames } from "./subscribe-options.ts";

/** Whether a consumer holds the others up: it does, unless it says otherwise. */
const holdsBack = (lag: Lag | undefined): lag is undefined => (lag?.policy ?? "hold") === "hold";

const noOutlets = new Map<never, Outlet>();

/** The side that consumers see: its ends of their links, and its dispatcher's news of them. */
export class Downstream {
  /** By the consumer's port. A stage without output shares an empty map. */
  readonly outlets: Map<ConsumerPort<never>, Outlet>;
  /** Ended by their consumers, though the messages have not had their turn. */
  #leaving: Set<Outlet> | undefined;
  /** It has had a consumer. */
  seen = false;
  /** Hears of each new consumer, in a turn behind its subscription. */
  onLinked: ((outlet: Outlet) => void) | undefined;
  /** The reason of the last consumer to leave. */
  lastLeft: Reason = complete;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
    this.outlets = core.output ? new Map() : noOutlets;
  }

  /** Attaches a consumer. The dispatcher learns at once; an error of its goes to the consumer. */
  attach(port: ConsumerPort<never>, options: object, replaces?: ProducerPort): ProducerPort {
    const core = this.#core;
    const { dispatcher } = core.output as Output;
    if (core.phase >= ENDING && core.phase !== PARTING) {
      const outcome = core.outcome.reason as Reason;
      if (core.outcome.left || (!isFailure(outcome) && outcome.type !== "complete"))
        throw argumentError("ERR_STOPPED", "", words(core.name));
      this.#tell(port, outcome);
      return deadPort;
    }
    if (this.#given) throw argumentError("ERR_STOPPED", "", words(core.name));
    // Departed consumers make room at once.
    if (this.#leaving) for (const left of this.#leaving) this.#detach(left);
    if (this.outlets.has(port)) {
      port.end({ reason: failure(new ProtocolError("ERR_DUPLICATE_LINK", "", words(port.name))) });
      return deadPort;
    }
    if (dispatcher.options) refuseUnknown("subscribe", options, [...subscribeNames, ...dispatcher.options]);
    const old = replaces instanceof Outlet && this.#knows(replaces) ? replaces : undefined;
    const { lag } = options as { readonly lag?: Lag };
    const outlet = holdsBack(lag) ? new Outlet(core, port, options) : new LagOutlet(core, port, options, lag);
    const replaced = old?.attached === true;
    if (replaced) this.#detach(old);
    try {
      dispatcher.subscribe(outlet, options);
    } catch (error) {
      if (replaced) this.#reattach(old);
      throw error;
    }
    outlet.attached = true;
    this.seen = true;
    this.outlets.set(port, outlet);
    core.post(LINKED, outlet, undefined);
    return outlet;
  }

  linked(outlet: Outlet): void {
    const { callbacks } = this.#core;
    this.onLinked?.(outlet);
    if (!callbacks.behaviour.handleSubscribe || outlet.ended) return;
    outlet.announced = true;
    callbacks.invoke("handleSubscribe", ["consumer", outlet.subscription], ignore, (cause) => {
      if (outlet.ended) return;
      outlet.ended = true;
      this.#remove(outlet);
      this.#detach(outlet);
      const error = callbackError({ stage: this.#core.name, callback: "handleSubscribe" }, cause, none);
      outlet.tell({ reason: failure(error) });
      this.#left();
    });
  }

  // ── Consumers that leave ───────────────────────────────────────────────────────────────────────────────────────

  /** A consumer has ended its link; its message follows. */
  leaves(outlet: Outlet, { reason }: End): void {
    (this.#leaving ??= new Set()).add(outlet);
    this.lastLeft = reason;
    if (this.#given) this.#core.outcome.abort(travelling(reason));
  }

  /** The last consumer left during a callback: the stage stops as soon as that returns. */
  get #given(): boolean {
    const { busy, kind, stopsAfterLast, phase } = this.#core;
    return (
      kind === "producer" &&
      stopsAfterLast === true &&
      busy !== undefined &&
      phase < ENDING &&
      this.outlets.size > 0 &&
      this.#leaving?.size === this.outlets.size
    );
  }

  ended(outlet: Outlet, end: End): void {
    const core = this.#core;
    this.#remove(outlet);
    this.lastLeft = end.reason;
    this.#takeBack(outlet, end.unstarted ?? none);
    if (core.phase >= ENDING) return;
    // A subscription that ended before it was announced is not announced as over.
    const { callbacks } = core;
    const { handleSubscribe, handleCancel } = callbacks.behaviour;
    if (!handleCancel || (handleSubscribe && !outlet.announced)) this.#left();
    else callbacks.invoke("handleCancel", [end.reason, outlet.subscription], () => this.#left());
  }

  /** A consumer has gone, perhaps the last. Its reason travels up. */
  #left(): void {
    const { stopsAfterLast, ends } = this.#core;
    if (this.outlets.size > 0 || !stopsAfterLast) return; // M11
    const reason = travelling(this.lastLeft);
    ends.finish({ reason: reason === undefined ? { type: "stop" } : { type: "stop", reason }, left: true }); // M12
  }

  #remove(outlet: Outlet): void {
    this.#leaving?.delete(outlet);
    if (this.#knows(outlet)) this.outlets.delete(outlet.port);
  }

  #knows(outlet: Outlet): boolean {
    return this.outlets.get(outlet.port) === outlet;
  }

  /** Takes events back from a consumer that has left. Those the dispatcher then keeps reach no one. */
  takeLate(outlet: Outlet, { unstarted = none }: End): void {
    const { phase, ends } = this.#core;
    // Its end has not had its turn: the events join it.
    if (phase < CLOSED && this.#knows(outlet)) (outlet.early ??= []).unshift(unstarted);
    else {
      this.#takeBack(outlet, unstarted);
      // While it ends, too: what it held has been discarded.
      if (phase === ENDING || phase === CLOSED) ends.lose(this.takeAll());
    }
  }

  #takeBack(outlet: Outlet, unstarted: readonly unknown[]): void {
    this.#detach(outlet);
    const { early = none, late = none } = outlet;
    const back = early === late ? unstarted : [...early, unstarted, ...late].flat(1);
    outlet.early = undefined;
    outlet.late = undefined;
    if (back.length > 0) this.#guard(() => this.#core.output?.dispatcher.giveBack(outlet, back)); // M10
  }

  /** Drains the stage for the one consumer with which it would stop. Returns whether it does. */
  drain(port: ConsumerPort<never>): boolean {
    const { stopsAfterLast, partner, ends } = this.#core;
    if (!stopsAfterLast || this.outlets.size !== 1 || !this.outlets.has(port)) return false;
    (partner?.ends ?? ends).beginDrain();
    return true;
  }

  /** Takes out all held events. */
  takeAll(): readonly unknown[] {
    let all: readonly unknown[] = none;
    this.#guard(() => {
      all = this.#core.output?.takeAll() ?? none;
    });
    return all;
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Tells the consumers of the end. Those told of a good one may still give events back. */
  close(reason: Reason, halfOpen: boolean): void {
    let crossed: boolean | undefined;
    for (const outlet of this.outlets.values()) {
      this.#detach(outlet);
      if (outlet.ended) {
        crossed ||= outlet.port.carries && !outlet.halfOpen;
        continue;
      }
      if (outlet.lagging > 0) {
        const last = (): void => this.#tell(outlet.port, reason);
        if (outlet.close(reason.type === "complete" ? last : undefined)) {
          this.outlets.delete(outlet.port);
          continue;
        }
      }
      outlet.ended = true;
      outlet.halfOpen = halfOpen;
      this.#tell(outlet.port, reason);
    }
    // A consumer that left was to pass a failure on, and will not.
    if (crossed && this.#core.outcome.failed) this.#core.outcome.carrier()(); // M13
  }

  /** Serves and then tells late consumers, once no one can give events back. */
  partOn(): void {
    const { ends, output } = this.#core;
    if ((output?.held ?? 0) > 0) return;
    let waits = false;
    for (const { halfOpen } of this.outlets.values()) waits ||= halfOpen;
    if (waits) return; // M14
    if (this.outlets.size === 0) ends.part();
    else this.close(complete, true);
  }

  /** Forgets all links. */
  forget(): void {
    for (const outlet of this.outlets.values()) outlet.halfOpen = false;
    this.outlets.clear();
    this.#leaving = undefined;
  }

  /** Tells a consumer how this stage has ended. */
  #tell(port: ConsumerPort<never>, reason: Reason): void {
    const { outcome, report } = this.#core;
    const passesOn = port.carries && outcome.failed;
    const end: End = passesOn ? { reason, onNotPassedOn: outcome.carrier(), failure: outcome.failure } : { reason };
    try {
      port.end(end);
    } catch (error) {
      end.onNotPassedOn?.(); // M15
      report.tell(error, "end");
    }
  }

  // ── The dispatcher ─────────────────────────────────────────────────────────────────────────────────────────────

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

  /** A user's dispatcher may throw anywhere. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (cause) {
      this.dispatcherThrew(cause);
    }
  }

  dispatcherThrew(cause: unknown): void {
    const core = this.#core;
    const error = dispatcherError(core.name, cause);
    if (core.phase >= ENDING) core.report.tell(error, "dispatcher");
    else core.ends.end({ reason: failure(error) });
  }
}

/** The value of an abnormal cancel or stop, which the producer passes on to its own sources. */
const travelling = (reason: Reason): unknown =>
  reason.type !== "failure" && isFailure(reason) ? errorOf(reason) : undefined;
