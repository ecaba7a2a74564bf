import type { Pipeline } from "./pipeline.ts";
import type { Producer } from "./stage.ts";
import type { Sink, Step } from "./step.ts";

/** What a branch may return. */
export type Branch = Producer<unknown> | Pipeline<unknown>;

export interface PromiseIsNoBranch {
  readonly kind?: undefined;
  readonly then: unknown;
  readonly catch: unknown;
  readonly finally: unknown;
  readonly "a branch returns the producer or pipeline itself: no async function, no done": never;
}
export type AnyBranch = Branch | PromiseIsNoBranch;

/** Some branches returned producers, some pipelines. */
export interface BranchesDiffer<in In> {
  readonly kind: "either all branches return a producer, or all a pipeline that ends in a sink";
  readonly "~in"?: ((event: In) => void) | undefined;
}

/** The step or sink that branches make: `R` is what each returned, `Results` the results of pipelines. */
export type Branched<In, R, Results> = [Branch] extends [R]
  ? // The call is wrong, and has been told so.
    Step<In, never>
  : [R] extends [Pipeline<unknown>]
    ? Sink<In, Results>
    : [R] extends [Producer<infer Out>]
      ? Step<In, Out>
      : BranchesDiffer<In>;

export type ResultOf<R> = R extends Pipeline<infer Result> ? Result : never;
