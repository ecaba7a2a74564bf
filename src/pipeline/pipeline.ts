import type { PipelineOptions } from "../contract/pipeline.ts";
import { checkOpens, isProducer, opened } from "../sources/open.ts";
import { Assembly } from "./assembly.ts";
import type { BranchView } from "./branch-view.ts";
import { checkPipelineOptions } from "./options.ts";
import { type PlacedPart, partsOf } from "./parts.ts";
import type { PipelineFunction, PipelineSignatures } from "./signatures.ts";

/**
 * Composes a source and steps.
 *
 * **Shape** with a sink at the end (`forEach`, `reduce`, `collect`, a consumer) a running `Pipeline`, which can be
 * awaited; else the last producer. The source is a producer, or any iterable or async iterable, such as an array, a
 * Node Readable, a web stream. Adjacent per-event steps run in one stage; `balance`, `broadcast`, `partitionBy` end
 * one, and a producerConsumer stands between.
 * **Backpressures** by its stages: events are requested only as the end of the list asks. Without a sink nothing is
 * requested before there is a consumer.
 * **Completes** with its source. **Cancels** the source when the sink ends or the last consumer leaves. Its own
 * stages belong to it, and so do the subscriptions it made for yours and the producer of a source that is none; a
 * producer belongs to its owner.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no source; the message names the way to one. `ERR_SOURCE_USED`: an iterator
 * or a stream that another pipeline has taken. `ERR_OPTION`: an invalid step, or a sink before the end. Errors of
 * `subscribe`. Nothing is left running then.
 *
 * **Source** rules 8.1 to 8.6.
 *
 * @example
 * const words = await pipeline(
 *   ["a b", "c"],
 *   flatMap((line) => line.split(" ")),
 *   filter((word) => word !== "b"),
 *   collect(),
 * );
 * console.log(words); // [ 'a', 'c' ]
 */
export const pipeline: PipelineFunction = /* @__PURE__ */ Object.assign(
  ((source: unknown, ...steps: readonly unknown[]) => build({}, source, steps)) as unknown as PipelineSignatures,
  {
    with(options: PipelineOptions): PipelineSignatures {
      checkPipelineOptions(options);
      return ((source: unknown, ...steps: readonly unknown[]) =>
        build(options, source, steps)) as unknown as PipelineSignatures;
    },
  },
);

function build(options: PipelineOptions, source: unknown, steps: readonly unknown[]): unknown {
  checkOpens(source);
  const parts = partsOf(steps, new Set<unknown>([source]));
  for (const { is, step } of parts)
    if ((is === "stage" || is === "consumer") && step.state !== "starting" && step.state !== "running")
      throw step["~core"].endedError;
  const setting = { ...(source as Partial<BranchView>)["~setting"], ...options };
  const { signal } = setting;
  if (signal?.aborted)
    return abortedAtOnce(signal.reason, (late) => start({ ...setting, signal: late }, source, parts));
  return start(setting, source, parts);
}

/** A signal that has aborted ends what is made, before its first turn. */
function abortedAtOnce<Made>(reason: unknown, make: (signal: AbortSignal) => Made): Made {
  const late = new AbortController();
  const made = make(late.signal);
  late.abort(reason);
  return made;
}

function start(setting: PipelineOptions, source: unknown, parts: readonly PlacedPart[]): unknown {
  const name = setting.name === undefined ? undefined : `${setting.name} source`;
  const producer = isProducer(source) ? source : opened(source as Iterable<unknown>, { ...setting, name });
  return new Assembly(producer, setting).assemble(parts);
}
