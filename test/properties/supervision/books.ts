import type { Discarded } from "../../../src/index.ts";
import { RestartError } from "../../../src/supervise/index.ts";

/** What became of every event and of every failure. */
export class Books {
  readonly emitted: number[] = [];
  readonly handled: number[] = [];
  /** Told to `onLost`. */
  readonly lost: number[] = [];
  /** Told to `onDiscard`. */
  readonly discarded: number[] = [];
  /** Still with the source at the end. */
  readonly left: number[] = [];
  /** Errors that something of the test has failed with. */
  readonly failures = new Set<unknown>();
  readonly reported: unknown[] = [];
  /** Errors that came with a lost event. */
  readonly lostWith: unknown[] = [];
  /** What `done` has rejected with. */
  ended: { readonly error: unknown } | undefined;
  /** `done` has settled. */
  over = false;
  /** Callbacks under way. */
  working = 0;

  async watch(done: Promise<void>): Promise<void> {
    try {
      await done;
    } catch (error) {
      this.ended = { error };
    }
    this.over = true;
  }

  fail(what: string): Error {
    const error = new Error(what);
    this.failures.add(error);
    return error;
  }
  readonly onDiscard = ({ events }: Discarded): void => void this.discarded.push(...(events as number[]));

  /** What is wrong, in words. */
  faults(): string[] {
    const found: string[] = [];
    const all = [...this.handled, ...this.lost, ...this.discarded, ...this.left];
    for (const n of this.emitted) {
      const times = all.filter((other) => other === n).length;
      if (times !== 1) {
        const places = (["handled", "lost", "discarded", "left"] as const).flatMap((name) =>
          this[name].filter((other) => other === n).map(() => name),
        );
        found.push(`event ${n} is in ${times} places: ${places.join(", ")}`);
      }
    }
    for (const n of all) if (!this.emitted.includes(n)) found.push(`event ${n} came from nowhere`);
    // The failure that was one too many is told as the cause alone.
    const last = this.ended?.error instanceof RestartError ? this.ended.error.cause : this.ended?.error;
    for (const error of this.failures) {
      const reports = this.reported.filter((other) => other === error).length;
      const told = reports + Number(last === error);
      const heard = told + Number(this.lostWith.includes(error));
      if (heard === 0) found.push(`no one heard of ${String(error)}`);
      if (told > 1) found.push(`${String(error)} was told ${told} times`);
    }
    return found;
  }
}
