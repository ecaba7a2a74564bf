import type { Call, End, Place, Receive } from "../../contract/row.ts";
import type { Step } from "../../contract/step.ts";
import { isThenable } from "../../base/thenable.ts";
import { argumentError, CallbackError, callbackError, describe, words } from "../../base/errors.ts";
import type { Named, StageContext } from "../../contract/stage.ts";

/** The shared state of steps in one stage. */
export class Chain {
  /** A step has had enough: no more events go in. */
  over = false;
  /** The promise of a sink that takes one event at a time; no event goes in until it settles. */
  pending: PromiseLike<unknown> | undefined;
  /** The stage has ended: events waiting in a sink stay there. */
  ended = false;
  /** Known before the first event. */
  stage: StageContext | undefined;
  /** How many events each `take` still lets through. */
  readonly takes: { left: number }[] = [];
  /** Called when the input is over, before the stage's end. What it throws, it has recorded: the stage fails with that. */
  onEnd: (() => void) | undefined;
  /** Takes out what a sink has begun, and what waits in it behind that. */
  unfinished: (() => readonly unknown[]) | undefined;

  /** No event may go in now. */
  get held(): boolean {
    return this.over || this.pending !== undefined;
  }

  /** Events still of use, as far as is known. */
  get left(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { left } of this.takes) if (left < least) least = left;
    return least;
  }
}

/** A step's error, on its way to the stage. */
export class StepFailure {
  readonly place: Place;
  readonly event: unknown;
  readonly cause: unknown;
  /** For an invalid result: the expected one. */
  readonly expected: string | undefined;

  constructor(place: Place, event: unknown, cause: unknown, expected?: string) {
    this.place = place;
    this.event = event;
    this.cause = cause;
    this.expected = expected;
  }

  /** The stage's error: the one thrown. Place and event are recorded beside it. */
  toError({ name }: Named, events: readonly unknown[]): unknown {
    const { place, event, cause, expected } = this;
    const where = { stage: name, callback: "handleEvents", step: place.name, index: place.index, event };
    if (expected === undefined) return callbackError(where, cause, events);
    const got = words(`${describe(cause)} for the event ${describe(event)}`);
    const text = `step ${place.index} (${place.name}) of ${name} to ${expected}`;
    const error = new CallbackError({ code: "ERR_RESULT", expected: text, got }, events);
    // A promise is no result. Its rejection is handled here, and becomes the cause.
    if (isThenable(cause))
      Promise.resolve(cause).then(undefined, (reason: unknown) =>
        Object.defineProperty(error, "cause", { value: reason, configurable: true }),
      );
    return callbackError(where, Object.assign(error, { step: place.name, index: place.index, event }), events);
  }
}

/** What goes on to the next step: the call's result, the event, or the event if the result is true. */
export type Passes = "result" | "event" | "if true";

/** A step that handles each event by itself; adjacent ones run in one stage. */
export interface PerEvent {
  readonly kind: "step";
  readonly name: string;
  /** Begins the step, once per pipeline: a call, or what puts it in front of the next one. */
  readonly "~each": (chain: Chain, place: Place) => Call | ((next: Receive) => Receive);
}

/** A sink that takes event by event; `begin` is called once per pipeline. */
export interface PerEventSink {
  readonly kind: "sink";
  readonly name: string;
  readonly "~begin": (chain: Chain, place: Place) => { readonly end: End; readonly result: () => unknown };
}

export function perEvent<In, Out>(
  name: string,
  connect: (next: Receive, chain: Chain, place: Place) => Receive,
): Step<In, Out> {
  const each: PerEvent["~each"] = (chain, place) => (next) => connect(next, chain, place);
  return { kind: "step", name, "~each": each } satisfies PerEvent as Step<In, Out>;
}

/** `begin` makes the call's function, once per pipeline. */
export function perCall<In, Out>(
  name: string,
  passes: Passes,
  instead: string,
  begin: () => Call["fn"],
): Step<In, Out> {
  const each: PerEvent["~each"] = (_chain, place) => ({
    fn: begin(),
    maps: passes === "result",
    tests: passes === "if true",
    instead,
    place,
  });
  return { kind: "step", name, "~each": each } satisfies PerEvent as Step<In, Out>;
}

export function checkFunction(name: string, fn: unknown): void {
  if (typeof fn !== "function") throw argumentError("ERR_OPTION", `${name} to take a function`, fn);
}

/** Refuses a promise where a function must return its result at once. */
export function refusePromise(result: unknown, event: unknown, place: Place, instead: string): void {
  if (isThenable(result)) throw new StepFailure(place, event, result, `return ${instead}`);
}

const IN_FRONT = "at once; for a function that returns a promise there is mapAsync, in front of it";
export const TRUE_OR_FALSE: string = `true or false ${IN_FRONT}`;
export const RESULT_AT_ONCE: string = `its result ${IN_FRONT}`;

/** Calls a predicate. A promise is refused: it would always be true. */
export function accepts(accept: (event: unknown) => unknown, event: unknown, place: Place): boolean {
  let result: unknown;
  try {
    result = accept(event);
  } catch (cause) {
    throw new StepFailure(place, event, cause);
  }
  if (typeof result !== "boolean") refusePromise(result, event, place, TRUE_OR_FALSE);
  return Boolean(result);
}
