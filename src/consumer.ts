import { consumerFaces, makeStage } from "./stage/make-stage.ts";
import type { Consumer } from "./contract/stage.ts";
import type { ConsumerBehaviour, HandleEvents } from "./contract/behaviour.ts";
import type { StageOptions } from "./contract/options.ts";

/**
 * Makes a stage that takes events.
 *
 * **Shape** batches of `In`, at most maxDemand - minDemand events each; nothing out.
 * **Backpressures** while `handleEvents` or its promise is pending; at most maxDemand events are in flight.
 * **Completes** when its last permanent subscription has ended well. **Cancels** its subscriptions when it ends;
 * unstarted events go back.
 *
 * @throws ArgumentError `ERR_BEHAVIOUR`, `ERR_OPTION`: at once.
 *
 * **Source** rules 1.2, 3.x, 5.x; GenStage's consumer.
 *
 * @example
 * const printer = consumer((events: readonly string[]) => console.log(events.join("\n")));
 */
export function consumer<In>(
  behaviour: ConsumerBehaviour<In> | HandleEvents<In>,
  options: StageOptions = {},
): Consumer<In> {
  return makeStage(consumerFaces, "consumer", behaviour, options) as Consumer<In>;
}
