import { type Discarded, failureOf } from "../../../src/index.ts";
import { type TestRuntime, testRuntime, VirtualClock } from "../../support/runtime.ts";
import { Random } from "../random.ts";
import { Books, Item } from "./books.ts";

/** What one run has in common: its choices, its clocks, its books. */
export class Scene {
  readonly random: Random;
  readonly runtime: TestRuntime;
  /** The time of the user's functions: what is left on the runtime's clock is then the steps'. */
  readonly outside: VirtualClock = new VirtualClock();
  readonly books: Books = new Books();
  /** Its steps in words. */
  readonly story: string[] = [];
  /** Signals of the user's, which keep no listener. */
  readonly signals: AbortSignal[] = [];
  /** Called with every round: what a user does by the way. */
  readonly daily: (() => void)[] = [];
  /** In percent. */
  readonly badness: number;
  /** How likely a function of the user's takes its time, in percent. */
  readonly slowness: number;
  /** What the branches of a broadcast at the end have had. */
  shared: readonly ReadonlySet<Item>[] = [];
  /** No step has changed the order of a key. */
  ordered = true;
  /** Every event has to arrive, if all ends well: no step drops. */
  whole = true;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.runtime = testRuntime({ seed });
    this.badness = this.random.pick([0, 0, 0, 1, 3]);
    this.slowness = this.random.pick([0, 20, 80]);
  }

  readonly onDiscard = ({ events, cause }: Discarded): void => this.books.note(`told ${cause}`, events);

  /** What came second is told with its events, too. */
  readonly onReport = (error: unknown): void => {
    this.books.reported.push(error);
    this.books.note("failed", failureOf(error)?.events ?? []);
  };

  get bad(): boolean {
    return this.random.chance(this.badness);
  }

  /** Resolves on the user's own clock. */
  wait(ms: number = this.random.below(20)): Promise<void> {
    return new Promise((resolve) => {
      this.outside.setTimer(resolve, ms);
    });
  }

  /** A function of the user's that ends at once, or later, or badly. */
  work<Out>(where: string, then: () => Out): Out | Promise<Out> {
    if (this.bad) {
      const error = this.books.fail(where);
      if (this.random.chance(50)) throw error;
      return this.wait().then(() => Promise.reject(error));
    }
    return this.random.chance(this.slowness) ? this.wait().then(then) : then();
  }
}

export const keyOf = (item: Item): number => item.key;
