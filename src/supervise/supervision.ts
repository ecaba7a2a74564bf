import type { Reporter } from "../adapter/index.ts";
import { CallbackError, words } from "../base/errors.ts";
import { errorOf, ignore, isFailure } from "../base/reason.ts";
import type { Failure } from "../contract/failure.ts";
import type { Reason } from "../contract/reason.ts";
import type { Clock, Runtime } from "../contract/runtime.ts";
import type { Strategy, SupervisorOptions, SupervisorState } from "./declaration.ts";
import { Draining } from "./draining.ts";
import type { Link, Member } from "./member.ts";
import { Restarts } from "./restarts.ts";
import { type Ending, Run, type RunHost } from "./run.ts";
import { Sources } from "./sources.ts";
import { Telling } from "./telling.ts";
import { connect, isMistake, noConsumer, noSource } from "./wiring.ts";

/**
 * Keeps children running: starts them, and starts again those that have failed, as the strategy says.
 *
 *     running → (draining) → ending → over
 */
export class Supervision implements RunHost {
  readonly name: string;
  readonly strategy: Strategy;
  readonly clock: Clock;
  readonly members: readonly Member[];
  readonly restarts: Restarts;
  readonly done: Promise<void>;
  readonly #telling: Telling;
  readonly #sources: Sources;
  readonly #settle: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #byRun = new Map<Run, Member>();
  #phase: "running" | "draining" | "ending" | "over" = "running";
  #reason: Reason | undefined;
  readonly #draining: Draining;
  /** Rounds of restarts so far: a later one supersedes an earlier one. */
  #round = 0;
  /** The first child of the round under way. */
  #from: number | undefined;
  #timer: unknown;
  /** Resolves when it has ended, in whatever way: unlike `done`, it does not count as read. */
  readonly whenOver: Promise<void>;
  #over: () => void = ignore;

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
    this.#telling = new Telling(parts.report, options.onLost);
    this.#sources = new Sources(members, this.#telling);
    this.done = this.#settle.promise;
    this.whenOver = new Promise((resolve) => {
      this.#over = resolve;
    });
    this.#draining = new Draining(
      members,
      (child) => this.#named(child),
      (error, phase) => this.report(error, phase),
    );
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

  /** Whether it may be started, or started again. */
  #keeps(member: Member): boolean {
    return this.#phase === "running" || (this.#phase === "draining" && !this.#draining.has(member));
  }

  /** Starts members that wait, in order and in one stretch, then subscribes them. */
  start(members: readonly Member[]): void {
    const round = this.#round;
    const fresh: Member[] = [];
    for (const member of members) {
      if (this.#round !== round) break;
      if (member.phase === "waiting" && this.#keeps(member) && this.#begin(member)) fresh.push(member);
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
    this.#look();
  }

  /** Subscribes members that have just been started, and those that are to be subscribed to them. */
  #subscribe(fresh: readonly Member[]): void {
    for (const member of this.members)
      for (const link of member.links) {
        const source = typeof link.to === "string" ? this.#named(link.to) : undefined;
        const concerned = fresh.includes(member) || (source !== undefined && fresh.includes(source));
        if (concerned && this.#keeps(member)) this.#connect(member, link, source);
      }
  }

  #connect(member: Member, link: Link, source: Member | undefined): void {
    if (!member.present || member.broken) return;
    // One that is still to come is subscribed to when it is there.
    if (source && (source.phase === "waiting" || !source.run?.stoppable)) return;
    const wrong = connect(member, link, source, this.#firstOf(member));
    if (typeof link.to !== "string" && member.restart !== "temporary") this.#sources.hold(link.to);
    if (wrong?.always) this.end({ type: "failure", error: wrong.error });
    else if (wrong) {
      member.broken = wrong;
      member.run?.stop(member.shutdown);
    }
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
    else if (ending.type === "ended" && member.links.length > 0 && !run.stoppable && !run.stopping)
      this.#mistaken(member, noConsumer(member, words("a promise of nothing that runs")));
    // A permanent one has no business ending by itself.
    else if (member.restart === "permanent" && !run.stopping) this.#failed(member, this.#ownEnd(member), true);
    else member.phase = "ended";
    this.#look();
  }

  report(error: unknown, phase: string): void {
    this.#telling.report(error, phase);
  }

  #ownEnd({ name }: Member): CallbackError {
    const advice = 'restart: "transient" lets it end well';
    return new CallbackError({ code: "ERR_CHILD", expected: `${name} to run on`, got: words("its end"), advice }, []);
  }

  /** `well`: it has ended well, which is no failure to be told. */
  #failed(member: Member, error: unknown, well = false): void {
    const { failure } = member;
    const telling = this.#telling;
    member.phase = "ended";
    member.error = error;
    telling.lost(member, error, failure);
    const caught = telling.isCaught(member, failure);
    if (!this.#keeps(member) || this.#inRound(member) || this.#caughtInDrain(member, failure)) {
      if (!well) this.#failedLate(member, error, failure);
      return;
    }
    if (isMistake(error)) {
      this.end({ type: "failure", error });
      return;
    }
    if (member.restart !== "temporary" && !caught) {
      const tooMany = this.restarts.count(error);
      if (tooMany) {
        telling.mark(failure);
        this.end({ type: "failure", error: tooMany });
        return;
      }
    }
    if (!well) telling.failed(member, error, failure);
    if (member.restart !== "temporary") this.#restart(member);
  }

  #caughtInDrain(member: Member, failure: Failure | undefined): boolean {
    return this.#phase === "draining" && this.#draining.isCaught(member, failure);
  }

  /** It has failed while it was to end anyway. */
  #failedLate(member: Member, error: unknown, failure: Failure | undefined): void {
    const draining = this.#draining;
    const drained = this.#caughtInDrain(member, failure) || (this.#phase === "draining" && draining.has(member));
    if (drained && !this.#telling.isTold(failure)) draining.failure ??= { error };
    const failed = this.#reason && isFailure(this.#reason) ? { error: errorOf(this.#reason) } : undefined;
    const own = draining.failure ?? failed;
    // The supervisor fails with it itself.
    if (own === undefined || own.error !== error) this.#telling.failed(member, error, failure);
  }

  /** Its declaration is wrong: a restart would not help. */
  #mistaken(member: Member, error: unknown): void {
    member.phase = "ended";
    this.end({ type: "failure", error });
  }

  /** Fails when a child waits for a source that will not come. */
  #lookForSources(): void {
    for (const member of this.members)
      for (const { to } of member.links) {
        const source = typeof to === "string" ? this.#named(to) : undefined;
        if (member.present && !member.broken && source?.phase === "ended" && !source.run?.stoppable)
          this.end({ type: "failure", error: noSource(member, source) });
      }
  }

  /** All have ended, and none will be started again. */
  #look(): void {
    if (this.#from !== undefined) return;
    this.#sources.look();
    if (this.#phase !== "running") return;
    this.#lookForSources();
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

  #restart(member: Member): void {
    const { run } = member;
    member.inRow = run && this.restarts.wasShort(run.began) ? member.inRow + 1 : 1;
    const delay = this.restarts.delay(member.inRow);
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
    const group = this.members.slice(first).filter((member) => this.#keeps(member));
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
    this.#phase = "ending";
    // It was to be that of the drain, which has been cut off.
    const { failure } = this.#draining;
    if (failure && errorOf(reason) !== failure.error) this.report(failure.error, "drain");
    this.#round += 1;
    this.#from = undefined;
    this.#clear();
    for (const member of this.members) {
      if (member.timer !== undefined) this.clock.clearTimer(member.timer);
      member.timer = undefined;
      if (member.phase === "waiting") member.phase = "ended";
    }
    void this.#stopAll();
    return true;
  }

  async #stopAll(): Promise<void> {
    for (const member of this.members.toReversed()) {
      member.run?.stop(member.shutdown);
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.#overOf(member);
    }
    this.#phase = "over";
    this.#sources.release();
    const reason = this.#reason as Reason;
    if (isFailure(reason)) this.#settle.reject(errorOf(reason));
    else this.#settle.resolve();
    this.#over();
  }

  /** Time is up. */
  cut(): void {
    for (const { run } of this.members) run?.stop(0);
  }

  /** Drains the children, and ends. */
  async drain(): Promise<void> {
    if (this.#phase !== "running") return;
    this.#phase = "draining";
    const draining = this.#draining;
    for (let member = draining.next(); member; member = draining.next()) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await draining.drain(member);
      if (!this.#drains) return;
    }
    const { failure } = draining;
    this.end(failure ? { type: "failure", error: failure.error } : { type: "complete" });
  }

  /** A stop may have come in between. */
  get #drains(): boolean {
    return this.#phase === "draining";
  }
}
