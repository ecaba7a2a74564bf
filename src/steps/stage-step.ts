import type { Discarded, StageOptions } from "../contract/options.ts";
import type { Sink, Step } from "../contract/step.ts";
import type { Consumer, ProducerConsumer } from "../contract/stage.ts";

/** What a pipeline tells a step that it makes a stage of. */
export interface Setting extends StageOptions {
  readonly name: string;
  /** The step's position behind the source, from 0. */
  readonly index: number;
  /** The pipeline's: hears of what the stage loses where the step has none of its own. */
  readonly onDiscard?: ((discarded: Discarded) => void) | undefined;
}

/** A step that is a stage by itself, made anew for each pipeline it stands in. */
export interface StageStep {
  readonly kind: "step";
  readonly name: string;
  readonly "~stage": (setting: Setting) => ProducerConsumer<never, unknown>;
}

/** A sink that is a stage by itself, made anew for each pipeline it stands in. */
export interface StageSink {
  readonly kind: "sink";
  readonly name: string;
  readonly "~sink": (setting: Setting) => {
    readonly consumer: Consumer<never>;
    readonly result: () => unknown;
  };
}

export function stageStep<In, Out>(name: string, make: (setting: Setting) => ProducerConsumer<In, Out>): Step<In, Out> {
  const step = { kind: "step", name, "~stage": make as unknown as StageStep["~stage"] } satisfies StageStep;
  return step;
}

export function stageSink<In>(name: string, make: (setting: Setting) => Consumer<In>): Sink<In> {
  return sinkWith(name, (setting) => ({ consumer: make(setting), result: () => undefined }));
}

/** The same with a result. */
export function sinkWith<In, Result>(
  name: string,
  make: (setting: Setting) => { readonly consumer: Consumer<In>; readonly result: () => Result },
): Sink<In, Result> {
  const step: StageSink = { kind: "sink", name, "~sink": make };
  return step;
}
