import type { Sink } from "../../contract/step.ts";
import type { PerEventSink } from "../per-event/per-event.ts";

/**
 * Keeps all events, in order.
 *
 * **Shape** events in; `done` of the pipeline fulfils with an array of them. It holds them all: for a source without an
 * end put `take` in front.
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
      return {
        receive(event): void {
          events.push(event);
        },
        result: () => events,
      };
    },
  };
  return sink;
}
