// Stages over a foreign source, a foreign sink, or both sides of one thing
export type { Arguments } from "./arguments.ts";
export { type Brake, Collector, type CollectorOptions } from "./collector.ts";
export { coupled } from "./coupled.ts";
export { sink } from "./sink.ts";
export { type SourceTraits, source, type Traits } from "./source.ts";
export { type TransformTraits, transform } from "./transform.ts";
export { type Unclaimed, watchUnclaimed } from "../stage/unclaimed.ts";
// A consumer that is no stage
export { Port, type PortDefaults, type Source as PortSource } from "../stage/standalone-inlet.ts";
// Bad input
export {
  refuseUnknown,
  requireInteger,
  requireMember,
  requireOneOf,
  requireOptions,
  requireType,
} from "../base/check.ts";
export { addDemand, isDemand } from "../base/demand.ts";
export { argumentError, callbackError, refuse, words } from "../base/errors.ts";
// How things end
export { errorOf, failure, isFailure } from "../base/reason.ts";
export { isThenable } from "../base/thenable.ts";
export type { NoOptions } from "../contract/dispatcher.ts";
export type {
  AdapterBehaviour,
  SinkBehaviour,
  SinkContext,
  SourceBehaviour,
  SourceContext,
  TransformBehaviour,
} from "../contract/adapter.ts";
