import { isObject } from "../../base/thenable.ts";
import type { Call, End, Filled, Fold, Receive } from "../../contract/row.ts";
import { accepts, refusePromise, StepFailure } from "./per-event.ts";

/** Calls behind a step that is more than a call, which passes on one event at a time: each calls the next. */
export function connected(calls: readonly Call[], end: End): Receive {
  const last = end.next ?? (end.fold === undefined ? filling(end.into as Filled) : folding(end.fold));
  return calls.reduceRight((next, call) => (call.tests ? testing : passing)(call, next), last);
}

const filling =
  (into: Filled): Receive =>
  (event) => {
    into.events[into.count] = event;
    into.count += 1;
  };

// Functions of their own for what maps and what tests, so that V8 sees the functions of one kind only in each of them.

const passing =
  ({ fn, maps, instead, place }: Call, next: Receive): Receive =>
  (event) => {
    let result: unknown;
    try {
      result = fn(event);
    } catch (cause) {
      throw new StepFailure(place, event, cause);
    }
    if (isObject(result)) refusePromise(result, event, place, instead);
    next(maps ? result : event);
  };

const testing =
  ({ fn, place }: Call, next: Receive): Receive =>
  (event) => {
    if (accepts(fn, event, place)) next(event);
  };

const folding = (fold: Fold): Receive => {
  const { fn, instead, place } = fold;
  return (event) => {
    let { value } = fold;
    try {
      value = fn(value, event);
    } catch (cause) {
      throw new StepFailure(place, event, cause);
    }
    if (isObject(value)) refusePromise(value, event, place, instead);
    fold.value = value;
  };
};
