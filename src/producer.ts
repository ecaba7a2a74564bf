import type { SubscribeOptionsOf, NoOptions } from "./contract/dispatcher.ts";
import { defaultDispatcher } from "./dispatchers/demand.ts";
import { makeStage, producerFaces } from "./stage/make-stage.ts";
import type { Pushable, ProducerOptions } from "./contract/options.ts";
import type { HandleDemand, ProducerCallbacks } from "./contract/behaviour.ts";
import type { ProducerStage } from "./contract/stage.ts";

/**
 * Makes a stage that emits events on demand.
 *
 * **Shape** no input; batches of `Out`. A function is the short form of `{ handleDemand }`, called again with the rest
 * as long as it returns events; an empty result means "later, by `push`".
 * **Units** `demand` in events, 1 to 10 000 a call.
 * **Backpressures** `handleDemand` is called only for demand not owed yet.
 * **Completes** after `complete()`, `handleEnd`, and the delivery of its buffer. **Cancels** only with
 * `onLastCancel: "stop"`.
 *
 * @throws ArgumentError `ERR_BEHAVIOUR`, `ERR_OPTION`, `ERR_RANGE`: at once.
 *
 * **Source** rules 1.2, 3.x, 4.1; GenStage's producer with one demand rule.
 *
 * @example
 * let next = 0;
 * const counter = producer((demand) => Array.from({ length: demand }, () => next++));
 */
export function producer<
  Out,
  SO extends object = NoOptions,
  I extends Out = Pushable<Out>,
  D extends Out = Pushable<Out>,
  P extends Out = Pushable<Out>,
>(
  behaviour: ProducerCallbacks<Out, I, D, P> | HandleDemand<Out, D>,
  options: ProducerOptions<Out, SO> = {},
): ProducerStage<Out, SubscribeOptionsOf<SO, Out>> {
  return makeStage(producerFaces, "producer", behaviour, options, {
    dispatcher: defaultDispatcher,
  }) as ProducerStage<Out, SubscribeOptionsOf<SO, Out>>;
}
