import { requireInteger } from "../../base/check.ts";
import { requireNeeded } from "../../base/needed.ts";
import type { Step } from "../../contract/step.ts";
import { makeStep } from "../../adapter/step.ts";
import { Holding } from "./holding.ts";

export interface BoundaryOptions {
  /** Events asked for and not passed on at most. **Units** events, from 1. */
  readonly maxDemand: number;
  /** **Units** events, from 0 to maxDemand - 1. @default half of maxDemand, rounded down */
  readonly minDemand?: number | undefined;
}

class Boundary<In> extends Holding<In> {
  readonly #least: number;
  override readonly most: number;

  constructor(most: number, least: number) {
    super();
    this.most = most;
    this.#least = least;
  }

  pump(): void {
    if (this.over) return;
    const count = Math.min(this.output.demand, this.held.size);
    if (count > 0) this.output.answer(this.held.take(count));
    this.checkEmpty();
    const there = this.held.size + this.asks.outstanding;
    if (this.begun && !this.asks.closed && there <= this.#least) this.asks.ask(this.most - there);
  }
}

/**
 * Ends a stage: what stands in front of it runs apart from what stands behind, with a window of its own between.
 *
 * **Shape** one out for one in.
 * **Units** `maxDemand` and `minDemand` in events.
 * **Backpressures** it asks for `maxDemand` events, and takes them only as it is asked: so many wait in front of it.
 * **Completes** with its source, behind what has come. **Cancels** at a stop: what it has not passed on goes back.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no window, or no such option.
 *
 * **Source** rules 3.4, 8.8.
 *
 * @example
 * const parsed = map((text: string) => Number(text));
 * const { done } = pipeline(fromIterable(["1", "2"]), parsed, boundary({ maxDemand: 10 }), collect());
 * console.log(await done); // [ 1, 2 ]
 */
export function boundary<In>(options: BoundaryOptions): Step<In, In> {
  requireNeeded("boundary", "boundary(…)", options, ["maxDemand", "minDemand"], { maxDemand: "100" });
  requireInteger("maxDemand", options.maxDemand, 1);
  requireInteger("minDemand", options.minDemand, 0, options.maxDemand - 1);
  const { maxDemand, minDemand } = options;
  const least = minDemand ?? Math.floor(maxDemand / 2);
  return makeStep<In, In>("boundary", (setting) => new Boundary<In>(maxDemand, least).make(setting));
}
