import type { NoOptions } from "./dispatcher.ts";

/** A step of a `pipeline`: takes events, and passes its results on. */
export interface Step<in In, out Out, in SO extends object = NoOptions> {
  readonly kind: "step" | "producerConsumer";
  readonly "~in"?: ((event: In) => void) | undefined;
  readonly "~out"?: Out | undefined;
  readonly "~options"?: ((options: SO) => void) | undefined;
}

/** Tells a sink from a step, as a literal that is known in generic functions, too. */
export interface Ends<out Is> {
  readonly "~ends"?: Is | undefined;
}

/** The last step of a `pipeline` that runs: passes nothing on. */
export interface Sink<in In, out Result = void> extends Ends<true> {
  readonly kind: "sink" | "consumer";
  readonly "~in"?: ((event: In) => void) | undefined;
  readonly "~result"?: Result | undefined;
}
