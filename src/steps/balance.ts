import type { Step } from "../composition.ts";
import { demandDispatcher } from "../dispatchers/demand.ts";
import { shape } from "./shape.ts";

/**
 * Shares the events out among the consumers, as evenly as they ask: for workers that compete.
 *
 * **Shape** each event to one consumer. **Backpressures** when no consumer asks.
 *
 * **Source** rules 4.2, 8.5.
 *
 * @example
 * const jobs = pipeline(fromIterable([1, 2, 3, 4]), balance());
 * for (let i = 0; i < 2; i += 1) pipeline(jobs, forEach(async (n) => console.log(n)));
 */
export function balance<In>(): Step<In, In> {
  return shape("balance", () => demandDispatcher({ spread: "even" }));
}
