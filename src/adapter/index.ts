// Stages over a foreign source, a foreign sink, or both sides of one thing
export type { Arguments } from "./arguments.ts";
export { type Brake, Collector, type CollectorOptions } from "./collector.ts";
export { coupled } from "./coupled.ts";
export { type Reporter, reporter } from "./reporter.ts";
export { stopsAfterLast } from "./stops-after-last.ts";
export { toldErrors } from "./told.ts";
export { sink } from "./sink.ts";
export { makeSink, makeStep, type MadeSink, type Setting } from "./step.ts";
export { type SourceTraits, source, type Traits } from "./source.ts";
export { type TransformTraits, transform } from "./transform.ts";
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
export type { NoOptions } from "../contract/dispatcher.ts";
// How things end
export { errorOf, failure, isFailure } from "../base/reason.ts";
export { isThenable } from "../base/thenable.ts";
export type {
  AdapterBehaviour,
  Counts,
  OtherSide,
  SinkBehaviour,
  SinkContext,
  SourceBehaviour,
  SourceContext,
  Told,
  TransformBehaviour,
} from "../contract/adapter.ts";
// The runtime of everything that names none
export { defaultRuntime } from "../runtime/engine.ts";
// Failures not yet heard of, and pipelines without a consumer
export { type Idle, watchAllIdle } from "../stage/idle.ts";
export { claim as claimUnclaimed, type Unclaimed, watchUnclaimed } from "../stage/unclaimed.ts";
