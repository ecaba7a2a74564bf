import type { SourceBehaviour } from "../contract/adapter.ts";
import type { NoOptions, SubscribeOptionsOf } from "../contract/dispatcher.ts";
import type { ProducerOptions } from "../contract/options.ts";
import type { Producer } from "../contract/stage.ts";
import { defaultDispatcher } from "../dispatchers/demand.ts";
import { makeStage, sourceFaces } from "../stage/make-stage.ts";

/** What the author of an adapter says of its stage. */
export interface Traits {
  /** Names of options of the adapter's own: they are not refused, and an error that lists the options lists them. */
  readonly own?: readonly string[] | undefined;
  /** The name of stages that are given none, in front of their number. @default the kind of stage */
  readonly name?: string | undefined;
}
export interface SourceTraits extends Traits {
  /** The maxDemand of subscribers that name none, where the user names none either. **Units** events. @default 1000 */
  readonly defaultMaxDemand?: number | undefined;
  /** Whether the foreign side emits unasked: then `overflow` is an option. Otherwise it is refused. @default false */
  readonly pushes?: boolean | undefined;
}

/**
 * Makes a producer over a foreign source.
 *
 * **Shape** what `handleDemand` returns, and what is pushed or comes later by `answer`, in that order.
 * **Units** `demand` in events, 1 to 10 000 a call.
 * **Backpressures** `handleDemand` is called only for what was asked and is not owed yet.
 * **Cancels** when its last consumer has gone, unless `onLastCancel: "continue"`: `terminate` lets go of the foreign side.
 *
 * @throws ArgumentError `ERR_BEHAVIOUR`, `ERR_OPTION`, `ERR_RANGE`: at once, for what is no behaviour or option.
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
