import type { Sink } from "../../contract/step.ts";
import { Deque } from "../../base/deque.ts";
import { isThenable } from "../../base/thenable.ts";
import { checkFunction, type PerEventSink, StepFailure } from "../per-event/per-event.ts";

/**
 * Calls `fn` for each event, one at a time, and awaits a promise that it returns.
 *
 * **Shape** events in; `done` of the pipeline resolves with undefined.
 * **Backpressures** one event at a time; up to `maxDemand` wait in front of it.
 *
 * @throws ArgumentError `ERR_OPTION`: no function. An error or rejection of `fn` fails the pipeline by identity; the
 * events behind it go back to the source.
 *
 * **Source** rules 8.2, 8.3, 8.6.
 *
 * @example
 * await pipeline(fromIterable([1, 2]), forEach(async (n) => console.log(n))).done;
 */
export function forEach<In>(fn: (event: In) => unknown): Sink<In> {
  checkFunction("forEach", fn);
  const call = fn as (event: unknown) => unknown;
  const sink: PerEventSink = {
    kind: "sink",
    name: "forEach",
    "~begin": (chain, place) => {
      /** A step's results for one event, beyond the pending one. */
      const waiting = new Deque<unknown>();
      const hand = (event: unknown): void => {
        let answer: unknown;
        try {
          answer = call(event);
        } catch (cause) {
          throw new StepFailure(place, event, cause);
        }
        if (isThenable(answer)) chain.pending = settle(event, answer);
      };
      const settle = async (event: unknown, answer: PromiseLike<unknown>): Promise<void> => {
        try {
          await answer;
        } catch (cause) {
          throw new StepFailure(place, event, cause);
        }
        chain.pending = undefined;
        while (chain.pending === undefined && waiting.size > 0 && !chain.ended) hand(waiting.shift());
      };
      return {
        receive(event): void {
          if (chain.pending === undefined) hand(event);
          else waiting.push(event);
        },
        result: () => undefined,
      };
    },
  };
  return sink;
}
