import type { Sink } from "../../contract/step.ts";
import type { PerEventSink } from "../per-event/per-event.ts";

/**
 * Keeps all events, in order.
 *
 * **Shape** events in; `done` of the pipeline resolves with an array of them. It holds them all: put `take` in front
 * for an endless source.
 *
 * **Source** rules 8.2, 8.6.
 *
 * @example
 * const { done } = pipeline(fromIterable("abc"), collect());
 * console.log(await done); // [ 'a', 'b', 'c' ]
 */
export function collect<In>(): Sink<In, In[]> {
  const sink: PerEventSink = {
    kind: "sink",
    name: "collect",
    "~begin": () => {
      const events: unknown[] = [];
      return { end: { into: { events, count: 0 } }, result: () => events };
    },
  };
  return sink;
}
