import type { Fixed } from "./options.ts";
import type { Step } from "./step.ts";

export type Falsy = false | 0 | 0n | "" | null | undefined;
export type Truthy<T> = Exclude<T, Falsy>;
/** The events that a type guard accepts, with no type taken away. */
export type Narrowed<In, Guarded> = In extends Guarded ? In : Guarded extends In ? Guarded : In & Guarded;

/**
 * A step that passes on accepted events. Their type is the pipeline's: a function with a wider parameter takes nothing
 * away, a type guard narrows it, `Boolean` leaves truthy events.
 */
export interface Accepting {
  <In, Out extends Fixed<In>>(accept: (event: Fixed<In>) => event is Out): Step<In, Out>;
  <In extends Seen, Out extends Seen, Seen = In>(
    accept: (event: Seen) => event is Out,
  ): Step<In, Fixed<Narrowed<In, Out>>>;
  <In>(accept: BooleanConstructor): Step<In, Fixed<Truthy<In>>>;
  <In>(accept: (event: Fixed<In>) => boolean): Step<In, In>;
  <In>(accept: (event: In) => boolean): Step<In, In>;
}
