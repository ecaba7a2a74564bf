import { requireType } from "../base/check.ts";
import { argumentError } from "../base/errors.ts";
import type { Compiler } from "../contract/row.ts";
import type { Discarded, StageOptions } from "../contract/options.ts";
import type { Consumer, ProducerConsumer } from "../contract/stage.ts";
import type { Sink, Step } from "../contract/step.ts";

/** What a pipeline tells a step that it makes a stage of. Every maker of stages takes it whole. */
export interface Setting extends StageOptions {
  readonly name: string;
  /** The step's position behind the source, from 0. */
  readonly index: number;
  /** The pipeline's: hears of what the stage loses where the step has none of its own. */
  readonly onDiscard?: ((discarded: Discarded) => void) | undefined;
  /** The pipeline's, for pipelines of the step's own. */
  readonly compile?: Compiler | undefined;
}

/** A step that is a stage by itself, made anew for each pipeline it stands in. */
export interface StageStep {
  readonly kind: "step";
  readonly name: string;
  readonly "~stage": (setting: Setting) => ProducerConsumer<never, unknown>;
}

/** A sink, and what its pipeline resolves with. */
export interface MadeSink<In, Result> {
  readonly consumer: Consumer<In>;
  readonly result: () => Result;
}

/** A sink that is a stage by itself, made anew for each pipeline it stands in. */
export interface StageSink {
  readonly kind: "sink";
  readonly name: string;
  readonly "~sink": (setting: Setting) => MadeSink<never, unknown>;
}

/**
 * Makes a step of a function that makes a stage: anew for each pipeline that the step stands in.
 *
 * **Shape** that of the stage. `setting` has the name, runtime, signal, `onReport` and `onDiscard` of the pipeline, and the
 * step's position: the stage's options, whole.
 *
 * @throws ArgumentError `ERR_OPTION`: no name, no function.
 *
 * **Source** rule 8.8; docs/writing-a-step.md.
 *
 * @example
 * import { makeStep, transform } from "headrace/adapter";
 *
 * const twice = <T>() =>
 *   makeStep<T, T>("twice", (setting) =>
 *     transform<T, T>({ handleEvents: (events) => events.flatMap((event) => [event, event]) }, setting),
 *   );
 * console.log(await pipeline([1, 2], twice<number>(), collect())); // [ 1, 1, 2, 2 ]
 */
export function makeStep<In, Out>(name: string, make: (setting: Setting) => ProducerConsumer<In, Out>): Step<In, Out> {
  check(name, make);
  const step = { kind: "step", name, "~stage": make as unknown as StageStep["~stage"] } satisfies StageStep;
  return step;
}

/**
 * Makes a sink of a function that makes a consumer: anew for each pipeline that it ends.
 *
 * **Shape** that of the consumer; `done` of the pipeline resolves with `result()`.
 *
 * @throws ArgumentError `ERR_OPTION`: no name, no function.
 *
 * **Source** rule 8.6.
 *
 * @example
 * import { makeSink, sink } from "headrace/adapter";
 *
 * const count = () =>
 *   makeSink<unknown, number>("count", (setting) => {
 *     let seen = 0;
 *     const consumer = sink({ handleEvents: (events) => void (seen += events.length) }, setting);
 *     return { consumer, result: () => seen };
 *   });
 * console.log(await pipeline(["a", "b"], count())); // 2
 */
export function makeSink<In, Result>(name: string, make: (setting: Setting) => MadeSink<In, Result>): Sink<In, Result> {
  check(name, make);
  const step: StageSink = { kind: "sink", name, "~sink": make };
  return step;
}

function check(name: unknown, make: unknown): void {
  requireType("the name of a step", name ?? null, "string");
  if (typeof make !== "function") throw argumentError("ERR_OPTION", `${String(name)} to be made by a function`, make);
}
