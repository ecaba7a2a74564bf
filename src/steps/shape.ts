import type { Step } from "../composition.ts";
import type { NoOptions } from "../types.ts";

/** A step that says how the events go on to the consumers: the dispatcher of the stage it ends, made for each pipeline. */
export interface Shape {
  readonly kind: "step";
  readonly name: string;
  readonly "~dispatcher": () => object;
}

export function shape<In, SO extends object = NoOptions>(name: string, dispatcher: () => object): Step<In, In, SO> {
  return { kind: "step", name, "~dispatcher": dispatcher } satisfies Shape as Step<In, In, SO>;
}
