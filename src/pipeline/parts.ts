import { adviceForStep } from "../base/advice.ts";
import { argumentError, describe, words } from "../base/errors.ts";
import type { ConsumerHandle, ProducerConsumerHandle } from "../stage/faces.ts";
import type { Branching } from "../steps/fan-out/branching.ts";
import type { FanOut } from "../steps/fan-out/fan-out.ts";
import type { PerEvent, PerEventSink } from "../steps/per-event/per-event.ts";
import type { StageSink, StageStep } from "../adapter/step.ts";

/** A valid part of a pipeline, and its position behind the source: that of the `compose` it stands in. */
export type PlacedPart = { readonly index: number } & (
  | { readonly is: "event"; readonly step: PerEvent }
  | { readonly is: "shape"; readonly step: FanOut }
  | { readonly is: "branches"; readonly step: Branching }
  | { readonly is: "stage"; readonly step: ProducerConsumerHandle }
  | { readonly is: "own stage"; readonly step: StageStep }
  | { readonly is: "sink"; readonly step: PerEventSink }
  | { readonly is: "own sink"; readonly step: StageSink }
  | { readonly is: "consumer"; readonly step: ConsumerHandle }
);

/** Several steps as one. */
export interface Compound {
  readonly kind: "step" | "sink";
  readonly name: string;
  readonly "~steps": readonly unknown[];
}

type Member = "kind" | "name" | "subscribe" | "~each" | "~dispatcher" | "~branches" | "~begin" | "~stage" | "~sink";

/** Stages within a pipeline: two pipelines would share its events out. */
export const placed: WeakSet<object> = new WeakSet<object>();

/**
 * The parts of a pipeline, checked, those of a `compose` in their places. All are checked before anything is made: a
 * wrong one must not cost the source its first consumer. `seen`: the source.
 */
export function partsOf(steps: readonly unknown[], seen: Set<unknown>): readonly PlacedPart[] {
  const flat = flatten(steps);
  // What stands behind a sink says more than that it does: options, a step that was not called.
  for (const [at, { step, index }] of flat.entries()) {
    const one = step as Partial<Record<Member, unknown>> | null | undefined;
    const last = at === flat.length - 1;
    if (last && one?.kind === undefined) partOf(step, index, last, seen);
    if (!last && one?.["~dispatcher"] && one.name === "partitionBy") throw unbranched(index);
  }
  return flat.map(({ step, index }, at) => partOf(step, index, at === flat.length - 1, seen));
}

interface Placed {
  readonly step: unknown;
  readonly index: number;
}

const flatten = (steps: readonly unknown[]): Placed[] =>
  steps.flatMap((step, index) => {
    const inner = (step as Partial<Compound> | null | undefined)?.["~steps"];
    return inner === undefined ? [{ step, index }] : flatten(inner).map((part) => ({ ...part, index }));
  });

function partOf(given: unknown, index: number, last: boolean, seen: Set<unknown>): PlacedPart {
  const step = given as Partial<Record<Member, unknown>> | null | undefined;
  const kind = typeof step?.subscribe === "function" ? step.kind : undefined;
  if (step?.["~each"]) return { is: "event", step: given as PerEvent, index };
  if (step?.["~dispatcher"]) return { is: "shape", step: given as FanOut, index };
  if (step?.["~branches"]) return { is: "branches", step: given as Branching, index };
  if (step?.["~stage"]) return { is: "own stage", step: given as StageStep, index };
  if (kind === "producerConsumer" && !placed.has(given as object) && !seen.has(given)) {
    seen.add(given);
    return { is: "stage", step: given as ProducerConsumerHandle, index };
  }
  if (last && step?.["~begin"]) return { is: "sink", step: given as PerEventSink, index };
  if (last && step?.["~sink"]) return { is: "own sink", step: given as StageSink, index };
  if (last && kind === "consumer") return { is: "consumer", step: given as ConsumerHandle, index };
  throw refusal(given, index, kind);
}

/** Whatever comes behind it would have to name a partition. */
function unbranched(index: number): Error {
  const advice = "give it branches, partitionBy(key, { partitions }, (events, name) => pipeline(events, …))";
  const got = words(`a step behind it: ${advice}, or let each consumer subscribe with { partition }`);
  return argumentError("ERR_PARTITION", `partitionBy at step ${index}, without branches, to be the last step`, got);
}

function refusal(given: unknown, index: number, kind: unknown): Error {
  const step = given as Partial<Record<Member, unknown>> | null | undefined;
  const expected = `step ${index} of a pipeline to be a step, a free producerConsumer or, last, a sink`;
  if (step && (kind || step["~begin"] || step["~sink"])) {
    const sink = kind === "consumer" || step["~begin"] || step["~sink"];
    const advice = sink ? "nothing comes behind a sink: put it last" : "it stands in a pipeline already: make another";
    return argumentError("ERR_OPTION", expected, words(`the ${String(step.kind)} ${String(step.name)}: ${advice}`));
  }
  const advice = adviceForStep(given);
  return argumentError("ERR_OPTION", expected, advice ? words(`${describe(given)}: ${advice}`) : given);
}
