import { type Reporter, stopsAfterLast } from "../adapter/index.ts";
import { CallbackError, words } from "../base/errors.ts";
import { failureOf } from "../base/failure.ts";
import { errorOf, ignore, isFailure } from "../base/reason.ts";
import type { Failure } from "../contract/failure.ts";
import type { Reason } from "../contract/reason.ts";
import type { Clock, Runtime } from "../contract/runtime.ts";
import type { Subscriber } from "../contract/stage.ts";
import type { Strategy, SupervisorOptions, SupervisorState } from "./declaration.ts";
import { refusal } from "./declared.ts";
import type { Link, Member } from "./member.ts";
import { Restarts } from "./restarts.ts";
import { type Ending, Run, type RunHost } from "./run.ts";

/** Mistakes in a declaration: a restart would make them again. */
const MISTAKES: readonly unknown[] =
  "ERR_CHILD ERR_OPTION ERR_RANGE ERR_BEHAVIOUR ERR_NOT_PRODUCER ERR_NOT_SOURCE ERR_PARTITION".split(" ");
const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | null | undefined)?.code;

/** Keeps children running: starts them, and starts again those that have failed, as the strategy says. */
export class Supervision implements RunHost {
  readonly name: string;
  readonly strategy: Strategy;
  readonly clock: Clock;
  readonly members: readonly Member[];
  readonly restarts: Restarts;
  readonly done: Promise<void>;
  readonly #report: Reporter;
  readonly #onLost: SupervisorOptions["onLost"];
  readonly #settle: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #byRun = new Map<Run, Member>();
  /** Failures that were told, by what they had in hand or by their records: one can end several children. */
  readonly #told = new WeakSet<object>();
  #phase: "running" | "draining" | "ending" | "over" = "running";
  #reason: Reason | undefined;
  /** Cut short: nothing has time any more. */
  #cut = false;
  /** The first failure while it drains. */
  #failure: { readonly error: unknown } | undefined;
  /** Rounds of restarts so far: a later one supersedes an earlier one. */
  #round = 0;
  /** The first child of the round under way. */
  #from: number | undefined;
  #timer: unknown;
  /** Called once, when it has ended. */
  onOver: () => void = ignore;

  constructor(
    name: string,
    members: readonly Member[],
    options: SupervisorOptions,
    parts: { readonly runtime: Runtime; readonly report: Reporter },
  ) {
    this.name = name;
    this.members = members;
    this.strategy = options.strategy ?? "oneForOne";
    this.clock = parts.runtime.clock;
    this.restarts = new Restarts(options, parts.runtime, name);
    this.#report = parts.report;
    this.#onLost = options.onLost;
    this.done = this.#settle.promise;
  }

  get state(): SupervisorState {
    if (this.#phase === "running") return "running";
    if (this.#phase !== "over") return "ending";
    if (this.#reason === undefined || this.#reason.type === "complete") return "completed";
    return isFailure(this.#reason) ? "failed" : "stopped";
  }

  get over(): boolean {
    return this.#phase === "over";
  }

  /** Starts members that wait, in order and in one stretch, then subscribes them. */
  start(members: readonly Member[]): void {
    const round = this.#round;
    const fresh: Member[] = [];
    for (const member of members) {
      if (this.#phase !== "running" || this.#round !== round) break;
      if (member.phase === "waiting" && this.#begin(member)) fresh.push(member);
    }
    this.#subscribe(fresh);
    this.#look();
  }

  /** False if it does not run. */
  #begin(member: Member): boolean {
    member.timer = undefined;
    member.attempts += 1;
    const run = new Run(this, member.name, member.attempts);
    member.run = run;
    member.phase = "running";
    this.#byRun.set(run, member);
    try {
      if (run.begin(member.start, [])) return true;
      member.phase = "ended";
    } catch (error) {
      this.#failed(member, error);
    }
    this.#byRun.delete(run);
    return false;
  }

  // ── Subscriptions ──────────────────────────────────────────────────────────────────────────────────────────────

  present(run: Run): void {
    this.#subscribe([this.#byRun.get(run) as Member]);
  }

  /** Subscribes members that have just been started, and those that are to be subscribed to them. */
  #subscribe(fresh: readonly Member[]): void {
    for (const member of this.members)
      for (const link of member.links) {
        if (this.#phase !== "running") return;
        const source = typeof link.to === "string" ? this.#named(link.to) : undefined;
        if (!member.present || member.broken || member.run?.stopping) continue;
        if (source && !source.run?.stoppable) continue;
        if (fresh.includes(member) || (source && fresh.includes(source))) this.#connect(member, link, source);
      }
  }

  #connect(member: Member, { to, options }: Link, source: Member | undefined): void {
    const producer = source ? source.run?.stoppable : to;
    try {
      const consumer = member.run?.stoppable as Partial<Subscriber<never>>;
      if (typeof consumer.subscribe !== "function") {
        const expected = `${member.name} to be a consumer, for it has subscribeTo`;
        const advice = "start returns consumer(…), or something else with subscribe";
        throw new CallbackError({ code: "ERR_CHILD", expected, got: consumer, advice }, []);
      }
      if (source && this.#wouldStop(member, source)) throw refusal(member.name, { name: source.name });
      consumer.subscribe(producer as never, options as never);
    } catch (error) {
      // One that is ending has an end of its own.
      if (codeOf(error) === "ERR_ENDED") return;
      if (MISTAKES.includes(codeOf(error)) || (source === undefined && codeOf(error) === "ERR_STOPPED"))
        this.end({ type: "failure", error });
      else {
        member.broken = { error };
        member.run?.stop(member.shutdown);
      }
    }
  }

  /** Whether a failure of the child would end its source for good. */
  #wouldStop(member: Member, source: Member): boolean {
    if (member.restart === "temporary" || source.restart === "permanent") return false;
    return source.index < this.#firstOf(member) && stopsAfterLast(source.run?.stoppable as object);
  }

  #named(name: string): Member {
    return this.members.find((member) => member.name === name) as Member;
  }

  // ── Ends of children ───────────────────────────────────────────────────────────────────────────────────────────

  ended(run: Run, ending: Ending): void {
    const member = this.#byRun.get(run) as Member;
    this.#byRun.delete(run);
    const { broken } = member;
    member.broken = undefined;
    if (ending.type === "abandoned") this.report(ending.error, `shutdown of ${member.name}`);
    if (ending.type === "failed") this.#failed(member, ending.error);
    else if (broken) this.#failed(member, broken.error);
    // A permanent one has no business ending by itself.
    else if (member.restart === "permanent" && !run.stopping) this.#failed(member, this.#ownEnd(member), true);
    else member.phase = "ended";
    this.#look();
  }

  report(error: unknown, phase: string): void {
    this.#report.tell(error, phase);
  }

  #ownEnd({ name }: Member): CallbackError {
    const advice = 'restart: "transient" lets it end well';
    return new CallbackError({ code: "ERR_CHILD", expected: `${name} to run on`, got: words("its end"), advice }, []);
  }

  /** `well`: it has ended well, which is no failure to be told. */
  #failed(member: Member, error: unknown, well = false): void {
    const { run, failure } = member;
    member.phase = "ended";
    this.#tellLost(member, error, failure);
    if (this.#phase !== "running" || this.#inRound(member)) {
      if (!well) this.#failedLate(member, error, failure);
      return;
    }
    if (MISTAKES.includes(codeOf(error)) && failureOf(error)?.callback === "start") {
      this.end({ type: "failure", error });
      return;
    }
    if (member.restart === "temporary") {
      this.#tell(member, error, failure);
      return;
    }
    const tooMany = this.restarts.count(error);
    if (tooMany) {
      if (failure) this.#told.add(failure);
      this.end({ type: "failure", error: tooMany });
      return;
    }
    if (!well) this.#tell(member, error, failure);
    member.inRow = run && this.restarts.wasShort(run.began) ? member.inRow + 1 : 1;
    this.#restart(member, this.restarts.delay(member.inRow));
  }

  /** It has failed while it was to end anyway. */
  #failedLate(member: Member, error: unknown, failure: Failure | undefined): void {
    if (this.#phase === "draining") this.#failure ??= { error };
    const own =
      this.#failure ?? (this.#reason && isFailure(this.#reason) ? { error: errorOf(this.#reason) } : undefined);
    // The supervisor fails with it itself.
    if (own === undefined || own.error !== error) this.#tell(member, error, failure);
  }

  /** What its failing batch held. */
  #tellLost({ name }: Member, error: unknown, failure: Failure | undefined): void {
    const events = failure?.events ?? [];
    if (events.length === 0 || this.#told.has(events)) return;
    this.#told.add(events);
    this.#report.guard(() => this.#onLost?.({ events, error, child: name }), "onLost");
  }

  #tell({ name }: Member, error: unknown, failure: Failure | undefined): void {
    if (failure && this.#told.has(failure)) return;
    if (failure) this.#told.add(failure);
    this.report(error, name);
  }

  /** All have ended, and none will be started again. */
  #look(): void {
    if (this.#phase !== "running" || this.#from !== undefined) return;
    if (this.members.every(({ phase }) => phase === "ended")) this.end({ type: "complete" });
  }

  // ── Restarts ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The first of those that are started again with it. */
  #firstOf(member: Member): number {
    return this.strategy === "oneForAll" ? 0 : member.index;
  }

  /** Whether the round under way starts it again. */
  #inRound({ index }: Member): boolean {
    return this.#from !== undefined && index >= this.#from;
  }

  #restart(member: Member, delay: number): void {
    if (this.strategy !== "oneForOne") void this.#restartFrom(this.#firstOf(member), delay);
    else {
      member.phase = "waiting";
      member.timer = this.clock.setTimer(() => this.start([member]), delay);
    }
  }

  /** Stops a child and those behind it, the last first, and starts them again when the delay is over. */
  async #restartFrom(first: number, delay: number): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    this.#from = first;
    this.#clear();
    const group = this.members.slice(first);
    for (const member of group.toReversed()) {
      member.run?.stop(member.shutdown);
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.#overOf(member);
      if (this.#round !== round) return;
    }
    for (const member of group) if (member.restart !== "temporary") member.phase = "waiting";
    this.#timer = this.clock.setTimer(() => {
      this.#timer = undefined;
      this.#from = undefined;
      this.start(group);
    }, delay);
  }

  #overOf({ run, phase }: Member): Promise<void> | undefined {
    return phase === "running" ? run?.over : undefined;
  }

  #clear(): void {
    if (this.#timer !== undefined) this.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Ends it: the children first, the last of them first. False if it has ended, or ends, for another reason. */
  end(reason: Reason): boolean {
    if (this.#phase === "ending" || this.#phase === "over") return false;
    this.#reason = reason;
    this.#halt("ending");
    void this.#stopAll();
    return true;
  }

  /** Nothing is started any more. */
  #halt(phase: "draining" | "ending"): void {
    this.#phase = phase;
    this.#round += 1;
    this.#from = undefined;
    this.#clear();
    for (const member of this.members) {
      if (member.timer !== undefined) this.clock.clearTimer(member.timer);
      member.timer = undefined;
      if (member.phase === "waiting") member.phase = "ended";
    }
  }

  async #stopAll(): Promise<void> {
    for (const member of this.members.toReversed()) {
      member.run?.stop(this.#cut ? 0 : member.shutdown);
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.#overOf(member);
    }
    this.#finish();
  }

  #finish(): void {
    this.#phase = "over";
    const reason = this.#reason;
    if (reason && isFailure(reason)) this.#settle.reject(errorOf(reason));
    else this.#settle.resolve();
    this.onOver();
  }

  /** Time is up. */
  cut(): void {
    this.#cut = true;
    for (const { run } of this.members) run?.stop(0);
  }

  /** Drains the children in order, and ends. */
  async drain(): Promise<void> {
    if (this.#phase !== "running") return;
    this.#halt("draining");
    for (const member of this.members) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.#drainOne(member);
      if (!this.#drains) return;
    }
    this.#reason = this.#failure ? { type: "failure", error: this.#failure.error } : { type: "complete" };
    this.#finish();
  }

  /** A stop may have come in between. */
  get #drains(): boolean {
    return this.#phase === "draining";
  }

  async #drainOne(member: Member): Promise<void> {
    const { run } = member;
    if (member.phase !== "running" || run === undefined) return;
    const child = run.stoppable as { readonly drain?: () => PromiseLike<unknown> } | undefined;
    // Its failure is that of its `done`.
    if (typeof child?.drain === "function")
      this.#report.guard(() => Promise.resolve(child.drain?.()).then(ignore, ignore), "drain");
    else run.stop(member.shutdown);
    await run.over;
  }
}
