// Ten pipelines other than the measured one, as a program has them: what they pass are strings and objects of several
// shapes, so that call sites within a library see more than one kind of event and of function.

const words = "the water of the race turns the wheel of the mill".split(" ");
const of = (make) => Array.from({ length: 2000 }, (_, i) => make(i));
const map = (fn) => ["map", fn];
const filter = (fn) => ["filter", fn];

const pipelines = [
  [of((i) => words[i % words.length]), [map((word) => word.toUpperCase()), filter((word) => word.length > 2)]],
  [of((i) => `${i}:${words[i % words.length]}`), [map((text) => text.split(":")), map(([, word]) => word)]],
  [of((i) => ({ id: i, name: words[i % words.length] })), [filter(({ id }) => id % 2 === 0), map(({ name }) => name)]],
  [of((i) => ({ at: i, tags: [words[i % words.length]] })), [map((event) => ({ ...event, seen: true }))]],
  [of((i) => [i, words[i % words.length]]), [map(([i, word]) => ({ i, word })), filter(({ i }) => i > 10)]],
  [of((i) => ({ price: i / 3, currency: "EUR" })), [map(({ price }) => price * 1.19), filter((price) => price > 1)]],
  [of((i) => (i % 3 === 0 ? undefined : { value: i })), [filter((event) => event !== undefined)]],
  [of((i) => new Map([[words[i % words.length], i]])), [map((counts) => counts.size), filter((size) => size === 1)]],
  [of((i) => i / 7), [map((n) => n.toFixed(2)), map((text) => text.length), filter((length) => length > 3)]],
  [of((i) => BigInt(i)), [map((n) => n * 2n), filter((n) => n % 3n === 0n), map((n) => String(n))]],
];

/** Runs them by what the peer's file exports: `others(array, steps)` resolves with the number of events that came out. */
export async function pollute(others) {
  for (let round = 0; round < 5; round += 1)
    for (const [events, steps] of pipelines) {
      const got = await others(events, steps);
      let expected = events;
      for (const [kind, fn] of steps) expected = expected[kind](fn);
      if (got !== expected.length) throw new Error(`expected ${expected.length} events, got ${got}`);
    }
}
