// Stages
export { consumer } from "./consumer.ts";
export { fromIterable } from "./from-iterable.ts";
export { type ProducerOptions, producer } from "./producer.ts";
export { producerConsumer } from "./producer-consumer.ts";
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
