import { currentContext, type AsyncContext } from "../runtime/async-context.ts";
import { argumentError } from "../base/errors.ts";
import type { Outlet } from "./outlet.ts";
import {
  ASK,
  CALL,
  CANCEL,
  COMPLETE,
  CONSUMER_END,
  EVENTS,
  INFO,
  LINKED,
  Mailbox,
  type Op,
  SOURCE_END,
  STOP,
  SUBSCRIBED,
} from "./mailbox.ts";
import { Outcome, type OutcomeOptions } from "./outcome.ts";
import type { Output } from "./output.ts";
import { addDemand } from "../base/demand.ts";
import type { ConsumerPort, ProducerPort, Stage } from "../contract/stage.ts";
import { complete, ignore } from "../base/reason.ts";
import type { End, Reason } from "../contract/reason.ts";
import type { Runtime, Task } from "../contract/runtime.ts";
import { type Cancellation, StageInlet } from "./stage-inlet.ts";
import type { EmitOptions, SubscribeOptions } from "../contract/options.ts";
import type { StageKind, StageState } from "../contract/states.ts";
import { type AnyBehaviour, type Call, Callbacks } from "./callbacks.ts";
import { Downstream } from "./downstream.ts";
import { Ends } from "./ends.ts";
import { CLOSED, DRAINING, ENDING, PARTING, RUNNING, STARTING } from "./phase.ts";
import type { Report } from "./report.ts";
import { Upstream } from "./upstream.ts";

export interface CoreOptions extends OutcomeOptions {
  readonly kind: StageKind;
  readonly behaviour: AnyBehaviour;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  readonly onLastCancel: EmitOptions<never>["onLastCancel"];
  /** The one-function form: called again for the rest as long as it returns events. */
  readonly pull: boolean;
  readonly output: ((core: Core) => Output) | undefined;
  readonly defaultMaxDemand: number | undefined;
}

const turn = (core: Core): void => core.turn();

/**
 * A stage: a mailbox, one message at a time, and one life.
 *
 *     starting → running → over → draining → ending → closed
 *
 * A message is handled to completion, promises included, before the next one. The demand rule follows each message
 * (`#settle`): demand is served from the buffer, then from the behaviour or the input.
 */
export class Core implements Task {
  readonly kind: StageKind;
  readonly name: string;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  readonly outcome: Outcome;
  /** Who has heard of its errors. */
  readonly report: Report;
  readonly mailbox: Mailbox = new Mailbox();
  readonly output: Output | undefined;
  readonly upstream: Upstream;
  readonly downstream: Downstream;
  readonly callbacks: Callbacks;
  readonly ends: Ends;
  /** The user's handle and the callbacks' context. Set by the constructor functions. */
  handle!: Stage;
  context!: object;
  /** Whether it ends with its last consumer; undefined until decided. */
  stopsAfterLast: boolean | undefined;
  /** The other half, where two cores share one handle. */
  partner: Core | undefined;
  /** Called when the end begins, behind `terminate`. */
  onEnding: ((reason: Reason) => void) | undefined;
  /** The asynchronous context the stage was made in, unless empty: callbacks run in it. */
  readonly enter: AsyncContext | undefined;

  phase: number;
  /** Running, no promise pending, nothing ended or halted: nearly every turn, in one look. */
  plain: boolean;
  /** A callback called `complete()` or caused an end: the message in hand stops. */
  halted = false;
  /** A caller waits for held events to go out. */
  awaited = false;
  #queued = false;
  /** Upstream's, read every turn. */
  readonly #waiting: Mailbox;
  readonly #consumes: boolean;
  readonly #defaultMaxDemand: number | undefined;

  constructor(options: CoreOptions) {
    this.outcome = new Outcome(options);
    this.report = this.outcome.report;
    this.kind = options.kind;
    this.name = options.name;
    this.runtime = options.runtime;
    this.signal = options.signal;
    this.enter = currentContext();
    this.output = options.output?.(this);
    this.phase = options.behaviour.init ? STARTING : RUNNING;
    this.plain = this.phase === RUNNING;
    this.stopsAfterLast = options.onLastCancel && options.onLastCancel === "stop";
    this.#consumes = options.kind !== "producer";
    this.#defaultMaxDemand = options.defaultMaxDemand;
    this.upstream = new Upstream(this);
    this.#waiting = this.upstream.waiting;
    this.downstream = new Downstream(this);
    this.callbacks = new Callbacks(this, options.behaviour, options.pull);
    this.ends = new Ends(this);
  }

  /** Called once the handle exists. */
  start(): void {
    const { signal } = this;
    if (this.phase >= ENDING) return;
    if (signal?.aborted) this.ends.handleEvent();
    else {
      signal?.addEventListener("abort", this.ends);
      if (this.phase === STARTING) this.wake();
    }
  }

  get state(): StageState {
    if (this.phase === STARTING) return "starting";
    if (this.phase === RUNNING) return this.ends.shut ? "ending" : "running";
    return this.outcome.settled ? this.outcome.state : "ending";
  }

  get busy(): string | undefined {
    return this.callbacks.busy;
  }

  get busySince(): number {
    return this.callbacks.busySince;
  }

  /** Its end has begun and stands. */
  get over(): boolean {
    return this.phase >= ENDING;
  }

  /** The input is over, and held events have not gone out. */
  get draining(): boolean {
    return this.phase === DRAINING;
  }

  get links(): StageInlet[] {
    return this.upstream.links;
  }

  get outlets(): ReadonlyMap<unknown, Outlet> {
    return this.downstream.outlets;
  }

  /** Waiting messages and batches of input. */
  get backlog(): { readonly messages: number; readonly input: number } {
    return { messages: this.mailbox.size, input: this.#waiting.size };
  }

  get defaultMaxDemand(): number | undefined {
    // Only a producerConsumer has links here.
    return this.#defaultMaxDemand ?? this.upstream.suggested;
  }

  get endedError(): Error {
    return this.outcome.endedError(this.state);
  }

  // ── What others ask of it ──────────────────────────────────────────────────────────────────────────────────────

  post(op: Op, target: unknown, payload: unknown): void {
    if (this.phase === CLOSED) this.#bounce(op, target, payload);
    else {
      this.mailbox.push(op, target, payload);
      this.wake();
    }
  }

  /**
   * A consumer asks. A producerConsumer notes the ask at once where its message would be next and move nothing: that
   * saves a turn. A producer's asks each take one, with a `handleDemand` each.
   */
  ask(outlet: Outlet, count: number): void {
    const { output } = this;
    try {
      if (
        this.plain &&
        this.#consumes &&
        this.mailbox.size === 0 &&
        this.#waiting.size === 0 &&
        output !== undefined &&
        output.clear &&
        !output.dispatching &&
        output.dispatcher.queued === 0
      ) {
        this.#asked(outlet, count);
        return;
      }
    } catch {
      // A getter of the dispatcher threw. The message's turn meets that again, and fails the stage.
    }
    this.post(ASK, outlet, count);
  }

  #asked(outlet: Outlet, count: number): void {
    if (outlet.ended) return;
    outlet.unmet = addDemand(outlet.unmet, count);
    outlet.askedAt = this.runtime.time;
    try {
      this.output?.dispatcher.ask(outlet, count);
    } catch (cause) {
      this.downstream.dispatcherThrew(cause);
    }
  }

  call(op: Op, fn: (stage: unknown) => unknown): Promise<unknown> {
    if (typeof fn !== "function") throw argumentError("ERR_BEHAVIOUR", "a function", fn);
    const call: Call = { fn, ...Promise.withResolvers<unknown>() };
    this.post(op, call, undefined);
    return call.promise;
  }

  /** The stage ended before the call's turn came. */
  callEnded({ promise, reject }: Call): void {
    // An orderly end that crosses an ignored call is no failure to tell the process.
    promise.catch(ignore);
    reject(this.endedError);
  }

  attach(port: ConsumerPort<never>, options: object, replaces?: ProducerPort): ProducerPort {
    return this.downstream.attach(port, options, replaces);
  }

  link(producer: Stage, options: SubscribeOptions, replaces?: ProducerPort): StageInlet {
    return this.upstream.subscribe(producer, options, replaces);
  }

  /** Whether events are still taken, from `inside` a callback or from outside. */
  takes(inside: boolean): boolean {
    return this.output !== undefined && this.phase < DRAINING && (inside || !this.ends.shut);
  }

  /** Dispatches unasked events. Returns how many were taken, or -1 where the dispatcher failed. */
  offer(events: readonly unknown[]): number {
    const output = this.output as Output;
    try {
      return output.offer(events);
    } catch (error) {
      this.downstream.dispatcherThrew(error);
      return -1;
    }
  }

  /** Late events for an earlier demand: accepted as the callback's result would be, if at all. */
  answer(events: readonly unknown[]): boolean {
    if (!this.takes(true)) return false;
    const output = this.output as Output;
    try {
      output.emit(events);
      this.moved(output);
      return true;
    } catch (error) {
      this.downstream.dispatcherThrew(error);
      return false;
    }
  }

  /**
   * Outside a turn nothing settles by itself: an end caused during a dispatch, and events passed over or kept, which
   * leave more wanted than owed.
   */
  moved(output: Output): void {
    if (this.callbacks.onStack || output.dispatching) return;
    try {
      if (this.ends.doomed) this.ends.meetDoom();
      else if (this.#more(output)) this.wake();
    } catch (cause) {
      this.downstream.dispatcherThrew(cause);
    }
  }

  // ── One turn ───────────────────────────────────────────────────────────────────────────────────────────────────

  wake(): void {
    if (this.#queued) return;
    if (!this.plain && (this.callbacks.busy || (this.phase >= ENDING && this.phase !== PARTING))) return;
    this.#queued = true;
    this.runtime.schedule(this);
  }

  /** A promise has settled: the turn goes on. */
  resume(): void {
    if (this.#queued) return;
    this.#queued = true;
    this.runtime.resume(this);
  }

  run(): void {
    if (this.enter) this.enter(turn, this);
    else this.turn();
  }

  turn(): void {
    this.#queued = false;
    try {
      this.#turn();
    } catch (cause) {
      // A getter of the dispatcher threw: all other user code is caught where it is called.
      this.downstream.dispatcherThrew(cause);
    }
  }

  #turn(): void {
    if (this.plain) {
      if (this.mailbox.size > 0) this.#receive(this.mailbox);
    } else if (this.phase >= ENDING) {
      if (this.phase === PARTING) this.#part();
      if (this.phase === CLOSED) this.outcome.settle(this.output !== undefined && !this.downstream.seen);
      return;
    } else if (this.callbacks.settled) {
      this.callbacks.goOn();
      // New messages come before new work: a stage that always has some would never hear them.
      if (this.mailbox.size > 0 && this.plain) {
        this.wake();
        return;
      }
    } else if (this.callbacks.busy) return;
    else if (this.phase === STARTING) this.#init();
    else if (this.mailbox.size > 0) this.#receive(this.mailbox);
    this.#settle();
  }

  look(): void {
    this.plain = this.phase === RUNNING && this.callbacks.busy === undefined && !this.ends.doomed && !this.halted;
  }

  #init(): void {
    this.phase = RUNNING;
    this.look();
    this.callbacks.invoke("init", [], ignore);
  }

  #receive(from: Mailbox): void {
    const { op, target, payload } = from;
    from.drop();
    switch (op) {
      case EVENTS:
        if (this.output === undefined || from !== this.mailbox || this.#ready(this.output))
          this.#take(target as StageInlet, payload as readonly unknown[]);
        else this.#waiting.push(op, target, payload);
        break;
      case ASK:
        this.#asked(target as Outlet, payload as number);
        break;
      case CONSUMER_END:
        this.downstream.ended(target as Outlet, payload as End);
        break;
      case LINKED:
        this.downstream.linked(target as Outlet);
        break;
      case SUBSCRIBED:
        this.upstream.subscribed(target as StageInlet);
        break;
      case CALL:
        this.callbacks.run(target as Call);
        break;
      case COMPLETE:
        this.ends.over(this.outcome.reason ?? complete);
        break;
      case STOP:
        this.ends.stopped(payload);
        break;
      case SOURCE_END:
      case CANCEL:
      case INFO:
        // Messages that must not overtake waiting input wait with it.
        if (this.#waiting.size > 0 && from === this.mailbox) this.#waiting.push(op, target, payload);
        else this.#behindInput(op, target, payload);
        break;
    }
  }

  /** A turn of a completed stage: consumers give back, and others get it. */
  #part(): void {
    const { mailbox, downstream } = this;
    const output = this.output as Output;
    if (mailbox.size > 0) {
      const { op, target, payload } = mailbox;
      mailbox.drop();
      if (op === CONSUMER_END) downstream.ended(target as Outlet, payload as End);
      else if (op === ASK) this.#asked(target as Outlet, payload as number);
      else if (op === STOP) this.ends.part();
      else this.#bounce(op, target, payload);
    }
    if (this.phase !== PARTING) return;
    try {
      output.flush();
      if (mailbox.size === 0) downstream.partOn();
    } catch (cause) {
      downstream.dispatcherThrew(cause);
      this.ends.part();
    }
    if (mailbox.size > 0) this.wake();
  }

  #behindInput(op: Op, target: unknown, payload: unknown): void {
    if (op === SOURCE_END) this.upstream.ended(target as StageInlet, payload as End);
    else if (op === CANCEL) this.upstream.cancel(target as StageInlet, payload as Cancellation);
    else this.#inform(target as Call);
  }

  #take(link: StageInlet, message: readonly unknown[]): void {
    if (link.ended) return;
    link.arrivedAt = this.runtime.time;
    const { window } = link;
    if (window === undefined || message.length <= window.most) this.callbacks.hand(link, message);
    else {
      this.upstream.take(link, message);
      this.goOn();
    }
  }

  /** Continues a message of several batches. A halted one's rest goes back with the end. */
  goOn(): void {
    const { upstream, callbacks } = this;
    const link = upstream.inHand as StageInlet;
    while (!this.halted) {
      const batch = upstream.next();
      if (batch === undefined || !callbacks.hand(link, batch)) return;
    }
  }

  #inform(call: Call): void {
    const deliver = (): void => this.post(CALL, call, undefined);
    if (!this.output) deliver();
    else
      try {
        this.output.mark(deliver);
      } catch (cause) {
        this.downstream.dispatcherThrew(cause);
        this.callEnded(call);
      }
  }

  // ── The demand rule ────────────────────────────────────────────────────────────────────────────────────────────

  /** Applied after each message. */
  #settle(): void {
    const { output } = this;
    if (!this.plain) {
      if (this.ends.doomed) this.ends.meetDoom();
      if (this.phase >= ENDING || this.callbacks.busy) return;
    }
    if (output !== undefined) {
      if (!output.clear) this.#serve(output);
      if (this.plain) {
        if (!this.#consumes) this.#want(output);
        else if (this.#waiting.size > 0) this.#takeWaiting(output);
      }
      if (this.awaited || this.phase >= DRAINING) this.ends.emptied();
    }
    if (this.mailbox.size > 0 || (output !== undefined && this.#more(output))) this.wake();
  }

  /** Serves demand from the buffer, then from the accumulated log. */
  #serve(output: Output): void {
    try {
      for (let demand = output.flush(); demand > 0; demand = output.flush()) {
        if (this.phase === RUNNING && !this.ends.doomed) this.callbacks.handleDemand(output, demand);
        if (this.callbacks.busy || this.phase >= ENDING || this.ends.doomed) break;
      }
    } catch (error) {
      this.downstream.dispatcherThrew(error);
    }
    if (this.ends.doomed) this.ends.meetDoom();
  }

  #more(output: Output): boolean {
    if (this.phase !== RUNNING) return false;
    return this.#consumes ? this.#waiting.size > 0 && this.#canTake(output) : output.lacking > 0;
  }

  /** Whether the head of the waiting input may be handled: events need demand, other messages do not. */
  #canTake(output: Output): boolean {
    return !this.halted && (this.#waiting.op !== EVENTS || output.open);
  }

  /** Whether new events may be handled at once. */
  #ready(output: Output): boolean {
    return this.plain && this.#waiting.size === 0 && output.open; // M41
  }

  #want(output: Output): void {
    const demand = output.lacking;
    if (demand <= 0) return;
    if (output.clear || output.mode === "forward") this.callbacks.handleDemand(output, demand);
    else output.recordDemand(demand);
  }

  #takeWaiting(output: Output): void {
    const waiting = this.#waiting;
    while (waiting.size > 0 && this.phase === RUNNING && !this.callbacks.busy && this.#canTake(output)) {
      this.#receive(waiting);
    }
  }

  // ── For its parts ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The message in hand stops, and the end comes next. */
  halt(): void {
    this.halted = true;
    this.plain = false;
    this.mailbox.unshift(COMPLETE, undefined, undefined);
    this.wake();
  }

  /** Leaves every producer and gives unstarted events back. */
  leave(reason: Reason): void {
    this.upstream.leave(reason);
    this.halted = false;
    this.look();
  }

  /** Empties the mailbox: waiting messages will not be handled. */
  empty(): void {
    for (const box of [this.mailbox, this.#waiting])
      while (box.size > 0) {
        const { op, target, payload } = box;
        box.drop();
        this.#bounce(op, target, payload);
      }
  }

  #bounce(op: Op, target: unknown, payload: unknown): void {
    // Sent by a link that will be left: they go back with its end.
    if (op === EVENTS) {
      if (!(target as StageInlet).ended) this.mailbox.push(op, target, payload); // M40
    } else if (op === CALL || op === INFO) this.callEnded(target as Call);
    else if (op === CONSUMER_END) this.downstream.takeLate(target as Outlet, payload as End);
    else if (op === SOURCE_END) this.ends.drop(payload as End);
  }
}
