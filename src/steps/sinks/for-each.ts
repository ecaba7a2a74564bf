import type { StageContext } from "../../contract/stage.ts";
import type { Sink } from "../../contract/step.ts";
import type { Fixed } from "../../contract/options.ts";
import { Deque } from "../../base/deque.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Attempt } from "../concurrent/attempt.ts";
import { type CallOptions, checkCallOptions } from "../concurrent/call-options.ts";
import { each } from "../concurrent/each.ts";
import { makeSink } from "../../adapter/step.ts";
import { type Chain, checkFunction, type PerEventSink, StepFailure } from "../per-event/per-event.ts";

/** The one attempt of every event: what it waits for ends with the stage. */
class StageAttempt implements Attempt {
  readonly attempt = 1;
  readonly #chain: Chain;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  get signal(): AbortSignal {
    return (this.#chain.stage as StageContext).signal;
  }
}

export type ForEachOptions<Event> = CallOptions<Event>;

/**
 * Calls `fn` for each event, one at a time, or several at a time by its options: a promise that it returns is waited for.
 *
 * **Shape** events in; `done` of the pipeline fulfils with nothing. With `key` the events of one key are handled one at a time
 * and in order.
 * **Units** `concurrency` in calls, 1 by default and 16 with `key`; `maxQueued` in events, 1000 by default, with `key` only;
 * `timeout` in milliseconds from the start of each attempt.
 * **Backpressures** no event before the last one is done; up to `maxDemand` wait in front of it. With options, events taken
 * and not done are never more than 2 × `concurrency`, with `key` `concurrency` + `maxQueued`.
 * **Completes** with its source, behind the last call. **Cancels** at a stop: events that were not begun go back to the
 * source; calls under way are waited for, and their signals abort when the stop's timeout is over. At an abort they abort at
 * once. Events whose calls were cut short go to `onDiscard`.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no function, or no such option. When `fn` throws or rejects, and neither
 * `retry` nor `onFailure` says otherwise, the pipeline fails with that; the events behind it go back to the source, the
 * signals of other calls abort, and `failureOf(error).events` has what was begun, in order. TimeoutError `ERR_TIMEOUT`: an
 * attempt took longer than `timeout`.
 *
 * **Source** rules 8.2, 8.3, 8.6, 8.8.
 *
 * @example
 * await pipeline(fromIterable([1, 2]), forEach(async (n) => console.log(n))).done; // 1, 2
 * const save = async (row: { user: string }) => void row;
 * const rows = [{ user: "ann" }, { user: "bob" }, { user: "ann" }];
 * await pipeline(fromIterable(rows), forEach(save, { key: (row) => row.user, timeout: 1000 })).done;
 */
export function forEach<In>(
  fn: (event: In, attempt: Attempt) => unknown,
  options?: ForEachOptions<Fixed<In>>,
): Sink<In> {
  checkFunction("forEach", fn);
  if (options !== undefined) {
    checkCallOptions("forEach", options);
    return makeSink("forEach", (setting) => {
      const consumer = each(fn, options as ForEachOptions<In>, setting);
      return { consumer, result: () => undefined };
    });
  }
  const call = fn as (event: unknown, attempt: Attempt) => unknown;
  const sink: PerEventSink = {
    kind: "sink",
    name: "forEach",
    "~begin": (chain, place) => {
      const attempt = new StageAttempt(chain);
      /** A step's results for one event, beyond the pending one. */
      const waiting = new Deque<unknown>();
      let begun: unknown;
      chain.unfinished = () => {
        if (chain.pending === undefined) return [];
        const events = [begun];
        while (waiting.size > 0) events.push(waiting.shift());
        return events;
      };
      const hand = (event: unknown): void => {
        let answer: unknown;
        try {
          answer = call(event, attempt);
        } catch (cause) {
          throw new StepFailure(place, event, cause);
        }
        if (!isThenable(answer)) return;
        begun = event;
        chain.pending = settle(event, answer);
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
        end: {
          next(event): void {
            if (chain.pending === undefined) hand(event);
            else waiting.push(event);
          },
        },
        result: () => undefined,
      };
    },
  };
  return sink;
}
