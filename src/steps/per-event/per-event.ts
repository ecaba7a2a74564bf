import type { Step } from "../../contract/step.ts";
import { argumentError, CallbackError, describe, words } from "../../base/errors.ts";
import type { Named } from "../../contract/stage.ts";

/** Takes one event; what a step makes of it goes to the next step's. */
export type Receive = (event: unknown) => void;

/** What steps that run in one stage share. */
export class Chain {
  /** A step has had enough: no event goes in any more. */
  over = false;
  /** The promise of a sink that takes one event at a time; until it settles no event goes in. */
  pending: PromiseLike<unknown> | undefined;
  /** The stage has ended: what still waits in a sink stays there. */
  ended = false;
  /** What each `take` still lets through. */
  readonly takes: { left: number }[] = [];

  /** No event may go in now. */
  get held(): boolean {
    return this.over || this.pending !== undefined;
  }

  /** Events that are still of use, as far as it is known. */
  get left(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { left } of this.takes) if (left < least) least = left;
    return least;
  }
}

/** A step's name and its position among the arguments behind the source, from 0. */
export interface Place {
  readonly name: string;
  readonly index: number;
}

/** What a step's function threw, on its way to the stage. */
export class StepFailure {
  readonly place: Place;
  readonly event: unknown;
  readonly cause: unknown;
  /** What it answered was no result: what was expected. */
  readonly expected: string | undefined;

  constructor(place: Place, event: unknown, cause: unknown, expected?: string) {
    this.place = place;
    this.event = event;
    this.cause = cause;
    this.expected = expected;
  }

  /** The error of the stage, which tells step, position and event; `events` is what the stage had in hand. */
  toError({ name }: Named, events: readonly unknown[]): CallbackError {
    const { place, event, cause, expected } = this;
    const who = `step ${place.index} (${place.name}) of ${name}`;
    const code = expected === undefined ? "ERR_CALLBACK" : "ERR_RESULT";
    const text = expected === undefined ? who : `${who} to ${expected}`;
    const got = words(`${describe(cause)} for the event ${describe(event)}`);
    const error = new CallbackError(
      { code, expected: text, got },
      events,
      expected === undefined ? { cause } : undefined,
    );
    return Object.assign(error, { step: place.name, index: place.index, event });
  }
}

/** A step that handles each event by itself; adjacent ones run in one stage. */
export interface PerEvent {
  readonly kind: "step";
  readonly name: string;
  /** Puts the step in front of `next`, once for each pipeline it is in. */
  readonly "~connect": (next: Receive, chain: Chain, place: Place) => Receive;
}

/** A sink that takes event by event; `begin` is called once for each pipeline it is in. */
export interface PerEventSink {
  readonly kind: "sink";
  readonly name: string;
  readonly "~begin": (chain: Chain, place: Place) => { readonly receive: Receive; readonly result: () => unknown };
}

export function perEvent<In, Out>(name: string, connect: PerEvent["~connect"]): Step<In, Out> {
  return { kind: "step", name, "~connect": connect } satisfies PerEvent as Step<In, Out>;
}

export function checkFunction(name: string, fn: unknown): void {
  if (typeof fn !== "function") throw argumentError("ERR_OPTION", `${name} to take a function`, fn);
}

/** Calls a predicate. A promise is no answer: it would always be true. */
export function accepts(accept: (event: unknown) => unknown, event: unknown, place: Place): boolean {
  let answer: unknown;
  let promise = false;
  try {
    answer = accept(event);
    promise = typeof answer === "object" && typeof (answer as PromiseLike<unknown> | null)?.then === "function";
  } catch (cause) {
    throw new StepFailure(place, event, cause);
  }
  if (promise) {
    // Its stage fails: what it rejects with must not end the process, too.
    if (answer instanceof Promise) answer.catch(() => {});
    throw new StepFailure(place, event, answer, "answer true or false at once");
  }
  return Boolean(answer);
}
