/* oxlint-disable typescript/unbound-method -- continuations are called with their stage as `this` */
import { type Context, currentContext } from "./context.ts";
import { argumentError, CallbackError, callbackError, dispatcherError, ProtocolError, words } from "./errors.ts";
import { deadPort } from "./inlet.ts";
import { Outlet } from "./link.ts";
import {
  Mailbox,
  ASK,
  CALL,
  CANCEL,
  COMPLETE,
  CONSUMER_END,
  EVENTS,
  INFO,
  LINKED,
  SOURCE_END,
  STOP,
  SUBSCRIBED,
  type Op,
} from "./mailbox.ts";
import { check, known, oneOf, subscribeNames, subscribeOptions } from "./options.ts";
import { hear, Outcome, type OutcomeOptions } from "./outcome.ts";
import type { Output } from "./output.ts";
import {
  addDemand,
  complete,
  type ConsumerPort,
  type End,
  errorOf,
  failure,
  ignore,
  isFailure,
  none,
  type ProducerPort,
  type Reason,
} from "./protocol.ts";
import type { Runtime, Task } from "./runtime.ts";
import { type Cancellation, Link } from "./subscription.ts";
import { isThenable } from "./thenable.ts";
import type { Window } from "./demand.ts";
import type {
  EmitOptions,
  FailOptions,
  Role,
  Stage,
  StageKind,
  StageState,
  StopOptions,
  SubscribeOptions,
} from "./types.ts";

/** The callbacks of a stage with their types gone: the constructors have checked them. */
export interface AnyBehaviour {
  readonly init?: ((stage: unknown) => unknown) | undefined;
  readonly handleDemand?: ((demand: number, stage: unknown) => unknown) | undefined;
  readonly handleEvents?: ((events: readonly unknown[], subscription: unknown, stage: unknown) => unknown) | undefined;
  readonly handleEnd?: ((stage: unknown) => unknown) | undefined;
  readonly handleSubscribe?: ((role: Role, subscription: unknown, stage: unknown) => unknown) | undefined;
  readonly handleCancel?: ((reason: Reason, subscription: unknown, stage: unknown) => unknown) | undefined;
  readonly terminate?: ((reason: Reason, stage: unknown) => unknown) | undefined;
  /** The failure of a source waits for what is buffered. */
  readonly patient?: boolean;
}

type Rarer = "init" | "handleEnd" | "handleSubscribe" | "handleCancel";

export interface CoreOptions extends OutcomeOptions {
  readonly kind: StageKind;
  readonly behaviour: AnyBehaviour;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  readonly onLastCancel: EmitOptions<never>["onLastCancel"];
  /** The one-function form: asked again for the rest as long as it answers with events. */
  readonly pull: boolean;
  readonly output: ((core: Core) => Output) | undefined;
  readonly defaultMaxDemand: number | undefined;
}

/** What `call` and `info` post. */
interface Call extends PromiseWithResolvers<unknown> {
  readonly fn: (stage: unknown) => unknown;
}

/** Timers of the platform cannot wait longer, and fire at once instead. In milliseconds, some 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

interface Batch {
  readonly link: Link;
  readonly events: readonly unknown[];
  readonly ask: number;
}

/** The phases of a stage's life, in order: it only ever advances. */
const STARTING = 0;
const RUNNING = 1;
/** The input is over; `handleEnd` runs, or answered "later". */
const OVER = 2;
/** What is buffered still goes out. */
const DRAINING = 3;
/** `terminate` runs. */
const ENDING = 4;
/** The links have ended. */
const CLOSED = 5;

const turn = (core: Core): void => core.turn();
type Continuation = (this: Core, value: unknown, callback: string) => void;

/**
 * The state machine of every stage: a mailbox, one message at a time, and one life.
 *
 *     starting → running → over → draining → ending → closed
 *
 * A message is handled to completion, promises included, before the next one. After each message the demand rule is
 * applied (`#settle`): what is wanted is served from the buffer, then asked of the behaviour or taken from the input.
 */
export class Core implements Task {
  readonly kind: StageKind;
  readonly name: string;
  readonly runtime: Runtime;
  readonly output: Output | undefined;
  readonly links: Link[] = [];
  readonly outlets: Set<Outlet> = new Set();
  readonly outcome: Outcome;
  /** What the user holds, and what callbacks get. Set by the constructor functions. */
  handle!: Stage;
  context!: object;
  /** Whether it ends when its last consumer has left; nobody may have said yet. */
  stopsAfterLast: boolean | undefined;
  /** The other half, where two cores stand behind one handle. */
  partner: Core | undefined;

  readonly #options: CoreOptions;
  readonly #behaviour: AnyBehaviour;
  readonly #strict: boolean;
  readonly #consumes: boolean;
  /** The asynchronous context the stage was made in, unless it is empty: callbacks run in it. */
  readonly #enter: Context | undefined;
  readonly #mailbox = new Mailbox();
  /** A producerConsumer's input that waits for demand, and what must not overtake it. */
  readonly #waiting = new Mailbox();
  #phase: number;
  /** Running, no promise pending, nothing ended or halted: the state of nearly every turn, so that one look tells. */
  #plain: boolean;
  #queued = false;

  /** The callback whose promise is pending, and how to go on. */
  #busy: string | undefined;
  /** By the clock, in milliseconds. Minus zero is a float to engines: a field that turned into one later would deoptimize every stage. */
  busySince = -0;
  #then: Continuation = ignore;
  #otherwise: Continuation = ignore;
  /** Once it has settled: which of the two, and with what. */
  #next: Continuation | undefined;
  #value: unknown;
  #calling: Call | undefined;

  /** A callback is on the stack: an end it causes waits until it has returned. */
  #onStack = false;
  #doom: { readonly reason: Reason; readonly abort: boolean } | undefined;

  /** The message of several batches being handled, and from where on; the batch whose promise is pending. */
  #link: Link | undefined;
  #message: readonly unknown[] = none;
  #at = 0;
  #inHand: Batch | undefined;
  #demand = 0;

  /** `complete()` was called and its message has not been handled; inside a callback it stops the message in hand. */
  #completing = false;
  #halted = false;
  /** What becomes of events that this stage's end leaves over. */
  #cause: "stop" | "failure" | "abort" = "stop";
  /** Why the last consumer to leave did. */
  #lastLeft: Reason = complete;
  /** `complete()` was called from outside: `push` is over. */
  #shut = false;
  #later = false;

  readonly #drains: ((left: boolean) => void)[] = [];
  /** Ends the wait for a pending `terminate`. */
  #cutShort: (() => void) | undefined;

  constructor(options: CoreOptions) {
    this.#options = options;
    this.outcome = new Outcome(options);
    this.kind = options.kind;
    this.name = options.name;
    this.runtime = options.runtime;
    this.#behaviour = options.behaviour;
    this.#strict = options.runtime.strict;
    this.#enter = currentContext();
    this.output = options.output?.(this);
    this.#phase = options.behaviour.init ? STARTING : RUNNING;
    this.#plain = this.#phase === RUNNING;
    this.stopsAfterLast = options.onLastCancel && options.onLastCancel === "stop";
    this.#consumes = options.kind !== "producer";
  }

  /** Called once the handle stands. */
  start(): void {
    const { signal } = this.#options;
    if (signal?.aborted) this.#onAbort();
    else {
      signal?.addEventListener("abort", this.#onAbort);
      if (this.#phase === STARTING) this.wake();
    }
  }

  get state(): StageState {
    if (this.#phase === STARTING) return "starting";
    if (this.#phase === RUNNING) return this.#shut ? "ending" : "running";
    return this.outcome.settled ? this.outcome.state : "ending";
  }

  get busy(): string | undefined {
    return this.#busy;
  }

  /** Its end has begun and stands. */
  get over(): boolean {
    return this.#phase >= ENDING;
  }

  /** Nothing comes any more, and what is held has not gone out. */
  get draining(): boolean {
    return this.#phase === DRAINING;
  }

  /** Messages and batches of input that wait. */
  get backlog(): { readonly messages: number; readonly input: number } {
    return { messages: this.#mailbox.size, input: this.#waiting.size };
  }

  get defaultMaxDemand(): number | undefined {
    // Only a producerConsumer is asked this and has links.
    const suggested = this.links.flatMap((link) => link.suggested ?? []);
    return this.#options.defaultMaxDemand ?? suggested.toSorted((a, b) => a - b)[0];
  }

  // ── Messages in ────────────────────────────────────────────────────────────────────────────────────────────────

  post(op: Op, target: unknown, payload: unknown): void {
    if (this.#phase === CLOSED) this.#bounce(op, target, payload);
    else {
      this.#mailbox.push(op, target, payload);
      this.wake();
    }
  }

  /**
   * A consumer asks. Where the message would be the next one and could move nothing, a producerConsumer takes note of it
   * at once: a turn saved, in the same order. A producer's asks each take their turn, for each is one `handleDemand`.
   */
  ask(outlet: Outlet, count: number): void {
    const { output } = this;
    if (
      this.#plain &&
      this.#consumes &&
      this.#mailbox.size === 0 &&
      this.#waiting.size === 0 &&
      output !== undefined &&
      output.clear &&
      !output.dispatching &&
      output.dispatcher.queued === 0
    )
      this.#asked(outlet, count);
    else this.post(ASK, outlet, count);
  }

  wake(): void {
    if (this.#queued) return;
    if (!this.#plain && (this.#busy || this.#phase >= ENDING)) return;
    this.#queued = true;
    this.runtime.schedule(this);
  }

  call(op: Op, fn: (stage: unknown) => unknown): Promise<unknown> {
    if (typeof fn !== "function") throw argumentError("ERR_BEHAVIOUR", "a function", fn);
    const call: Call = { fn, ...Promise.withResolvers<unknown>() };
    this.post(op, call, undefined);
    return call.promise;
  }

  /** The stage has ended before its turn came. */
  #callEnded({ promise, reject }: Call): void {
    // A call nobody waits for, crossed by an orderly end, is no failure to tell the process of.
    promise.catch(ignore);
    reject(this.endedError);
  }

  stop(options: StopOptions = {}): Promise<void> {
    known("stop", options, ["reason", "timeout"]);
    const { reason, timeout = Number.POSITIVE_INFINITY } = options;
    check("timeout", timeout, "number");
    if (!(timeout >= 0)) throw argumentError("ERR_RANGE", "timeout to be 0 or more", timeout);
    this.post(STOP, undefined, reason);
    const { clock } = this.runtime;
    const cut = (): void => {
      this.#stopNow({ type: "stop", reason });
      // Where that ended a callback no time is left for `terminate`.
      this.#cutShort?.();
    };
    const timer = timeout > LONGEST_TIMER ? undefined : clock.setTimer(cut, timeout);
    return new Promise((resolve) => {
      this.outcome.whenSettled(() => {
        if (timer !== undefined) clock.clearTimer(timer);
        resolve();
      });
    });
  }

  /** `inside`: from a callback, which is then the last one to see events. */
  complete(inside: boolean): void {
    // Inside handleEnd it is noted: then "later" means nothing.
    if (this.#phase === OVER && !this.#later) {
      this.#completing ||= inside;
      return;
    }
    if (this.#phase >= DRAINING || this.#completing) return;
    this.#completing = true;
    if (inside) {
      this.#halted = true;
      this.#plain = false;
      this.#mailbox.unshift(COMPLETE, undefined, undefined);
      this.wake();
    } else {
      this.#shut = true;
      this.post(COMPLETE, undefined, undefined);
    }
  }

  fail(error: unknown, options: FailOptions = {}): void {
    known("fail", options, ["after"]);
    oneOf("after", options.after, ["buffer"]);
    // The first end wins; an error that comes second still has to reach someone.
    const late = options.after === "buffer" && (this.#completing || this.#phase === DRAINING);
    if (late || this.#phase >= ENDING || this.outcome.failed) {
      this.outcome.report(error, "fail");
      return;
    }
    const reason = failure(error);
    if (options.after !== "buffer") this.end(reason);
    else {
      this.outcome.reason = reason;
      this.#shut = true;
      this.#halted = true;
      this.#plain = false;
      this.#mailbox.unshift(COMPLETE, undefined, undefined);
      this.wake();
    }
  }

  /** Whether events are still taken, from `inside` a callback or from outside. */
  takes(inside: boolean): boolean {
    return this.output !== undefined && this.#phase < DRAINING && (inside || !this.#shut);
  }

  /** Events nobody has called for: how many the dispatcher took, or -1 where it failed and the stage with it. */
  offer(events: readonly unknown[]): number {
    const output = this.output as Output;
    try {
      const sent = output.offer(events);
      this.#moved(output);
      return sent;
    } catch (error) {
      this.#dispatcherThrew(error);
      return -1;
    }
  }

  /** Events that were asked for and come after the callback that was asked: accepted as its answer would be, if at all. */
  answer(events: readonly unknown[]): boolean {
    if (!this.takes(true)) return false;
    const output = this.output as Output;
    try {
      output.emit(events);
      this.#moved(output);
      return true;
    } catch (error) {
      this.#dispatcherThrew(error);
      return false;
    }
  }

  /** Outside a turn nobody settles; events passed over or kept for another partition leave more wanted than is owed. */
  #moved(output: Output): void {
    if (!this.#onStack && this.#more(output)) this.wake();
  }

  /** The rest of the batch in hand, which the callback has not looked at and this stage, about to end, will not. */
  unread(link: unknown, rest: readonly unknown[]): void {
    this.#message = this.#link ? [...rest, ...this.#message.slice(this.#at)] : rest;
    this.#link = link as Link;
    this.#at = 0;
  }

  /** Calls `then` when nothing is held, or with what is left at the end of the stage. */
  whenEmptied(then: (left: boolean) => void): void {
    if (this.output?.held === 0) then(false);
    else if (this.#phase >= ENDING) then(true);
    else this.#drains.push(then);
  }

  // ── Links ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A consumer attaches. Registered with the dispatcher at once; what it throws goes to the consumer. */
  attach(port: ConsumerPort<never>, options: object, replaces?: ProducerPort): ProducerPort {
    const output = this.output as Output;
    if (this.#phase >= ENDING) {
      const outcome = this.outcome.reason as Reason;
      if (!isFailure(outcome) && outcome.type !== "complete") throw argumentError("ERR_STOPPED", "", words(this.name));
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
    if (dispatcher.options) known("subscribe", options, [...subscribeNames, ...dispatcher.options]);
    const old = [...this.outlets].find((other) => other === replaces && other.attached);
    const outlet = new Outlet(this, port, options);
    if (old) this.#detach(old);
    try {
      dispatcher.subscribe(outlet, options);
    } catch (error) {
      if (old) this.#reattach(old);
      throw error;
    }
    outlet.attached = true;
    this.outlets.add(outlet);
    this.post(LINKED, outlet, undefined);
    return outlet;
  }

  /** This stage subscribes to a producer. */
  link(producer: Stage, options: SubscribeOptions, replaces?: ProducerPort): Link {
    const source = producer as unknown as
      | { readonly "~attach"?: Core["attach"]; readonly defaultMaxDemand?: number }
      | null
      | undefined;
    if (typeof source !== "object" || typeof source?.["~attach"] !== "function")
      throw argumentError("ERR_NOT_PRODUCER", "", producer);
    if (this.#phase >= OVER || this.#completing) throw this.endedError;
    const suggested = source.defaultMaxDemand;
    const link = new Link(this, producer, subscribeOptions(options, suggested), suggested);
    this.post(SUBSCRIBED, link, undefined);
    try {
      link.port = source["~attach"](link, link.options, replaces);
    } catch (error) {
      link.ended = true;
      throw error;
    }
    this.links.push(link);
    return link;
  }

  /** A consumer that has left, or whose producer has ended, brings events back. What the dispatcher keeps then nobody will get. */
  takeLate(outlet: Outlet, { unstarted = none }: End): void {
    // Older than what was delivered since.
    if (this.#phase < CLOSED && this.outlets.has(outlet)) (outlet.late ??= []).unshift(unstarted);
    else {
      this.#takeBack(outlet, unstarted);
      if (this.#phase === CLOSED) this.lose(this.#takeAll());
    }
  }

  /** Events that came after the end. */
  lose(events: readonly unknown[]): void {
    this.outcome.discard(events, this.#cause, this.stopsAfterLast);
  }

  #takeBack(outlet: Outlet, unstarted: readonly unknown[]): void {
    this.#detach(outlet);
    const back = outlet.late ? [...unstarted, ...outlet.late.flat(1)] : unstarted;
    outlet.late = undefined;
    if (back.length > 0) this.#guard(() => this.output?.dispatcher.giveBack(outlet, back));
  }

  // ── One turn ───────────────────────────────────────────────────────────────────────────────────────────────────

  run(): void {
    if (this.#enter) this.#enter(turn, this);
    else this.turn();
  }

  turn(): void {
    this.#queued = false;
    if (this.#plain) {
      if (this.#mailbox.size > 0) this.#receive(this.#mailbox);
    } else if (this.#phase >= ENDING) {
      if (this.#phase === CLOSED) this.outcome.settle();
      return;
    } else if (this.#next) {
      this.#resume();
      // Messages that came meanwhile have their turn before new work: else a stage that always has some never hears them.
      if (this.#mailbox.size > 0 && this.#plain) {
        this.wake();
        return;
      }
    } else if (this.#busy) return;
    else if (this.#phase === STARTING) this.#init();
    else if (this.#mailbox.size > 0) this.#receive(this.#mailbox);
    this.#settle();
  }

  #look(): void {
    this.#plain = this.#phase === RUNNING && this.#busy === undefined && this.#doom === undefined && !this.#halted;
  }

  #init(): void {
    this.#phase = RUNNING;
    this.#look();
    this.#invoke("init", [], ignore);
  }

  #receive(from: Mailbox): void {
    const { op, target, payload } = from;
    from.drop();
    switch (op) {
      case EVENTS:
        if (this.output === undefined || from !== this.#mailbox || this.#ready(this.output))
          this.#take(target as Link, payload as readonly unknown[]);
        else this.#waiting.push(op, target, payload);
        break;
      case ASK:
        this.#asked(target as Outlet, payload as number);
        break;
      case CONSUMER_END:
        this.#consumerEnded(target as Outlet, payload as End);
        break;
      case LINKED:
        this.#linked(target as Outlet);
        break;
      case SUBSCRIBED:
        this.#subscribed(target as Link);
        break;
      case CALL:
        this.#run(target as Call);
        break;
      case COMPLETE:
        this.#over(this.outcome.reason ?? complete);
        break;
      case STOP:
        // Behind an end that waits for nothing any more a stop comes second.
        if (this.#phase === DRAINING && this.output?.held === 0) this.#finish(this.outcome.reason as Reason);
        else this.#finish({ type: "stop", reason: payload });
        break;
      case SOURCE_END:
      case CANCEL:
      case INFO:
        // What must not overtake input that waits for demand waits with it.
        if (this.#waiting.size > 0 && from === this.#mailbox) this.#waiting.push(op, target, payload);
        else this.#behindInput(op, target, payload);
        break;
    }
  }

  #behindInput(op: Op, target: unknown, payload: unknown): void {
    if (op === SOURCE_END) this.#sourceEnded(target as Link, payload as End);
    else if (op === CANCEL) this.#cancel(target as Link, payload as Cancellation);
    else this.#inform(target as Call);
  }

  /** The demand rule, applied after each message. */
  #settle(): void {
    const { output } = this;
    if (this.#doom !== undefined) this.#meetDoom();
    if (!this.#plain && (this.#phase >= ENDING || this.#busy)) return;
    if (output !== undefined) {
      if (!output.clear) this.#serve(output);
      if (this.#plain) {
        if (!this.#consumes) this.#want(output);
        else if (this.#waiting.size > 0) this.#takeWaiting(output);
      }
      if (this.#drains.length > 0 || this.#phase >= DRAINING) this.#emptied(output);
    }
    if (this.#mailbox.size > 0 || (output !== undefined && this.#more(output))) this.wake();
  }

  /** Serves what is wanted from the buffer, then from the accumulated log. */
  #serve(output: Output): void {
    try {
      for (let demand = output.flush(); demand > 0; demand = output.flush()) {
        if (this.#phase === RUNNING) this.#handleDemand(output, demand);
        if (this.#busy || this.#phase >= ENDING) return;
      }
    } catch (error) {
      this.#finish(failure(error));
    }
  }

  /** Nothing may be held any more: whoever waited for that goes on. */
  #emptied(output: Output): void {
    if (this.#phase >= ENDING || output.held > 0) return;
    for (const then of this.#drains.splice(0)) then(false);
    if (this.#phase === DRAINING && this.#mailbox.size === 0) this.#finish(this.outcome.reason as Reason);
  }

  #more(output: Output): boolean {
    if (this.#phase !== RUNNING) return false;
    return this.#consumes ? this.#waiting.size > 0 && this.#canTake(output) : output.lacking > 0;
  }

  /** Whether the head of the waiting input may be handled: events need demand, what stands among them does not. */
  #canTake(output: Output): boolean {
    return !this.#halted && (this.#waiting.op !== EVENTS || output.open);
  }

  /** Whether events that have just come may be handled at once. */
  #ready(output: Output): boolean {
    return this.#plain && this.#waiting.size === 0 && output.open;
  }

  #want(output: Output): void {
    const demand = output.lacking;
    if (demand <= 0) return;
    if (output.clear || output.mode === "forward") this.#handleDemand(output, demand);
    else output.recordDemand(demand);
  }

  #takeWaiting(output: Output): void {
    while (this.#waiting.size > 0 && this.#phase === RUNNING && !this.#busy && this.#canTake(output)) {
      this.#receive(this.#waiting);
    }
  }

  // ── Callbacks ──────────────────────────────────────────────────────────────────────────────────────────────────

  #handleDemand(output: Output, demand: number): void {
    output.owed += demand;
    this.#demand = demand;
    let result: unknown;
    this.#onStack = true;
    try {
      result = this.#behaviour.handleDemand?.(demand, this.context);
    } catch (cause) {
      this.#threw("handleDemand", cause, []);
      return;
    }
    this.#onStack = false;
    if (isThenable(result)) this.#wait("handleDemand", result, this.#demanded);
    else this.#demanded(result);
  }

  #demanded(result: unknown): void {
    if (this.#doom !== undefined) {
      this.#meetDoom();
      return;
    }
    const emitted = this.#emit("handleDemand", result, none);
    // A pull function is asked again for what it left out, unless it had nothing: then it will push.
    if (this.#options.pull && emitted > 0 && emitted < this.#demand && this.output)
      this.output.pay(this.#demand - emitted);
  }

  #take(link: Link, message: readonly unknown[]): void {
    if (link.ended) return;
    link.arrivedAt = this.runtime.time;
    const { window } = link;
    if (window === undefined || message.length <= window.most) this.#hand(link, message);
    else {
      this.#link = link;
      this.#message = message;
      this.#at = 0;
      this.#goOn();
    }
  }

  /** Goes on with a message of several batches. What a halted one has left is given back with the end of the link. */
  #goOn(): void {
    const link = this.#link as Link;
    const message = this.#message;
    const most = (link.window as Window).most;
    while (this.#at < message.length) {
      if (this.#halted) return;
      const from = this.#at;
      this.#at = Math.min(message.length, from + most);
      if (!this.#hand(link, message.slice(from, this.#at))) return;
    }
    this.#link = undefined;
    this.#message = none;
  }

  /** Hands one batch to the behaviour. False when its promise is pending or the stage has ended. */
  #hand(link: Link, events: readonly unknown[]): boolean {
    const count = events.length;
    if (this.#strict) Object.freeze(events);
    link.pending -= count;
    const ask = link.window === undefined ? 0 : link.window.handOver(count);
    let result: unknown;
    this.#onStack = true;
    try {
      result = this.#behaviour.handleEvents?.(events, link, this.context);
    } catch (cause) {
      this.#threw("handleEvents", cause, events);
      return false;
    }
    this.#onStack = false;
    if (isThenable(result)) {
      this.#inHand = { link, events, ask };
      this.#wait("handleEvents", result, this.#handled, this.#failedBatch);
      return false;
    }
    this.#handedOver(link, events, ask, result);
    return this.#plain || this.#phase < ENDING;
  }

  #handled(result: unknown): void {
    const { link, events, ask } = this.#inHand as Batch;
    this.#inHand = undefined;
    this.#handedOver(link, events, ask, result);
    if (this.#link && !this.#halted && this.#phase < ENDING) this.#goOn();
  }

  #failedBatch(cause: unknown): void {
    this.#threw("handleEvents", cause, (this.#inHand as Batch).events);
  }

  #handedOver(link: Link, events: readonly unknown[], ask: number, result: unknown): void {
    if (this.#doom !== undefined) this.#meetDoom();
    else if (this.output !== undefined && result !== undefined) this.#emit("handleEvents", result, events);
    if (ask > 0 && (this.#plain || (this.#phase < ENDING && !this.#halted)) && !link.ended) link.request(ask);
  }

  /** Emits what a callback answered; how many events. */
  #emit(callback: string, result: unknown, inHand: readonly unknown[]): number {
    if (result === undefined || result === null) return 0;
    if (!this.#plain && (this.#phase >= ENDING || this.#doom)) return 0;
    if (!Array.isArray(result)) {
      const expected = `${callback} of ${this.name} to answer with an array of events or nothing`;
      this.#finish(failure(new CallbackError({ code: "ERR_RESULT", expected, got: result }, inHand)));
      return 0;
    }
    try {
      this.output?.emit(result);
    } catch (error) {
      this.#finish(failure(error));
    }
    return result.length;
  }

  /** Runs one of the rarer callbacks; `then` goes on with its result, `otherwise` with what it threw. */
  #invoke(
    callback: Rarer | "call",
    args: readonly unknown[],
    then: Continuation,
    otherwise: Continuation = this.#failed,
    fn = this.#behaviour[callback as Rarer] as ((...args: readonly unknown[]) => unknown) | undefined,
  ): void {
    let result: unknown;
    this.#onStack = true;
    try {
      result = fn?.call(this.#behaviour, ...args, this.context);
    } catch (cause) {
      this.#onStack = false;
      otherwise.call(this, cause, callback);
      return;
    }
    this.#onStack = false;
    if (this.#doom) this.#meetDoom();
    else if (isThenable(result)) this.#wait(callback, result, then, otherwise);
    else if (this.#phase < ENDING) then.call(this, result, callback);
  }

  #wait(callback: string, promise: PromiseLike<unknown>, then: Continuation, otherwise = this.#failed): void {
    this.#busy = callback;
    this.#plain = false;
    this.busySince = this.runtime.time;
    this.#then = then;
    this.#otherwise = otherwise;
    try {
      Promise.resolve(promise).then(this.#onValue, this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }

  readonly #onValue = (value: unknown): void => this.#onSettled(this.#then, value);
  readonly #onError = (error: unknown): void => this.#onSettled(this.#otherwise, error);

  #onSettled(next: Continuation, value: unknown): void {
    if (this.#phase >= ENDING) {
      // The stage ended meanwhile and did not wait.
      if (next === this.#otherwise) this.outcome.report(value, this.#busy as string);
      return;
    }
    this.#next = next;
    this.#value = value;
    if (this.#queued) return;
    this.#queued = true;
    this.runtime.resume(this);
  }

  #resume(): void {
    const callback = this.#busy as string;
    const value = this.#value;
    const next = this.#next as Continuation;
    this.#busy = undefined;
    this.#value = undefined;
    this.#next = undefined;
    this.#look();
    next.call(this, value, callback);
  }

  #failed(cause: unknown, callback: string): void {
    this.#threw(callback, cause, []);
  }

  #threw(callback: string, cause: unknown, events: readonly unknown[]): void {
    const expected = `${callback} of ${this.name}`;
    const error = callbackError(expected, cause, events);
    this.#onStack = false;
    // The first end wins: a callback that failed its stage and throws, too, has said it twice.
    if (this.#doom || this.outcome.failed || this.#phase >= ENDING) {
      this.outcome.report(error, callback);
      this.#meetDoom();
    } else this.#finish(failure(error));
  }

  #run(call: Call): void {
    this.#calling = call;
    const answer = (settle: (value: unknown) => void): Continuation =>
      function (value) {
        this.#calling = undefined;
        settle(value);
      };
    this.#invoke("call", [], answer(call.resolve), answer(call.reject), call.fn);
  }

  #inform(call: Call): void {
    const deliver = (): void => this.post(CALL, call, undefined);
    if (!this.output) deliver();
    else
      try {
        this.output.mark(deliver);
      } catch (cause) {
        this.#dispatcherThrew(cause);
        this.#callEnded(call);
      }
  }

  // ── What links say ─────────────────────────────────────────────────────────────────────────────────────────────

  #asked(outlet: Outlet, count: number): void {
    if (outlet.ended) return;
    outlet.unmet = addDemand(outlet.unmet, count);
    outlet.askedAt = this.runtime.time;
    try {
      this.output?.dispatcher.ask(outlet, count);
    } catch (cause) {
      this.#dispatcherThrew(cause);
    }
  }

  #linked(outlet: Outlet): void {
    if (!this.#behaviour.handleSubscribe || outlet.ended) return;
    outlet.announced = true;
    this.#invoke("handleSubscribe", ["consumer", outlet.subscription], ignore, (cause) => {
      if (outlet.ended) return;
      const expected = `handleSubscribe of ${this.name}`;
      outlet.ended = true;
      this.outlets.delete(outlet);
      this.#detach(outlet);
      const error = callbackError(expected, cause, none);
      outlet.port.end({ reason: failure(error) });
      this.#left();
    });
  }

  #subscribed(link: Link): void {
    if (link.ended) return;
    const open = (): void => {
      link.active = true;
      if (link.window) link.request(link.window.open());
    };
    if (!this.#behaviour.handleSubscribe) open();
    else
      this.#invoke("handleSubscribe", ["producer", link], open, (cause, callback) => {
        if (link.vital) {
          this.#failed(cause, callback);
          return;
        }
        this.outcome.report(cause, callback);
        const unstarted = this.#unstarted(link);
        this.#forget(link);
        link.port.end({ reason: { type: "cancel" }, unstarted: unstarted.length > 0 ? unstarted : undefined });
      });
  }

  #consumerEnded(outlet: Outlet, end: End): void {
    this.outlets.delete(outlet);
    this.#lastLeft = end.reason;
    this.#takeBack(outlet, end.unstarted ?? none);
    if (this.#phase >= ENDING) return;
    // A subscription that was over before it was announced is not announced as over.
    const { handleSubscribe, handleCancel } = this.#behaviour;
    if (!handleCancel || (handleSubscribe && !outlet.announced)) this.#left();
    else this.#invoke("handleCancel", [end.reason, outlet.subscription], this.#left);
  }

  /** A consumer has gone: perhaps it was the last. */
  #left(): void {
    if (this.outlets.size === 0 && this.stopsAfterLast) this.#finish({ type: "stop" }, false, true);
  }

  #sourceEnded(link: Link, end: End): void {
    if (link.ended) {
      this.#drop(end);
      return;
    }
    const { reason } = end;
    this.#forget(link);
    this.#invoke("handleCancel", [reason, link], () => this.#bear(link, reason));
  }

  #cancel(link: Link, { reason, unstarted = [], quiet = false }: Cancellation): void {
    if (link.ended) return;
    link.port.end({ reason, unstarted: [...this.#unstarted(link), ...unstarted] });
    this.#forget(link);
    this.#invoke("handleCancel", [reason, link], () => {
      if (!quiet) this.#bear(link, reason);
    });
  }

  /** What the end of a subscription means to this stage: its cancel mode decides. */
  #bear(link: Link, reason: Reason): void {
    const mode = link.options.cancel;
    if (isFailure(reason)) {
      if (mode === "temporary") return;
      if (this.#behaviour.patient) this.fail(errorOf(reason), { after: "buffer" });
      else this.#finish(failure(errorOf(reason)));
    } else if (mode === "permanent" && !this.links.some((other) => other.options.cancel === "permanent"))
      this.#over(reason);
  }

  #detach(outlet: Outlet): void {
    if (!outlet.attached) return;
    outlet.attached = false;
    this.#guard(() => this.output?.dispatcher.cancel(outlet));
  }

  #reattach(outlet: Outlet): void {
    outlet.attached = true;
    this.#guard(() => {
      this.output?.dispatcher.subscribe(outlet, outlet.options);
      if (outlet.unmet > 0) this.output?.dispatcher.ask(outlet, outlet.unmet);
    });
  }

  #forget(link: Link): void {
    link.ended = true;
    const at = this.links.indexOf(link);
    if (at >= 0) this.links.splice(at, 1);
  }

  /** A dispatcher of the user's own may throw anywhere. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (cause) {
      this.#dispatcherThrew(cause);
    }
  }

  #dispatcherThrew(cause: unknown): void {
    const error = dispatcherError(`the dispatcher of ${this.name}`, cause, none);
    if (this.#phase >= ENDING) this.outcome.report(error, "dispatcher");
    else this.end(failure(error));
  }

  /** Takes out all that is held. */
  #takeAll(): readonly unknown[] {
    let all: readonly unknown[] = none;
    this.#guard(() => {
      all = this.output?.takeAll() ?? none;
    });
    return all;
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  readonly #onAbort = (): void => this.end(failure(this.#options.signal?.reason), true);

  /** Ends the stage now, or as soon as the callback on the stack has returned. */
  end(reason: Reason, abort = false): void {
    if (this.#onStack) {
      if (this.#doom) this.outcome.report(errorOf(reason), "fail");
      this.#halted = true;
      this.#plain = false;
      this.#doom ??= { reason, abort };
    } else this.#stopNow(reason, abort);
  }

  /** Ends the stage now; where its end waits for `terminate`, that wait ends. */
  #stopNow(reason: Reason, abort = false): void {
    if (this.#phase >= ENDING) this.#cutShort?.();
    else this.#finish(reason, abort);
  }

  #meetDoom(): void {
    const doom = this.#doom;
    this.#doom = undefined;
    this.#look();
    if (doom) this.#finish(doom.reason, doom.abort);
  }

  /** The input is over: `handleEnd`, then what is buffered, then the end. */
  #over(reason: Reason): void {
    this.#completing = false;
    if (this.#phase >= OVER) {
      if (this.#later) this.#drain();
      return;
    }
    this.outcome.reason = reason;
    this.#leave(reason);
    this.#phase = OVER;
    this.#plain = false;
    if (reason.type !== "complete" || !this.#behaviour.handleEnd) this.#drain();
    else this.#invoke("handleEnd", [], this.#inputEnded);
  }

  #inputEnded(result: unknown): void {
    if (result === "later" && !this.#completing) {
      this.#later = true;
      this.#shut = false;
      return;
    }
    if (result !== "later" && this.output) this.#emit("handleEnd", result, none);
    if (this.#phase < DRAINING) this.#drain();
  }

  /** Nothing comes any more; a stage without output has nothing left to do. */
  #drain(): void {
    this.#later = false;
    this.#phase = DRAINING;
    this.busySince = this.runtime.time;
    this.#plain = false;
    const outcome = this.outcome.reason as Reason;
    if (!this.output) this.#finish(outcome);
  }

  /** Ends the stage, whatever it was doing. The first end wins. */
  #finish(second: Reason, abort = false, quiet = false): void {
    if (this.#phase >= ENDING) return;
    this.#phase = ENDING;
    this.#plain = false;
    const first = this.outcome.failed ? this.outcome.reason : undefined;
    const stands = first !== undefined && first !== second && this.#stands(first, second, abort, quiet);
    const reason = stands ? first : second;
    this.outcome.reason = reason;
    this.outcome.carried ||= abort;
    if (abort) hear(errorOf(reason));
    const held = this.#takeAll();
    if (abort) this.#cause = "abort";
    else if (reason.type === "failure") this.#cause = "failure";
    this.outcome.discard(held, this.#cause, quiet);
    for (const then of this.#drains.splice(0)) then(held.length > 0);
    const last = this.#terminate(reason);
    if (isThenable(last)) void this.#closeAfter(last, reason, abort);
    else {
      this.#close(reason);
      this.runtime.schedule(this);
    }
  }

  /** An abort does not wait for `terminate`, but `done` does, until a timeout or an abort cuts it short. */
  async #closeAfter(last: PromiseLike<unknown>, reason: Reason, atOnce: boolean): Promise<void> {
    if (atOnce) this.#close(reason);
    await new Promise<void>((resolve) => {
      this.#cutShort = resolve;
      void Promise.resolve(last as PromiseLike<void>)
        .then(ignore, (error: unknown) => this.outcome.report(error, "terminate"))
        .then(resolve);
    });
    if (!atOnce) this.#close(reason);
    this.runtime.schedule(this);
  }

  /** A failure waited for the buffer when another end came: whether it stands. It does, unless nobody is left to hear it. */
  #stands(first: Reason, second: Reason, abort: boolean, quiet: boolean): boolean {
    // Where the last consumer left with the same error it has told it.
    if (quiet && errorOf(this.#lastLeft) !== errorOf(first)) this.outcome.report(errorOf(first), "fail");
    if (!quiet && !abort && isFailure(second)) this.outcome.report(errorOf(second), "fail");
    return !quiet;
  }

  #terminate(reason: Reason): unknown {
    let last: unknown;
    const run = (): void => {
      try {
        last = this.#behaviour.terminate?.(reason, this.context);
      } catch (error) {
        this.outcome.report(error, "terminate");
      }
    };
    if (this.#enter) this.#enter(run, undefined);
    else run();
    return last;
  }

  /** The links end, and whoever waits is told. */
  #close(reason: Reason): void {
    this.#phase = CLOSED;
    this.#plain = false;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
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
    if (crossed && isFailure(reason)) this.outcome.carry()();
    this.#leave(reason);
    this.#empty(this.#mailbox);
    this.#empty(this.#waiting);
    this.outlets.clear();
    if (this.#calling) this.#callEnded(this.#calling);
    this.#calling = undefined;
    this.outcome.end();
  }

  /** Tells a consumer how this stage has ended. */
  #tell(port: ConsumerPort<never>, reason: Reason): void {
    port.end(port.carries && isFailure(reason) ? { reason, untold: this.outcome.carry() } : { reason });
  }

  /** A source's end that crossed an end of this stage or of the subscription, and so is passed on to nobody. */
  #drop({ reason, untold }: End): void {
    if (errorOf(reason) !== this.outcome.error) untold?.();
  }

  /** Leaves every producer and gives back what was not started. */
  #leave(reason: Reason): void {
    // The newest first: of two links to one producer the older one's events come back last, and so before the others.
    for (const link of this.links.splice(0).toReversed()) {
      link.ended = true;
      link.port.end({ reason, unstarted: this.#unstarted(link) });
    }
    this.#link = undefined;
    this.#message = none;
    this.#halted = false;
    this.#look();
  }

  /** What a link brought and no callback has seen, in order. Taken out of where it waits. */
  #unstarted(link: Link): readonly unknown[] {
    const rest: (readonly unknown[])[] = [];
    if (this.#link === link) {
      rest.push(this.#message.slice(this.#at));
      this.#link = undefined;
      this.#message = none;
    }
    return rest.concat(this.#waiting.extract(EVENTS, link), this.#mailbox.extract(EVENTS, link)).flat(1);
  }

  #empty(box: Mailbox): void {
    while (box.size > 0) {
      const { op, target, payload } = box;
      box.drop();
      this.#bounce(op, target, payload);
    }
  }

  /** A message nobody will handle any more. */
  #bounce(op: Op, target: unknown, payload: unknown): void {
    if (op === CALL || op === INFO) this.#callEnded(target as Call);
    else if (op === CONSUMER_END) this.takeLate(target as Outlet, payload as End);
    else if (op === SOURCE_END) this.#drop(payload as End);
  }

  get endedError(): Error {
    return this.outcome.endedError(this.state);
  }
}
