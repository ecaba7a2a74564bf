import type { Row } from "../contract/row.ts";

// The text of a loop: what src/steps/per-event/loop.ts does, for one row. It is made of these words and of positions, never of
// a user's data; the user's functions are parameters.

/** What the text refers to. */
export const PARAMETERS: readonly string[] = ["failed", "refuse", "isTrue"];

/** What tells a row's text from others': a letter for each call, and one for the end. */
export function shapeOf({ calls, end }: Row): string {
  const letters = calls.map(({ maps, tests }) => (maps ? "m" : tests ? "t" : "e"));
  return `${letters.join("")}${end.fold ? "F" : end.into ? "I" : "N"}`;
}

/** Made of the number too: V8 would share what it has seen with an earlier loop of the same text. */
export function textOf(shape: string, number: number): string {
  const steps = Array.from(shape, (letter, step) => (TEXTS[letter] as string).replaceAll("STEP", String(step)));
  const callees = steps.slice(0, -1).map((_, step) => `const call${step} = calls[${step}].fn;`);
  return `"use strict";
return function loop${number}(row, events) {
  const { calls, end, chain } = row;
  const { into, next } = end;
  const fold = end.fold?.fn;
  ${callees.join("\n  ")}
  const { length } = events;
  const array = into?.events;
  let filled = into?.count;
  let value = end.fold?.value;
  let { at } = row;
  let step, event, result;
  try {
    while (at < length) {
      step = -1;
      at += 1;
      event = events[at - 1];
      ${steps.join("")}
    }
  } catch (cause) {
    throw failed(row, step, event, result, cause);
  } finally {
    row.at = at;
    if (end.fold) end.fold.value = value;
    else if (into) into.count = filled;
  }
};`;
}

const CALL = `
      step = STEP;
      result = undefined;
      result = callSTEP(event);`;

/** Refuses a promise, or what may be one. */
const LOOK = `
      if (typeof result === "object"
        ? result !== null && !Array.isArray(result) && typeof result.then === "function"
        : typeof result === "function" && typeof result.then === "function") refuse(row, STEP, event, result);`;

const TEXTS: Readonly<Record<string, string>> = {
  m: `${CALL}${LOOK}
      event = result;`,
  t: `${CALL}
      if (result === false) continue;
      if (result !== true && !isTrue(row, STEP, event, result)) continue;`,
  e: `${CALL}${LOOK}`,
  F: `${CALL.replace("callSTEP(event)", "fold(value, event)")}
      value = result;${LOOK}`,
  I: `
      array[filled] = event;
      filled += 1;`,
  N: `
      step = -1;
      next(event);
      if (chain.held) break;`,
};
