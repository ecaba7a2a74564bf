import { PIPELINE } from "../base/advice.ts";
import { refuseUnknown, requireInteger, requireMember, requireType } from "../base/check.ts";
import { argumentError, describe, words } from "../base/errors.ts";
import type { PipelineOptions } from "../contract/pipeline.ts";

/** Checks the options of `pipeline.with`. */
export function checkPipelineOptions(options: PipelineOptions): void {
  const given = Object(options) as object;
  if (given !== options || Symbol.iterator in given || Symbol.asyncIterator in given) {
    const got = words(`${describe(options)}: write pipeline.with({ name, signal, … })(source, …)`);
    throw argumentError("ERR_OPTION", "pipeline.with to get options", got);
  }
  refuseUnknown("pipeline.with", options, PIPELINE);
  requireType("name", options.name, "string");
  requireMember("signal", options.signal, "an AbortSignal", "aborted", "boolean");
  requireMember("runtime", options.runtime, "a runtime()", "schedule");
  requireType("onReport", options.onReport, "function");
  requireType("onDiscard", options.onDiscard, "function");
  requireMember("compile", options.compile, "a compiler()", "~loops");
  requireInteger("maxDemand", options.maxDemand, 1);
  requireInteger("minDemand", options.minDemand, 0, (options.maxDemand ?? Number.MAX_SAFE_INTEGER) - 1);
}
