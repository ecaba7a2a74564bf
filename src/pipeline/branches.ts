import { argumentError, words } from "../base/errors.ts";
import { placeInBranch } from "../base/failure.ts";
import { ignore } from "../base/reason.ts";
import { isThenable } from "../base/thenable.ts";
import type { Pipeline, PipelineOptions } from "../contract/pipeline.ts";
import type { Producer, Stage } from "../contract/stage.ts";
import { isProducer } from "../sources/open.ts";
import type { Core } from "../stage/core.ts";
import type { ConsumerHandle, ProducerConsumerHandle } from "../stage/faces.ts";
import { consumerFaces, makeStage } from "../stage/make-stage.ts";
import type { StageInlet } from "../stage/stage-inlet.ts";
import type { Branches } from "../steps/fan-out/branching.ts";
import { branchView } from "./branch-view.ts";

type Name = string | number;

/** Branches that were made: all return producers, which are merged, or all end in sinks. */
export interface MadeBranches {
  readonly merged?: { readonly stage: ProducerConsumerHandle; readonly links: readonly StageInlet[] };
  readonly sinks?: ReadonlyMap<Name, Pipeline<unknown>>;
}

/** Makes the branches of a stage that shares events out. */
export function branchesOf(
  stage: ProducerConsumerHandle,
  owner: string,
  plan: Branches,
  setting: PipelineOptions,
  merge: () => object,
): MadeBranches {
  const sinks = new Map<Name, Pipeline<unknown>>();
  const producers = new Map<Name, Stage>();
  const consumed: (() => void)[] = [];
  for (const name of plan.names) {
    const view = branchView(stage, plan.options(name), setting);
    const made = plan.make(view as unknown as Producer<never>, name);
    const who = `branch ${name} of ${owner}`;
    if (isPipeline(made)) sinks.set(name, made);
    else if (isProducer(made)) producers.set(name, made);
    else throw wrongBranch(who, made);
    if (sinks.size > 0 && producers.size > 0) {
      const expected = `all branches of ${owner} to return producers, or all pipelines that end in sinks`;
      throw argumentError("ERR_OPTION", expected, words(`a ${isPipeline(made) ? "pipeline" : "producer"} from ${who}`));
    }
    consumed.push(() => {
      if (view["~consumed"]) return;
      const got = words("one that nothing subscribes to: pipeline(events, …) does");
      throw argumentError("ERR_OPTION", `${who} to consume its events`, got);
    });
  }
  if (sinks.size > 0) {
    for (const check of consumed) check();
    for (const [name, branch] of sinks) branch.done.then(() => spare(stage, plan, name, sinks.size), ignore);
    return { sinks };
  }
  const merged = merge() as ProducerConsumerHandle;
  const links = Array.from(producers, ([name, producer]) => {
    const { outcome } = (producer as ProducerConsumerHandle)["~core"];
    outcome.whenSettled(() => {
      // Where the merge has left, so do all branches: none takes the place of one.
      if (!outcome.failed && !merged["~core"].over) spare(stage, plan, name, producers.size);
      else if (outcome.failed && !stage["~core"].outcome.failed) placeInBranch(outcome.error, String(name));
    });
    return merged.subscribe(producer) as StageInlet;
  });
  for (const check of consumed) check();
  // Those in the places of branches that had enough would keep it running.
  merged["~core"].outcome.whenSettled(() => {
    if (spared.has(stage) && !stage["~core"].over) leave(stage["~core"]);
  });
  return { merged: { stage: merged, links } };
}

/** Branches of a stage that have had enough, and the consumers in their places. */
const spared = new WeakMap<object, ConsumerHandle[]>();

/**
 * A branch has had enough while others go on. Where its events have no other way to go they are discarded, so that
 * they hold no one up; when all have had enough, so has the stage.
 */
function spare(stage: ProducerConsumerHandle, plan: Branches, name: Name, all: number): void {
  const core = stage["~core"];
  if (!plan.alone || core.over) return;
  const places = spared.get(stage) ?? [];
  spared.set(stage, places);
  const place = makeStage(
    consumerFaces,
    "consumer",
    (events: readonly unknown[]) => core.outcome.discard(events, "stop", true),
    { name: `${stage.name} ${name}`, runtime: core.runtime },
  ) as ConsumerHandle;
  places.push(place);
  if (places.length === all) leave(core);
  // A failure of the stage is the branches', not that of what takes their place.
  else place.subscribe(stage, { ...plan.options(name), cancel: "temporary" });
}

const leave = ({ ends }: Core): void => ends.end({ reason: { type: "stop" }, left: true });

/** Of this copy of the package, or of another. */
function isPipeline(made: unknown): made is Pipeline<unknown> {
  if (!isThenable(made)) return false;
  const { drain, stop } = made as Partial<Pipeline<unknown>>;
  return typeof drain === "function" && typeof stop === "function";
}

function wrongBranch(who: string, made: unknown): Error {
  let got = made;
  if (isThenable(made)) {
    made.then(ignore, ignore);
    got = words("a promise: return the pipeline itself, from a function that is not async");
  } else if (made === undefined) got = words("nothing: return the pipeline, or the producer");
  return argumentError("ERR_OPTION", `${who} to return a producer or a pipeline that ends in a sink`, got);
}
