import type { ConsumerPort, ProducerPort, Reason } from "../../src/index.ts";
import { complete, type Failure, type Source, type SourceFactory } from "./harness.ts";

/** Where a source can go wrong. Without any of it, it keeps to the rules. */
export interface Wrong {
  /** How a sum of asks is kept. */
  readonly add?: (unmet: number, count: number) => number;
  /** Events sent for what was asked. */
  readonly amount?: (asked: number) => number;
  /** Says something while it is attached to. */
  readonly attached?: (port: ConsumerPort<number>) => void;
  readonly neverEnds?: true;
  readonly neverEmits?: true;
  readonly endsOnlyWhenAsked?: true;
  readonly servesAfterTheEnd?: true;
  readonly servesAfterACancel?: true;
  readonly recursive?: true;
  readonly throwsOnSecondCancel?: true;
  readonly losesFalsyErrors?: true;
  readonly losesTheWakeUp?: true;
  readonly acceptsTwice?: true;
  readonly swallowsWrongAsks?: true;
  /** Events in a batch at most. */
  readonly batchesOf?: number;
}

/** A source written against the wire, with no stage behind it. */
class Double implements Source {
  readonly #count: number;
  readonly #failure: Failure | undefined;
  readonly #wrong: Wrong;
  readonly #ports = new Set<object>();
  #next = 0;

  constructor(count: number, failure: Failure | undefined, wrong: Wrong) {
    this.#count = count;
    this.#failure = failure;
    this.#wrong = wrong;
  }

  "~attach"(port: ConsumerPort<number>): ProducerPort {
    if (typeof port?.events !== "function") throw new TypeError("no consumer");
    if (this.#ports.has(port) && !this.#wrong.acceptsTwice) {
      port.end({ reason: { type: "failure", error: { code: "ERR_DUPLICATE_LINK" } } });
      return { ask: () => {}, end: () => {} };
    }
    this.#ports.add(port);
    this.#wrong.attached?.(port);
    return this.#link(port);
  }

  #link(port: ConsumerPort<number>): ProducerPort {
    const wrong = this.#wrong;
    const link: { to: ConsumerPort<number> | undefined; unmet: number } = { to: port, unmet: 0 };
    let over = false;
    let cancels = 0;
    let queued = false;
    let depth = 0;
    const send = (batch: number[]): void => {
      if (link.to && !wrong.neverEmits) link.to.events(batch);
    };
    const end = (reason: Reason): void => {
      over = true;
      if (link.to && !wrong.neverEnds) link.to.end({ reason });
      this.#ports.delete(port);
      if (!wrong.servesAfterTheEnd) link.to = undefined;
    };
    const work = (): void => {
      if (over) return;
      while (link.to !== undefined && link.unmet > 0 && this.#next < this.#count) {
        const asked = Math.min(link.unmet, wrong.batchesOf ?? 10_000, this.#count - this.#next);
        const amount = wrong.amount?.(asked) ?? asked;
        link.unmet -= asked;
        this.#next += amount;
        depth += 1;
        send(Array.from({ length: amount }, (_, i) => this.#next - amount + i));
        depth -= 1;
        if (wrong.losesTheWakeUp) break;
      }
      if (link.to === undefined || this.#next < this.#count) return;
      if (wrong.endsOnlyWhenAsked && link.unmet === 0) return;
      const { error } = this.#failure ?? {};
      const fails = wrong.losesFalsyErrors ? Boolean(error) : this.#failure !== undefined;
      end(fails ? { type: "failure", error } : complete);
    };
    const wake = (): void => {
      if (wrong.recursive) {
        work();
        return;
      }
      if (queued) return;
      queued = true;
      queueMicrotask(() => {
        queued = false;
        if (depth === 0) work();
      });
    };
    if (this.#count === 0) wake();
    return {
      ask: (count) => {
        if (link.to === undefined && !wrong.servesAfterACancel) return;
        const fits = typeof count === "number" && count >= 1 && (Number.isSafeInteger(count) || count === Infinity);
        if (!fits && !wrong.swallowsWrongAsks) {
          if (!over) end({ type: "failure", error: { code: "ERR_ASK_SIGNAL" } });
          return;
        }
        if (over && wrong.servesAfterTheEnd) send([0]);
        if (cancels > 0 && wrong.servesAfterACancel) port.events([0]);
        link.unmet = (wrong.add ?? ((a, b) => a + b))(link.unmet, count);
        if (link.unmet === Number.MIN_VALUE) end({ type: "failure", error: "too much" });
        else wake();
      },
      end: () => {
        cancels += 1;
        if (cancels > 1 && wrong.throwsOnSecondCancel) throw new Error("cancelled already");
        const serves = over ? wrong.servesAfterTheEnd : wrong.servesAfterACancel;
        if (!serves) link.to = undefined;
        this.#ports.delete(port);
      },
    };
  }
}

/** A factory of sources that go wrong in one way. */
export const doubleOf =
  (wrong: Wrong = {}): SourceFactory =>
  (count, failure) =>
    new Double(count, failure, wrong);
