import type { Reporter } from "../adapter/index.ts";
import type { Failure } from "../contract/failure.ts";
import type { SupervisorOptions } from "./declaration.ts";
import type { Member } from "./member.ts";

/** Who has heard of the failures of children: one can end several of them, and is told once. */
export class Telling {
  readonly #report: Reporter;
  readonly #onLost: SupervisorOptions["onLost"];
  /** Records of failures, and events in hand, that were told. */
  readonly #told = new WeakSet<object>();
  /** The children that have failed with a failure of this record. */
  readonly #failed = new WeakMap<Failure, Set<Member>>();

  constructor(report: Reporter, onLost: SupervisorOptions["onLost"]) {
    this.#report = report;
    this.#onLost = onLost;
  }

  report(error: unknown, phase: string): void {
    this.#report.tell(error, phase);
  }

  guard(run: () => unknown, phase: string): void {
    this.#report.guard(run, phase);
  }

  /**
   * Whether a child has caught its failure from another one: then that one counts. A child that comes back to a failed
   * producer, and fails with the same again, has caught it once.
   */
  isCaught(member: Member, failure: Failure | undefined): boolean {
    if (failure === undefined) return false;
    const members = this.#failed.get(failure);
    if (members === undefined) this.#failed.set(failure, new Set([member]));
    else if (!members.has(member)) {
      members.add(member);
      return true;
    }
    return false;
  }

  /** What the failing batch held. */
  lost({ name }: Member, error: unknown, failure: Failure | undefined): void {
    const events = failure?.events ?? [];
    if (events.length > 0 && this.#isNew(events))
      this.guard(() => this.#onLost?.({ events, error, child: name }), "onLost");
  }

  failed({ name }: Member, error: unknown, failure: Failure | undefined): void {
    if (failure === undefined || this.#isNew(failure)) this.report(error, name);
  }

  /** A producer from outside has failed, and no child with it. */
  unmet(source: string, error: unknown, failure: object | undefined): void {
    if (failure === undefined || this.#isNew(failure)) this.report(error, source);
  }

  isTold(failure: Failure | undefined): boolean {
    return failure !== undefined && this.#told.has(failure);
  }

  /** The supervisor itself fails with it. */
  mark(failure: Failure | undefined): void {
    if (failure) this.#told.add(failure);
  }

  #isNew(thing: object): boolean {
    const isNew = !this.#told.has(thing);
    this.#told.add(thing);
    return isNew;
  }
}
