export { fromPublisher } from "./from-publisher.ts";
export { intoSubscriber } from "./into-subscriber.ts";
export type { Processor, Publisher, Subscriber, Subscription } from "./like.ts";
export { throughProcessor } from "./through-processor.ts";
export { type ToPublisherArguments, type ToPublisherOptions, toPublisher } from "./to-publisher.ts";
