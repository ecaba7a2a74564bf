import type { EmittingContext } from "../../src/stage/faces.ts";
import { OverflowError, type Overflow, type Reason, type Task } from "../../src/index.ts";
import { errorOf, isFailure } from "../../src/base/reason.ts";
import { Receiver } from "./receiver.ts";

/** Values that a policy drops are dropped, and reported, in bursts of at most this many. */
const BURST = 1024;
/** Batches of fewer values grow as they are filled; none is made longer than the second before it is filled. */
const LEAST = 16;
const MOST = 1024;

/** Receives values whenever they come, collects them into batches within a turn, and pushes those. */
export class Inflow<Value> extends Receiver<Value> implements Task {
  protected readonly stage: EmittingContext;
  /** Values to collect when nobody asks. */
  readonly #burst: number;
  #batch: Value[] = [];
  /** Values collected in it; it is made as long as the one before it was. */
  #count = 0;
  /** Values to collect before they are pushed: what is asked for, or what the buffer holds. */
  #room = 1;
  /** Consumers work off what they have; what comes meanwhile stands behind the first value of the batch. */
  #beginning = false;

  constructor(stage: EmittingContext, bufferSize: number, overflow: Overflow) {
    super();
    this.stage = stage;
    this.#burst = Math.max(overflow === "throw" ? 1 : BURST, bufferSize);
  }

  override next(value: Value): void {
    if (this.closed) return;
    this.#batch[this.#count] = value;
    this.#count += 1;
    if (this.#count === 1) this.#begin();
    if (this.#count >= this.#room && !this.#beginning) this.send();
  }

  override error(error: unknown): void {
    if (this.closed) return;
    this.send();
    // What was sent has overflown: then that is what the stage fails with.
    if (this.closed) this.report(error);
    else {
      this.closed = true;
      this.stage.fail(error, { after: "buffer" });
      this.tearDown();
    }
  }

  override complete(): void {
    if (this.closed) return;
    this.send();
    if (this.closed) return;
    this.closed = true;
    this.stage.complete();
    this.tearDown();
  }

  /** The stage ends, aborted or not. What is collected is for nobody. */
  end(reason: Reason, aborted: boolean): void {
    const from = this.#beginning ? 1 : 0;
    const batch = this.#take().slice(from);
    const cause = isFailure(reason) ? (aborted ? "abort" : "failure") : "stop";
    this.stage["~core"].outcome.discard(batch, cause, cause === "stop");
    this.release(errorOf(reason));
  }

  run(): void {
    if (!this.#beginning) this.send();
  }

  /** Pushes what is collected. */
  send(): void {
    if (this.#count === 0) return;
    try {
      this.stage.push(this.#take());
    } catch (error) {
      // A stage that was completed from inside takes no more: what the Observable still says is for nobody.
      if (error instanceof OverflowError) this.stage.fail(error, { after: "buffer" });
      this.release();
    }
  }

  protected override report(error: unknown): void {
    this.stage["~core"].report.tell(error, "unsubscribe");
  }

  #take(): Value[] {
    const batch = this.#batch;
    const count = this.#count;
    if (batch.length > count) batch.length = count;
    this.#batch = count < LEAST ? [] : new Array<Value>(Math.min(count, MOST));
    this.#count = 0;
    this.#beginning = false;
    return batch;
  }

  /** A batch begins. If nobody asks, whoever could is given the chance to. */
  #begin(): void {
    const { stage } = this;
    const { runtime } = stage["~core"];
    if (stage.demand === 0) {
      this.#beginning = true;
      runtime.flush();
      this.#beginning = false;
      if (this.#count === 0) return;
    }
    const { demand } = stage;
    this.#room = demand > 0 ? demand : this.#burst;
    if (this.#count < this.#room) runtime.schedule(this);
  }
}
