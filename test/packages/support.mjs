import { setImmediate as turn } from "node:timers/promises";

/** Lets everything happen that needs no more than turns of the event loop. */
export async function turns(count = 50) {
  // oxlint-disable-next-line no-await-in-loop -- one turn after the other
  for (let n = 0; n < count; n += 1) await turn();
}

/** What has become of a promise so far. */
export function watch(promise) {
  const watched = { outcome: undefined };
  promise.then(
    (value) => (watched.outcome = { value }),
    (error) => (watched.outcome = { error }),
  );
  return watched;
}

/** A number as text of a hundred characters, so that a buffer of bytes holds hundreds and not thousands. */
const text = (n) => `${n} `.padEnd(100, ".");

/** Numbers from 0, as text, counted as they are taken. */
export function counter(last = Number.POSITIVE_INFINITY) {
  const it = {
    taken: 0,
    *[Symbol.iterator]() {
      while (it.taken < last) yield text(it.taken++);
    },
  };
  return it;
}

export const texts = (count) => Array.from({ length: count }, (_, n) => text(n));
export const joined = (chunks) => chunks.map(String).join("");
export const disk = () => new Error("disk");
