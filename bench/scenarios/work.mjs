// What several scenarios do to their events.

export const add = (sum, n) => sum + n;
export const sumTo = (events) => (events * (events - 1)) / 2;

/** Numbers doubled, those kept that 3 divides, and summed. */
export const numbers = {
  make: (i) => i,
  double: (n) => n * 2,
  keep: (n) => n % 3 === 0,
  add,
};
/** The same with an object for each event, and a new one for each that is doubled. */
export const objects = {
  make: (i) => ({ id: i, value: i }),
  double: ({ id, value }) => ({ id, value: value * 2 }),
  keep: ({ value }) => value % 3 === 0,
  add: (sum, { value }) => sum + value,
};
export const doubledAndKept = (events) => {
  const kept = Math.ceil(events / 3);
  return 3 * kept * (kept - 1);
};

/** A macrotask, and what has come in meanwhile. */
export const pause = () => new Promise((resolve) => setImmediate(resolve));

/** Of a slow consumer: a promise at every thousandth call, otherwise nothing. */
export function slowly() {
  let seen = 0;
  return () => {
    seen += 1;
    return seen % 1000 === 0 ? pause() : undefined;
  };
}

/** Numbers that look random, the same each time. */
export const scatter = (n) => Math.imul(n, 0x9e3779b1) >>> 8;
