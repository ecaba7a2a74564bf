import type { Step } from "../../contract/step.ts";
import type { NoOptions } from "../../contract/dispatcher.ts";

/** A step that distributes events among consumers: the dispatcher of the stage it ends, made for each pipeline. */
export interface FanOut {
  readonly kind: "step";
  readonly name: string;
  readonly "~dispatcher": () => object;
}

export function fanOut<In, SO extends object = NoOptions>(name: string, dispatcher: () => object): Step<In, In, SO> {
  return { kind: "step", name, "~dispatcher": dispatcher } satisfies FanOut as Step<In, In, SO>;
}
