import type { SubscribeOptionsOf, NoOptions } from "./contract/dispatcher.ts";
import { defaultDispatcher } from "./dispatchers/demand.ts";
import { makeStage, producerConsumerFaces } from "./stage/make-stage.ts";
import type { ProducerOptions, Pushable } from "./contract/options.ts";
import type { ProducerConsumer } from "./contract/stage.ts";
import type { ProducerConsumerCallbacks, TransformEvents } from "./contract/behaviour.ts";

/**
 * Makes a stage that takes events and emits its results for them.
 *
 * **Shape** batches of `In`, batches of `Out`; any number out for a batch in.
 * **Backpressures** takes a message only while its consumers want events and its buffer is within its limit.
 * **Completes** when its last permanent source has completed and is worked off, or after `complete()`; `handleEnd` may
 * add events.
 * **Cancels** its sources when it ends; unstarted events go back.
 *
 * @throws ArgumentError `ERR_BEHAVIOUR`, `ERR_OPTION`, `ERR_RANGE`: at once.
 *
 * **Source** rules 1.2, 4.1, 5.x; GenStage's producer_consumer, with a bounded buffer that is delivered before it ends.
 *
 * @example
 * const doubler = producerConsumer((events: readonly number[]) => events.flatMap((n) => [n, n]));
 */
export function producerConsumer<
  In,
  Out,
  SO extends object = NoOptions,
  I extends Out = Pushable<Out>,
  D extends Out = Pushable<Out>,
  P extends Out = Pushable<Out>,
>(
  behaviour: ProducerConsumerCallbacks<In, Out, I, D, P> | TransformEvents<In, Out, D>,
  options: ProducerOptions<Out, SO> = {},
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>> {
  return makeStage(producerConsumerFaces, "producerConsumer", behaviour, options, {
    dispatcher: defaultDispatcher,
  }) as ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>>;
}
