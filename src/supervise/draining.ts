import type { Failure } from "../contract/failure.ts";
import type { Member } from "./member.ts";
import type { Run } from "./run.ts";

interface Drainable {
  readonly drain?: () => PromiseLike<unknown>;
}

/** The drain of a supervisor's children: each in front of those that are subscribed to it. */
export class Draining {
  readonly #named: (name: string) => Member;
  readonly #report: (error: unknown, phase: string) => void;
  /** Those whose turn has come: they are not started again. */
  readonly #begun = new Set<Member>();
  readonly #left: Set<Member>;
  /** The first failure of one that was being drained. */
  failure: { readonly error: unknown } | undefined;

  constructor(
    members: readonly Member[],
    named: (name: string) => Member,
    report: (error: unknown, phase: string) => void,
  ) {
    this.#left = new Set(members);
    this.#named = named;
    this.#report = report;
  }

  has(member: Member): boolean {
    return this.#begun.has(member);
  }

  /** Whether one that it is subscribed to has failed while it was being drained, and this one with it. */
  isCaught({ links }: Member, failure: Failure | undefined): boolean {
    if (failure === undefined) return false;
    const sources = links.flatMap(({ to }) => (typeof to === "string" ? [this.#named(to)] : []));
    return sources.some((source) => this.#begun.has(source) && source.failure === failure);
  }

  /** The next one, behind its sources. */
  next(): Member | undefined {
    for (const member of this.#left) return this.#firstOf(member);
    return undefined;
  }

  /** `behind`: those that are subscribed to it, which may form a ring. */
  #firstOf(member: Member, behind: readonly Member[] = []): Member {
    for (const { to } of member.links) {
      const source = typeof to === "string" ? this.#named(to) : undefined;
      if (source && this.#left.has(source) && !behind.includes(source))
        return this.#firstOf(source, [...behind, member]);
    }
    this.#left.delete(member);
    return member;
  }

  /** Resolves when it has ended. */
  async drain(member: Member): Promise<void> {
    this.#begun.add(member);
    const { run } = member;
    if (member.phase !== "running" || run === undefined) return;
    const child = run.stoppable as Drainable | undefined;
    if (typeof child?.drain === "function") void this.#ask(member, run, child as Required<Drainable>);
    else run.stop(member.shutdown);
    await run.over;
  }

  /** One that cannot be drained is stopped. A failure is mostly that of its `done`, and told there. */
  async #ask(member: Member, run: Run, child: Required<Drainable>): Promise<void> {
    try {
      await child.drain();
    } catch (error) {
      run.stop(member.shutdown);
      await run.over;
      if (member.error !== error) this.#report(error, `drain of ${member.name}`);
    }
  }
}
