import type { ProducerConsumer, ProducerOptions, SubscribeOptionsOf } from "../../src/index.ts";
import { coupled, type NoOptions } from "../../src/adapter/index.ts";
import { checkSubscriber } from "./core.ts";
import { fromPublisher } from "./from-publisher.ts";
import { intoSubscriber } from "./into-subscriber.ts";
import type { Processor } from "./like.ts";

/**
 * Makes a producerConsumer of a Reactive Streams Processor.
 *
 * **Shape** one `onNext` per event in, one event out per `onNext` of its own. It is subscribed to with the first
 * consumer, and hears `onSubscribe` once the stage has its one source.
 * **Units** events on both sides. Options are those of the side that emits.
 * **Backpressures** asks its source for the Processor's requests, and requests its own demand of it.
 * **Completes** with the Processor. One that cancels has had enough: the rest goes back to its source.
 * **Cancels** when its last consumer leaves, or at `stop`: both sides are left.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Processor; `ERR_OPTION`, `ERR_RANGE`; `ERR_DUPLICATE`, by `subscribe`: it
 * has a source already. A failing source, a Processor that fails or throws, and an invalid request fail the stage.
 *
 * **Source** rules 7.1 to 7.3; Reactive Streams 4.1 and 4.2.
 *
 * @example
 * const publisher = toPublisher(fromIterable([1, 2]));
 * const processor = { ...publisher, onSubscribe() {}, onNext() {}, onError() {}, onComplete() {} };
 * for await (const n of throughProcessor<string, number>(processor)) console.log(n); // 1, 2
 */
export function throughProcessor<In, Out, SO extends object = NoOptions>(
  processor: Processor<In, Out>,
  options: ProducerOptions<Out, SO> = {},
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>> {
  checkSubscriber(processor);
  const producer = fromPublisher<Out, SO>(processor, options);
  const { signal, runtime, onReport } = options;
  return coupled(
    intoSubscriber<In>(processor, { name: `${producer.name} input`, signal, runtime, onReport }),
    producer,
  );
}
