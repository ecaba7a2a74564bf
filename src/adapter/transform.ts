import type { TransformBehaviour } from "../contract/adapter.ts";
import type { NoOptions, SubscribeOptionsOf } from "../contract/dispatcher.ts";
import type { ProducerOptions } from "../contract/options.ts";
import type { ProducerConsumer } from "../contract/stage.ts";
import { defaultDispatcher } from "../dispatchers/demand.ts";
import { makeStage, transformFaces } from "../stage/make-stage.ts";
import type { SourceTraits } from "./source.ts";

export type TransformTraits = Omit<SourceTraits, "defaultMaxDemand">;

/**
 * Makes a producerConsumer with an adapter's abilities: to emit late (`answer`), to decide on its subscriptions'
 * options (`admit`), and to give a queue back.
 *
 * **Shape** batches in, batches out.
 * **Backpressures** takes a message only while its consumers want events and its buffer is within its limit.
 * **Completes** as a `producerConsumer` does. **Cancels** its sources when its last consumer leaves, unless
 * `onLastCancel: "continue"`.
 *
 * @throws ArgumentError `ERR_BEHAVIOUR`, `ERR_OPTION`, `ERR_RANGE`: at once.
 *
 * **Source** rules 3.11, 7.1 to 7.3.
 *
 * @example
 * import { transform } from "headrace/adapter";
 *
 * const doubled = transform<number, number>({ handleEvents: (events) => events.map((n) => 2 * n) }, {});
 * console.log(await pipeline(fromIterable([1, 2]), doubled, collect()).done); // [ 2, 4 ]
 */
export function transform<In, Out, SO extends object = NoOptions>(
  behaviour: TransformBehaviour<In, Out>,
  options: ProducerOptions<Out, SO> = {},
  traits: TransformTraits = {},
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>> {
  return makeStage(transformFaces, "producerConsumer", behaviour, options, {
    ...traits,
    drops: traits.pushes,
    dispatcher: defaultDispatcher,
    onLastCancel: "stop",
  }) as ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>>;
}
