// Stages
export { consumer } from "./consumer.ts";
export { fromIterable } from "./sources/from-iterable.ts";
export { type ProducerOptions } from "./contract/options.ts";
export { concat, type Concatenating, type ConcatOptions } from "./sources/concat.ts";
export { type Merged, type MergeOptions, type Merging, merge } from "./sources/merge.ts";
export { type PollContext, type PollOptions, poll } from "./sources/poll.ts";
export { reopen, type ReopenOptions } from "./sources/reopen.ts";
export { type Offers, type Queue, queue, type QueueOptions } from "./sources/queue.ts";
export { ticks } from "./sources/ticks.ts";
export { producer } from "./producer.ts";
export { producerConsumer } from "./producer-consumer.ts";
export { throughGenerator } from "./through-generator.ts";
// Composition
export type { Composed, Composite, Last, Part, Pipeline, PipelineOptions } from "./contract/pipeline.ts";
export type * from "./contract/no-source.ts";
export type * from "./contract/no-step.ts";
export type { Chunks, EachOf, EventOf, Opened, Source, SourceNotString } from "./contract/source.ts";
export type * from "./contract/sync.ts";
export type * from "./contract/branches.ts";
export type { Sink, Step } from "./contract/step.ts";
export { pipeline } from "./pipeline/pipeline.ts";
export type { PipelineFunction, PipelineSignatures } from "./pipeline/signatures.ts";
export { compose } from "./pipeline/compose.ts";
export type { ComposeSignatures } from "./pipeline/compose-signatures.ts";
export { balance } from "./steps/fan-out/balance.ts";
export { broadcast, type BroadcastBranchesOptions } from "./steps/fan-out/broadcast.ts";
export { batch, type BatchOptions } from "./steps/concurrent/batch.ts";
export { boundary, type BoundaryOptions } from "./steps/concurrent/boundary.ts";
export { buffer, type BufferOptions, latest } from "./steps/concurrent/buffer.ts";
export { distinct } from "./steps/per-event/distinct.ts";
export { flatMapAsync, type FlatMapAsyncOptions } from "./steps/concurrent/flat-map-async.ts";
export { idle } from "./steps/concurrent/idle.ts";
export { rateLimit, type RateLimitOptions } from "./steps/concurrent/rate-limit.ts";
export { takeUntil } from "./steps/concurrent/take-until.ts";
export type { Attempt } from "./steps/concurrent/attempt.ts";
export type { Retry } from "./contract/retry.ts";
export type { CallOptions, Failed } from "./steps/concurrent/call-options.ts";
export { mapAsync, type MapAsyncOptions } from "./steps/concurrent/map-async.ts";
export { type Rate, type RateLimiter, rateLimiter } from "./steps/concurrent/rate-limiter.ts";
export { collect } from "./steps/sinks/collect.ts";
export { filter } from "./steps/per-event/filter.ts";
export { first } from "./steps/sinks/first.ts";
export { flatMap } from "./steps/per-event/flat-map.ts";
export { forEach, type ForEachOptions } from "./steps/sinks/for-each.ts";
export { intoGroups, type ProducerIsNoGroup } from "./steps/groups/into-groups.ts";
export type { GroupOptions } from "./steps/groups/groups.ts";
export { map } from "./steps/per-event/map.ts";
export { partitionBy, type PartitionOptions } from "./steps/fan-out/partition-by.ts";
export { reduce } from "./steps/sinks/reduce.ts";
export { scan } from "./steps/per-event/scan.ts";
export { skip } from "./steps/per-event/skip.ts";
export { take } from "./steps/per-event/take.ts";
export { takeWhile } from "./steps/per-event/take-while.ts";
export { tap } from "./steps/per-event/tap.ts";
export { decodeText } from "./steps/text/decode-text.ts";
export type { Bytes } from "./steps/text/decoder.ts";
export { jsonLines, type JsonLinesOptions, type LineFailure } from "./steps/text/json-lines.ts";
export { lines, type LinesOptions } from "./steps/text/lines.ts";
// Dispatchers
export type {
  Dispatcher,
  DispatcherInspection,
  DispatcherLink,
  NoOptions,
  OptionsOfEvent,
  SubscribeOptionsOf,
} from "./contract/dispatcher.ts";
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
export type { Key } from "./base/hash.ts";
// Running
export { type Clock, type Runtime, type RuntimeOptions, type Scheduler, type Task } from "./contract/runtime.ts";
export { fifoScheduler, seededScheduler } from "./runtime/schedulers.ts";
export { runtime } from "./runtime/engine.ts";
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
  type RestartCode,
  type TimeoutCode,
  TimeoutError,
} from "./base/errors.ts";
export { failureOf } from "./base/failure.ts";
export type { Failure } from "./contract/failure.ts";
// Their parts
export type {
  Inspection,
  LinkInspection,
  StageInspection,
  Stall,
  StallOptions,
  Waiting,
} from "./contract/inspection.ts";
export type { Attachable, ConsumerPort, ProducerPort } from "./contract/stage.ts";
export type { Awaitable, Emits } from "./contract/behaviour.ts";
export type { End, Reason } from "./contract/reason.ts";
export type * from "./contract/stage.ts";
export type * from "./contract/options.ts";
export type * from "./contract/behaviour.ts";
export type * from "./contract/states.ts";
