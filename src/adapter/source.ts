import type { SourceBehaviour } from "../contract/adapter.ts";
import type { NoOptions, SubscribeOptionsOf } from "../contract/dispatcher.ts";
import type { ProducerOptions } from "../contract/options.ts";
import type { Producer } from "../contract/stage.ts";
import { defaultDispatcher } from "../dispatchers/demand.ts";
import { makeStage, sourceFaces } from "../stage/make-stage.ts";

/** Traits of an adapter's stage, as its author declares them. */
export interface Traits {
  /** Names of the adapter's own options: accepted, and listed in errors. */
  readonly own?: readonly string[] | undefined;
  /** The name of unnamed stages, followed by a number. @default the kind of stage */
  readonly name?: string | undefined;
}
export interface SourceTraits extends Traits {
  /** The maxDemand of subscribers. **Units** events. @default 1000 */
  readonly defaultMaxDemand?: number | undefined;
  /** Whether the foreign side emits unasked, so that `overflow` is an option. @default false */
  readonly pushes?: boolean | undefined;
}

/**
 * Makes a producer over a foreign source.
 *
 * **Shape** the results of `handleDemand`, and events pushed or handed to `answer`, in order.
 * **Units** `demand` in events, 1 to 10 000 a call.
 * **Backpressures** `handleDemand` is called only for demand not owed yet.
 * **Cancels** when its last consumer leaves, unless `onLastCancel: "continue"`: `terminate` releases the foreign side.
 *
 * @throws ArgumentError `ERR_BEHAVIOUR`, `ERR_OPTION`, `ERR_RANGE`: at once.
 *
 * **Source** rules 7.1 to 7.3.
 *
 * @example
 * import { source } from "headrace/adapter";
 *
 * const dice = () => source<number>({ handleDemand: (demand) => Array.from({ length: demand }, () => 4) }, {});
 * for await (const n of dice()) if (n === 4) break;
 */
export function source<Out, SO extends object = NoOptions>(
  behaviour: SourceBehaviour<Out>,
  options: ProducerOptions<Out, SO> = {},
  traits: SourceTraits = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  const { defaultMaxDemand, ...rest } = traits;
  return makeStage(sourceFaces, "producer", behaviour, options, {
    ...rest,
    dispatcher: defaultDispatcher,
    onLastCancel: "stop",
    defaultMaxDemand,
    refused: traits.pushes ? ["demandMode"] : ["demandMode", "overflow"],
  }) as Producer<Out, SubscribeOptionsOf<SO, Out>>;
}
