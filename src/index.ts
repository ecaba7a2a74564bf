// Stages
export { consumer } from "./consumer.ts";
export { fromIterable } from "./from-iterable.ts";
export { type ProducerOptions, producer } from "./producer.ts";
export { producerConsumer } from "./producer-consumer.ts";
export { throughGenerator } from "./through-generator.ts";
// Composition
export type { Composed, NoResult, Pipeline, Sink, Step } from "./composition.ts";
export { pipeline } from "./pipeline.ts";
export type { PipelineSignatures } from "./pipeline-signatures.ts";
export { balance } from "./steps/balance.ts";
export { broadcast } from "./steps/broadcast.ts";
export { collect } from "./steps/collect.ts";
export { filter } from "./steps/filter.ts";
export { flatMap } from "./steps/flat-map.ts";
export { forEach } from "./steps/for-each.ts";
export { map } from "./steps/map.ts";
export { partitionBy } from "./steps/partition-by.ts";
export { reduce } from "./steps/reduce.ts";
export { scan } from "./steps/scan.ts";
export { skip } from "./steps/skip.ts";
export { take } from "./steps/take.ts";
export { takeWhile } from "./steps/take-while.ts";
export { tap } from "./steps/tap.ts";
// Dispatchers
export type {
  Dispatcher,
  DispatcherInspection,
  DispatcherLink,
  OptionsOfEvent,
  SubscribeOptionsOf,
} from "./dispatcher.ts";
export {
  type BroadcastDispatcherOptions,
  type BroadcastOptions,
  type BroadcastSubscribeOptions,
  broadcastDispatcher,
} from "./dispatchers/broadcast.ts";
export { type DemandDispatcherOptions, demandDispatcher } from "./dispatchers/demand.ts";
export {
  type PartitionDispatcherOptions,
  type PartitionName,
  type PartitionNames,
  type PartitionSubscribeOptions,
  partitionDispatcher,
} from "./dispatchers/partition.ts";
export type { Key } from "./hash.ts";
// Running
export {
  type Clock,
  fifoScheduler,
  type Runtime,
  type RuntimeOptions,
  runtime,
  type Scheduler,
  seededScheduler,
  type Task,
} from "./runtime.ts";
// Errors
export {
  type ArgumentCode,
  ArgumentError,
  type CallbackCode,
  CallbackError,
  type ErrorCode,
  type Family,
  type OverflowCode,
  OverflowError,
  type ProtocolCode,
  ProtocolError,
} from "./errors.ts";
// What they are made of
export type { Inspection, LinkInspection, StageInspection, Waiting } from "./inspect.ts";
export type { Attachable, Awaitable, ConsumerPort, Emits, End, ProducerPort, Reason } from "./protocol.ts";
export type * from "./types.ts";
