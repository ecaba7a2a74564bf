import { fanOut } from "./fan-out.ts";
import type { Step } from "../../contract/step.ts";
import { demandDispatcher } from "../../dispatchers/demand.ts";

/**
 * Shares the events out among competing consumers, as evenly as they ask.
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
  return fanOut("balance", () => demandDispatcher({ spread: "even" }));
}
