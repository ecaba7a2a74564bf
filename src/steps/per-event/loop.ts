import { isObject, isThenable } from "../../base/thenable.ts";
import type { Call, Fold, Loop, Receive, Row } from "../../contract/row.ts";
import { refusePromise, StepFailure } from "./per-event.ts";

/** The call of a step, or that of the fold behind them. */
const callAt = ({ calls, end }: Row, step: number): Call | Fold => calls[step] ?? (end.fold as Fold);

/**
 * The error that ended a loop: `step` is the call at work, -1 for none. With a result, its `then` could not be looked up:
 * awaiting it would reject.
 */
export function failed(row: Row, step: number, event: unknown, result: unknown, cause: unknown): unknown {
  if (step < 0 || cause instanceof StepFailure) return cause;
  const { place, instead } = callAt(row, step);
  if (result === undefined) return new StepFailure(place, event, cause);
  return new StepFailure(place, event, result, `return ${instead}`);
}

/** Refuses a promise as the result of a call. */
export function refuse(row: Row, step: number, event: unknown, result: unknown): void {
  const { place, instead } = callAt(row, step);
  refusePromise(result, event, place, instead);
}

/** Whether a predicate's result that is no boolean counts as true. */
export function isTrue(row: Row, step: number, event: unknown, result: unknown): boolean {
  refuse(row, step, event, result);
  return Boolean(result);
}

interface Thenable {
  readonly then?: unknown;
}

const none: Pick<Call, "fn" | "maps" | "tests"> = { fn: (event) => event, maps: false, tests: false };

/**
 * The loop of all chains. V8 keeps what it has seen, of functions and of shapes, by places in the text. So the first calls
 * are written out, each with the look at its result: a loop over the calls, or a function that they share, would be one
 * place for all of them, and V8 would inline none. What the loop changes it keeps in variables of its own.
 */
export const loop: Loop = (row, events) => {
  const { calls, end, chain } = row;
  const { into, fold, next } = end;
  const { fn: callFirst, maps: firstMaps, tests: firstTests } = calls[0] ?? none;
  const { fn: callSecond, maps: secondMaps, tests: secondTests } = calls[1] ?? none;
  const { fn: callThird, maps: thirdMaps, tests: thirdTests } = calls[2] ?? none;
  const { fn: callFold } = fold ?? { fn: none.fn };
  const count = calls.length;
  const { length } = events;
  const array = into?.events;
  let filled = into?.count ?? 0;
  let value = fold?.value;
  let { at } = row;
  // The call at work, its event, and its result once it has returned.
  let step = -1;
  let event: unknown;
  let result: unknown;
  try {
    while (at < length) {
      step = -1;
      at += 1;
      event = events[at - 1];
      if (count > 0) {
        step = 0;
        result = undefined;
        result = callFirst(event);
        if (firstTests) {
          if (result === false) continue;
          if (result !== true && !isTrue(row, 0, event, result)) continue;
        } else {
          if (isObject(result) && !Array.isArray(result) && typeof (result as Thenable).then === "function")
            refuse(row, 0, event, result);
          if (firstMaps) event = result;
        }
      }
      if (count > 1) {
        step = 1;
        result = undefined;
        result = callSecond(event);
        if (secondTests) {
          if (result === false) continue;
          if (result !== true && !isTrue(row, 1, event, result)) continue;
        } else {
          if (isObject(result) && !Array.isArray(result) && typeof (result as Thenable).then === "function")
            refuse(row, 1, event, result);
          if (secondMaps) event = result;
        }
      }
      if (count > 2) {
        step = 2;
        result = undefined;
        result = callThird(event);
        if (thirdTests) {
          if (result === false) continue;
          if (result !== true && !isTrue(row, 2, event, result)) continue;
        } else {
          if (isObject(result) && !Array.isArray(result) && typeof (result as Thenable).then === "function")
            refuse(row, 2, event, result);
          if (thirdMaps) event = result;
        }
      }
      if (count > 3) {
        let dropped = false;
        for (let i = 3; i < count && !dropped; i += 1) {
          const { fn, maps, tests } = calls[i] as Call;
          step = i;
          result = undefined;
          result = fn(event);
          if (isObject(result) && isThenable(result)) refuse(row, i, event, result);
          if (maps) event = result;
          else if (tests) dropped = !result;
        }
        if (dropped) continue;
      }
      if (fold !== undefined) {
        step = count;
        result = undefined;
        value = callFold(value, event);
        if (isObject(value) && isThenable(value)) refuse(row, count, event, value);
      } else if (array !== undefined) {
        array[filled] = event;
        filled += 1;
      } else {
        step = -1;
        (next as Receive)(event);
        if (chain.held) break;
      }
    }
  } catch (cause) {
    throw failed(row, step, event, result, cause);
  } finally {
    row.at = at;
    if (fold !== undefined) fold.value = value;
    else if (into !== undefined) into.count = filled;
  }
};
