import { refuseUnknown } from "../../base/check.ts";
import { argumentError, CallbackError, callbackError, words } from "../../base/errors.ts";
import type { Place } from "../../contract/row.ts";
import type { Sink } from "../../contract/step.ts";
import type { PerEventSink } from "../per-event/per-event.ts";

/**
 * Takes one event, and leaves the source.
 *
 * **Shape** `done` of the pipeline resolves with the first event that comes through the steps.
 * **Backpressures** it asks for one event at a time, and so do per-event steps in front of it: the rest stays at the source.
 * **Completes** behind the first event; with `orElse` also when its source ends without one. **Cancels** the source then.
 *
 * @throws ArgumentError `ERR_OPTION`: no such option. CallbackError `ERR_EMPTY`: the source has ended without an event, or the
 * pipeline was stopped before; with `orElse` that is the result instead.
 *
 * **Source** rules 8.2, 8.4, 8.6.
 *
 * @example
 * console.log(await pipeline(fromIterable([1, 2, 3]), filter((n) => n > 1), first())); // 2
 * console.log(await pipeline(fromIterable<number>([]), first({ orElse: 0 }))); // 0
 */
export function first<In>(): Sink<In, In>;
export function first<In, Else>(options: { readonly orElse: Else }): Sink<In, In | Else>;
export function first<In, Else>(options?: { readonly orElse: Else }): Sink<In, In | Else> {
  if (options !== undefined) {
    if (Object(options) !== options || !("orElse" in options))
      throw argumentError("ERR_OPTION", "first to get { orElse }, or nothing", options);
    refuseUnknown("first", options, ["orElse"]);
  }
  const sink: PerEventSink = {
    kind: "sink",
    name: "first",
    "~begin": (chain, place) => {
      const own = { left: 1 };
      let found: unknown;
      chain.takes.push(own);
      const result = (): unknown => {
        if (own.left === 0) return found;
        if (options) return options.orElse;
        throw emptyError(chain.stage?.name ?? "a pipeline", place);
      };
      chain.onEnd = () => void result();
      return {
        end: {
          next(event): void {
            own.left = 0;
            found = event;
            chain.over = true;
          },
        },
        result,
      };
    },
  };
  return sink;
}

function emptyError(stage: string, { index }: Place): unknown {
  const error = new CallbackError(
    { code: "ERR_EMPTY", expected: `an event for step ${index} (first) of ${stage}`, got: words("none") },
    [],
  );
  return callbackError({ stage, callback: "handleEnd", step: "first", index }, error, []);
}
