import { argumentError } from "../base/errors.ts";
import type { ComposeSignatures } from "./compose-signatures.ts";
import { type Compound, partsOf } from "./parts.ts";

/**
 * Makes one step of several, or one sink where the last is a sink: to be named, and used again.
 *
 * **Shape** that of its steps in a row; an empty list passes every event on. A list takes steps of one event type.
 * **Backpressures**, **completes**, **cancels** as its steps do. Each pipeline gets stages of its own; a stage of yours
 * among the steps stands in one pipeline only.
 *
 * @throws ArgumentError `ERR_OPTION`: an invalid step, or a sink before the end.
 *
 * **Source** rule 8.6.
 *
 * @example
 * const words = compose(
 *   flatMap((line: string) => line.split(" ")),
 *   filter((word) => word !== ""),
 * );
 * console.log(await pipeline(["a  b", "c"], words, collect())); // [ 'a', 'b', 'c' ]
 */
export const compose: ComposeSignatures = composed as unknown as ComposeSignatures;

function composed(...given: readonly unknown[]): Compound {
  if (given.length === 0) throw argumentError("ERR_OPTION", "compose to take steps, or a list of them", undefined);
  const steps = given.length === 1 && Array.isArray(given[0]) ? (given[0] as readonly unknown[]) : given;
  const last = partsOf(steps, new Set()).at(-1);
  const kind = last && ["sink", "own sink", "consumer"].includes(last.is) ? "sink" : "step";
  return { kind, name: "compose", "~steps": steps.slice() };
}
