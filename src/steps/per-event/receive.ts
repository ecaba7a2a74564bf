import { isObject } from "../../base/thenable.ts";
import {
  accepts,
  type Call,
  type End,
  type Filled,
  type Fold,
  type Receive,
  refusePromise,
  StepFailure,
} from "./per-event.ts";

/** Calls behind a step that is more than a call, which passes on one event at a time: each calls the next. */
export function connected(calls: readonly Call[], end: End): Receive {
  const last = end.next ?? (end.fold === undefined ? filling(end.into as Filled) : folding(end.fold));
  return calls.reduceRight((next, call) => (call.maps ? mapping : call.tests ? testing : tapping)(call, next), last);
}

const filling =
  (into: Filled): Receive =>
  (event) => {
    into.events[into.count] = event;
    into.count += 1;
  };

// One function for each kind, so that V8 sees the functions of one kind only in each of them.

const mapping =
  ({ fn, instead, place }: Call, next: Receive): Receive =>
  (event) => {
    let result: unknown;
    try {
      result = fn(event);
    } catch (cause) {
      throw new StepFailure(place, event, cause);
    }
    if (isObject(result)) refusePromise(result, event, place, instead);
    next(result);
  };

const testing = (call: Call, next: Receive): Receive => {
  const { fn, place } = call;
  return (event) => {
    if (accepts(fn, event, place)) next(event);
  };
};

const tapping =
  ({ fn, instead, place }: Call, next: Receive): Receive =>
  (event) => {
    let result: unknown;
    try {
      result = fn(event);
    } catch (cause) {
      throw new StepFailure(place, event, cause);
    }
    if (isObject(result)) refusePromise(result, event, place, instead);
    next(event);
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
