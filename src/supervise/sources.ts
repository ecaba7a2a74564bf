import { isThenable } from "../base/thenable.ts";
import { ignore } from "../base/reason.ts";
import type { AnyProducer } from "./declaration.ts";
import type { Link, Member } from "./member.ts";
import type { Telling } from "./telling.ts";

/**
 * Producers from outside that children are subscribed to. One may fail while its consumer waits for a restart: the next
 * start meets that failure, so it is not unhandled meanwhile.
 */
export class Sources {
  #members: readonly Member[];
  readonly #telling: Telling;
  readonly #held = new Set<AnyProducer>();
  /** Those that have failed, until a child has met the failure. */
  readonly #failed = new Map<AnyProducer, unknown>();

  constructor(members: readonly Member[], telling: Telling) {
    this.#members = members;
    this.#telling = telling;
  }

  hold(source: AnyProducer): void {
    if (this.#held.has(source)) return;
    this.#held.add(source);
    // What is no stage of this package may have none.
    const done: unknown = source.done;
    if (!isThenable(done)) return;
    Promise.resolve(done).then(ignore, (error: unknown) => {
      this.#failed.set(source, error);
      this.look();
    });
  }

  /** Tells failures that no child has met, or will meet. */
  look(): void {
    for (const [source, error] of this.#failed) {
      const concerned = this.#members.filter(({ links }) => links.some(({ to }) => to === source));
      const met = concerned.some((member) => member.error === error);
      if (!met && concerned.some((member) => willMeet(member, source))) continue;
      this.#failed.delete(source);
      const { failure } = source as { readonly failure?: object };
      if (!met) this.#telling.unmet(source.name, error, failure);
    }
  }

  /** The supervisor has ended. Its children are not kept for a source that lives longer. */
  release(): void {
    this.look();
    this.#members = [];
  }
}

function willMeet({ phase, links }: Member, source: AnyProducer): boolean {
  if (phase === "waiting") return true;
  return phase === "running" && links.some((link) => link.to === source && endsWith(link));
}

const endsWith = ({ options }: Link): boolean => options.cancel !== "temporary";
